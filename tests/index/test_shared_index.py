"""Vectors on a Chroma server: real `chroma run` processes, also killed ones."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import repair_archive
from rag.errors import VectorServerError
from rag.index.chroma_client import ChromaClient
from rag.index.chroma_server import ServerCollections
from rag.index.shared_state import StateStore
from rag.retrieval.hybrid import retrieve
from rag.schema import ALL_RIGHTS, Filters
from rag.settings import Settings
from tests.support.chroma_server import ChromaProcess
from tests.support.fakes import WordEmbeddings
from tests.support.vectors import add, open_archive, problems, server_settings, storm
from ui.cli.format import status_text

pytestmark = pytest.mark.slow


def names_on(server: ChromaProcess, archive: Archive) -> list[str]:
    """Return the names of an archive's collections on a server."""
    shared = archive.indexes.shared
    assert shared is not None
    current = shared.reload().current
    assert current is not None
    page = httpx.get(server.collections, params={"limit": 1000}).json()
    return sorted(one["name"] for one in page if one["name"].startswith(current.prefix))


def found(archive: Archive, query: str, k: int = 1, filters: Filters = Filters()) -> list[str]:
    hits = archive.search(query, k, mode="vector", filters=filters)
    return [hit.metadata.article_id.rpartition("-")[2] for hit in hits]


def held_on(archive: Archive) -> list[int]:
    assert archive.indexes.shared is not None
    return [int(number) for number in archive.indexes.shared.all_numbers()]


def test_server_has_a_collection_for_each_year(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [*(storm(n, 2018 + n % 2) for n in range(6)), storm(6, None)])
    with open_archive(folder, settings) as archive:
        names = names_on(chroma_server, archive)
        assert [name.rpartition("-")[2] for name in names[1:]] == ["2018", "2019", "undated"]
        assert "-g0-" in names[0]
        assert [found(archive, f"number{n}") for n in range(7)] == [[str(n)] for n in range(7)]
        assert archive.indexes.vectors.reached == archive.version
    assert not list(folder.glob("vectors*/*"))
    assert problems(folder, settings) == []


def test_server_ranks_as_the_files_do(chroma_server: ChromaProcess, tmp_path: Path) -> None:
    articles = [storm(n, 2010 + n % 4) for n in range(60)]
    lists = []
    for settings in (server_settings(chroma_server), Settings()):
        folder = tmp_path / ("server" if settings.chroma else "files")
        add(folder, settings, articles)
        with open_archive(folder, settings) as archive:
            archive.refresh()
            vectors = archive.embed([f"Storm number{n} pier team{n % 11}" for n in range(9)])
            lists.append(
                [[score for _, score in archive.indexes.vectors.nearest(v, 5)] for v in vectors]
            )
    np.testing.assert_allclose(lists[0], lists[1], atol=1e-5)


