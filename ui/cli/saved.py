"""`backfile saved`: searches kept under a name, and what came in since each was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.schema import ALL_RIGHTS, Filters
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualGroup, usage_error
from ui.cli.options import DATES, Date, archive_options, check_publishers

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.archive.new_articles import NewArticles
    from rag.store.saved_searches import SavedSearch

Run = TypeVar("Run", bound=Callable[..., Any])
News = tuple["SavedSearch", "NewArticles"]
_NAMES = (
    ("publisher", "publishers", "Only articles of this publisher. May be repeated."),
    ("author", "authors", "Only articles by this author. May be repeated."),
    ("section", "sections", "Only articles of this section. May be repeated."),
    ("language", "languages", "Only articles in this language, such as en. May be repeated."),
)
_name_argument = click.argument("name", help="Name or ID of the saved search.")


@click.group(
    cls=ManualGroup,
    invoke_without_command=True,
    notes=[
        (
            "What is new",
            "An article is new if it was added after the last look, whatever its date; one that "
            "was in the archive and has another text now is changed. It must pass the filters "
            "and have the words of the query: all of up to three words, and of longer questions "
            'those that weigh most. Phrases in "quotation marks" must occur, -words must not.',
        )
    ],
    examples=[
        Example("List the saved searches with what came in", "backfile saved"),
        Example(
            "Save a search of one publisher's articles",
            'backfile saved add "Harbour strikes" strike harbour --publisher "Harbour Courier"',
        ),
        Example(
            "Print what came in since the last time; in a crontab, cron mails it",
            "backfile saved --new --seen",
        ),
        Example("Show the new articles", 'backfile saved show "Harbour strikes"'),
    ],
    exit_codes=[
        (ExitCode.DONE, "Done; with `--new`, something new came in."),
        (ExitCode.NOTHING_NEW, "With `--new`: nothing new came in, and nothing is printed."),
    ],
)
@click.option(
    "--new", "only_new", is_flag=True, help="One line for each saved search with new articles."
)
@click.option("--seen", is_flag=True, help="Mark what is listed by --new as looked at.")
@archive_options
@click.pass_context
def saved(
    context: click.Context, only_new: bool, seen: bool, settings: Settings, as_json: bool
) -> int:
    """List saved searches, with the numbers of articles that came in since the last look.

    Saved searches are kept in the file saved.sqlite3 in the archive's folder, or in the record that
    BACKFILE_RECORD names. A backup includes them, and they can be changed while articles are
    ingested.
    """
    if context.invoked_subcommand is not None:
        if only_new or seen:
            raise usage_error("--new and --seen belong to `backfile saved` without a command")
        return ExitCode.DONE
    if seen and not only_new:
        raise usage_error("--seen needs --new")
    return _list(settings, only_new=only_new, mark=seen, as_json=as_json)


@saved.command(name="list", examples=[Example("List as JSON", "backfile saved list --json")])
@archive_options
def list_saved(settings: Settings, as_json: bool) -> int:
    """List saved searches, with the numbers of articles that came in since the last look."""
    return _list(settings, only_new=False, mark=False, as_json=as_json)


def _filter_options(run: Run) -> Run:
    decorated: Any = run
    for option, field, text in reversed(_NAMES):
        decorated = click.option(f"--{option}", field, multiple=True, metavar="NAME", help=text)(
            decorated
        )
    for option, text in (
        ("--before", "Only articles published before this day (not on it)."),
        ("--after", "Only articles published on this day or later."),
    ):
        decorated = click.option(option, type=Date(), metavar="DATE", help=text)(decorated)
    return decorated  # type: ignore[no-any-return]


@saved.command(
    notes=[DATES],
    examples=[
        Example("Save a search", "backfile saved add Troops North Korean troops in Russia"),
        Example(
            "Save everything in a section",
            'backfile saved add "All of sport" --section Sport',
        ),
    ],
)
@click.argument("name", help="A name that no other saved search has.")
@click.argument("words", nargs=-1, metavar="[QUERY]...", help="Words, or a question.")
@click.option(
    "--mode",
    default="answer",
    metavar="WORD",
    help="The kind of answer, for the page.",
    show_default=True,
)
@_filter_options
@archive_options
def add(
    name: str,
    words: tuple[str, ...],
    mode: str,
    after: datetime | None,
    before: datetime | None,
    settings: Settings,
    as_json: bool,
    **names: tuple[str, ...],
) -> int:
    """Save a search. The articles that are in the archive now count as seen."""
    if after and before and after >= before:
        raise usage_error("--after must be earlier than --before")
    filters = Filters(after=after, before=before, access=ALL_RIGHTS, **names)
    with _open(settings) as archive:
        check_publishers(archive, filters)
        search = archive.saved.searches.add(name, " ".join(words), filters=filters, mode=mode)
    _print_done("saved", search, as_json=as_json)
    return ExitCode.DONE


@saved.command(
    examples=[Example("Show them, and mark them as looked at", "backfile saved show Troops --seen")]
)
@_name_argument
@click.option("--seen", is_flag=True, help="Mark the search as looked at.")
@archive_options
def show(name: str, seen: bool, settings: Settings, as_json: bool) -> int:
    """Show the articles that came in since a search was last looked at, the last first."""
    with _open(settings) as archive:
        searches = archive.saved.searches
        search = searches.get(name)
        found = searches.new(search, access=ALL_RIGHTS, most=1_000)
        if seen:
            searches.mark_seen(search, found.sequence)
    _print_articles(search, found, as_json=as_json)
    return ExitCode.DONE


@saved.command(examples=[Example("Rename a search", "backfile saved rename Troops Soldiers")])
@_name_argument
@click.argument("new_name", metavar="NEW", help="A name that no other saved search has.")
@archive_options
def rename(name: str, new_name: str, settings: Settings, as_json: bool) -> int:
    """Give a saved search another name."""
    with _open(settings) as archive:
        search = archive.saved.searches.rename(name, new_name)
    _print_done("renamed", search, as_json=as_json)
    return ExitCode.DONE


@saved.command(examples=[Example("Remove a search", "backfile saved remove Troops")])
@_name_argument
@archive_options
def remove(name: str, settings: Settings, as_json: bool) -> int:
    """Remove a saved search. `backfile saved restore ID` undoes it for 30 days."""
    with _open(settings) as archive:
        search = archive.saved.searches.delete(name)
    _print_done("removed", search, as_json=as_json)
    return ExitCode.DONE


@saved.command(
    examples=[
        Example("List what can be restored", "backfile saved restore"),
        Example("Restore a search", "backfile saved restore 3f9a2b77c01d5e80"),
    ]
)
@click.argument("search_id", metavar="[ID]", required=False, help="ID of a removed search.")
@archive_options
def restore(search_id: str | None, settings: Settings, as_json: bool) -> int:
    """Restore a removed search; without an ID, list those that can be restored."""
    from ui import render

    with _open(settings) as archive:
        searches = archive.saved.searches
        if search_id is not None:
            _print_done("restored", searches.restore(search_id), as_json=as_json)
            return ExitCode.DONE
        gone = searches.deleted()
    if as_json:
        print(render.json_text([_search_value(search) for search in gone]))
        return ExitCode.DONE
    for search in gone:
        print(render.terminal_text(f"{search.id}: {search.name}: {_condition(search)}"))
    if not gone:
        print("Nothing to restore.")
    return ExitCode.DONE


@saved.command(
    notes=[
        (
            "Address",
            "The page serves the feed at an address with a secret token, which a feed reader "
            "needs instead of a password. BACKFILE_BASE_URL is the address of the page. Articles "
            "that need an access right are left out.",
        )
    ],
    examples=[
        Example("Write the feed to a file", "backfile saved feed Troops > troops.xml"),
        Example("Print the feed's address", "backfile saved feed Troops --address"),
        Example(
            "Give it another address, because the old one became known",
            "backfile saved feed Troops --renew",
        ),
    ],
)
@_name_argument
@click.option("--address", is_flag=True, help="Print the address of the feed instead.")
@click.option("--renew", is_flag=True, help="Make a new address, which is printed.")
@archive_options
def feed(name: str, address: bool, renew: bool, settings: Settings, as_json: bool) -> int:
    """Print the articles of a saved search that came in last, as an Atom feed."""
    from ui import render
    from ui.atom import saved_search_feed
    from ui.permalinks import feed_address

    with _open(settings) as archive:
        searches = archive.saved.searches
        search = searches.get(name)
        if not (address or renew):
            xml = saved_search_feed(archive, search, base_url=settings.base_url)
            value = {"name": search.name, "feed": xml}
            print(render.json_text(value) if as_json else xml.rstrip())
            return ExitCode.DONE
        token = searches.feed_token(search.id, renew=renew)
    where = feed_address(search.id, token, base_url=settings.base_url)
    print(render.json_text({"name": search.name, "address": where}) if as_json else where)
    return ExitCode.DONE


def _open(settings: Settings) -> Archive:
    from rag.archive.archive import Archive

    return Archive.open(settings.archive, settings=settings)


def _list(settings: Settings, *, only_new: bool, mark: bool, as_json: bool) -> ExitCode:
    from ui import render

    with _open(settings) as archive:
        searches = archive.saved.searches
        every = [(one, searches.new(one, access=ALL_RIGHTS)) for one in searches.list()]
        shown = [(one, found) for one, found in every if not only_new or _is_news(found)]
        lines = [_line(one, found) for one, found in shown]
        if as_json:
            print(render.json_text([_news_value(one, found) for one, found in shown]))
        else:
            _print_lines(lines if lines or only_new else ["No saved searches."])
        if mark:  # after they were printed: a closed pipe loses no news
            for one, found in shown:
                searches.mark_seen(one, found.sequence)
    return ExitCode.NOTHING_NEW if only_new and not shown else ExitCode.DONE


def _is_news(found: NewArticles) -> bool:
    return bool(found.count or found.changed)


def _print_lines(lines: Iterable[str]) -> None:
    import sys

    from ui import render

    for line in lines:
        print(render.terminal_text(line))
    sys.stdout.flush()


def _line(search: SavedSearch, found: NewArticles) -> str:
    return f"{search.name}: {_counts(found)} ({_condition(search)})"


def _counts(found: NewArticles) -> str:
    changed = f", {found.changed:,} changed" if found.changed else ""
    return f"{found.count:,} new{changed}" if _is_news(found) else "nothing new"


def _condition(search: SavedSearch) -> str:
    """Return the words and filters of a search on one line."""
    filters = search.filters
    parts = [search.query]
    parts += [f"--after {filters.after.date()}"] if filters.after else []
    parts += [f"--before {filters.before.date()}"] if filters.before else []
    for option, field, _ in _NAMES:
        parts += [f'--{option} "{name}"' for name in getattr(filters, field)]
    return " ".join(filter(None, parts))


def _print_articles(search: SavedSearch, found: NewArticles, *, as_json: bool) -> None:
    from ui import render

    if as_json:
        print(render.json_text(_news_value(search, found)))
        return
    lines = [_line(search, found)]
    for one in found.articles:
        mark = "changed: " if one.is_changed else ""
        address = render.web_address(one.metadata.url) or one.metadata.article_id
        lines += [f"- {mark}{render.article_reference(one.metadata)}", address]
    more = found.count + found.changed - len(found.articles)
    _print_lines([*lines, *([f"and {more:,} more"] if more > 0 else [])])


def _print_done(done: str, search: SavedSearch, *, as_json: bool) -> None:
    from ui import render

    if as_json:
        print(render.json_text(_search_value(search)))
    else:
        print(render.terminal_text(f"{done}: {search.name} ({_condition(search)}), ID {search.id}"))


def _search_value(search: SavedSearch) -> dict[str, Any]:
    from ui import render

    filters = search.filters
    names: dict[str, Sequence[str]] = {
        field: list(getattr(filters, field)) for _, field, _ in _NAMES
    }
    return {
        "id": search.id,
        "name": search.name,
        "query": search.query,
        "mode": search.mode,
        "after": render.iso_date(filters.after),
        "before": render.iso_date(filters.before),
        **names,
        "created": render.iso_date(search.created),
        "looked": render.iso_date(search.looked),
    }


def _news_value(search: SavedSearch, found: NewArticles) -> dict[str, Any]:
    from ui import render

    articles = [
        {
            "article_id": one.metadata.article_id,
            **render.metadata_value(one.metadata),
            "arrived": render.iso_date(one.arrived),
            "changed": one.is_changed,
        }
        for one in found.articles
    ]
    counts = {"new": found.count, "changed": found.changed, "sequence": found.sequence}
    return {**_search_value(search), **counts, "articles": articles}
