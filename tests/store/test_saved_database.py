"""The file of saved items: any number of processes, kills, full disks, newer versions."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rag.errors import (
    ArchiveDamagedError,
    ArchiveLockedError,
    ArchiveUnwritableError,
    BackfileError,
    SavedItemError,
)
from rag.schema import Filters
from rag.store.database_validation import InvalidStoreError
from rag.store.dossiers import DossierStore
from rag.store.saved_database import MIGRATIONS, SavedDatabase
from rag.store.saved_searches import SavedSearchStore
from rag.store.saved_validation import find_saved_damage, validate_saved
from rag.store.side_file import SideFile
from tests.support.processes import Barrier, Pipe, Process

ARCHIVES = Path(__file__).parents[1] / "archives"
SEEN = (7, "2024-11-01T00:00:00+00:00")


def searches(folder: Path) -> SavedSearchStore:
    return SavedSearchStore(SavedDatabase(folder))


def save(folder: Path, name: str) -> None:
    searches(folder).add(name, "ferry", Filters(), "answer", seen=SEEN)


def names(folder: Path) -> list[str]:
    return [one.name for one in searches(folder).all()]


def test_reading_creates_no_file(tmp_path: Path) -> None:
    assert names(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_no_other_file_is_left_between_changes(tmp_path: Path) -> None:
    save(tmp_path, "Ferries")
    assert [path.name for path in tmp_path.iterdir()] == ["saved.sqlite3"]


def _save_many(folder: Path, which: int, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    for n in range(10):
        save(folder, f"{which}-{n}")


@pytest.mark.slow
def test_processes_that_create_the_file_together_lose_nothing(tmp_path: Path) -> None:
    barrier = Barrier(4)
    writers = [Process(target=_save_many, args=(tmp_path, n, barrier)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert sorted(names(tmp_path)) == sorted(f"{w}-{n}" for w in range(4) for n in range(10))


def _save_on(folder: Path, first: int, end: Connection) -> None:
    for n in range(first, 100_000):
        save(folder, f"Search {n:05}")
        end.send(n)


@pytest.mark.slow
def test_killed_process_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged = -1
    for kill in range(8):
        ours, theirs = Pipe(duplex=False)
        writer = Process(target=_save_on, args=(tmp_path, acknowledged + 2, theirs))
        writer.start()
        theirs.close()
        acknowledged = ours.recv()
        time.sleep(0.003 * kill)
        writer.kill()
        writer.join()
        try:
            while ours.poll():
                acknowledged = ours.recv()
        except EOFError:
            pass
        there = {int(name.split()[1]) for name in names(tmp_path)}
        assert acknowledged in there
        assert max(there) <= acknowledged + 1
        assert find_saved_damage(SavedDatabase(tmp_path)) == ""


def _fill(folder: Path, end: Connection) -> None:
    import resource

    most = (folder / "saved.sqlite3").stat().st_size + 4096
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    done, told = [], "it was never full"
    try:
        for n in range(200):
            save(folder, f"{n} {'x' * 150}")
            done.append(n)
    except ArchiveUnwritableError as error:
        told = str(error)
    except BaseException as error:
        told = f"not one line of its own: {error!r}"
    end.send((told, done))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limit on a file's length")
def test_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    save(tmp_path, "Ferries")
    ours, theirs = Pipe()
    process = Process(target=_fill, args=(tmp_path, theirs))
    process.start()
    told, done = ours.recv()
    process.join()
    assert "cannot be written to" in told
    assert "free disk space" in told
    assert done
    assert len(names(tmp_path)) == 1 + len(done)
    save(tmp_path, "Later")
    assert find_saved_damage(SavedDatabase(tmp_path)) == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_unwritable_folder_can_be_read(tmp_path: Path) -> None:
    save(tmp_path, "Ferries")
    (tmp_path / "saved.sqlite3").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert names(tmp_path) == ["Ferries"]
        with pytest.raises(ArchiveUnwritableError):
            save(tmp_path, "Fish")
    finally:
        tmp_path.chmod(0o700)


def test_missing_folder_is_one_line(tmp_path: Path) -> None:
    assert names(tmp_path / "none") == []
    with pytest.raises(BackfileError):
        save(tmp_path / "none", "Ferries")


def test_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    save(tmp_path, "Ferries")
    with closing(sqlite3.connect(tmp_path / "saved.sqlite3")) as file:
        file.execute("PRAGMA user_version = 99")
    for act in (names, lambda folder: save(folder, "Fish")):
        with pytest.raises(ArchiveDamagedError, match=r"newer Backfile \(schema 99\)"):
            act(tmp_path)


def test_file_of_each_released_version_is_read(tmp_path: Path) -> None:
    for number in range(1, len(MIGRATIONS) + 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        with closing(sqlite3.connect(folder / "saved.sqlite3")) as file:
            file.executescript((ARCHIVES / f"saved-v{number}.sql").read_text(encoding="utf-8"))
        (search,) = searches(folder).all()
        assert (search.name, search.seen, search.mode) == ("Ferries", 7, "timeline")
        assert search.filters.publishers == ("The Harbour Courier",)
        (entry,) = DossierStore(SavedDatabase(folder)).entries("Bridge")
        assert (entry.quote, entry.note) == ("The harbour bridge was closed", "Who says so?")
        assert entry.metadata is not None
        assert entry.metadata.title == "Harbour bridge closed"
        save(folder, "Fish")
        assert find_saved_damage(SavedDatabase(folder)) == ""


def test_damaged_file_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "saved.sqlite3").write_bytes(b"not a database " * 400)
    with pytest.raises(ArchiveDamagedError, match="move this file away"):
        names(tmp_path)
    assert find_saved_damage(SavedDatabase(tmp_path))


def test_long_transaction_of_another_process_is_named(tmp_path: Path) -> None:
    save(tmp_path, "Ferries")
    database = SavedDatabase(tmp_path)
    assert isinstance(database.form, SideFile)
    database.form.wait = 0.05
    with closing(sqlite3.connect(tmp_path / "saved.sqlite3")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ArchiveLockedError, match="another process: try again"):
            SavedSearchStore(database).delete("Ferries")
    assert names(tmp_path) == ["Ferries"]


def test_failed_change_is_undone_as_a_whole(tmp_path: Path) -> None:
    save(tmp_path, "Ferries")
    database = SavedDatabase(tmp_path)

    def fail() -> None:
        with database.write() as connection:
            connection.execute("DELETE FROM searches")
            raise SavedItemError("stop")

    with pytest.raises(SavedItemError):
        fail()
    assert names(tmp_path) == ["Ferries"]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON searches BEGIN DELETE FROM dossiers; END", "trigger"),
        ("CREATE TABLE more (x)", "'more'"),
        ("DROP INDEX entries_article", "lacks"),
        ("UPDATE searches SET seen = 'x'", "wrong type"),
        ("UPDATE searches SET seen = 9223372036854775807", "wrong type"),
        ("UPDATE searches SET created = 'yesterday'", "cannot be read"),
        ("UPDATE searches SET looked = '2024-10-01T00:00:00'", "time zone"),
        ("UPDATE searches SET filters = '[1'", "cannot be read"),
        ("""UPDATE searches SET filters = '{"x": 1}'""", "unknown filters"),
        ("""UPDATE searches SET filters = '{"access": ["premium"]}'""", "unknown filters"),
        ("UPDATE searches SET mode = '<script>'", "not one that Backfile writes"),
        ("UPDATE searches SET id = '../../etc'", "not one that Backfile writes"),
        ("UPDATE searches SET query = printf('%.*c', 5000, 'w')", "not one that Backfile writes"),
        ("UPDATE searches SET name = char(27) || '[2J'", "1 to 200"),
        ("PRAGMA user_version = 99", "newer version"),
        ("PRAGMA application_id = 5", "not Backfile's"),
    ],
)
def test_forged_file_is_invalid(tmp_path: Path, statement: str, reason: str) -> None:
    save(tmp_path, "Ferries")
    path = tmp_path / "saved.sqlite3"
    validate_saved(path)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(statement)
    with pytest.raises(InvalidStoreError, match=reason):
        validate_saved(path)
    assert find_saved_damage(SavedDatabase(tmp_path))
