"""Doctor: a sound archive has no problem, and each fault is named and repaired."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems, repair_archive
from rag.errors import ArchiveDamagedError
from rag.index.chroma_files import ChromaFiles
from rag.index.tantivy_index import TantivyIndex
from rag.schema import Span
from rag.store.lock import writer_lock
from tests.support.commands import Result, run
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, WordEmbeddings, small_archive

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_archive(tmp_path / "archive").close()
    return tmp_path / "archive"


def list_problems(folder: Path) -> list[str]:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        return [f"{problem.place}: {problem.description}" for problem in find_problems(archive)]


def repair(folder: Path) -> list[str]:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        return list(map(str, repair_archive(archive)))


def execute_sql(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "archive.sqlite")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_doctor_finds_no_problem_in_a_sound_archive(folder: Path) -> None:
    assert list_problems(folder) == []


def test_doctor_finds_no_problem_after_many_changes(folder: Path) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        for n in range(5):
            changed = replace(HARBOUR, text=f"Version {n}. " + HARBOUR.text)
            archive.add([(changed, [Span(0, 11), Span(5, len(changed.text))])])
        archive.delete([ORCHARD.id])
        assert find_problems(archive) == ()
    assert list_problems(folder) == []


def _remove_words(folder: Path) -> None:
    index = TantivyIndex(folder)
    index.write([], [2], index.reached)
    index.close()


def _add_foreign_words(folder: Path) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        live = archive.store.passages.live([1, 2])
    index = TantivyIndex(folder)
    index.write([[live[1], replace(live[2], number=99)]], [], index.reached)
    index.close()


def _remove_article(folder: Path) -> None:
    index = TantivyIndex(folder, "articles")
    index.write([], [2], index.reached)
    index.close()


def _repeat_article(folder: Path) -> None:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        live = archive.store.passages.live([1])[1]
    index = TantivyIndex(folder, "articles")
    index.write([[live]], [], index.reached)
    index.close()


def _remove_vector(folder: Path) -> None:
    _edit_vectors(folder, lambda index: index.remove([3]))


def _add_foreign_vector(folder: Path) -> None:
    _edit_vectors(folder, lambda index: index.add([99], np.eye(1, 256, dtype=np.float32)))


def _change_vector(folder: Path) -> None:
    _edit_vectors(folder, lambda index: index.add([2], np.eye(1, 256, dtype=np.float32)))


def _edit_vectors(folder: Path, change: Callable[[ChromaFiles], None]) -> None:
    index = ChromaFiles(folder)
    change(index)
    index.close()


@pytest.mark.parametrize(
    ("breaking", "said"),
    [
        (_remove_words, ["text index (BM25): 1 passage missing from it (the first: 2)"]),
        (
            _add_foreign_words,
            [
                "text index (BM25): 1 passage in it that the database does not have "
                "(the first: 99)",
                "text index (BM25): 1 passage in it more than once (the first: 1)",
            ],
        ),
        (_remove_article, ["article index: 1 article missing from it (the first: 2)"]),
        (
            _repeat_article,
            ["article index: 1 article in it more than once (the first: 1)"],
        ),
        (_remove_vector, ["vector index: 1 passage missing from it (the first: 3)"]),
        (
            _add_foreign_vector,
            ["vector index: 1 passage in it that the database does not have (the first: 99)"],
        ),
        (
            _change_vector,
            ["vector index: 1 vector different from the database (the first: 2)"],
        ),
    ],
)
def test_doctor_names_and_repairs_inconsistent_index(
    folder: Path, breaking: Callable[[Path], None], said: list[str]
) -> None:
    breaking(folder)
    assert list_problems(folder) == said
    assert repair(folder) == []
    assert list_problems(folder) == []


def test_unreadable_article_index_is_rebuilt_once_no_one_writes(folder: Path) -> None:
    (folder / "lexical-articles" / "meta.json").write_text("{")
    lock = writer_lock(folder)
    with pytest.raises(ArchiveDamagedError, match=r"the text index of .* cannot be read"):
        list_problems(folder)
    lock.release()
    assert list_problems(folder) == []


@pytest.mark.parametrize(
    ("name", "place"),
    [("lexical", "text index (BM25)"), ("lexical-articles", "article index")],
)
def test_doctor_names_and_repairs_damaged_word_index(folder: Path, name: str, place: str) -> None:
    (file,) = (folder / name).glob("*.idx")
    data = bytearray(file.read_bytes())
    data[20] ^= 0xFF
    file.write_bytes(data)
    assert list_problems(folder)[0] == f"{place}: its file {file.name} is damaged"
    assert repair(folder) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("INSERT INTO texts VALUES (77, 'lost')", "1 text without an article"),
        ("INSERT INTO bylines VALUES (77, 'Nobody')", "1 author without an article"),
        ("INSERT INTO vectors VALUES (77, x'00')", "1 vector without a passage"),
        ("INSERT INTO bands VALUES (5, 77)", "1 band without a signature"),
        ("INSERT INTO copies VALUES ('nobody', 'x')", "1 reprint that is not here"),
        ("CREATE VIEW recent AS SELECT * FROM revisions", "the view 'recent' is not Backfile's"),
        ("DELETE FROM vectors WHERE number = 2", "1 passage without a vector (the first: 2)"),
        (
            "UPDATE vectors SET vector = x'0000c07f' WHERE number = 2",
            "1 vector of another length (the first: 2)",
        ),
        (
            "UPDATE vectors SET vector = zeroblob(1024) WHERE number = 2",
            "1 vector not finite or not of length one (the first: 2)",
        ),
        (
            "UPDATE passages SET digest = x'00' WHERE number = 2",
            "1 passage with a vector of other words (the first: 2)",
        ),
    ],
)
def test_doctor_repairs_surplus_and_missing_rows(folder: Path, statement: str, said: str) -> None:
    execute_sql(folder, statement)
    assert f"store: {said}" in list_problems(folder)
    assert repair(folder) == []
    assert list_problems(folder) == []


def test_trigger_is_rejected_by_writer_and_dropped_by_repair(folder: Path) -> None:
    execute_sql(folder, "CREATE TRIGGER wipe AFTER INSERT ON texts BEGIN DELETE FROM passages; END")
    assert list_problems(folder) == ["store: the trigger 'wipe' is not Backfile's"]
    with pytest.raises(ArchiveDamagedError, match=r"trigger 'wipe'.*backfile doctor --repair"):
        Archive.open(folder, mode="write", embeddings=WordEmbeddings())
    done = doctor(folder, "--repair")
    assert done.code == 0, done.stderr
    assert list_problems(folder) == []
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        changed = replace(HARBOUR, text=HARBOUR.text + " It rained.")
        archive.add([(changed, [Span(0, len(changed.text))])])
        assert archive.count().passages == len(ARTICLES)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM texts WHERE revision_id = 2", "1 revision without a text"),
        (
            "UPDATE texts SET text = 'Lies.' WHERE revision_id = 2",
            "1 revision altered since it was put",
        ),
        ('UPDATE passages SET "end" = 9999 WHERE number = 2', "1 passage out of place in the text"),
        ("UPDATE changes SET sequence = 5", "4 changes missing from the sequence"),
        ("UPDATE revisions SET until = 1 WHERE id = 2", "1 revision ended before its beginning"),
    ],
)
def test_doctor_says_how_to_restore_lost_rows(folder: Path, statement: str, said: str) -> None:
    execute_sql(folder, statement)
    left = repair(folder)
    assert any(line.startswith(f"store: {said}") for line in left)
    assert all("backfile restore" in line for line in left if line.startswith(f"store: {said}"))


def test_doctor_reports_overwritten_page(folder: Path) -> None:
    file = folder / "archive.sqlite"
    data = bytearray(file.read_bytes())
    data[4096 * 10 : 4096 * 12] = b"\xee" * 8192
    file.write_bytes(data)
    assert any("the file is damaged" in line for line in list_problems(folder))


def test_doctor_runs_beside_a_writer(folder: Path) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        reader = Archive.open(folder, embeddings=WordEmbeddings())
        writer.delete([HARBOUR.id])
        assert find_problems(reader) == ()
        reader.close()


def doctor(folder: Path, *words: str) -> Result:
    return run("doctor", "--archive", folder, *words, BACKFILE_EMBEDDING_MODEL="words")


def test_doctor_command_says_what_is_wrong_and_what_to_run(folder: Path) -> None:
    _remove_vector(folder)
    done = doctor(folder)
    assert (done.code, done.stdout) == (
        1,
        "vector index: 1 passage missing from it (the first: 3): run `backfile doctor --repair`\n",
    )
    done = doctor(folder, "--repair")
    assert done.code == 0, done.stderr
    assert "repaired: vector index" in done.stdout
    assert f"no problems: {len(ARTICLES)} articles" in done.stdout
    value = json.loads(doctor(folder, "--json").stdout)
    assert (value["sound"], value["problems"]) == (True, [])


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BACKFILE_")]:
        monkeypatch.delenv(name)
