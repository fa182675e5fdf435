"""The commands that look after an archive: what they take, and what they print of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rag.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.doctor import Problem

SOUND, PROBLEMS = 0, 1


def add_doctor_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile doctor` takes."""
    parser.add_argument("--repair", action="store_true", help="mend what can be mended")


def doctor(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check all that must hold of the archive, mend it if asked to, and say what is wrong."""
    from rag.archive import Archive
    from rag.doctor import examine, repair
    from ui import render

    with Archive.open(settings.archive, settings=settings) as archive:
        found = examine(archive)
        counts = archive.count()
    left = found
    if arguments.repair and found:
        with Archive.open(settings.archive, mode="write", settings=settings) as archive:
            left = repair(archive)
    if arguments.json:
        print(render.json_text(_value(found, left, counts)))
    else:
        for line in _lines(found, left, counts):
            print(render.terminal_text(line))
    return PROBLEMS if left else SOUND


def _lines(found: Sequence[Problem], left: Sequence[Problem], counts: Any) -> list[str]:
    mended = [problem for problem in found if problem not in left]
    lines = [f"mended: {problem.place}: {problem.what}" for problem in mended if found != left]
    lines += [str(problem) for problem in left]
    if not left:
        held = f"{counts.articles:,} articles, {counts.passages:,} passages"
        lines.append(f"sound: {held}; the record and both indexes agree")
    return lines


def _value(found: Sequence[Problem], left: Sequence[Problem], counts: Any) -> dict[str, Any]:
    return {
        "sound": not left,
        "articles": counts.articles,
        "passages": counts.passages,
        "problems": [
            {"place": p.place, "what": p.what, "count": p.count, "mended": p not in left}
            for p in (*found, *(problem for problem in left if problem not in found))
        ],
    }
