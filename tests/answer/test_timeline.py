"""Timelines: dated statements in order; and the histogram of matching articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.timeline import build_timeline
from rag.archive.archive import Archive
from rag.retrieval.histogram import MOST_BARS, bucket_start, date_histogram, next_bucket_start
from rag.schema import Article, ArticleMetadata, Filters, Notice, PassageCandidate
from tests.support.fakes import small_archive
from ui.i18n import answer_text, texts_in

FIRST = datetime(2024, 10, 21, tzinfo=UTC)
STORM = "The storm closed the harbour bridge, and the town council met on it."


def article(number: int, text: str) -> Article:
    return Article(
        id=f"paper.example/{number}",
        title=f"Harbour bridge, part {number}",
        text=text,
        publisher="Paper",
        published=FIRST + timedelta(days=number),
    )


ARTICLES = [
    article(3, "Engineers said that the harbour bridge will open again within six weeks."),
    article(0, STORM),
    article(1, "Divers found that two piers of the harbour bridge were damaged by a barge."),
    article(2, STORM).replace(id="copy.example/1"),
    article(4, "The harbour bridge was painted long ago.").replace(published=None),
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("timeline") / "archive", ARTICLES) as opened:
        yield opened


def test_timeline_is_in_date_order_with_dates(archive: Archive) -> None:
    answer = build_timeline(archive, "What happened to the harbour bridge?")
    assert not answer.refused
    days = [statement.citations[0].metadata.published for statement in answer.statements]
    assert days == sorted(days)
    assert len(days) == 3
    assert answer.statements[0].label == Notice("reported", day="2024-10-21")
    assert answer.text.startswith("[2024-10-21:] ")
    assert answer_text(answer, texts_in("en")).startswith("[reported 21 October 2024:] ")
    for statement, day in zip(answer.statements, days, strict=True):
        assert day is not None
        assert statement.label == Notice("reported", day=day)
    assert [s.citations[0].number for s in answer.statements] == [1, 2, 3]


def test_timeline_is_verbatim_without_repeats(archive: Archive) -> None:
    answer = build_timeline(archive, "What happened to the harbour bridge?")
    for citation in answer.citations:
        found = archive.article(citation.passage.article_id)
        assert found is not None
        assert found.text[citation.start : citation.end] == citation.quote
    quotes = [citation.quote for citation in answer.citations]
    assert len(set(quotes)) == len(quotes)


def test_timeline_without_matches_is_a_refusal(archive: Archive) -> None:
    answer = build_timeline(archive, "Who won the chess olympiad in Budapest?")
    assert answer.refused
    assert not answer.statements


def test_timeline_leaves_out_retracted_statements(tmp_path: Path) -> None:
    wrong = article(
        5,
        "Nine piers of the harbour bridge were damaged. Divers mended the two damaged piers of it.",
    ).replace(
        correction="Two piers were damaged, not nine.",
    )
    with small_archive(tmp_path / "archive", [*ARTICLES, wrong]) as archive:
        answer = build_timeline(archive, "What happened to the harbour bridge?")
    assert wrong.id in {citation.metadata.article_id for citation in answer.citations}
    assert "Nine" not in answer.text
    (notice,) = answer.notices
    assert "not nine" in str(notice["correction"])


def test_histogram_counts_articles_and_cited_articles_by_day(archive: Archive) -> None:
    found = date_histogram(archive, "harbour bridge", cited=["paper.example/1"])
    assert found.step == "day"
    assert [bar.start.day for bar in found.bars] == [21, 22, 23, 24]
    assert [bar.cited for bar in found.bars] == [0, 1, 0, 0]
    assert all(bar.articles == 1 for bar in found.bars)


def test_histogram_of_no_matches_is_empty(archive: Archive) -> None:
    assert date_histogram(archive, "xylophone").bars == ()


class Dated:
    """Articles of the days given, all of which speak of everything."""

    def __init__(self, days: list[datetime]) -> None:
        self.days = days

    def bm25_candidates(
        self, query: str, k: int, *, filters: Filters = Filters()
    ) -> list[PassageCandidate]:
        days = enumerate(self.days)
        heads = [(n, ArticleMetadata(str(n), "", published=day)) for n, day in days]
        return [PassageCandidate(n, 0, head, 1.0) for n, head in heads]


SINCE, UNTIL = datetime(1990, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001  (as hypothesis asks)
moments = st.datetimes(SINCE, UNTIL, timezones=st.just(UTC))


@given(st.lists(moments, min_size=1, max_size=20))
def test_histogram_bars_are_contiguous_and_complete(days: list[datetime]) -> None:
    found = date_histogram(Dated(days), "anything")
    assert sum(bar.articles for bar in found.bars) == len(days)
    for bar, following in zip(found.bars, found.bars[1:], strict=False):
        assert next_bucket_start(bar.start, found.step) == following.start
    assert all(bucket_start(bar.start, found.step) == bar.start for bar in found.bars)
    assert found.step == "month" or len(found.bars) <= MOST_BARS + 1
