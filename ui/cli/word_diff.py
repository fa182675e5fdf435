"""What changed between two texts, word by word, for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Literal

Part = tuple[Literal["same", "gone", "new"], str]

CONTEXT = 8  # words that are left on each side of a change
_WORD = re.compile(r"\S+\s*|\s+")


def changes(before: str, after: str) -> Iterator[Part]:
    """Yield both texts as one, in order: what stayed, what went and what came."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    matcher = SequenceMatcher(None, [w.strip() for w in old], [w.strip() for w in new], False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            yield "same", "".join(new[j1:j2])
            continue
        if i1 < i2:
            yield "gone", "".join(old[i1:i2])
        if j1 < j2:
            yield "new", "".join(new[j1:j2])


def abridged(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts with all that stayed cut to a few words beside each change."""
    listed = list(parts)
    for number, (kind, text) in enumerate(listed):
        words = _WORD.findall(text)
        head = CONTEXT if number else 0
        tail = CONTEXT if number + 1 < len(listed) else 0
        if kind != "same" or len(words) <= head + tail + 1:
            yield kind, text
            continue
        yield kind, "".join([*words[:head], "… ", *(words[-tail:] if tail else [])])


def marked(parts: Iterable[Part]) -> str:
    """Return the parts as one text, with [-what went-] and {+what came+}."""
    marks = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}
    said = []
    for kind, text in parts:
        bare = text.rstrip()
        begin, end = marks[kind]
        said.append(f"{begin}{bare}{end}{text[len(bare) :]}" if bare else text)
    return "".join(said)
