"""Compressed files: read like plain ones; bombs and damage are rejected."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import Reject, compression, read
from rag.schema import Article
from tests.support.example_counts import example_count

TEXT = "A crane fell on the pier of Velsund on Tuesday. Nobody was hurt."
LINE = json.dumps({"id": "crane", "title": "Crane falls", "text": TEXT}).encode()
STREAMS: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    bz2.compress,
    lzma.compress,
    lambda content: zstandard.ZstdCompressor().compress(content),
]


def zip_members(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def tar_members(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return out.getvalue()


def read_content(path: Path, content: bytes) -> list[Article | Reject]:
    path.write_bytes(content)
    return list(read(path))


def read_rejects(path: Path, content: bytes) -> list[Reject]:
    return [found for found in read_content(path, content) if isinstance(found, Reject)]


@pytest.mark.parametrize("pack", STREAMS)
def test_compressed_stream_is_read_whatever_its_name(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    (found,) = read_content(tmp_path / "articles", pack(LINE))
    assert isinstance(found, Article)
    assert found.title == "Crane falls"
    # several streams one behind the other are one file
    assert len(read_content(tmp_path / "articles", pack(LINE + b"\n") + pack(LINE))) == 2


@pytest.mark.parametrize("pack", STREAMS)
def test_truncated_stream_gives_its_start_and_a_reject(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    whole = pack(LINE)
    found = read_content(tmp_path / "articles", whole[: len(whole) - 6])
    assert isinstance(found[-1], Reject)


@pytest.mark.parametrize("pack", [zip_members, tar_members])
def test_members_are_read_and_named_without_writing_files(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    path = tmp_path / "all"
    members = {
        "../../escaped.jsonl": LINE,
        "b/more.json.gz": gzip.compress(LINE),
        "broken.jsonl": b'{"text": ',
        "style.css": b"p { color: red }",
        ".hidden.jsonl": LINE,
    }
    found = read_content(path, pack(members))
    assert sum(isinstance(one, Article) for one in found) == 2
    (reject,) = [one for one in found if isinstance(one, Reject)]
    assert reject.place == f"{path}!broken.jsonl:1"
    assert [file.name for file in tmp_path.rglob("*")] == ["all"]
    assert not (tmp_path.parent.parent / "escaped.jsonl").exists()


def test_nested_archives_are_read_to_a_limit(tmp_path: Path) -> None:
    content = LINE
    for level in range(compression.NESTING):
        content = zip_members({f"{level}.zip": content})
    (found,) = read_content(tmp_path / "nested", content)
    assert isinstance(found, Article)
    (reject,) = read_rejects(tmp_path / "nested", zip_members({"last.zip": content}))
    assert "nested in more than" in reject.reason
    (found,) = read_content(
        tmp_path / "a.tar.gz", gzip.compress(tar_members({"a.zip": zip_members({"a": LINE})}))
    )
    assert isinstance(found, Article)


@pytest.mark.parametrize("pack", [*STREAMS, lambda content: zip_members({"a.txt": content})])
@pytest.mark.slow
def test_decompression_bomb_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(compression, "RATIO_FROM", 2**20)
    found = read_content(tmp_path / "bomb", pack(b'{"text": 1}\n' + b"\n" * 2**24))
    assert isinstance(found[-1], Reject)
    assert "bomb" in found[-1].reason


def test_too_many_files_or_bytes_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "MEMBERS", 3)
    found = read_content(tmp_path / "many.zip", zip_members({str(i): LINE for i in range(5)}))
    assert [type(one) for one in found] == [Article] * 3 + [Reject]
    monkeypatch.setattr(compression, "UNPACKED_BYTES", 20)
    (found_one,) = read_content(tmp_path / "large.zip", zip_members({"a": LINE}))
    assert isinstance(found_one, Reject)


def test_encrypted_or_damaged_member_is_one_reject(tmp_path: Path) -> None:
    content = bytearray(zip_members({"a.jsonl": LINE, "b.jsonl": LINE}))
    locked = bytes(content).replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01", 1
    )
    assert locked != bytes(content)
    found = read_content(tmp_path / "locked.zip", locked)
    assert {type(one) for one in found} == {Article, Reject}
    content[45] ^= 0xFF
    found = read_content(tmp_path / "damaged.zip", bytes(content))
    assert {type(one) for one in found} == {Article, Reject}


def test_tar_with_huge_header_is_rejected(tmp_path: Path) -> None:
    head = tarfile.TarInfo("remarks")
    head.type, head.size = tarfile.XHDTYPE, 50 * 2**20
    (reject,) = read_rejects(tmp_path / "a.tar", head.tobuf(tarfile.USTAR_FORMAT) + bytes(10_000))
    assert "extended header has 52,428,800 bytes" in reject.reason


def test_office_document_or_empty_archive_is_named(tmp_path: Path) -> None:
    (found,) = read_rejects(tmp_path / "a", zip_members({"[Content_Types].xml": b"<x/>"}))
    assert "office document" in found.reason
    (found,) = read_rejects(tmp_path / "a", zip_members({}))
    assert "no file in this archive" in found.reason


@settings(max_examples=example_count(150))
@given(st.data())
@pytest.mark.slow
def test_damaged_archive_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    members = {"a.jsonl": LINE, "b.txt": b"Crane falls\n\n" + TEXT.encode()}
    whole = data.draw(
        st.sampled_from(
            [zip_members(members), tar_members(members)[:4096], *(pack(LINE) for pack in STREAMS)]
        )
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    for content in (damaged, damaged[:cut]):
        assert all(isinstance(one, Article | Reject) for one in read_content(path, bytes(content)))
