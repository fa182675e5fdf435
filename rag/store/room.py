"""Running out of room, or of the right to write: one line with the way out, whoever found out."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import ArchiveUnwritableError, BackfileError

# As SQLite, Chroma (which hands on what its SQLite says), Tantivy and the system itself put it.
_UNWRITABLE = re.compile(
    r"(?i)no space|disk is full|disk full|disk I/O|read-?only|permission denied|file too large|"
    r"quota|input/output error|unable to open database|code: (?:10|13|8|778|1034)\b|"
    r"StorageFull|ReadOnlyFilesystem|FileTooLarge|PermissionDenied|index writer was killed"
)
HARDLY_ANYTHING = 1 << 20  # bytes


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Raise ArchiveUnwritableError where the archive in `folder` turns out not to be writable."""
    try:
        yield
    except BackfileError:
        raise
    except Exception as error:
        if not is_want_of_room(error) and not _is_full(folder):
            raise
        raise unwritable(folder, error) from error


def _is_full(folder: Path) -> bool:
    """Return whether hardly anything is left: Chroma's compaction fails without saying why."""
    with suppress(OSError):
        return shutil.disk_usage(folder).free < HARDLY_ANYTHING
    return False


def is_want_of_room(error: Exception) -> bool:
    """Return whether an error says that there is no room, or no right to write."""
    return bool(_UNWRITABLE.search(f"{error} {getattr(error, 'strerror', '')}"))


def unwritable(folder: Path, error: Exception) -> ArchiveUnwritableError:
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


def unopened(folder: Path, error: Exception) -> ArchiveUnwritableError:
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
