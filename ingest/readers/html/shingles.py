"""Word shingles, to find one text in another."""

from __future__ import annotations

import re

SHINGLE = 4  # words; characters of scripts without spaces
_NO_SPACES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff"
_TOKENS = re.compile(rf"[{_NO_SPACES}]|[^\W{_NO_SPACES}]+")

Shingles = frozenset[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    """Return the runs of `SHINGLE` words in a text; a shorter text is a single run."""
    words = _TOKENS.findall(text.casefold())
    if not words:
        return frozenset()
    return frozenset(tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1)))


def share_of(part: Shingles, whole: Shingles) -> float:
    """Return the share of `part` that is in `whole`; 0 if `part` is empty."""
    return len(part & whole) / len(part) if part else 0.0
