"""Every form of an archive: where its record is, and where its vectors are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from rag.archive.archive import Archive, Mode
from rag.settings import Settings
from tests.archive.test_archive import WordEmbeddings
from tests.support.chroma_server import ChromaProcess
from tests.support.postgres import PostgresServer

LONG = 60.0  # seconds, on a busy machine
PATIENT = 20.0  # seconds for the vector server on a busy machine


def wait_until(condition: Callable[[], bool], seconds: float = LONG) -> float:
    """Wait for a condition; return the seconds that it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def stoppable(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which the test may stop or kill."""
    yield postgres_server
    postgres_server.start()


@pytest.fixture(params=["sqlite", "postgres"])
def record(request: pytest.FixtureRequest) -> str:
    """The address of an empty record; "" for one in the archive's folder."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture(params=["embedded", "server"])
def vectors(request: pytest.FixtureRequest) -> str:
    """The address of a Chroma server; "" for vectors in the archive's folder."""
    if request.param == "embedded":
        return ""
    server: ChromaProcess = request.getfixturevalue("chroma_server")
    return server.url


@pytest.fixture
def shared_record(postgres_server: PostgresServer) -> str:
    return postgres_server.create_database()


@dataclass(frozen=True)
class Place:
    """Where an archive is."""

    folder: Path
    settings: Settings

    def open(self, mode: Mode = "write", *, folder: Path | None = None) -> Archive:
        return Archive.open(
            folder or self.folder, mode=mode, settings=self.settings, embeddings=WordEmbeddings()
        )


@pytest.fixture
def record_place(tmp_path: Path, record: str) -> Place:
    """An archive with vectors in its folder, for tests that aren't about them."""
    return Place(tmp_path / "archive", Settings(record=record))


@pytest.fixture
def place(tmp_path: Path, record: str, vectors: str) -> Place:
    return Place(
        tmp_path / "archive", Settings(record=record, chroma=vectors, chroma_seconds=PATIENT)
    )


@pytest.fixture
def servers(tmp_path: Path, shared_record: str) -> Callable[[str], Place]:
    """Return the folder of a server by its name; all have one record."""
    make = partial(Place, settings=Settings(record=shared_record))
    return lambda name: make(tmp_path / name)
