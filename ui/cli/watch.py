"""Ingest in rounds: at intervals, and when files change."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ui import render
from ui.cli import format as text

if TYPE_CHECKING:
    from ui.cli.ingest_session import IngestSession, Source

QUIET = 1.0  # seconds a file must be unchanged before it is read
_WAKE = 500  # milliseconds between checks of the time and of the stop event
_LOCK_WAIT = 60.0  # seconds that a round waits while another process writes


def watch(
    session: IngestSession,
    sources: Sequence[Source],
    *,
    every: float | None,
    files: bool,
    as_json: bool,
) -> None:
    """Ingest all sources, then again in rounds until the session is stopped.

    Each round prints one line to stdout. A round that fails prints why, and the next goes on.

    Args:
        session: Runs the rounds.
        sources: Files, folders and URLs.
        every: Seconds between rounds over all sources; never again if None.
        files: Also ingest files of the sources when they change.
        as_json: Print each line as JSON.
    """
    paths = [one for one in sources if isinstance(one, Path)] if files else []
    for due in _rounds(sources, every, paths, session.stop):
        now = datetime.now().astimezone()
        try:
            report = session.run(due, wait=_LOCK_WAIT)
            figures = render.report_value(report)
            line = text.report_text(report)
        # Any error: the next round may succeed, on a disk with room or a file that is back.
        except Exception as error:
            figures = {"error": str(error)}
            line = f"failed: {render.terminal_text(str(error))}"
        if as_json:
            print(
                render.json_line({"at": now.isoformat(timespec="seconds"), **figures}), flush=True
            )
        else:
            print(f"{now:%Y-%m-%d %H:%M:%S}  {line}", flush=True)


def _rounds(
    sources: Sequence[Source], every: float | None, watched: Sequence[Path], stop: Event
) -> Iterator[Sequence[Source]]:
    """Yield the sources of each round: all at first and at intervals, else the changed files."""
    changes = _changes(watched, stop)
    pending = next(changes)  # begins before the first round, so that no change is missed
    yield sources
    due = time.monotonic() + every if every else float("inf")
    while not stop.is_set():
        pending |= next(changes)
        ready = {path for path in pending if _is_settled(path)}
        if time.monotonic() >= due:
            pending -= ready
            yield sources
            due = time.monotonic() + (every or 0.0)
        elif ready:
            pending -= ready
            if existing := sorted(path for path in ready if path.exists()):
                yield existing


def _changes(watched: Sequence[Path], stop: Event) -> Iterator[set[Path]]:
    """Yield the changed files, at once or an empty set twice a second."""
    if not watched:
        yield set()
        while True:
            stop.wait(_WAKE / 1000)
            yield set()
    from watchfiles import watch as watch_folders  # 0.2 s: for --watch alone

    absolute = [path.absolute() for path in watched]
    # A file's folder is watched: editors replace a file by a new one.
    folders = {path if path.is_dir() else path.parent for path in absolute}
    folders = {folder for folder in folders if folder.is_dir()}  # the first round reported others
    if not folders:
        yield from _changes([], stop)
    for found in watch_folders(
        *folders, watch_filter=None, debounce=400, rust_timeout=_WAKE, yield_on_timeout=True
    ):
        yield set(_relevant((Path(path) for _, path in found), absolute))


def _relevant(changed: Iterable[Path], watched: Sequence[Path]) -> Iterator[Path]:
    from ingest.readers import may_hold_articles

    for path in changed:
        if path in watched:
            yield path
            continue
        within = [path.relative_to(root) for root in watched if path.is_relative_to(root)]
        if any(map(may_hold_articles, within)):
            yield path


def _is_settled(path: Path) -> bool:
    """Return True if a file is no longer being written, or is gone."""
    from ingest.readers.partial_files import is_being_written

    try:
        return time.time() - path.stat().st_mtime >= QUIET and not is_being_written(path)
    except OSError:
        return True
