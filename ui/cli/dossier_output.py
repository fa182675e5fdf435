"""Output of `backfile dossier`: dossiers and their passages, as text and JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.archive.dossiers import DossierPassage
    from rag.store.dossiers import Dossier

_SHOWN = {
    "current": "",
    "changed": "the article no longer has these words",
    "removed": "the archive no longer has the article",
    "withdrawn": "withdrawn",
    "erased": "erased",
    "restricted": "needs an access right",
}


def print_list(found: Sequence[Dossier], none: str, *, as_json: bool) -> None:
    """Print dossiers, or `none` if there aren't any."""
    from ui import render

    if as_json:
        print(render.json_text([_value(one) for one in found]))
        return
    for one in found:
        print(render.terminal_text(f"{one.name} ({one.created:%Y-%m-%d}), ID {one.id}"))
    if not found:
        print(none)


def print_done(done: str, found: Dossier, *, as_json: bool) -> None:
    """Print the dossier that was created, renamed, removed or restored."""
    from ui import render

    if as_json:
        print(render.json_text(_value(found)))
    else:
        print(render.terminal_text(f"{done}: {found.name}, ID {found.id}"))


def print_passages(
    found: Dossier,
    passages: Sequence[DossierPassage],
    *,
    as_json: bool,
    first: int | None = 1,
    done: str = "",
) -> None:
    """Print passages of a dossier.

    Args:
        found: The dossier.
        passages: The passages.
        as_json: Print them as JSON.
        first: The number of the first one; None for one that was just added.
        done: What was done with them, "" for nothing.
    """
    from ui import render

    if as_json:
        values = [_passage_value(one) for one in passages]
        print(render.json_text({**_value(found), "passages": values}))
        return
    opening = f"{done}: {found.name}" if done else found.name
    print(render.terminal_text(f"{opening}: {number_of(len(passages))}"))
    for place, one in enumerate(passages, start=first or 0):
        mark = f"[{place}] " if first else "added: "
        state = f" ({_SHOWN[one.state]})" if _SHOWN[one.state] else ""
        source = render.article_reference(one.metadata) if one.metadata else one.article_id
        print(render.terminal_text(f"{mark}{source}{state}"))
        for line in (f"“{one.quote}”" if one.quote else "", *one.note.splitlines()):
            if text := render.article_text(line):
                print(f"    {text}")
    sys.stdout.flush()


def number_of(passages: int) -> str:
    """Return a number of passages in words."""
    return "1 passage" if passages == 1 else f"{passages:,} passages"


def _value(found: Dossier) -> dict[str, Any]:
    from ui import render

    return {"id": found.id, "name": found.name, "created": render.iso_date(found.created)}


def _passage_value(passage: DossierPassage) -> dict[str, Any]:
    from ui import render

    head = passage.metadata
    return {
        "id": passage.id,
        "article_id": passage.article_id,
        "revision": passage.revision,
        "start": passage.start,
        "end": passage.end,
        "quote": passage.quote,
        "note": passage.note,
        "state": passage.state,
        **(render.metadata_value(head) if head else {}),
    }
