"""`backfile show`, `withdraw` and `reinstate`: single articles."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from rag.errors import ArchiveLockedError, BackfileError
from rag.schema import ALL_RIGHTS, EVERYTHING
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage, usage_error
from ui.cli.options import Number, archive_options

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.schema import ArticleMetadata
    from rag.store.revisions import Revision
    from rag.store.withdrawals import Withdrawal

_ids_argument = click.argument(
    "names", nargs=-1, required=True, metavar="ID...", help="IDs or URLs of articles."
)
_SOME_UNKNOWN = (ExitCode.INCOMPLETE, "Some of the IDs are unknown; they are named on stderr.")


@click.command(
    cls=ManualPage,
    examples=[
        Example("Show an article by its URL", "backfile show https://courier.example/2024/10/yoon"),
        Example(
            "Show what each revision changed", "backfile show courier.example/2024 --revisions"
        ),
    ],
)
@click.argument("name", metavar="ID", help="The article's ID, its URL, or how its ID begins.")
@click.option("--revisions", is_flag=True, help="Show every revision, with what it changed.")
@click.option(
    "--revision", type=Number(), metavar="N", help="Show this revision instead of the latest."
)
@archive_options
def show(
    name: str, revisions: bool, revision: int | None, settings: Settings, as_json: bool
) -> int:
    """Show an article, or its revisions.

    An article changes when it is ingested again with another text, headline or date; earlier
    revisions are kept. Near-duplicates of the article are listed with it. Of a withdrawn article
    only the date and the reason of its withdrawal are shown.
    """
    if revisions and revision is not None:
        raise usage_error("--revisions and --revision cannot be combined")
    from rag.archive.archive import Archive

    with Archive.open(settings.archive, settings=settings) as archive:
        article_id = find_one_article(archive, name)
        withdrawal = archive.withdrawals([article_id]).get(article_id)
        every = archive.revisions(article_id, access=ALL_RIGHTS)
        copies = archive.near_duplicates([article_id], filters=EVERYTHING).get(article_id, ())
    wanted = every[-1:]
    if revision is not None:
        wanted = tuple(r for r in every if r.article.revision == revision)
        if not wanted and withdrawal is None:
            have = ", ".join(str(r.article.revision) for r in every)
            raise BackfileError(f"No revision {revision} of {article_id}. It has: {have}.")
    if as_json:
        _print_json(article_id, wanted, every, copies, withdrawal)
    elif withdrawal is not None:
        _print_withdrawal(withdrawal)
    elif revisions:
        _print_revisions(every)
    else:
        _print_article(wanted[0], every, copies)
    return ExitCode.DONE


@click.command(
    cls=ManualPage,
    examples=[
        Example(
            "Withdraw an article and erase its text from every file of the archive",
            'backfile withdraw https://courier.example/2024/10/yoon --reason "court order" --erase',
        ),
    ],
    exit_codes=[_SOME_UNKNOWN],
)
@_ids_argument
@click.option("--reason", default="", metavar="TEXT", help="Why; shown by `backfile show`.")
@click.option(
    "--erase",
    is_flag=True,
    help="Also erase the text, and everything computed from it, from every file of the archive. "
    "This cannot be undone.",
)
@archive_options
def withdraw(
    names: tuple[str, ...], reason: str, erase: bool, settings: Settings, as_json: bool
) -> int:
    """Withdraw articles from the archive, and keep them out.

    A withdrawn article is no longer found, and ingesting it again does not add it.
    `backfile reinstate` undoes it, unless the text was erased. Backups are not changed.
    Near-duplicates of a withdrawn article stay, and are listed.
    """
    from rag.archive.archive import Archive
    from ui.cli.operator import record_command

    with Archive.open(settings.archive, mode="write", settings=settings, create=False) as archive:
        ids, unknown = _find_all(archive, names)
        copies = archive.near_duplicates(ids, filters=EVERYTHING)
        complete = True
        if ids and erase:
            complete = archive.erase(ids, reason=reason)
        elif ids:
            archive.withdraw(ids, reason=reason)
    if ids and erase:  # whose ids are erased from all logs, too
        record_command(settings, "erase", count=len(ids))
    elif ids:
        record_command(settings, "withdraw", articles=" ".join(ids))
    if as_json:
        from ui import render

        print(render.json_text({"erased" if erase else "removed": ids, "unknown": unknown}))
    else:
        _print_withdrawn("erased" if erase else "withdrawn", ids, copies)
    if not complete:
        raise ArchiveLockedError(
            "The articles are no longer found, but another process kept the database open and may "
            "still hold their text. Stop it and run the same command again."
        )
    return _report_unknown(unknown)


@click.command(
    cls=ManualPage,
    examples=[
        Example(
            "Reinstate a withdrawn article",
            "backfile reinstate https://courier.example/2024/10/yoon",
        ),
    ],
    exit_codes=[_SOME_UNKNOWN],
)
@_ids_argument
@archive_options
def reinstate(names: tuple[str, ...], settings: Settings, as_json: bool) -> int:
    """Reinstate withdrawn articles, as they were.

    An article whose text was erased is not added by this, but can be ingested again.
    """
    from rag.archive.archive import Archive
    from rag.sanitize import single_line
    from ui.cli.operator import record_command

    with Archive.open(settings.archive, mode="write", settings=settings, create=False) as archive:
        ids, unknown = _find_all(archive, names)
        withdrawn = [article_id for article_id in ids if archive.withdrawals([article_id])]
        archive.reinstate(withdrawn)
        if withdrawn:
            record_command(settings, "reinstate", articles=" ".join(withdrawn))
        standing = [
            article_id for article_id in withdrawn if archive.article(article_id, access=ALL_RIGHTS)
        ]
    if as_json:
        from ui import render

        print(render.json_text({"readmitted": withdrawn, "standing": standing, "unknown": unknown}))
        return _report_unknown(unknown)
    for article_id in ids:
        result = "was not withdrawn"
        if article_id in withdrawn:
            later = "" if article_id in standing else "; ingest it again to add it"
            result = f"reinstated{later}"
        print(single_line(f"{article_id}: {result}"))
    return _report_unknown(unknown)


# Lookup


def find_one_article(archive: Archive, name: str) -> str:
    """Return the ID of the article with this ID, URL, or start of an ID.

    Raises:
        BackfileError: There is no such article, or there are several.
    """
    from ui.article_lookup import find_article_ids

    ids = find_article_ids(archive, name) or archive.complete_id(name, access=ALL_RIGHTS)
    if not ids:
        raise BackfileError(f"No article {name!r} in the archive. Find it with `backfile search`.")
    if len(ids) > 1:
        raise BackfileError(f"{name!r} is ambiguous: write one of {', '.join(ids)}.")
    return ids[0]


def _find_all(archive: Archive, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the IDs of the articles named, each once, and the names without an article."""
    from ui.article_lookup import find_article_ids

    ids, unknown = list[str](), list[str]()
    for name in names:
        found = find_article_ids(archive, name)
        ids += found
        unknown += [] if found else [name]
    return list(dict.fromkeys(ids)), unknown


