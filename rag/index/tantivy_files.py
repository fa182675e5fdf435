"""Tantivy's files, looked at from outside: whether all are there, and whether they are whole."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

SEGMENT_FILES = ("fast", "fieldnorm", "idx", "pos", "store", "term")
FOOTER_MAGIC = 1337  # the last four bytes of each of Tantivy's files, in every version since 0.12


def refuse_missing_files(folder: Path) -> None:
    """Raise ValueError where a segment lacks a file; Tantivy finds out when it needs it.

    A writer may have replaced the segments meanwhile: then they are looked up again.
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


def files_in_use(file: Path) -> bool:
    """Say whether a file is of a segment that was committed, deletions by their commit's number."""
    segment, _, rest = file.name.partition(".")
    for one in json.loads((file.parent / "meta.json").read_bytes())["segments"]:
        if one["segment_id"].replace("-", "") == segment:
            deletes = one.get("deletes") or {}
            return not rest.endswith("del") or rest == f"{deletes.get('opstamp')}.del"
    return False


def are_segments_intact(file: Path) -> bool:
    """Say whether a file ends in the checksum of what is before it; those without one pass."""
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
