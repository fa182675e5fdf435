"""What an ingest run reports: its counts, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did: articles by what became of them, new passages, seconds.

    `removed` were killed by their publishers, `kept_out` taken down before; `notices` counts the
    dates and time zones that could not be read.
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
        """The articles that were read, whatever became of them."""
        return self.new + self.changed + self.unchanged + self.removed + self.kept_out


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: bytes read of all there are, and what it has done so far."""

    done: int
    total: int
    report: IngestReport
