"""Exclusive locks between processes; each names its holder."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ArchiveLockedError
from rag.store.file_permissions import OWNER, make_private_folder, private_opener

if TYPE_CHECKING:
    from filelock import FileLock

WRITER, REEMBEDDING, VECTOR_SERVER = "writer", "reembedding", "vector-server"
_DOING = {
    WRITER: "written to",
    REEMBEDDING: "re-embedded",
    VECTOR_SERVER: "copied to its vector server",
}


def writer_lock(folder: Path, wait: float = 0.0) -> FileLock:
    """Take the write lock of an archive.

    Args:
        folder: The archive's folder.
        wait: Seconds to wait for it.

    Raises:
        ArchiveLockedError: Another process holds it; the message names the process.
    """
    return exclusive_lock(folder, WRITER, wait)


def exclusive_lock(folder: Path, name: str, wait: float = 0.0) -> FileLock:
    """Take the lock of this name.

    Args:
        folder: The archive's folder.
        name: WRITER, REEMBEDDING or VECTOR_SERVER.
        wait: Seconds to wait for it.

    Raises:
        ArchiveLockedError: Another process holds it; the message names the process.
    """
    from filelock import FileLock, Timeout  # 0.08 s, as it imports asyncio: only to write

    make_private_folder(folder)
    lock = FileLock(folder / f"{name}.lock", mode=OWNER, thread_local=False)
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise ArchiveLockedError(
            f"the archive at {folder} is being {_DOING[name]} by {_holder(folder, name)}: "
            "try again when it has finished"
        ) from error
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = json.dumps({"pid": os.getpid(), "since": now})
    with (
        suppress(OSError),  # on a full disk the holder stays unnamed
        open(folder / f"{name}.json", "w", opener=private_opener) as file,
    ):
        file.write(holder)
    return lock


def _holder(folder: Path, name: str) -> str:
    try:
        held = json.loads((folder / f"{name}.json").read_text())
        return f"process {held['pid']}, since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
