"""Small databases beside the archive's own: files of its folder, or parts of a shared record.

They are written to while another process ingests. Each use is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.errors import SettingsError
from rag.store.database import Connection
from rag.store.side_file import FolderHome, SideHome, empty_database

Place = Path | SideHome
Rows = dict[str, list[tuple[Any, ...]]]  # by table


class SideDatabase:
    """A small database; created by the first change.

    Attributes:
        form: The file, or the part of the record.
    """

    def __init__(self, place: Place, file: str, migrations: Sequence[str], damaged: str) -> None:
        """Name the database; nothing is opened.

        Args:
            place: Where the archive's side databases are; its folder for files there.
            file: The file's name.
            migrations: Statements, separated by semicolons, that upgrade the schema by one version
                each; released ones never change.
            damaged: What to do if the file is damaged, for the error.
        """
        home = FolderHome(place) if isinstance(place, Path) else place
        self.form = home.open(file, migrations, damaged)
        self._migrations = migrations

    @property
    def name(self) -> str:
        """The file, or the server and the schema, for messages."""
        return self.form.name

    @property
    def exists(self) -> bool:
        """True if anything has been written.

        Raises:
            RecordUnavailableError: The record can't be reached.
        """
        return self.form.exists

    def read(self) -> AbstractContextManager[Connection]:
        """Yield a connection on which several statements see one state.

        Raises:
            ArchiveDamagedError: It is damaged, or a newer version of Backfile wrote it.
            ArchiveLockedError: Another process held it for too long.
            RecordUnavailableError: The record can't be reached.
        """
        return self.form.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction: all of its changes are committed, or none.

        Raises:
            ArchiveDamagedError: It is damaged, or a newer version of Backfile wrote it.
            ArchiveLockedError: Another process held it for too long.
            ArchiveUnwritableError: The disk is full, or the folder can't be written to.
            RecordUnavailableError: The record can't be reached.
        """
        with self.form.write() as connection:
            self._purge(connection)
            yield connection

    def compact(self) -> None:
        """Rewrite it without the bytes of deleted rows."""
        self.form.compact()

    def find_damage(self) -> str:
        """Return the first problem of its pages on the disk; "" without one."""
        return self.form.find_damage()

    def copy_from(self, other: SideDatabase) -> None:
        """Take over all rows of a database of the same kind, which stays as it is.

        Rows that are there already, as after a kill, are taken for the copy.

        Raises:
            SettingsError: There are other rows here.
        """
        if not other.exists:
            return
        tables = self._tables()
        with other.read() as source:
            rows = _rows_of(source, tables)
        with self.form.write() as target:
            found = _rows_of(target, tables)
            if found == rows:
                return
            if any(found.values()):
                raise SettingsError(
                    f"{self.name} isn't empty, and differs from {other.name}: create an empty "
                    "database for the record"
                )
            _insert(target, tables, rows)

    def replace_by(self, other: SideDatabase) -> None:
        """Have the rows of a database of the same kind, which stays as it is, and no others."""
        tables = self._tables()
        with other.read() as source:
            rows = _rows_of(source, tables)
        if not any(rows.values()) and not self.exists:
            return
        with self.form.write() as target:
            for table in tables:
                target.execute(f"DELETE FROM {table}")  # nosec B608 # names of our schema
            _insert(target, tables, rows)

    def insert_into(self, target: Connection) -> None:
        """Insert all rows into the empty tables of another database of the same kind."""
        tables = self._tables()
        with self.read() as source:
            _insert(target, tables, _rows_of(source, tables))

    def _tables(self) -> dict[str, list[str]]:
        """Return the quoted names of the columns of each table."""
        with empty_database(self._migrations) as empty:
            names = empty.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return {
                table: [f'"{row[1]}"' for row in empty.execute(f'PRAGMA table_info("{table}")')]
                for (table,) in names
            }

    def _purge(self, connection: Connection) -> None:
        """Delete what is no longer needed; called by each change."""


def _rows_of(connection: Connection, tables: dict[str, list[str]]) -> Rows:
    return {
        table: sorted(
            (
                tuple(row)
                for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # nosec B608 # names of our schema
            ),
            key=repr,
        )
        for table, columns in tables.items()
    }


def _insert(connection: Connection, tables: dict[str, list[str]], rows: Rows) -> None:
    for table, columns in tables.items():
        connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) "  # nosec B608 # names of our schema
            f"VALUES ({', '.join('?' * len(columns))})",
            rows[table],
        )


def to_text(moment: datetime) -> str:
    """Return a moment in UTC as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
