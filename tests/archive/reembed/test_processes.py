"""Reembedding beside readers in other processes, and killed: one of the two models answers."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.errors import ArchiveLockedError
from rag.index.chroma_files import ChromaFiles
from rag.models.archive_model import ArchiveModel
from rag.settings import Settings
from rag.store.staged_vectors import StagedVectors
from tests.archive.reembed.bridges import (
    ARTICLES,
    finds_article,
    make_article,
    query_for,
    read_model_and_generation,
    search_nearest,
    settings_for,
)
from tests.support.processes import Pipe, Process

pytestmark = pytest.mark.slow


def _search_until_told(folder: Path, end: Connection) -> None:
    """Search until told to stop; send the models that answered and the lowest cosine."""
    models, least = dict[str, None](), 1.0
    with Archive.open(folder, settings=Settings()) as reader:
        end.send("open")
        while not end.poll():
            for number in (5, 77, 200):
                text, score = search_nearest(reader, number)
                assert f"bridge {number} " in text, text
                found = reader.vector_candidates(query_for(number), 1)
                (cosine,) = reader.similarities(query_for(number), found)
                assert cosine > 0.999
                assert reader.search(f"Which bridge {number} stands?", 3)
                least = min(least, score)
            models[reader._model.name] = None
    end.send((list(models), least))


def _reembed(folder: Path, model: str, wait: float = 60.0) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(model, wait=wait)


def test_readers_switch_from_old_to_new_model(folder: Path, models: tuple[str, str]) -> None:
    readers = []
    for _ in range(2):
        ours, theirs = Pipe()
        Process(target=_search_until_told, args=(folder, theirs)).start()
        readers.append(ours)
    assert [reader.recv() for reader in readers] == ["open", "open"]
    process = Process(target=_reembed, args=(folder, models[1]))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    time.sleep(2)  # a reader knows within seconds
    for reader in readers:
        reader.send("enough")
    for reader in readers:
        answered, least = reader.recv()
        assert answered[-1] == models[1]
        assert set(answered) <= set(models)
        assert least > 0.999


def _reembed_slowly(folder: Path, model: str, end: Connection) -> None:
    def on_progress(*_: int) -> None:
        end.send("a batch")
        time.sleep(60)

    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(model, on_progress=on_progress)


def test_killed_reembed_keeps_old_model_and_resumes(folder: Path, models: tuple[str, str]) -> None:
    ours, theirs = Pipe()
    process = Process(target=_reembed_slowly, args=(folder, models[1], theirs))
    process.start()
    assert ours.recv() == "a batch"
    with (
        Archive.open(folder, settings=Settings()) as archive,
        pytest.raises(ArchiveLockedError, match=rf"re-embedded by process {process.pid}, since"),
    ):
        archive.reembed(models[1])
    process.kill()
    process.join()
    assert read_model_and_generation(folder) == (models[0], 0)
    assert finds_article(folder)
    with Archive.open(folder, settings=Settings()) as archive:
        assert archive.reembed(models[1]).made == ARTICLES - 512
        assert find_problems(archive) == ()


def _exit_around_switch(folder: Path, model: str, place: str) -> None:
    """Reembed, and exit just before or after the switch, as with SIGKILL."""
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        fresh = StagedVectors(archive.store.database)
        new = ArchiveModel(None, settings_for(model))
        fresh.begin(model)
        numbers = archive.store.passages.numbers().tolist()
        texts = [query_for(number - 1) for number in numbers]
        fresh.write(dict(zip(numbers, new.vectors(texts), strict=True)))
        index = ChromaFiles.create_beside(folder, 1)
        index.add(numbers, fresh.of(np.array(numbers))[1])
        if place == "index half made":
            os._exit(1)
        index.mark_synced(archive.version + 1)
        if place == "record not changed":
            os._exit(1)
        with archive.store.database.change("reembed", 0):
            fresh.activate()
        os._exit(1)


@pytest.mark.parametrize("first", ["read", "write"])
@pytest.mark.parametrize("place", ["index half made", "record not changed", "index not in place"])
def test_reembed_killed_at_the_switch_is_all_or_nothing(
    folder: Path, models: tuple[str, str], place: str, first: str
) -> None:
    process = Process(target=_exit_around_switch, args=(folder, models[1], place))
    process.start()
    process.join(60)
    changed = place == "index not in place"
    with Archive.open(folder, mode=first, settings=Settings()) as archive:  # type: ignore[arg-type]
        assert search_nearest(archive, 5)[1] > 0.999
        assert find_problems(archive) == ()
    assert read_model_and_generation(folder) == ((models[1], 1) if changed else (models[0], 0))
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.reembed(models[1]) if not changed else archive.add([make_article(900)])
        assert search_nearest(archive, 6)[1] > 0.999
        assert find_problems(archive) == ()
    assert len(list(folder.glob("vectors*/"))) == 1


def test_reader_finds_new_vectors_before_their_index_exists(
    folder: Path, models: tuple[str, str]
) -> None:
    with Archive.open(folder, settings=Settings()) as reader:
        assert search_nearest(reader, 5)[1] > 0.999
        with Archive.open(folder, mode="write", settings=Settings()) as archive:
            fresh = StagedVectors(archive.store.database)
            fresh.begin(models[1])
            numbers = archive.store.passages.numbers().tolist()
            vectors = ArchiveModel(None, settings_for(models[1])).vectors(
                [query_for(n - 1) for n in numbers]
            )
            fresh.write(dict(zip(numbers, vectors, strict=True)))
            with archive.store.database.change("reembed", 0):
                fresh.activate()
            assert (
                search_nearest(reader, 5)[1] > 0.999
            )  # under the writer's lock: from the database
        assert search_nearest(reader, 6)[1] > 0.999
