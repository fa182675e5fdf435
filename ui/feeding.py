"""Putting articles in from a terminal: once or in rounds, with a progress bar."""

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
    from ingest.readers import ReaderOptions
    from ingest.report import IngestReport, Progress
    from rag.archive.archive import Archive
    from rag.schema import ArticleMetadata

Source = str | Path
Tell = tuple[Callable[["Progress"], None] | None, Callable[[dict[str, str]], None]]


def sample() -> Path:
    """Return the folder of the sample archive that comes with Backfile."""
    return Path(str(files("ingest") / "sample"))


def source(text: str) -> Source:
    """Return what a word of the command line names: an address, or a path."""
    from ingest.pipeline import is_address
    from ingest.readers.file_names import path_of

    return text if is_address(text) else path_of(text)


def check_there(sources: Sequence[Source]) -> None:
    """Raise ReadError where none of the sources is there; an address may be."""
    if not any(isinstance(one, str) or one.exists() for one in sources):
        raise ReadError(f"no such file or folder: {', '.join(map(str, sources))}")


class Feeder:
    """Puts articles into the archive of the settings, once or round after round."""

    def __init__(
        self, settings: Settings, client: Client, reading: ReaderOptions, stop: Event
    ) -> None:
        self.stop = stop
        self._settings = settings
        self._client = client
        self._reading = reading
        self._embeddings: Any = None

    def feed(self, sources: Sequence[Source]) -> IngestReport:
        """Put in what is in `sources`, telling stderr how it goes."""
        with _telling() as (on_progress, on_line):
            return self.round(
                sources, on_progress=on_progress, on_reject=on_line, on_notice=on_line
            )

    def round(
        self, sources: Sequence[Source], *, wait: float = 0.0, **telling: Any
    ) -> IngestReport:
        """Put in what is in `sources`; the embedding model stays open for the next round.

        Waits for `wait` seconds where somebody else writes.
        """
        from ingest.runner import run_ingest

        try:
            archive = self._opened(wait)
        except EmbeddingMismatchError:  # embedded anew since the last round
            self._embeddings = None
            archive = self._opened(wait)
        with archive:
            report = run_ingest(
                archive,
                sources,
                client=self._client,
                reading=self._reading,
                stop=self.stop,
                **telling,
            )
            if report.new or report.changed:
                self._embeddings = archive.embeddings
            return report

    def _opened(self, wait: float) -> Archive:
        from rag.archive.archive import Archive

        return Archive.open(
            self._settings.archive,
            mode="write",
            settings=self._settings,
            embeddings=self._embeddings,
            wait=wait,
        )

    def rehearse(
        self, sources: Sequence[Source]
    ) -> tuple[IngestReport, Sequence[tuple[str, ArticleMetadata]]]:
        """Say what would be put in, and which articles; no archive is made or locked."""
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
            on_progress, on_line = stack.enter_context(_telling())
            report, rehearsal = dry_run(
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
        return report, rehearsal.articles


@contextmanager
def _telling() -> Iterator[Tell]:
    """Give what to call with the progress (a bar, on a terminal) and with rejects and notices."""
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
