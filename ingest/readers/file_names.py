r"""File names as printable text, and back to the file.

Linux file names are bytes; Python represents those that aren't UTF-8 by lone surrogates, which
neither SQLite nor JSON accepts. In a place such a byte is written `\\xe9`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from rag.schema import Article

ARTICLE_PLACE = "article:"  # begins the place of an article that has no URL on the web
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def printable_name(name: str | Path) -> str:
    """Return a name with non-UTF-8 bytes and lone surrogates escaped."""
    text = str(name)
    try:
        text.encode()
    except UnicodeEncodeError:
        whole = text.encode("utf-8", "surrogatepass")
        try:
            whole = os.fsencode(text)
        except UnicodeEncodeError:  # surrogates that don't represent a byte
            return text.encode("utf-8", "backslashreplace").decode()
        return whole.decode("utf-8", "backslashreplace")
    return text


def article_place(article: Article) -> str:
    """Return the place of an article in reports: its URL on the web, or else its ID.

    Articles may give any URL and ID. What looks like a file or a storage's address would be read
    when rejects are retried.
    """
    if re.match(r"(?i)https?://", article.url):
        return article.url
    return f"{ARTICLE_PLACE}{article.id}"


def path_of(text: str) -> Path:
    """Return the path of a name written by `printable_name`; a file with the literal name wins."""
    path = Path(text)
    if "\\x" not in text or _exists(path):
        return path
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), os.fsencode(text))
    unescaped = Path(os.fsdecode(raw))
    return unescaped if _exists(unescaped) else path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False
