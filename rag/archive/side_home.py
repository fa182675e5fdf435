"""The home of an archive's side databases: its folder, or its shared record."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rag.errors import ArchiveDamagedError, SettingsError
from rag.settings import Settings
from rag.store.connection import connect_existing
from rag.store.database import COPY_MARK
from rag.store.side_file import FolderHome, SideForm, SideHome
from rag.store.sqlite_database import FILE


def home_of(settings: Settings) -> SideHome:
    """Return where the side databases of the settings' archive are; the record isn't opened.

    Raises:
        SettingsError: The record's address can't be read.
        ArchiveDamagedError: See `is_copy`.
    """
    if settings.record:
        from rag.store.postgres.side_schema import RecordHome  # psycopg: 0.1 s

        return RecordHome(settings.archive, settings.record)
    return home_in(settings.archive, is_copy=is_copy(settings.archive))


def home_in(folder: Path, *, is_copy: bool) -> SideHome:
    """Return where the side databases of a folder are, when no record is set.

    Args:
        folder: The folder.
        is_copy: Whether it follows a record, which has its users: without them, a server would let
            everybody in.
    """
    return UnsetHome(folder) if is_copy else FolderHome(folder)


def identity_of(settings: Settings) -> str:
    """Return what the servers of one archive have in common: the record, or the folder's path.

    Raises:
        SettingsError: The record's address can't be read.
    """
    if not settings.record:
        return str(settings.archive.resolve())
    from rag.store.postgres.database import server_of

    return server_of(settings.record)  # never the password


def is_copy(folder: Path) -> bool:
    """Return whether a folder has the copy of a shared record; false for a damaged file.

    Raises:
        ArchiveDamagedError: The file can't be read now. Without an answer nobody may be let in.
    """
    if not (folder / FILE).exists():
        return False
    try:
        with closing(connect_existing(folder / FILE)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                return False
            row = connection.execute(
                "SELECT value FROM meta WHERE key = ?", (COPY_MARK,)
            ).fetchone()
    except ArchiveDamagedError:  # which can't be served either
        return False
    except Exception as error:  # SQLite's: locked, not readable, too many open files
        raise ArchiveDamagedError(
            f"the archive at {folder} cannot be read now ({error}): try again, or check who may "
            "read its files"
        ) from error
    return bool(row and row[0])


@dataclass(frozen=True, slots=True)
class UnsetHome:
    """The home of a folder that follows a record, when no record is set: every use is refused.

    Attributes:
        folder: The folder.
    """

    folder: Path

    def open(self, file: str, _migrations: Sequence[str], _damaged: str) -> SideForm:
        """Return a database that refuses every use."""
        return _Refused(self.folder, Path(file).stem)


@dataclass(frozen=True, slots=True)
class _Refused:
    folder: Path
    name: str

    @property
    def exists(self) -> bool:
        """Refuse."""
        self._refuse()

    def read(self) -> NoReturn:
        """Refuse."""
        self._refuse()

    def write(self) -> NoReturn:
        """Refuse."""
        self._refuse()

    def compact(self) -> None:
        """Refuse."""
        self._refuse()

    def find_damage(self) -> str:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise SettingsError(
            f"the archive at {self.folder} is the copy of a shared record, which has its "
            f"{self.name}: set BACKFILE_RECORD"
        )
