"""Names in an archive: counts, forms of one name, pages, rights and snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.names import NamePage
from rag.errors import InvalidValueError
from rag.schema import ALL_RIGHTS, Article, Filters
from tests.support.fakes import WordEmbeddings


def article(n: int, text: str, **fields: object) -> Article:
    published = datetime(2024, 10, 1, tzinfo=UTC) + timedelta(days=n)
    return replace_all(Article(id=f"a{n}", text=text, published=published), **fields)


def replace_all(one: Article, **fields: object) -> Article:
    return one.replace(**fields)


FERRY = article(
    1,
    "Mayor Ada Quillon opened the ferry pier in Oslo. “We have waited a long time for this,” "
    "Quillon said. Olaf Brandvold watched.",
    publisher="Harbour Courier",
)
STRIKE = article(
    2,
    "The Harbour Workers Union called a strike in Oslo. “Ada Quillon has told us nothing of the "
    "money,” said Olaf Brandvold, its leader.",
    publisher="Orchard Gazette",
)
COUNCIL = article(
    3, "Ada Quillon met Olaf Brandvold in Oslo. Ada Quillon left for the U.S. at night."
)
SURNAME = article(
    4, "The pier is closed again. Quillon said repairs would take a week, Quillon added."
)
SECRET = article(
    5, "Ada Quillon owns a house in Paris, Petra Lindqvist told the police.", access="desk"
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add([FERRY, STRIKE, COUNCIL, SURNAME, SECRET])
        yield opened


def counts(archive: Archive, **options: object) -> dict[str, int]:
    return {one.name: one.articles for one in archive.names(**options)}  # type: ignore[arg-type]


def test_names_have_counts_of_articles(archive: Archive) -> None:
    assert counts(archive) == {
        "Ada Quillon": 4,
        "Olaf Brandvold": 3,
        "Oslo": 3,
        "Harbour Workers Union": 1,
        "United States": 1,
    }
    assert [one.name for one in archive.names(limit=2)] == ["Ada Quillon", "Oslo"]


def test_names_are_limited_to_a_kind_and_beginning(archive: Archive) -> None:
    assert counts(archive, kind="organisation") == {"Harbour Workers Union": 1}
    assert counts(archive, prefix="quil") == {"Ada Quillon": 4}
    assert counts(archive, prefix="UNITED") == {"United States": 1}
    assert counts(archive, prefix="uillon") == {}
    assert counts(archive, prefix="o") == {"Olaf Brandvold": 3, "Oslo": 3}
    assert counts(archive, prefix="harbour work") == {"Harbour Workers Union": 1}
    assert counts(archive, prefix="oslo\nada") == {}


def test_names_pass_filters(archive: Archive) -> None:
    october = Filters(publishers="orchard gazette")
    assert counts(archive, filters=october) == {
        "Ada Quillon": 1,
        "Olaf Brandvold": 1,
        "Oslo": 1,
        "Harbour Workers Union": 1,
    }
    assert counts(archive, filters=Filters(after=datetime(2024, 10, 5, tzinfo=UTC))) == {
        "Ada Quillon": 1
    }


def test_names_of_restricted_articles_need_the_right(archive: Archive) -> None:
    assert "Paris" not in counts(archive)
    assert archive.name("Petra Lindqvist") == NamePage("Petra Lindqvist", "person")
    for access in (("desk",), ALL_RIGHTS):
        filters = Filters(access=access)  # type: ignore[arg-type]
        assert counts(archive, filters=filters)["Petra Lindqvist"] == 1
        assert archive.name("ada quillon", filters=filters).articles == 5


def test_surname_tells_nothing_of_a_restricted_bearer(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(SURNAME)
        opened.add(replace_all(COUNCIL, id=f"c{n}", access="desk") for n in range(4))
        assert counts(opened) == {"Quillon": 1}
        assert counts(opened, filters=Filters(access="desk"))["Ada Quillon"] == 5


def test_names_follow_deletion_and_withdrawal(archive: Archive) -> None:
    archive.delete(["a2"])
    assert "Harbour Workers Union" not in counts(archive)
    archive.withdraw("a1")
    assert counts(archive)["Ada Quillon"] == 1  # with two articles she no longer owns "Quillon"
    archive.reinstate("a1")
    assert counts(archive)["Ada Quillon"] == 2


def test_names_follow_revisions(archive: Archive) -> None:
    archive.add(FERRY.replace(text="Milo Brandt opened the ferry pier in Bergen."))
    assert counts(archive)["Milo Brandt"] == 1
    assert archive.name("Oslo").articles == 2


def test_snapshot_has_the_names_of_its_time(archive: Archive) -> None:
    database = archive.store.database
    database.connection.execute("UPDATE changes SET at = '2024-01-01T00:00:00+00:00'")
    archive.add(FERRY.replace(text="Milo Brandt opened the ferry pier in Bergen."))
    archive.withdraw("a2")
    then = archive.as_of(datetime(2024, 6, 1, tzinfo=UTC))
    names = {one.name: one.articles for one in then.names()}
    assert names["Ada Quillon"] == 2
    assert "Milo Brandt" not in names
    assert "Harbour Workers Union" not in names
    assert then.name("Milo Brandt").articles == 0
    assert then.name("Oslo").articles == 2


def test_name_page_shows_what_is_known(archive: Archive) -> None:
    page = archive.name("ada quillon")
    assert (page.name, page.kind, page.articles) == ("Ada Quillon", "person", 4)
    assert page.variants == ("Quillon",)
    assert [one.article_id for one in page.newest] == ["a4", "a3", "a2", "a1"]
    assert [bar.articles for bar in page.histogram.bars] == [1, 1, 1, 1]
    (said,) = page.quotations_by
    assert said.text == "“We have waited a long time for this,” Quillon said."
    assert FERRY.text[said.start : said.end] == said.text
    assert said.metadata.article_id == "a1"
    (about,) = page.quotations_about
    assert about.speaker == "Olaf Brandvold"
    assert page.to_dict()["beside"] == [one.to_dict() for one in page.beside]
    assert NamePage.from_dict(page.to_dict()) == page


def test_name_page_names_those_beside_it(archive: Archive) -> None:
    archive.add(
        article(n, "Rain fell on Bergen and nobody minded, Milo Brandt said.")
        for n in range(10, 20)
    )
    beside = {one.name: one.articles for one in archive.name("Olaf Brandvold").beside}
    assert beside == {"Ada Quillon": 3, "Oslo": 3}


def test_name_is_found_by_any_form(archive: Archive) -> None:
    for form in ("Quillon", "ADA QUILLON", " ada quillon "):
        assert archive.name(form).articles == 4
    for form in ("the United States", "u.s.", "America"):
        assert archive.name(form, "place").articles == 1


def test_name_is_found_by_a_surname_that_never_stands_alone(archive: Archive) -> None:
    assert archive.name("Brandvold").name == "Olaf Brandvold"
    assert archive.name("Lindqvist").articles == 0  # she is in a restricted article only
    assert archive.name("Brandvold", "place").articles == 0


def test_quotation_by_he_or_she_is_that_of_the_speaker_before(archive: Archive) -> None:
    text = (
        "“We will open the pier again,” Ada Quillon said.\n\n"
        "“It has been closed for years,” she said.\n\n"
        "Her rival Petra Voss disagreed.\n\n"
        "“It will never be safe again,” she said."
    )
    archive.add(article(7, text))
    said = [one.text for one in archive.name("Ada Quillon").quotations_by]
    assert "“It has been closed for years,” she said." in said
    assert not any("never be safe" in one for one in said)


def test_quotation_printed_twice_is_shown_once(archive: Archive) -> None:
    archive.add(FERRY.replace(id="copy", publisher="Other"))
    (said,) = archive.name("Ada Quillon").quotations_by
    assert said.printed == 2


def test_spellings_are_one_name(tmp_path: Path) -> None:
    texts = ["Jose Ibarra-Quell spoke.", "José Ibarra-Quell spoke.", "Ann B. Merrow left.",
             "Ann Merrow left.", "Shares of Corvid Motors Inc. fell.", "Corvid Motors Inc fell.",
             "Karl D. Stroud sang.", "Karl E. Stroud sang.", "Karl Stroud sang.",
             "Ida Voss spoke.", "Ida Voss left.", "Ida Voss Jr. spoke."]  # fmt: skip
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(article(n, text) for n, text in enumerate(texts))
        found = {one.name: one.articles for one in opened.names()}
    assert found["Jose Ibarra-Quell"] == 2
    assert (found["Ida Voss"], found["Ida Voss Jr."]) == (2, 1)
    assert sorted(found.values()) == [1, 1, 1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize("call", ["names", "name"])
def test_unknown_kinds_are_rejected(archive: Archive, call: str) -> None:
    with pytest.raises(InvalidValueError, match="kind is 'thing'"):
        getattr(archive, call)(
            "thing" if call == "names" else "Oslo", *["thing"][call == "names" :]
        )
    with pytest.raises(InvalidValueError, match="limit is 0"):
        archive.names(limit=0)
    with pytest.raises(InvalidValueError, match="limit is -1"):
        archive.name("Oslo", limit=-1)


def test_reader_completes_the_names_of_an_older_archive(archive: Archive) -> None:
    archive.store.database.connection.execute("DELETE FROM meta WHERE key = 'names'")
    archive.store.database.connection.execute("DELETE FROM mentions")
    archive.store.database.connection.execute("DELETE FROM names")
    path = archive.path
    archive.close()
    with Archive.open(path, embeddings=WordEmbeddings()) as reader:
        assert {one.name for one in reader.names(kind="place")} == {"Oslo", "United States"}


def test_page_of_an_unknown_name_is_empty(archive: Archive) -> None:
    page = archive.name("Nobody Atall")
    assert (page.articles, page.newest, page.histogram.bars) == (0, (), ())
    assert archive.name("").articles == 0


def test_names_of_an_empty_archive_are_none(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        assert opened.names() == ()
        assert opened.name("Oslo").articles == 0