def test_quotas_split_writes_and_full_collections(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    settings = server_settings(chroma_server, chroma_batch=7, chroma_results=10, chroma_records=100)
    add(folder, settings, [storm(n) for n in range(130)])
    add(folder, settings, [storm(n) for n in range(130, 250)])
    with open_archive(folder, settings, "write") as archive:
        assert len(names_on(chroma_server, archive)) == 4  # the control's and three of 2020
        assert held_on(archive) == list(range(1, 251))
        assert found(archive, storm(3).text) == ["3"]
        assert found(archive, storm(249).text) == ["249"]
        archive.delete(["courier.example/storm-120"])
    with open_archive(folder, settings) as archive:
        assert 121 not in held_on(archive)
    assert problems(folder, settings) == []


def test_filters_reach_the_server_as_numbers(
    chroma_server: ChromaProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.index.search.EXACT_UP_TO", 0)
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    articles = [
        storm(n, 2010 + n % 3, publisher="Rare" if n % 30 == 7 else "Daily") for n in range(120)
    ]
    add(folder, settings, articles)
    with open_archive(folder, settings) as archive:
        archive.refresh()
        shared = archive.indexes.shared
        assert shared is not None
        (vector,) = archive.embed(["number37"])
        for filters in (Filters(publishers=("Rare",)), Filters(publishers=("Daily",))):
            among = archive.store.passages.passing(filters)
            result = shared.search(vector, 4, among)
            _, vectors = archive.store.passages.vectors(among)
            exact = np.sort(vectors @ vector)[::-1][:4]
            assert len(result.missed) == 0
            assert {number for number, _ in result.found} <= set(among.tolist())
            np.testing.assert_allclose([s for _, s in result.found], exact, atol=1e-5)


def test_two_archives_on_one_server_do_not_mix(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    settings = server_settings(chroma_server)
    add(tmp_path / "one", settings, [storm(1)])
    add(tmp_path / "two", settings, [storm(2)])
    for name, own in (("one", "1"), ("two", "2")):
        with open_archive(tmp_path / name, settings) as archive:
            assert found(archive, "number1 number2", 9) == [own]
        assert problems(tmp_path / name, settings) == []


def test_copied_archive_gets_an_index_of_its_own(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    """Both know the same collections, and would overwrite each other's passages."""
    settings = server_settings(chroma_server)
    add(tmp_path / "one", settings, [storm(1)])
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    add(tmp_path / "two", settings, [storm(2, 2021)])
    assert any("another archive" in line for line in problems(tmp_path / "one", settings))
    add(tmp_path / "one", settings, [storm(3, 2022)])
    for name, own in (("one", ["1", "3"]), ("two", ["1", "2"])):
        with open_archive(tmp_path / name, settings) as archive:
            assert sorted(found(archive, "storm", 9)) == own
        assert problems(tmp_path / name, settings) == []


def test_switch_of_models_builds_beside(chroma_server: ChromaProcess, tmp_path: Path) -> None:
    class Reversed(WordEmbeddings):
        name = "reversed"

        def embed_query(self, text: str) -> list[float]:
            return super().embed_query(text)[::-1]

    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(n, 2018 + n % 2) for n in range(8)])
    with open_archive(folder, settings, "write") as archive:
        archive.reembed(Reversed())
        names = names_on(chroma_server, archive)
        assert len(names) == 3
        assert all("-g1-" in name for name in names)
        assert found(archive, "number5") == ["5"]
    with Archive.open(folder, embeddings=Reversed(), settings=settings) as archive:
        assert archive.indexes.vectors.generation == 1
        assert found(archive, "number5") == ["5"]


def test_searches_go_on_without_the_server(chroma_server: ChromaProcess, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    settings = server_settings(chroma_server, chroma_seconds=2.0)
    add(folder, settings, [storm(n) for n in range(20)])
    with open_archive(folder, settings) as reader:
        assert found(reader, "number5") == ["5"]
        chroma_server.kill()
        assert found(reader, "number5") == ["5"]  # exactly, from the database
        assert any(chroma_server.url in line for line in problems(folder, settings))
        add(folder, settings, [storm(20, 2021)])  # nothing is lost, though it is behind
        assert found(reader, "number20") == ["20"]
        assert reader.indexes.lag == 1
        chroma_server.start()
        add(folder, settings, [storm(21, 2022)])
        until = time.monotonic() + 60
        while reader.indexes.vectors.reached < reader.version and time.monotonic() < until:
            assert found(reader, "number20") == ["20"]
            add(folder, settings, [])
        assert reader.indexes.lag == 0
        assert len(held_on(reader)) == 22
    assert problems(folder, settings) == []


def test_searches_say_that_they_do_without_the_server(
    chroma_server: ChromaProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.index.search.READ_WITHOUT_SERVER", 5)
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(n) for n in range(20)])

    def codes(reader: Archive) -> list[str]:
        found = retrieve(reader, "storm number5", 1)
        assert found.hits[0].metadata.article_id.endswith("-5")
        return [notice.code for notice in found.notices]

    with open_archive(folder, settings) as reader:
        assert codes(reader) == []
        chroma_server.kill()
        assert codes(reader) == ["vector_server_gone"]
        assert found(reader, "number5") == ["5"]  # exactly, by the compact vectors
        (folder / "vectors.int8").unlink()
        assert codes(reader) == ["vector_server_incomplete"]
        chroma_server.start()
        until = time.monotonic() + 60
        while codes(reader) and time.monotonic() < until:
            time.sleep(0.1)
        assert codes(reader) == []


def test_searches_do_not_wait_for_a_server_that_is_gone(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    """A server that accepts connections and says nothing costs one search its deadline."""
    folder, settings = tmp_path / "archive", server_settings(chroma_server, chroma_seconds=1.0)
    add(folder, settings, [storm(n) for n in range(20)])
    with open_archive(folder, settings) as reader:
        assert found(reader, "number5") == ["5"]
        assert chroma_server.process is not None
        chroma_server.process.send_signal(signal.SIGSTOP)
        waited = []
        for n in range(10):
            began = time.monotonic()
            assert found(reader, f"number{n}") == [str(n)]
            waited.append(time.monotonic() - began)
            time.sleep(0.4)  # longer than until the server is tried again
        chroma_server.process.send_signal(signal.SIGCONT)
        assert max(waited) < 3.0
        assert sorted(waited)[-2] < 0.5


def test_status_and_doctor_tell_of_the_server(chroma_server: ChromaProcess, tmp_path: Path) -> None:
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(n, 2018 + n % 2) for n in range(4)])
    with open_archive(folder, settings) as reader:
        status = reader.status(access=ALL_RIGHTS)
        assert f"{chroma_server.url}: 2 collections, up to date" in status_text(status)
        chroma_server.kill()
        add(folder, settings, [storm(4)])
        assert found(reader, "number4") == ["4"]
        told = status_text(reader.status(access=ALL_RIGHTS))
        assert f"{chroma_server.url}: 2 collections, 1 change behind" in told
        assert "can't be used" in told


def test_reader_fills_the_server_once_it_is_back(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    """Nobody needs to write again for that."""
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(0)])
    with open_archive(folder, settings) as reader:
        chroma_server.kill()
        add(folder, settings, [storm(n, 2015 + n) for n in range(1, 5)])
        assert found(reader, "number3") == ["3"]
        assert reader.indexes.lag == 1
        chroma_server.start()
        until = time.monotonic() + 60
        while reader.indexes.lag and time.monotonic() < until:
            assert found(reader, "number3") == ["3"]
            time.sleep(0.05)
        assert held_on(reader) == [1, 2, 3, 4, 5]
    assert problems(folder, settings) == []


