"""Cached overview of the archive for the page: coverage, filter choices, example questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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

    Suggest = Callable[[Archive, ArchiveStatus], "tuple[Suggestion, ...]"]

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
    """Cache of summaries, computed once for each sequence number of the archive and rights.

    The suggestions take much longer than the rest. One reader computes them; until they are there,
    the others with the same rights get those of the state before.

    Args:
        archive: The archive.
        suggest: Makes the suggestions, from the archive and its status.
    """

    def __init__(self, archive: Archive, suggest: Suggest | None = None) -> None:
        self._archive = archive
        self._suggest = suggest or suggestions
        self._lock = Lock()
        self._summaries: LRUCache[Rights | None, _Summary] = LRUCache(KEPT)

    def current(
        self, archive: Archive | None = None, rights: Rights | None = None
    ) -> ArchiveSummary:
        """Return the summary of the archive's current state.

        Args:
            archive: The archive as a reader may see it; as everybody may by default.
            rights: The reader's rights; None if the archive isn't restricted.
        """
        with self._lock:
            kept = self._summaries.get(rights)
            if kept is None:
                kept = self._summaries[rights] = _Summary(self._suggest)
        archive = archive or self._archive
        summary = kept.current(archive)
        state = archive.record_state()  # changes without the sequence number
        if state == summary.status.record:
            return summary
        return replace(summary, status=replace(summary.status, record=state))


class _Summary:
    """Summary for the readers with the same rights."""

    def __init__(self, suggest: Suggest) -> None:
        self._suggest = suggest
        self._lock, self._suggesting = Lock(), Lock()
        self._summary: ArchiveSummary | None = None
        self._suggested: int | None = None  # sequence number of the suggestions

    def current(self, archive: Archive) -> ArchiveSummary:
        """Return the summary of the current state."""
        summary = self._counted(archive)
        if self._suggested == summary.sequence:
            return summary
        if not self._suggesting.acquire(blocking=self._suggested is None):
            return summary
        try:
            if self._suggested != summary.sequence:  # else another reader was first
                made = self._suggest(archive, summary.status)
                with self._lock:
                    self._suggested = summary.sequence
                    if self._summary is not None:
                        self._summary = replace(self._summary, suggestions=made)
        finally:
            self._suggesting.release()
        return self._counted(archive)

    def _counted(self, archive: Archive) -> ArchiveSummary:
        """Return the summary of the current state, perhaps with earlier suggestions."""
        sequence = archive.version
        with self._lock:
            if self._summary is None or self._summary.sequence != sequence:
                lists = (archive.publishers, archive.authors, archive.sections, archive.languages)
                self._summary = ArchiveSummary(
                    sequence,
                    archive.status(),
                    tuple(names()[:MOST_CHOICES] for names in lists),
                    self._summary.suggestions if self._summary else (),
                    archive.daily_counts(),
                )
            return self._summary


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
