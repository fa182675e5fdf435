"""Running out of room, or of the right to write: one line with the way out, whoever found out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import ArchiveUnwritableError, BackfileError

# As SQLite, Chroma (which hands on what its SQLite says), Tantivy and the system itself put it.
_UNWRITABLE = re.compile(
    r"(?i)no space|disk is full|disk full|disk I/O|read-?only|permission denied|file too large|"
    r"quota|input/output error|unable to open database|code: (?:10|13|8|778|1034)\b|"
    r"StorageFull|ReadOnlyFilesystem|FileTooLarge|PermissionDenied|index writer was killed"
)


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Raise ArchiveUnwritableError where the archive in `folder` turns out not to be writable."""
    try:
        yield
    except BackfileError:
        raise
    except Exception as error:
        if not _UNWRITABLE.search(f"{error} {getattr(error, 'strerror', '')}"):
            raise
        why = " ".join(str(error).split())[:200]
        raise ArchiveUnwritableError(
            f"the archive at {folder} cannot be written to ({why}): make room there, or let this "
            "user write, and run the same command again; what was put is safe"
        ) from error
