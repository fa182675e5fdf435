"""Decompression bombs and huge files: time and memory are bounded.

Each is read in a process of its own, which reports its peak memory.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.readers.field_map import FieldMap
from tests.support.pdf_writer import pdf

pytestmark = pytest.mark.slow

MB = 2**20
STORY = "The ferry line said that its first boat had sailed from Tarn after the strike."
_READ = """
import json, sys
from pathlib import Path
from ingest.readers import ReaderOptions, Reject, read
titles, reasons, many = [], [], 0
for found in read(Path(sys.argv[1]), reading=ReaderOptions(links=sys.argv[2])):
    many += 1
    if many < 100:
        said = reasons if isinstance(found, Reject) else titles
        said.append(found.reason if isinstance(found, Reject) else getattr(found, "title", "link"))
status = Path("/proc/self/status").read_text()  # not getrusage: it counts the parent's as well
peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
print(json.dumps([titles, reasons, many, peak]))
"""


@dataclass(frozen=True)
class ReadResult:
    """Result of reading a file: titles, reasons of rejects, number of both, peak memory in MB."""

    titles: list[str]
    reasons: list[str]
    count: int
    peak: int


def read_in_process(path: Path, links: str = "keep") -> ReadResult:
    command = [sys.executable, "-c", _READ, str(path), links]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return ReadResult(*json.loads(done.stdout))


def table_file(path: Path, columns: dict[str, object], **how: object) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), path, compression="zstd", **how)
    return path


def repeated_column(text: str, times: int) -> object:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([text]))


# Parquet


@pytest.mark.full
def test_parquet_with_huge_rows_is_bounded(tmp_path: Path) -> None:
    import pyarrow as pa

    huge = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 1, 1, 0], pa.int32()), pa.array([STORY, "a" * (100 * MB)])
    )
    path = table_file(
        tmp_path / "a.parquet", {"title": [f"Row {n}" for n in range(5)], "text": huge}
    )
    assert path.stat().st_size < 100_000
    found = read_in_process(path)
    assert found.titles == ["Row 0", "Row 4"]
    assert found.reasons == ["row larger than 16 MB: too large for one article"] * 3
    assert found.peak < 1000


@pytest.mark.full
def test_parquet_page_larger_than_any_article_is_not_unpacked(tmp_path: Path) -> None:
    path = table_file(tmp_path / "a.parquet", {"title": ["a"], "text": ["a" * (200 * MB)]})
    found = read_in_process(path)
    assert (found.titles, found.count) == ([], 1)
    assert "unpacks to more than 128 MB" in found.reasons[0]
    assert found.peak < 500


def test_parquet_list_repeating_one_value_is_bounded(tmp_path: Path) -> None:
    import pyarrow as pa

    parts = pa.ListArray.from_arrays(
        pa.array([0, 100_000, 100_001]), repeated_column("word " * 10_000, 100_001)
    )
    path = table_file(tmp_path / "a.parquet", {"title": ["Row 0", "Row 1"], "text": parts})
    found = read_in_process(path)
    assert found.titles == ["Row 1"]
    assert "larger than 16 MB" in found.reasons[0]
    assert found.peak < 1000


@pytest.mark.full
def test_parquet_with_shared_prefixes_is_bounded(tmp_path: Path) -> None:
    texts = ["b" * (17 * MB) + str(n) for n in range(10)]
    path = table_file(
        tmp_path / "a.parquet",
        {"title": [f"Row {n}" for n in range(11)], "text": [*texts, STORY]},
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY", "title": "PLAIN"},
    )
    found = read_in_process(path)
    assert found.titles == ["Row 10"]
    assert found.count == 11
    assert found.peak < 1000


@pytest.mark.full
def test_parquet_repeating_one_article_is_rejected(tmp_path: Path) -> None:
    path = table_file(
        tmp_path / "a.parquet",
        {
            "title": repeated_column("A title", 1_000),
            "text": repeated_column(" " * (8 * MB), 1_000),
        },
    )
    found = read_in_process(path)
    assert "rejected as a decompression bomb" in found.reasons[-1]
    assert found.count < 10


def test_parquet_of_empty_rows_is_rejected(tmp_path: Path) -> None:
    import pyarrow as pa

    path = table_file(tmp_path / "a.parquet", {"title": pa.nulls(3_000_000, pa.string())})
    found = read_in_process(path)
    assert found.count == 1
    assert "rows in" in found.reasons[0]


def test_parquet_with_nested_and_odd_columns_is_read(tmp_path: Path) -> None:
    import pyarrow as pa

    kinds = {
        "title": ["Row 0", "Row 1"],
        "text": [[STORY, STORY], [STORY]],
        "authors": [[{"name": "Ida Lund"}], None],
        "tags": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
        "vector": pa.array([[1.0, 2.0]] * 2, pa.list_(pa.float32(), 2)),
        "raw": pa.array([b"ab", b"cd"], pa.binary(2)),
        "large": pa.array(["a", "b"], pa.large_string()),
        "none": pa.nulls(2),
    }
    found = read_in_process(table_file(tmp_path / "a.parquet", kinds))
    assert (found.titles, found.reasons) == (["Row 0", "Row 1"], [])


# Compressed files


def test_nested_zip_is_bounded(tmp_path: Path) -> None:
    content = zlib_zip({f"{n}.txt": b"word " * (4 * MB) for n in range(6)})
    for level in range(3):
        content = zlib_zip({f"{level}.zip": content})
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    found = read_in_process(path)
    assert (found.titles, found.count) == ([], 4)
    assert "rejected as a decompression bomb" in found.reasons[-1]
    assert found.peak < 500


def zlib_zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def response(body: bytes, encoding: str, *, chunked: bool = False) -> bytes:
    """One WARC record of a page."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {encoding}\r\n"
    if chunked:
        head += "Transfer-Encoding: chunked\r\n"
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    block = head.encode() + b"\r\n" + body
    record = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://velsund.example/a\r\n"
        "WARC-Date: 2024-05-01T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return record.encode() + block + b"\r\n\r\n"


