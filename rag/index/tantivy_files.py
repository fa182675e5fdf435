"""Integrity of Tantivy's files: missing files and checksums."""

from __future__ import annotations

import json
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from rag.store.file_permissions import private_opener

SEGMENT_FILES = ("fast", "fieldnorm", "idx", "pos", "store", "term")
CLOSED = "closed"  # file that names the last change of an index whose writer was closed
FOOTER_MAGIC = 1337  # the last four bytes of each Tantivy file, since version 0.12


def check_segment_files(folder: Path) -> None:
    """Check that every file of every segment exists; Tantivy notices only on use.

    If a writer has replaced the segments in the meantime, they are read again.

    Raises:
        ValueError: A file is missing.
    """
    meta, before = folder / "meta.json", b""
    while meta.exists() and (now := meta.read_bytes()) != before:
        ids = [segment["segment_id"].replace("-", "") for segment in json.loads(now)["segments"]]
        names = [f"{segment}.{suffix}" for segment in ids for suffix in SEGMENT_FILES]
        missing = [name for name in names if not (folder / name).exists()]
        if not missing:
            return
        before = now
    if before:
        raise ValueError(f"{missing[0]} is missing")


def is_file_in_use(file: Path) -> bool:
    """Return True if a file belongs to a committed segment, or to its current deletions."""
    segment, _, rest = file.name.partition(".")
    for one in json.loads((file.parent / "meta.json").read_bytes())["segments"]:
        if one["segment_id"].replace("-", "") == segment:
            deletes = one.get("deletes") or {}
            return not rest.endswith("del") or rest == f"{deletes.get('opstamp')}.del"
    return False


def has_valid_checksum(file: Path) -> bool:
    """Return True if a file matches its trailing checksum, or has none."""
    if "." not in file.name[1:] or file.suffix in (".json", ".lock"):
        return True
    data = file.read_bytes()
    length, magic = struct.unpack("<II", data[-8:]) if len(data) >= 8 else (0, 0)
    if magic != FOOTER_MAGIC or length + 8 > len(data):
        return False
    try:
        expected = json.loads(data[-8 - length : -8])["crc"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(zlib.crc32(memoryview(data)[: -8 - length]) == expected)


def is_closed(folder: Path, reached: int) -> bool:
    """Return True if the writer of an index was closed after it had written this change.

    Args:
        folder: The index's folder.
        reached: The last change in the index.
    """
    with suppress(OSError, UnicodeDecodeError):
        return (folder / CLOSED).read_text() == str(reached)
    return False


def mark_open(folder: Path) -> None:
    """Record that an index has a writer; a killed one may leave passages behind."""
    (folder / CLOSED).unlink(missing_ok=True)


def mark_closed(folder: Path, reached: int) -> None:
    """Record that the writer of an index was closed after this change; a full disk is ignored."""
    temporary = folder / f"{CLOSED}.new"
    with suppress(OSError):
        with open(temporary, "w", opener=private_opener) as file:
            file.write(str(reached))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / CLOSED)
