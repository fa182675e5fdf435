"""File permissions: an archive is its owner's alone; a deleted or read-only one is reported."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.backup import restore_backup, write_backup
from rag.archive.doctor import find_problems
from rag.errors import ArchiveNotFoundError, ArchiveUnwritableError
from rag.schema import Article, Span
from rag.store.file_permissions import make_private
from tests.faults.mounting import mount_own, set_writable
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, WordEmbeddings, small_archive
from tests.support.processes import Pipe, Process
from tests.support.sessions import run_question
from ui.web.feedback import save_feedback
from ui.web.state import Session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no modes of files")


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """Return the files and folders of an archive, itself included, that others may use."""
    paths = [folder, *folder.rglob("*")]
    return [str(p) for p in paths if stat.S_IMODE(p.lstat().st_mode) & 0o077]


def numbered_article(n: int) -> tuple[Article, list[Span]]:
    text = f"Report {n} of the harbour."
    return Article(id=f"paper.example/{n}", title=f"Report {n}", text=text), [Span(0, len(text))]


@pytest.mark.slow
def test_new_archive_is_private_to_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        assert open_to_others(folder) == []
        archive.add(
            numbered_article(n) for n in range(1_100)
        )  # enough for Chroma to write its files
        archive.add((article, [Span(0, len(article.text))]) for article in ARTICLES)
        assert open_to_others(folder) == []
        archive.erase([HARBOUR.id])
        archive.reembed(WordEmbeddings())
        assert open_to_others(folder) == []
    save_feedback(folder, {"thumb": "up"})
    assert open_to_others(folder) == []
    assert stat.S_IMODE((folder / "archive.sqlite").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "lexical").stat().st_mode) == 0o700


def test_reader_that_catches_up_creates_private_files(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    small_archive(folder).close()
    shutil.rmtree(folder / "lexical")
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert archive.search("ferries", 1, mode="bm25")
    assert (folder / "lexical").is_dir()
    assert open_to_others(folder) == []


def test_older_archive_becomes_private_when_opened_for_writing(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    small_archive(folder).close()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    mine = folder / "script.sh"
    mine.touch(0o755)
    Archive.open(folder, mode="write", embeddings=WordEmbeddings()).close()
    assert open_to_others(folder) == [str(mine)]  # not the archive's


def test_shared_folder_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    (folder / "archive.sqlite").touch(0o644)
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert stat.S_IMODE((folder / "archive.sqlite").stat().st_mode) == 0o600


def test_backup_and_restored_archive_are_private(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        write_backup(archive.store, tmp_path / "b")
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    restore_backup(tmp_path / "b", tmp_path / "again")
    assert open_to_others(tmp_path / "again") == []


def search_in_thread(archive: Archive) -> str:
    """Search in a thread of its own, as the page does, and return the error."""
    said: list[str] = []

    def search() -> None:
        try:
            archive.search("harbour bridge")
        except ArchiveNotFoundError as error:
            said.append(str(error))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    return "".join(said)


@pytest.mark.parametrize("left", ["nothing", "the folder", "another archive"])
def test_archive_deleted_while_open_is_reported(tmp_path: Path, left: str) -> None:
    folder = tmp_path / "archive"
    archive = small_archive(folder)
    assert archive.search("harbour bridge")
    folder.rename(tmp_path / "aside")
    if left == "the folder":
        folder.mkdir()
    elif left == "another archive":
        small_archive(folder, [ORCHARD]).close()
    before = sorted(folder.rglob("*"))
    gone = f"the archive at {folder} is gone: it was moved, deleted or replaced"
    with pytest.raises(ArchiveNotFoundError, match="is gone"):
        archive.search("harbour bridge")
    with pytest.raises(ArchiveNotFoundError, match="is gone"):
        archive.article(HARBOUR.id)
    assert search_in_thread(archive).startswith(gone)
    assert sorted(folder.rglob("*")) == before  # nothing is made in its place
    shutil.rmtree(folder, ignore_errors=True)
    (tmp_path / "aside").rename(folder)
    assert archive.search("harbour bridge")  # put back, it answers
    archive.close()
    with Archive.open(folder, embeddings=WordEmbeddings()) as again:
        assert find_problems(again) == ()


def test_page_reports_a_deleted_archive(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with small_archive(folder) as archive:
        shutil.rmtree(folder)
        turn = run_question(archive, Session(), "Is the harbour bridge closed?")[-1].turns[-1]
        assert turn.progress == "done"
        assert turn.answer.refused
        assert turn.answer.refusal is not None
        message = str(turn.answer.refusal["message"])
        assert "is gone: it was moved, deleted or replaced" in message


def test_read_only_mount_is_reported(tmp_path: Path) -> None:
    ours, theirs = Pipe()
    process = Process(target=_read_only, args=(tmp_path / "mounted", theirs))
    process.start()
    theirs.close()
    said = ours.recv()
    process.join()
    if isinstance(said, str):
        pytest.skip(said)
    reading, writing, making = said
    assert "cannot be opened (it is on a read-only file system): reading it creates" in reading
    assert "cannot be written to (it is on a read-only file system)" in writing
    assert "cannot be written to (it is on a read-only file system)" in making


def _read_only(mounted: Path, end: Connection) -> None:
    if why_not := mount_own(mounted, 32 << 20):
        end.send(why_not)
        return
    small_archive(mounted / "archive").close()
    set_writable(mounted, whether=False)
    said = []
    for folder, mode in (("archive", "read"), ("archive", "write"), ("new", "write")):
        try:
            with Archive.open(mounted / folder, mode=mode, embeddings=WordEmbeddings()) as archive:  # type: ignore[arg-type]
                archive.search("harbour bridge")
            said.append("no error")
        except ArchiveUnwritableError as error:
            said.append(str(error))
        except Exception as error:
            said.append(f"not one line of its own: {error!r}")
    end.send(said)
