"""Forms of one name across an archive: spellings, middle initials, bare surnames."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import numpy.typing as npt

from rag.nlp.name_lists import ALIASES, GIVEN_NAMES
from rag.nlp.name_spans import fold
from rag.nlp.names import KINDS
from rag.store.names import Ids, NameTable

DOMINANT = 0.8  # share of a surname's articles from which its bearer is meant where it stands alone
FEWEST = 3  # articles that the bearer must have
NO_WORD = -1
_PERSON, _ORGANISATION = KINDS.index("person"), KINDS.index("organisation")
_LEGAL_FORM = re.compile(r",? (?:inc|corp|corporation|co|company|ltd|llc|plc)\.?$")
_LEGAL_ENDS = ("inc", "corp", "corporation", "co", "company", "ltd", "llc", "plc", ".")
_LAST_SOUND = re.compile(r"(?:yy|iy|ij|yi)\b")  # Zelenskyy, Zelenskiy
_SUFFIX = re.compile(r",? (?:jr|sr)\.?$")


def spelling_key(name: str, kind: int) -> str:
    """Return a key that spellings of one name share.

    Args:
        name: The name.
        kind: The position of its kind in KINDS.
    """
    low = name.lower()
    if not low.isascii():
        low = unicodedata.normalize("NFKD", low.replace("’", "'"))
        low = "".join(c for c in low if not unicodedata.combining(c))
    low = low.rstrip(".")
    low = ALIASES.get(low, low).lower()
    if kind == _PERSON:
        return _LAST_SOUND.sub("y", low) if "y" in low or "ij" in low else low
    if kind == _ORGANISATION:
        low = low.removeprefix("the ").replace(" & ", " and ")
        return _LEGAL_FORM.sub("", low) if low.endswith(_LEGAL_ENDS) else low
    return low


class NameForms:
    """Codes by which forms of a name are compared: one row of numbers for each name.

    It depends on nothing but the names, so it is read once and then extended.
    """

    def __init__(self) -> None:
        """Start without names."""
        self.by_name: dict[str, list[int]] = {}  # numbers of the names that fold to the same
        self._names: tuple[str, ...] = ()
        self._codes: dict[object, int] = {}
        self._rows = np.empty((0, 6), np.int64)

    def extended(self, table: NameTable) -> NameForms:
        """Return the forms of all names of a table, without reading known names again."""
        known = len(self._names)
        if (
            table.names is not self._names and table.names[:known] != self._names
        ):  # an article was erased, or a name repaired
            return NameForms().extended(table)
        if len(table.names) > known:
            new = range(known, len(table.names))
            rows = [self._row(n, table.names[n], int(table.kinds[n])) for n in new]
            self._rows = np.concatenate([self._rows, np.array(rows, np.int64)])
            self._names = table.names
        return self

    def _row(self, number: int, name: str, kind: int) -> tuple[int, ...]:
        """Return codes of the spelling, core, variety, first, last and only word of a name."""
        folded = fold(name)
        self.by_name.setdefault(folded, []).append(number)
        spelling = self._code((kind, spelling_key(name, kind)))
        if kind != _PERSON:
            return spelling, NO_WORD, 0, NO_WORD, NO_WORD, NO_WORD
        low = name.lower()
        bare = _SUFFIX.sub("", low) if folded.endswith(("jr", "sr")) else low
        words = (bare.replace(".", "") if "." in bare else bare).split()
        if len(words) < 2:
            return spelling, NO_WORD, 0, NO_WORD, NO_WORD, self._code(bare)
        first = NO_WORD if words[0] in GIVEN_NAMES else self._code(words[0])
        last = NO_WORD if words[-1] in GIVEN_NAMES else self._code(words[-1])
        last = NO_WORD if first == last else last
        if len(words) == 2:
            core = self._code(" ".join(words))
            return spelling, core, 2 if bare != low else 0, first, last, NO_WORD
        middle = [word for word in words[1:-1] if len(word) > 1]
        core = self._code(" ".join((words[0], *middle, words[-1])))
        variety = 2 if bare != low else int(len(middle) < len(words) - 2)
        return spelling, core, variety, first, last, NO_WORD

    def _code(self, value: object) -> int:
        return self._codes.setdefault(value, len(self._codes))

    def beginning(self, wanted: str) -> list[int]:
        """Return the numbers of the names in which a word begins with some letters.

        Args:
            wanted: The letters, folded, without a line break.
        """
        names, numbers = tuple(self.by_name), list(self.by_name.values())
        lines = "\n ".join(("", *names))  # one search of 3 MB instead of one for each name
        found: list[int] = []
        at, line, seen = -1, -1, 0
        while (at := lines.find(f" {wanted}", at + 1)) >= 0:
            line += lines.count("\n", seen, at)
            seen = at
            found += numbers[line]
            at = lines.find("\n", at)  # each name once
            if at < 0:
                break
        return found

    def bearers(self, word: str) -> list[int]:
        """Return the numbers of the people whose name begins or ends with a surname."""
        code = self._codes.get(word.lower(), NO_WORD - 1)
        found = (self._rows[:, 3] == code) | (self._rows[:, 4] == code)
        return [int(number) for number in np.flatnonzero(found)]

    def merge(self, counts: Ids) -> Ids:
        """Return for each name the number of the name that it is a form of, mostly itself.

        Only names that occur are compared, so a reader's result tells nothing of other articles.

        Args:
            counts: The number of articles that the reader may see, by the name's number.

        Returns:
            Numbers of names, shape (n,).
        """
        roots = np.arange(len(counts), dtype=np.int64)
        seen = np.flatnonzero(counts)
        if not len(seen):
            return roots
        rows = self._rows[: len(counts)]
        seen = seen[np.lexsort((seen, -counts[seen], rows[seen, 0]))]
        opens = np.concatenate([[True], np.diff(rows[seen, 0]) != 0])
        roots[seen] = seen[opens][np.cumsum(opens) - 1]
        totals = np.zeros(len(roots))
        np.add.at(totals, roots[seen], counts[seen])
        _merge_initials(rows, seen[opens], totals, roots)
        _merge_surnames(rows, seen[opens], totals, roots)
        merged: Ids = roots[roots[roots]]  # a surname to a variety to a root
        return merged


def _merge_initials(rows: Ids, seen: Ids, totals: npt.NDArray[np.float64], roots: Ids) -> None:
    """Merge "Ann B. Lee" with "Ann Lee", unless there is an "Ann C. Lee" too.

    "Ann Lee Jr." is "Ann Lee" only if she is mostly called so: else there is a senior.
    """
    people = seen[rows[seen, 1] != NO_WORD]
    people = people[np.argsort(rows[people, 1], kind="stable")]
    _, starts, sizes = np.unique(rows[people, 1], return_index=True, return_counts=True)
    for start in starts[sizes == 2].tolist():
        plain, other = sorted(people[start : start + 2].tolist(), key=lambda n: rows[n, 2])
        same = rows[plain, 2] == 0 and (rows[other, 2] == 1 or totals[other] > totals[plain])
        if same and rows[other, 2]:
            root, form = (plain, other) if totals[plain] >= totals[other] else (other, plain)
            roots[form] = root
            totals[root] += totals[form]


def _merge_surnames(rows: Ids, seen: Ids, totals: npt.NDArray[np.float64], roots: Ids) -> None:
    """Merge a bare surname with the bearer who has most of its articles."""
    people = seen[(rows[seen, 1] != NO_WORD) & (roots[seen] == seen)]
    bearers = np.concatenate([people, people])
    words = np.concatenate([rows[people, 3], rows[people, 4]])
    bearers, words = bearers[words != NO_WORD], words[words != NO_WORD]
    bare = seen[rows[seen, 5] != NO_WORD]
    if not len(bearers) or not len(bare):
        return
    order = np.lexsort((bearers, -totals[bearers], words))
    bearers, words = bearers[order], words[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(words) != 0]))
    best, sums = bearers[starts], np.add.reduceat(totals[bearers], starts)
    at = np.minimum(np.searchsorted(words[starts], rows[bare, 5]), len(starts) - 1)
    known = words[starts][at] == rows[bare, 5]
    chosen = best[at]
    dominant = (totals[chosen] >= FEWEST) & (totals[chosen] >= DOMINANT * sums[at])
    roots[bare[known & dominant]] = chosen[known & dominant]
