"""Options for scopes and rights, which users and tokens share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from rag.rights import ALL, Names, Rights
from ui.cli.command import usage_error
from ui.readers import SCOPES

Run = TypeVar("Run", bound=Callable[..., Any])

GRANTS = (
    "Scopes and rights",
    "The scope read lets somebody search, ask and read; ingest, add and remove articles; admin, "
    "erase articles (with ingest) and read metrics. None includes another. Rights say which "
    "articles somebody sees: all publishers and sections, unless some are named, and of the "
    "articles that need a right only those for which it is granted.",
)


def grant_options(run: Run) -> Run:
    """Add `--scope` and the rights; the command takes `scopes` and `rights`, None if none given."""

    @functools.wraps(run)
    def with_grant(
        *args: Any,
        publisher: tuple[str, ...],
        section: tuple[str, ...],
        access: tuple[str, ...],
        every_access: bool,
        **kwargs: Any,
    ) -> Any:
        if access and every_access:
            raise usage_error("--access and --every-access exclude each other")
        rights = None
        if publisher or section or access or every_access:
            granted: Names = ALL if every_access else access
            rights = Rights(publishers=publisher or ALL, sections=section or ALL, access=granted)
        return run(*args, rights=rights, **kwargs)

    decorated: Any = with_grant
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class RightsChange:
    """Changes of what somebody may see; None keeps what they have."""

    publishers: Names | None = None
    sections: Names | None = None
    access: Names | None = None

    def apply(self, rights: Rights) -> Rights:
        """Return rights with these changes."""
        return Rights(
            publishers=rights.publishers if self.publishers is None else self.publishers,
            sections=rights.sections if self.sections is None else self.sections,
            access=rights.access if self.access is None else self.access,
        )


def change_options(run: Run) -> Run:
    """Add `--scope` and changes of rights; the command takes `scopes` and `change`."""

    @functools.wraps(run)
    def with_change(
        *args: Any,
        scopes: tuple[str, ...],
        publisher: tuple[str, ...],
        every_publisher: bool,
        section: tuple[str, ...],
        every_section: bool,
        access: tuple[str, ...],
        every_access: bool,
        no_access: bool,
        **kwargs: Any,
    ) -> Any:
        change = RightsChange(
            _choose("publisher", publisher, every=every_publisher),
            _choose("section", section, every=every_section),
            _choose("access", access, every=every_access, none=no_access),
        )
        if not scopes and change == RightsChange():
            raise usage_error("nothing to change: name a scope or what they may see")
        return run(*args, scopes=scopes, change=change, **kwargs)

    decorated: Any = with_change
    for option in reversed((*_OPTIONS, *_CHANGE_OPTIONS)):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def _choose(
    option: str, names: tuple[str, ...], *, every: bool, none: bool = False
) -> Names | None:
    """Return what the options of one field stand for; None if there are none."""
    if bool(names) + every + none > 1:
        given = {f"--{option}": names, f"--every-{option}": every, f"--no-{option}": none}
        ways = " and ".join(way for way, is_given in given.items() if is_given)
        raise usage_error(f"{ways} exclude each other")
    if every:
        return ALL
    return names if names or none else None


_OPTIONS = (
    click.option(
        "--scope",
        "scopes",
        multiple=True,
        type=click.Choice(SCOPES),
        help="What they may do. May be repeated.",
    ),
    click.option(
        "--publisher",
        multiple=True,
        metavar="NAME",
        help="Only articles of this publisher. May be repeated.",
    ),
    click.option(
        "--section",
        multiple=True,
        metavar="NAME",
        help="Only articles of this section. May be repeated.",
    ),
    click.option(
        "--access",
        multiple=True,
        metavar="NAME",
        help="Also articles that need this right. May be repeated.",
    ),
    click.option("--every-access", is_flag=True, help="Also articles that need any right."),
)
_CHANGE_OPTIONS = (
    click.option("--every-publisher", is_flag=True, help="Articles of all publishers."),
    click.option("--every-section", is_flag=True, help="Articles of all sections."),
    click.option("--no-access", is_flag=True, help="Only articles that need no right."),
)


def rights_text(rights: Rights) -> str:
    """Return rights in words, on one line."""
    parts = [
        f"{name} {', '.join(found) or 'none'}"
        for name, found in (("publishers", rights.publishers), ("sections", rights.sections))
        if found is not ALL
    ]
    if rights.access is ALL:
        parts.append("every access")
    elif rights.access:
        parts.append(f"access {', '.join(rights.access)}")
    return "; ".join(parts) or "articles that need no right"
