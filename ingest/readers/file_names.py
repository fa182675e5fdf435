"""File names as text that can be stored and printed, and back to the file.

A name on Linux is bytes, and Python reads those that aren't UTF-8 as lone surrogates, which neither
SQLite nor JSON takes. In a place such a byte is written `\\xe9`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def printable_name(name: str | Path) -> str:
    """Return a name with the bytes that are no UTF-8, and lone surrogates, as escapes."""
    text = str(name)
    try:
        text.encode()
    except UnicodeEncodeError:
        whole = text.encode("utf-8", "surrogatepass")
        try:
            whole = os.fsencode(text)
        except UnicodeEncodeError:  # surrogates that stand for no byte of a name
            return text.encode("utf-8", "backslashreplace").decode()
        return whole.decode("utf-8", "backslashreplace")
    return text


def path_of(text: str) -> Path:
    """Return the path that `printable` wrote: the name as it stands, if there is such a file."""
    path = Path(text)
    if "\\x" not in text or _exists(path):
        return path
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), os.fsencode(text))
    unescaped = Path(os.fsdecode(raw))
    return unescaped if _exists(unescaped) else path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for any file, or with a zero byte
        return False
