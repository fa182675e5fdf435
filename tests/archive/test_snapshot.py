"""Snapshots: only what was in the archive on a day answers, and nothing withdrawn since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.view import SearchMode
from rag.retrieval.langchain import NewsRetriever
from rag.schema import Article, Filters, Notice, Span
from tests.support.fakes import WordEmbeddings, phrase_hits

FIRST = datetime(2024, 10, 1, 9, tzinfo=UTC)
DAYS = [datetime(2024, 10, day, tzinfo=UTC) for day in range(1, 9)]


def make_article(name: str, text: str, **fields: object) -> Article:
    given = {"publisher": "Harbour Courier", "published": datetime(2024, 9, 30, tzinfo=UTC)}
    given |= {"title": name.title(), **fields}
    return Article(id=f"paper.example/{name}", text=text, **given)  # type: ignore[arg-type]


FERRY = make_article("ferry", "The ferry to Vellmark sank with nine sailors. Divers searched.")
FERRY_LATER = replace(
    FERRY, text="The ferry to Vellmark sank with twelve sailors. Divers searched."
)
CORRECTED = FERRY_LATER.replace(correction="Twelve sailors were on board, not nine.")
MILL = make_article("mill", "The mill at Vellmark burned down in a night. Nobody was hurt.")
LATE = make_article("late", "Vellmark ferry sailors were buried at sea. The town mourned them.")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Day by day: the ferry and the mill, the ferry changed, a late article, the mill deleted."""
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as opened:
        add_articles(opened, FERRY, MILL)
        add_articles(opened, FERRY_LATER)
        add_articles(opened, LATE)
        opened.delete([MILL.id])
        date_changes(opened)
        yield opened


def add_articles(archive: Archive, *articles: Article) -> None:
    for article in articles:
        middle = article.text.find(". ") + 1
        spans = [Span(0, middle), Span(middle + 1, len(article.text))]
        archive.add([(article, spans)])


def date_changes(archive: Archive) -> None:
    """Date each change on a day of its own, the first two on the first."""
    connection = archive.store.database.connection
    for (sequence,) in connection.execute("SELECT sequence FROM changes").fetchall():
        at = FIRST + timedelta(days=max(0, sequence - 2))
        connection.execute(
            "UPDATE changes SET at = ? WHERE sequence = ?", (at.isoformat(), sequence)
        )


def search_texts(
    archive: Archive, day: datetime, query: str = "Vellmark ferry mill"
) -> list[set[str]]:
    then = archive.as_of(day)
    return [
        {hit.passage.text for hit in hits}
        for hits in (then.search(query, 3, mode="vector"), then.search(query, 3, mode="bm25"))
    ]


def test_snapshot_answers_from_articles_of_that_day(archive: Archive) -> None:
    nine, twelve = FERRY.text.split(". ")[0] + ".", FERRY_LATER.text.split(". ")[0] + "."
    mill, late = MILL.text.split(". ")[0] + ".", LATE.text.split(". ")[0] + "."
    for day, expected, not_yet in (
        (DAYS[0], {nine, mill}, {twelve, late}),
        (DAYS[1], {twelve, mill}, {nine, late}),
        (DAYS[2], {twelve, mill, late}, {nine}),
        (DAYS[3], {twelve, late}, {nine, mill}),
    ):
        for found in search_texts(archive, day):
            assert expected <= found
            assert not found & not_yet


def test_snapshot_before_first_article_is_empty(archive: Archive) -> None:
    day = DAYS[0] - timedelta(days=1)
    assert search_texts(archive, day) == [set(), set()]
    answer = Chatbot(archive).ask("How many sailors were on the ferry?", as_of=day)
    assert answer.refused
    assert Notice("archive_empty_as_of", day="2024-09-30") in answer.notices


def test_snapshot_scores_ended_and_current_passages_alike(archive: Archive) -> None:
    now = archive.search("sailors on the ferry", 9, mode="bm25")
    then = archive.as_of(DAYS[0]).search("sailors on the ferry", 9, mode="bm25")
    today = next(hit.score for hit in now if "twelve sailors" in hit.passage.text)
    assert then[0].passage.text.endswith("nine sailors.")
    assert then[0].score == pytest.approx(today, rel=0.5)


def test_snapshot_accepts_a_time_of_day(archive: Archive) -> None:
    assert search_texts(archive, FIRST - timedelta(minutes=1)) == [set(), set()]
    assert all(search_texts(archive, FIRST + timedelta(minutes=1)))


def test_snapshot_applies_filters(archive: Archive) -> None:
    then = archive.as_of(DAYS[0])
    assert then.search("ferry", 9, filters=Filters(publishers=("Nobody",)), mode="vector") == []
    ids = {
        h.passage.article_id
        for h in then.search("Vellmark", 9, filters=Filters(article_ids=(MILL.id,)), mode="bm25")
    }
    assert ids == {MILL.id}


