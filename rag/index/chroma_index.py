"""The passages' vectors in Chroma, for the nearest by cosine; alone imports chromadb.

A process sees its own Chroma only: vectors that another process wrote are not found until the
folder is opened anew, and two writers lose vectors for good.  So there is one writer, under the
archive's lock; a reader opens under `guard`, never while files are being written, and says with
`reached` how far it knows.  What came after is the archive's to add, from the record.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import BackfileError
from rag.store.file_permissions import make_private_folder, make_tree_private, private_opener

if TYPE_CHECKING:
    from rag.store.passages import Numbers, Vectors

FOLDER = "vectors"
POINTER = "vectors.json"  # which folder it is since the index was last made anew
MARK = "reached.json"
PERSISTED = "index_metadata.pickle"
SAMPLED = 65_536  # bytes at the beginning, the middle and the end, of files of gigabytes
COLLECTION = "passages"
M_PERTURB = -6  # of mallopt(3)
BATCH = 5_000  # Chroma's limit is 5,461 a call
EF_SEARCH = 200  # .93 of the exact top 20 at 1,000,000 passages with 100
_FOLDER = re.compile(rf"{FOLDER}(?:-\d+)?")
_openings = itertools.count()


class DamagedIndexError(BackfileError):
    """Chroma's files are not as they were left; the index is made again from the record."""


