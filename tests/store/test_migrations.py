"""Migrations: archives of every released schema open, answer and are sound."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.errors import ArchiveDamagedError, ArchiveLockedError
from rag.store.lock import writer_lock
from rag.store.migrations import MIGRATIONS, NEWEST, migrate
from tests.archives.save import (
    BREAD,
    FERRY,
    FERRY_AFLOAT,
    GONE,
    UNDATED,
    EightWords,
    in_two_passages,
    save_archive,
)
from tests.support.processes import Process

KEPT = Path(__file__).parents[1] / "archives"
VERSIONS = range(1, NEWEST)


def restore_saved(version: int, folder: Path) -> Path:
    """Return a folder with the saved archive of a schema version."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "archive.sqlite")
    with contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript((KEPT / f"v{version}.sql").read_text(encoding="utf-8"))
    return folder


def schema(folder: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(folder / "archive.sqlite")) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return [*connection.iterdump(), str(version)]


def test_saved_archives_exist_for_every_older_schema() -> None:
    assert {path.stem for path in KEPT.glob("v*.sql")} >= {f"v{n}" for n in VERSIONS}, (
        "before a migration is added: git stash, python -m tests.archives.save, git stash pop"
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["read", "write"])
def test_saved_archive_opens_and_answers(version: int, mode: str, tmp_path: Path) -> None:
    folder = restore_saved(version, tmp_path / "archive")
    with Archive.open(folder, mode=mode, embeddings=EightWords()) as archive:  # type: ignore[arg-type]
        assert {article.id for article in archive.articles()} == {
            FERRY.id,
            BREAD.id,
            UNDATED.id,
        }
        for article in (FERRY, BREAD, UNDATED):
            assert archive.article(article.id, revision=1) == article
        now = archive.article(FERRY.id)
        assert now is not None
        assert (now.text, now.revision) == (FERRY_AFLOAT.text, 2)
        assert archive.article(GONE.id) is None
        assert {hit.passage.article_id for hit in archive.search("farine", 3, mode="bm25")} == {
            BREAD.id
        }
        assert archive.search("Nobody was hurt", 9, mode="vector")
        assert find_problems(archive) == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_saved_archive_knows_its_articles(version: int, tmp_path: Path) -> None:
    folder = restore_saved(version, tmp_path / "archive")
    with Archive.open(folder, mode="write", embeddings=EightWords()) as archive:
        report = archive.add(map(in_two_passages, (FERRY_AFLOAT, BREAD, UNDATED)))
        assert (report.unchanged, report.new, report.changed) == (3, 0, 0)


@pytest.mark.parametrize("version", VERSIONS)
def test_failed_migration_leaves_the_archive_unchanged(version: int, tmp_path: Path) -> None:
    folder = restore_saved(version, tmp_path / "archive")
    before = schema(folder)
    broken = (*MIGRATIONS, "CREATE TABLE half (a); INSERT INTO nowhere VALUES (1);")
    with (
        contextlib.closing(sqlite3.connect(folder / "archive.sqlite")) as connection,
        pytest.raises(sqlite3.OperationalError, match="nowhere"),
    ):
        migrate(connection, version, broken)
    assert schema(folder) == before


@pytest.mark.slow
def test_reader_waiting_for_migration_learns_who_writes(
    tmp_path: Path,
) -> None:
    folder = restore_saved(1, tmp_path / "archive")
    lock = writer_lock(folder)
    try:
        with pytest.raises(ArchiveLockedError, match=r"process \d+, since"):
            Archive.open(folder, embeddings=EightWords())
    finally:
        lock.release()


def _read(folder: Path) -> None:
    with Archive.open(folder, embeddings=EightWords()) as archive:
        assert archive.count().articles == 3


@pytest.mark.slow
def test_four_readers_may_migrate_at_once(tmp_path: Path) -> None:
    folder = restore_saved(1, tmp_path / "archive")
    readers = [Process(target=_read, args=(folder,)) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(200)
    assert [reader.exitcode for reader in readers] == [0] * 4


def test_reader_waits_for_a_database_being_created(
    tmp_path: Path,
) -> None:
    begun = sqlite3.connect(
        tmp_path / "archive.sqlite", isolation_level=None, check_same_thread=False
    )
    begun.execute("PRAGMA user_version = 0")
    begun.execute("CREATE TABLE soon (x)")
    begun.execute("DROP TABLE soon")
    lock = writer_lock(tmp_path)
    made = threading.Timer(0.5, migrate, (begun, 0))
    made.start()
    try:
        with Archive.open(tmp_path) as reader:
            assert reader.status().articles == 0
        assert lock.is_locked
    finally:
        made.join()
        begun.close()
        lock.release()


def test_archive_of_newer_version_says_what_to_upgrade(tmp_path: Path) -> None:
    folder = restore_saved(1, tmp_path / "archive")
    with contextlib.closing(sqlite3.connect(folder / "archive.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    with pytest.raises(ArchiveDamagedError, match="pip install --upgrade"):
        Archive.open(folder, embeddings=EightWords())


def test_current_archive_can_be_saved(tmp_path: Path) -> None:
    assert save_archive(tmp_path).name == f"v{NEWEST}.sql"
