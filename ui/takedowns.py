"""`backfile remove` and `backfile readmit`: taking articles down, and letting them in again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.errors import ArchiveLockedError
from rag.schema import ALL_RIGHTS, EVERYTHING
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.archive.archive import Archive

DONE, SOME_UNKNOWN = 0, 3


def add_remove_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile remove` takes."""
    _add_ids(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for those who ask")
    parser.add_argument(
        "--erase",
        action="store_true",
        help="erase the text and all that was made of it from every file; there is no way back",
    )


def add_readmit_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile readmit` takes."""
    _add_ids(parser)


def _add_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("articles", nargs="+", metavar="ID", help="an article's id or its address")


def remove(arguments: argparse.Namespace, settings: Settings) -> int:
    """Withdraw articles, and erase them if asked to; those that are not known are named."""
    from rag.archive.archive import Archive
    from ui import render

    with Archive.open(
        settings.archive, mode="write", settings=settings, missing="refuse"
    ) as archive:
        ids, unknown = _known(archive, arguments.articles)
        copies = archive.near_duplicates(ids, filters=EVERYTHING)
        certain = True
        if ids and arguments.erase:
            certain = archive.erase(ids, reason=arguments.reason)
        elif ids:
            archive.withdraw(ids, reason=arguments.reason)
    done = "erased" if arguments.erase else "removed"
    if arguments.json:
        print(render.json_text({done: ids, "unknown": unknown}))
    else:
        for article_id in ids:
            print(render.terminal_text(f"{done}: {article_id}"))
            for head in (head for head in copies.get(article_id, ()) if head.article_id not in ids):
                print(render.terminal_text(f"  the same story still stands as {head.article_id}"))
    if not certain:
        raise ArchiveLockedError(
            "gone from answers, but another process kept the record's file open, and it may still "
            "hold the text: stop it and run the same command again"
        )
    return _told(unknown)


def readmit(arguments: argparse.Namespace, settings: Settings) -> int:
    """Let withdrawn articles in again: as they stood, or with the next ingest."""
    from rag.archive.archive import Archive
    from ui import render

    with Archive.open(
        settings.archive, mode="write", settings=settings, missing="refuse"
    ) as archive:
        ids, unknown = _known(archive, arguments.articles)
        withdrawn = [article_id for article_id in ids if archive.withdrawals([article_id])]
        archive.reinstate(withdrawn)
        standing = [
            article_id for article_id in withdrawn if archive.article(article_id, access=ALL_RIGHTS)
        ]
    if arguments.json:
        print(render.json_text({"readmitted": withdrawn, "standing": standing, "unknown": unknown}))
        return _told(unknown)
    for article_id in ids:
        said = "was not removed"
        if article_id in withdrawn:
            said = "stands again" if article_id in standing else "comes with the next ingest"
        print(render.terminal_text(f"{article_id}: {said}"))
    return _told(unknown)


def _told(unknown: Sequence[str]) -> int:
    from ui import render

    for name in unknown:
        print(render.terminal_text(f"no such article: {name}"), file=sys.stderr)
    return SOME_UNKNOWN if unknown else DONE


def _known(archive: Archive, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the ids of the articles that are meant, each once, and the names of no article."""
    ids, unknown = list[str](), list[str]()
    for name in names:
        found = ids_named(archive, name)
        ids += found
        unknown += [] if found else [name]
    return list(dict.fromkeys(ids)), unknown


def ids_named(archive: Archive, name: str) -> list[str]:
    """Return the ids of the articles of this id or address, in any of its spellings.

    Who takes articles down operates the archive: restricted ones are found too.
    """
    from rag.urls import url_key

    spellings = filter(None, (name, url_key(name)))
    found = (archive.find_ids(spelling, access=ALL_RIGHTS) for spelling in spellings)
    return next(filter(None, found), [])
