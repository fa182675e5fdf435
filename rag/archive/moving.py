"""Move an archive from its folder to a shared record, and a folder's copy back to an archive.

Users, saved items, jobs and the cursors' secret move with it. A command that was killed is finished
by running it again, and at no time is there an archive without its users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rag.archive.archive import Archive
from rag.archive.lookup import Counts
from rag.errors import SettingsError
from rag.schema import EVERYTHING
from rag.settings import Settings
from rag.store.database import COPY_KEYS, RECORD_ID
from rag.store.lock import writer_lock
from rag.store.postgres.copying import ERASING, is_follower
from rag.store.postgres.database import PostgresDatabase
from rag.store.postgres.loading import load_record
from rag.store.postgres.side_schema import RecordHome
from rag.store.side_database import Place, SideDatabase
from rag.store.side_file import SideFile
from rag.store.sqlite_database import SqliteDatabase

NO_RECORD = "no record is set: set BACKFILE_RECORD to the address of an empty PostgreSQL database"
Sides = Sequence[Callable[[Place], SideDatabase]]


def push_archive(folder: Path, settings: Settings, sides: Sides) -> Counts:
    """Copy a folder's archive into an empty record, which the folder then follows.

    Articles, revisions, passages and changes keep their numbers, so the folder's indexes stay. The
    files of side databases are deleted in the end: erasures wouldn't reach them.

    Args:
        folder: The archive's folder.
        settings: The settings, with the record's address.
        sides: The kinds of side databases; see `ui.side_databases`.

    Returns:
        The numbers of articles and passages.

    Raises:
        SettingsError: No record is set, it isn't empty, or the folder follows one already.
        InvalidValueError: The record can't store a value; nothing has been copied.
        RecordUnavailableError: The record can't be reached.
    """
    if not settings.record:
        raise SettingsError(NO_RECORD)
    home = RecordHome(folder, settings.record)
    if any(_files(folder, sides)) and _follows(folder, settings.record):
        _delete_files(folder, sides)  # of a push that was killed after it had copied them
        with Archive.open(folder, settings=settings) as archive:
            return archive.count(EVERYTHING)
    alone = replace(settings, record="")
    with Archive.open(folder, mode="write", settings=alone, create=False) as archive:
        local = archive.store.database
        assert isinstance(local, SqliteDatabase)
        with closing(PostgresDatabase(settings.record, folder, create=True)) as record:
            load_record(record, local, lambda: _copy_sides(folder, home, sides))
        _delete_files(folder, sides)
        return archive.count(EVERYTHING)


def _follows(folder: Path, address: str) -> bool:
    """Return whether a folder follows this record."""
    with closing(SqliteDatabase(folder)) as local:
        if not is_follower(local):
            return False
        _check_record(folder, local, address)
        return True


def _copy_sides(folder: Path, home: RecordHome, sides: Sides) -> None:
    for side in sides:
        side(home).copy_from(side(folder))


def _files(folder: Path, sides: Sides) -> Iterator[Path]:
    """Yield the files of side databases that there are."""
    for side in sides:
        form = side(folder).form
        if isinstance(form, SideFile) and form.path.exists():
            yield form.path


def _delete_files(folder: Path, sides: Sides) -> None:
    for path in _files(folder, sides):
        path.unlink(missing_ok=True)


def detach_folder(folder: Path, settings: Settings, sides: Sides, *, alone: bool = False) -> None:
    """Make a folder's copy of a record an archive of its own; the record isn't changed.

    Args:
        folder: The folder.
        settings: The settings, with the record's address.
        sides: The kinds of side databases; see `ui.side_databases`.
        alone: Leave users, saved items and jobs behind; for a record that is gone.

    Raises:
        ArchiveLockedError: Another process writes to the folder.
        RecordUnavailableError: The record can't be reached.
        SettingsError: The folder follows no record, or another one, or has to finish an erasure
            first; or no record is set.
    """
    SqliteDatabase(folder).close()  # raises before the lock's folder is created
    lock = writer_lock(folder)
    try:
        with closing(SqliteDatabase(folder, writable=True)) as local:
            _check_detachable(folder, local)
            if not alone:
                _fetch_sides(folder, local, settings.record, sides)
            with local.transaction():
                local.connection.executemany(
                    "DELETE FROM meta WHERE key = ?", [(key,) for key in COPY_KEYS]
                )
    finally:
        lock.release()


def _check_detachable(folder: Path, local: SqliteDatabase) -> None:
    if not is_follower(local):
        raise SettingsError(f"the archive at {folder} follows no record: nothing to do")
    if local.meta(ERASING):
        raise SettingsError(
            f"erased articles are left in files at {folder}: run `backfile status` with "
            "BACKFILE_RECORD set, and then this command again"
        )


def _fetch_sides(folder: Path, local: SqliteDatabase, address: str, sides: Sides) -> None:
    """Bring users and the like back; the folder still follows, so nothing uses the files yet."""
    if not address:
        raise SettingsError(
            "users, saved items and jobs are in the record: set BACKFILE_RECORD to bring them "
            "back, or use --alone to do without them"
        )
    _check_record(folder, local, address)
    home = RecordHome(folder, address)
    for side in sides:
        side(folder).replace_by(side(home))


def _check_record(folder: Path, local: SqliteDatabase, address: str) -> None:
    with closing(PostgresDatabase(address, folder, create=True)) as record:
        if record.meta(RECORD_ID) != local.meta(RECORD_ID):
            raise SettingsError(
                f"the archive at {folder} is the copy of a shared record, but not of the one at "
                f"{record.name}"
            )