def test_snapshot_excludes_withdrawn_articles(archive: Archive) -> None:
    archive.withdraw([FERRY.id])
    assert all("sank" not in text for found in search_texts(archive, DAYS[0]) for text in found)
    assert archive.as_of(DAYS[0]).article(FERRY.id) is None
    archive.reinstate([FERRY.id])
    assert all("nine" in "".join(found) for found in search_texts(archive, DAYS[0]))
    archive.erase([FERRY.id])
    assert all("sank" not in text for found in search_texts(archive, DAYS[0]) for text in found)


def test_snapshot_reports_later_corrections(archive: Archive) -> None:
    add_articles(archive, CORRECTED)
    chatbot = Chatbot(archive)
    answer = chatbot.ask("How many sailors were on the ferry that sank?", as_of=DAYS[0])
    assert "nine sailors" in answer.text
    as_of, corrected, *_ = answer.notices
    assert as_of == Notice("archive_as_of", day="2024-10-01")
    assert corrected.code == "corrected_since"
    assert corrected["correction"] == "Twelve sailors were on board, not nine."
    (*_, streamed) = chatbot.as_of(DAYS[0]).stream("How many sailors were on the ferry that sank?")
    assert streamed.text == answer.text


def test_snapshot_is_searched_from_python_and_langchain(archive: Archive) -> None:
    hits = archive.search("the mill that burned", as_of=DAYS[0])
    assert hits[0].passage.article_id == MILL.id
    retriever = NewsRetriever(archive=archive.as_of(DAYS[0]))
    assert "mill" in retriever.invoke("the mill that burned")[0].page_content
    assert all(h.passage.article_id != MILL.id for h in archive.search("the mill that burned"))


def test_snapshot_similarity_matches_its_search(archive: Archive) -> None:
    then = archive.as_of(DAYS[0])
    found = then.bm25_candidates("nine sailors", 1)
    (cosine,) = then.similarities("nine sailors", found)
    assert cosine == pytest.approx(then.search("nine sailors", 1, mode="vector")[0].score)
    assert archive.load_hits(found) == {}


NOTICE = make_article(
    "notice",
    "The ferry had twelve sailors on board (https://paper.example/ferry). We regret it.",
    title="Corrections and clarifications",
)


def test_snapshot_distinguishes_corrections_before_and_after(
    archive: Archive,
) -> None:
    add_articles(
        archive, FERRY_LATER.replace(url="https://paper.example/ferry")
    )  # the sixth change
    add_articles(archive, NOTICE)
    date_changes(archive)
    before, after = archive.as_of(DAYS[3]), archive.as_of(DAYS[5])
    (then, *_) = before.search("ferry sailors sank", 1, mode="bm25")
    assert then.metadata.correction == ""
    assert "twelve sailors on board" in before.corrected_since([then.metadata])[FERRY.id]
    (since, *_) = after.search("ferry sailors sank", 1, mode="bm25")
    assert "twelve sailors on board" in since.metadata.correction
    assert after.corrected_since([since.metadata]) == {}
    add_articles(archive, replace(NOTICE, text=f"{NOTICE.text} Again."))
    assert "twelve sailors on board" in after.corrected_since([since.metadata])[FERRY.id]


def test_snapshot_applies_current_access_rights(archive: Archive) -> None:
    public = Filters(access=("everybody",))
    then = archive.as_of(DAYS[0])
    modes: tuple[SearchMode, ...] = ("vector", "bm25")
    for mode in modes:
        hits = then.search("Vellmark ferry mill", 9, mode=mode, filters=public)
        ids = {hit.passage.article_id for hit in hits}
        assert ids == {FERRY.id, MILL.id}
    add_articles(archive, FERRY_LATER.replace(access="subscribers"))
    for mode in modes:
        for rights, expected in (
            (("everybody",), {MILL.id}),
            (("Subscribers",), {FERRY.id, MILL.id}),
        ):
            reader = Filters(access=rights)
            hits = then.search("Vellmark ferry mill", 9, mode=mode, filters=reader)
            assert {hit.passage.article_id for hit in hits} == expected


def test_snapshot_scores_phrases_and_rare_words_like_the_index(archive: Archive) -> None:
    then = archive.as_of(DAYS[0])
    exact = phrase_hits(then, "Vellmark", 9, phrases=("nine sailors",))
    assert exact[0].passage.text.endswith("nine sailors.")
    assert exact[0].score > then.search("Vellmark", 9, mode="bm25")[0].score
    assert phrase_hits(then, "Vellmark", 9, phrases=("sailors nine",))[0].score < exact[0].score
    assert then.search("unheard-of", 9, mode="bm25") == []


def test_snapshot_caches_ended_passages(archive: Archive) -> None:
    archive.search("the mill that burned", as_of=DAYS[0])
    then = archive.as_of(DAYS[0])
    read = then._read_ended()
    assert archive.search("sailors on the ferry", as_of=DAYS[0])
    assert archive.as_of(DAYS[0]) is then
    assert then._read_ended() is read
    add_articles(archive, replace(LATE, text="Vellmark buried them. The town wept."))
    late = archive.as_of(DAYS[2]).search("sailors buried at sea", 9, mode="bm25")
    assert any("buried at sea" in hit.passage.text for hit in late)
    assert archive.as_of(DAYS[0]).search("buried", 9, mode="bm25") == []
