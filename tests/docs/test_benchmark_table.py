"""The table that `make bench` writes into docs/benchmarks.md."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.table import BEGIN, END, Row, describe_machine, replace_rows

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
SEARCH = Row("search of 10 passages", "4 ms", "3 to 6 ms", "text indexes 2.0")
INGEST = Row("ingest", "2.10", "2.00 to 2.30")


def test_rows_that_were_not_measured_keep_their_day_and_machine() -> None:
    page = f"# Speed\n\n{BEGIN}\n{END}\n\nMore.\n"
    page = replace_rows(page, [SEARCH, INGEST], "2026-01-02", "two cores")
    page = replace_rows(page, [Row("ingest", "2.50", "2.40 to 2.60")], "2026-02-03", "four cores")
    assert page.count("| search of 10 passages | 4 ms | 3 to 6 ms |") == 1
    assert "| ingest | 2.50 | 2.40 to 2.60 |  | 2026-02-03 |" in page
    assert "2.10" not in page
    assert "- 2026-01-02: two cores." in page
    assert "- 2026-02-03: four cores." in page
    assert page.startswith("# Speed\n\n")
    assert page.endswith(f"{END}\n\nMore.\n")


def test_a_machine_without_rows_is_left_out() -> None:
    page = replace_rows(f"{BEGIN}{END}", [INGEST], "2026-01-02", "two cores")
    page = replace_rows(page, [INGEST], "2026-02-03", "four cores")
    assert "two cores" not in page
    assert page == replace_rows(page, [INGEST], "2026-02-03", "four cores")


def test_the_page_has_a_place_for_the_table() -> None:
    page = PAGE.read_text("utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert "Python" in describe_machine()
