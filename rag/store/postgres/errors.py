"""Errors of psycopg as this package's; none of them shows a password."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg import errors

from rag.errors import (
    ArchiveDamagedError,
    ArchiveLockedError,
    ArchiveUnwritableError,
    BackfileError,
    InvalidValueError,
    RecordUnavailableError,
)

_LOCKED = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
_UNWRITABLE = (
    errors.DiskFull,
    errors.InsufficientPrivilege,
    errors.ReadOnlySqlTransaction,
    errors.OutOfMemory,
)
_DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedTable)
_OF_A_VALUE = (errors.DataError, errors.ProgramLimitExceeded, errors.IntegrityError)
_SECRET = re.compile(r"(?i)(password\s*=\s*|://[^\s:/@]*:)[^\s@]+")


def map_error(error: psycopg.Error, server: str, folder: Path) -> BackfileError:
    """Return the error of this package for one of psycopg's.

    Args:
        error: The error.
        server: The record's server and database, for the message.
        folder: The archive's folder on this machine.
    """
    why = describe(error)
    if isinstance(error, _LOCKED):
        return ArchiveLockedError(
            f"the record at {server} is being written to by another process ({why}): "
            "try again when it has finished"
        )
    if isinstance(error, _UNWRITABLE):
        return ArchiveUnwritableError(
            f"the record at {server} cannot be written to ({why}): free disk space on the server, "
            "or grant this user the right, and run the same command again; articles already added "
            "are safe"
        )
    if isinstance(error, _DAMAGED):
        return ArchiveDamagedError(
            f"the record at {server} cannot be read ({why}): restore it from a dump of pg_dump"
        )
    if isinstance(error, _OF_A_VALUE):
        return InvalidValueError(f"the record at {server} cannot store this value: {why}")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RecordUnavailableError(
            f"the record at {server} cannot be reached ({why}): start PostgreSQL there, or check "
            "BACKFILE_RECORD"
        )
    return ArchiveDamagedError(f"the record at {server} refused a statement ({why})")


def describe(error: Exception) -> str:
    """Return an error's first line, without what could be a password."""
    line = str(error).strip().partition("\n")[0]
    return _SECRET.sub(r"\1***", line)[:200] or type(error).__name__
