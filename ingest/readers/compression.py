"""Read gz, bz2, xz and zst streams, zip and tar as if unpacked, with limits against bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ingest.readers import Read, Reject, may_hold_articles
from ingest.readers.error_guard import unexpected_failure
from ingest.readers.file_names import printable_name
from ingest.readers.side_files import side_members
from rag.errors import ReadError

# Limits of one file including everything nested in it. A year of pages has some GB; text
# compresses to a tenth, a repeated page to a fortieth, a bomb to a thousandth.
UNPACKED_BYTES = 64 * 2**30
RATIO = 100
RATIO_FROM = 64 * 2**20  # bytes; below, the ratio isn't checked
MEMBERS = 500_000
NESTING = 6  # a tar.gz counts as two
NESTED_BYTES = 4 * 2**30  # of a nested zip, which is copied because it is read from its end
_EXTENDED_HEADER_BYTES = 2**20  # bytes of a tar member's extended header; a path has 4 kB
_EXTENDED_HEADER_TYPES = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_DIRECTORY_BYTES = 128 * 2**20  # of a zip's central directory, which is read whole
_NAME_IN_UTF8 = 0x800  # flag of a member
_CHUNK = 2**16
_WINDOW = 2**27  # bytes of memory for zstd, more than its default
_XZ_MEMORY = 256 * 2**20
_WITH_DICTIONARY = b"\x5d\x2a\x4d\x18"  # zst web archives begin with their dictionary
# Zips that are documents: a member that identifies them, the name, and the fix.
_SAVE_AS = "save it as PDF, HTML or plain text"
_OTHER_ZIPS = (
    ("word/", "an office document (Word)", _SAVE_AS),
    ("xl/", "an office document (a table, Excel)", "save it as CSV"),
    ("ppt/", "an office document (slides)", _SAVE_AS),
    ("META-INF/container.xml", "a book (EPUB)", _SAVE_AS),
    ("content.xml", "an office document (OpenDocument)", _SAVE_AS),
    ("META-INF/MANIFEST.MF", "a program (Java)", "it contains no articles"),
    ("AndroidManifest.xml", "a program (Android)", "it contains no articles"),
)
_DOCUMENT_MARKERS = frozenset({"[Content_Types].xml", "META-INF/MANIFEST.MF", "mimetype"})

DAMAGE_ERRORS = (
    *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
    *(struct.error, ValueError, NotImplementedError, RecursionError, OverflowError, MemoryError),
)
ReadMember = Callable[["io.BufferedReader[Any]", str], Read]


class BombError(ReadError):
    """A packed file unpacks to more than any archive of articles would."""


@dataclass(slots=True)
class UnpackLimit:
    """Unpack allowance of a file of `packed` bytes, shared with everything nested in it."""

    packed: int
    unpacked: int = 0
    members: int = 0

    def count_bytes(self, size: int) -> None:
        """Count unpacked bytes.

        Raises:
            BombError: The file unpacks to too much.
        """
        self.unpacked += size
        if self.unpacked > max(RATIO_FROM, RATIO * self.packed):
            raise BombError(
                f"unpacks to more than {RATIO} times its size: rejected as a decompression bomb"
            )
        if self.unpacked > UNPACKED_BYTES:
            raise BombError(f"unpacks to more than {UNPACKED_BYTES // 2**30} GB: unpack it first")

    def count_member(self) -> None:
        """Count a member.

        Raises:
            BombError: There are too many members.
        """
        self.members += 1
        if self.members > MEMBERS:
            raise BombError(f"contains more than {MEMBERS:,} files: unpack it first")


class _Unpacked(io.RawIOBase):
    """A counted stream over `read`; an error is raised after the bytes before it were returned."""

    def __init__(self, read: Callable[[int], bytes], allowance: UnpackLimit) -> None:
        self._read, self._allowance = read, allowance
        self._error: BaseException | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._error:
            raise self._error
        size = 0
        while size < len(buffer):
            try:
                piece = self._read(len(buffer) - size)
                self._allowance.count_bytes(len(piece))
            except (*DAMAGE_ERRORS, BombError, RuntimeError) as error:
                self._error = error
                if size and not isinstance(error, BombError):
                    break
                raise
            if not piece:
                break
            buffer[size : size + len(piece)] = piece
            size += len(piece)
        return size


def decompress(
    file: io.BufferedReader[Any], start: bytes, allowance: UnpackLimit
) -> io.BufferedReader[Any]:
    """Return the decompressed stream of a file whose `start` is one of `PACKED_MAGIC`."""
    opened = next(opened for magic, opened in _STREAMS if start.startswith(magic))
    return io.BufferedReader(_Unpacked(opened(file), allowance), _CHUNK)


def is_tar(start: bytes) -> bool:
    """Return whether a file begins with a tar header, whose checksum is verified."""
    try:
        tarfile.TarInfo.frombuf(start[:512], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def read_zip(
    file: io.BufferedReader[Any], place: str, *, allowance: UnpackLimit, read_member: ReadMember
) -> Read:
    """Yield the contents of the members of a zip, sorted by name.

    Args:
        file: The zip.
        place: Its place; members are at `place!name`.
        allowance: The unpack limit.
        read_member: Reads one member.
    """
    with tempfile.SpooledTemporaryFile(max_size=2**24) as copy:
        whole: Any = file
        if not file.seekable():
            whole = copy
            _copy(file, copy)
        _check_directory(whole)
        with _open_zip(whole, copy) as opened:
            members = sorted(opened.infolist(), key=lambda member: member.filename)
            if other := _other_zip(opened):
                yield Reject(place, other)
                return
            beside = side_members(opened.NameToInfo)
            members = [member for member in members if member.filename not in beside]
            yield from _read_members(place, _zip_members(opened, members), allowance, read_member)


def _other_zip(opened: zipfile.ZipFile) -> str:
    """Return the name of a document or program format that is a zip; "" for a zip of files."""
    names = opened.NameToInfo
    if _DOCUMENT_MARKERS.isdisjoint(names):
        return ""
    for beginning, name, way_out in _OTHER_ZIPS:
        if any(member.startswith(beginning) for member in names):
            return f"{name}: unsupported format: {way_out}"
    return f"an office document, a book or a program in a zip: {_SAVE_AS}"


def _open_zip(whole: Any, copy: Any) -> zipfile.ZipFile:
    """Open a zip; names that aren't valid UTF-8 despite their flag are fixed in a copy."""
    try:
        return zipfile.ZipFile(whole)
    except UnicodeDecodeError:
        if whole is not copy:
            whole.seek(0)
            _copy(whole, copy)
        _clear_utf8_flags(copy)
        return zipfile.ZipFile(copy)


