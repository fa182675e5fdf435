"""A measured run: printed, kept in a file, and set beside one that was kept before."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rag.evaluate.retrieval import Difference


class Measured(Protocol):
    """What every evaluation can do."""

    def saved(self) -> str: ...
    def as_json(self) -> dict[str, Any]: ...


def report(
    arguments: argparse.Namespace, found: Measured, table: str, differences: Sequence[Difference]
) -> int:
    """Keep the run where `--save` says, print it as `--json` or as its table; return 0."""
    from ui import render

    if arguments.save:
        arguments.save.write_text(found.saved(), encoding="utf-8")
    if arguments.json:
        print(render.json_text(found.as_json()))
        return 0
    print(table)
    if differences:
        print(difference_table(differences))
    return 0


def difference_table(differences: Sequence[Difference]) -> str:
    """Return how far a run is above another; a star where chance hardly explains it."""
    lines = ["", "against the run kept before, paired:"]
    wide = max((len(d.judged) + 1 for d in differences), default=7)
    wider = max((len(d.measure) + 1 for d in differences), default=10)
    for d in differences:
        if d.n:
            star = " *" if d.low > 0 or d.high < 0 else ""
            named = f"{d.judged:{wide}}{d.measure:{wider}}"
            lines.append(f"{named}{d.mean:+.3f}  [{d.low:+.3f}, {d.high:+.3f}]{star}")
    return "\n".join(lines)
