"""`backfile dossier`: passages collected with notes, in order, and their export."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.errors import InvalidValueError, SavedItemError
from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualGroup, usage_error
from ui.cli.dossier_output import number_of, print_done, print_list, print_passages
from ui.cli.export_file import format_of, write_new
from ui.cli.options import Number, SourceName, archive_options

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.archive.dossiers import DossierPassage, Dossiers
    from rag.schema import Article

_name_argument = click.argument("name", help="Name or ID of the dossier.")
_number_argument = click.argument(
    "number", type=Number(1), help="Number of the passage, as `backfile dossier show` prints it."
)


@click.group(
    cls=ManualGroup,
    invoke_without_command=True,
    examples=[
        Example("List the dossiers", "backfile dossier"),
        Example("Make a dossier", 'backfile dossier create "Harbour bridge"'),
        Example(
            "Add a quotation with a note",
            'backfile dossier add "Harbour bridge" https://courier.example/bridge '
            '--quote "repairs would take six weeks" --note "Who says so?"',
        ),
        Example("Export it to Word", 'backfile dossier export "Harbour bridge"'),
    ],
)
@archive_options
@click.pass_context
def dossier(context: click.Context, settings: Settings, as_json: bool) -> int:
    """List dossiers: passages of articles that were collected with notes, in order.

    A passage reads on when its article changes or is deleted. Of a withdrawn article nothing is
    shown, and erasing an article erases its words, and the notes on them, from every dossier.
    """
    if context.invoked_subcommand is None:
        return _list(settings, as_json=as_json)
    return ExitCode.DONE


@dossier.command(name="list", examples=[Example("List as JSON", "backfile dossier list --json")])
@archive_options
def list_dossiers(settings: Settings, as_json: bool) -> int:
    """List the dossiers."""
    return _list(settings, as_json=as_json)


@dossier.command(examples=[Example("Make a dossier", 'backfile dossier create "Harbour bridge"')])
@click.argument("name", help="A name that no other dossier has.")
@archive_options
def create(name: str, settings: Settings, as_json: bool) -> int:
    """Make an empty dossier."""
    with _open(settings) as archive:
        made = archive.saved.dossiers.create(name)
    print_done("created", made, as_json=as_json)
    return ExitCode.DONE


@dossier.command(examples=[Example("Show a dossier", 'backfile dossier show "Harbour bridge"')])
@_name_argument
@archive_options
def show(name: str, settings: Settings, as_json: bool) -> int:
    """Show the passages of a dossier with their notes."""
    with _open(settings) as archive:
        found = archive.saved.dossiers.get(name)
        passages = archive.saved.dossiers.passages(found.id, access=ALL_RIGHTS)
    print_passages(found, passages, as_json=as_json)
    return ExitCode.DONE


@dossier.command(
    examples=[
        Example(
            "Add a quotation",
            'backfile dossier add Bridge courier.example/bridge --quote "repairs would take"',
        ),
        Example(
            "Add characters 120 to 260 of an earlier revision",
            "backfile dossier add Bridge courier.example/bridge --at 120-260 --revision 1",
        ),
    ]
)
@_name_argument
@click.argument("article", metavar="ARTICLE", help="ID or URL of the article.")
@click.option("--quote", metavar="TEXT", help="The passage, as it is written in the article.")
@click.option("--at", "place", metavar="START-END", help="Its place in the text, in characters.")
@click.option("--revision", type=Number(1), metavar="N", help="A revision other than the latest.")
@click.option("--note", default="", metavar="TEXT", help="A note.")
@archive_options
def add(
    name: str,
    article: str,
    quote: str | None,
    place: str | None,
    revision: int | None,
    note: str,
    settings: Settings,
    as_json: bool,
) -> int:
    """Add a passage of an article at the end of a dossier."""
    if (quote is None) == (place is None):
        raise usage_error("give either --quote or --at")
    from ui.cli.articles import find_one_article

    with _open(settings) as archive:
        article_id = find_one_article(archive, article)
        text = archive.article(article_id, revision, access=ALL_RIGHTS)
        if text is None:
            raise SavedItemError(f"No article {article_id!r} of that revision to add from.")
        start, end = _find_quote(text, quote) if quote is not None else _parse_place(place or "")
        passage = archive.saved.dossiers.add(
            name, article_id, start, end, revision=text.revision, note=note, access=ALL_RIGHTS
        )
        found = archive.saved.dossiers.get(name)
    print_passages(found, [passage], as_json=as_json, first=None)
    return ExitCode.DONE


@dossier.command(
    examples=[Example("Change a note", 'backfile dossier note Bridge 2 "Confirmed by phone."')]
)
@_name_argument
@_number_argument
@click.argument("text", help='The new note; "" for none.')
@archive_options
def note(name: str, number: int, text: str, settings: Settings, as_json: bool) -> int:
    """Replace the note of a passage."""
    with _open(settings) as archive:
        dossiers = archive.saved.dossiers
        dossiers.note(name, _passage(dossiers, name, number).id, text)
    return _show_again(settings, name, as_json=as_json)


@dossier.command(
    examples=[Example("Move passage 5 to the top", "backfile dossier move Bridge 5 1")]
)
@_name_argument
@_number_argument
@click.argument("place", type=Number(1), metavar="TO", help="Its new number.")
@archive_options
def move(name: str, number: int, place: int, settings: Settings, as_json: bool) -> int:
    """Move a passage to another place."""
    with _open(settings) as archive:
        dossiers = archive.saved.dossiers
        dossiers.move(name, _passage(dossiers, name, number).id, place)
    return _show_again(settings, name, as_json=as_json)


@dossier.command(
    examples=[
        Example("Remove passage 2", "backfile dossier remove Bridge 2"),
        Example("Remove a dossier", "backfile dossier remove Bridge"),
    ]
)
@_name_argument
@click.argument(
    "number", type=Number(1), required=False, help="Number of a passage; the dossier if missing."
)
@archive_options
def remove(name: str, number: int | None, settings: Settings, as_json: bool) -> int:
    """Remove a dossier, or a passage of it. `backfile dossier restore` undoes it for 30 days."""
    with _open(settings) as archive:
        dossiers = archive.saved.dossiers
        if number is None:
            print_done("removed", dossiers.delete(name), as_json=as_json)
            return ExitCode.DONE
        passage = _passage(dossiers, name, number)
        dossiers.remove(name, passage.id)
        found = dossiers.get(name)
    print_passages(found, [passage], as_json=as_json, first=number, done="removed")
    return ExitCode.DONE


@dossier.command(
    examples=[
        Example("List the dossiers that can be restored", "backfile dossier restore"),
        Example("Restore a dossier", "backfile dossier restore 3f9a2b77c01d5e80"),
        Example(
            "Restore the passage that was removed last", "backfile dossier restore Bridge --passage"
        ),
    ]
)
@click.argument("name", metavar="[ID]", required=False, help="ID of a removed dossier.")
@click.option(
    "--passage", is_flag=True, help="Restore the passage that was removed last from this dossier."
)
@archive_options
def restore(name: str | None, passage: bool, settings: Settings, as_json: bool) -> int:
    """Restore a removed dossier or passage; without an ID, list the dossiers that can be."""
    with _open(settings) as archive:
        dossiers = archive.saved.dossiers
        if name is None:
            print_list(dossiers.deleted(), "Nothing to restore.", as_json=as_json)
            return ExitCode.DONE
        if not passage:
            print_done("restored", dossiers.restore(name), as_json=as_json)
            return ExitCode.DONE
        removed = dossiers.removed(name, access=ALL_RIGHTS)
        if not removed:
            raise SavedItemError(f"No passage to restore in the dossier {name!r}.")
        dossiers.restore_passage(name, removed[0].id)
    return _show_again(settings, name, as_json=as_json)


@dossier.command(
    examples=[Example("Rename a dossier", 'backfile dossier rename Bridge "The old bridge"')]
)
@_name_argument
@click.argument("new_name", metavar="NEW", help="A name that no other dossier has.")
@archive_options
def rename(name: str, new_name: str, settings: Settings, as_json: bool) -> int:
    """Give a dossier another name."""
    with _open(settings) as archive:
        renamed = archive.saved.dossiers.rename(name, new_name)
    print_done("renamed", renamed, as_json=as_json)
    return ExitCode.DONE


@dossier.command(
    examples=[
        Example(
            "Export to Word, in a file named after the dossier", "backfile dossier export Bridge"
        ),
        Example("Export to PDF", "backfile dossier export Bridge bridge.pdf"),
        Example("Print it as Markdown", "backfile dossier export Bridge -"),
        Example("Export the citations for Zotero", "backfile dossier export Bridge bridge.ris"),
    ]
)
@_name_argument
@click.argument(
    "file",
    type=SourceName(),
    metavar="[FILE]",
    required=False,
    help="The file to write, which must not exist yet. Its name ends in .docx (Word), .pdf, "
    ".md (Markdown), .ris or .json (CSL-JSON); - prints Markdown. By default a Word file that is "
    "named after the dossier.",
)
@click.option(
    "--language", default="en", metavar="CODE", show_default=True, help="Language: en or de."
)
@archive_options
def export(name: str, file: str | None, language: str, settings: Settings, as_json: bool) -> int:
    """Export a dossier with the sources of its passages."""
    from ui import render
    from ui.dossier_formats import DOSSIER_FORMATS, ExportedDossier, export_dossier
    from ui.i18n import texts_in

    form = "markdown" if file == "-" else format_of(file or "x.docx", DOSSIER_FORMATS)
    with _open(settings) as archive:
        found = archive.saved.dossiers.get(name)
        passages = archive.saved.dossiers.passages(found.id, access=ALL_RIGHTS)
        sequence = archive.version
    now = datetime.now(UTC)
    content = ExportedDossier(found.name, passages, sequence, now, settings.base_url)
    exported = export_dossier(content, form, texts_in(language))
    if file == "-":
        print(exported.content.decode(), end="")
        return ExitCode.DONE
    target = Path(file or exported.name)
    write_new(target, exported.content)
    value = {"file": str(target), "passages": len(passages)}
    line = f"exported: {target}, {number_of(len(passages))}"
    print(render.json_text(value) if as_json else render.terminal_text(line))
    return ExitCode.DONE


# Lookup and files


def _open(settings: Settings) -> Archive:
    from rag.archive.archive import Archive

    return Archive.open(settings.archive, settings=settings)


def _passage(dossiers: Dossiers, name: str, number: int) -> DossierPassage:
    passages = dossiers.passages(name, access=ALL_RIGHTS)
    if number > len(passages):
        raise SavedItemError(f"No passage {number} in the dossier: it has {len(passages):,}.")
    return passages[number - 1]


def _find_quote(article: Article, quote: str) -> tuple[int, int]:
    start = article.text.find(quote) if quote else -1
    if start < 0:
        raise InvalidValueError(
            f"The article {article.id!r} has no such words: {quote[:60]!r}. Copy them from "
            "`backfile show`, or use --at."
        )
    return start, start + len(quote)


def _parse_place(place: str) -> tuple[int, int]:
    start, dash, end = place.partition("-")
    if not (dash and start.isdecimal() and end.isdecimal()):
        raise usage_error(f"--at: {place!r} is not a range: write it as 120-260")
    return int(start), int(end)


def _list(settings: Settings, *, as_json: bool) -> ExitCode:
    with _open(settings) as archive:
        print_list(archive.saved.dossiers.list(), "No dossiers.", as_json=as_json)
    return ExitCode.DONE


def _show_again(settings: Settings, name: str, *, as_json: bool) -> ExitCode:
    with _open(settings) as archive:
        found = archive.saved.dossiers.get(name)
        passages = archive.saved.dossiers.passages(found.id, access=ALL_RIGHTS)
    print_passages(found, passages, as_json=as_json)
    return ExitCode.DONE
