"""SQLite connections that map damage, full disks and missing permissions to BackfileError."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, Self

from rag.errors import ArchiveDamagedError, ArchiveUnwritableError, BackfileError

WAY_BACK = "put it back with `backfile restore`, or ingest into another folder"


class StoreConnection(sqlite3.Connection):
    """Raises ArchiveDamagedError where SQLite meets a page that is none, and the like."""

    path = Path()

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        return self.cursor(_Cursor).execute(*statement)

    def executemany(self, *statement: Any) -> sqlite3.Cursor:
        return self.cursor(_Cursor).executemany(*statement)


class _Cursor(sqlite3.Cursor):
    """Rows are read when they are fetched: each of these calls may be the one that meets it."""

    def execute(self, *statement: Any) -> Self:
        try:
            return super().execute(*statement)
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def executemany(self, *statement: Any) -> Self:
        try:
            return super().executemany(*statement)
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def fetchmany(self, *size: Any) -> list[Any]:
        try:
            return super().fetchmany(*size)
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except sqlite3.DatabaseError as error:
            _tell(error, self.connection)


def _tell(error: sqlite3.DatabaseError, connection: sqlite3.Connection) -> NoReturn:
    """Raise ArchiveDamagedError for a damaged file, ArchiveUnwritableError where there is no room.

    What else there is, a lock or a mistake, stays what it is.
    """
    assert isinstance(connection, StoreConnection)
    if isinstance(error, sqlite3.OperationalError) and is_disk_error(error):
        raise unwritable_error(connection.path.parent, error) from error
    if type(error) is not sqlite3.DatabaseError:
        raise error
    raise ArchiveDamagedError(
        f"the record {connection.path} cannot be read ({error}): {WAY_BACK}"
    ) from error


# As SQLite, Chroma (which hands on what its SQLite says), Tantivy and the system itself put it.
_UNWRITABLE = re.compile(
    r"(?i)no space|disk is full|disk full|disk I/O|read-?only|permission denied|file too large|"
    r"quota|input/output error|unable to open database|code: (?:10|13|8|778|1034)\b|"
    r"StorageFull|ReadOnlyFilesystem|FileTooLarge|PermissionDenied|index writer was killed"
)
HARDLY_ANYTHING = 1 << 20  # bytes


@contextmanager
def map_disk_errors(folder: Path) -> Iterator[None]:
    """Raise ArchiveUnwritableError where the archive in `folder` turns out not to be writable."""
    try:
        yield
    except BackfileError:
        raise
    except Exception as error:
        if not is_disk_error(error) and not _is_full(folder):
            raise
        raise unwritable_error(folder, error) from error


def _is_full(folder: Path) -> bool:
    """Return whether hardly anything is left: Chroma's compaction fails without saying why."""
    with suppress(OSError):
        return shutil.disk_usage(folder).free < HARDLY_ANYTHING
    return False


def is_disk_error(error: Exception) -> bool:
    """Return whether an error says that there is no room, or no right to write."""
    return bool(_UNWRITABLE.search(f"{error} {getattr(error, 'strerror', '')}"))


def unwritable_error(folder: Path, error: Exception) -> ArchiveUnwritableError:
    """Return the error that says so in one line."""
    if may_not_write(folder):
        return ArchiveUnwritableError(
            f"the archive at {folder} cannot be written to ({may_not_write(folder)}): let this "
            "user write there, or copy it, and run the same command again; what was put is safe"
        )
    why = " ".join(str(error).split())[:200]
    return ArchiveUnwritableError(
        f"the archive at {folder} cannot be written to ({why}): make room there, or let this "
        "user write, and run the same command again; what was put is safe"
    )


def unopened_error(folder: Path, error: Exception) -> ArchiveUnwritableError:
    """Return the error of an archive that cannot even be read, for want of the right to write."""
    why = may_not_write(folder) or " ".join(str(error).split())[:200]
    return ArchiveUnwritableError(
        f"the archive at {folder} cannot be opened ({why}): reading it writes locks and a log "
        "beside it; let this user write there, or copy the archive to where they may"
    )


def may_not_write(folder: Path) -> str:
    """Return why this user can't write to the nearest folder that is there; "" where they can."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if os.access(folder, os.W_OK):
        return ""
    with suppress(OSError, AttributeError):
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return "it is on a read-only file system"
    return "this user has no right to write there"
