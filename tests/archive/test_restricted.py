"""RestrictedArchive: for its reader, what they may not see looks as if it weren't there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.reader import ArchiveReader
from rag.archive.restricted import RestrictedArchive, RestrictedSnapshot
from rag.archive.snapshot import ArchiveSnapshot
from rag.errors import InvalidValueError
from rag.rights import ALL, ALL_RIGHTS, Rights
from rag.schema import EVERYTHING, Article, Filters
from tests.archive.test_archive import WordEmbeddings

pytestmark = pytest.mark.slow

SECRET = "Velmorin"  # a word of the articles that the reader may not see
NOT_OFFERED = {
    "store": "holds everything",
    "indexes": "hold everything",
    "embeddings": "a model, not the archive's",
    "saved": "belongs to an owner",
    "path": "the folder holds everything",
    "content_hashes": "tell whether the archive holds a text",
    "complete_names": "a change",
    "with_query_vector": "searches of its own",
}
READERS = {
    "publisher": Rights(publishers=("Harbour Courier",), access=ALL),
    "section": Rights(sections=("world", "sport"), access=ALL),
    "access": Rights(),
    "all three": Rights(("harbour courier",), ("World",), ("press",)),
    "nothing": Rights(publishers=(), access=ALL),
}


def make(number: int, publisher: str, section: str, access: str, word: str) -> Article:
    site = f"{publisher.partition(' ')[0].lower() or 'none'}.example"
    return Article(
        id=f"{site}/{number}",
        title=f"Council {number} meets in {word}",
        text=(
            f"{word}, the town, closed its harbour number {number} after the flood. "
            f'"We will rebuild {word} by spring," said Mayor Odile Brandt of {word}. '
            f"About {number + 40} ships waited."
        ),
        publisher=publisher,
        section=section,
        access=access,
        authors=(f"Writer of {word}",),
        published=datetime(2024, 3, 1 + number, tzinfo=UTC),
        url=f"https://{site}/{number}",
    )


def everything() -> list[tuple[str, str, str]]:
    return [
        (publisher, section, access)
        for publisher in ("Harbour Courier", "Inland Post", "")
        for section in ("world", "money", "")
        for access in ("", "press")
    ]


def articles_for(rights: Rights) -> list[Article]:
    """Return the articles of the archive; those that the reader may not see have the secret."""
    return [
        make(
            i,
            publisher,
            section,
            access,
            f"Osterholt{i}"
            if rights.allow(publisher=publisher, section=section, access=access)
            else f"{SECRET}{i} {SECRET}",
        )
        for i, (publisher, section, access) in enumerate(everything())
    ]


@pytest.fixture(params=READERS)
def rights(request: pytest.FixtureRequest) -> Rights:
    return READERS[request.param]


@pytest.fixture
def archive(tmp_path: Path, rights: Rights) -> Iterator[Archive]:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(articles_for(rights))
        yield opened


@pytest.fixture
def reader(archive: Archive, rights: Rights) -> RestrictedArchive:
    return RestrictedArchive(archive, rights)


def visible(rights: Rights) -> list[Article]:
    return [one for one in articles_for(rights) if SECRET not in one.text]


def test_every_method_of_an_archive_is_restricted_or_not_offered() -> None:
    for whole, restricted in (
        (ArchiveReader, RestrictedArchive),
        (ArchiveSnapshot, RestrictedSnapshot),
    ):
        for name, _ in inspect.getmembers(whole):
            if name.startswith("_") or name in NOT_OFFERED:
                continue
            if restricted is RestrictedSnapshot and name in ("sequence", "corrected_since"):
                continue
            inherited = getattr(restricted, name, None) is getattr(ArchiveReader, name, object())
            if not inherited:
                assert hasattr(restricted, name), name
                continue
            # inherited methods may only call others of `self`
            source = inspect.getsource(getattr(restricted, name))
            assert not re.search(r"\b_(?:store|valid)\b", source), name


def test_when_and_how_much_is_told_only_to_those_who_see_everything(
    archive: Archive, reader: RestrictedArchive
) -> None:
    editor = RestrictedArchive(archive, ALL_RIGHTS).status()
    assert editor.last_ingest is not None
    assert editor.bytes > 0
    seen = reader.status()
    assert (seen.last_ingest, seen.last_run, seen.bytes) == (None, None, 0)


def test_publishers_are_each_readers_own_at_the_same_time(archive: Archive) -> None:
    expected = {one: archive.publishers(access=one) for one in READERS.values()}
    assert len(set(expected.values())) > 2

    def look(number: int) -> bool:
        one = list(expected)[number % len(expected)]
        return archive.publishers(access=one) == expected[one]

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(look, range(4000)))


def test_what_is_not_offered_is_not_there(reader: RestrictedArchive) -> None:
    for name in NOT_OFFERED:
        assert not hasattr(reader, name)


def test_nothing_that_a_reader_can_call_shows_or_counts_the_rest(
    archive: Archive, reader: RestrictedArchive, rights: Rights
) -> None:
    seen = visible(rights)
    ids = {one.id for one in seen}
    hidden = [one for one in articles_for(rights) if one.id not in ids]
    assert hidden, "each reader must be denied something"
    for filters in (Filters(), EVERYTHING, Filters(access=("press",))):
        for query in (
            SECRET,
            "Which town closed its harbour?",
            f"What did Brandt of {SECRET} say?",
        ):
            for mode in ("hybrid", "vector", "bm25"):
                found = reader.search(query, 50, mode=mode, filters=filters)  # type: ignore[arg-type]
                assert {hit.passage.article_id for hit in found} <= ids
            then = reader.as_of(datetime(2100, 1, 1, tzinfo=UTC))
            assert {hit.passage.article_id for hit in then.search(query, 50)} <= ids
        assert {one.id for one in reader.articles(filters)} == ids
        assert reader.count(filters).articles == len(seen)
        page = reader.browse(filters=filters, limit=100)
        assert page.total == len(seen)
        assert {one.article_id for one in page.articles} == ids
        assert sum(v.articles for f in page.facets if f.name == "day" for v in f.values) == len(
            seen
        )
        assert reader.browse(SECRET, filters=filters).total == 0
        table = reader.browse_table(filters=filters, limit=100)
        assert table.total == len(seen)
        assert {one.article_id for one in table.articles} == ids
        assert SECRET not in repr(table)
        assert reader.browse_table(SECRET, filters=filters).total == 0
        assert {one.id for one in reader.browse_all(filters=filters)} == ids
        assert sum(sum(days.values()) for days in reader.daily_counts(filters).values()) == len(
            seen
        )
        assert SECRET not in repr(reader.names(limit=1000, filters=filters))
        assert SECRET not in repr(reader.name("Odile Brandt", filters=filters))
    status = reader.status(access=ALL_RIGHTS)
    assert status.articles == len(seen)
    assert status.last_run is None
    assert set(reader.publishers(access=ALL_RIGHTS)) == {o.publisher for o in seen} - {""}
    assert set(reader.authors(access=ALL_RIGHTS)) == {o.authors[0] for o in seen}
    assert set(reader.sections(access=ALL_RIGHTS)) == {o.section for o in seen} - {""}
    for one in hidden:
        assert reader.article(one.id, access=ALL_RIGHTS) is None
        assert reader.article(one.id, 1, access=ALL_RIGHTS) is None
        assert reader.get([one.id], access=ALL_RIGHTS) == []
        assert reader.revisions(one.id, access=ALL_RIGHTS) == ()
        assert reader.find_ids(one.url, access=ALL_RIGHTS) == []
        assert reader.complete_id(one.id, access=ALL_RIGHTS) == []
        assert reader.near_duplicates([one.id], filters=EVERYTHING) == {}
    for one in seen:
        assert reader.article(one.id) == archive.article(one.id, access=ALL_RIGHTS)
        assert SECRET not in repr(reader.near_duplicates([one.id], filters=EVERYTHING))
        assert SECRET not in repr(reader.similar(one, filters=EVERYTHING))


def test_answers_cite_and_suggest_only_what_the_reader_may_see(
    archive: Archive, rights: Rights
) -> None:
    chatbot = Chatbot(archive).restricted_to(rights)
    for question in ("Which town closed its harbour?", "What did Mayor Odile Brandt say?"):
        for filters in (Filters(), EVERYTHING, Filters(after=datetime(2030, 1, 1, tzinfo=UTC))):
            for as_of in (None, datetime(2100, 1, 1, tzinfo=UTC)):
                answer = chatbot.ask(question, filters=filters, as_of=as_of)
                assert SECRET not in repr(answer)


def test_article_that_became_restricted_disappears_from_the_past(
    archive: Archive, rights: Rights
) -> None:
    reader = RestrictedArchive(archive, Rights())
    number = next(i for i, row in enumerate(everything()) if row[2] == "")
    before = make(number, *everything()[number][:2], "", "Osterholt")
    archive.add(before)
    archive.add(make(number, *everything()[number][:2], "press", f"{SECRET}"))
    assert reader.article(before.id) is None
    assert reader.revisions(before.id) == ()
    then = reader.as_of(datetime(2100, 1, 1, tzinfo=UTC))
    assert then.article(before.id) is None
    assert before.id not in {h.passage.article_id for h in then.search("Osterholt harbour", 50)}


def test_rights_survive_json() -> None:
    for rights in (*READERS.values(), ALL_RIGHTS):
        assert Rights.from_dict(rights.to_dict()) == rights
    assert ALL_RIGHTS.to_dict()["publishers"] == "everything"


@pytest.mark.parametrize("data", [{"publishers": "Post"}, {"access": 3}, {"sections": [1]}])
def test_invalid_rights_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        Rights.from_dict(data)


def test_missing_rights_grant_nothing() -> None:
    rights = Rights.from_dict({})
    assert not rights.allow(publisher="Inland Post", section="world", access="")
    assert not rights.sees_everything
    assert Rights(ALL, ALL, ALL).sees_everything
