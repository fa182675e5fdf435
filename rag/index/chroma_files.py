"""Vector index in Chroma: nearest passages by cosine. The only module that imports chromadb.

A process only sees its own Chroma: vectors that another process wrote are found after the folder is
reopened, and two writers lose vectors permanently. So there is one writer, under the archive's
lock, and a reader opens the folder under `guarded`, never while files are being written. `reached`
is the last change in the index; `Indexes` covers later ones from the store.
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
POINTER = "vectors.json"  # names the folder of the current index, after a rebuild
MARK = "reached.json"
PERSISTED = "index_metadata.pickle"
SAMPLED = 65_536  # bytes read at the start, middle and end of files that may have gigabytes
COLLECTION = "passages"
M_PERTURB = -6  # option of mallopt(3)
BATCH = 5_000  # Chroma's limit is 5,461 per call
EF_SEARCH = 200  # recall@20 is .93 at 1,000,000 passages with 100: docs/benchmarks.md
_FOLDER = re.compile(rf"{FOLDER}(?:-\d+)?")
_openings = itertools.count()


class DamagedIndexError(BackfileError):
    """Chroma's files have changed since they were written; the index is rebuilt from the store."""


class ChromaFiles:
    """Chroma collection of passage vectors by passage number; `reached` is its last change.

    A rebuild uses a new folder: Chroma's files are never replaced under a reader.
    """

    usual_code = "index_damaged"

    def __init__(self, folder: Path, name: str = "") -> None:
        """Open the current index of an archive, or the folder `name`; create it if missing.

        Raises:
            DamagedIndexError: The files have changed since they were written.
        """
        self._archive = folder
        self.folder = folder / (name or _current_folder(folder))
        self._open()

    @classmethod
    def create_beside(cls, folder: Path, generation: int = 0) -> ChromaFiles:
        """Create an empty index in a new folder, beside the current one.

        Args:
            folder: The archive's folder.
            generation: Generation of the vectors: the number of switches of embedding models.
        """
        taken = [int(path.name.partition("-")[2] or 0) for path in list_folders(folder)]
        fresh = cls(folder, f"{FOLDER}-{max(taken, default=0) + 1}")
        fresh.generation = generation
        return fresh

    @classmethod
    def open_finished(cls, folder: Path, generation: int) -> ChromaFiles | None:
        """Return a finished index for this generation of vectors; None if there isn't one."""
        for path in list_folders(folder):
            mark = _read_mark(path)
            if "passages" in mark and mark.get("generation", 0) == generation:
                with contextlib.suppress(DamagedIndexError):
                    return cls(folder, path.name)
        return None

    def activate(self) -> None:
        """Make this the current index, and delete the others."""
        _replace(self._archive / POINTER, {"folder": self.folder.name})
        self.remove_leftovers()

    def remove_leftovers(self) -> None:
        """Delete replaced and unfinished indexes."""
        for path in list_folders(self._archive):
            if path.name != _current_folder(self._archive):
                shutil.rmtree(
                    path, ignore_errors=True
                )  # on Windows only once no reader has it open

    def is_current(self) -> bool:
        """Return True if the index has not been replaced since this one was opened."""
        return self.folder.name == _current_folder(self._archive)

    def _open(self) -> None:
        _scrub_malloc()
        self._count: int | None = None
        import chromadb  # 0.7 s: only for vector search
        from chromadb.config import Settings

        make_private_folder(self.folder)
        self._check_files()
        # Chroma shares one client per path, which goes stale when another process writes; another
        # spelling of the path opens a separate client that can be closed alone.
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
            raise DamagedIndexError(f"{self.folder} lacks passages that were written to it")

    def _check_files(self) -> None:
        """Check the files before Chroma reads them: zeroed links make it loop forever.

        Raises:
            DamagedIndexError: A file has changed since it was written.
        """
        self._mark = _read_mark(self.folder)
        sealed = self._mark.get("files", {})
        now = _sealed_files(self.folder)
        damaged = [name for name, seal in sealed.items() if now.get(name) != seal]
        if damaged or not _has_all_pages(self.folder / "chroma.sqlite3"):
            name = damaged[0] if damaged else "chroma.sqlite3"
            raise DamagedIndexError(f"{self.folder / name} is damaged")

    def reopen(self) -> None:
        """Close the index, and open the one on disk."""
        self.close()
        self.folder = self._archive / _current_folder(self._archive)
        self._open()

    def close(self) -> None:
        """Close Chroma's client."""
        self._client.close()

    def count(self) -> int:
        """Return the number of passages, as of the last opening or write."""
        if self._count is None:
            self._count = int(self._collection.count())  # 3 ms at 111,000 passages: cached
        return self._count

    def numbers(self) -> set[int]:
        """Return the numbers of all passages in the index."""
        return set(self.all_numbers().tolist())

    def all_numbers(self) -> Numbers:
        """Return the numbers of all passages in the index, ascending."""
        ids = self._collection.get(include=[])["ids"]
        return np.sort(np.array([int(i) for i in ids], np.int64))

    def vectors_of(self, numbers: Numbers) -> tuple[Numbers, Vectors]:
        """Return the vectors of those of these passages in the index, and their numbers."""
        found = self._collection.get(ids=[str(n) for n in numbers.tolist()], include=["embeddings"])
        present = np.array([int(i) for i in found["ids"]], np.int64)
        return present, np.asarray(found["embeddings"], np.float32).reshape(len(present), -1)

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Add passages; adding one again changes nothing."""
        self._mark_unsynced()
        for i in range(0, len(numbers), BATCH):
            self._collection.upsert(
                ids=[str(n) for n in numbers[i : i + BATCH]], embeddings=vectors[i : i + BATCH]
            )

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove passages; missing ones are ignored."""
        self._mark_unsynced()
        left = [str(n) for n in numbers]
        for i in range(0, len(left), BATCH):
            present = self._collection.get(ids=left[i : i + BATCH], include=[])["ids"]
            if present:
                self._collection.delete(ids=present)

    def mark_synced(self, sequence: int) -> None:
        """Record that every change up to `sequence` is in the index. Call after the writes."""
        self.reached, self._sealed, self._count = sequence, True, None
        held = {"passages": self.count(), "files": _sealed_files(self.folder)}
        _replace(self.folder / MARK, {**self._sync_metadata(), **held})

    def _mark_unsynced(self) -> None:
        """Mark the index as being written: an interrupted write is then behind, not damaged."""
        self._count = None
        if self._sealed:
            self._sealed = False
            _replace(self.folder / MARK, self._sync_metadata())

    def _sync_metadata(self) -> dict[str, Any]:
        return {"sequence": self.reached, "generation": self.generation}

    def nearest(
        self, vector: Vectors, k: int, among: Numbers | None = None
    ) -> list[tuple[int, float]]:
        """Return the `k` passages nearest to a vector.

        Args:
            vector: The query's unit vector.
            k: The number of passages.
            among: Passage numbers to search in; None for all. Passed to Chroma as ids, because a
                date range in its `where` was 40 times slower (docs/benchmarks.md).

        Returns:
            Passage numbers with their cosine, best first.
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
    """Return the last change in the vector index, without opening Chroma; 0 if unknown."""
    return int(_read_mark(archive / _current_folder(archive)).get("sequence", 0))


def peek_reached(archive: Path, generation: int) -> int:
    """Return the last change in the vector index, without opening Chroma.

    Args:
        archive: The archive's folder.
        generation: The generation of vectors that the index must have.

    Returns:
        The sequence number; 0 if it is unknown, or the index has vectors of another model.
    """
    mark = _read_mark(archive / _current_folder(archive))
    return int(mark.get("sequence", 0)) if mark.get("generation", 0) == generation else 0


@cache
def _scrub_malloc() -> None:
    """With glibc, make malloc overwrite fresh memory, so erased text cannot reach Chroma's files.

    Chroma preallocates room for 100 vectors and more when it opens or grows a file, and writes it
    with the heap memory's previous content; erased texts and vectors were found there.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(M_PERTURB, 0xFF)  # fresh memory is filled with the complement


