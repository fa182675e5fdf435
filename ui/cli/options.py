"""Options and arguments that several commands share, and the types of their values."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from click.shell_completion import CompletionItem

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS, Filters
from rag.settings import Settings
from ui.cli.command import usage_error

if TYPE_CHECKING:
    from rag.archive.archive import Archive

Run = TypeVar("Run", bound=Callable[..., Any])

DATES = (
    "Dates",
    'Dates are written as 2024-10-24, 2024-10, "24 October 2024" or "last week". '
    "A day begins at midnight UTC.",
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


# Types of values


class Number(click.ParamType[int]):
    """Whole number within limits; without a lower limit, a negative one too."""

    name = "number"

    def __init__(self, low: int | None = None, high: int | None = None) -> None:
        self._low, self._high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or fail with the limits."""
        if isinstance(value, int):
            return value
        digits = value.removeprefix("-") if self._low is None else value
        number = int(value) if digits.isdecimal() else None
        if number is None or not self._is_within(number):
            self.fail(f"{value!r} is not a number{self._limits()}", param, ctx)
        return number

    def _is_within(self, number: int) -> bool:
        return (self._low is None or number >= self._low) and (
            self._high is None or number <= self._high
        )

    def _limits(self) -> str:
        low = "" if self._low is None else f" from {self._low}"
        return low + ("" if self._high is None else f" to {self._high}")


class Date(click.ParamType[datetime]):
    """Day or time, in ISO 8601 or in words; relative to `--asked-on` or `--as-of`, if given."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return an aware datetime, or fail with the formats that are understood."""
        if isinstance(value, datetime):
            return value
        from rag.query.date_input import parse_date_input

        # An option that isn't given has a placeholder instead of None while options are parsed.
        bases = (ctx.params.get(name) for name in ("asked_on", "as_of")) if ctx else ()
        try:
            now = next((base for base in bases if isinstance(base, datetime)), None)
            return parse_date_input(value, now=now)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Duration(click.ParamType[float]):
    """Length of time: a number and s, m, h or d; converted to seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, or fail with examples."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d{1,6})([smhd])", value)
        if not match or not int(match.group(1)):
            self.fail(f"{value!r} is not a duration: write 90s, 15m, 6h or 1d", param, ctx)
        return float(int(match.group(1)) * _SECONDS[match.group(2)])


class PathName(click.ParamType[Path]):
    """Path of a file or folder; the command that uses it reports what is wrong with it."""

    name = "path"

    def __init__(self, kind: Literal["file", "dir"] = "file") -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path as it is written."""
        return Path(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete names of files or folders."""
        return [CompletionItem(incomplete, type=self._kind)]


class SourceName(click.ParamType[str]):
    """Name of a file or folder, a web address, or - for a standard stream; kept as written."""

    name = "source"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete names of files."""
        return [CompletionItem(incomplete, type="file")]


# The archive and the form of the output


def archive_options(run: Run) -> Run:
    """Add `--archive` and `--json`; the command takes `settings` and `as_json`."""
    return settings_option(json_option(run))


def json_option(run: Run) -> Run:
    """Add `--json`; the command takes `as_json`."""
    option = click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=_inherit_from_group,
        help="Print the result as JSON.",
    )
    decorated: Any = option(run)
    return decorated  # type: ignore[no-any-return]


def settings_option(run: Run) -> Run:
    """Add `--archive`; the command takes the `settings` of the environment with it."""

    @functools.wraps(run)
    def with_settings(*args: Any, archive: Path | None, **kwargs: Any) -> Any:
        return run(*args, settings=Settings.from_environment(archive=archive), **kwargs)

    option = click.option(
        "--archive",
        type=PathName("dir"),
        metavar="DIR",
        callback=_inherit_from_group,
        help="Folder of the archive.  [default: $BACKFILE_ARCHIVE, or ./archive]",
    )
    decorated: Any = option(with_settings)
    return decorated  # type: ignore[no-any-return]


