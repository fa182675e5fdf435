"""The lock that one writer holds, and who holds it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import ArchiveLockedError

LOCK, HOLDER = "writer.lock", "writer.json"


def writers_lock(folder: Path, wait: float = 0.0) -> FileLock:
    """Take the writers' lock of an archive, waiting `wait` seconds for it.

    Raises ArchiveLockedError naming the process that holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise ArchiveLockedError(
            f"the archive at {folder} is being written to by {_holder(folder)}: "
            "try again when it has finished"
        ) from error
    now = datetime.now(UTC).isoformat(timespec="seconds")
    (folder / HOLDER).write_text(json.dumps({"pid": os.getpid(), "since": now}))
    return lock


def _holder(folder: Path) -> str:
    try:
        held = json.loads((folder / HOLDER).read_text())
        return f"process {held['pid']}, since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
