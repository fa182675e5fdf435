"""Folders that follow one record: nothing is missed, and readers outlive the record."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.errors import (
    ArchiveDamagedError,
    ArchiveNotFoundError,
    BackfileError,
    EmbeddingMismatchError,
    RecordUnavailableError,
    SettingsError,
)
from rag.settings import Settings
from tests.archive.test_archive import WordEmbeddings, make_article
from tests.conformance.conftest import Place, wait_until
from tests.support.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.slow

Servers = Callable[[str], Place]
LATEST = 5.0  # seconds until another server has a new article


def ids(archive: Archive, query: str = "bridge") -> set[str]:
    return {hit.passage.article_id for hit in archive.search(query, k=50)}


def test_other_servers_answer_from_new_articles(servers: Servers) -> None:
    with servers("a").open() as writer:
        writer.add(make_article(1))
        with servers("b").open("read") as reader:
            assert ids(reader) == {"paper.example/1"}
            writer.add([make_article(2), make_article(1, "The bridge has gone.")])
            writer.delete("paper.example/2")
            writer.add(make_article(3))
            wait_until(lambda: ids(reader) == {"paper.example/1", "paper.example/3"})
            assert reader.article("paper.example/1").revision == 2  # type: ignore[union-attr]
            state = reader.follower.state()  # type: ignore[union-attr]
            assert (state.reachable, state.problem) == (True, "")
            assert not find_problems(reader)


def test_writers_interleave(servers: Servers) -> None:
    articles = [make_article(n) for n in range(24)]

    def ingest(name: str) -> int:
        with servers(name).open() as writer:
            return sum(writer.add(articles[i : i + 3]).new for i in range(0, len(articles), 3))

    with servers("a").open() as writer:
        writer.add(make_article(99))
    with ThreadPoolExecutor() as pool:
        added = list(pool.map(ingest, ["a", "a", "b"]))
    assert sum(added) == len(articles)
    for name in ("a", "b"):
        with servers(name).open() as writer:
            assert writer.count().articles == len(articles) + 1
            assert all(len(writer.revisions(one.id)) == 1 for one in articles)
            assert not find_problems(writer)


def test_readers_go_on_without_the_record(stoppable: PostgresServer, tmp_path: Path) -> None:
    place = Place(tmp_path / "a", Settings(record=stoppable.create_database()))
    with place.open() as writer:
        writer.add(make_article(1))
        with place.open("read") as reader:
            assert ids(reader) == {"paper.example/1"}
            stoppable.stop()
            wait_until(lambda: not reader.follower.state().reachable)  # type: ignore[union-attr]
            assert ids(reader) == {"paper.example/1"}
            state = reader.follower.state()  # type: ignore[union-attr]
            assert state.as_of is not None
            assert PASSWORD not in state.problem
            with pytest.raises(RecordUnavailableError) as refused:
                writer.add(make_article(2))
            assert PASSWORD not in str(refused.value)
            with place.open("read") as another:
                assert ids(another) == {"paper.example/1"}
                assert not another.follower.state().reachable  # type: ignore[union-attr]
            with pytest.raises(RecordUnavailableError):
                Place(tmp_path / "new", place.settings).open("read")
            stoppable.start()
            writer.add(make_article(2))
            wait_until(lambda: len(ids(reader)) == 2)
            assert not find_problems(writer)


def test_erasure_reaches_every_folder(servers: Servers) -> None:
    secret = "Quillermoth Zanzibarov was seen near the old bridge on Thursday."
    with servers("a").open() as writer:
        writer.add([make_article(1, secret), make_article(2)])
        log = servers("b").folder / "ingest.jsonl"
        with servers("b").open("read") as reader:
            log.write_text(f'{{"text": "{secret}"}}\n{{"text": "other"}}\n')
            assert len(ids(reader)) == 2
            assert writer.erase("paper.example/1")
            wait_until(lambda: ids(reader) == {"paper.example/2"})
        with servers("b").open("read") as reader:  # whatever a reader kept from being rewritten
            reader.follower.rewrite()  # type: ignore[union-attr]
            assert not find_problems(reader)
    for name in ("a", "b"):
        for path in servers(name).folder.rglob("*"):
            if path.is_file():
                assert b"Quillermoth" not in path.read_bytes(), path
                assert b"Zanzibarov" not in path.read_bytes(), path
    assert "other" in log.read_text()


def test_followers_switch_the_model(servers: Servers) -> None:
    class Other(WordEmbeddings):
        name = "other words"

        def embed_query(self, text: str) -> list[float]:
            return super().embed_query(text)[::-1]

    with servers("a").open() as writer:
        writer.add([make_article(n) for n in range(5)])
        servers("b").open("read").close()
        writer.reembed(Other())
        with Archive.open(
            servers("b").folder, settings=servers("b").settings, embeddings=Other()
        ) as reader:
            assert len(ids(reader)) == 5
            assert not find_problems(reader)


def test_writers_notice_that_another_switched_the_model(servers: Servers) -> None:
    class Other(WordEmbeddings):
        name = "other words"

    with servers("a").open() as first, servers("b").open() as second:
        first.add([make_article(n) for n in range(3)])
        drafts, _ = first.draft([make_article(7)])
        prepared = first.prepare(drafts)
        second.reembed(Other())
        with pytest.raises(EmbeddingMismatchError, match="re-embedded with other words"):
            first.write(prepared)
        with pytest.raises(EmbeddingMismatchError, match="other words"):
            first.add(make_article(8))
        assert second.add(make_article(7)).new == 1
        assert not find_problems(second)


def test_takedowns_at_once(servers: Servers) -> None:
    ids_of_all = [make_article(n).id for n in range(12)]
    with servers("a").open() as first, servers("b").open() as second:
        first.add([make_article(n) for n in range(12)])
        for name in ("withdraw", "reinstate", "delete"):
            with ThreadPoolExecutor() as pool:
                done = [pool.submit(getattr(one, name), ids_of_all) for one in (first, second)]
            assert sorted(one.result() for one in done) == [0, 12]
        assert not first.count().articles
        assert not find_problems(first)
        assert not find_problems(second)


def test_restored_record_is_copied_anew(servers: Servers, shared_record: str) -> None:
    with servers("a").open() as writer:
        writer.add([make_article(1), make_article(2)])
    with psycopg.connect(shared_record, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with servers("new").open() as writer:
        writer.add(make_article(3))
    with servers("a").open("read") as reader:
        assert ids(reader) == {"paper.example/3"}
        assert not find_problems(reader)


def test_newer_record_is_refused_politely(servers: Servers, shared_record: str) -> None:
    with servers("a").open() as writer:
        writer.add(make_article(1))
    with psycopg.connect(shared_record, autocommit=True) as connection:
        connection.execute("UPDATE record_state SET version = version + 1")
    with servers("a").open("read") as reader:
        assert ids(reader) == {"paper.example/1"}
        assert "newer Backfile" in reader.follower.state().problem  # type: ignore[union-attr]
    with pytest.raises(ArchiveDamagedError, match="upgrade"):
        servers("a").open()


def test_folders_are_not_mixed_up(servers: Servers, tmp_path: Path) -> None:
    with servers("a").open() as writer:
        writer.add(make_article(1))
    own = Place(tmp_path / "own", Settings())
    with own.open() as archive:
        archive.add(make_article(2))
    with pytest.raises(SettingsError, match="of its own"):
        Place(own.folder, servers("a").settings).open()
    with pytest.raises(SettingsError, match="copy of a shared record"):
        Place(servers("a").folder, Settings()).open()
    with Place(servers("a").folder, Settings()).open("read") as reader:
        assert ids(reader) == {"paper.example/1"}


def test_missing_record(servers: Servers) -> None:
    with pytest.raises(ArchiveNotFoundError):
        servers("a").open("read")


@pytest.mark.parametrize(
    "address",
    ["postgresql://u:not-to-be-shown@[bad/x", "postgresql://u:not-to-be-shown@127.0.0.1:1/x"],
)
def test_passwords_are_never_shown(address: str, tmp_path: Path) -> None:
    with pytest.raises(BackfileError) as refused:
        Place(tmp_path, Settings(record=address)).open()
    assert PASSWORD not in str(refused.value)
    assert PASSWORD not in repr(Settings(record=address))
