"""Word-by-word difference of two texts, for the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Literal

Part = tuple[Literal["same", "removed", "added"], str]

CONTEXT = 8  # words shown on each side of a change
_WORD = re.compile(r"\S+\s*|\s+")


def diff_words(before: str, after: str) -> Iterator[Part]:
    """Yield the parts of both texts in order: those in both, those removed and those added."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    matcher = SequenceMatcher(None, [w.strip() for w in old], [w.strip() for w in new], False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            yield "same", "".join(new[j1:j2])
            continue
        if i1 < i2:
            yield "removed", "".join(old[i1:i2])
        if j1 < j2:
            yield "added", "".join(new[j1:j2])


def abridge(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts, with unchanged text cut to a few words beside each change."""
    listed = list(parts)
    for number, (kind, text) in enumerate(listed):
        words = _WORD.findall(text)
        head = CONTEXT if number else 0
        tail = CONTEXT if number + 1 < len(listed) else 0
        if kind != "same" or len(words) <= head + tail + 1:
            yield kind, text
            continue
        yield kind, "".join([*words[:head], "… ", *(words[-tail:] if tail else [])])


def mark_changes(parts: Iterable[Part]) -> str:
    """Return the parts as one text, with [-removed-] and {+added+} words marked."""
    marks = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
    marked = []
    for kind, text in parts:
        bare = text.rstrip()
        begin, end = marks[kind]
        marked.append(f"{begin}{bare}{end}{text[len(bare) :]}" if bare else text)
    return "".join(marked)
