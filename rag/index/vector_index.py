"""VectorIndex: what searches and checks need of the vector index, in files or on a server."""

from __future__ import annotations

from typing import Protocol

from rag.store.passages import Numbers, Vectors


class VectorIndex(Protocol):
    """Vectors of passages by passage number: `ChromaFiles` or `SharedIndex`."""

    @property
    def reached(self) -> int:
        """The last change that is in the index."""
        ...

    @property
    def generation(self) -> int:
        """Generation of its vectors: the number of switches of embedding models."""
        ...

    def is_current(self) -> bool:
        """Return True if the index has not been replaced since this one was opened."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...

    def count(self) -> int:
        """Return the number of passages."""
        ...

    def all_numbers(self) -> Numbers:
        """Return the numbers of all passages in the index, ascending."""
        ...

    def vectors_of(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors of those of these passages in the index, and their numbers."""
        ...

    def nearest(
        self, vector: Vectors, k: int, among: Numbers | None = None
    ) -> list[tuple[int, float]]:
        """Return the `k` passages nearest to a vector.

        Args:
            vector: The query's unit vector.
            k: The number of passages.
            among: Passage numbers to search in; None for all.

        Returns:
            Passage numbers with their cosine, best first.
        """
        ...
