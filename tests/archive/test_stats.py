"""Coverage gaps: a publisher is silent for longer than usual."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rag.archive.archive import Archive
from rag.archive.stats import CoverageGap, daily_counts
from rag.schema import Article, Filters, Span
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


def test_daily_counts_are_by_publisher_and_day(tmp_path: Path) -> None:
    with archive_of(tmp_path, Daily=[0, 1, 3], Weekly=[1]) as archive:
        archive.add(Article(id="undated", title="Undated", text="No day.", publisher="Daily"))
        late = FIRST.replace(hour=23, minute=59)
        archive.add(Article("late", "Late", "News of the night.", "Daily", published=late))
        database = archive.store.database
        assert daily_counts(database) == {
            "Daily": {date(2024, 3, 1): 2, date(2024, 3, 2): 1, date(2024, 3, 4): 1},
            "Weekly": {date(2024, 3, 2): 1},
        }
        only = Filters(publishers=("Weekly",))
        assert daily_counts(database, only) == {"Weekly": {date(2024, 3, 2): 1}}
        archive.withdraw(["Weekly/1"])
        assert list(daily_counts(database)) == ["Daily"]


def test_daily_counts_of_times_before_1970(tmp_path: Path) -> None:
    with archive_of(tmp_path) as archive:
        moon = datetime(1969, 7, 20, 20, 17, tzinfo=UTC)
        eve = datetime(1969, 12, 31, 12, tzinfo=UTC)
        for moment in (moon, eve, eve + timedelta(hours=12)):
            name = moment.isoformat()
            archive.add(Article(name, name, f"News of {name}.", "Old Post", published=moment))
        days = daily_counts(archive.store.database)["Old Post"]
    assert days == {date(1969, 7, 20): 1, date(1969, 12, 31): 1, date(1970, 1, 1): 1}
