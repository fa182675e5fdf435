"""In what part of the archive one asks, and as of when: the options of `ask` and `search`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS, Filters

if TYPE_CHECKING:
    from rag.archive.archive import Archive


@dataclass(frozen=True, slots=True)
class Scope:
    """In what part of the archive, as of when, and how many passages."""

    filters: Filters
    asked_on: datetime | None
    k: int
    as_of: datetime | None = None


def scope_of(arguments: argparse.Namespace) -> Scope:
    """Return what the options ask for; what cannot be is a usage error."""
    from rag.query.date_input import parse_date_input

    try:
        as_of = parse_date_input(arguments.as_of) if arguments.as_of else None
        asked_on = parse_date_input(arguments.asked_on) if arguments.asked_on else as_of
        after, before = (
            parse_date_input(text, now=asked_on) if text else None
            for text in (arguments.after, arguments.before)
        )
    except ValueError as error:
        arguments.parser.error(str(error))
    if after and before and after >= before:
        arguments.parser.error("--after is not earlier than --before: nothing lies between them")
    publishers = tuple(arguments.publisher or ())
    # Who runs a command operates the archive, and may read all of it.
    filters = Filters(after=after, before=before, publishers=publishers, access=ALL_RIGHTS)
    return Scope(filters, asked_on, arguments.k, as_of)


def check_publishers(archive: Archive, filters: Filters) -> None:
    known = archive.publishers(access=filters.access) if filters.publishers else ()
    folded = {name.casefold() for name in known}
    for name in filters.publishers:
        if name.casefold() not in folded:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=5, cutoff=0.4) or known[:5]
            raise BackfileError(
                f"no publisher {name!r} in the archive; it has {', '.join(near) or 'none'}"
            )
