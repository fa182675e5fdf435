"""Owner-only permissions for an archive's files and folders: modes 0600 and 0700.

Folders are created with their mode, so files that libraries create in them are never readable by
others; Backfile's own files get theirs after each write. Only known names are touched: an archive's
folder may contain other files.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OWNER, OWNER_FOLDER = 0o600, 0o700
OTHERS = stat.S_IRWXG | stat.S_IRWXO
_FILES = (
    "archive.sqlite*",
    "saved.sqlite3*",
    "users.sqlite3*",
    "limits.sqlite3*",
    "cursors.sqlite3*",
    "jobs.sqlite3*",
    "audit.*jsonl*",
    "vectors.json*",
    "vectors.int8*",
    "*.lock",
    "writer.json",
    "reembedding.json",
    "vector-server.json",
    "feedback.jsonl",
    "sources.toml*",
)
_FOLDERS = ("lexical", "lexical-articles", "vectors", "vectors-*", ".restore-*")


def make_private_folder(folder: Path) -> None:
    """Create a folder that only its owner can enter; an existing one is left as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=OWNER_FOLDER, exist_ok=True)


def private_opener(path: str, flags: int) -> int:
    """Open a file for `open`, creating it readable by its owner only."""
    return os.open(path, flags, OWNER)


def make_private(folder: Path) -> None:
    """Remove other users' permissions from an archive's folder and files.

    Files of another owner are left as they are. So is a folder that isn't the archive's alone: a
    shared system folder, or the user's home.
    """
    if not _is_shared(folder):
        _restrict(folder)
    for pattern in _FILES:
        for path in folder.glob(pattern):
            _restrict(path)
    for pattern in _FOLDERS:
        for path in folder.glob(pattern):
            make_tree_private(path)


def make_tree_private(folder: Path) -> None:
    """Remove other users' permissions from a folder and everything in it."""
    _restrict(folder)
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _restrict(Path(where, name))


def _restrict(path: Path) -> None:
    with suppress(OSError):  # deleted in the meantime, or another user's
        found = path.lstat()
        if found.st_mode & OTHERS and not stat.S_ISLNK(found.st_mode):
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)


def _is_shared(folder: Path) -> bool:
    with suppress(OSError, RuntimeError):
        here, home = folder.resolve(), Path.home().resolve()
        return bool(here.stat().st_mode & stat.S_ISVTX) or here == home or here in home.parents
    return True
