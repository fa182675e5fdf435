"""Date order: whether 03/04/2024 is in March or April, per file and locale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.readers import read
from ingest.readers.date_order import FileOrder, Order, country_of, date_order, region_of
from ingest.readers.date_order_detection import START_BYTES
from ingest.readers.html.reader import read_html
from rag.schema import Article
from tests.readers.test_html import BODY

TEXT = "The council of Velsund adopted its budget with two votes against it on Monday."


def read_days(path: Path) -> list[str]:
    found = [one for one in read(path) if isinstance(one, Article)]
    return [one.published.date().isoformat() if one.published else "" for one in found]


def write_lines(path: Path, *rows: dict[str, Any]) -> Path:
    records = [{"id": str(n), "title": "Budget", "text": TEXT, **row} for n, row in enumerate(rows)]
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    return path


@pytest.mark.parametrize(
    ("locale", "country", "order"),
    [
        ("en-GB", "", "day first"), ("en_AU", "us", "day first"), ("en-US", "gb", "month first"),
        ("en", "", "month first"), ("en", "gb", "day first"), ("", "", "month first"),
        ("fr", "", "day first"), ("th", "", "day first"), ("ja", "", "month first"),
        ("en", "us", "month first"),
    ],
)  # fmt: skip
def test_date_order_follows_region_country_language(
    locale: str, country: str, order: Order
) -> None:
    assert date_order(locale, country) == order


def test_region_and_country_come_from_locale_and_host() -> None:
    assert [region_of(x) for x in ("en-GB", "zh_Hant_TW", "fr", "eng")] == ["gb", "tw", "", ""]
    hosts = ("post.example.co.uk", "velsund.in", "velsund.io", "velsund.com")
    assert [country_of(x) for x in hosts] == ["gb", "in", "", ""]


def test_file_order_is_the_commoner_one_and_none_on_a_tie() -> None:
    shown = FileOrder.from_dates([("", "25/04/2024"), ("", "04/26/2024"), ("", "27/4/2024")])
    assert shown.for_locale("") == "day first"
    assert FileOrder.from_dates([("", "25/04/2024"), ("", "04/26/2024")]).for_locale("") is None


def test_table_has_one_order(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"A;{TEXT};03/04/2024", f"B;{TEXT};25/04/2024"]
    path.write_text("title;text;date\n" + "\n".join(rows), "utf-8")
    assert read_days(path) == ["2024-04-03", "2024-04-25"]
    path.write_text(path.read_text("utf-8").replace("25/04", "04/25"), "utf-8")
    assert read_days(path) == ["2024-03-04", "2024-04-25"]


def test_json_lines_have_one_order(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"date": "03/04/2024"}, {"date": "25/04/2024"})
    assert read_days(path) == ["2024-04-03", "2024-04-25"]


def test_json_array_has_one_order(tmp_path: Path) -> None:
    rows = [{"id": d, "title": "A", "text": TEXT, "date": d} for d in ("03/04/2024", "25/04/2024")]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows).replace("/", "\\/"), "utf-8")
    assert read_days(path) == ["2024-04-03", "2024-04-25"]


def test_locales_in_a_file_keep_their_own_order(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        {"date": "03/04/2024", "language": "en-US"},
        {"date": "25/04/2024", "language": "en-GB"},
        {"date": "03/04/2024", "language": "en-GB"},
        {"date": "03/04/2024"},
    )
    assert read_days(path) == ["2024-03-04", "2024-04-25", "2024-04-03", "2024-04-03"]


def test_file_order_wins_over_locale(tmp_path: Path) -> None:
    rows = [{"date": day, "language": "en-US"} for day in ("03/04/2024", "25/04/2024")]
    assert read_days(write_lines(tmp_path / "a.jsonl", *rows)) == ["2024-04-03", "2024-04-25"]


def test_publishers_country_decides_last(tmp_path: Path) -> None:
    rows = [{"date": "03/04/2024", "url": f"https://post.example.{end}/a"} for end in ("uk", "com")]
    assert read_days(write_lines(tmp_path / "a.jsonl", *rows)) == ["2024-04-03", "2024-03-04"]


def test_order_is_found_beyond_the_first_bytes(tmp_path: Path) -> None:
    rows = [{"date": "03/04/2024", "text": TEXT * 500} for _ in range(6)]
    path = write_lines(tmp_path / "a.jsonl", *rows, {"date": "25/04/2024"})
    assert 2**16 < path.stat().st_size < START_BYTES
    assert read_days(path) == ["2024-04-03"] * 6 + ["2024-04-25"]


def test_feed_has_one_order(tmp_path: Path) -> None:
    items = "".join(
        f"<item><title>Budget</title><link>https://velsund.example/{n}</link>"
        f"<description>{TEXT}</description><pubDate>{day}</pubDate></item>"
        for n, day in enumerate(("03/04/2024 10:00", "25/04/2024 10:00"))
    )
    path = tmp_path / "feed.xml"
    path.write_text(f"<rss version='2.0'><channel><title>V</title>{items}</channel></rss>", "utf-8")
    assert read_days(path) == ["2024-04-03", "2024-04-25"]


def test_parquet_has_one_order(tmp_path: Path) -> None:
    import pyarrow as arrow
    from pyarrow import parquet

    table = arrow.table(
        {"title": ["A", "B"], "text": [TEXT, TEXT + "!"], "date": ["03/04/2024", "25/04/2024"]}
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    assert read_days(tmp_path / "a.parquet") == ["2024-04-03", "2024-04-25"]


@pytest.mark.parametrize(
    ("label", "meta", "day"),
    [
        ("fr", "", "2023-11-01"), ("en", "", "2023-01-11"), ("en-GB", "", "2023-11-01"),
        ("en", '<meta property="og:locale" content="en_GB">', "2023-11-01"),
        ("", '<meta property="og:locale" content="fr_FR">', "2023-11-01"),
    ],
)  # fmt: skip
def test_page_is_dated_by_its_locale(label: str, meta: str, day: str) -> None:
    page = (
        f"<html lang='{label}'><head><title>Le quai</title>{meta}"
        f"<meta name='date' content='01/11/2023'></head><body><h1>Le quai</h1>{BODY}</body></html>"
    )
    found = read_html(page.encode(), place="a.html")
    assert isinstance(found, Article)
    assert found.published is not None
    assert found.published.date().isoformat() == day
