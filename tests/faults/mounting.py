"""A small file system for one process, unmounted when it ends (Linux namespaces and tmpfs)."""

from __future__ import annotations

import ctypes
import errno
import os
import time
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
MS_RDONLY, MS_REMOUNT = 1, 32
PATIENCE = 60  # seconds for the indexes' own threads to close their last file


def mount_own(folder: Path, size: int) -> str:
    """Mount a file system of `size` bytes at `folder`, for this process and those it forks.

    Returns why it cannot be done, where it cannot.  The process must have one thread.
    """
    folder.mkdir(parents=True, exist_ok=True)
    user, group = os.getuid(), os.getgid()
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        _raise_errno(libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if user else 0)))
        if user:  # root in a namespace of its own, where a tmpfs may be mounted
            for name, line in (
                ("setgroups", "deny"),
                ("uid_map", f"0 {user} 1"),
                ("gid_map", f"0 {group} 1"),
            ):
                Path(f"/proc/self/{name}").write_text(line)
        _raise_errno(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
        where, options = os.fsencode(folder), f"size={size}".encode()
        _raise_errno(libc.mount(b"tmpfs", where, b"tmpfs", 0, options))
    except (OSError, AttributeError) as error:
        return f"cannot mount a file system of its own: {error}"
    return ""


def set_writable(folder: Path, *, whether: bool) -> None:
    """Make the mounted file system writable or read-only.

    While a file in it is open for writing, Linux refuses (`EBUSY`), and threads of Chroma's and
    Tantivy's may end a little after the archive is closed: try until they have.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    flags = MS_REMOUNT | (0 if whether else MS_RDONLY)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            _raise_errno(libc.mount(None, os.fsencode(folder), None, flags, None))
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > until:
                raise
        else:
            return


def _raise_errno(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
