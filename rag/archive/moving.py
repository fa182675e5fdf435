"""Move an archive from its folder to a shared record, and a folder's copy back to an archive."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rag.archive.archive import Archive
from rag.archive.lookup import Counts
from rag.errors import SettingsError
from rag.schema import EVERYTHING
from rag.settings import Settings
from rag.store.database import COPY_KEYS
from rag.store.lock import writer_lock
from rag.store.postgres.copying import ERASING, is_follower
from rag.store.postgres.database import PostgresDatabase
from rag.store.postgres.loading import load_record
from rag.store.sqlite_database import SqliteDatabase

NO_RECORD = "no record is set: set BACKFILE_RECORD to the address of an empty PostgreSQL database"


def push_archive(folder: Path, settings: Settings) -> Counts:
    """Copy a folder's archive into an empty record, which the folder then follows.

    Articles, revisions, passages and changes keep their numbers, so the folder's indexes stay.

    Args:
        folder: The archive's folder.
        settings: The settings, with the record's address.

    Returns:
        The numbers of articles and passages.

    Raises:
        SettingsError: No record is set, it isn't empty, or the folder follows one already.
        InvalidValueError: The record can't store a value; nothing has been copied.
        RecordUnavailableError: The record can't be reached.
    """
    if not settings.record:
        raise SettingsError(NO_RECORD)
    alone = replace(settings, record="")
    with Archive.open(folder, mode="write", settings=alone, create=False) as archive:
        local = archive.store.database
        assert isinstance(local, SqliteDatabase)
        with closing(PostgresDatabase(settings.record, folder, create=True)) as record:
            load_record(record, local)
        return archive.count(EVERYTHING)


def detach_folder(folder: Path) -> None:
    """Make a folder's copy of a record an archive of its own; the record isn't changed.

    Args:
        folder: The folder.

    Raises:
        ArchiveLockedError: Another process writes to the folder.
        SettingsError: The folder follows no record, or has to finish an erasure first.
    """
    SqliteDatabase(folder).close()  # raises before the lock's folder is created
    lock = writer_lock(folder)
    try:
        with closing(SqliteDatabase(folder, writable=True)) as local:
            if not is_follower(local):
                raise SettingsError(f"the archive at {folder} follows no record: nothing to do")
            if local.meta(ERASING):
                raise SettingsError(
                    f"erased articles are left in files at {folder}: run `backfile status` with "
                    "BACKFILE_RECORD set, and then this command again"
                )
            with local.transaction():
                local.connection.executemany(
                    "DELETE FROM meta WHERE key = ?", [(key,) for key in COPY_KEYS]
                )
    finally:
        lock.release()
