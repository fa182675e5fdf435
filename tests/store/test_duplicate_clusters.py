"""Near-duplicate clusters as copies are added, deleted, changed and rebuilt."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.archive.archive import Archive
from rag.schema import Article, Filters, Span
from rag.store.articles import ArticleStore, PreparedArticle, content_hash
from tests.support.example_counts import example_count
from tests.support.fakes import WordEmbeddings

DAY = datetime(2024, 10, 18, tzinfo=UTC)
CRANE = (
    "VELSUND (Fennmark Wire) - The old crane above the harbour was taken down on Friday after an "
    "inspection found cracks in its legs, the port authority said.",
    "Workers began at dawn and had the jib on the ground by noon. Ferries to the islands were held "
    "back for four hours, and the fish market stayed shut, for the first time since the flood.",
    "Port captain Ines Dahl said that nobody had been in danger. The cracks were found in August, "
    "she said, and the ground around the crane was fenced off on the same evening.",
    "What becomes of the parts is open. The museum of the coast would like the cabin and the "
    "counterweight; the rest goes to a yard in Pellworth, where it is cut up for scrap.",
)
TRAIN = (
    "The night train to the coast is to run again from the spring, eleven years after the last "
    "one, the railway said, and it will stop at all of the places where it stopped then.",
    "Tickets go on sale in January, and the sleeping cars come from a company in the south, which "
    "has taken them out of a shed, cleaned them, and given them new beds and better lamps.",
)


def make_article(
    article_id: str, *paragraphs: str, hours: float = 0.0, publisher: str = "", title: str = ""
) -> Article:
    return Article(
        id=article_id,
        title=title or f"Headline of {article_id}",
        text="\n\n".join(paragraphs or CRANE),
        publisher=publisher,
        published=DAY + timedelta(hours=hours),
    )


WIRE = make_article("wire", hours=6, publisher="Fennmark Wire")
EARLY = make_article("early", hours=4, publisher="Harbour Courier")
CUT = make_article("cut", *CRANE[:1], *CRANE[2:], hours=9, publisher="Westermoor Post")
LATE = make_article("late", hours=30, publisher="Pellworth Tribune")
NIGHT_TRAIN = make_article("train", *TRAIN, hours=7)


def add_articles(archive: Archive, *articles: Article) -> None:
    archive.add([(article, [Span(0, len(article.text))]) for article in articles])


def list_copies(archive: Archive, article_id: str, filters: Filters = Filters()) -> list[str]:
    found = archive.near_duplicates([article_id], filters=filters)
    return [head.article_id for head in found.get(article_id, ())]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        yield archive


def test_each_copy_of_a_story_names_the_others(archive: Archive) -> None:
    add_articles(archive, WIRE, NIGHT_TRAIN)
    assert list_copies(archive, "wire") == []
    add_articles(archive, CUT, LATE)
    assert list_copies(archive, "wire") == ["cut", "late"]
    assert list_copies(archive, "cut") == ["wire", "late"]
    assert list_copies(archive, "train") == []
    assert (archive.status().stories_told_again, archive.status().copies) == (1, 2)


def test_credited_agency_leads_its_cluster_on_the_same_day(archive: Archive) -> None:
    add_articles(archive, EARLY, CUT)
    assert list_copies(archive, "cut") == ["early"]
    add_articles(archive, WIRE)
    assert list_copies(archive, "cut") == ["wire", "early"]


def test_earliest_copy_leads_whenever_it_is_added(archive: Archive) -> None:
    add_articles(archive, LATE)
    add_articles(archive, CUT)
    add_articles(archive, EARLY)
    assert list_copies(archive, "late") == ["early", "cut"]


def test_next_copy_leads_when_the_leader_is_deleted(archive: Archive) -> None:
    add_articles(archive, WIRE, CUT, LATE)
    archive.delete(["wire"])
    assert list_copies(archive, "late") == ["cut"]
    add_articles(archive, EARLY)
    assert list_copies(archive, "late") == ["early", "cut"]


def test_single_remaining_article_has_no_copies(archive: Archive) -> None:
    add_articles(archive, WIRE, CUT)
    archive.delete(["wire"])
    assert list_copies(archive, "cut") == []
    assert archive.status().stories_told_again == 0


def test_rewritten_copy_leaves_the_cluster(archive: Archive) -> None:
    add_articles(archive, WIRE, CUT, LATE)
    add_articles(archive, replace(CUT, text="\n\n".join(TRAIN)))
    assert list_copies(archive, "wire") == ["late"]
    assert list_copies(archive, "cut") == []


def test_rewritten_leader_passes_the_lead_on(archive: Archive) -> None:
    add_articles(archive, WIRE, CUT, LATE, NIGHT_TRAIN)
    add_articles(archive, replace(WIRE, text="\n\n".join(TRAIN)))
    assert list_copies(archive, "late") == ["cut"]
    assert list_copies(archive, "wire") == ["train"]


def test_rebuild_and_repeated_add_change_nothing(archive: Archive) -> None:
    add_articles(archive, WIRE, CUT, LATE)
    add_articles(archive, WIRE, CUT, LATE)
    archive.rebuild_indexes()
    assert list_copies(archive, "wire") == ["cut", "late"]


def test_only_copies_within_the_filters_are_named(archive: Archive) -> None:
    add_articles(archive, WIRE, CUT, LATE)
    assert list_copies(archive, "wire", Filters(publishers=("Westermoor Post",))) == ["cut"]
    assert list_copies(archive, "wire", Filters(after=DAY + timedelta(days=1))) == ["late"]


def test_short_texts_are_not_duplicates(archive: Archive) -> None:
    add_articles(
        archive,
        make_article("a", "The crane on Friday."),
        make_article("b", "The crane on Friday."),
    )
    assert list_copies(archive, "a") == []


def test_articles_without_signatures_are_compared_on_next_add(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        add_articles(archive, WIRE, CUT)
    with sqlite3.connect(folder / "archive.sqlite") as record:
        for table in ("signatures", "bands", "copies"):
            record.execute(f"DELETE FROM {table}")
        record.execute("DELETE FROM meta WHERE key = 'stories'")
    record.close()
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        assert list_copies(archive, "wire") == []
        add_articles(archive, LATE)
        assert list_copies(archive, "wire") == ["cut", "late"]


NO_VECTORS = np.empty((0, 0), np.float32)
POOL = (WIRE, EARLY, CUT, LATE, NIGHT_TRAIN, make_article("train again", *TRAIN, hours=8))
steps = st.lists(st.tuples(st.sampled_from(("put", "remove")), st.sampled_from(POOL)), max_size=9)


@settings(max_examples=example_count(25))
@given(steps)
def test_clusters_are_led_by_their_earliest_article(
    steps: list[tuple[str, Article]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        record = ArticleStore(Path(folder), create=True, writable=True)
        here: set[str] = set()
        for action, article in steps:
            if action == "put":
                record.put([PreparedArticle(article, content_hash(article), (), (), NO_VECTORS)])
                here.add(article.id)
            else:
                record.remove([article.id])
                here.discard(article.id)
        for story in (("wire", "early", "cut", "late"), ("train", "train again")):
            tellings = [article_id for article_id in story if article_id in here]
            found = record.duplicates.near_duplicates(tellings)
            for article_id in tellings:
                others = [head.article_id for head in found.get(article_id, ())]
                assert others == [other for other in tellings if other != article_id]
        record.close()
