"""Options for scopes and rights, which users and tokens share."""

from __future__ import annotations

import functools
from collections.abc import Callable
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
