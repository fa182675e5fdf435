"""Counts and progress of an ingest run, and the reporting of its rejects and notices."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ingest.readers import Failure, ReadNotice, Reject
from ingest.readers.file_names import printable_name

LOG = logging.getLogger("backfile.ingest")
# Without a handler, Python would print this logger's warnings on the user's screen.
logging.getLogger("backfile").addHandler(logging.NullHandler())

# Characters of a reject that are kept: names and ids in it have no length limit of their own.
PLACE_UP_TO, REASON_UP_TO = 16_384, 1_000


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Counts of an ingest run.

    Attributes:
        new: Articles that were added.
        changed: Articles that have a new revision.
        unchanged: Articles that the archive had already.
        removed: Articles withdrawn by a kill notice of their publisher.
        kept_out: Articles left out because they had been withdrawn before.
        rejected: Inputs that could not be read as an article.
        notices: Dates and time zones that could not be read.
        passages: New passages.
        seconds: Duration of the run.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    kept_out: int = 0
    rejected: int = 0
    notices: int = 0
    passages: int = 0
    seconds: float = 0.0

    @property
    def articles(self) -> int:
        """The number of articles read, with any outcome."""
        return self.new + self.changed + self.unchanged + self.removed + self.kept_out


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of an ingest run: bytes read so far and in total, and the counts so far."""

    done: int
    total: int
    report: IngestReport


class RunReporter:
    """Counts what a run does, and passes its rejects, notices and progress to the caller."""

    def __init__(
        self,
        on_progress: Callable[[Progress], None] | None = None,
        on_reject: Callable[[dict[str, str]], None] | None = None,
        on_notice: Callable[[dict[str, str]], None] | None = None,
    ) -> None:
        """Create a reporter; each callback may be None."""
        self.report = IngestReport()
        self._started = time.monotonic()
        self._on_progress = on_progress
        self._on_reject = on_reject
        self._on_notice = on_notice

    def count(self, **counts: int) -> None:
        """Add to the counts of the report, named as in IngestReport."""
        totals = {name: getattr(self.report, name) + number for name, number in counts.items()}
        self.report = replace(self.report, **totals)

    def reject(self, reject: Reject) -> None:
        """Count and report a reject; the traceback of a failure goes to the log."""
        self.count(rejected=1)
        place = printable_name(reject.place[:PLACE_UP_TO])
        reason = printable_name(" ".join(reject.reason[:REASON_UP_TO].split()))
        if isinstance(reject, Failure):
            figures = {
                "place": place,
                "reason": reason,
                "traceback": printable_name(reject.traceback),
            }
            LOG.error("reader failed", extra={"figures": figures})
        if self._on_reject:
            self._on_reject({"place": place, "reason": reason})

    def notice(self, notices: Iterable[ReadNotice]) -> None:
        """Count and report notices."""
        for notice in notices:
            self.count(notices=1)
            if self._on_notice:
                self._on_notice({"place": printable_name(notice.place), "notice": notice.reason})

    def progress(self, done: int, total: int) -> None:
        """Report that `done` of `total` bytes have been read."""
        self.report = replace(self.report, seconds=time.monotonic() - self._started)
        if self._on_progress:
            self._on_progress(Progress(done, total, self.report))