def _report_unknown(unknown: Sequence[str]) -> ExitCode:
    from rag.sanitize import single_line

    for name in unknown:
        print(single_line(f"no such article: {name}"), file=sys.stderr)
    return ExitCode.INCOMPLETE if unknown else ExitCode.DONE


# Output


def _print_withdrawn(
    done: str, ids: Sequence[str], copies: dict[str, tuple[ArticleMetadata, ...]]
) -> None:
    from rag.sanitize import single_line

    for article_id in ids:
        print(single_line(f"{done}: {article_id}"))
        for head in (head for head in copies.get(article_id, ()) if head.article_id not in ids):
            print(f"  {single_line(f'not withdrawn: its near-duplicate {head.article_id}')}")


def _print_withdrawal(withdrawal: Withdrawal) -> None:
    from ui import render

    done = "erased" if withdrawal.erased else "withdrawn"
    reason = f": {withdrawal.reason}" if withdrawal.reason else ""
    day = render.format_day(withdrawal.at)
    print(render.terminal_text(f"{withdrawal.article_id}: {done} on {day}{reason}"))


def _print_article(
    revision: Revision, revisions: Sequence[Revision], copies: Sequence[ArticleMetadata]
) -> None:
    from ui import render
    from ui.cli import format as text

    article = revision.article
    facts = (
        article.publisher,
        render.format_datetime(article.published),
        article.section,
        " and ".join(article.authors),
    )
    lines = [
        render.article_text(article.title),
        render.article_text(", ".join(filter(None, facts))),
        _link(article.url),
        render.terminal_text(article.id),
        f"revision {article.revision} of {revisions[-1].article.revision}, {_period(revision)}",
        *(
            render.terminal_text(f"also: {head.article_id}, {render.article_reference(head)}")
            for head in copies
        ),
        render.article_text(f"Corrected: {article.correction}") if article.correction else "",
    ]
    print("\n".join(filter(None, lines)), end="\n\n")
    width = text.terminal_width()
    paragraphs = (part for part in article.text.split("\n") if part.strip())
    print("\n\n".join(textwrap.fill(render.article_text(p), width) for p in paragraphs))


