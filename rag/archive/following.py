"""Follow a shared record: keep a folder's copy and its indexes up to date with it.

The copy is written under the folder's write lock, which is held for as long as that takes: any
process of the machine may do it, and the others wait for none. Readers read the copy alone, so they
go on while the record can't be reached, and `FollowerState` says how old the copy is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from rag.archive.erasure import erase_from_logs
from rag.archive.follower_state import FollowerState
from rag.errors import (
    ArchiveDamagedError,
    ArchiveLockedError,
    BackfileError,
    RecordUnavailableError,
    SettingsError,
)
from rag.index.search import Indexes
from rag.store.articles import ArticleStore
from rag.store.lock import writer_lock
from rag.store.postgres.comparison import Difference, compare_copy
from rag.store.postgres.copying import AS_OF, ERASING, REACHED, Copied, copy_changes, is_follower
from rag.store.postgres.database import PostgresDatabase, server_of
from rag.store.sqlite_database import SqliteDatabase

LOG = logging.getLogger("backfile.record")
INTERVAL = 1.0  # seconds between two looks at the record
RETRY = 5.0  # seconds, while it can't be reached
COMPACT_INTERVAL = 60.0  # seconds until erased rows are looked for again
REBUILT = "indexes rebuilt"  # value of ERASING
BEFORE_ALL = "-1"  # value of REACHED: copy everything
CLOSING_WAIT = 5.0  # seconds for another process that is following


class RecordFollower:
    """Follows the record of one folder; thread-safe."""

    def __init__(self, folder: Path, address: str, record: PostgresDatabase | None = None) -> None:
        """Prepare to follow; nothing is read.

        Args:
            folder: The archive's folder.
            address: The record's address.
            record: The record, if it is open.
        """
        self.folder = folder
        self.server = server_of(address)
        self._address = address
        self._record = record
        self._store: ArticleStore | None = None
        self._indexes: Indexes | None = None
        self._next_compaction = 0.0
        self._swept = False
        self._busy = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._as_of: datetime | None = None
        self._behind: tuple[int, datetime | None] = (0, None)  # changes, time of the oldest
        self._error: Exception | None = None

    def open_copy(self, *, wait: float = CLOSING_WAIT) -> ArticleStore:
        """Return the folder's copy, made from the record if it is missing.

        Args:
            wait: Seconds to wait for another process that is making it.

        Raises:
            RecordUnavailableError: There is no copy, and the record can't be reached.
            SettingsError: The folder has an archive of its own.
        """
        try:
            self._follow_alone(wait)
        except (ArchiveLockedError, OSError):  # another process follows, or may write here
            if not self._has_copy():
                raise
        except (RecordUnavailableError, ArchiveDamagedError) as error:
            if not self._has_copy():
                raise
            self._error = error  # readers go on with what they have
        store = ArticleStore(self.folder)
        if not is_follower(_sqlite(store)):
            store.close()
            raise own_archive_error(self.folder)
        self._store = store
        self._as_of = self._as_of or _stored_time(_sqlite(store))
        return store

    def attach(self, indexes: Indexes) -> None:
        """Set the indexes of this process, which are brought up to date with the copy."""
        self._indexes = indexes

    def start(self) -> None:
        """Follow in a thread of its own until `close`."""
        self._thread = threading.Thread(target=self._run, name="record-follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Close the connection to the record."""
        if self._record is not None:
            self._record.close()

    def _run(self) -> None:
        while not self._stop.wait(RETRY if self._error else INTERVAL):
            failed = self._error is not None
            try:
                self.follow()
            except Exception as error:  # kept for `state`; readers go on
                if not failed:
                    LOG.warning("the record at %s isn't followed: %s", self.server, error)
                continue
            if failed:
                LOG.warning("the record at %s is followed again", self.server)

    def follow(self, *, wait: float = 0.0) -> bool:
        """Bring the copy and the indexes up to date.

        Args:
            wait: Seconds to wait for another process that writes to the folder.

        Returns:
            False if another process writes to the folder, and does it instead.

        Raises:
            RecordUnavailableError: The record can't be reached.
            ArchiveDamagedError: The record is of another version.
        """
        with self._busy:
            try:
                done = self._follow(wait)
            except Exception as error:  # Tantivy and Chroma raise various types
                self._error = error
                raise
            self._error = None
            return done

    def _follow(self, wait: float) -> bool:
        indexes = self._indexes
        assert indexes is not None
        record = self.record
        if self._measure(record) and not self._may_compact():
            return True
        with indexes.hold_write_lock(wait) as may:
            if not may:
                return False
            with closing(SqliteDatabase(self.folder, writable=True)) as local:
                self._copy(record, local)
            self._finish_erasure(indexes)
            indexes.catch_up_in_turn()
            if not self._swept:  # after a process that was killed while it followed
                indexes.remove_leftovers()
                self._swept = True
        self._measure(record)
        return True

    def _follow_alone(self, wait: float) -> None:
        """Make or update the copy before there are indexes."""
        record = self.record
        lock = writer_lock(self.folder, wait)
        try:
            path = self.folder / "archive.sqlite"
            new = not path.exists()
            with closing(SqliteDatabase(self.folder, create=True, writable=True)) as local:
                if not new and not is_follower(local) and local.sequence():
                    raise own_archive_error(self.folder)
                self._copy(record, local)
        finally:
            lock.release()

    def _has_copy(self) -> bool:
        try:
            with closing(SqliteDatabase(self.folder)) as local:
                return is_follower(local)
        except BackfileError:
            return False

    @property
    def record(self) -> PostgresDatabase:
        """The record, opened on first use.

        Raises:
            RecordUnavailableError: It can't be reached.
        """
        if self._record is None:
            self._record = PostgresDatabase(self._address, self.folder)
        return self._record

    def _copy(self, record: PostgresDatabase, local: SqliteDatabase) -> Copied:
        now = datetime.now(UTC)

        def erase(revisions: Sequence[int]) -> None:
            erase_from_logs(self.folder, ArticleStore.over(local), revisions)

        copied = copy_changes(record, local, erase)
        self._as_of = now
        return copied

    def _measure(self, record: PostgresDatabase) -> bool:
        """Look how far the record is ahead; return True if the copy has all of its rows."""
        local = self._local
        sequence = local.sequence()
        now = datetime.now(UTC)
        row = record.connection.execute(
            "SELECT coalesce(max(sequence), 0), min(CASE WHEN sequence > ? THEN at END) "
            "FROM changes WHERE sequence >= ?",
            (sequence, sequence),
        ).fetchone()
        newest, oldest = row
        behind = max(0, int(newest) - sequence)
        self._behind = (behind, datetime.fromisoformat(oldest) if oldest else None)
        if newest != sequence or str(record.head()) != local.meta(REACHED):
            return False
        self._as_of = now
        return True

    def _may_compact(self) -> bool:
        """Return True if deleted rows are left in the files, and it is time to try again."""
        return bool(self._local.meta(ERASING)) and time.monotonic() >= self._next_compaction

    def _finish_erasure(self, indexes: Indexes) -> None:
        """Rewrite the indexes and the copy without deleted rows.

        A reader may keep the copy's log for a while: it is tried again later.
        """
        if not self._may_compact():
            return
        self._next_compaction = time.monotonic() + COMPACT_INTERVAL
        if self._local.meta(ERASING) != REBUILT:
            indexes.rebuild_without_erased()
        with closing(SqliteDatabase(self.folder, writable=True)) as local:
            local.set_meta(ERASING, REBUILT)
            if local.compact():
                local.connection.execute("DELETE FROM meta WHERE key = ?", (ERASING,))

    @property
    def copy(self) -> ArticleStore:
        """The folder's copy, after `open_copy`."""
        assert self._store is not None
        return self._store

    @property
    def _local(self) -> SqliteDatabase:
        return _sqlite(self.copy)

    def rewrite(self, *, wait: float = CLOSING_WAIT) -> bool:
        """Follow an erasure; return True once no deleted rows are left in this folder's files."""
        self._next_compaction = 0.0
        return self.follow(wait=wait) and not self._local.meta(ERASING)

    def compare(self) -> list[Difference]:
        """Return the tables of the copy that differ from the record's, at one position.

        Raises:
            ArchiveLockedError: Another process wrote to the folder for too long.
            RecordUnavailableError: The record can't be reached.
        """
        record = self.record
        with ExitStack() as held:
            for attempt in range(2):
                if attempt:  # others write all the time: make them wait until both are read
                    held.enter_context(record.hold_writers())
                self.follow(wait=CLOSING_WAIT)
                found = compare_copy(record, self._local, held.close)
                if found is not None:
                    return found
        raise ArchiveLockedError(
            f"another process is writing to {self.folder}: try again when it has finished"
        )

    def copy_anew(self) -> None:
        """Copy all of the record when the folder next follows it; the indexes are rebuilt."""
        with closing(SqliteDatabase(self.folder, writable=True)) as local:
            local.set_meta(REACHED, BEFORE_ALL)

    def state(self) -> FollowerState:
        """Return how the copy stands to the record, as of the last look."""
        changes, oldest = self._behind
        now = datetime.now(UTC)
        since = oldest
        if self._error is not None:
            since = self._as_of
        return FollowerState(
            server=self.server,
            reachable=not isinstance(self._error, RecordUnavailableError),
            as_of=self._as_of,
            lag_changes=changes,
            lag_seconds=max(0.0, (now - since).total_seconds()) if since else 0.0,
            problem=str(self._error or ""),
        )


def own_archive_error(folder: Path) -> SettingsError:
    """Return the error for a folder with articles of its own, when a record is set."""
    return SettingsError(
        f"the archive at {folder} has articles of its own, but BACKFILE_RECORD is set: name "
        "another folder, or copy these articles into an empty record with `backfile record push`"
    )


def _sqlite(store: ArticleStore) -> SqliteDatabase:
    assert isinstance(store.database, SqliteDatabase)
    return store.database


def _stored_time(local: SqliteDatabase) -> datetime | None:
    stored = local.meta(AS_OF)
    return datetime.fromisoformat(stored) if stored else None
