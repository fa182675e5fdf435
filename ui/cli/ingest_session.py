"""An ingest from the terminal: once or in rounds, with a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from rag.errors import ArchiveNotFoundError, EmbeddingMismatchError, ReadError
from rag.settings import Settings
from ui.render import json_line

if TYPE_CHECKING:
    from ingest.fetch.client import Client
    from ingest.preparers import Preparers
    from ingest.readers import ReaderOptions
    from ingest.report import IngestReport, Progress
    from rag.archive.archive import Archive
    from rag.schema import ArticleMetadata
    from ui.cli.ingest_options import IngestOptions

Source = str | Path
Callbacks = tuple[Callable[["Progress"], None] | None, Callable[[dict[str, str]], None]]


def sample_folder() -> Path:
    """Return the folder of the sample archive, which is part of the package."""
    return Path(str(files("ingest") / "sample"))


def parse_source_argument(text: str) -> Source:
    """Return a source given on the command line.

    Returns:
        A URL as it is, an address on a storage in its canonical form, anything else as a path.

    Raises:
        ReadError: An address on a storage, or a `file://` URL, is malformed.
    """
    from ingest.pipeline import is_address
    from ingest.readers.file_names import path_of
    from ingest.storage.address import StorageAddress, path_of_file_url
    from rag.urls import is_storage_address

    if is_storage_address(text):
        return str(StorageAddress.parse(text))
    if text[:7].lower() == "file://":
        return path_of_file_url(text)
    return text if is_address(text) else path_of(text)


def check_sources(sources: Sequence[Source]) -> None:
    """Check that at least one source is an address or exists.

    Raises:
        ReadError: None of the files and folders exists.
    """
    if not any(isinstance(one, str) or one.exists() for one in sources):
        raise ReadError(f"No such file or folder: {', '.join(map(str, sources))}.")


@contextmanager
def open_session(
    settings: Settings, options: IngestOptions, sources: Sequence[Source]
) -> Iterator[IngestSession]:
    """Yield a session that reads and fetches as the options say, and stops at Ctrl-C.

    Args:
        settings: Archive, limits of fetching, and log file.
        options: Formats, hosts and credentials.
        sources: What will be ingested; the headers of the options go to the hosts of its URLs.

    Raises:
        SettingsError: The log file cannot be written.
        ReadError: The files of cookies or headers cannot be read.
    """
    from ingest.fetch.auth import read_credentials
    from ingest.fetch.client import Client, Limits
    from ingest.pipeline import is_address
    from ui.cli.logs import log_to_file
    from ui.cli.signals import stop_on_signals

    with ExitStack() as stack:
        stack.enter_context(log_to_file(settings))
        stop = stack.enter_context(stop_on_signals())
        named = [str(source) for source in sources if is_address(source)]
        allowed = [*options.allow_host, *settings.fetch_allow.split(",")]
        client = Client(
            Limits(settings.fetch_bytes, settings.fetch_seconds, settings.fetch_delay),
            agent=settings.fetch_agent,
            credentials=read_credentials(options.cookies, options.headers, urls=named),
            allowed=tuple(host.strip() for host in allowed if host.strip()),
            stop=stop,
        )
        stack.enter_context(client)
        yield IngestSession(
            settings,
            client,
            options.reading(),
            stop,
            workers=options.workers,
            cluster=options.cluster,
        )


def open_preparers(archive: Archive, workers: int, cluster: str) -> Preparers | None:
    """Return processes that prepare articles for an archive, not started yet; None for none.

    Args:
        archive: The archive.
        workers: The number of processes, which start with the first new article; 1 for none, 0 for
            as many as suit the machine, which start if there is much to prepare.
        cluster: The address of a cluster that prepares them instead; "" for none.

    Raises:
        SettingsError: The cluster's address is malformed, or its engine isn't installed.
    """
    settings = archive.model_settings()
    if settings is None:
        return None
    if cluster:
        from ingest.clusters import ClusterAddress, open_cluster

        return open_cluster(ClusterAddress.parse(cluster), settings)
    from ingest.local_workers import STARTS_AT, LocalWorkers, default_workers

    number = workers or default_workers()
    if number == 1:
        return None
    return LocalWorkers(settings, number, starts_at=0 if workers else STARTS_AT)


class IngestSession:
    """Ingests into the archive of the settings, once or in rounds.

    Args:
        settings: Where the archive is, and its embedding model.
        client: Fetches web pages.
        reading: How files are read.
        stop: Ends the ingest after the current batch, once it is set.
        workers: Processes that prepare articles: see `open_preparers`.
        cluster: A cluster that prepares them: see `open_preparers`.
    """

    def __init__(
        self,
        settings: Settings,
        client: Client,
        reading: ReaderOptions,
        stop: Event,
        *,
        workers: int = 0,
        cluster: str = "",
    ) -> None:
        self.stop = stop
        self._workers = workers
        self._cluster = cluster
        self._settings = settings
        self._client = client
        self._reading = reading
        self._embeddings: Any = None

    def run_with_progress(self, sources: Sequence[Source]) -> IngestReport:
        """Ingest the sources, and print progress, rejects and notices to stderr."""
        with _progress_display() as (on_progress, on_line):
            return self.run(sources, on_progress=on_progress, on_reject=on_line, on_notice=on_line)

    def run(
        self, sources: Sequence[Source], *, wait: float = 0.0, **callbacks: Any
    ) -> IngestReport:
        """Ingest the sources. The embedding model stays loaded for the next round.

        Args:
            sources: Files, folders and URLs.
            wait: Seconds to wait while another process writes to the archive.
            callbacks: `on_progress`, `on_reject` and `on_notice` of `ingest.runner.run_ingest`.
        """
        from ingest.runner import run_ingest

        try:
            archive = self._open_archive(wait)
        except EmbeddingMismatchError:  # the archive was re-embedded since the last round
            self._embeddings = None
            archive = self._open_archive(wait)
        with archive:
            report = run_ingest(
                archive,
                sources,
                client=self._client,
                reading=self._reading,
                stop=self.stop,
                pool=open_preparers(archive, self._workers, self._cluster),
                **callbacks,
            )
            if report.new or report.changed:
                self._embeddings = archive.embeddings
            return report

    def dry_run(
        self, sources: Sequence[Source]
    ) -> tuple[IngestReport, Sequence[tuple[str, ArticleMetadata]]]:
        """Return what an ingest would report, and the articles it would add or change.

        No archive is created, locked or written to.
        """
        from ingest.runner import dry_run
        from ingest.trusted_sources import read_trusted_sources
        from rag.archive.archive import Archive

        with ExitStack() as stack:
            try:
                archive = stack.enter_context(
                    Archive.open(self._settings.archive, settings=self._settings)
                )
            except ArchiveNotFoundError:
                archive = None
            on_progress, on_line = stack.enter_context(_progress_display())
            report, archive_after = dry_run(
                archive,
                sources,
                client=self._client,
                reading=self._reading,
                stop=self.stop,
                on_progress=on_progress,
                on_reject=on_line,
                on_notice=on_line,
                trust=read_trusted_sources(self._settings.archive),
            )
        return report, archive_after.articles

    def _open_archive(self, wait: float) -> Archive:
        from rag.archive.archive import Archive

        return Archive.open(
            self._settings.archive,
            mode="write",
            settings=self._settings,
            embeddings=self._embeddings,
            wait=wait,
        )


@contextmanager
def _progress_display() -> Iterator[Callbacks]:
    """Yield callbacks that print to stderr: progress (a bar, on a terminal only) and JSON lines."""
    if not sys.stderr.isatty():
        yield None, lambda reject: print(json_line(reject), file=sys.stderr)
        return
    from rich import progress as rich  # 0.1 s: only for a terminal
    from rich.console import Console
    from rich.text import Text  # not a string: markup in a file's name stays text

    bar = rich.Progress(
        rich.BarColumn(),
        rich.TaskProgressColumn(),
        rich.TextColumn("{task.fields[articles]:,} articles, {task.fields[rate]:.0f}/s"),
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("", total=None, articles=0, rate=0.0)

    def on_progress(reached: Progress) -> None:
        articles, seconds = reached.report.articles, reached.report.seconds
        bar.update(
            task,
            completed=reached.done,
            total=reached.total,
            articles=articles,
            rate=articles / seconds if seconds else 0.0,
        )

    with bar:
        yield on_progress, lambda reject: bar.console.print(Text(json_line(reject)), soft_wrap=True)
