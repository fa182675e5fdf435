"""Measure the names found in labelled passages, and the time of a name's page.

    python -m tests.benchmarks.names ARCHIVE [--labels LABELS] [--show] [--runs N]

LABELS has a JSON line for each passage: the article's ID, the passage's `start` and `end` in its
text, and its `names`, each with its forms and the kinds that are right, none if readers might
differ. A name counts once a passage. Then the names of ARCHIVE are read as a server reads them at
its start, and the pages of the most frequent names are opened N times each, the first page first.
Exits with 1 below a floor or above a ceiling.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rag.archive.archive import Archive
from rag.nlp.names import KINDS, find_typed_names

PRECISION, RECALL = 0.90, 0.75  # floors
PAGE = 300.0  # ms, ceiling of a name's page, the first included
MOST_FREQUENT = 3  # pages of each kind
_POSSESSIVE = re.compile(r"'s?$")
# Addresses, which may be places or not, and words that are names of nobody in particular.
_STREET = re.compile(
    r"\b(?:st|ave|avenue|road|rd|street|blvd|boulevard|drive|lane|hwy|highway|way|parkway|pike|"
    r"interstate)\.?$|^interstate"
)
_UNJUDGED = frozenset({"democrats", "republicans", "god", "earth", "americans"})

Form = tuple[str, str]  # a name as it stands in a passage, folded, and its kind


@dataclass
class Count:
    """Names found rightly, found wrongly and missed, by kind."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def line(self, kinds: Sequence[str]) -> str:
        """Return precision and recall for some kinds."""
        precision, recall = self.figures(kinds)
        return f"precision {precision:.3f}, recall {recall:.3f}"

    def figures(self, kinds: Sequence[str] = KINDS) -> tuple[float, float]:
        """Return precision and recall for some kinds."""
        right, wrong, missed = (
            sum(counts[kind] for kind in kinds) for counts in (self.right, self.wrong, self.missed)
        )
        return right / max(right + wrong, 1), right / max(right + missed, 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.names")
    parser.add_argument("archive", type=Path, help="an archive with the labelled articles")
    parser.add_argument("--labels", type=Path, help="a JSON line for each passage")
    parser.add_argument("--show", action="store_true", help="print each wrong and missed name")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    with Archive.open(options.archive) as archive:
        is_good = not options.labels or _count(archive, options.labels, show=options.show)
        is_fast = _time_pages(archive, options.runs)
    return 0 if is_good and is_fast else 1


def _count(archive: Archive, labels: Path, *, show: bool) -> bool:
    count = Count()
    lines = labels.read_text(encoding="utf-8").splitlines()
    for line in lines:
        for what, name, kind in _compare(archive, json.loads(line), count):
            if show:
                print(f"{what}: {name} ({kind})")
    print(f"{len(lines)} passages: {count.line(KINDS)}")
    for kind in KINDS:
        print(f"  {kind}: {count.line([kind])}")
    precision, recall = count.figures()
    return precision >= PRECISION and recall >= RECALL


def _compare(
    archive: Archive, label: dict[str, Any], count: Count
) -> Iterator[tuple[str, str, str]]:
    """Count the names of a passage; yield those that are wrong or missed."""
    found = _found(archive.article(label["article"]).text, label["start"], label["end"])
    used, unjudged = set[Form](), set[str]()
    for name in label["names"]:
        forms, kinds = {_fold(form) for form in name["forms"]}, sorted(name["types"])
        if not kinds:
            unjudged |= forms
            continue
        hits = {(form, kind) for form, kind in found if form in forms and kind in kinds}
        used |= hits
        (count.right if hits else count.missed)[kinds[0]] += 1
        if not hits:
            yield "missed", sorted(forms)[0], kinds[0]
    for form, kind in sorted(found - used):
        if form not in unjudged | _UNJUDGED and not _STREET.search(form):
            count.wrong[kind] += 1
            yield "wrong", form, kind


def _found(text: str, start: int, end: int) -> set[Form]:
    return {
        (_fold(text[mention.start : mention.end]), name.kind)
        for name in find_typed_names(text)
        for mention in name.mentions
        if start <= mention.start and mention.end <= end
    }


def _fold(name: str) -> str:
    low = name.replace("’", "'").replace("‘", "'").casefold().strip().removeprefix("the ")
    return (low if " " in low else _POSSESSIVE.sub("", low)).rstrip(".")


def _time_pages(archive: Archive, runs: int) -> bool:
    began = time.perf_counter()
    archive.complete_names()
    most = archive.names(limit=1)
    print(f"names read at the start: {1000 * (time.perf_counter() - began):.0f} ms")
    if not most:
        return True
    first = _milliseconds(archive, most[0].name)
    print(f"first page, {most[0].name}: {first:.0f} ms")
    slowest = first
    for kind in KINDS:
        for one in archive.names(kind, limit=MOST_FREQUENT):
            took = [_milliseconds(archive, one.name) for _ in range(runs)]
            slowest = max(slowest, median(took))
            print(f"  {one.name}, {one.articles:,} articles: ", end="")
            print(f"{min(took):.0f} ms at least, {median(took):.0f} in the median")
    print(f"slowest page {slowest:.0f} ms (ceiling {PAGE:.0f})")
    return slowest <= PAGE


def _milliseconds(archive: Archive, name: str) -> float:
    began = time.perf_counter()
    archive.name(name)
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