def _inherit_from_group(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Return the option's value, or the one given to the group: `evaluate --json retrieval`."""
    if value or ctx.parent is None:
        return value
    return ctx.parent.params.get(param.name, value)


# Questions and filters


def question_argument(*, help: str) -> Callable[[Run], Run]:
    """Add the question, whose words the command takes as `words`."""
    return click.argument("words", nargs=-1, metavar="[QUESTION]...", help=help)


def required_question(words: Sequence[str]) -> str:
    """Return the question of the command line, or of standard input.

    Raises:
        click.UsageError: It is empty.
    """
    question = " ".join(words)
    if question == "-" or (not question and not sys.stdin.isatty()):
        question = sys.stdin.read()
    if not question.strip():
        raise usage_error("QUESTION is missing")
    return question.strip()


@dataclass(frozen=True, slots=True)
class Scope:
    """Part of the archive that is searched.

    Attributes:
        filters: Publication dates and publishers.
        asked_on: Time of the question, to which "last week" refers; now if None.
        k: Number of passages.
        as_of: Search the archive as it was at the end of this day; as it is now if None.
    """

    filters: Filters
    asked_on: datetime | None
    k: int
    as_of: datetime | None = None


def scope_options(*, k: int, k_is_for: str) -> Callable[[Run], Run]:
    """Add the options that limit a search to `k` passages, dates and publishers, as `scope`.

    Args:
        k: Default number of passages.
        k_is_for: What the passages are for, as the end of "Number of passages to ...".
    """

    def decorate(run: Run) -> Run:
        @functools.wraps(run)
        def with_scope(
            *args: Any,
            k: int,
            asked_on: datetime | None,
            as_of: datetime | None,
            after: datetime | None,
            before: datetime | None,
            publisher: tuple[str, ...],
            exclude_publisher: tuple[str, ...],
            **kwargs: Any,
        ) -> Any:
            if after and before and after >= before:
                raise usage_error("--after must be earlier than --before")
            # Users of the command line operate the archive, and may read all of it.
            filters = Filters(
                after=after,
                before=before,
                publishers=publisher,
                excluded_publishers=exclude_publisher,
                access=ALL_RIGHTS,
            )
            return run(*args, scope=Scope(filters, asked_on or as_of, k, as_of), **kwargs)

        decorated: Any = with_scope
        for option in reversed(_scope_options(k, k_is_for)):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


def _scope_options(k: int, k_is_for: str) -> tuple[Callable[[Run], Run], ...]:
    # --asked-on and --as-of are read first: dates in words are relative to them.
    return (
        click.option(
            "-k",
            type=Number(1, 1000),
            default=k,
            metavar="N",
            show_default=True,
            help=f"Number of passages to {k_is_for}.",
        ),
        click.option(
            "--asked-on",
            type=Date(),
            is_eager=True,
            metavar="DATE",
            help='Date of the question, to which "last week" refers.  [default: now]',
        ),
        click.option(
            "--as-of",
            type=Date(),
            is_eager=True,
            metavar="DATE",
            help="Search only what had been ingested by the end of this day.",
        ),
        click.option(
            "--after",
            type=Date(),
            metavar="DATE",
            help="Only articles published on this day or later.",
        ),
        click.option(
            "--before",
            type=Date(),
            metavar="DATE",
            help="Only articles published before this day (not on it).",
        ),
        click.option(
            "--publisher",
            multiple=True,
            metavar="NAME",
            help="Only articles of this publisher. May be repeated.",
        ),
        click.option(
            "--exclude-publisher",
            multiple=True,
            metavar="NAME",
            help="No articles of this publisher. May be repeated.",
        ),
    )


def check_publishers(archive: Archive, filters: Filters) -> None:
    """Check that the archive has articles of every publisher in `filters`.

    Raises:
        BackfileError: A publisher has no articles; the message suggests similar names.
    """
    named = (*filters.publishers, *filters.excluded_publishers)
    known = archive.publishers(access=filters.access) if named else ()
    folded = {name.casefold() for name in known}
    for name in named:
        if name.casefold() not in folded:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=5, cutoff=0.4) or known[:5]
            raise BackfileError(
                f"No publisher {name!r} in the archive. It has: {', '.join(near) or 'none'}."
            )
