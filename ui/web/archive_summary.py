"""Cached overview of the archive for the page: coverage, filter choices, example questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from heapq import nlargest
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from rag.answer.first_questions import first_questions
from rag.schema import Filters
from ui.web.state import Suggestion

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.archive.stats import ArchiveStatus
    from rag.rights import Rights

EXAMPLES = 4
KEPT = 32  # summaries of readers with different rights
MOST_CHOICES = 2000  # names in a dropdown; browsers get slow with more


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """Overview of an archive at one sequence number.

    Attributes:
        sequence: The sequence number.
        status: Counts, dates and gaps.
        choices: Names of publishers, authors, sections and languages, in this order.
        suggestions: Questions to start a conversation with.
        days: Number of articles by publisher and day.
    """

    sequence: int
    status: ArchiveStatus
    choices: tuple[tuple[str, ...], ...]
    suggestions: tuple[Suggestion, ...]
    days: Mapping[str, Mapping[date, int]]


class SummaryCache:
    """Cache of summaries, computed once for each sequence number of the archive and rights."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = Lock()
        self._summaries: LRUCache[Rights | None, ArchiveSummary] = LRUCache(KEPT)

    def current(
        self, archive: Archive | None = None, rights: Rights | None = None
    ) -> ArchiveSummary:
        """Return the summary of the archive's current state.

        Args:
            archive: The archive as a reader may see it; as everybody may by default.
            rights: The reader's rights; None if the archive isn't restricted.
        """
        archive = archive or self._archive
        sequence = archive.version
        with self._lock:
            summary = self._summaries.get(rights)
            if summary is None or summary.sequence != sequence:
                lists = (archive.publishers, archive.authors, archive.sections, archive.languages)
                status = archive.status()
                summary = self._summaries[rights] = ArchiveSummary(
                    sequence,
                    status,
                    tuple(names()[:MOST_CHOICES] for names in lists),
                    suggestions(archive, status),
                    archive.daily_counts(),
                )
            return summary


def suggestions(archive: Archive, status: ArchiveStatus) -> tuple[Suggestion, ...]:
    """Return questions to start with: one for each answer mode, else recent headlines.

    Args:
        archive: The archive.
        status: Its status, with the newest date of each publisher.
    """
    questions = tuple(Suggestion(one.question, one.mode) for one in first_questions(archive))
    return questions or tuple(map(Suggestion, _headlines(archive, status)))


def _headlines(archive: Archive, status: ArchiveStatus) -> list[str]:
    """Return the newest headline of each of the publishers with the newest articles."""
    dated = [(p.last, p.name) for p in status.publishers if p.last]
    found = []
    for last, name in nlargest(EXAMPLES, dated):
        newest = Filters(after=last, publishers=(name,) if name else ())
        found += [article.title or article.id for article in islice(archive.articles(newest), 1)]
    return found
