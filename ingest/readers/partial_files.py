"""Detect files that another program is still writing."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import IO

STILL_WRITTEN = "still being written: ingest it again once it is complete"


def is_being_written(path: Path) -> bool:
    """Return whether another program has the file open for writing, where the system can tell."""
    try:
        with path.open("rb") as file:
            return has_writer(file)
    except OSError:
        return False


def has_writer(file: IO[bytes]) -> bool:
    """Return whether an open file has a writer; False where the system can't tell.

    Linux grants no read lease on a file that has a writer; the lease is released at once.
    """
    try:
        import fcntl

        set_lease, read_lease, no_lease = fcntl.F_SETLEASE, fcntl.F_RDLCK, fcntl.F_UNLCK
    except (ImportError, AttributeError):  # not Linux
        return False
    try:
        # A writer that opens the file now triggers a signal; the default, SIGIO, would end us.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, set_lease, read_lease)
        fcntl.fcntl(file, set_lease, no_lease)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def file_state(file: IO[bytes]) -> tuple[int, int]:
    """Return the size and modification time of a file, which change when it is written."""
    stat = os.fstat(file.fileno())
    return stat.st_size, stat.st_mtime_ns
