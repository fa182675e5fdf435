"""Worker processes that prepare articles, here or on a cluster, while this process writes.

What is sent is cut into chunks of about a second's work. A chunk whose process is lost is sent
again; if that process is lost too, its articles are sent one by one, and those that end their
process twice are not prepared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import ClassVar

from ingest.preparing import NotPrepared, Outcome, place_of
from ingest.readers import Reject
from rag.archive.preparation import Draft
from rag.errors import BackfileError

CHUNK_CHARACTERS = 50_000  # text of a chunk: about 1 s of embedding on one core
# Characters of text that are sent ahead for each process: 5 s of embedding, while a batch is
# written.
AHEAD_CHARACTERS = 250_000
ATTEMPTS = 2  # times that a chunk, and then each of its articles, is sent
LOST = "the process that prepared it ended unexpectedly, twice: out of memory, or a crash"


class LostWorkerError(BackfileError):
    """A process ended before it had prepared its chunk."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Drafts that were sent to a process, and what will come back."""

    drafts: Sequence[Draft]
    future: Future[list[Outcome]]


class Preparers(ABC):
    """Worker processes that prepare articles."""

    # Characters of new text from which an ingest uses them; less is prepared in its own process.
    starts_at: int = 0
    workers: int = 1
    attempts: ClassVar[int] = ATTEMPTS

    @property
    def ahead(self) -> int:
        """The number of characters to send ahead of what is being written."""
        return max(self.starts_at, AHEAD_CHARACTERS * (self.workers + 1))

    def submit(self, drafts: Sequence[Draft]) -> list[Chunk]:
        """Send drafts to the processes, in chunks."""
        return [Chunk(some, self._send(some)) for some in cut_into_chunks(drafts)]

    def collect(self, chunk: Chunk) -> list[Outcome]:
        """Wait for a chunk, and return the outcome of each of its drafts, in order.

        Raises:
            ModelError: The model failed for any text, or no process stays alive.
        """
        return self._outcomes(chunk.drafts, chunk.future)

    def _outcomes(self, drafts: Sequence[Draft], future: Future[list[Outcome]]) -> list[Outcome]:
        for attempt in range(1, self.attempts + 1):
            try:
                return future.result()
            except LostWorkerError:
                if attempt < self.attempts:
                    future = self._send(drafts, first=True)
        if len(drafts) == 1:
            return [NotPrepared(Reject(place_of(drafts[0].article), LOST))]
        found: list[Outcome] = []
        for draft in drafts:  # in turn, so that none is lost along with another
            found += self._outcomes([draft], self._send([draft], first=True))
        return found

    @abstractmethod
    def _send(self, drafts: Sequence[Draft], *, first: bool = False) -> Future[list[Outcome]]:
        """Send drafts to a process; `first`: before what was sent earlier and isn't begun.

        The future raises LostWorkerError if the process is lost.
        """

    @abstractmethod
    def close(self) -> None:
        """End the processes at once; what they are at is lost. Closing twice does nothing."""


def cut_into_chunks(drafts: Sequence[Draft]) -> list[list[Draft]]:
    """Return drafts in chunks of at least CHUNK_CHARACTERS, but for the last one."""
    found: list[list[Draft]] = []
    size = CHUNK_CHARACTERS
    for draft in drafts:
        if size >= CHUNK_CHARACTERS:
            found.append([])
            size = 0
        found[-1].append(draft)
        size += len(draft.article.text)
    return found
