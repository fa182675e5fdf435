"""An ingest from beginning to end: what came of it is kept in the archive, and logged."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from ingest.change_policy import ChangePolicy
from ingest.dry_run import (
    DryRunArchive,
    ReadOnlyFetchHistory,
    ReadOnlyFileLocations,
    ReadOnlyOrigins,
)
from ingest.fetch.client import Client
from ingest.fetch.crawler import Crawler
from ingest.identity import ArticleIdResolver
from ingest.pipeline import ingest, is_address
from ingest.readers import ReaderOptions
from ingest.readers.file_names import path_of, printable_name
from ingest.report import IngestReport, Progress
from ingest.target import IngestTarget
from ingest.trusted_sources import NO_TRUST, TrustedSources, read_trusted_sources
from rag.store.articles import ArticleStore
from rag.store.crawl_state import FetchHistory, FileLocations
from rag.store.database import Database
from rag.store.held_changes import ArticleOrigins, HeldChanges
from rag.store.ingest_log import RejectedInput, RejectLog, RunLog

LOG = logging.getLogger("backfile.ingest")
_REMEMBERED = 1_000  # runs that are looked through for how a source was read
# Characters of a source: a path has at most 4,096 bytes, and an address seldom more. A member of a
# zip may be called by 65,535 colons, of which each would be looked at.
_SOURCE_UP_TO = 8_192
_KEEP_AT = 500  # rejects that are written at a time

Source = str | Path
OnProgress = Callable[[Progress], None]
OnReject = Callable[[dict[str, str]], None]


class RecordedArchive(IngestTarget, Protocol):
    """What a run needs: `rag.archive.archive.Archive`, or a fake with a database of its own."""

    @property
    def store(self) -> ArticleStore: ...


def run_ingest(
    archive: RecordedArchive,
    sources: Sequence[Source],
    *,
    client: Client,
    reading: ReaderOptions,
    stop: Event | None = None,
    on_progress: OnProgress | None = None,
    on_reject: OnReject | None = None,
    on_notice: OnReject | None = None,
) -> IngestReport:
    """Put the articles of `sources` into `archive`, and return what was done.

    The archive keeps the run with its figures, and each reject until its place has been read
    without one; the log has a line of it, whether it ended well or not. What fetched content may
    change beside its own site's articles, `sources.toml` in the archive's folder says; what it may
    not is held. Raises SettingsError where that file cannot be read.
    """
    database = archive.store.database
    trust = read_trusted_sources(database.path.parent)
    following = Crawler(client, FetchHistory(database), reading, trust)
    custody = ChangePolicy(
        archive,
        trust,
        origins=ArticleOrigins(database),
        changes=HeldChanges(database),
        parted=lambda place: _parted(place, following.requested),
    )
    with _kept(database, sources, reading) as (began, figures):
        rejects = _Rejects(RejectLog(database), on_reject, following.requested)
        read: list[str] = []
        try:
            report = ingest(
                archive,
                sources,
                on_progress=on_progress,
                on_reject=rejects.take,
                on_notice=on_notice,
                on_read=read.append,
                reading=reading,
                following=following,
                identities=ArticleIdResolver(archive, FileLocations(database)),
                custody=custody,
                stop=stop,
            )
        finally:
            rejects.keep()
        rejects.forget([*read, *following.finished], before=began)
        figures.update(asdict(report), stopped=bool(stop and stop.is_set()))
    return report


def dry_run(
    archive: RecordedArchive | None,
    sources: Sequence[Source],
    *,
    client: Client,
    reading: ReaderOptions,
    stop: Event | None = None,
    on_progress: OnProgress | None = None,
    on_reject: OnReject | None = None,
    on_notice: OnReject | None = None,
    trust: TrustedSources = NO_TRUST,
) -> tuple[IngestReport, DryRunArchive]:
    """Return what `run` would do, and to which articles; nothing is written anywhere.

    Of an archive that is still to be made, `trust` says what fetched content may change.
    """
    rehearsal = DryRunArchive(archive)
    visits = FetchHistory(archive.store.database) if archive else None
    places = ReadOnlyFileLocations(archive.store.database) if archive else None
    trust = read_trusted_sources(archive.store.database.path.parent) if archive else trust
    origins = ReadOnlyOrigins(archive.store.database) if archive else None
    report = ingest(
        rehearsal,
        sources,
        on_progress=on_progress,
        on_reject=on_reject,
        on_notice=on_notice,
        reading=reading,
        following=Crawler(client, ReadOnlyFetchHistory(visits), reading, trust),
        identities=ArticleIdResolver(rehearsal, places) if places else None,
        custody=ChangePolicy(rehearsal, trust, origins=origins),
        stop=stop,
    )
    return report, rehearsal


def last_reader_options(database: Database, source: str) -> dict[str, Any]:
    """Return the `map`, the `kind` and whether `summaries` were kept when a source was last read.

    Nothing where it was not named, but found in a feed, or is not remembered.
    """
    for kept in RunLog(database).recent(_REMEMBERED):
        for named in kept.figures.get("sources", ()):
            if source == named or source.startswith(named + os.sep):
                return dict(kept.figures.get("reading", {}))
    return {}


def _how(reading: ReaderOptions) -> dict[str, Any]:
    pairs = ",".join(f"{field}={key}" for field, key in reading.field_map.keys)
    return {"map": pairs, "kind": reading.kind, "summaries": reading.links == "keep"}


def source_of(place: str) -> str:
    """Return the file, or the address, that a reject's place is in: what to read to try it again.

    `dump.zip!a.jsonl:17` is in `dump.zip`; a file is named by its whole path.
    """
    return _parted(place)[0]


def _parted(place: str, is_source: Callable[[str], bool] = lambda _: True) -> tuple[str, str]:
    """Return the source of a place, and what of the place is within it.

    What is within is never made part of a path: a member may be called `../../etc/passwd`.
    `is_source` tells what was fetched from what is within it.
    """
    parts = [found.start() for found in re.finditer("[!:]", place[:_SOURCE_UP_TO])]
    ends = [len(place), *reversed(parts)]
    if is_address(place):
        end = next((end for end in ends if is_source(place[:end])), len(place))
        return place[:end], place[end:]
    for end in ends:
        if _is_there(place[:end]):
            return _absolute(place[:end]), place[end:]
    return _absolute(place), ""


def _is_there(path: str) -> bool:
    try:
        return path_of(path).exists()
    except OSError:  # a name too long for any file
        return False


def _absolute(place: str) -> str:
    # Not `resolve`: what a link in a folder leads to need not be in the folder.
    return printable_name(os.path.normpath(Path(place).absolute()))


@contextmanager
def _kept(
    database: Database, sources: Iterable[Source], reading: ReaderOptions
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Give when the run began, and a dictionary for its figures; keep and log them at its end."""
    runs = RunLog(database)
    began = datetime.now(UTC)
    number = runs.begin(began)
    named = [str(one) if is_address(one) else _absolute(str(one)) for one in sources]
    figures: dict[str, Any] = {"sources": named, "reading": _how(reading)}
    try:
        yield began, figures
    except BaseException as error:
        figures["error"] = printable_name(f"{type(error).__name__}: {error}"[:300])
        raise
    finally:
        ended = datetime.now(UTC)
        runs.end(number, ended, figures)
        level = logging.ERROR if "error" in figures else logging.INFO
        moments = {"run": number, "began": began.isoformat(), "ended": ended.isoformat()}
        LOG.log(level, "ingest", extra={"figures": {**moments, **figures}})


