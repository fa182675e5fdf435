"""Reasons of rejects for programs and agents, which have no command line."""

from __future__ import annotations

import re
from typing import Final

_OPERATOR = "The server's operator can allow it."
_VIEW = "in the view Archive of the page"

# What reasons advise on the command line, and what a program can do instead.
_INSTEAD: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"; see --map(?![\w-])", "; name its columns title, text, url, published, publisher"),
        (r"; use `--map text=KEY`", "; send the text as `text`"),
        (r", or use `--as text` to read it as it is", ", or send its text in `articles`"),
        (r": `--allow-host [^`]{1,300}` permits it", f". {_OPERATOR}"),
        (r": pass `--headers FILE` or `--cookies FILE`", ": send the page as a file"),
        (r"(?<= )Accept: `backfile rejects --accept [^`]{1,100}`", f"Accept it {_VIEW}."),
        (r"(?<= )To allow it: `backfile sources add [^`]{1,900}`\.?", _OPERATOR),
        (r"that `backfile rejects` lists, with `--accept` or `--forget`", _VIEW),
    )
)
_CLAUSE = re.compile(r"(?<=[.:;,]) ")
_COMMAND = re.compile(r"`backfile |(?<![\w-])--[a-z]")


def reason_for_programs(reason: str) -> str:
    """Return the reason for a reject without advice that only the command line can follow.

    Args:
        reason: The reason, as `IngestReport` and `backfile rejects` have it.
    """
    for pattern, instead in _INSTEAD:
        reason = pattern.sub(instead, reason)
    if not _COMMAND.search(reason):
        return reason
    kept = [clause for clause in _CLAUSE.split(reason) if not _COMMAND.search(clause)]
    return " ".join(kept).rstrip(":;, ") or "not added"