def _replace(path: Path, value: dict[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.new")
    with open(temporary, "w", opener=private_opener) as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def list_folders(archive: Path) -> list[Path]:
    """Return the folders of the indexes in an archive, the current one and others."""
    return [path for path in archive.glob(f"{FOLDER}*") if _FOLDER.fullmatch(path.name)]


def _current_folder(archive: Path) -> str:
    try:
        name = str(json.loads((archive / POINTER).read_text())["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return FOLDER  # never rebuilt, or the pointer is lost: the store fills this one
    return name if _FOLDER.fullmatch(name) else FOLDER


def _read_mark(folder: Path) -> dict[str, Any]:
    """Return the last change in the index and the state of its files; empty if unknown."""
    try:
        mark = json.loads((folder / MARK).read_text())
        return mark if isinstance(mark["sequence"], int) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _sealed_files(folder: Path) -> dict[str, list[int]]:
    """Return the length and a partial checksum of each final file of vectors.

    Files without a metadata file beside them are not final: their vectors are in Chroma's log.
    """
    final = [path for path in folder.glob("*/*") if (path.parent / PERSISTED).exists()]
    return {f"{p.parent.name}/{p.name}": [p.stat().st_size, _checksum(p)] for p in final}


def _checksum(path: Path) -> int:
    checksum, size = 0, path.stat().st_size
    with path.open("rb") as file:
        for place in (0, size // 2, max(0, size - SAMPLED)):
            file.seek(place)
            checksum = zlib.crc32(file.read(SAMPLED), checksum)
    return checksum


def _has_all_pages(path: Path) -> bool:
    """Return True if a SQLite file has as many pages as its header says, or is in use."""
    if not path.exists() or path.with_name(f"{path.name}-journal").exists():
        return True
    with path.open("rb") as file:
        header = file.read(32)
    size = path.stat().st_size
    page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    return not size or size >= pages * (65536 if page == 1 else page)
