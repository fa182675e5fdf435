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

RESTORE_HINT = "put it back with `backfile restore`, or ingest into another folder"


class StoreConnection(sqlite3.Connection):
    """SQLite connection that raises BackfileError for damaged files and unwritable disks."""

    path = Path()
    restore_hint = RESTORE_HINT

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        """Run one statement."""
        return self.cursor(_Cursor).execute(*statement)

    def executemany(self, *statement: Any) -> sqlite3.Cursor:
        """Run one statement for each set of parameters."""
        return self.cursor(_Cursor).executemany(*statement)


class _Cursor(sqlite3.Cursor):
    """Cursor that maps errors at each call: rows are read only when they are fetched."""

    def execute(self, *statement: Any) -> Self:
        try:
            return super().execute(*statement)
        except sqlite3.DatabaseError as error:
            _raise_mapped(error, self.connection)

    def executemany(self, *statement: Any) -> Self:
        try:
            return super().executemany(*statement)
        except sqlite3.DatabaseError as error:
            _raise_mapped(error, self.connection)

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except sqlite3.DatabaseError as error:
            _raise_mapped(error, self.connection)

    def fetchmany(self, *size: Any) -> list[Any]:
        try:
            return super().fetchmany(*size)
        except sqlite3.DatabaseError as error:
            _raise_mapped(error, self.connection)

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except sqlite3.DatabaseError as error:
            _raise_mapped(error, self.connection)

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except sqlite3.DatabaseError as error:
            _raise_mapped(error, self.connection)


def _raise_mapped(error: sqlite3.DatabaseError, connection: sqlite3.Connection) -> NoReturn:
    """Raise ArchiveDamagedError for a damaged file, ArchiveUnwritableError for a full disk.

    Any other error, such as a lock or a wrong statement, is raised unchanged.
    """
    assert isinstance(connection, StoreConnection)
    if isinstance(error, sqlite3.OperationalError) and is_disk_error(error):
        raise unwritable_error(connection.path.parent, error) from error
    if type(error) is not sqlite3.DatabaseError:
        raise error
    raise ArchiveDamagedError(
        f"the database {connection.path} cannot be read ({error}): {connection.restore_hint}"
    ) from error


def connect_existing(
    path: Path, hint: str = RESTORE_HINT, *, wait: float = 30.0
) -> StoreConnection:
    """Connect to an existing file, for reading too if it can't be written to.

    Args:
        path: The file; plain SQLite would create a missing one.
        hint: The fix that the error for a damaged file names.
        wait: How long a statement waits for another process's transaction, in seconds.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=wait,
        isolation_level=None,
        check_same_thread=False,
        factory=StoreConnection,
    )
    connection.path, connection.restore_hint = path, hint
    return connection


def connect_empty() -> StoreConnection:
    """Connect to a new database in memory."""
    return sqlite3.connect(":memory:", isolation_level=None, factory=StoreConnection)


def is_lock_error(error: Exception) -> bool:
    """Return True if another process's transaction kept a statement waiting for too long."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


# Wordings of SQLite, Chroma (which passes on those of its SQLite), Tantivy and the system.
_UNWRITABLE = re.compile(
    r"(?i)no space|disk is full|disk full|disk I/O|read-?only|permission denied|file too large|"
    r"quota|input/output error|unable to open database|code: (?:10|13|8|778|1034)\b|"
    r"StorageFull|ReadOnlyFilesystem|FileTooLarge|PermissionDenied|index writer was killed"
)
MIN_FREE_BYTES = 1 << 20  # bytes


@contextmanager
def map_disk_errors(folder: Path) -> Iterator[None]:
    """Map disk-full and permission errors in the block to ArchiveUnwritableError.

    Args:
        folder: The archive's folder.

    Raises:
        ArchiveUnwritableError: The block failed because the folder can't be written to.
    """
    try:
        yield
    except BackfileError:
        raise
    except Exception as error:
        if not is_disk_error(error) and not _is_full(folder):
            raise
        raise unwritable_error(folder, error) from error


def _is_full(folder: Path) -> bool:
    """Return True if the disk is almost full: Chroma's compaction fails without a reason."""
    with suppress(OSError):
        return shutil.disk_usage(folder).free < MIN_FREE_BYTES
    return False


def is_disk_error(error: Exception) -> bool:
    """Return True if an error means that the disk is full or not writable."""
    return bool(_UNWRITABLE.search(f"{error} {getattr(error, 'strerror', '')}"))


def unwritable_error(folder: Path, error: Exception) -> ArchiveUnwritableError:
    """Return the error for an archive that can't be written to.

    Args:
        folder: The archive's folder.
        error: The error that occurred; named unless the cause is missing permission.
    """
    if may_not_write(folder):
        return ArchiveUnwritableError(
            f"the archive at {folder} cannot be written to ({may_not_write(folder)}): give this "
            "user write permission, or copy the archive, and run the same command again; "
            "articles already added are safe"
        )
    why = " ".join(str(error).split())[:200]
    return ArchiveUnwritableError(
        f"the archive at {folder} cannot be written to ({why}): free disk space, or give this "
        "user write permission, and run the same command again; articles already added are safe"
    )


def unopened_error(folder: Path, error: Exception) -> ArchiveUnwritableError:
    """Return the error for an archive that can't be read for lack of write permission.

    Args:
        folder: The archive's folder.
        error: The error that occurred; named unless the cause is missing permission.
    """
    why = may_not_write(folder) or " ".join(str(error).split())[:200]
    return ArchiveUnwritableError(
        f"the archive at {folder} cannot be opened ({why}): reading it creates lock and log files "
        "in its folder; give this user write permission, or copy the archive to a writable folder"
    )


def may_not_write(folder: Path) -> str:
    """Return the reason why this user can't write to `folder`; "" if they can.

    A folder that doesn't exist is judged by its nearest existing parent.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if os.access(folder, os.W_OK):
        return ""
    with suppress(OSError, AttributeError):
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return "it is on a read-only file system"
    return "this user has no write permission"
