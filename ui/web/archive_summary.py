"""What every visitor is shown of the archive: what it covers, what there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nlargest
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from rag.schema import Filters

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.archive.stats import ArchiveStatus

EXAMPLES = 4
MOST_CHOICES = 2000  # names in a list to choose from: a browser grows slow with more


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """What every visitor is shown of the archive as it stands."""

    sequence: int
    status: ArchiveStatus
    choices: tuple[tuple[str, ...], ...]  # publishers, authors, sections, languages
    examples: tuple[str, ...]


class SummaryCache:
    """What every visitor is shown of an archive, looked up once for each state of it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = Lock()
        self._summary: ArchiveSummary | None = None

    def current(self) -> ArchiveSummary:
        """Return what is shown of the archive as it stands now."""
        archive, sequence = self._archive, self._archive.version
        with self._lock:
            if self._summary is None or self._summary.sequence != sequence:
                lists = (archive.publishers, archive.authors, archive.sections, archive.languages)
                status = archive.status()
                self._summary = ArchiveSummary(
                    sequence,
                    status,
                    tuple(names()[:MOST_CHOICES] for names in lists),
                    tuple(examples(archive, status)),
                )
            return self._summary


def examples(archive: Archive, status: ArchiveStatus, count: int = EXAMPLES) -> list[str]:
    """Return headlines to start from: the last ones of the publishers who wrote last."""
    dated = [(p.last, p.name) for p in status.publishers if p.last]
    found = []
    for last, name in nlargest(count, dated):
        newest = Filters(after=last, publishers=(name,) if name else ())
        found += [article.title or article.id for article in islice(archive.articles(newest), 1)]
    return found
