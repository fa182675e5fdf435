"""Damage is found and repaired wherever the record is; a folder's copy is compared with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems, repair_archive, unchecked
from rag.settings import Settings
from rag.store.ingest_log import RejectLog
from rag.store.sqlite_database import FILE
from tests.archive.test_archive import make_article
from tests.conformance.conftest import Place

pytestmark = pytest.mark.slow

Servers = Callable[[str], Place]
NOWHERE = "postgresql://u:not-to-be-shown@127.0.0.1:1/x"


def found(archive: Archive) -> set[tuple[str, str]]:
    return {(problem.place, problem.fix) for problem in find_problems(archive)}


@pytest.mark.parametrize(
    ("statement", "fix"),
    [
        ("DELETE FROM vectors WHERE number = 2", "embed"),
        ("UPDATE passages SET digest = '' WHERE number = 1", "embed"),
        ("INSERT INTO bands VALUES (1, 99)", "discard"),
        ("INSERT INTO texts VALUES (99, 'lost')", "discard"),
        ("UPDATE mentions SET checksum = checksum + 1 WHERE revision_id = 1", "names"),
        ("UPDATE changes SET at = '2001-01-01' WHERE sequence = 2", "times"),
        ("UPDATE revisions SET published = '9999-01-01' WHERE id = 1", "undate"),
    ],
)
def test_damage_is_repaired(place: Place, statement: str, fix: str) -> None:
    with place.open() as archive:
        for n in range(3):
            archive.add(make_article(n))
        archive.store.database.connection.execute(statement)
        assert ("store", fix) in found(archive)
    with place.open() as archive:
        assert not repair_archive(archive)
        assert len(archive.search("bridge", k=9)) == 3


def test_altered_copy_is_found_and_copied_anew(servers: Servers) -> None:
    with servers("a").open() as writer:
        writer.add([make_article(n) for n in range(3)])
    with closing(sqlite3.connect(servers("a").folder / FILE)) as file, file:
        file.execute("UPDATE revisions SET title = 'forged' WHERE id = 1")
        file.execute("DELETE FROM vectors WHERE number = 1")
    with servers("a").open("read") as reader:
        damaged = [one for one in find_problems(reader) if one.place == "copy"]
        assert {one.description.split()[2] for one in damaged} == {"revisions", "vectors"}
    with servers("a").open() as writer:
        assert not repair_archive(writer)
        assert "forged" not in [one.title for one in writer.indexes.store.articles()]


def test_lost_triggers_are_found_and_created_again(servers: Servers, shared_record: str) -> None:
    with servers("b").open() as writer:
        writer.add([make_article(n) for n in range(3)])
    with psycopg.connect(shared_record, autocommit=True) as connection:
        connection.execute("ALTER TABLE texts DISABLE TRIGGER record_bury")
        connection.execute("DROP TRIGGER record_stamp ON rejects")
        connection.execute("INSERT INTO rejects VALUES ('p', 's', 'unseen', '2024-01-01')")
    with servers("a").open() as writer:
        blind = [one for one in find_problems(writer) if one.place == "record"]
        assert "texts, rejects" in blind[0].description
        assert not repair_archive(writer)
    with servers("b").open("read") as reader:
        assert [one.reason for one in RejectLog(reader.store.database).all()] == ["unseen"]


def test_unreachable_record(servers: Servers) -> None:
    with servers("a").open() as writer:
        writer.add(make_article(1))
        assert "pg_amcheck" in unchecked(writer)[0]
    nowhere = Place(servers("a").folder, Settings(record=NOWHERE))
    with nowhere.open("read") as reader:
        (problem,) = find_problems(reader)
        assert problem.place == "record"
        assert "cannot be reached" in str(problem)
        assert unchecked(reader) == ("the record",)
