"""Coverage gaps: a publisher is silent for longer than usual."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rag.archive.archive import Archive
from rag.archive.stats import CoverageGap
from rag.schema import Article, Span
from tests.support.fakes import WordEmbeddings
from ui import render
from ui.cli import format as terminal

FIRST = datetime(2024, 3, 1, 9, tzinfo=UTC)


def archive_of(folder: Path, **days: Iterable[int]) -> Archive:
    """An archive in which each publisher has an article on each of its days."""
    archive = Archive.open(folder, mode="write", embeddings=WordEmbeddings())
    archive.add(
        (
            Article(
                id=f"{name}/{day}",
                title=f"Day {day}",
                text=f"News of day {day}.",
                publisher=name,
                published=FIRST + timedelta(days=day),
            ),
            [Span(0, 5)],
        )
        for name, of_it in days.items()
        for day in of_it
    )
    return archive


def test_coverage_gap_of_a_daily_that_misses_a_week(tmp_path: Path) -> None:
    days = [day for day in range(40) if not 20 <= day < 27]
    with archive_of(tmp_path, Daily=days) as archive:
        (gap,) = archive.status().gaps
        assert gap == CoverageGap("Daily", date(2024, 3, 21), date(2024, 3, 27), usual=1)
        assert gap.days == 7
        assert "no articles from 21 to 27 March 2024" in terminal.status_text(archive.status())
        value = render.status_value(archive.status())
        assert value["gaps"][0]["days"] == 7


def test_coverage_gap_ignores_weekends_and_weekly_issues(tmp_path: Path) -> None:
    workdays = [day for day in range(60) if day % 7 < 5]
    with archive_of(tmp_path, Weekly=range(0, 63, 7), Workdays=workdays) as archive:
        assert archive.status().gaps == ()


def test_coverage_gap_names_publisher_that_stopped(tmp_path: Path) -> None:
    with archive_of(tmp_path, Stopped=range(20), Daily=range(40)) as archive:
        (gap,) = archive.status().gaps
        assert (gap.publisher, gap.goes_on, gap.days) == ("Stopped", True, 20)


def test_coverage_gap_needs_enough_articles(tmp_path: Path) -> None:
    with archive_of(tmp_path, Rare=[0, 1, 2, 90], Daily=range(91)) as archive:
        assert archive.status().gaps == ()
