"""A backup: the record of a live archive and a manifest in one file, and the way back.

The indexes are not in it: they are made again from the record, nothing is embedded.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from rag.errors import BackupError
from rag.storage.database import FILE, Database
from rag.storage.indexes import Indexes
from rag.storage.lock import writers_lock
from rag.storage.record import Record
from rag.storage.room import room_in

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE = b"SQLite format 3\0"  # how a record begins
CHUNK = 1 << 20  # bytes at a time
LEVEL = 1  # half of a record is vectors, which hardly shrink: more takes longer and saves 2 %


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


def back_up(record: Record, file: Path) -> Manifest:
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


def _written(record: Record, file: Path) -> Manifest:
    # in a folder of its own: beside the archive, any name may be one of its files
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as made:
        copy, part = Path(made, FILE), Path(made, "part")
        record.database.copy_to(copy)
        manifest = _described(copy)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as packed:
            packed.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
            packed.write(copy, FILE)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.rename(file)
    return manifest


def _described(copy: Path) -> Manifest:
    database = Database(copy.parent, name=copy.name)
    try:
        articles, passages = database.connection.execute(
            "SELECT (SELECT count(*) FROM revisions WHERE until IS NULL), (SELECT count(*) "
            "FROM passages p JOIN revisions r ON r.id = p.revision_id WHERE r.until IS NULL)"
        ).fetchone()
        sequence, model = database.sequence(), database.meta("embedding_model")
    finally:
        database.close()
    with copy.open("rb") as file:
        size, digest = _copied(file, None)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(FORMAT, now, sequence, articles, passages, model, size, digest)


def restore(file: Path, folder: Path) -> Manifest:
    """Make an archive of a backup in `folder`, its indexes too.

    Raises BackupError where the backup is not whole, or an archive is there already.
    """
    if _holds_an_archive(folder):
        raise BackupError(
            f"there is an archive at {folder}: restore into another folder, "
            f"or move {FILE} away if it is damaged"
        )
    there, lock = folder.exists(), writers_lock(folder)
    try:
        manifest = _unpacked(file, folder)
        for path in (folder / "lexical", *folder.glob("vectors*")):
            if path.is_dir():  # of the record that was lost
                shutil.rmtree(path)
        for name in (f"{FILE}-wal", f"{FILE}-shm"):
            (folder / name).unlink(missing_ok=True)
        (folder / f"{FILE}.part").replace(folder / FILE)
        record = Record(folder, writable=True)
        indexes = Indexes(folder, record, lock)
        try:
            with room_in(folder):
                indexes.follow()
        finally:
            indexes.close()
            record.close()
    except BackupError:
        if not there:  # nothing is left of an attempt
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        lock.release()
    return manifest


def _holds_an_archive(folder: Path) -> bool:
    """Say whether there is a record that is worth something: one that can be read in part is."""
    try:
        with (folder / FILE).open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except FileNotFoundError:
        return False


def _unpacked(file: Path, folder: Path) -> Manifest:
    """Write the record of a backup beside where it belongs, and hold it against its manifest."""
    part = folder / f"{FILE}.part"
    try:
        return _checked(file, part)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _checked(file: Path, part: Path) -> Manifest:
    try:
        with zipfile.ZipFile(file) as packed:
            manifest = Manifest(**json.loads(packed.read(MANIFEST)))
            if manifest.format != FORMAT:
                raise BackupError(f"{file} was made by a newer Backfile: upgrade to restore it")
            with packed.open(FILE) as source, part.open("wb") as target:
                size, digest = _copied(source, target)
                target.flush()
                os.fsync(target.fileno())
    except OSError as error:
        raise BackupError(f"{file} cannot be restored: {error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
        raise BackupError(
            f"{file} is no backup, or not all of one ({error}): try another"
        ) from error
    if (size, digest) != (manifest.bytes, manifest.sha256):
        raise BackupError(f"{file} is damaged: what it holds is not what was put in; try another")
    return manifest


def _copied(source: IO[bytes], target: IO[bytes] | None) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return size, digest.hexdigest()
