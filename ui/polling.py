"""Staying, and putting in what is new: at times, and when files change."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ui import render, terminal

if TYPE_CHECKING:
    from ui.feeding import Feeder, Source

QUIET = 1.0  # seconds that a file must have been left alone before it is read
_WAKE = 500  # milliseconds after which it is seen whether it is time, or time to stop
_FOR_OTHERS = 60.0  # seconds that a round waits while somebody else writes


def keep_on(feeder: Feeder, sources: Sequence[Source], arguments: argparse.Namespace) -> None:
    """Put `sources` in, and again at times or as they change, until the user stops it.

    Each round is a line on stdout; one that fails says why, and the next goes on.
    """
    paths = [one for one in sources if isinstance(one, Path)] if arguments.watch else []
    for due in _rounds(sources, arguments.every, paths, feeder.stop):
        now = datetime.now().astimezone()
        try:
            report = feeder.round(due, wait=_FOR_OTHERS)
            figures = render.report_value(report)
            said = terminal.report_text(report)
        # Whatever it is, the next round may be better: a full disk, a file that is no longer there.
        except Exception as error:
            figures = {"error": str(error)}
            said = f"failed: {render.terminal_text(str(error))}"
        if arguments.json:
            print(
                render.json_line({"at": now.isoformat(timespec="seconds"), **figures}), flush=True
            )
        else:
            print(f"{now:%Y-%m-%d %H:%M:%S}  {said}", flush=True)


def _rounds(
    sources: Sequence[Source], every: float | None, watched: Sequence[Path], stop: Event
) -> Iterator[Sequence[Source]]:
    """Yield what each round is to read: all at first and every so often, else what has changed."""
    changes = _changes(watched, stop)
    pending = next(changes)  # before all is read: what changes meanwhile is not overlooked
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
            if there := sorted(path for path in ready if path.exists()):
                yield there


def _changes(watched: Sequence[Path], stop: Event) -> Iterator[set[Path]]:
    """Yield, twice a second and at once when there are some, the files that have changed."""
    if not watched:
        yield set()
        while True:
            stop.wait(_WAKE / 1000)
            yield set()
    from watchfiles import watch  # 0.2 s: for --watch alone

    whole = [path.absolute() for path in watched]
    # The folder of a file, for an editor puts a new file in the place of the old one.
    folders = {path if path.is_dir() else path.parent for path in whole}
    folders = {folder for folder in folders if folder.is_dir()}  # what is not there was told of
    if not folders:
        yield from _changes([], stop)
    for found in watch(
        *folders, watch_filter=None, debounce=400, rust_timeout=_WAKE, yield_on_timeout=True
    ):
        yield set(_of_interest((Path(path) for _, path in found), whole))


def _of_interest(changed: Iterable[Path], watched: Sequence[Path]) -> Iterator[Path]:
    from ingest.readers import may_hold_articles

    for path in changed:
        if path in watched:
            yield path
            continue
        within = [path.relative_to(root) for root in watched if path.is_relative_to(root)]
        if any(map(may_hold_articles, within)):
            yield path


def _is_settled(path: Path) -> bool:
    """Whether a file has been left alone, or is gone."""
    from ingest.readers.partial_files import is_being_written

    try:
        return time.time() - path.stat().st_mtime >= QUIET and not is_being_written(path)
    except OSError:
        return True