class ChromaIndex:
    """Chroma's collection of passages, by their numbers; follows the record by `reached`.

    Made anew, it is in another folder: Chroma's files are never replaced beneath who reads them.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        self._archive = folder
        self.folder = folder / (name or _current(folder))
        self._open()

    @classmethod
    def create_beside(cls, folder: Path, generation: int = 0) -> ChromaIndex:
        """Return an empty index in a folder of its own, beside the one that answers.

        It is for vectors of that generation: how often the archive has changed its model.
        """
        taken = [int(path.name.partition("-")[2] or 0) for path in _folders(folder)]
        fresh = cls(folder, f"{FOLDER}-{max(taken, default=0) + 1}")
        fresh.generation = generation
        return fresh

    @classmethod
    def open_finished(cls, folder: Path, generation: int) -> ChromaIndex | None:
        """Return the index that was finished for vectors of that generation, if one was."""
        for path in _folders(folder):
            mark = _mark(path)
            if "passages" in mark and mark.get("generation", 0) == generation:
                with contextlib.suppress(DamagedIndexError):
                    return cls(folder, path.name)
        return None

    def activate(self) -> None:
        """Be the index from now on; the others are deleted."""
        _replace(self._archive / POINTER, {"folder": self.folder.name})
        self.remove_leftovers()

    def remove_leftovers(self) -> None:
        """Delete what an index that was made anew, or was not finished, has left."""
        for path in _folders(self._archive):
            if path.name != _current(self._archive):
                shutil.rmtree(path, ignore_errors=True)  # Windows: once nobody reads it any more

    def is_current(self) -> bool:
        """Return whether the index has not been made anew since this was opened."""
        return self.folder.name == _current(self._archive)

    def _open(self) -> None:
        _scrub_malloc()
        self._count: int | None = None
        import chromadb  # 0.7 s: only where vectors are asked for
        from chromadb.config import Settings

        make_private_folder(self.folder)
        self._refuse_damaged_files()
        # Chroma shares one system a path and process, which goes stale when another process
        # writes; another spelling of the path is another system, closed without the others.
        spelled = f"{self.folder.parent}/{'./' * (next(_openings) % 1000)}{self.folder.name}"
        self._client: Any = chromadb.PersistentClient(
            spelled, settings=Settings(anonymized_telemetry=False)
        )
        try:
            self._read_collection()
        except BaseException:
            self.close()
            raise
        make_tree_private(self.folder)

    def _read_collection(self) -> None:
        self._collection: Any = self._client.get_or_create_collection(
            COLLECTION,
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}},
        )
        self.reached = int(self._mark.get("sequence", 0))
        self.generation = int(self._mark.get("generation", 0))
        self._sealed = "passages" in self._mark
        if self._sealed and self.count() != self._mark["passages"]:
            raise DamagedIndexError(f"{self.folder} does not hold what was written to it")

    def _refuse_damaged_files(self) -> None:
        """Look at the files before Chroma does: zeroed links send it round for ever.

        Raises DamagedIndexError.
        """
        self._mark = _mark(self.folder)
        sealed = self._mark.get("files", {})
        now = _files(self.folder)
        damaged = [name for name, seal in sealed.items() if now.get(name) != seal]
        if damaged or not _as_long_as_it_says(self.folder / "chroma.sqlite3"):
            name = damaged[0] if damaged else "chroma.sqlite3"
            raise DamagedIndexError(f"{self.folder / name} is damaged")

    def reopen(self) -> None:
        """Close, and open what is on the disk now."""
        self.close()
        self.folder = self._archive / _current(self._archive)
        self._open()

    def close(self) -> None:
        self._client.close()

    def count(self) -> int:
        """Return how many passages this process has it hold; another's are seen on reopening."""
        if self._count is None:
            self._count = int(self._collection.count())  # 3 ms at 111,000: not for every search
        return self._count

    def numbers(self) -> set[int]:
        """Return the numbers of all passages that it holds."""
        return set(self.all_numbers().tolist())

    def all_numbers(self) -> Numbers:
        """Return the numbers of all passages that it holds, ascending."""
        ids = self._collection.get(include=[])["ids"]
        return np.sort(np.array([int(i) for i in ids], np.int64))

    def vectors_of(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors that it holds of these passages, and the numbers they belong to."""
        found = self._collection.get(ids=[str(n) for n in numbers.tolist()], include=["embeddings"])
        kept = np.array([int(i) for i in found["ids"]], np.int64)
        return kept, np.asarray(found["embeddings"], np.float32).reshape(len(kept), -1)

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Add passages; adding one again changes nothing."""
        self._unseal()
        for i in range(0, len(numbers), BATCH):
            self._collection.upsert(
                ids=[str(n) for n in numbers[i : i + BATCH]], embeddings=vectors[i : i + BATCH]
            )

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove passages; those that are not there are passed over."""
        self._unseal()
        left = [str(n) for n in numbers]
        for i in range(0, len(left), BATCH):
            present = self._collection.get(ids=left[i : i + BATCH], include=[])["ids"]
            if present:
                self._collection.delete(ids=present)

    def mark_synced(self, sequence: int) -> None:
        """Say that every change up to this one is in: after the writes, never before."""
        self.reached, self._sealed, self._count = sequence, True, None
        held = {"passages": self.count(), "files": _files(self.folder)}
        _replace(self.folder / MARK, {**self._sync_metadata(), **held})

    def _unseal(self) -> None:
        """Before anything is written: what is cut short is not damaged, only behind."""
        self._count = None
        if self._sealed:
            self._sealed = False
            _replace(self.folder / MARK, self._sync_metadata())

    def _sync_metadata(self) -> dict[str, Any]:
        return {"sequence": self.reached, "generation": self.generation}

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


def synced_sequence(archive: Path) -> int:
    """Return the change up to which the index says that it has followed; 0 where it is not known.

    Nothing of Chroma is opened for it.
    """
    return int(_mark(archive / _current(archive)).get("sequence", 0))


@cache
def _scrub_malloc() -> None:
    """Have memory zeroed when it is taken, where the C library is GNU's.

    Chroma writes room for 100 vectors and more as it took it from the process's heap, whenever it
    opens or grows a file: texts and vectors that were erased were found there.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(M_PERTURB, 0xFF)  # what is taken is filled with the complement


def _replace(path: Path, value: dict[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.new")
    with open(temporary, "w", opener=private_opener) as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _folders(archive: Path) -> list[Path]:
    return [path for path in archive.glob(f"{FOLDER}*") if _FOLDER.fullmatch(path.name)]


def _current(archive: Path) -> str:
    try:
        name = str(json.loads((archive / POINTER).read_text())["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return FOLDER  # never made anew; or the pointer is lost, and the record fills this one
    return name if _FOLDER.fullmatch(name) else FOLDER


def _mark(folder: Path) -> dict[str, Any]:
    """Return how far the index has followed, and how its files were then; empty if not known."""
    try:
        mark = json.loads((folder / MARK).read_text())
        return mark if isinstance(mark["sequence"], int) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _files(folder: Path) -> dict[str, list[int]]:
    """Return the length and a checksum of parts of each file of vectors that is written for good.

    Without the file of names beside them, Chroma has not, and holds the vectors in its log.
    """
    kept = [path for path in folder.glob("*/*") if (path.parent / PERSISTED).exists()]
    return {f"{p.parent.name}/{p.name}": [p.stat().st_size, _checksum(p)] for p in kept}


def _checksum(path: Path) -> int:
    checksum, size = 0, path.stat().st_size
    with path.open("rb") as file:
        for place in (0, size // 2, max(0, size - SAMPLED)):
            file.seek(place)
            checksum = zlib.crc32(file.read(SAMPLED), checksum)
    return checksum


def _as_long_as_it_says(path: Path) -> bool:
    """Say whether a SQLite file has all the pages that its head counts; one in use may not."""
    if not path.exists() or path.with_name(f"{path.name}-journal").exists():
        return True
    with path.open("rb") as file:
        head = file.read(32)
    size = path.stat().st_size
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    return not size or size >= pages * (65536 if page == 1 else page)
