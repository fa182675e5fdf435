"""One-file backups of a live archive: its database, saved items and a manifest; and restoring it.

Indexes are not included: restoring rebuilds them without embedding anything. A backup may have been
made by anybody, so reading it is bounded, and all of it is checked before anything is put in place.
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
from dataclasses import MISSING, asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from rag.errors import BackupError
from rag.index.compact_vectors import FILE as COMPACT
from rag.index.search import Indexes
from rag.store.articles import ArticleStore
from rag.store.connection import map_disk_errors
from rag.store.database_validation import (
    InvalidStoreError,
    count_rows,
    validate_database,
    validate_schema,
)
from rag.store.file_permissions import OWNER, private_opener
from rag.store.lock import writer_lock
from rag.store.saved_database import DAMAGED, SavedDatabase
from rag.store.saved_database import FILE as SAVED
from rag.store.saved_validation import find_saved_damage, validate_saved
from rag.store.side_file import SideHome
from rag.store.sqlite_database import FILE, SqliteDatabase

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE = b"SQLite format 3\0"  # the first bytes of the database
CHUNK = 1 << 20  # bytes at a time
LEVEL = 1  # higher levels save 2 %: half of the data is vectors, which hardly shrink
MANIFEST_BYTES = 64 << 10  # a real one has 300 bytes
# Limits to the unpacked size: real archives grow to three times the backup's size, an empty one
# of 128 kB to 50 times; deflate allows a thousand times.
GROWTH, FREE_GROWTH = 20, 16 << 20
DIRECTORY_BYTES = (
    1 << 20
)  # limit to a zip file's directory, read at once; a backup has three members
STAGING = ".restore-"
REMEDY = "use another backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a backup; `bytes` and `sha256` are those of the database in it.

    `saved_bytes` and `saved_sha256` are those of the saved searches and dossiers, 0 and "" if there
    are none, as in backups of earlier versions.
    """

    format: int
    made: str
    sequence: int
    articles: int
    passages: int
    embedding_model: str
    bytes: int
    sha256: str
    saved_bytes: int = 0
    saved_sha256: str = ""


def write_backup(store: ArticleStore, file: Path, home: SideHome | None = None) -> Manifest:
    """Write one consistent state of the database to a file, while others read and write.

    Args:
        store: The store to back up.
        file: The file to create.
        home: Where the archive's saved items are; by default in its folder.

    Returns:
        The manifest of the backup.

    Raises:
        BackupError: The file exists or can't be written, or the backup could not be restored.
    """
    if file.exists():
        raise BackupError(f"{file} already exists: give the backup another name")
    try:
        return _write(store, file, SavedDatabase(home or store.database.folder))
    except OSError as error:
        why = error.strerror or error
        raise BackupError(f"the backup {file} cannot be written: {why}") from error


def _write(store: ArticleStore, file: Path, saved: SavedDatabase) -> Manifest:
    if not isinstance(store.database, SqliteDatabase):
        raise BackupError("a shared record is backed up with PostgreSQL's `pg_dump`")
    # in its own folder: beside an archive, any name may be one of its files
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as made:
        copy, part = Path(made, FILE), Path(made, "part")
        store.database.copy_to(copy)
        try:
            validate_schema(copy)
        except InvalidStoreError as error:
            raise BackupError(
                f"the backup {file} was not made: {error}; restore an earlier backup, or export "
                "the archive and ingest the export into another folder"
            ) from error
        manifest = _describe(copy)
        if saved.exists:  # after the database: what an erasure removes meanwhile is gone from it
            saved_copy = Path(made, SAVED)
            saved.copy_to(saved_copy)
            try:
                validate_saved(saved_copy)
            except InvalidStoreError as error:
                raise BackupError(
                    f"the backup {file} was not made: of {saved.name}, {error}; {DAMAGED}"
                ) from error
            size, digest = _measure(saved_copy)
            manifest = replace(manifest, saved_bytes=size, saved_sha256=digest)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as packed:
            packed.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
            packed.write(copy, FILE)
            if manifest.saved_bytes:
                packed.write(saved_copy, SAVED)
        part.chmod(OWNER)  # owner only, as it contains every text
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.rename(file)
    return manifest


