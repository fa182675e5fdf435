"""`backfile browse` and `backfile names`: all articles that match, and who and what is in them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.schema import ALL_RIGHTS, Filters
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage, usage_error
from ui.cli.options import (
    DATES,
    Date,
    Number,
    SourceName,
    archive_options,
    check_publishers,
)

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.archive.browse import BrowseOrder
    from rag.nlp.name_kinds import Kind

Run = TypeVar("Run", bound=Callable[..., Any])
KINDS = ("person", "place", "organisation")
FORMATS = (".csv", ".jsonl", ".parquet")


def _filter_options(run: Run) -> Run:
    """Add the options that limit the articles, as `filters`."""

    @functools.wraps(run)
    def with_filters(
        *args: Any,
        after: datetime | None,
        before: datetime | None,
        publisher: tuple[str, ...],
        author: tuple[str, ...],
        section: tuple[str, ...],
        language: tuple[str, ...],
        genre: tuple[str, ...],
        **kwargs: Any,
    ) -> Any:
        if after and before and after >= before:
            raise usage_error("--after must be earlier than --before")
        filters = Filters(
            *(after, before, publisher, author, section, language, genre),
            access=ALL_RIGHTS,  # users of the command line operate the archive
        )
        return run(*args, filters=filters, **kwargs)

    decorated: Any = with_filters
    for name, what in (
        ("genre", "of this genre, such as opinion"),
        ("language", "in this language, such as en"),
        ("section", "in this section"),
        ("author", "by this author"),
        ("publisher", "of this publisher"),
    ):
        decorated = click.option(
            f"--{name}",
            multiple=True,
            metavar="NAME",
            help=f"Only articles {what}. May be repeated.",
        )(decorated)
    for name, what in (
        ("before", "before this day (not on it)"),
        ("after", "on this day or later"),
    ):
        decorated = click.option(
            f"--{name}", type=Date(), metavar="DATE", help=f"Only articles published {what}."
        )(decorated)
    return decorated  # type: ignore[no-any-return]


@click.command(
    cls=ManualPage,
    notes=[
        (
            "Words",
            'Words side by side must all occur, anywhere in an article: storm "harbour bridge", '
            "(ferry OR bus) NOT strike. AND, OR and NOT are written in capitals; -word is NOT "
            "word. Inflections match, and stop words such as the are ignored.",
        ),
        DATES,
    ],
    examples=[
        Example(
            "List the articles of a publisher in a month",
            'backfile browse --publisher "Harbour Courier" --after 2024-10-01 --before 2024-11-01',
        ),
        Example(
            "Count the articles about Moldova or Georgia, but not both",
            'backfile browse "(Moldova OR Georgia) NOT (Moldova Georgia)" --limit 1',
        ),
        Example(
            "Export all articles about drones for a spreadsheet",
            "backfile browse drones --export drones.csv",
        ),
    ],
)
@click.argument("words", nargs=-1, metavar="[WORDS]...", help="Words of the articles; see below.")
@_filter_options
@click.option(
    "--order",
    type=click.Choice(["date", "relevance"]),
    default="date",
    show_default=True,
    help="Newest first, or best match first.",
)
@click.option(
    "--limit",
    type=Number(1, 1000),
    default=20,
    metavar="N",
    show_default=True,
    help="Number of articles to print.",
)
@click.option("--cursor", default="", metavar="TEXT", help="Go on where this page ended.")
@click.option(
    "--export",
    "file",
    type=SourceName(),
    metavar="FILE",
    help="Write all matching articles to a new file whose name ends in .csv, .jsonl or .parquet; "
    "- prints JSON lines.",
)
@archive_options
def browse(
    words: tuple[str, ...],
    filters: Filters,
    order: BrowseOrder,
    limit: int,
    cursor: str,
    file: str | None,
    settings: Settings,
    as_json: bool,
) -> int:
    """List the articles that match, with their number.

    Prints the first articles and how many there are by publisher, author, section, language, genre
    and month. `search` prints the best passages instead.
    """
    from rag.archive.archive import Archive
    from ui import render
    from ui.cli import format as text

    wanted = " ".join(words)
    with Archive.open(settings.archive, settings=settings) as archive:
        check_publishers(archive, filters)
        if file is not None:
            return _export(archive, wanted, filters, order, file, as_json=as_json)
        page = archive.browse(wanted, filters=filters, order=order, cursor=cursor, limit=limit)
    print(
        render.json_text(page.to_dict())
        if as_json
        else text.browse_text(page, text.terminal_width())
    )
    return ExitCode.DONE


def _export(
    archive: Archive, words: str, filters: Filters, order: BrowseOrder, file: str, *, as_json: bool
) -> int:
    from ingest import export_format
    from ui import render

    if file != "-" and Path(file).suffix not in FORMATS:
        raise usage_error(f"--export: {file!r} must end in {', '.join(FORMATS)}")
    articles = archive.browse_all(words, filters=filters, order=order)
    if file == "-":
        export_format.write_jsonl(articles, sys.stdout)
        return ExitCode.DONE
    from ui.cli.export import write_articles

    count = write_articles(articles, Path(file))
    print(render.json_text({"articles": count}) if as_json else f"exported: {count:,} articles")
    return ExitCode.DONE


@click.command(
    cls=ManualPage,
    notes=[DATES],
    examples=[
        Example(
            "List the people in articles of a month",
            "backfile names --kind person --after 2024-10-01",
        ),
        Example("Show what the archive has about somebody", 'backfile names "Yoon Suk Yeol"'),
        Example("List names that begin with mol", "backfile names --prefix mol"),
    ],
)
@click.argument("words", nargs=-1, metavar="[NAME]...", help="Show this name instead of a list.")
@click.option("--kind", type=click.Choice(KINDS), help="Only names of this kind.")
@click.option("--prefix", default="", metavar="TEXT", help="Only names with a word that begins so.")
@click.option(
    "--as-of",
    type=Date(),
    is_eager=True,
    metavar="DATE",
    help="Names in what had been ingested by the end of this day.",
)
@_filter_options
@click.option(
    "--limit",
    type=Number(1, 1000),
    default=20,
    metavar="N",
    show_default=True,
    help="Number of names, or of a name's articles, to print.",
)
@archive_options
def names(
    words: tuple[str, ...],
    kind: Kind | None,
    prefix: str,
    as_of: datetime | None,
    filters: Filters,
    limit: int,
    settings: Settings,
    as_json: bool,
) -> int:
    """List the people, places and organisations in the articles, or show one.

    Each with its number of articles, the most frequent first. For one name: its articles over
    time, the names beside it, quotations by and about it, and its newest articles. Names are found
    in English articles.
    """
    from rag.archive.archive import Archive
    from ui import render
    from ui.cli import format as text

    width = text.terminal_width()
    with Archive.open(settings.archive, settings=settings) as archive:
        check_publishers(archive, filters)
        view = archive.as_of(as_of) if as_of else archive
        if words:
            page = view.name(" ".join(words), kind, limit=limit, filters=filters)
            print(render.json_text(page.to_dict()) if as_json else text.name_text(page, width))
            return ExitCode.DONE
        found = view.names(kind, prefix, limit=limit, filters=filters)
    if as_json:
        print(render.json_text([one.to_dict() for one in found]))
    else:
        print(text.names_text(found))
    return ExitCode.DONE
