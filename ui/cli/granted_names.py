"""Warnings about rights that name a publisher, section or access value no article has."""

from __future__ import annotations

import sys
from contextlib import closing, suppress
from difflib import get_close_matches
from typing import Final

from rag.errors import BackfileError
from rag.rights import Rights
from rag.sanitize import single_line
from rag.settings import Settings

NEARNESS = 0.6  # of difflib
MOST_NAMED = 5  # names that are listed where none is near
_NOUNS: Final = {"publisher": "publisher", "section": "section", "access": "access value"}


def warn_of_unknown_names(settings: Settings, rights: Rights | None) -> None:
    """Print to stderr which names in rights the archive doesn't have, and the nearest ones.

    It is no error: their first article may come in later. An archive that isn't there yet, or can't
    be read, has no names to compare with.

    Args:
        settings: The settings, which name the archive.
        rights: The rights that were given; None for none.
    """
    if rights is None:
        return
    from rag.store.filters import unknown_names
    from rag.store.sqlite_database import SqliteDatabase

    with suppress(BackfileError), closing(SqliteDatabase(settings.archive)) as database:
        for field, (missing, known) in unknown_names(database, rights).items():
            for name in missing:
                print(single_line(_warning(_NOUNS[field], name, known)), file=sys.stderr)


def _warning(noun: str, name: str, known: list[str]) -> str:
    by_folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), by_folded, n=1, cutoff=NEARNESS)
    said = f"backfile: warning: no article has the {noun} {name!r}."
    if near:
        return f"{said} Did you mean {by_folded[near[0]]!r}?"
    if not known:
        return said
    more = " ..." if len(known) > MOST_NAMED else ""
    return f"{said} There are {', '.join(known[:MOST_NAMED])}{more}."
