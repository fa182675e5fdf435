"""Tables: each row is an article, with any separator; a broken row is one reject."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import ReaderOptions, Reject, read
from ingest.readers.field_map import FieldMap
from rag.schema import Article
from tests.support.example_counts import example_count

TEXT = 'A crane fell, on the pier of Velsund.\n\n“Nobody was "hurt",” Ida Lund said; two were.'
DAY = datetime(2024, 10, 24, tzinfo=UTC)
HEADER = ["Headline", "article_text", "source.name", "pub_date", "authors", "link"]
ROW = [
    *("Crane falls", TEXT, "Velsund Post", "2024-10-24", "['Ida Lund', 'Ola Str']"),
    "https://velsundpost.example/crane",
]


def make_csv(*rows: list[str], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([HEADER, *rows])
    return out.getvalue()


def read_table(folder: Path, content: str | bytes, field_map: str = "") -> list[Article | Reject]:
    path = folder / "export"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(path, reading=ReaderOptions(FieldMap.parse(field_map)) if field_map else None))


def read_one(folder: Path, content: str | bytes, field_map: str = "") -> Article:
    (article,) = read_table(folder, content, field_map)
    assert isinstance(article, Article), article
    return article


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_row_is_an_article_with_any_separator(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    long = [*ROW[:1], TEXT + " Über die Brücke führt, so heißt es dort, kein Weg zurück." * 20]
    article = read_one(tmp_path, make_csv(long + ROW[2:], delimiter=delimiter).encode(encoding))
    assert article.title == "Crane falls"
    assert article.text.startswith(TEXT)
    assert (article.publisher, article.published) == ("Velsund Post", DAY)
    assert article.authors == ("Ida Lund", "Ola Str")
    assert article.id == "velsundpost.example/crane"


def test_separator_line_of_excel_is_skipped(tmp_path: Path) -> None:
    assert read_one(tmp_path, "sep=;\r\n" + make_csv(ROW, delimiter=";")).title == "Crane falls"


def test_compressed_table_is_unpacked(tmp_path: Path) -> None:
    assert read_one(tmp_path, gzip.compress(make_csv(ROW).encode())).title == "Crane falls"


def test_columns_of_any_name_can_be_mapped(tmp_path: Path) -> None:
    content = "a,b.c,d\nCrane falls,A crane fell. Nobody was hurt.,24 October 2024\n"
    article = read_one(tmp_path, content, "title=a,text=b.c,published=d")
    assert (article.title, article.published) == ("Crane falls", DAY)


def test_broken_row_is_a_reject_with_its_line(tmp_path: Path) -> None:
    good, bad = make_csv(ROW), make_csv(["too", "few"]).split("\r\n", 1)[1]
    content = good.encode() + bad.encode() + b"x,\xff\xfe text,,,,\r\n" + b",,,,,\r\n"
    content += b"Ferry sails,A ferry sailed on Monday.,,,,\r\n"
    one, two, three, four = read_table(tmp_path, content)
    assert isinstance(one, Article)
    assert isinstance(four, Article)
    assert isinstance(two, Reject)
    assert isinstance(three, Reject)
    assert two.place.endswith(":5")  # the first article's cell has three lines
    assert two.reason.startswith("2 cells under 6 columns")
    assert three.reason == "invalid UTF-8 in the row"


def test_cell_larger_than_csv_module_limit_is_read(tmp_path: Path) -> None:
    long = "A crane fell on the pier of Velsund. " * 8000
    article = read_one(tmp_path, make_csv(["Crane falls", long, "", "", "", ""]))
    assert len(article.text) > 290_000


def test_unclosed_quotation_mark_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.readers.tabular.ARTICLE_BYTES", 2**16)
    content = make_csv(ROW) + 'Crane falls,"A crane fell\n' + "and fell\n" * 20_000
    article, reject = read_table(tmp_path, content)
    assert isinstance(article, Article)
    assert isinstance(reject, Reject)
    assert "quotation mark" in reject.reason


@pytest.mark.parametrize(
    "story",
    [
        "Crane, ferry and bridge\n\nA crane fell, and a ferry sank. Nobody was hurt.",
        "Title: Crane falls\nDate: 2024-10-24\n\nA crane fell, they said. Nobody was hurt.",
        "Date, title and text\n\nThe three words, he said, are all that is left of the paper.",
    ],
)
def test_story_with_commas_is_not_a_table(tmp_path: Path, story: str) -> None:
    assert "rane" in read_one(tmp_path, story).text or "words" in read_one(tmp_path, story).text


@settings(max_examples=example_count(60))
@given(st.binary(max_size=200))
def test_any_table_raises_nothing(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for value in read_table(folder, b"title,text,date\na,b,c\n" + content):
        assert isinstance(value, Article | Reject)


# Parquet


def make_parquet(folder: Path, rows: list[dict[str, object]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "table")
    return (folder / "table").read_bytes()


def test_parquet_row_is_an_article(tmp_path: Path) -> None:
    row = {"title": "Crane falls", "text": TEXT, "authors": ["Ida Lund"], "date": DAY,
           "source": {"name": "Velsund Post"}, "n": float("nan")}  # fmt: skip
    article = read_one(tmp_path, make_parquet(tmp_path, [row]))
    assert (article.title, article.text, article.published) == ("Crane falls", TEXT, DAY)
    assert type(article.published) is datetime
    assert (article.authors, article.publisher) == (("Ida Lund",), "Velsund Post")
    article = read_one(tmp_path, gzip.compress(make_parquet(tmp_path, [row])), "title=source.name")
    assert article.title == "Velsund Post"


def test_parquet_row_without_text_is_a_reject_with_its_number(tmp_path: Path) -> None:
    content = make_parquet(tmp_path, [{"text": TEXT, "n": 1}, {"text": None, "n": 2}])
    article, reject = read_table(tmp_path, content)
    assert isinstance(article, Article)
    assert isinstance(reject, Reject)
    assert reject.place.endswith(":2")


@settings(max_examples=example_count(60))
@given(st.data())
def test_damaged_parquet_is_a_reject(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(make_parquet(folder, [{"title": "Crane falls", "text": TEXT}] * 3))
    for at in data.draw(st.lists(st.integers(4, len(content) - 1), max_size=4)):
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    del content[data.draw(st.integers(4, len(content))) :]
    assert all(isinstance(value, Article | Reject) for value in read_table(folder, bytes(content)))
