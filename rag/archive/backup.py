"""A backup: the record of a live archive and a manifest in one file, and the way back.

The indexes are not in it: they are made again from the record, nothing is embedded.  A backup may
have been made by anybody: it is read within bounds and checked before anything is put in place.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from rag.errors import BackupError
from rag.index.index_pair import IndexPair
from rag.store.articles import ArticleStore
from rag.store.connection import map_disk_errors
from rag.store.database import FILE, Database
from rag.store.database_validation import (
    InvalidStoreError,
    count_rows,
    validate_database,
    validate_schema,
)
from rag.store.file_permissions import OWNER, private_opener
from rag.store.lock import writer_lock

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE = b"SQLite format 3\0"  # how a record begins
CHUNK = 1 << 20  # bytes at a time
LEVEL = 1  # half of a record is vectors, which hardly shrink: more takes longer and saves 2 %
MANIFEST_BYTES = 64 << 10  # a real one has 300
# What a record may grow to when it is unpacked: real ones grow to three times the backup's size,
# an empty one of 128 kB to 50 times; deflate itself allows a thousand times.
GROWTH, FREE_GROWTH = 20, 16 << 20
DIRECTORY_BYTES = 1 << 20  # of a zip file's list of members, read at once; a backup has two
STAGING = ".restore-"
TRY_ANOTHER = "try another backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: `bytes` and `sha256` are those of the record's file in it."""

    format: int
    made: str
    sequence: int
    articles: int
    passages: int
    embedding_model: str
    bytes: int
    sha256: str


def write_backup(record: ArticleStore, file: Path) -> Manifest:
    """Write the record as it is at one moment into `file`, while others read and write.

    Raises BackupError where there is a file of that name already.
    """
    if file.exists():
        raise BackupError(f"{file} is there already: give the backup another name")
    try:
        return _written(record, file)
    except OSError as error:
        why = error.strerror or error
        raise BackupError(f"the backup {file} cannot be written: {why}") from error


def _written(record: ArticleStore, file: Path) -> Manifest:
    # in a folder of its own: beside the archive, any name may be one of its files
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as made:
        copy, part = Path(made, FILE), Path(made, "part")
        record.database.copy_to(copy)
        try:
            validate_schema(copy)
        except InvalidStoreError as error:
            raise BackupError(
                f"{file} would be no backup: {error}; restore an earlier one, or export it "
                "and ingest that into another folder"
            ) from error
        manifest = _described(copy)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as packed:
            packed.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
            packed.write(copy, FILE)
        part.chmod(OWNER)  # it holds every text; an export is the user's own, as the umask says
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.rename(file)
    return manifest


def _described(copy: Path) -> Manifest:
    articles, passages, sequence, model = count_rows(copy)
    with copy.open("rb") as file:
        size, digest = _copied(file, None, copy.stat().st_size)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(FORMAT, now, sequence, articles, passages, model, size, digest)


def restore_backup(file: Path, folder: Path) -> Manifest:
    """Make an archive of a backup in `folder`, its indexes too.

    Nothing is put in place before all of it has been checked; of a backup that is refused nothing
    stays on the disk.

    Args:
        file: What `back_up` wrote.
        folder: Where the archive is to be; it may exist, without an archive in it.

    Returns:
        The manifest of the backup.

    Raises:
        BackupError: The backup is not whole or is no backup, or an archive is there already.
    """
    _refuse_to_overwrite(folder)
    there, lock = folder.exists(), writer_lock(folder)
    placed = False
    try:
        _refuse_to_overwrite(folder)  # another process may have made one before the lock was had
        for left in folder.glob(f"{STAGING}*"):  # of a restore that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=STAGING, dir=folder) as staging:
            staged = Path(staging, FILE)
            manifest = _checked(file, staged)
            for path in (folder / "lexical", *folder.glob("vectors*")):
                if path.is_dir():  # of the record that was lost
                    shutil.rmtree(path)
            for name in (f"{FILE}-wal", f"{FILE}-shm"):
                (folder / name).unlink(missing_ok=True)
            staged.replace(folder / FILE)
            placed = True
        record = ArticleStore(folder, writable=True)
        indexes = IndexPair(folder, record, lock)
        try:
            with map_disk_errors(folder):
                indexes.catch_up()
        finally:
            indexes.close()
            record.close()
    except OSError as error:
        raise BackupError(f"{file} cannot be restored: {error}") from error
    finally:
        if not placed and not there:  # nothing is left of an attempt
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()
    return manifest


