"""Forged backups: each is rejected in one line and leaves nothing on the disk."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag.archive.archive import Archive
from rag.archive.backup import restore_backup, write_backup
from rag.archive.doctor import find_problems
from rag.errors import BackupError
from tests.support.fakes import ARTICLES, WordEmbeddings, small_archive
from ui import cli

pytestmark = pytest.mark.slow

RECORD, MANIFEST = "archive.sqlite", "manifest.json"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def genuine_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("genuine")
    with small_archive(folder / "archive") as archive:
        write_backup(archive.store, folder / "archive.backup")
    return folder / "archive.backup"


def unpack(backup: Path) -> tuple[dict[str, Any], bytes]:
    with zipfile.ZipFile(backup) as packed:
        return json.loads(packed.read(MANIFEST)), packed.read(RECORD)


def pack(file: Path, manifest: bytes | dict[str, Any], record: bytes) -> Path:
    """Write a backup; a manifest given as values is made to fit the database."""
    if isinstance(manifest, dict):
        sealed = {"bytes": len(record), "sha256": hashlib.sha256(record).hexdigest()}
        manifest = json.dumps(sealed | manifest).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as into:
        into.writestr(MANIFEST, manifest)
        into.writestr(RECORD, record)
    return file


def tamper(genuine: Path, folder: Path, *statements: str) -> Path:
    """Return a backup whose database was changed by these statements, with a fitting manifest."""
    manifest, record = unpack(genuine)
    file = folder / "tampered.sqlite"
    file.write_bytes(record)
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    rest = {key: value for key, value in manifest.items() if key not in ("bytes", "sha256")}
    return pack(folder / "tampered.backup", rest, file.read_bytes())


def rejection(backup: Path, folder: Path) -> str:
    """Return why a backup is rejected, and assert that it leaves nothing.

    Its own lock stays in a folder that existed.
    """
    with pytest.raises(BackupError) as error:
        restore_backup(backup, folder / "new")
    assert not (folder / "new").exists()
    there = folder / "there"
    there.mkdir()
    (there / "notes.txt").write_text("mine")
    with pytest.raises(BackupError):
        restore_backup(backup, there)
    assert {path.name for path in there.iterdir()} <= {"notes.txt", "writer.lock", "writer.json"}
    assert "\n" not in str(error.value)
    return str(error.value)


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_genuine_repacked_backup_is_restored(tmp_path: Path, genuine_backup: Path) -> None:
    restore_backup(tamper(genuine_backup, tmp_path), tmp_path / "new")
    with Archive.open(tmp_path / "new", embeddings=WordEmbeddings()) as archive:
        assert archive.count().articles == len(ARTICLES)
        assert find_problems(archive) == ()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "CREATE TRIGGER wipe AFTER INSERT ON revisions BEGIN DELETE FROM passages; END",
            "trigger 'wipe'",
        ),
        ("CREATE VIEW recent AS SELECT * FROM revisions", "view 'recent'"),
        ("CREATE TABLE extra (a TEXT)", "table 'extra'"),
        ("CREATE VIRTUAL TABLE words USING fts5(a)", "table 'words'"),
        ("CREATE INDEX extra ON revisions (title COLLATE nocase)", "index 'extra'"),
        ("ALTER TABLE meta ADD COLUMN twice TEXT AS (value || value)", "table 'meta'"),
    ],
)
def test_backup_with_unknown_schema_object_is_rejected(
    tmp_path: Path, genuine_backup: Path, statement: str, what: str
) -> None:
    said = rejection(tamper(genuine_backup, tmp_path, statement), tmp_path)
    assert (
        f"it contains the {what}, which no version of Backfile creates; use another backup" in said
    )


@pytest.mark.parametrize("statement", ["DROP TABLE notices", "DROP INDEX revisions_since"])
def test_backup_that_lacks_schema_objects_is_rejected(
    tmp_path: Path, genuine_backup: Path, statement: str
) -> None:
    assert "it lacks the" in rejection(tamper(genuine_backup, tmp_path, statement), tmp_path)


def test_backup_of_another_database_is_rejected(tmp_path: Path, genuine_backup: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT)")
    manifest, _ = unpack(genuine_backup)
    rest = {key: value for key, value in manifest.items() if key not in ("bytes", "sha256")}
    backup = pack(tmp_path / "b", rest, (tmp_path / "shop.sqlite").read_bytes())
    assert "its database is not Backfile" in rejection(backup, tmp_path)


@pytest.mark.parametrize(
    ("pragma", "said"),
    [
        ("user_version = 999", "it was made by a newer version of Backfile (schema 999): upgrade"),
        ("user_version = 1", "which no version of Backfile creates"),
        ("user_version = 0", "database is not Backfile"),
        ("user_version = -3", "database is not Backfile"),
        ("application_id = 1196444487", "database is not Backfile"),
    ],
)
def test_backup_with_wrong_schema_version_is_rejected(
    tmp_path: Path, genuine_backup: Path, pragma: str, said: str
) -> None:
    assert said in rejection(tamper(genuine_backup, tmp_path, f"PRAGMA {pragma}"), tmp_path)


@pytest.mark.parametrize(
    "lie", [{"articles": 82}, {"passages": 0}, {"sequence": 9}, {"embedding_model": "other"}]
)
def test_backup_whose_manifest_lies_is_rejected(
    tmp_path: Path, genuine_backup: Path, lie: dict[str, Any]
) -> None:
    manifest, record = unpack(genuine_backup)
    assert "but its manifest says" in rejection(
        pack(tmp_path / "b", manifest | lie, record), tmp_path
    )


@pytest.mark.parametrize("said", [100 * MEGABYTE, 3 << 30])
def test_bomb_announced_in_manifest_is_not_unpacked(
    tmp_path: Path, genuine_backup: Path, said: int
) -> None:
    manifest, _ = unpack(genuine_backup)
    backup = pack(tmp_path / "b", manifest | {"bytes": said}, bytes(100 * MEGABYTE))
    with limit_file_size(MEGABYTE):
        assert "too much for a backup of its size" in rejection(backup, tmp_path)


def test_bomb_hidden_by_manifest_is_cut_off(tmp_path: Path, genuine_backup: Path) -> None:
    manifest, record = unpack(genuine_backup)
    backup = pack(tmp_path / "b", manifest, record + bytes(100 * MEGABYTE))
    with limit_file_size(MEGABYTE):
        assert "failed its checksum" in rejection(backup, tmp_path)


def test_bomb_with_forged_size_is_not_unpacked(tmp_path: Path, genuine_backup: Path) -> None:
    manifest, _ = unpack(genuine_backup)
    size = 100 * MEGABYTE
    backup = pack(tmp_path / "b", manifest | {"bytes": size}, bytes(size))
    data = bytearray(backup.read_bytes())
    entry = data.rindex(b"PK\x01\x02")  # the database's, in the central directory
    data[entry + 20 : entry + 24] = size.to_bytes(4, "little")
    backup.write_bytes(data)
    with limit_file_size(MEGABYTE):
        assert "too much for a backup of its size" in rejection(backup, tmp_path)


@pytest.mark.parametrize(
    "manifest",
    [
        b"[" * 60_000,
        b'{"format":' * 6_000,
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
    ],
    ids=["deep", "deep objects", "list", "null", "empty", "no text"],
)
def test_invalid_manifest_is_rejected(
    tmp_path: Path, genuine_backup: Path, manifest: bytes
) -> None:
    said = rejection(pack(tmp_path / "b", manifest, unpack(genuine_backup)[1]), tmp_path)
    assert "is not a complete backup file" in said


def test_huge_manifest_is_rejected(tmp_path: Path, genuine_backup: Path) -> None:
    manifest = b'{"made": "' + b"9" * (200 * MEGABYTE) + b'"}'
    said = rejection(pack(tmp_path / "b", manifest, unpack(genuine_backup)[1]), tmp_path)
    assert "is not a complete backup file" in said


@pytest.mark.parametrize(
    "value",
    [
        {"bytes": -1},
        {"bytes": "131072"},
        {"articles": 1e9},
        {"articles": True},
        {"sequence": 10**40},
        {"made": "\x1b[2Jnow"},
        {"embedding_model": ["words"]},
        {"sha256": "0" * 63},
    ],
)
def test_manifest_with_wrong_types_is_rejected(
    tmp_path: Path, genuine_backup: Path, value: dict[str, Any]
) -> None:
    manifest, record = unpack(genuine_backup)
    said = rejection(pack(tmp_path / "b", manifest | value, record), tmp_path)
    assert "is not a complete backup file" in said
    assert "\x1b" not in said


def test_zip_with_too_many_members_is_rejected(tmp_path: Path, genuine_backup: Path) -> None:
    manifest, record = unpack(genuine_backup)
    backup = pack(tmp_path / "b", manifest, record)
    with zipfile.ZipFile(backup, "a") as into:
        for n in range(20_000):
            into.writestr(f"{n:0100}", b"")
    assert "its directory is too long" in rejection(backup, tmp_path)


def test_member_with_other_compression_is_rejected(tmp_path: Path, genuine_backup: Path) -> None:
    manifest, record = unpack(genuine_backup)
    with zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_LZMA) as into:
        into.writestr(MANIFEST, json.dumps(manifest))
        into.writestr(RECORD, record)
    assert "its compression method is not Backfile" in rejection(tmp_path / "b", tmp_path)


def test_encrypted_member_is_rejected(tmp_path: Path, genuine_backup: Path) -> None:
    data = bytearray(genuine_backup.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark)
        data[at + flags] |= 1  # as if a password were needed
    (tmp_path / "b").write_bytes(data)
    assert "is not a complete backup file" in rejection(tmp_path / "b", tmp_path)


def test_damaged_pages_with_valid_checksum_are_rejected(
    tmp_path: Path, genuine_backup: Path
) -> None:
    manifest, record = unpack(genuine_backup)
    page = record.index(b"harbour bridge") // 4096 * 4096
    damaged = record[:page] + b"\xee" * 4096 + record[page + 4096 :]
    rest = {key: value for key, value in manifest.items() if key not in ("bytes", "sha256")}
    said = rejection(pack(tmp_path / "b", rest, damaged), tmp_path)
    assert "cannot be restored: its pages are damaged" in said or "cannot be read" in said


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revisions SET title = x'ff00' WHERE id = 1",
        "UPDATE revisions SET since = 'first' WHERE id = 1",
        "UPDATE texts SET text = cast(x'fffe' AS TEXT) WHERE revision_id = 1",
        "UPDATE revisions SET authors = 'Noor Haan' WHERE id = 1",
        "UPDATE revisions SET authors = '[1, 2]' WHERE id = 1",
        pytest.param(f"UPDATE revisions SET authors = '{DEEP}' WHERE id = 1", id="deep"),
        "UPDATE changes SET at = 'yesterday'",
        "UPDATE changes SET at = '2024-10-24'",
        "UPDATE changes SET at = '9999-12-31T23:59:59-12:00'",
        "UPDATE changes SET at = '0001-01-01T00:00:00+14:00'",
        "UPDATE passages SET number = 9223372036854775807 WHERE number = 4",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807",
        "UPDATE vectors SET vector = x'0000' WHERE number = 1",
        "UPDATE vectors SET vector = x'000000'",
        f"UPDATE vectors SET vector = x'{'0000c07f' * 256}' WHERE number = 1",
        "INSERT INTO meta VALUES ('vectors_generation', 'many')",
        "INSERT INTO runs VALUES (1, '2024-10-24T00:00:00+00:00', NULL, 'none')",
    ],
)
def test_values_that_would_break_commands_are_rejected(
    tmp_path: Path, genuine_backup: Path, statement: str
) -> None:
    assert "cannot be restored: " in rejection(
        tamper(genuine_backup, tmp_path, statement), tmp_path
    )


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER UPDATE ON searches BEGIN DELETE FROM entries; END",
        "UPDATE dossiers SET name = char(27) || '[2J'",
        'UPDATE searches SET filters = \'{"access": ["premium"]}\'',
    ],
)
def test_backup_with_forged_saved_items_is_rejected(tmp_path: Path, statement: str) -> None:
    with small_archive(tmp_path / "archive") as archive:
        archive.saved.searches.add("Ferries", "ferry")
        archive.saved.dossiers.create("Bridge")
        write_backup(archive.store, tmp_path / "genuine.backup")
    manifest, record = unpack(tmp_path / "genuine.backup")
    with zipfile.ZipFile(tmp_path / "genuine.backup") as packed:
        saved = Path(packed.extract("saved.sqlite3", tmp_path))
    with closing(sqlite3.connect(saved)) as file, file:
        file.execute(statement)
    forged = saved.read_bytes()
    sealed = {"saved_bytes": len(forged), "saved_sha256": hashlib.sha256(forged).hexdigest()}
    backup = pack(tmp_path / "forged.backup", manifest | sealed, record)
    with zipfile.ZipFile(backup, "a") as into:
        into.writestr("saved.sqlite3", forged)
    assert "cannot be restored" in rejection(backup, tmp_path)


def test_backup_of_forged_saved_items_is_not_written(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        archive.saved.searches.add("Ferries", "ferry")
        with closing(sqlite3.connect(tmp_path / "archive" / "saved.sqlite3")) as file, file:
            file.execute("CREATE TRIGGER t AFTER UPDATE ON searches BEGIN DELETE FROM entries; END")
        with pytest.raises(BackupError, match=r"contains the trigger 't'.*move this file away"):
            write_backup(archive.store, tmp_path / "new.backup")
    assert {path.name for path in tmp_path.iterdir()} == {"archive"}


def test_backup_without_its_saved_items_is_rejected(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        archive.saved.dossiers.create("Bridge")
        write_backup(archive.store, tmp_path / "genuine.backup")
    manifest, record = unpack(tmp_path / "genuine.backup")
    for name, forged in (("bomb", {"saved_bytes": 1 << 40}), ("lost", {})):
        backup = pack(tmp_path / f"{name}.backup", manifest | forged, record)
        folder = tmp_path / name
        folder.mkdir()
        assert "not a complete backup" in rejection(backup, folder)


def test_backup_leaves_out_foreign_tables(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        with closing(sqlite3.connect(tmp_path / "archive" / RECORD)) as connection, connection:
            for statement in (
                "CREATE VIEW recent AS SELECT * FROM revisions",
                "CREATE TRIGGER wipe AFTER INSERT ON texts BEGIN DELETE FROM passages; END",
                "CREATE INDEX by_title ON revisions (title)",
                "CREATE VIRTUAL TABLE words USING fts5(a)",
            ):
                connection.execute(statement)
        write_backup(archive.store, tmp_path / "b")
    restore_backup(tmp_path / "b", tmp_path / "new")
    with Archive.open(tmp_path / "new", embeddings=WordEmbeddings()) as archive:
        assert archive.count().articles == len(ARTICLES)
        assert find_problems(archive) == ()


def test_backup_that_could_not_be_restored_is_not_written(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        with closing(sqlite3.connect(tmp_path / "archive" / RECORD)) as connection, connection:
            connection.execute("ALTER TABLE meta ADD COLUMN twice TEXT")
        with pytest.raises(BackupError, match="was not made: it contains the table 'meta'"):
            write_backup(archive.store, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_rejected_backup_leaves_existing_archive_alone(
    tmp_path: Path, genuine_backup: Path
) -> None:
    small_archive(tmp_path / "archive").close()
    before = (tmp_path / "archive" / RECORD).read_bytes()
    trigger = "CREATE TRIGGER wipe AFTER INSERT ON revisions BEGIN DELETE FROM passages; END"
    with pytest.raises(BackupError, match="there is an archive"):
        restore_backup(tamper(genuine_backup, tmp_path, trigger), tmp_path / "archive")
    assert (tmp_path / "archive" / RECORD).read_bytes() == before


def test_rejected_backup_keeps_indexes_of_a_lost_database(
    tmp_path: Path, genuine_backup: Path
) -> None:
    small_archive(tmp_path / "archive").close()
    (tmp_path / "archive" / RECORD).unlink()
    held = {path.name for path in (tmp_path / "archive").iterdir()}
    with pytest.raises(BackupError):
        restore_backup(
            tamper(genuine_backup, tmp_path, "CREATE VIEW recent AS SELECT 1"), tmp_path / "archive"
        )
    assert {path.name for path in (tmp_path / "archive").iterdir()} == held


def test_restore_command_reports_in_one_line(
    tmp_path: Path, genuine_backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tamper(genuine_backup, tmp_path, 'CREATE VIEW "\x1b[31m\nred" AS SELECT 1')
    assert cli.main(["restore", str(backup), "--archive", str(tmp_path / "new")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\x1b" not in said
    assert not (tmp_path / "new").exists()
