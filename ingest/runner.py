"""One recorded ingest run: its outcome is stored in the archive and logged."""

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
from ingest.preparers import Preparers
from ingest.readers import ReaderOptions
from ingest.readers.file_names import ARTICLE_PLACE, path_of, printable_name
from ingest.report import IngestReport, Progress
from ingest.storage.address import StorageAddress, split_storage_place
from ingest.target import IngestTarget
from ingest.trusted_sources import NO_TRUST, TrustedSources, read_trusted_sources
from rag.errors import ReadError
from rag.store.articles import ArticleStore
from rag.store.crawl_state import FetchHistory, FileLocations
from rag.store.database import Database
from rag.store.held_changes import ArticleOrigins, HeldChanges
from rag.store.ingest_log import RejectedInput, RejectLog, RunLog
from rag.urls import is_storage_address

LOG = logging.getLogger("backfile.ingest")
_RUNS_SEARCHED = 1_000  # runs to search for the options of a source
# Characters of a source to split: a path has at most 4,096 bytes, a URL seldom more, but a zip
# member's name may consist of 65,535 colons.
_SOURCE_UP_TO = 8_192
_REJECTS_PER_WRITE = 500  # rejects per write

COMMAND, SCHEDULE = "command", "schedule"  # what starts runs, besides clients of the page

Source = str | Path
OnProgress = Callable[[Progress], None]
OnReject = Callable[[dict[str, str]], None]


class RecordedArchive(IngestTarget, Protocol):
    """Archive with a database: `rag.archive.archive.Archive`, or a fake."""

    @property
    def store(self) -> ArticleStore:
        """The article store."""


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
    by: str = COMMAND,
    pool: Preparers | None = None,
) -> IngestReport:
    """Add the articles of `sources` to `archive`, and record the run.

    The archive stores the run's figures, and each reject until its source has been read without
    one. `sources.toml` in the archive's folder lists the hosts that may change articles of other
    sites; other such changes are held.

    Args:
        archive: The archive.
        sources: Files, folders, addresses on a storage and URLs.
        client: The HTTP client.
        reading: How sources are read.
        stop: When set, nothing more is read; what has been read is added.
        on_progress: See `ingest`.
        on_reject: See `ingest`.
        on_notice: See `ingest`.
        by: Who or what started the run, for the log: a client's address, `COMMAND` or `SCHEDULE`.
        pool: See `ingest`.

    Returns:
        The counts of the run.

    Raises:
        SettingsError: `sources.toml` can't be read.
    """
    database = archive.store.database
    trust = read_trusted_sources(database.folder)
    crawler = Crawler(client, FetchHistory(database), reading, trust)
    policy = ChangePolicy(
        archive,
        trust,
        origins=ArticleOrigins(database),
        changes=HeldChanges(database),
        split_place=lambda place: _split_place(place, crawler.was_requested),
    )
    with _record_run(database, sources, reading, by) as (began, figures):
        rejects = _Rejects(RejectLog(database), on_reject, crawler.was_requested)
        read: list[str] = []
        try:
            report = ingest(
                archive,
                sources,
                on_progress=on_progress,
                on_reject=rejects.add,
                on_notice=on_notice,
                on_read=read.append,
                reading=reading,
                crawler=crawler,
                id_resolver=ArticleIdResolver(archive, FileLocations(database), sources),
                policy=policy,
                stop=stop,
                pool=pool,
            )
        finally:
            rejects.flush()
        rejects.remove_resolved([*read, *crawler.finished], before=began)
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
    """Return what `run_ingest` would do, without writing anything.

    Args:
        archive: The archive; None if it doesn't exist yet.
        sources: Files, folders, addresses on a storage and URLs.
        client: The HTTP client.
        reading: How sources are read.
        stop: When set, nothing more is read.
        on_progress: See `ingest`.
        on_reject: See `ingest`.
        on_notice: See `ingest`.
        trust: The trusted sources of an archive that doesn't exist yet.

    Returns:
        The counts, and the archive that lists the articles it would write.
    """
    dry_archive = DryRunArchive(archive)
    visits = FetchHistory(archive.store.database) if archive else None
    places = ReadOnlyFileLocations(archive.store.database) if archive else None
    trust = read_trusted_sources(archive.store.database.folder) if archive else trust
    origins = ReadOnlyOrigins(archive.store.database) if archive else None
    report = ingest(
        dry_archive,
        sources,
        on_progress=on_progress,
        on_reject=on_reject,
        on_notice=on_notice,
        reading=reading,
        crawler=Crawler(client, ReadOnlyFetchHistory(visits), reading, trust),
        id_resolver=ArticleIdResolver(dry_archive, places, sources) if places else None,
        policy=ChangePolicy(dry_archive, trust, origins=origins),
        stop=stop,
    )
    return report, dry_archive


