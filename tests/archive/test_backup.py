"""Backups of a live archive: consistent, in one file, and restored completely."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.backup import restore_backup, write_backup
from rag.archive.doctor import find_problems
from rag.errors import ArchiveDamagedError, BackupError
from rag.schema import Article, Span
from rag.store.database_validation import count_rows
from tests.archives.save import BREAD, FERRY, UNDATED, EightWords
from tests.store.test_migrations import VERSIONS, restore_saved
from tests.support.fakes import ARTICLES, HARBOUR, WordEmbeddings, small_archive
from tests.support.processes import Process
from ui import cli


def test_restored_archive_equals_the_original(tmp_path: Path) -> None:
    file = tmp_path / "archive.backup"
    with small_archive(tmp_path / "archive") as archive:
        manifest = write_backup(archive.store, file)
        expected, status = list(archive.articles()), archive.status()
    assert (manifest.articles, manifest.passages) == (len(ARTICLES), len(ARTICLES))
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "archive.backup"}
    restore_backup(file, tmp_path / "again")
    with Archive.open(tmp_path / "again", embeddings=WordEmbeddings()) as archive:
        assert list(archive.articles()) == expected
        assert archive.status().sequence == status.sequence
        assert (
            archive.search("harbour bridge", 1, mode="vector")[0].passage.article_id == HARBOUR.id
        )
        assert archive.search("ferries", 1, mode="bm25")[0].passage.article_id == HARBOUR.id
        assert find_problems(archive) == ()


@pytest.mark.parametrize("name", ["archive", "archive.sqlite-copy", "vectors"])
def test_backup_inside_the_archive_folder_removes_nothing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "archive"
    with small_archive(folder) as archive:
        before = {path.name for path in folder.iterdir()}
        if name in before:
            with pytest.raises(BackupError):
                write_backup(archive.store, folder / name)
        else:
            write_backup(archive.store, folder / name)
        assert {path.name for path in folder.iterdir()} == before | {name}
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert archive.count().articles == len(ARTICLES)


def numbered_article(n: int) -> tuple[Article, list[Span]]:
    text = f"Report {n} of the harbour. It has two sentences."
    return Article(id=f"paper.example/{n}", title=f"Report {n}", text=text), [Span(0, len(text))]


def _write(folder: Path, ready: str) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        for n in range(10_000):
            archive.add([numbered_article(2 * n), numbered_article(2 * n + 1)])
            Path(ready).touch()


@pytest.mark.slow
def test_backup_beside_a_writer_is_consistent(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    writer = Process(target=_write, args=(tmp_path / "archive", str(ready)))
    writer.start()
    try:
        while not ready.exists():
            assert writer.is_alive()
            writer.join(0.1)
        with Archive.open(tmp_path / "archive", embeddings=WordEmbeddings()) as archive:
            for n in range(3):
                manifest = write_backup(archive.store, tmp_path / f"{n}.backup")
                assert manifest.articles == 2 * manifest.sequence  # no change is half included
        assert writer.is_alive()
    finally:
        writer.kill()
        writer.join()
    restore_backup(tmp_path / "2.backup", tmp_path / "again")
    with Archive.open(tmp_path / "again", embeddings=WordEmbeddings()) as archive:
        assert archive.count().articles == manifest.articles
        assert find_problems(archive) == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_backup_of_older_schema_is_restored(tmp_path: Path, version: int) -> None:
    old = restore_saved(version, tmp_path / "old") / "archive.sqlite"
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    articles, passages, sequence, model = count_rows(old)
    record = old.read_bytes()
    manifest = {
        "format": 1,
        "made": "2024-10-24T10:00:00+00:00",
        "sequence": sequence,
        "articles": articles,
        "passages": passages,
        "embedding_model": model,
        "bytes": len(record),
        "sha256": hashlib.sha256(record).hexdigest(),
    }
    with zipfile.ZipFile(tmp_path / "old.backup", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("manifest.json", json.dumps(manifest))
        packed.writestr("archive.sqlite", record)
    restore_backup(tmp_path / "old.backup", tmp_path / "again")
    with Archive.open(tmp_path / "again", embeddings=EightWords()) as archive:
        assert {article.id for article in archive.articles()} == {FERRY.id, BREAD.id, UNDATED.id}
        assert find_problems(archive) == ()


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    with small_archive(tmp_path / "archive") as archive:
        write_backup(archive.store, tmp_path / "archive.backup")
    return tmp_path / "archive.backup"


def test_backup_and_restore_never_overwrite(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(BackupError, match="there is an archive"):
        restore_backup(backup, tmp_path / "archive")
    with small_archive(tmp_path / "other") as archive, pytest.raises(BackupError, match="already"):
        write_backup(archive.store, backup)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-500])


def _flip_bytes(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + 16):  # of one, zlib may unpack the same
        data[place] ^= 0xFF
    file.write_bytes(data)


def _replace_database(file: Path) -> None:
    with zipfile.ZipFile(file) as packed:
        manifest = json.loads(packed.read("manifest.json"))
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("manifest.json", json.dumps(manifest))
        packed.writestr("archive.sqlite", b"SQLite format 3 or not")


@pytest.mark.parametrize("damage", [_truncate, _flip_bytes, _replace_database])
def test_damaged_backup_is_rejected_and_leaves_nothing(
    tmp_path: Path,
    backup: Path,
    damage: Callable[[Path], None],
) -> None:
    damage(backup)
    with pytest.raises(BackupError, match=r"not a complete backup file|failed its checksum"):
        restore_backup(backup, tmp_path / "again")
    assert not list((tmp_path / "again").glob("archive.sqlite*"))


@pytest.mark.parametrize("lost", ["missing", "empty", "zeroed"])
def test_lost_database_is_reported_and_restored(tmp_path: Path, backup: Path, lost: str) -> None:
    record = tmp_path / "archive" / "archive.sqlite"
    size = record.stat().st_size
    record.unlink()
    if lost != "missing":
        record.write_bytes(bytes(size if lost == "zeroed" else 0))
    for mode in ("read", "write"):
        with pytest.raises(ArchiveDamagedError, match=r"backfile restore"):
            Archive.open(tmp_path / "archive", mode=mode, embeddings=WordEmbeddings())  # type: ignore[arg-type]
    restore_backup(backup, tmp_path / "archive")
    with Archive.open(tmp_path / "archive", embeddings=WordEmbeddings()) as archive:
        assert archive.count().articles == len(ARTICLES)
        assert find_problems(archive) == ()


def test_vectors_of_another_archive_do_not_survive_a_restore(tmp_path: Path, backup: Path) -> None:
    folder = tmp_path / "other"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add(map(numbered_article, range(len(ARTICLES))))
    (folder / "archive.sqlite").unlink()
    restore_backup(backup, folder)
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert find_problems(archive) == ()


def test_commands_report_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_archive(tmp_path / "archive").close()
    named = ["--archive", str(tmp_path / "archive")]
    file = str(tmp_path / "b")
    assert cli.main(["reindex", *named]) == 0
    assert cli.main(["backup", file, *named]) == 0
    shutil.rmtree(tmp_path / "archive")
    assert cli.main(["restore", file, *named]) == 0
    assert cli.main(["restore", file, *named]) == 1
    out, err = capsys.readouterr()
    assert [line.partition(":")[0] for line in out.splitlines()] == [
        "indexes rebuilt",
        "backed up",
        "restored",
    ]
    assert "restore into another folder" in err


@pytest.mark.parametrize("command", [["backup"], ["export"]])
@pytest.mark.parametrize("name", ["nowhere/x.jsonl", "nowhere/x.parquet"])
def test_unwritable_target_is_a_one_line_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], name: str
) -> None:
    small_archive(tmp_path / "archive").close()
    code = cli.main([*command, str(tmp_path / name), "--archive", str(tmp_path / "archive")])
    told = capsys.readouterr().err
    assert (code, told.count("\n")) == (1, 1)
    assert re.search("cannot (be )?writ", told, re.IGNORECASE)
    assert not (tmp_path / "nowhere").exists()


def test_failed_restore_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "no.backup").write_text("not a backup")
    for name in ("no.backup", "missing.backup"):
        with pytest.raises(BackupError):
            restore_backup(tmp_path / name, tmp_path / "new")
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words", [["reindex"], ["withdraw", "x"], ["reinstate", "x"], ["doctor", "--repair"]]
)
def test_maintenance_commands_do_not_create_an_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert cli.main([*words, "--archive", str(tmp_path / "none")]) == 1
    assert "no archive at" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
