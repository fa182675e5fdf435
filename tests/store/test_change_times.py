"""Times of changes: never backwards, whatever the clock says, and repaired if they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems, repair_archive
from rag.schema import Article, Span
from tests.support.fakes import WordEmbeddings

DAY = datetime(2024, 11, 29, 12, tzinfo=UTC)
FERRY = Article(id="courier.example/ferry", title="Ferry sinks", text="The ferry sank at Tolm.")
LATER = replace(FERRY, text="The ferry sank off Tolm at night.")


def add_articles(archive: Archive, *articles: Article) -> None:
    for article in articles:
        archive.add([(article, [Span(0, len(article.text))])])


def date_changes(archive: Archive, *days: datetime) -> None:
    """Set the times of the last changes, in order."""
    connection = archive.store.database.connection
    newest = archive.version
    for i, at in enumerate(days):
        sequence = newest - len(days) + 1 + i
        connection.execute(
            "UPDATE changes SET at = ? WHERE sequence = ?", (at.isoformat(), sequence)
        )


def times(archive: Archive) -> list[str]:
    rows = archive.store.database.connection.execute("SELECT at FROM changes ORDER BY sequence")
    return [at[:10] for (at,) in rows]


def test_change_after_the_clock_is_set_back_is_not_earlier(tmp_path: Path) -> None:
    ahead = datetime.now(UTC) + timedelta(days=5)
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as archive:
        add_articles(archive, FERRY)
        date_changes(archive, ahead)  # the clock is set back by five days after it
        add_articles(archive, LATER)
        archive.withdraw(["courier.example/other"])
        first, second = archive.revisions(FERRY.id)
        assert (first.added, first.ended, second.added, second.ended) == (ahead, ahead, ahead, None)
        withdrawn = archive.withdrawals(["courier.example/other"])["courier.example/other"]
        assert withdrawn.at == ahead
        then = archive.as_of(ahead + timedelta(seconds=1))
        assert [hit.passage.text for hit in then.search("ferry", 5, mode="bm25")] == [LATER.text]
        assert archive.as_of(ahead).search("ferry", 5, mode="bm25") == []
        assert find_problems(archive) == ()


def days_from_start(*days: int) -> list[datetime]:
    return [DAY + timedelta(days=day) for day in days]


@pytest.mark.parametrize(
    ("dated", "repaired"),
    [
        (
            days_from_start(0, -5),
            ["2024-11-29", "2024-11-29"],
        ),  # set back: as a new change is stamped
        (days_from_start(-2, -1, -9, 0), ["2024-11-27", "2024-11-28", "2024-11-28", "2024-11-29"]),
        (
            days_from_start(-2, 900, -1, 0),
            ["2024-11-27", "2024-11-27", "2024-11-28", "2024-11-29"],
        ),  # ahead
        (days_from_start(900, -1, 0, 0), ["2024-11-28", "2024-11-28", "2024-11-29", "2024-11-29"]),
    ],
)
def test_doctor_repairs_times_that_go_backwards(
    tmp_path: Path, dated: list[datetime], repaired: list[str]
) -> None:
    versions = [replace(FERRY, text=f"The ferry sank, version {n}.") for n in range(len(dated))]
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as archive:
        add_articles(archive, *versions)
        date_changes(archive, *dated)
        found = [problem.description for problem in find_problems(archive)]
        assert found == [found[0]]
        assert "1 change dated out of order" in found[0]
        assert repair_archive(archive) == ()
        assert times(archive) == repaired
        came = [(one.added, one.ended) for one in archive.revisions(FERRY.id)]
        assert all(ended is None or begun <= ended for begun, ended in came)
        assert find_problems(archive) == ()


def test_doctor_repairs_an_invalid_time(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as archive:
        add_articles(archive, FERRY, LATER)
        archive.store.database.connection.execute(
            "UPDATE changes SET at = 'yesterday' WHERE sequence = 2"
        )
        assert repair_archive(archive) == ()
        assert times(archive)[0] == times(archive)[1]


def test_doctor_repairs_a_time_outside_utc_years(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as archive:
        add_articles(archive, FERRY, LATER)
        archive.store.database.connection.execute(
            "UPDATE changes SET at = '9999-12-31T23:59:59-12:00' WHERE sequence = 1"
        )
        assert repair_archive(archive) == ()
        assert times(archive)[0] == times(archive)[1]
