"""An archive moves from its folder to a record, and back, with all of its numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.backup import restore_backup, write_backup
from rag.archive.doctor import find_problems
from rag.archive.moving import detach_folder, push_archive
from rag.errors import InvalidValueError, SettingsError
from rag.schema import Article
from rag.settings import Settings
from tests.archive.test_archive import make_article
from tests.conformance.conftest import Place
from tests.support.commands import run
from ui.side_databases import SIDES

pytestmark = pytest.mark.slow


def contents(archive: Archive) -> dict[str, list[tuple[object, ...]]]:
    tables = ("changes", "revisions", "texts", "passages", "vectors", "mentions", "withdrawals")
    connection = archive.indexes.store.database.connection
    return {table: sorted(connection.execute(f"SELECT * FROM {table}")) for table in tables}


def fill(archive: Archive) -> None:
    archive.add([make_article(n) for n in range(6)])
    archive.add(make_article(1, "The bridge has gone."))
    archive.delete("paper.example/2")
    archive.withdraw("paper.example/3", reason="asked for")
    archive.erase("paper.example/5")


def test_push_and_detach(
    servers: Callable[[str], Place], tmp_path: Path, shared_record: str
) -> None:
    own, shared = Place(tmp_path / "own", Settings()), Settings(record=shared_record)
    with own.open() as archive:
        fill(archive)
        before = contents(archive)
        last = archive.store.passages.numbers_added_since(0).max()
    assert push_archive(own.folder, shared, SIDES).articles == 3
    with pytest.raises(SettingsError, match="copy of a shared record"):
        own.open()
    with Place(own.folder, shared).open() as writer:
        assert contents(writer) == before
        assert not find_problems(writer)
        assert writer.add(make_article(7)).new == 1
        assert writer.store.passages.numbers_added_since(0).max() > last
        assert writer.version == len(before["changes"]) + 1
        assert not find_problems(writer)
    with servers("other").open("read") as reader:
        assert reader.count().articles == 4
        after = contents(reader)
        write_backup(reader.indexes.store, tmp_path / "backup")
    restore_backup(tmp_path / "backup", tmp_path / "restored")
    detach_folder(own.folder, shared, SIDES)
    for place in (own, Place(tmp_path / "restored", Settings())):
        with place.open() as archive:
            assert contents(archive) == after
            assert archive.add(make_article(8)).new == 1
            assert not find_problems(archive)
    with pytest.raises(SettingsError, match="follows no record"):
        detach_folder(own.folder, shared, SIDES)


def test_push_needs_an_empty_record(
    servers: Callable[[str], Place], tmp_path: Path, shared_record: str
) -> None:
    own, shared = Place(tmp_path / "own", Settings()), Settings(record=shared_record)
    with own.open() as archive:
        archive.add(make_article(1))
    with servers("a").open() as writer:
        writer.add(make_article(2))
    with pytest.raises(SettingsError, match="isn't empty"):
        push_archive(own.folder, shared, SIDES)
    with pytest.raises(SettingsError, match="BACKFILE_RECORD"):
        push_archive(own.folder, replace(shared, record=""), SIDES)
    with own.open() as archive:
        assert archive.add(make_article(3)).new == 1


def test_push_refuses_what_a_record_cannot_store(tmp_path: Path, shared_record: str) -> None:
    own = Place(tmp_path / "own", Settings())
    with own.open() as archive:
        archive.add([make_article(1), Article(id="nul", title="T", text="Zero\0 bridge.")])
    with pytest.raises(InvalidValueError, match=r"U\+0000"):
        push_archive(own.folder, Settings(record=shared_record), SIDES)
    with own.open() as archive:
        archive.erase("nul")
    assert push_archive(own.folder, Settings(record=shared_record), SIDES).articles == 1


def test_commands(tmp_path: Path, shared_record: str) -> None:
    folder = tmp_path / "own"
    Archive.open(folder, mode="write", settings=Settings()).close()
    pushed = run("record", "push", "--archive", folder, "--json", BACKFILE_RECORD=shared_record)
    assert json.loads(pushed.stdout) == {"articles": 0, "passages": 0}
    assert run("status", "--archive", folder, BACKFILE_RECORD=shared_record).code == 0
    assert "detached" in run("record", "detach", "--alone", "--archive", folder).stdout
    refused = run("record", "push", "--archive", folder)
    assert (refused.code, "BACKFILE_RECORD" in refused.stderr) == (1, True)
