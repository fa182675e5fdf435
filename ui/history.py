"""`backfile show`: one article as it stands, and what each of its versions changed."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import BackfileError
from rag.schema import ALL_RIGHTS, EVERYTHING
from rag.settings import Settings
from ui.takedowns import ids_named

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.schema import ArticleMetadata
    from rag.store.revisions import Revision
    from rag.store.withdrawals import Withdrawal

DONE = 0


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile show` takes."""
    parser.add_argument("article", metavar="ID", help="its id, its address, or how its id begins")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--revisions", action="store_true", help="every version, and what changed in each"
    )
    which.add_argument("--revision", type=int, metavar="N", help="that version instead of the last")


def show(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print an article as it stands, or its versions and what changed in each."""
    from rag.archive.archive import Archive

    with Archive.open(settings.archive, settings=settings) as archive:
        article_id = _meant(archive, arguments.article)
        withdrawal = archive.withdrawals([article_id]).get(article_id)
        revisions = archive.revisions(article_id, access=ALL_RIGHTS)
        copies = archive.near_duplicates([article_id], filters=EVERYTHING).get(article_id, ())
    wanted = revisions[-1:] if arguments.revision is None else revisions
    if arguments.revision is not None:
        wanted = tuple(r for r in revisions if r.article.revision == arguments.revision)
        if not wanted and withdrawal is None:
            have = ", ".join(str(r.article.revision) for r in revisions)
            raise BackfileError(f"no revision {arguments.revision} of {article_id}: it has {have}")
    if arguments.json:
        _print_value(article_id, wanted, revisions, copies, withdrawal)
    elif withdrawal is not None:
        _print_withdrawal(withdrawal)
    elif arguments.revisions:
        _print_history(revisions)
    else:
        _print_article(wanted[0], revisions, copies)
    return DONE


def _meant(archive: Archive, name: str) -> str:
    ids = ids_named(archive, name) or archive.complete_id(name, access=ALL_RIGHTS)
    if not ids:
        raise BackfileError(f"no article {name!r} in the archive: `backfile search` shows what is")
    if len(ids) > 1:
        raise BackfileError(f"{name!r} may be any of {', '.join(ids)}: say which")
    return ids[0]


def _print_withdrawal(withdrawal: Withdrawal) -> None:
    from ui import render

    done = "erased" if withdrawal.erased else "removed"
    why = f": {withdrawal.reason}" if withdrawal.reason else ""
    when = render.spoken_day(withdrawal.at)
    print(render.terminal_text(f"{withdrawal.article_id}: {done} on {when}{why}"))


def _print_article(
    revision: Revision, revisions: Sequence[Revision], copies: Sequence[ArticleMetadata]
) -> None:
    from ui import conversation, render

    article, width = revision.article, conversation.width()
    lines = [
        render.article_text(article.title),
        render.article_text(
            ", ".join(
                part
                for part in (
                    *(article.publisher, render.spoken_date(article.published)),
                    *(article.section, " and ".join(article.authors)),
                )
                if part
            )
        ),
        _address(article.url),
        render.terminal_text(article.id),
        f"revision {article.revision} of {revisions[-1].article.revision}, {_stood(revision)}",
        *(
            render.terminal_text(f"also: {head.article_id}, {render.named(head)}")
            for head in copies
        ),
        render.article_text(f"Corrected: {article.correction}") if article.correction else "",
    ]
    print("\n".join(line for line in lines if line), end="\n\n")
    paragraphs = (part for part in article.text.split("\n") if part.strip())
    print("\n\n".join(textwrap.fill(render.article_text(p), width) for p in paragraphs))


def _address(url: str) -> str:
    """Return an address as a link, or said to be none where it may not be offered as one."""
    from ui import render

    if not url:
        return ""
    return render.web_address(url) or f"not a web address: {render.article_text(url)}"


def _stood(revision: Revision) -> str:
    from ui import render

    until = f", until {render.spoken_date(revision.ended)}" if revision.ended else ""
    return f"came in {render.spoken_date(revision.came)}{until}"


def _print_history(revisions: Sequence[Revision]) -> None:
    """Print what each version changed of the one before it; in colour on a terminal."""
    from rich.console import Console
    from rich.text import Text  # not a string: markup in an article stays text

    from ui import render

    console = Console(highlight=False, soft_wrap=True)
    styles = {"same": "", "gone": "red strike", "new": "green"}
    for revision, parts in _compared(revisions):
        console.print(Text(f"revision {revision.article.revision}, {_stood(revision)}", "bold"))
        if sys.stdout.isatty():
            said = Text.assemble(
                *((render.strip_controls(text), styles[kind]) for kind, text in parts)
            )
        else:
            from ui.comparing import marked

            said = Text(render.strip_controls(marked(parts)))
        console.print(said, end="\n\n")


def _compared(revisions: Sequence[Revision]) -> Iterator[tuple[Revision, list[Any]]]:
    from ui.comparing import abridged, changes

    before = ""
    for number, revision in enumerate(revisions):
        now = f"{revision.article.title}\n\n{revision.article.text}"
        yield revision, list(abridged(changes(before, now))) if number else [("same", now)]
        before = now


def _print_value(
    article_id: str,
    wanted: Sequence[Revision],
    revisions: Sequence[Revision],
    copies: Sequence[ArticleMetadata],
    withdrawal: Withdrawal | None,
) -> None:
    from ui import render

    taken_down = withdrawal and {
        "at": withdrawal.at.isoformat(),
        "reason": withdrawal.reason,
        "erased": withdrawal.erased,
    }
    shown = _article_value(wanted[0]) if wanted else None
    value = {
        "id": article_id,
        "withdrawn": taken_down,
        "article": shown,
        "revisions": [_article_value(revision) for revision in revisions],
        "copies": [head.article_id for head in copies],
    }
    print(render.json_text(value))


def _article_value(revision: Revision) -> dict[str, Any]:
    from ui import render

    article = revision.article
    return {
        "revision": article.revision,
        "came": revision.came.isoformat(),
        "ended": revision.ended.isoformat() if revision.ended else None,
        "title": article.title,
        "text": article.text,
        "publisher": article.publisher,
        "url": article.url,
        "authors": list(article.authors),
        "published": render.iso_date(article.published),
        "updated": render.iso_date(article.updated),
        "section": article.section,
        "language": article.language,
        "kind": article.kind,
        "correction": article.correction,
    }