def _describe(copy: Path) -> Manifest:
    articles, passages, sequence, model = count_rows(copy)
    size, digest = _measure(copy)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(FORMAT, now, sequence, articles, passages, model, size, digest)


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return _copy(file, None, path.stat().st_size)


def restore_backup(file: Path, folder: Path) -> Manifest:
    """Create an archive from a backup, and build its indexes.

    Everything is checked before it is put in place; a rejected backup leaves nothing on disk.
    Saved searches and dossiers that are in the folder already stay as they are.

    Args:
        file: A file written by `write_backup`.
        folder: The archive's folder; it may exist, but not contain an archive.

    Returns:
        The manifest of the backup.

    Raises:
        BackupError: The file is not a valid backup, or the folder contains an archive.
    """
    _refuse_to_overwrite(folder)
    there, lock = folder.exists(), writer_lock(folder)
    placed = False
    try:
        _refuse_to_overwrite(folder)  # another process may have been faster
        for left in folder.glob(f"{STAGING}*"):  # of a killed restore
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=STAGING, dir=folder) as staging:
            staged = Path(staging, FILE)
            manifest = _unpack_and_check(file, staged)
            for path in (*folder.glob("lexical*"), *folder.glob("vectors*")):
                if path.is_dir():  # of a lost database
                    shutil.rmtree(path)
            for name in (f"{FILE}-wal", f"{FILE}-shm", COMPACT, f"{COMPACT}.new"):
                (folder / name).unlink(missing_ok=True)
            _place_saved(staged.with_name(SAVED), folder)
            staged.replace(folder / FILE)
            placed = True
        store = ArticleStore(folder, writable=True)
        indexes = Indexes(folder, store, lock)
        try:
            with map_disk_errors(folder):
                indexes.catch_up()
        finally:
            indexes.close()
            store.close()
    except OSError as error:
        raise BackupError(f"{file} cannot be restored: {error}") from error
    finally:
        if not placed and not there:  # a failed attempt leaves nothing
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()
    return manifest


def _place_saved(staged: Path, folder: Path) -> None:
    """Put the backup's saved items in place, unless the folder has some that can be used."""
    there = SavedDatabase(folder)
    if staged.exists() and (not there.exists or find_saved_damage(there)):
        (folder / f"{SAVED}-journal").unlink(missing_ok=True)
        staged.replace(folder / SAVED)


def _refuse_to_overwrite(folder: Path) -> None:
    if _has_archive(folder):
        raise BackupError(
            f"there is an archive at {folder}: restore into another folder, "
            f"or move {FILE} away if it is damaged"
        )


def _has_archive(folder: Path) -> bool:
    """Return True if the folder has a database, even if only part of it can be read."""
    try:
        with (folder / FILE).open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except FileNotFoundError:
        return False


def _unpack_and_check(file: Path, staged: Path) -> Manifest:
    """Unpack a backup's database, check it against the manifest, and migrate it."""
    manifest = _unpack(file, staged)
    try:
        if manifest.saved_bytes:
            validate_saved(staged.with_name(SAVED))
        validate_database(staged)
        counts = count_rows(staged)
        SqliteDatabase(staged.parent, writable=True, name=staged.name).close()
    except Exception as error:  # a migration may raise other types, too
        why = " ".join(str(error).split())
        raise BackupError(f"{file} cannot be restored: {why}; {REMEDY}") from error
    stated = (manifest.articles, manifest.passages, manifest.sequence, manifest.embedding_model)
    if counts != stated:
        raise BackupError(
            f"{file} cannot be restored: it contains {counts[0]:,} articles, {counts[1]:,} "
            f"passages and {counts[2]:,} changes, but its manifest says {stated[0]:,}, "
            f"{stated[1]:,} and {stated[2]:,}; " + REMEDY
        )
    return manifest


