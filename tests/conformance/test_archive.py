"""An archive behaves alike wherever its record and its vectors are."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.errors import ReadError
from rag.schema import Article, Filters
from rag.store.crawl_state import FetchHistory, FetchRecord
from rag.store.held_changes import HeldChange, HeldChanges
from rag.store.ingest_log import RejectedInput, RejectLog, RunLog
from tests.archive.test_archive import WordEmbeddings, in_two_passages, make_article
from tests.conformance.conftest import Place

pytestmark = pytest.mark.slow

MOMENT = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def texts(archive: Archive, query: str = "bridge") -> set[str]:
    return {hit.passage.article_id for hit in archive.search(query, k=20)}


def test_articles_are_found(place: Place) -> None:
    with place.open() as archive:
        result = archive.add([make_article(1), make_article(2, publisher="The Ostwick Post")])
        assert (result.new, result.unchanged) == (2, 0)
        assert archive.add(make_article(1)).unchanged == 1
        assert texts(archive) == {"paper.example/1", "paper.example/2"}
        only = Filters(publishers=("the ostwick post",))
        assert {hit.passage.article_id for hit in archive.search("bridge", filters=only)} == {
            "paper.example/2"
        }
        assert not find_problems(archive)
    with place.open("read") as reader:
        assert texts(reader) == {"paper.example/1", "paper.example/2"}
        assert reader.article("paper.example/2").publisher == "The Ostwick Post"  # type: ignore[union-attr]


def test_changed_articles_keep_their_history(place: Place) -> None:
    with place.open() as archive:
        archive.add(make_article(1))
        archive.add(make_article(1, "The mayor resigned over the bridge."))
        assert [one.article.revision for one in archive.revisions("paper.example/1")] == [1, 2]
        assert archive.article("paper.example/1").text.startswith("The mayor")  # type: ignore[union-attr]
        # an old file ingested again does not revert the article
        assert archive.add(make_article(1)).unchanged == 1
        assert not find_problems(archive)


def test_takedowns(place: Place) -> None:
    with place.open() as archive:
        archive.add([make_article(n) for n in range(1, 6)])
        assert archive.delete("paper.example/1") == 1
        assert archive.withdraw(["paper.example/2", "paper.example/3"], reason="asked for") == 2
        assert texts(archive) == {"paper.example/4", "paper.example/5"}
        assert archive.add(make_article(2)).withdrawn == 1
        assert archive.reinstate("paper.example/2") == 1
        assert archive.erase(["paper.example/3", "paper.example/4"], reason="a court")
        assert texts(archive) == {"paper.example/2", "paper.example/5"}
        assert archive.article("paper.example/3", 1) is None
        assert archive.withdrawals(["paper.example/4"])["paper.example/4"].erased
        assert not find_problems(archive)
    with place.open("read") as reader:
        assert texts(reader) == {"paper.example/2", "paper.example/5"}


def test_snapshots(place: Place) -> None:
    with place.open() as archive:
        archive.add(make_article(1))
        archive.add(make_article(1, "The mayor resigned over the bridge."))
        archive.delete("paper.example/1")
        archive.store.database.connection.execute(
            "UPDATE changes SET at = ? WHERE sequence = 1", (MOMENT.isoformat(),)
        )
        then = archive.as_of(MOMENT + timedelta(days=1))
        assert then.article("paper.example/1").revision == 1  # type: ignore[union-attr]
        assert [hit.passage.revision for hit in then.search("bridge")] == [1]
        assert not archive.search("bridge")
        assert not archive.as_of(MOMENT - timedelta(days=1)).search("bridge")


def test_browsing_and_names(record_place: Place) -> None:
    with record_place.open() as archive:
        archive.add(
            [
                make_article(
                    n,
                    f"Mayor Jane Doe of Ostwick opened bridge {n}. She thanked Tom Lee of Norham.",
                    publisher="The Paper" if n % 2 else "The Post",
                    published=MOMENT + timedelta(days=n),
                    authors=("Ann Ray",),
                    language="en",
                )
                for n in range(1, 8)
            ]
        )
        archive.add(make_article(9))  # undated
        page = archive.browse("bridge", limit=3)
        assert page.total == 8
        assert [one.article_id for one in page.articles] == [
            f"paper.example/{n}" for n in (7, 6, 5)
        ]
        assert archive.browse("bridge", limit=3, cursor=page.cursor).articles[0].article_id == (
            "paper.example/4"
        )
        assert archive.publishers()[:2] == ("The Paper", "The Post")
        names = {one.name for one in archive.names()}
        assert {"Jane Doe", "Tom Lee"} <= names
        assert archive.daily_counts()["The Post"]
        assert archive.status().articles == 8
        assert archive.complete_id("paper.example/") == [
            f"paper.example/{n}" for n in (1, 2, 3, 4, 5, 6, 7, 9)
        ]
        assert not find_problems(archive)


def test_near_duplicates(place: Place) -> None:
    story = "The bridge in Ostwick was closed on Monday after a crack was found in a pillar. " * 5
    with place.open() as archive:
        for n in range(1, 5):
            archive.add(make_article(n, story + f"Report {n}.", published=MOMENT))
        assert len(archive.near_duplicates(["paper.example/1"])["paper.example/1"]) == 3
        archive.delete("paper.example/1")
        assert len(archive.near_duplicates(["paper.example/2"])["paper.example/2"]) == 2
        archive.erase(["paper.example/2", "paper.example/3"])
        assert not archive.near_duplicates(["paper.example/4"])
        assert not find_problems(archive)


def test_other_model(place: Place) -> None:
    class Other(WordEmbeddings):
        name = "other words"

        def embed_query(self, text: str) -> list[float]:
            return super().embed_query(text)[::-1]

    with place.open() as archive:
        archive.add([make_article(n) for n in range(1, 6)])
        done = archive.reembed(Other())
        assert (done.model, done.passages) == ("other words", done.made)
        archive.add(make_article(6))
        assert len(texts(archive)) == 6
        assert not find_problems(archive)
    with Archive.open(place.folder, settings=place.settings, embeddings=Other()) as reader:
        assert len(texts(reader)) == 6


def test_logs_of_ingest(record_place: Place) -> None:
    with record_place.open() as archive:
        database = archive.store.database
        RejectLog(database).save([RejectedInput("a:1", "a", "broken\0", MOMENT)] * 2)
        assert [one.reason.rstrip("\0") for one in RejectLog(database).all()] == ["broken"]
        RejectLog(database).remove(["a"], before=MOMENT + timedelta(1))
        assert not RejectLog(database).all()
        visits = FetchHistory(database)
        for status in (200, 304):
            visits.save([FetchRecord("https://paper.example/1", "e", "", status, MOMENT)])
        assert visits.last("https://paper.example/1").status == 304  # type: ignore[union-attr]
        number = RunLog(database).begin(MOMENT)
        RunLog(database).end(number, MOMENT, {"new": 1})
        assert RunLog(database).recent(1)[0].figures == {"new": 1}
        held = HeldChange("h", "p", "s", "r", MOMENT, "put", "a1", "host", "{}")
        assert HeldChanges(database).save(held)
        assert HeldChanges(database).save(held)
        assert HeldChanges(database).all() == [held]
        assert HeldChanges(database).drop(["h"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Zero\0width. The bridge.",
        "The bridge. It's % of %s :name ? 'quoted' \\ \"double\" {0} $1.",
        "Der Straßenübergang in İstanbul ﬁel. Ǆ ẞ \u0345 \U0001f309 \u202e bridge.",
    ],
)
def test_hostile_texts(record_place: Place, text: str) -> None:
    with record_place.open() as archive:
        hostile = Article(id=f"x/{text}"[:200], title=text, text=text, publisher=text, section=text)
        assert archive.add([in_two_passages(hostile)]).new == 1
        assert archive.add([in_two_passages(hostile)]).unchanged == 1
        (kept,) = archive.articles()
        assert kept.text.replace("\0", "") == text.replace("\0", "")
        assert len(texts(archive)) == 1
        assert not find_problems(archive)
        assert archive.erase([kept.id])
        assert not list(archive.articles())
        assert not find_problems(archive)


def test_lone_surrogates_are_refused(record_place: Place) -> None:
    with record_place.open() as archive:
        with pytest.raises(ReadError):
            archive.add(Article(id="1", title="t", text="half \ud83c bridge"))
        assert archive.add(make_article(1)).new == 1


def test_long_values(record_place: Place) -> None:
    long = "".join(random.Random(1).choices(string.ascii_letters, k=6_000))  # hardly compressible
    with record_place.open() as archive:
        article = Article(
            id="long",
            title=long,
            text=f"{long.title()} Bridge and Mr {long.title()} {long} opened it. It is long.",
            publisher=long,
            url=f"https://paper.example/{long}",
            authors=(long, long[::-1]),
            section=long,
        )
        assert archive.add([in_two_passages(article)]).new == 1
        database = archive.store.database
        visits = FetchHistory(database)
        visits.save([FetchRecord(f"https://{long}/{n}", "e", "", 200, MOMENT) for n in range(2)])
        assert visits.last(f"https://{long}/1").etag == "e"  # type: ignore[union-attr]
        RejectLog(database).save(
            [RejectedInput(f"{long}:{n}", long, "why", MOMENT) for n in (1, 2)]
        )
        assert len(RejectLog(database).all()) == 2
        if record_place.settings.record:
            with pytest.raises(ReadError, match="shorten it"):
                archive.add(Article(id=long, title="t", text="The bridge."))
        else:
            assert archive.add(Article(id=long, title="t", text="The bridge.")).new == 1
        assert not find_problems(archive)


def test_large_text(record_place: Place) -> None:
    with record_place.open() as archive:
        text = "The bridge is long. " * 50_000
        archive.add([in_two_passages(Article(id="1", title="Long", text=text))])
        assert archive.article("1").text == text  # type: ignore[union-attr]
    with record_place.open("read") as reader:
        assert reader.article("1").text == text  # type: ignore[union-attr]