def test_server_killed_during_writes_loses_nothing(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    settings = server_settings(chroma_server, chroma_batch=5)
    add(folder, settings, [storm(n) for n in range(10)])
    killer = threading.Timer(0.15, chroma_server.kill)
    killer.start()
    for first in range(10, 250, 40):
        add(folder, settings, [storm(n, 2015 + n % 6) for n in range(first, first + 40)])
    killer.join()
    chroma_server.start()
    with open_archive(folder, settings, "write") as archive:
        assert archive.indexes.vectors.reached == archive.version
        assert held_on(archive) == list(range(1, 251))
    assert problems(folder, settings) == []


def test_server_killed_during_searches_fails_none(
    chroma_server: ChromaProcess, tmp_path: Path
) -> None:
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(n, 2015 + n % 6) for n in range(60)])
    wrong = list[tuple[int, list[str]]]()
    with open_archive(folder, settings) as reader:
        stop = threading.Event()

        def search() -> None:
            n = 0
            while not stop.is_set():
                n = (n + 1) % 60
                if (got := found(reader, storm(n).text)) != [str(n)]:
                    wrong.append((n, got))

        threads = [threading.Thread(target=search) for _ in range(3)]
        for thread in threads:
            thread.start()
        chroma_server.kill()
        chroma_server.start()
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert problems(folder, settings) == []


def test_interrupted_sync_is_done_again(chroma_server: ChromaProcess, tmp_path: Path) -> None:
    """A writer that is killed after its writes leaves `reached` behind, and numbers twice."""
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(1)])
    with open_archive(folder, settings, "write") as archive:
        before = archive.store.database.meta("shared_vectors")
        archive.add(storm(2))
        archive.delete(["courier.example/storm-1"])
        after = StateStore(archive.store.database).read().current
        assert after is not None
        state = before.replace('"pending": ""', f'"pending": "{after.token}"')
        archive.store.database.set_meta("shared_vectors", state)
    assert problems(folder, settings) == []  # what is on the server is no loss
    with open_archive(folder, settings, "write") as archive:
        assert held_on(archive) == [2]
    assert problems(folder, settings) == []


