"""`backfile rejects` over what is held: list it, look at it, let it in, or drop it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import ReadError
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.store.held_changes import HeldChange

DONE, SOME_UNKNOWN = 0, 3


def add_held_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile rejects` takes for what is held."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--show", metavar="ID", help="print what is held under this ID, as it would go in"
    )
    which.add_argument(
        "--accept", nargs="+", metavar="ID", help="do what is held under these IDs, as it is held"
    )
    which.add_argument(
        "--forget", nargs="+", metavar="ID", help="drop what is held under these IDs"
    )


def decide(arguments: argparse.Namespace, settings: Settings) -> int:
    """Show, accept or forget held changes; those that are not known are named."""
    if arguments.show:
        return _show(arguments, settings)
    return _accept(arguments, settings) if arguments.accept else _forget(arguments, settings)


def held_value(change: HeldChange) -> dict[str, Any]:
    """Return what `rejects --json` prints of one held change."""
    return {
        "place": change.place,
        "reason": change.reason,
        "source": change.source,
        "at": change.at.isoformat(timespec="seconds"),
        "id": change.id,
        "action": change.action,
        "article_id": change.article_id,
    }


def held_line(change: HeldChange) -> str:
    """Return one line for a held change, with the ID that it is named by."""
    what = "" if change.action == "put" else "a takedown: "
    return (
        f"held {change.id}: {change.place}: {what}{change.reason} ({change.at:%Y-%m-%d %H:%M} UTC)"
    )


def _show(arguments: argparse.Namespace, settings: Settings) -> int:
    from rag.archive.archive import Archive
    from rag.store.held_changes import HeldChanges
    from ui import render

    with Archive.open(settings.archive, settings=settings) as archive:
        change = HeldChanges(archive.store.database).named(arguments.show)
    if change is None:
        return _told([arguments.show])
    article = json.loads(change.content) if change.action == "put" else None
    if arguments.json:
        print(render.json_text({**held_value(change), "article": article}))
        return DONE
    print(render.terminal_text(held_line(change)), end="\n\n")
    if article is None:
        print(render.terminal_text(change.content))
        return DONE
    for name in ("title", "publisher", "authors", "published", "url", "text"):
        said = article.get(name) or ""
        lines = said if isinstance(said, list) else str(said).split("\n")
        shown = [line for line in map(render.article_text, lines) if line]
        if shown:
            print(f"{name}: " + ("\n\n" if name == "text" else ", ").join(shown))
    return DONE


def _accept(arguments: argparse.Namespace, settings: Settings) -> int:
    from ingest.change_policy import accept_held_change
    from rag.archive.archive import Archive
    from rag.store.held_changes import ArticleOrigins, HeldChanges
    from ui import render

    accepted, unknown, failed = list[dict[str, str]](), list[str](), list[str]()
    with Archive.open(
        settings.archive, mode="write", settings=settings, missing="refuse"
    ) as archive:
        changes, origins = (kind(archive.store.database) for kind in (HeldChanges, ArticleOrigins))
        assert isinstance(changes, HeldChanges)
        assert isinstance(origins, ArticleOrigins)
        for held_id in dict.fromkeys(arguments.accept):
            change = changes.named(held_id)
            if change is None:
                unknown.append(held_id)
                continue
            try:
                became = accept_held_change(archive, changes, change, origins)
            except (ReadError, ValueError) as error:
                failed.append(f"{held_id}: cannot go in: {error}")
                continue
            accepted.append({"id": held_id, "article_id": change.article_id, "became": became})
    if arguments.json:
        print(render.json_text({"accepted": accepted, "unknown": unknown, "failed": failed}))
    else:
        for one in accepted:
            print(render.terminal_text(f"{one['became']}: {one['article_id']}"))
    for line in failed:
        print(render.terminal_text(line), file=sys.stderr)
    return max(_told(unknown), SOME_UNKNOWN if failed else DONE)


def _forget(arguments: argparse.Namespace, settings: Settings) -> int:
    from rag.archive.archive import Archive
    from rag.store.held_changes import HeldChanges
    from ui import render

    with Archive.open(
        settings.archive, mode="write", settings=settings, missing="refuse"
    ) as archive:
        changes = HeldChanges(archive.store.database)
        unknown = [held_id for held_id in arguments.forget if changes.named(held_id) is None]
        forgotten = [held_id for held_id in arguments.forget if held_id not in unknown]
        changes.drop(forgotten)
    if arguments.json:
        print(render.json_text({"forgotten": forgotten, "unknown": unknown}))
    else:
        for held_id in forgotten:
            print(render.terminal_text(f"forgotten: {held_id}"))
    return _told(unknown)


def _told(unknown: Sequence[str]) -> int:
    from ui import render

    for held_id in unknown:
        said = f"nothing is held as {held_id}: `backfile rejects` lists what is"
        print(render.terminal_text(said), file=sys.stderr)
    return SOME_UNKNOWN if unknown else DONE