class _Rejects:
    """The rejects of a run: told at once, and kept a few hundred at a time."""

    def __init__(
        self, rejects: RejectLog, on_reject: OnReject | None, is_source: Callable[[str], bool]
    ) -> None:
        self._rejects = rejects
        self._on_reject = on_reject
        self._is_source = is_source
        self._waiting: list[RejectedInput] = []

    def take(self, reject: dict[str, str]) -> None:
        if self._on_reject:
            self._on_reject(reject)
        source, within = _parted(reject["place"], self._is_source)
        now = datetime.now(UTC)
        self._waiting.append(RejectedInput(source + within, source, reject["reason"], now))
        if len(self._waiting) >= _KEEP_AT:
            self.keep()

    def keep(self) -> None:
        self._rejects.save(self._waiting)
        self._waiting = []

    def forget(self, read: Sequence[str], *, before: datetime) -> None:
        """Forget what was refused earlier in what has been read to its end since."""
        known = {refused.source for refused in self._rejects.all() if refused.at < before}
        addresses = {place for place in read if is_address(place)}
        folders = [_absolute(place) for place in read if not is_address(place)]
        gone = {
            source
            for source in known
            if source in addresses
            or any(source == path or source.startswith(path + os.sep) for path in folders)
        }
        self._rejects.remove(gone, before=before)
