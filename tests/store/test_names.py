"""Names by revision: written with the record, erased with it, checked and repaired."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems, repair_archive
from rag.schema import Article
from rag.store.names import META, RULES, NameStore
from tests.support.fakes import WordEmbeddings

PIER = Article(
    id="pier",
    title="Pier closed",
    text="Ann Dunmore of the Harbour Safety Board closed the pier in Oslo.",
    language="en",
)
ORCHARD = Article(
    id="orchard", title="Frost", text="Frost hit Petra Lindqvist’s farm, said Ann Dunmore."
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([PIER, ORCHARD])
    return tmp_path / "a"


def execute_sql(folder: Path, *statements: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    with closing(sqlite3.connect(folder / "archive.sqlite")) as connection, connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
    return rows


def held_names(folder: Path) -> set[str]:
    return {str(name) for (name,) in execute_sql(folder, "SELECT name FROM names")}


def pairs(store: NameStore) -> set[tuple[int, str]]:
    table = store.table()
    pairs = zip(table.revisions.tolist(), table.numbers.tolist(), strict=True)
    return {(revision, table.names[number]) for revision, number in pairs}


def test_names_are_written_with_each_revision(folder: Path) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        assert (1, "Harbour Safety Board") in pairs(archive.store.names)
        archive.add(replace(PIER, text="Milo Brandt opened the pier in Oslo again."))
        assert {name for revision, name in pairs(archive.store.names) if revision == 3} == {
            "Milo Brandt",
            "Oslo",
        }
        assert find_problems(archive) == ()


def test_names_that_are_read_again_equal_those_read_at_once(folder: Path) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        store = archive.store
        store.names.table()
        archive.add(replace(PIER, text="Milo Brandt opened the pier in Oslo again."))
        assert pairs(store.names) == pairs(NameStore(store.database))
        archive.erase("orchard")
        assert pairs(store.names) == pairs(NameStore(store.database))
        assert "Petra Lindqvist" not in store.names.table().names
        archive.add(replace(PIER, text="Ada Quillon left for Bergen."))
        assert pairs(store.names) == pairs(NameStore(store.database))


def test_reader_sees_what_doctor_repaired(folder: Path) -> None:
    execute_sql(folder, "UPDATE names SET name = 'Petra Nobody' WHERE name = 'Petra Lindqvist'")
    with Archive.open(folder, embeddings=WordEmbeddings()) as reader:
        assert (2, "Petra Nobody") in pairs(reader.store.names)
        with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
            assert repair_archive(archive) == ()
        assert (2, "Petra Lindqvist") in pairs(reader.store.names)


def test_names_of_an_unknown_kind_are_not_shown(folder: Path) -> None:
    execute_sql(folder, "UPDATE names SET kind = 'ship' WHERE name = 'Oslo'")
    with Archive.open(folder, embeddings=WordEmbeddings()) as reader:
        assert {one.name for one in reader.names()} == {
            *("Ann Dunmore", "Harbour Safety Board", "Petra Lindqvist")
        }


def test_names_of_other_languages_are_not_looked_for(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add(Article(id="a", text="Die Frau Petra Lindqvist wohnt in Oslo.", language="de"))
        assert pairs(archive.store.names) == set()
        assert find_problems(archive) == ()


def test_erasing_an_article_erases_its_names(folder: Path) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.erase("orchard")
        assert pairs(archive.store.names) == {
            *((1, name) for name in ("Ann Dunmore", "Harbour Safety Board", "Oslo"))
        }
    assert held_names(folder) == {"Ann Dunmore", "Harbour Safety Board", "Oslo"}
    assert all(b"Lindqvist" not in path.read_bytes() for path in folder.glob("archive.sqlite*"))


def test_older_archive_is_read_at_the_next_addition(folder: Path) -> None:
    execute_sql(folder, "DELETE FROM names", "DELETE FROM mentions", "DELETE FROM meta "
                f"WHERE key = '{META}'")  # fmt: skip
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert find_problems(archive) == ()
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add(Article(id="new", text="Nothing happened."))
        assert archive.store.names.is_complete()
        assert {revision for revision, _ in pairs(archive.store.names)} == {1, 2}


def test_interrupted_reading_continues(folder: Path) -> None:
    execute_sql(folder, "DELETE FROM mentions WHERE revision_id = 2",
                f"UPDATE meta SET value = '{RULES} up to 1' WHERE key = '{META}'")  # fmt: skip
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        read: list[int] = []
        archive.store.names.catch_up(read.append)
        assert read == [1]
        assert (2, "Petra Lindqvist") in pairs(archive.store.names)
        assert find_problems(archive) == ()


def test_rebuilding_indexes_reads_names_again(folder: Path) -> None:
    execute_sql(folder, "UPDATE names SET name = 'Nobody' WHERE name = 'Oslo'")
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        assert (1, "Nobody") in pairs(archive.store.names)
        archive.rebuild_indexes()
        assert (1, "Oslo") in pairs(archive.store.names)
        assert find_problems(archive) == ()
    assert "Nobody" not in held_names(folder)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM mentions WHERE revision_id = 2",
        "UPDATE mentions SET names = x'01' WHERE revision_id = 2",
        "UPDATE mentions SET names = x'ffffffff' WHERE revision_id = 2",
        "UPDATE mentions SET names = x'' WHERE revision_id = 2",
        "UPDATE names SET name = 'Petra Nobody' WHERE name = 'Petra Lindqvist'",
        "DELETE FROM names WHERE name = 'Petra Lindqvist'",
        "INSERT INTO mentions VALUES (99, x'', 0)",
    ],
)
def test_doctor_finds_and_repairs_names(folder: Path, damage: str) -> None:
    execute_sql(folder, damage)
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        (problem,) = find_problems(archive)
        assert problem.description.startswith("1 revision with missing or altered names")
        assert repair_archive(archive) == ()
        assert (2, "Petra Lindqvist") in pairs(archive.store.names)
    assert "Petra Nobody" not in held_names(folder)


@pytest.mark.parametrize("change", [lambda a: a.delete("pier"), lambda a: a.withdraw("pier")])
def test_names_of_ended_revisions_stay_sound(
    folder: Path, change: Callable[[Archive], object]
) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        change(archive)
        assert find_problems(archive) == ()
        archive.reinstate("pier")
        assert find_problems(archive) == ()