def _unpack(file: Path, staged: Path) -> Manifest:
    try:
        with _BoundedFile(file) as source, zipfile.ZipFile(source) as packed:
            manifest = _parse_manifest(_read_member(packed, MANIFEST, MANIFEST_BYTES))
            if manifest.format != FORMAT:
                raise BackupError(
                    f"{file} was made by a newer version of Backfile: upgrade to restore it"
                )
            for name, (bytes_, digest) in _members(manifest).items():
                size = min(packed.getinfo(name).compress_size, file.stat().st_size)
                if bytes_ > FREE_GROWTH + GROWTH * size:
                    raise BackupError(
                        f"{file} would unpack to {bytes_:,} bytes, too much for a backup of "
                        f"its size; {REMEDY}"
                    )
                if _unpack_member(packed, name, staged.with_name(name), bytes_) != (bytes_, digest):
                    raise BackupError(f"{file} failed its checksum: {REMEDY}")
    except OSError as error:
        raise BackupError(f"{file} cannot be restored: {error}") from error
    except BackupError:
        raise
    # RuntimeError: encrypted, compressed by another method, or nested without end
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError) as error:
        raise BackupError(
            f"{file} is not a complete backup file ({str(error)[:200]}): {REMEDY}"
        ) from error
    return manifest


def _members(manifest: Manifest) -> dict[str, tuple[int, str]]:
    """Return the size and the hash of each file in a backup, by name."""
    members = {FILE: (manifest.bytes, manifest.sha256)}
    if manifest.saved_bytes:
        members[SAVED] = (manifest.saved_bytes, manifest.saved_sha256)
    return members


def _unpack_member(packed: zipfile.ZipFile, name: str, path: Path, most: int) -> tuple[int, str]:
    with (
        _open_member(packed, name) as member,
        open(path, "wb", opener=private_opener) as target,
    ):
        measured = _copy(member, target, most)
        target.flush()
        os.fsync(target.fileno())
    return measured


class _BoundedFile(io.FileIO):
    """A file with a bounded read size, so that a directory of a million members fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes.

        Raises:
            ValueError: More than DIRECTORY_BYTES would be read.
        """
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > DIRECTORY_BYTES:
            raise ValueError("its directory is too long")
        return super().read(size) or b""


def _open_member(packed: zipfile.ZipFile, name: str) -> IO[bytes]:
    if packed.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("its compression method is not Backfile's")
    return packed.open(name)


def _read_member(packed: zipfile.ZipFile, name: str, most: int) -> bytes:
    with _open_member(packed, name) as member:
        data = member.read(most + 1)
    if len(data) > most:
        raise ValueError(f"its {name} is too long")
    return data


def _parse_manifest(data: bytes) -> Manifest:
    """Parse and validate a manifest; fields of later versions are ignored.

    Raises:
        ValueError: A value is missing or has the wrong type.
    """
    read = json.loads(data)
    if not isinstance(read, Mapping):
        raise ValueError("its manifest is not an object")
    given: dict[str, Any] = {}
    for field in fields(Manifest):
        if field.name not in read and field.default is not MISSING:
            continue  # written by an earlier version
        value, kind = read[field.name], {"int": int, "str": str}[str(field.type)]
        if type(value) is not kind or (isinstance(value, int) and not 0 <= value < 1 << 53):
            raise ValueError(f"{field.name} in its manifest is not valid")
        given[field.name] = value
    manifest = Manifest(**given)
    datetime.fromisoformat(manifest.made)
    hashes = (manifest.sha256, *([manifest.saved_sha256] if manifest.saved_bytes else []))
    if not all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes):
        raise ValueError("the checksum in its manifest is not valid")
    return manifest


def _copy(source: IO[bytes], target: IO[bytes] | None, most: int) -> tuple[int, str]:
    """Copy up to `most` bytes plus at most one chunk; return the number copied and their hash."""
    digest, size = hashlib.sha256(), 0
    while size <= most and (chunk := source.read(min(CHUNK, most + 1 - size))):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return size, digest.hexdigest()
