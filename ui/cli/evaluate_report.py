"""Report of an evaluation: printed, saved to a file, and compared with a saved one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.errors import ReadError
from ui.cli.command import ExitCode
from ui.cli.options import PathName, Run, archive_options

if TYPE_CHECKING:
    from rag.evaluate.metrics import Difference, Evaluation

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Options for the result of an evaluation.

    Attributes:
        save: File to save it to.
        compare: File of an earlier result to compare it with.
        as_json: Print it as JSON.
    """

    save: Path | None
    compare: Path | None
    as_json: bool

    def load_earlier(self, load: Callable[[str], Read]) -> Read | None:
        """Load the earlier result, if one is to be compared with.

        Raises:
            ReadError: The file cannot be read, or is no saved result.
        """
        if self.compare is None:
            return None
        return read_file(self.compare, load)


def evaluation_options(run: Run) -> Run:
    """Add `--save`, `--compare`, `--archive` and `--json`; the command takes `report_options`."""

    @functools.wraps(run)
    def with_report_options(
        *args: Any, save: Path | None, compare: Path | None, as_json: bool, **kwargs: Any
    ) -> Any:
        return run(*args, report_options=ReportOptions(save, compare, as_json), **kwargs)

    save_option = click.option(
        "--save", type=PathName(), metavar="FILE", help="Save the result to this file."
    )
    compare_option = click.option(
        "--compare", type=PathName(), metavar="FILE", help="Compare with this saved result."
    )
    return save_option(compare_option(archive_options(with_report_options)))  # type: ignore[return-value]


asked_on_option = click.option(
    "--asked-on",
    type=click.Choice(["given", "withheld"]),
    default="given",
    show_default=True,
    help="Use the date of each question, or ask all of them as of now.",
)
every_line = click.option("--every-line", is_flag=True, help="Count repeated questions each time.")


def read_file(path: Path, read: Callable[[str], Read]) -> Read:
    """Return what `read` makes of the text of a file.

    Raises:
        ReadError: The file cannot be read, or `read` raised ValueError.
    """
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(f"{path}: {error}") from error


def read_lines(path: Path, read: Callable[[Iterable[str]], Read]) -> Read:
    """Return what `read` makes of the lines of a file; raises as `read_file` does."""
    return read_file(path, lambda text: read(text.splitlines()))


def report(
    found: Evaluation,
    table: str,
    differences: Sequence[Difference],
    options: ReportOptions,
) -> ExitCode:
    """Save and print the result of an evaluation.

    Args:
        found: The result.
        table: The result as text.
        differences: Differences from the earlier result, if there is one.
        options: Where to save it, and how to print it.
    """
    from ui import render

    if options.save:
        options.save.write_text(found.dumps(), encoding="utf-8")
    if options.as_json:
        print(render.json_text(found.as_json()))
        return ExitCode.DONE
    print(table)
    if differences:
        print(difference_table(differences))
    return ExitCode.DONE


def difference_table(differences: Sequence[Difference]) -> str:
    """Return the differences with their intervals; * marks those unlikely to be chance."""
    lines = ["", "difference from the saved result, paired:"]
    wide = max((len(d.judged) + 1 for d in differences), default=7)
    wider = max((len(d.measure) + 1 for d in differences), default=10)
    for d in differences:
        if d.n:
            star = " *" if d.low > 0 or d.high < 0 else ""
            named = f"{d.judged:{wide}}{d.measure:{wider}}"
            lines.append(f"{named}{d.mean:+.3f}  [{d.low:+.3f}, {d.high:+.3f}]{star}")
    return "\n".join(lines)
