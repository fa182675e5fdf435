"""Files and folders of an archive that only its owner can read or write: modes 0600 and 0700.

Folders are made with their mode, so what a library creates in them is never open to others; its
own files get theirs after each write.  Only names that Backfile gives are touched: an archive's
folder may hold other things.
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
    "vectors.json*",
    "*.lock",
    "writer.json",
    "reembedding.json",
    "feedback.jsonl",
    "sources.toml*",
)
_FOLDERS = ("lexical", "vectors", "vectors-*", ".restore-*")


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter; one that is there stays as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=OWNER_FOLDER, exist_ok=True)


def private_opener(path: str, flags: int) -> int:
    """Open a file for `open`: where it is made, only its owner can read it."""
    return os.open(path, flags, OWNER)


def make_private(folder: Path) -> None:
    """Take the rights of others to an archive's folder and files away.

    What belongs to somebody else, who may not change it, is left; so is a folder that is plainly
    not the archive's alone: one of the system's for everybody, or the user's home.
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
    """Take the rights of others away from a folder and everything in it."""
    _restrict(folder)
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _restrict(Path(where, name))


def _restrict(path: Path) -> None:
    with suppress(OSError):  # gone meanwhile, or another user's
        found = path.lstat()
        if found.st_mode & OTHERS and not stat.S_ISLNK(found.st_mode):
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)


def _is_shared(folder: Path) -> bool:
    with suppress(OSError, RuntimeError):
        here, home = folder.resolve(), Path.home().resolve()
        return bool(here.stat().st_mode & stat.S_ISVTX) or here == home or here in home.parents
    return True