def _link(url: str) -> str:
    """Return a URL that can be opened safely, or a line that says it cannot."""
    from ui import render

    if not url:
        return ""
    return render.web_address(url) or f"not a web address: {render.article_text(url)}"


def _period(revision: Revision) -> str:
    from ui import render

    until = f", current until {render.format_datetime(revision.ended)}" if revision.ended else ""
    return f"added {render.format_datetime(revision.added)}{until}"


def _print_revisions(revisions: Sequence[Revision]) -> None:
    """Print each revision with what it changed in the one before; in colour on a terminal."""
    from rich.console import Console
    from rich.text import Text  # not a string: markup in an article stays text

    from rag.sanitize import strip_controls
    from ui.word_diff import mark_changes

    console = Console(highlight=False, soft_wrap=True)
    styles = {"same": "", "removed": "red strike", "added": "green"}
    for revision, parts in _compare(revisions):
        console.print(Text(f"revision {revision.article.revision}, {_period(revision)}", "bold"))
        if sys.stdout.isatty():
            shown = Text.assemble(*((strip_controls(text), styles[kind]) for kind, text in parts))
        else:
            shown = Text(strip_controls(mark_changes(parts)))
        console.print(shown, end="\n\n")


def _compare(revisions: Sequence[Revision]) -> Iterator[tuple[Revision, list[Any]]]:
    from ui.word_diff import abridge, diff_words

    before = ""
    for number, revision in enumerate(revisions):
        now = f"{revision.article.title}\n\n{revision.article.text}"
        yield revision, list(abridge(diff_words(before, now))) if number else [("same", now)]
        before = now


def _print_json(
    article_id: str,
    wanted: Sequence[Revision],
    revisions: Sequence[Revision],
    copies: Sequence[ArticleMetadata],
    withdrawal: Withdrawal | None,
) -> None:
    from ui import render

    withdrawn = withdrawal and {
        "at": withdrawal.at.isoformat(),
        "reason": withdrawal.reason,
        "erased": withdrawal.erased,
    }
    value = {
        "id": article_id,
        "withdrawn": withdrawn,
        "article": _revision_value(wanted[0]) if wanted else None,
        "revisions": [_revision_value(revision) for revision in revisions],
        "copies": [head.article_id for head in copies],
    }
    print(render.json_text(value))


def _revision_value(revision: Revision) -> dict[str, Any]:
    from ui import render

    article = revision.article
    return {
        "revision": article.revision,
        "came": revision.added.isoformat(),
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