def deflate_blanks(size: int, wbits: int) -> bytes:
    pack = zlib.compressobj(1, wbits=wbits)
    return b"".join([*(pack.compress(b" " * MB) for _ in range(size // MB)), pack.flush()])


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_compressed_page_in_a_warc_is_bounded(tmp_path: Path, encoding: str, wbits: int) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(response(deflate_blanks(600 * MB, wbits), encoding, chunked=True))
    found = read_in_process(path)
    assert found.reasons == ["larger than 16 MB: too large for one page"]
    assert found.peak < 500


def test_brotli_page_in_a_warc_is_bounded(tmp_path: Path) -> None:
    brotli = pytest.importorskip("brotli")
    path = tmp_path / "a.warc"
    path.write_bytes(response(brotli.compress(b" " * (600 * MB), quality=5), "br"))
    found = read_in_process(path)
    assert found.reasons == ["larger than 16 MB: too large for one page"]
    assert found.peak < 500


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity"])
def test_compressed_page_in_a_warc_is_read(tmp_path: Path, encoding: str) -> None:
    brotli = pytest.importorskip("brotli")
    story = "".join(f"<p>{STORY} Number {n} came home with it.</p>" for n in range(5))
    page = (
        f"<html><title>Ferry sails</title><body><article>{story}</article></body></html>".encode()
    )
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
    path = tmp_path / "a.warc"
    path.write_bytes(response(pack.get(encoding, bytes)(page), encoding, chunked=True))
    assert read_in_process(path).titles == ["Ferry sails"]


# Texts


def test_table_with_one_giant_cell_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.write(f'title,text\nRow 0,"{STORY}"\nRow 1,"')
        for _ in range(300):
            file.write("words\n" * (MB // 6))
    found = read_in_process(path)
    assert found.titles == ["Row 0"]
    assert "larger than 16 MB" in found.reasons[0]
    assert found.peak < 700


BILLION = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "markup",
    [
        "<rss version='2.0'><channel><item><title>Ferry</title><description>&x9;</description>"
        "</item></channel></rss>",
        "<nitf><body><body.content><p>&x9;</p></body.content></body></nitf>",
        "<urlset><url><loc>&x9;</loc></url></urlset>",
        "<html><body><article><p>&x9;</p></article></body></html>",
    ],
)
def test_multiplying_entities_are_not_expanded(tmp_path: Path, markup: str) -> None:
    root = markup[1 : markup.index(">")].split()[0]
    path = tmp_path / "a.xml"
    path.write_text(f'<!DOCTYPE {root} [<!ENTITY x0 "lol">{BILLION}]>{markup}')
    found = read_in_process(path, "follow" if "urlset" in markup else "keep")
    assert found.count <= 2
    assert found.peak < 500


@pytest.mark.parametrize("opened", ["[", '{"a":', '[{"text":['])
def test_deeply_nested_json_is_one_reject(tmp_path: Path, opened: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(opened * (4 * MB // len(opened)))
    found = read_in_process(path)
    assert (found.titles, found.count) == ([], 1)
    assert found.peak < 500


@pytest.mark.parametrize("entry", ["<item/>", "<item><a>a</a></item>"])
def test_feed_of_a_million_entries_is_bounded(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f'<rss version="2.0"><channel>{entry * (8 * MB // len(entry))}</channel></rss>')
    found = read_in_process(path)
    assert found.count == 1
    assert "split it" in found.reasons[0]
    assert found.peak < 500


def test_sitemap_of_ten_million_elements_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<urlset>{'<url/>' * (20 * MB // 6)}</urlset>")
    found = read_in_process(path, "follow")
    assert found.count == 1
    assert "split it" in found.reasons[0]
    assert found.peak < 700


def test_page_of_five_million_elements_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(f"<html><body>{'<b>a' * (8 * MB // 4)}</body></html>")
    found = read_in_process(path)
    assert found.count == 1
    assert "elements" in found.reasons[0]
    assert found.peak < 500


def test_pdf_that_unpacks_to_gigabytes_is_one_reject(tmp_path: Path) -> None:
    whole = pdf([(50, 50, 24, "Ferry sails again after the strike of nine days")])
    packed = deflate_blanks(700 * MB, 15)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    start = whole.index(b"stream") - 1
    head = whole.rindex(b"<<", 0, start)
    end = whole.index(b"endstream") + len(b"endstream")
    path = tmp_path / "a.pdf"
    path.write_bytes(whole[:head] + stream + whole[end:])
    found = read_in_process(path)
    assert found.titles == []
    assert found.peak < 500


def test_huge_field_map_is_rejected() -> None:
    with pytest.raises(ValueError, match="longer than 500"):
        FieldMap.parse("title=" + "a." * 100_000)
