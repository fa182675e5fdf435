"""`backfile doctor`: check an archive and repair it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from rag.schema import EVERYTHING
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import archive_options

if TYPE_CHECKING:
    from rag.archive.doctor import Problem


@click.command(
    cls=ManualPage,
    examples=[
        Example("Check the archive in demo/", "backfile doctor --archive demo"),
        Example("Repair it", "backfile doctor --repair --archive demo"),
    ],
    exit_codes=[
        (ExitCode.DONE, "No problems, or all of them are repaired."),
        (ExitCode.FAILED, "There are problems, or the check failed."),
    ],
)
@click.option("--repair", is_flag=True, help="Repair the problems that can be repaired.")
@archive_options
def doctor(repair: bool, settings: Settings, as_json: bool) -> int:
    """Check the integrity of the archive.

    Checks that the database is intact and that all indexes agree with it. The archive can be
    used meanwhile. If the database has lost changes, because its log was deleted after a crash,
    `--repair` accepts the loss and rebuilds the indexes from what is left.

    Of a shared record, it checks the record, and compares the folder's copy with it.
    """
    from rag.archive import doctor as integrity
    from rag.archive.archive import Archive
    from rag.sanitize import single_line
    from ui import render

    with Archive.open(settings.archive, settings=settings, on_data_loss="accept") as archive:
        found = integrity.find_problems(archive)
        counts = archive.count(EVERYTHING)
        unchecked = integrity.unchecked(archive)
    left = found
    if repair and found:
        with Archive.open(
            settings.archive, mode="write", settings=settings, on_data_loss="accept"
        ) as archive:
            left = integrity.repair_archive(archive)
            counts = archive.count(EVERYTHING)
    if as_json:
        print(render.json_text(_value(found, left, counts, unchecked)))
    else:
        for line in [*_lines(found, left, counts), *(f"not checked: {one}" for one in unchecked)]:
            print(single_line(line))
    return ExitCode.FAILED if left else ExitCode.DONE


def _lines(found: Sequence[Problem], left: Sequence[Problem], counts: Any) -> list[str]:
    repaired = [problem for problem in found if problem not in left]
    lines = [
        f"{'accepted' if problem.fix == 'give up' else 'repaired'}: "
        f"{problem.place}: {problem.description}"
        for problem in repaired
        if found != left
    ]
    lines += [str(problem) for problem in left]
    if not left:
        held = f"{counts.articles:,} articles, {counts.passages:,} passages"
        lines.append(f"no problems: {held}; the database and all indexes agree")
    return lines


def _value(
    found: Sequence[Problem], left: Sequence[Problem], counts: Any, unchecked: Sequence[str]
) -> dict[str, Any]:
    return {
        "sound": not left,
        "articles": counts.articles,
        "passages": counts.passages,
        "problems": [
            {"place": p.place, "what": p.description, "count": p.count, "mended": p not in left}
            for p in (*found, *(problem for problem in left if problem not in found))
        ],
        **({"not_checked": list(unchecked)} if unchecked else {}),
    }
