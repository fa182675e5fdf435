"""Time filters: those that a careful reader finds in a question."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.query.time_filter import find_time_filter

TABLES = Path(__file__).parents[1] / "quality"
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001
EXACT_AT_LEAST = 0.97  # a floor: lower it only on purpose, in a commit of its own


def read_rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (TABLES / name).read_text("utf-8").splitlines()]


def find_range(row: dict) -> dict | None:
    asked_on = datetime.fromisoformat(row["asked_on"]).replace(hour=15, tzinfo=UTC)
    window = find_time_filter(row["question"], asked_on)
    if window is None:
        return None
    start, end = window.time_range.start, window.time_range.end
    return {
        "start": start and start.date().isoformat(),
        "end": end and end.date().isoformat(),
        "hard": window.time_range.hard,
    }


@pytest.mark.parametrize("table", ["windows.jsonl", "windows_held_out.jsonl"])
def test_time_filter_matches_the_labelled_questions(table):
    wrong = [
        row | {"found": find_range(row)}
        for row in read_rows(table)
        if find_range(row) != row["window"]
    ]
    assert 1 - len(wrong) / len(read_rows(table)) >= EXACT_AT_LEAST, wrong


@pytest.mark.parametrize("table", ["windows.jsonl", "windows_held_out.jsonl"])
def test_date_in_a_name_is_never_a_time_filter(table):
    assert not [row for row in read_rows(table) if row["window"] is None and find_range(row)]


@given(st.text(max_size=80), st.datetimes(EARLIEST, LATEST))
def test_time_filter_is_valid_for_any_text(text, asked_on):
    window = find_time_filter(text, asked_on.replace(tzinfo=UTC))
    if window is not None and window.time_range.start and window.time_range.end:
        assert window.time_range.start < window.time_range.end


@pytest.mark.parametrize("year", [2022, 2024, 2026])
@pytest.mark.parametrize(
    ("question", "first", "end"),
    [
        ("What burned between July 29 and August 1, 2021?", "2021-07-29", "2021-08-02"),
        ("What sank from Oct 30 to Nov 2, 2021?", "2021-10-30", "2021-11-03"),
        ("What sank between December 30 and January 2, 2021?", "2020-12-30", "2021-01-03"),
        ("What sank from 30 October 2020 to 2 February?", "2020-10-30", "2021-02-03"),
        ("Who won, July 29 to August 1, 2021?", "2021-07-29", "2021-08-02"),
    ],
)
def test_range_with_one_year_lies_in_it(year: int, question: str, first: str, end: str) -> None:
    found = find_time_filter(question, datetime(year, 9, 1, tzinfo=UTC))
    assert found is not None
    assert found.time_range.start is not None
    assert found.time_range.end is not None
    assert found.time_range.start.date().isoformat() == first
    assert found.time_range.end.date().isoformat() == end
