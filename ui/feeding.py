"""Putting articles in from a terminal: the sample, a progress bar, a line for each reject."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ReadError
from rag.settings import Settings
from ui.render import json_line

if TYPE_CHECKING:
    from ingest.pipeline import IngestReport, Progress
    from ingest.readers import Reading

Tell = tuple[Callable[["Progress"], None] | None, Callable[[dict[str, str]], None]]


def sample() -> Path:
    """Return the folder of the sample archive that comes with Backfile."""
    return Path(str(files("ingest") / "sample"))


def feed(
    sources: Sequence[Path], settings: Settings, reading: Reading | None = None
) -> IngestReport:
    """Put the articles of `sources` into the archive of `settings`, telling stderr how it goes.

    Raises ReadError, and makes no archive, where none of the sources is there.
    """
    if not any(source.exists() for source in sources):
        raise ReadError(f"no such file or folder: {', '.join(map(str, sources))}")
    from ingest.pipeline import ingest
    from rag.archive import Archive

    with Archive.open(settings.archive, mode="write", settings=settings) as archive:
        try:
            with _telling() as (on_progress, on_reject):
                return ingest(
                    archive,
                    sources,
                    on_progress=on_progress,
                    on_reject=on_reject,
                    reading=reading,
                )
        except KeyboardInterrupt:
            print("what was put stays in; the same command goes on from there", file=sys.stderr)
            raise


@contextmanager
def _telling() -> Iterator[Tell]:
    """Give what to call with the progress (a bar, on a terminal alone) and with each reject."""
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
