"""Word-by-word difference of two texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "removed", "added"]
Part = tuple[Kind, str]

CONTEXT = 8  # words shown on each side of a change
SHORTEST_RUN = 4  # words in both texts that stand between two changes
MAX_COST = 300_000  # pairs of equal words; SequenceMatcher takes 0.1 s for each pass over them
_WORD = re.compile(r"\S+\s*|\s+")
_PARAGRAPH = re.compile(r"[^\n]+\n*|\n+")


def diff_words(before: str, after: str) -> Iterator[Part]:
    """Yield the parts of both texts in order: those in both, those removed and those added.

    The time grows with the product of the repetitions of a word. Texts that repeat words too often
    are compared by paragraph first; a paragraph that does is replaced as a whole.
    """
    for kind, removed, added in _changes([before], [after], (_PARAGRAPH, _WORD)):
        if kind == "equal":
            yield "same", "".join(added)
            continue
        yield from _change("".join(removed), "".join(added))


def join_changes(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts with changes joined that only a few words lie between.

    A rewritten sentence shares words such as "of the" with the one before; it reads better as one
    change. Words between two changes become part of both.
    """
    listed = list(parts)
    removed = added = ""
    for number, (kind, text) in enumerate(listed):
        is_between = 0 < number < len(listed) - 1
        words = len(text.split())
        if kind == "removed":
            removed += text
        elif kind == "added":
            added += text
        elif is_between and words < SHORTEST_RUN and "\n\n" not in text:
            removed, added = removed + text, added + text
        else:
            yield from _change(removed, added)
            removed = added = ""
            yield kind, text
    yield from _change(removed, added)


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


def _change(removed: str, added: str) -> Iterator[Part]:
    if removed:
        yield "removed", removed
    if added:
        yield "added", added


def _changes(
    old: Sequence[str], new: Sequence[str], finer: Sequence[re.Pattern[str]]
) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Yield what is equal and what was replaced, in the smallest parts that are cheap to compare.

    Args:
        old: Parts of the text before.
        new: Parts of the text after.
        finer: Patterns of smaller parts, the smallest last.
    """
    old_words, new_words = (finer[-1].findall("".join(parts)) for parts in (old, new))
    if _cost(old_words, new_words) <= MAX_COST:
        old, new, finer = old_words, new_words, finer[-1:]
    else:
        old, new = (finer[0].findall("".join(parts)) for parts in (old, new))
    if _cost(old, new) > MAX_COST:
        yield "replace", old, new
        return
    matcher = SequenceMatcher(None, [w.strip() for w in old], [w.strip() for w in new], False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal" or len(finer) < 2:
            yield kind, old[i1:i2], new[j1:j2]
        else:
            yield from _changes(old[i1:i2], new[j1:j2], finer[1:])


def _cost(old: Iterable[str], new: Iterable[str]) -> int:
    """Return the number of pairs of equal words, which bounds one pass of SequenceMatcher."""
    counts = Counter(word.strip() for word in old)
    return sum(counts[word.strip()] for word in new)
