"""The passages' vectors in Chroma, for the nearest by cosine; alone imports chromadb.

A process sees its own Chroma only: vectors that another process wrote are not found until the
folder is opened anew, and two writers lose vectors for good.  So there is one writer, under the
archive's lock; a reader opens under `guard`, never while files are being written, and says with
`reached` how far it knows.  What came after is the archive's to add, from the record.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rag.storage.passages import Numbers, Vectors

FOLDER = "vectors"
COLLECTION = "passages"
BATCH = 5_000  # Chroma's limit is 5,461 a call
EF_SEARCH = 200  # .93 of the exact top 20 at 1,000,000 passages with 100
_openings = itertools.count()


class VectorIndex:
    """Chroma's collection of passages, by their numbers; follows the record by `reached`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._open()

    def _open(self) -> None:
        import chromadb  # 0.7 s: only where vectors are asked for
        from chromadb.config import Settings

        self.folder.mkdir(parents=True, exist_ok=True)
        # Chroma shares one system a path and process, which goes stale when another process
        # writes; another spelling of the path is another system, closed without the others.
        spelled = f"{self.folder.parent}/{'./' * (next(_openings) % 1000)}{self.folder.name}"
        self._client: Any = chromadb.PersistentClient(
            spelled, settings=Settings(anonymized_telemetry=False)
        )
        self._collection: Any = self._client.get_or_create_collection(
            COLLECTION,
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}},
        )
        self.reached = _reached(self.folder)

    def reopen(self) -> None:
        """Close, and open what is on the disk now."""
        self.close()
        self._open()

    def close(self) -> None:
        self._client.close()

    def clear(self) -> None:
        """Throw the index away and begin an empty one."""
        self.close()
        shutil.rmtree(self.folder)
        self._open()

    def count(self) -> int:
        return int(self._collection.count())

    def numbers(self) -> set[int]:
        """Return the numbers of all passages that it holds."""
        return {int(i) for i in self._collection.get(include=[])["ids"]}

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Add passages; adding one again changes nothing."""
        for i in range(0, len(numbers), BATCH):
            self._collection.upsert(
                ids=[str(n) for n in numbers[i : i + BATCH]], embeddings=vectors[i : i + BATCH]
            )

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove passages; those that are not there are passed over."""
        left = [str(n) for n in numbers]
        for i in range(0, len(left), BATCH):
            present = self._collection.get(ids=left[i : i + BATCH], include=[])["ids"]
            if present:
                self._collection.delete(ids=present)

    def reach(self, sequence: int) -> None:
        """Say that every change up to this one is in: after the writes, never before."""
        self.reached = sequence
        temporary = self.folder / "reached.json.new"
        with temporary.open("w") as file:
            json.dump({"sequence": sequence}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / "reached.json")

    def nearest(
        self, vector: Vectors, k: int, among: Numbers | None = None
    ) -> list[tuple[int, float]]:
        """Return the `k` passages nearest to `vector` with their cosine, best first.

        `among`, where given, holds the numbers of the only ones that may be returned: as ids,
        since a date range through Chroma's `where` took 710 ms at 200,000 passages, this 17.
        """
        if k < 1 or (among is not None and not len(among)) or not self.count():
            return []
        found = self._collection.query(
            query_embeddings=[np.asarray(vector, np.float32)],
            n_results=k,
            include=["distances"],
            **({} if among is None else {"ids": [str(n) for n in among.tolist()]}),
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(int(i), 1.0 - float(distance)) for i, distance in pairs]


def _reached(folder: Path) -> int:
    try:
        return int(json.loads((folder / "reached.json").read_text())["sequence"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0