def _refuse_to_overwrite(folder: Path) -> None:
    if _holds_an_archive(folder):
        raise BackupError(
            f"there is an archive at {folder}: restore into another folder, "
            f"or move {FILE} away if it is damaged"
        )


def _holds_an_archive(folder: Path) -> bool:
    """Say whether there is a record that is worth something: one that can be read in part is."""
    try:
        with (folder / FILE).open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except FileNotFoundError:
        return False


def _checked(file: Path, staged: Path) -> Manifest:
    """Unpack a backup's record, hold it against its manifest, and bring it up to date."""
    manifest = _unpacked(file, staged)
    try:
        validate_database(staged)
        counts = count_rows(staged)
        Database(staged.parent, writable=True, name=staged.name).close()
    except Exception as error:  # whatever bringing an older version up to date may raise, too
        why = " ".join(str(error).split())
        raise BackupError(f"{file} cannot be restored: {why}; {TRY_ANOTHER}") from error
    said = (manifest.articles, manifest.passages, manifest.sequence, manifest.embedding_model)
    if counts != said:
        raise BackupError(
            f"{file} cannot be restored: it holds {counts[0]:,} articles, {counts[1]:,} passages "
            f"and {counts[2]:,} changes, and says {said[0]:,}, {said[1]:,} and {said[2]:,}; "
            + TRY_ANOTHER
        )
    return manifest


def _unpacked(file: Path, staged: Path) -> Manifest:
    try:
        with _Measured(file) as source, zipfile.ZipFile(source) as packed:
            manifest = _manifest(_member(packed, MANIFEST, MANIFEST_BYTES))
            if manifest.format != FORMAT:
                raise BackupError(f"{file} was made by a newer Backfile: upgrade to restore it")
            size = min(packed.getinfo(FILE).compress_size, file.stat().st_size)
            if manifest.bytes > FREE_GROWTH + GROWTH * size:
                raise BackupError(
                    f"{file} would unpack to {manifest.bytes:,} bytes, more than a backup of its "
                    f"size holds; {TRY_ANOTHER}"
                )
            with (
                _opened(packed, FILE) as record,
                open(staged, "wb", opener=private_opener) as target,
            ):
                size, digest = _copied(record, target, manifest.bytes)
                target.flush()
                os.fsync(target.fileno())
    except OSError as error:
        raise BackupError(f"{file} cannot be restored: {error}") from error
    except BackupError:
        raise
    # RuntimeError: encrypted, packed in another way, or nested without end
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError) as error:
        raise BackupError(
            f"{file} is no backup, or not all of one ({str(error)[:200]}): try another"
        ) from error
    if (size, digest) != (manifest.bytes, manifest.sha256):
        raise BackupError(f"{file} is damaged: what it holds is not what was put in; try another")
    return manifest


class _Measured(io.FileIO):
    """A file of which only so much is read at once: no list of a million members."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > DIRECTORY_BYTES:
            raise ValueError("its list of members is longer than a backup's")
        return super().read(size) or b""


def _opened(packed: zipfile.ZipFile, name: str) -> IO[bytes]:
    if packed.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is packed in another way than Backfile packs")
    return packed.open(name)


def _member(packed: zipfile.ZipFile, name: str, most: int) -> bytes:
    with _opened(packed, name) as member:
        data = member.read(most + 1)
    if len(data) > most:
        raise ValueError(f"its {name} is too long")
    return data


def _manifest(data: bytes) -> Manifest:
    """Return the manifest that was read, each value of its type; what a later version adds is not.

    Raises ValueError.
    """
    read = json.loads(data)
    if not isinstance(read, Mapping):
        raise ValueError("its manifest is not an object")
    given: dict[str, Any] = {}
    for field in fields(Manifest):
        value, kind = read[field.name], {"int": int, "str": str}[str(field.type)]
        if type(value) is not kind or (isinstance(value, int) and not 0 <= value < 1 << 53):
            raise ValueError(f"{field.name} in its manifest is not valid")
        given[field.name] = value
    manifest = Manifest(**given)
    datetime.fromisoformat(manifest.made)
    if not re.fullmatch("[0-9a-f]{64}", manifest.sha256):
        raise ValueError("the checksum in its manifest is not valid")
    return manifest


def _copied(source: IO[bytes], target: IO[bytes] | None, most: int) -> tuple[int, str]:
    """Copy up to `most` bytes, and no chunk more; return how many there were, and their hash."""
    digest, size = hashlib.sha256(), 0
    while size <= most and (chunk := source.read(min(CHUNK, most + 1 - size))):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return size, digest.hexdigest()