def last_reader_options(database: Database, source: str) -> dict[str, Any]:
    """Return the `map`, `kind` and `summaries` options that a source was last read with.

    Returns:
        The options; empty if the source is unknown, or was found in a feed.
    """
    for run in RunLog(database).recent(_RUNS_SEARCHED):
        for named in run.figures.get("sources", ()):
            if source == named or source.startswith(named + os.sep):
                return dict(run.figures.get("reading", {}))
    return {}


def _options_to_json(reading: ReaderOptions) -> dict[str, Any]:
    pairs = ",".join(f"{field}={key}" for field, key in reading.field_map.keys)
    return {"map": pairs, "kind": reading.kind, "summaries": reading.links == "keep"}


def source_of_place(place: str) -> str:
    """Return the file or URL that a reject's place is in, to read it again.

    `dump.zip!a.jsonl:17` is in `dump.zip`; files are returned as absolute paths.
    """
    return _split_place(place)[0]


def _split_place(place: str, is_source: Callable[[str], bool] = lambda _: True) -> tuple[str, str]:
    """Split a place into its source and the part within the source.

    The inner part is never made part of a path: a member may be called `../../etc/passwd`.
    `is_source` recognizes the URLs that were fetched.
    """
    if place.startswith(ARTICLE_PLACE):
        return place, ""
    parts = [found.start() for found in re.finditer("[!:]", place[:_SOURCE_UP_TO])]
    ends = [len(place), *reversed(parts)]
    if is_storage_address(place):
        return split_storage_place(place)
    if is_address(place):
        end = next((end for end in ends if is_source(place[:end])), len(place))
        return place[:end], place[end:]
    for end in ends:
        if _file_exists(place[:end]):
            return _absolute(place[:end]), place[end:]
    return _absolute(place), ""


def _file_exists(path: str) -> bool:
    try:
        return path_of(path).exists()
    except OSError:  # a name too long for any file
        return False


def _absolute(place: str) -> str:
    # Not `resolve`: a link's target may be outside the folder.
    return printable_name(os.path.normpath(Path(place).absolute()))


def _name_of(source: Source) -> str:
    """Return the name that a source is recorded by: one for each file, folder and URL."""
    if isinstance(source, str) and is_storage_address(source):
        try:
            return str(StorageAddress.parse(source))
        except ReadError:  # it may contain credentials
            return source.partition("://")[0] + "://"
    return str(source) if is_address(source) else _absolute(str(source))


@contextmanager
def _record_run(
    database: Database, sources: Iterable[Source], reading: ReaderOptions, by: str
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Record a run: yield its start time and a dict for its figures, then save and log both."""
    runs = RunLog(database)
    began = datetime.now(UTC)
    number = runs.begin(began)
    named = [_name_of(one) for one in sources]
    figures: dict[str, Any] = {"sources": named, "reading": _options_to_json(reading), "by": by}
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
    """Rejects of a run: reported at once, stored in batches."""

    def __init__(
        self, rejects: RejectLog, on_reject: OnReject | None, is_source: Callable[[str], bool]
    ) -> None:
        self._rejects = rejects
        self._on_reject = on_reject
        self._is_source = is_source
        self._waiting: list[RejectedInput] = []

    def add(self, reject: dict[str, str]) -> None:
        if self._on_reject:
            self._on_reject(reject)
        source, within = _split_place(reject["place"], self._is_source)
        now = datetime.now(UTC)
        self._waiting.append(RejectedInput(source + within, source, reject["reason"], now))
        if len(self._waiting) >= _REJECTS_PER_WRITE:
            self.flush()

    def flush(self) -> None:
        self._rejects.save(self._waiting)
        self._waiting = []

    def remove_resolved(self, read: Sequence[str], *, before: datetime) -> None:
        """Remove earlier rejects of sources that have now been read completely."""
        known = {refused.source for refused in self._rejects.all() if refused.at < before}
        addresses = {place for place in read if is_address(place)}
        folders = [_name_of(place) for place in read if not is_address(place)]
        gone = {
            source
            for source in known
            if source in addresses
            or any(source == path or source.startswith(path + os.sep) for path in folders)
        }
        self._rejects.remove(gone, before=before)
