"""Invalid dates: rejected where they enter, harmless where they are stored."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.export_format import from_record
from ingest.fetch.client import Client
from ingest.readers import ReaderOptions
from ingest.runner import run_ingest
from rag.archive.archive import Archive
from rag.archive.doctor import find_problems, repair_archive
from rag.errors import ReadError
from rag.query.date_input import parse_date_input
from rag.query.parser import parse_question
from rag.schema import Article, Span
from rag.store.sqlite_database import SqliteDatabase
from rag.valid_dates import FIRST_DAY, LAST_DAY, clamp_day, is_valid_date, shift, validate_date
from tests.support.fakes import HARBOUR, WordEmbeddings, small_archive
from ui.cli import main

EDGES = [
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00+00:00",
    "9999-12-31T00:00:00+00:00",
    "1399-12-31T23:59:59+00:00",
    "3000-01-01T00:00:00+00:00",
]
DAYS = st.datetimes(
    datetime(1400, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
) | st.sampled_from([datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
TIMES = (
    "last year|next week|last month|yesterday|tomorrow|999 years ago|999 weeks ago|"
    "12 months ago today|"
    "the past 999 decades|in the last 999 fortnights|over the past few decades|this summer|"
    "last winter|in the spring|the first week of May|Q4|last quarter|May 0|the 0th of May|"
    "29 February|from 27 December to 28 February|between 29 February and 1 March|0001-01-01|"
    "9999-12-31|around 9999-12-31|since 31/12/2099|00/00/2000|early January|the '90s|last weekend|"
    "next Friday|Monday last week|New Year's Eve|week of 1 January|since last December"
).split("|")


@pytest.mark.parametrize("text", EDGES)
def test_datetimes_outside_the_years_are_invalid(text: str) -> None:
    moment = datetime.fromisoformat(text)
    assert not is_valid_date(moment)
    with pytest.raises(ValueError, match="outside the years 1400 to 2999"):
        validate_date(moment)


def test_datetimes_inside_the_years_are_valid() -> None:
    far_west, far_east = timezone(-timedelta(hours=23)), timezone(timedelta(hours=23))
    assert is_valid_date(datetime(1400, 1, 1, tzinfo=UTC))
    assert is_valid_date(datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert not is_valid_date(datetime(2999, 12, 31, 23, tzinfo=far_west))
    assert not is_valid_date(datetime(1400, 1, 1, tzinfo=far_east))
    naive = datetime(2024, 5, 1)  # noqa: DTZ001
    assert validate_date(naive) == datetime(2024, 5, 1, tzinfo=UTC)
    assert (clamp_day(date.min), clamp_day(date.max)) == (FIRST_DAY, LAST_DAY)
    assert shift(datetime(2024, 5, 1, tzinfo=UTC), timedelta(1)) == datetime(2024, 5, 2, tzinfo=UTC)
    assert is_valid_date(shift(datetime(2999, 12, 31, tzinfo=UTC), timedelta(9)))
    assert is_valid_date(shift(datetime.min.replace(tzinfo=UTC), -timedelta(9)))


@given(DAYS, st.sampled_from(TIMES), st.sampled_from(TIMES))
def test_parse_question_never_overflows(day: datetime, one: str, other: str) -> None:
    for question in (f"What will happen {one}?", f"What was reported from {one} to {other}?"):
        window = parse_question(question, asked_on=day).time_range
        for end in (window.start, window.end) if window else ():
            assert end is None or is_valid_date(end)


# Where dates enter


@pytest.mark.parametrize("published", EDGES)
def test_exported_line_with_invalid_date_is_added_without_it(
    tmp_path: Path, published: str
) -> None:
    line = {"backfile": 1, "id": "p", "title": "x", "text": "Poison text.", "published": published}
    assert from_record(line).published == datetime.fromisoformat(published)
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(line))
    with (
        Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive,
        Client() as client,
    ):
        report = run_ingest(archive, [path], client=client, reading=ReaderOptions())
        assert (report.new, report.rejected, report.notices) == (1, 0, 1)
        (article,) = archive.articles()
        assert (article.text, article.published) == ("Poison text.", None)
        assert run_ingest(archive, [path], client=client, reading=ReaderOptions()).unchanged == 1


def test_add_rejects_an_invalid_date(tmp_path: Path) -> None:
    article = Article("p", "x", "Poison text.", updated=datetime.fromisoformat(EDGES[0]))
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as archive:
        with pytest.raises(ReadError, match=r"updated 9999-12-31.*give another date, or none"):
            archive.add([(article, [Span(0, 12)])])
        assert archive.count().articles == 0


@pytest.mark.parametrize("option", ["--asked-on", "--as-of", "--after", "--before"])
@pytest.mark.parametrize("day", ["9999-12-31T23:59:59-12:00", "0001-01-01", "3000-01-01"])
def test_command_rejects_an_invalid_day_in_one_line(
    option: str, day: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["search", "storm", option, day])
    assert ended.value.code == 2
    assert "Traceback" not in (said := capsys.readouterr().err)
    assert "outside the years 1400 to 2999" in said.splitlines()[-1]


def test_days_ago_beyond_the_calendar_are_rejected() -> None:
    with pytest.raises(ValueError, match="date"):
        parse_date_input("999999 days ago")


@pytest.mark.parametrize(
    "asked_on", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_search_rejects_an_invalid_asked_on(tmp_path: Path, asked_on: datetime) -> None:
    with small_archive(tmp_path) as archive:
        with pytest.raises(ValueError, match="asked_on"):
            archive.search("What happened last year?", asked_on=asked_on)
        with pytest.raises(ValueError, match="as_of"):
            archive.as_of(asked_on)


@pytest.mark.parametrize("year", [1400, 2999])
def test_search_works_on_the_first_and_last_day(tmp_path: Path, year: int) -> None:
    asked_on = datetime(year, 1 if year == 1400 else 12, 1 if year == 1400 else 31, tzinfo=UTC)
    with small_archive(tmp_path) as archive:
        for times in ("last year", "next week", "yesterday", ""):
            archive.search(f"What happened to the harbour bridge {times}?", asked_on=asked_on)
        archive.as_of(asked_on).search("harbour bridge last year")


# Where they are stored


def store_invalid_date(folder: Path) -> None:
    """Store an invalid date in one article, as a version without the check did."""
    small_archive(folder).close()
    database = SqliteDatabase(folder, writable=True)
    database.connection.execute(
        "UPDATE revisions SET published = ?, published_at = ? WHERE article_id = ?",
        (EDGES[0], 253402343999, HARBOUR.id),
    )
    database.close()


def test_archive_with_an_invalid_date_can_be_read(tmp_path: Path) -> None:
    store_invalid_date(tmp_path)
    with Archive.open(tmp_path, embeddings=WordEmbeddings()) as archive:
        assert archive.article(HARBOUR.id).published is None  # type: ignore[union-attr]
        assert archive.status().articles == 4
        assert archive.status().last == datetime(2024, 10, 24, tzinfo=UTC)
        assert archive.search("harbour bridge closed")
        assert len(list(archive.articles())) == 4


def test_doctor_finds_and_removes_invalid_dates(tmp_path: Path) -> None:
    store_invalid_date(tmp_path)
    with Archive.open(tmp_path, embeddings=WordEmbeddings()) as archive:
        found = find_problems(archive)
    assert [(p.description, p.fix, p.count) for p in found] == [
        (f"1 revision with an impossible date (the first: {HARBOUR.id})", "undate", 1)
    ]
    assert "doctor --repair" in str(found[0])
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as archive:
        assert repair_archive(archive) == ()
    with Archive.open(tmp_path, embeddings=WordEmbeddings()) as archive:
        assert find_problems(archive) == ()
        assert archive.article(HARBOUR.id).published is None  # type: ignore[union-attr]
        assert archive.search("harbour bridge closed")[0].metadata.article_id == HARBOUR.id