def _clear_utf8_flags(file: Any) -> None:
    """Clear the UTF-8 flag of members whose names aren't UTF-8, so zipfile reads them as cp437."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 2**16 - 22))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    length, offset = struct.unpack_from("<LL", end, at + 12)
    start = size - len(end) + at - length
    file.seek(start)
    directory = file.read(length)
    entry = 0
    while directory[entry : entry + 4] == b"PK\x01\x02":
        (flags,) = struct.unpack_from("<H", directory, entry + 8)
        name, extra, comment = struct.unpack_from("<HHH", directory, entry + 28)
        (header,) = struct.unpack_from("<L", directory, entry + 42)
        try:
            directory[entry + 46 : entry + 46 + name].decode()
        except UnicodeDecodeError:
            for position in (start + entry + 8, start - offset + header + 6):
                file.seek(position)
                file.write(struct.pack("<H", flags & ~_NAME_IN_UTF8))
        entry += 46 + name + extra + comment
    file.seek(0)


def read_tar(
    file: io.BufferedReader[Any], place: str, *, allowance: UnpackLimit, read_member: ReadMember
) -> Read:
    """Yield the contents of the members of a tar in its order; links and devices are skipped.

    Args:
        file: The tar.
        place: Its place; members are at `place!name`.
        allowance: The unpack limit.
        read_member: Reads one member.
    """
    with tarfile.open(fileobj=file, mode="r|", tarinfo=_TarHeader) as opened:
        yield from _read_members(place, _tar_members(opened), allowance, read_member)


class _TarHeader(tarfile.TarInfo):
    """A tar header of bounded size; tarfile reads extended headers of any length into memory."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.size > _EXTENDED_HEADER_BYTES and self.type in _EXTENDED_HEADER_TYPES:
            raise tarfile.ReadError(f"a member's extended header has {self.size:,} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]


_Member = tuple[str, Callable[[], Any]]


def _zip_members(opened: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Iterator[_Member]:
    for member in members:
        if not member.is_dir():
            yield member.filename, lambda member=member: opened.open(member)  # type: ignore[misc]


def _tar_members(opened: tarfile.TarFile) -> Iterator[_Member]:
    for member in opened:
        if member.isfile():
            yield member.name, lambda member=member: opened.extractfile(member)  # type: ignore[misc]
        opened.members = []  # type: ignore[attr-defined]  # tarfile keeps every member


def _read_members(
    place: str, members: Iterator[_Member], allowance: UnpackLimit, read_member: ReadMember
) -> Read:
    found = False
    for name, opened in members:
        allowance.count_member()
        if not may_hold_articles(PurePosixPath(name.replace("\\", "/"))):
            continue
        found = True
        at = f"{place}!{printable_name(name)}"
        try:
            with opened() as member:
                file = io.BufferedReader(_Unpacked(member.read, allowance), _CHUNK)
                yield from read_member(file, at)
        except RuntimeError as error:  # zipfile's error for encrypted members
            if isinstance(error, RecursionError):
                raise
            yield Reject(at, f"could not be unpacked: {error}")
        except DAMAGE_ERRORS as error:
            yield Reject(at, f"damaged: {error}")
        except BombError:
            raise
        except Exception as error:
            yield unexpected_failure(at, error)
    if not found:
        yield Reject(place, "no file in this archive could contain articles")


def _copy(file: io.BufferedReader[Any], copy: Any) -> None:
    size = 0
    while piece := file.read(_CHUNK):
        size += len(piece)
        if size > NESTED_BYTES:
            raise BombError(f"contains a zip of more than {NESTED_BYTES // 2**30} GB")
        copy.write(piece)
    copy.seek(0)


def _check_directory(file: Any) -> None:
    """Reject a zip whose central directory is too large for memory, before it is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 2**16 - 22))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at >= 0 and len(end) >= at + 22:
        (length,) = struct.unpack_from("<L", end, at + 12)
        larger = end.rfind(b"PK\x06\x06", 0, at)
        if length == 0xFFFFFFFF and larger >= 0 and len(end) >= larger + 48:
            (length,) = struct.unpack_from("<Q", end, larger + 40)
        if min(length, size) > _DIRECTORY_BYTES:
            raise BombError("the zip's central directory is too large: unpack it first")
    file.seek(0)


def _gz(file: io.BufferedReader[Any]) -> Callable[[int], bytes]:
    return gzip.GzipFile(fileobj=file).read


def _bz2(file: io.BufferedReader[Any]) -> Callable[[int], bytes]:
    return _read_concatenated(file, bz2.BZ2Decompressor)


def _xz(file: io.BufferedReader[Any]) -> Callable[[int], bytes]:
    return _read_concatenated(file, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY))


def _read_concatenated(
    file: io.BufferedReader[Any], new: Callable[[], Any]
) -> Callable[[int], bytes]:
    """Return a `read` over concatenated streams, which bzip2 and xz allow."""
    current = new()

    def read(size: int) -> bytes:
        nonlocal current
        while True:
            packed = b""
            if current.eof:
                packed = current.unused_data or file.read(_CHUNK)
                if not packed.strip(b"\x00"):  # padded end
                    return b""
                current = new()
            elif current.needs_input:
                packed = file.read(_CHUNK)
                if not packed:
                    raise EOFError("the file is truncated")
            piece: bytes = current.decompress(packed, size)
            if piece:
                return piece

    return read


def _zst(file: io.BufferedReader[Any]) -> Callable[[int], bytes]:
    import zstandard  # 15 ms

    dictionary = None
    if file.peek(4)[:4] == _WITH_DICTIONARY:
        _, length = struct.unpack("<4sL", file.read(8))
        content = file.read(min(length, _WINDOW))
        if content[:4] == b"\x28\xb5\x2f\xfd":
            content = zstandard.ZstdDecompressor().decompress(content, max_output_size=_WINDOW)
        dictionary = zstandard.ZstdCompressionDict(content)
    reader = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=_WINDOW)
    stream = reader.stream_reader(file, read_across_frames=True, closefd=False)

    def read(size: int) -> bytes:
        try:
            return stream.read(size)
        except zstandard.ZstdError as error:
            raise OSError(f"damaged zstd: {error}") from error

    return read


_STREAMS: tuple[tuple[bytes, Callable[[io.BufferedReader[Any]], Callable[[int], bytes]]], ...] = (
    (b"\x1f\x8b", _gz),
    (b"BZh", _bz2),
    (b"\xfd7zXZ\x00", _xz),
    (b"\x28\xb5\x2f\xfd", _zst),
    (_WITH_DICTIONARY, _zst),
)
PACKED_MAGIC = tuple(magic for magic, _ in _STREAMS)