def test_sync_that_is_interrupted_twice_keeps_its_collections(
    chroma_server: ChromaProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second sync is killed before the server has its token, but has that of the first."""
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(1)])

    def fail(*_: object, **__: object) -> None:
        raise VectorServerError("killed")

    monkeypatch.setattr(ServerCollections, "add", fail)
    add(folder, settings, [storm(2)])
    monkeypatch.setattr(ChromaClient, "set_metadata", fail)
    add(folder, settings, [storm(3)])
    with open_archive(folder, settings) as archive:
        before = names_on(chroma_server, archive)
    monkeypatch.undo()
    add(folder, settings, [storm(4)])
    with open_archive(folder, settings) as archive:
        assert names_on(chroma_server, archive) == before
        assert held_on(archive) == [1, 2, 3, 4]
    assert problems(folder, settings) == []


@pytest.mark.parametrize("damage", ["deleted", "emptied", "foreign", "changed", "other length"])
def test_doctor_finds_and_repairs_what_a_server_lost(
    chroma_server: ChromaProcess, tmp_path: Path, damage: str
) -> None:
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(n, 2018 + n % 2) for n in range(12)])
    with open_archive(folder, settings) as archive:
        name = names_on(chroma_server, archive)[1]
    at = chroma_server.collections
    collection = httpx.get(f"{at}/{name}").json()["id"]
    if damage == "emptied":
        httpx.post(f"{at}/{collection}/delete", json={"ids": ["1", "3"]}).raise_for_status()
    elif damage in ("foreign", "changed"):
        ids = ["x-1", "77"] if damage == "foreign" else ["1", "3"]
        dimension = httpx.get(f"{at}/{name}").json()["dimension"]
        rows = [[1.0] + [0.0] * (dimension - 1)] * 2
        body = {"ids": ids, "embeddings": rows}
        httpx.post(f"{at}/{collection}/upsert", json=body).raise_for_status()
    else:
        httpx.delete(f"{at}/{name}").raise_for_status()
        if damage == "other length":
            made = httpx.post(at, json={"name": name}).json()["id"]
            body = {"ids": ["1"], "embeddings": [[1.0, 0.0]]}
            httpx.post(f"{at}/{made}/upsert", json=body).raise_for_status()
    assert problems(folder, settings)
    with open_archive(folder, settings) as archive:
        assert found(archive, "number4") == ["4"]  # from the database, if need be
    with open_archive(folder, settings, "write") as archive:
        assert repair_archive(archive) == ()
        assert held_on(archive) == list(range(1, 13))
    assert problems(folder, settings) == []


@pytest.fixture
def own_server() -> Iterator[ChromaProcess]:
    """A server without the vectors of other tests' articles, which are the same."""
    server = ChromaProcess().start()
    yield server
    server.remove()


def test_erased_vectors_leave_the_files_of_the_server(
    own_server: ChromaProcess, tmp_path: Path
) -> None:
    folder, settings = tmp_path / "archive", server_settings(own_server)
    add(folder, settings, [storm(n) for n in range(1_300)])  # some are in its log, some in a file
    with open_archive(folder, settings, "write") as archive:
        shared = archive.indexes.shared
        assert shared is not None
        _, vectors = archive.store.passages.vectors(np.array([3, 1_250]))
        forms = [row.astype("<f4").tobytes() for row in vectors]
        _, indexed = shared.vectors_of(np.array([3, 1_250]))
        forms += [row.astype("<f4").tobytes() for row in indexed]
        assert has_any(forms, files_of(own_server))
        assert archive.erase(["courier.example/storm-2", "courier.example/storm-1249"])
    index = "data_level0.bin"  # the server writes it after the requests have been answered
    until = time.monotonic() + 60
    while has_any(forms, files_of(own_server, index)) and time.monotonic() < until:
        time.sleep(0.2)
    own_server.vacuum()
    assert not has_any(forms, files_of(own_server))
    assert problems(folder, settings) == []


def files_of(server: ChromaProcess, name: str = "*") -> Iterator[bytes]:
    return (path.read_bytes() for path in server.folder.rglob(name) if path.is_file())


def has_any(forms: Sequence[bytes], files: Iterable[bytes]) -> bool:
    return any(form in data for data in files for form in forms)


@pytest.mark.parametrize("server_is", ["there", "gone"])
def test_erasure_reaches_the_server(
    chroma_server: ChromaProcess, tmp_path: Path, server_is: str
) -> None:
    folder, settings = tmp_path / "archive", server_settings(chroma_server)
    add(folder, settings, [storm(n) for n in range(6)])
    if server_is == "gone":
        chroma_server.kill()
    with open_archive(folder, settings, "write") as archive:
        assert archive.erase("courier.example/storm-2") is (server_is == "there")
        assert archive.get("courier.example/storm-2") is None
    if server_is == "gone":
        chroma_server.start()
        with open_archive(folder, settings, "write"):
            pass  # finishes the erasure
    with open_archive(folder, settings) as archive:
        assert held_on(archive) == [1, 2, 4, 5, 6]
    assert problems(folder, settings) == []
