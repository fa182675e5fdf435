"""`backfile feeds`: feeds, sitemaps and pages that are read on a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from rag.errors import BackfileError
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualGroup, usage_error
from ui.cli.options import Duration, archive_options

if TYPE_CHECKING:
    from ingest.report import IngestReport
    from rag.archive.archive import Archive
    from rag.store.feeds import Feed, FeedStore

_LOCK_WAIT = 60.0  # seconds to wait while another process writes
_HOUR = 3600.0
_name_argument = click.argument("name", help="Address or ID of the feed.")
_SCHEDULES = (
    click.option(
        "--every", type=Duration(), metavar="TIME", help="Read it at this interval: 1h, 6h or 1d."
    ),
    click.option("--by-hand", is_flag=True, help="Read it on request only."),
)


@click.group(
    cls=ManualGroup,
    invoke_without_command=True,
    notes=[
        (
            "Who reads them",
            "`backfile serve` reads each feed when it is due, one after another, unless "
            "BACKFILE_WRITE_ACCESS=none. Without a server, let cron call `backfile feeds run`. "
            "Both may run at once: the archive's write lock keeps a feed from being read twice.",
        ),
        (
            "Politeness",
            "Requests are conditional, robots.txt is obeyed, and a host is asked at most once a "
            "second. After each failure in a row, the next read waits twice as long, up to a day.",
        ),
    ],
    examples=[
        Example("List the feeds", "backfile feeds"),
        Example(
            "Add one that is read every six hours",
            "backfile feeds add https://courier.example/feed --every 6h",
        ),
        Example("Read those that are due, in a crontab", "backfile feeds run"),
    ],
)
@archive_options
@click.pass_context
def feeds(context: click.Context, settings: Settings, as_json: bool) -> int:
    """List, add, schedule, remove or read feeds.

    A feed is the address of an RSS, Atom or JSON feed, a sitemap, a list of URLs or a page that is
    read again and again. The list is kept in the file saved.sqlite3 in the archive's folder, or in
    the record that BACKFILE_RECORD names; a backup includes it.
    """
    if context.invoked_subcommand is None:
        return _list(settings, as_json=as_json)
    return ExitCode.DONE


@feeds.command(name="list", examples=[Example("List as JSON", "backfile feeds list --json")])
@archive_options
def list_feeds(settings: Settings, as_json: bool) -> int:
    """List the feeds: schedule, last read, what came of it, next read."""
    return _list(settings, as_json=as_json)


def _schedule_options(run: Any) -> Any:
    for option in reversed(_SCHEDULES):
        run = option(run)
    return run


@feeds.command(
    examples=[
        Example("Add a feed, read every hour", "backfile feeds add https://courier.example/feed"),
        Example(
            "Add a sitemap, read once a day",
            "backfile feeds add https://courier.example/sitemap.xml --every 1d",
        ),
    ]
)
@click.argument("url", help="Address of a feed, sitemap, list of URLs or page.")
@_schedule_options
@archive_options
def add(url: str, every: float | None, by_hand: bool, settings: Settings, as_json: bool) -> int:
    """Add a feed; by default, it is read every hour."""
    from ingest.feed_reading import allowed_hosts, check_url, log_change
    from ingest.runner import COMMAND

    interval = _interval(every, by_hand=by_hand)
    store = _open(settings)
    seconds = int(_HOUR) if interval is None else interval
    feed = store.add(check_url(url, allowed_hosts(settings)), every=seconds, creator=COMMAND)
    log_change("added", feed, COMMAND)
    _print([feed], "added: ", as_json=as_json)
    return ExitCode.DONE


@feeds.command(
    examples=[Example("Read it once a day", "backfile feeds schedule 3f9a2b77c01d5e80 --every 1d")]
)
@_name_argument
@_schedule_options
@archive_options
def schedule(
    name: str, every: float | None, by_hand: bool, settings: Settings, as_json: bool
) -> int:
    """Change the interval at which a feed is read."""
    interval = _interval(every, by_hand=by_hand)
    if interval is None:
        raise usage_error("--every or --by-hand is missing")
    _print([_open(settings).schedule(name, interval)], "scheduled: ", as_json=as_json)
    return ExitCode.DONE


@feeds.command(examples=[Example("Pause a feed", "backfile feeds pause 3f9a2b77c01d5e80")])
@_name_argument
@archive_options
def pause(name: str, settings: Settings, as_json: bool) -> int:
    """Suspend the schedule of a feed."""
    _print([_open(settings).pause(name, is_paused=True)], "paused: ", as_json=as_json)
    return ExitCode.DONE


@feeds.command(examples=[Example("Resume it", "backfile feeds resume 3f9a2b77c01d5e80")])
@_name_argument
@archive_options
def resume(name: str, settings: Settings, as_json: bool) -> int:
    """Resume the schedule of a feed that was paused."""
    _print([_open(settings).pause(name, is_paused=False)], "resumed: ", as_json=as_json)
    return ExitCode.DONE


@feeds.command(
    examples=[Example("Remove a feed", "backfile feeds remove https://courier.example/feed")]
)
@_name_argument
@archive_options
def remove(name: str, settings: Settings, as_json: bool) -> int:
    """Remove a feed; its articles stay. `backfile feeds restore ID` undoes it for 30 days."""
    feed = _open(settings).remove(name)
    _print([feed], "removed: ", as_json=as_json)
    return ExitCode.DONE


@feeds.command(
    examples=[Example("Restore a feed", "backfile feeds restore 3f9a2b77c01d5e80")],
)
@click.argument("feed_id", metavar="ID", help="ID of a removed feed.")
@archive_options
def restore(feed_id: str, settings: Settings, as_json: bool) -> int:
    """Undo the removal of a feed."""
    _print([_open(settings).restore(feed_id)], "restored: ", as_json=as_json)
    return ExitCode.DONE


@feeds.command(
    examples=[
        Example("Read the feeds that are due", "backfile feeds run"),
        Example("Read one now", "backfile feeds run https://courier.example/feed"),
        Example("Read all that aren't paused", "backfile feeds run --all"),
    ],
    exit_codes=[
        (ExitCode.DONE, "All were read, or none was due."),
        (ExitCode.FAILED, "The archive could not be opened for writing."),
        (ExitCode.INCOMPLETE, "Some feeds could not be read: `backfile feeds` says why."),
    ],
)
@click.argument("names", nargs=-1, metavar="[NAME]...", help="Addresses or IDs of feeds.")
@click.option("--all", "every", is_flag=True, help="Read all feeds, except those that are paused.")
@archive_options
def run(names: tuple[str, ...], every: bool, settings: Settings, as_json: bool) -> int:
    """Read the feeds that are due, one after another; or those that are named."""
    from ui.cli.logs import log_to_file
    from ui.cli.signals import stop_on_signals

    if names and every:
        raise usage_error("--all reads every feed: leave out the names")
    store = _open(settings)
    if names:
        chosen: Sequence[Feed] = [store.get(name) for name in names]
    else:
        chosen = [one for one in store.all() if not one.is_paused] if every else store.due()
    only_due = not (names or every)
    with log_to_file(settings), stop_on_signals() as stop:
        codes = [
            _read(store, feed, settings, stop, only_due=only_due, as_json=as_json)
            for feed in chosen
            if not stop.is_set()
        ]
    if stop.is_set():
        raise KeyboardInterrupt
    return max(codes, default=ExitCode.DONE)


def _read(
    store: FeedStore,
    feed: Feed,
    settings: Settings,
    stopped: Event,
    *,
    only_due: bool,
    as_json: bool,
) -> ExitCode:
    """Read one feed, and print one line about it."""
    from ingest.feed_reading import open_client, read_feed
    from ingest.runner import COMMAND
    from rag.errors import ArchiveLockedError
    from ui.cli import format as text

    stop = _Either(stopped)
    try:
        with open_client(settings, stop) as client, _open_archive(settings) as archive:
            found = read_feed(
                *(archive, store, feed.id),
                client=client,
                stop=stop,
                by=COMMAND,
                only_due=only_due,
            )
    except ArchiveLockedError:
        raise
    except BackfileError as error:
        _print_read(feed, None, "", str(error), as_json=as_json)
        return ExitCode.INCOMPLETE
    if found is None:  # another process has read it meanwhile
        return ExitCode.DONE
    _print_read(feed, found.report, text.report_text(found.report), found.error, as_json=as_json)
    return ExitCode.INCOMPLETE if found.error else ExitCode.DONE


class _Either(Event):
    """Event of one read that also counts as set once the whole command is stopped."""

    def __init__(self, other: Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Return True if either event is set."""
        return super().is_set() or self._other.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for this event; the other one ends the wait, too."""
        left = timeout
        while not self.is_set() and (left is None or left > 0):
            super().wait(0.2 if left is None else min(left, 0.2))
            left = None if left is None else left - 0.2
        return self.is_set()


def _interval(every: float | None, *, by_hand: bool) -> int | None:
    if every is not None and by_hand:
        raise usage_error("--every and --by-hand exclude each other")
    return 0 if by_hand else None if every is None else int(every)


def _open(settings: Settings) -> FeedStore:
    """Return the feeds of the archive, which must exist."""
    from ingest.feed_reading import feeds_of
    from rag.archive.side_home import home_of
    from rag.store.articles import ArticleStore

    ArticleStore(settings.archive).close()
    return feeds_of(home_of(settings))


def _open_archive(settings: Settings) -> Archive:
    from rag.archive.archive import Archive

    return Archive.open(settings.archive, mode="write", settings=settings, wait=_LOCK_WAIT)


def _list(settings: Settings, *, as_json: bool) -> ExitCode:
    _print(_open(settings).all(), as_json=as_json)
    return ExitCode.DONE


def _print(found: Sequence[Feed], done: str = "", *, as_json: bool) -> None:
    from ui import render

    if as_json:
        print(render.json_text([_value(feed) for feed in found]))
        return
    for feed in found:
        print(render.terminal_text(f"{done}{feed.url} ({_facts(feed)}), ID {feed.id}"))
    if not found:
        print("No feeds: add one with `backfile feeds add URL`.")


def _facts(feed: Feed) -> str:
    """Return the schedule of a feed, and what came of its last read."""
    parts = ["paused" if feed.is_paused else _schedule_text(feed.every)]
    if feed.error:
        parts.append(f"failed {feed.failures}x: {feed.error}")
    elif feed.read:
        parts.append(", ".join(f"{count:,} {name}" for name, count in feed.counts.items()))
        parts.append(f"read {feed.read:%Y-%m-%d %H:%M} UTC")
    if feed.due:
        parts.append(f"next {feed.due:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)


def _schedule_text(every: int) -> str:
    if not every:
        return "by hand"
    for seconds, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if every % seconds == 0:
            return f"every {every // seconds}{unit}"
    return f"every {every}s"


def _value(feed: Feed) -> dict[str, Any]:
    from ui import render

    moments = {name: render.iso_date(getattr(feed, name)) for name in ("created", "due", "read")}
    return {
        "id": feed.id,
        "url": feed.url,
        "every": feed.every,
        "paused": feed.is_paused,
        **moments,
        "counts": dict(feed.counts),
        "error": feed.error,
        "failures": feed.failures,
    }


def _print_read(
    feed: Feed, report: IngestReport | None, line: str, error: str, *, as_json: bool
) -> None:
    from ui import render

    if as_json:
        counts = render.report_value(report) if report else {}
        print(render.json_line({"url": feed.url, **counts, "error": error}), flush=True)
        return
    words = f"failed: {error}" if error else line
    print(render.terminal_text(f"{feed.url}: {words}"), flush=True)
