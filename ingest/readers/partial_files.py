"""Whether a file is whole, or somebody is still writing it."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import IO

STILL_WRITTEN = "still being written: put it in again when it is whole"


def is_being_written(path: Path) -> bool:
    """Return whether another program has the file open to write, where the system can tell."""
    try:
        with path.open("rb") as file:
            return has_writer(file)
    except OSError:
        return False


def has_writer(file: IO[bytes]) -> bool:
    """Return whether an open file is open for writing somewhere as well; False if none can tell.

    Linux grants a lease for reading on no file that has a writer; it is given back at once.
    """
    try:
        import fcntl

        set_lease, read_lease, no_lease = fcntl.F_SETLEASE, fcntl.F_RDLCK, fcntl.F_UNLCK
    except (ImportError, AttributeError):  # not Linux
        return False
    try:
        # Somebody who opens it to write in this very moment makes the kernel tell us: by a signal
        # that is ignored, for SIGIO, its first choice, ends a program.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, set_lease, read_lease)
        fcntl.fcntl(file, set_lease, no_lease)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def file_state(file: IO[bytes]) -> tuple[int, int]:
    """Return what changes when somebody writes to a file: its size and its time."""
    stat = os.fstat(file.fileno())
    return stat.st_size, stat.st_mtime_ns
