"""Vectors in the folder and on a server, with a record in the folder and a shared one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.settings import Settings
from tests.archive.test_archive import make_article
from tests.conformance.conftest import PATIENT, Place
from tests.support.chroma_server import ChromaProcess

pytestmark = pytest.mark.slow

LONG = 180.0  # seconds, on a busy machine


def by_vectors(archive: Archive, query: str = "bridge") -> set[str]:
    return {hit.passage.article_id for hit in archive.search(query, k=50, mode="vector")}


def wait_until(condition: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < LONG
        time.sleep(0.05)


def test_vectors_follow_the_record(place: Place) -> None:
    with place.open() as writer:
        writer.add([make_article(n) for n in range(4)])
        assert writer.indexes.vectors.count() == 4
        with place.open("read") as reader:
            assert len(by_vectors(reader)) == 4
            writer.delete("paper.example/1")
            writer.add(make_article(2, "The bridge has gone."))
            wait_until(lambda: len(by_vectors(reader)) == 3)
        assert writer.indexes.vectors.count() == 3
        assert not find_problems(writer)


def test_erased_vectors_are_gone(place: Place) -> None:
    with place.open() as writer:
        writer.add([make_article(n) for n in range(4)])
        assert writer.erase("paper.example/1")
        assert sorted(writer.indexes.vectors.all_numbers()) == [1, 3, 4]
        assert not find_problems(writer)


@pytest.fixture
def servers(
    tmp_path: Path, shared_record: str, chroma_server: ChromaProcess
) -> Iterator[Callable[[str], Place]]:
    """Return the folder of a server by its name; all have one record and one vector server."""
    settings = Settings(record=shared_record, chroma=chroma_server.url, chroma_seconds=PATIENT)
    make = partial(Place, settings=settings)
    yield lambda name: make(tmp_path / name)
    chroma_server.ensure_running()


def test_machines_share_one_vector_server(servers: Callable[[str], Place]) -> None:
    """Whoever has the lock fills it, and nobody writes a passage twice."""
    articles = [make_article(n) for n in range(30)]

    def ingest(name: str) -> None:
        with servers(name).open() as writer:
            for i in range(0, len(articles), 5):
                writer.add(articles[i : i + 5])

    with servers("a").open() as writer:
        writer.add(make_article(99))
    with ThreadPoolExecutor() as pool:
        list(pool.map(ingest, ["a", "b", "c"]))
    with servers("b").open("read") as reader:
        wait_until(lambda: len(by_vectors(reader)) == 31 and not reader.indexes.lag)
        assert reader.indexes.vectors.count() == 31
        assert not find_problems(reader)
    with servers("d").open("read") as new:  # its folder has no vectors of its own
        assert len(by_vectors(new)) == 31
        assert not list(new.path.glob("vectors*/*"))
        assert not find_problems(new)


def test_machines_go_on_without_the_vector_server(
    servers: Callable[[str], Place], chroma_server: ChromaProcess
) -> None:
    with servers("a").open() as writer, servers("b").open("read") as reader:
        writer.add([make_article(n) for n in range(5)])
        wait_until(lambda: len(by_vectors(reader)) == 5)
        chroma_server.kill()
        writer.add([make_article(n) for n in range(5, 9)])
        wait_until(lambda: len(by_vectors(reader)) == 9)
        assert len(by_vectors(writer)) == 9
        chroma_server.start()
        wait_until(lambda: len(by_vectors(reader)) == 9 and not reader.indexes.lag)
        assert reader.indexes.vectors.count() == 9
        assert not find_problems(reader)


def test_folder_without_the_setting_deletes_erased_vectors_later(
    servers: Callable[[str], Place],
) -> None:
    """What it erases is remembered in the record for those that have the setting."""
    with servers("a").open() as writer:
        writer.add([make_article(n) for n in range(4)])
    without = replace(servers("b"), settings=replace(servers("b").settings, chroma=""))
    with without.open() as writer:
        writer.erase("paper.example/2")
    with servers("a").open("read") as reader:
        wait_until(lambda: len(by_vectors(reader)) == 3 and reader.indexes.vectors.count() == 3)
        assert not find_problems(reader)
