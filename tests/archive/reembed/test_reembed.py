"""Reembedding: the old model answers until the new one is complete."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from ingest.fetch.client import Client, Limits
from ingest.readers import ReaderOptions
from rag.archive.archive import Archive
from rag.archive.backup import restore_backup, write_backup
from rag.archive.doctor import find_problems, repair_archive
from rag.errors import EmbeddingMismatchError, ModelError
from rag.schema import Article, Span
from rag.settings import Settings
from rag.store.staged_vectors import StagedVectors
from tests.archive.reembed.bridges import (
    ARTICLES,
    WORDS,
    StoppedError,
    finds_article,
    make_article,
    query_for,
    read_model_and_generation,
    search_nearest,
    settings_for,
    stop,
)
from tests.support.fakes import WordEmbeddings, as_json
from tests.support.small_models import make_model
from ui import cli
from ui.cli.ingest_session import IngestSession

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mode", ["read", "write"])
def test_reembed_switches_once_every_passage_has_a_vector(
    folder: Path, models: tuple[str, str], mode: str
) -> None:
    told: list[tuple[int, int]] = []
    with Archive.open(folder, mode=mode, settings=Settings()) as archive:  # type: ignore[arg-type]
        before = archive.version
        done = archive.reembed(
            models[1], on_progress=lambda made, total: told.append((made, total))
        )
        assert (done.model, done.passages, done.made) == (models[1], ARTICLES, ARTICLES)
        assert told == [(512, ARTICLES), (ARTICLES, ARTICLES)]
        assert search_nearest(archive, 5)[1] > 0.999
        assert archive.version == before + 1
        assert find_problems(archive) == ()
    assert read_model_and_generation(folder) == (models[1], 1)
    assert finds_article(folder)
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.add([make_article(3, 2)])
        assert search_nearest(archive, 3, 2)[1] > 0.999
        assert find_problems(archive) == ()
    assert [path.name for path in sorted(folder.glob("vectors*/"))] == ["vectors-1"]


def test_old_model_is_rejected_with_a_fix_after_reembed(
    folder: Path, models: tuple[str, str]
) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1])
    with pytest.raises(EmbeddingMismatchError, match=f"BACKFILE_EMBEDDING_MODEL={models[1]}"):
        Archive.open(folder, settings=settings_for(models[0]))
    with pytest.raises(EmbeddingMismatchError, match=f"backfile reembed --model {models[0]}"):
        Archive.open(folder, settings=settings_for(models[0]))


def test_interrupted_reembed_is_harmless_and_resumes(folder: Path, models: tuple[str, str]) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(models[1], on_progress=stop)
        begun = archive.status().reembedding
        assert begun is not None
        assert (begun.model, begun.done, begun.of) == (models[1], 512, ARTICLES)
        assert search_nearest(archive, 5)[1] > 0.999
        assert find_problems(archive) == ()
        assert archive.reembed(models[1]).made == ARTICLES - 512
        assert archive.status().reembedding is None
    assert finds_article(folder)


def test_reembed_discards_vectors_of_a_third_model(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    third = make_model(tmp_path / "third", WORDS.split(), dimensions=40)
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(third, on_progress=stop)
        assert archive.reembed(models[1]).made == ARTICLES
        assert search_nearest(archive, 5)[1] > 0.999


def test_reembed_counts_truncated_passages(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = make_model(tmp_path / "short", WORDS.split(), max_tokens=10)
    longer = make_article(8)[0].text * 3
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.delete(f"paper.example/{n}" for n in range(10, ARTICLES))
        archive.add([(Article(id="long", title="", text=longer), [Span(0, len(longer))])])
    with Archive.open(folder, settings=Settings()) as archive:
        of_all = archive.reembed(short)
        assert (of_all.made, of_all.cut) == (ARTICLES + 1, ARTICLES + 1)
        wide = make_model(tmp_path / "wide", WORDS.split(), max_tokens=20)
        assert archive.reembed(wide).cut == 1
    name = make_model(tmp_path / "wide again", WORDS.split(), max_tokens=20)
    assert cli.main(["reembed", "--model", name, "--archive", str(folder)]) == 0
    assert "Truncated at the model's input limit: 1 of " in capsys.readouterr().err


def test_reembed_can_be_cancelled(folder: Path, models: tuple[str, str]) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(models[1], on_progress=stop)
        assert archive.cancel_reembed() == 512
        assert archive.status().reembedding is None
        assert find_problems(archive) == ()
    assert read_model_and_generation(folder) == (models[0], 0)


def test_articles_added_during_reembed_are_found(folder: Path, models: tuple[str, str]) -> None:
    def put(made: int, of: int) -> None:
        if made == of:  # the lock is held by then
            return
        with Archive.open(folder, mode="write", settings=Settings(), wait=5) as writer:
            writer.add([make_article(1000), make_article(3, 2)])
            writer.delete(["paper.example/4"])
            assert search_nearest(writer, 1000)[1] > 0.999  # by the old model

    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1], on_progress=put)
        for number, version in ((1000, 1), (3, 2)):
            assert search_nearest(archive, number, version)[1] > 0.999
        assert search_nearest(archive, 4)[1] < 0.999
        assert find_problems(archive) == ()


def test_articles_erased_during_reembed_get_no_vector(
    folder: Path, models: tuple[str, str]
) -> None:
    def vectors_of(archive: Archive, number: int) -> tuple[bytes, bytes]:
        found = np.array([one.number for one in archive.bm25_candidates(f"bridge {number}", 1)])
        _, old = archive.store.passages.vectors(found)
        _, new = StagedVectors(archive.store.database).of(found)
        return old.tobytes(), new.tobytes()

    def files_with(needle: bytes) -> list[str]:
        return [p.name for p in folder.rglob("*") if p.is_file() and needle in p.read_bytes()]

    with Archive.open(folder, settings=Settings()) as archive, pytest.raises(StoppedError):
        archive.reembed(models[1], on_progress=stop)
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        of_it = vectors_of(archive, 7)
        assert len(of_it[0]) == 32 * 4
        assert len(of_it[1]) == 48 * 4
        assert all(files_with(vector) for vector in of_it)
        assert archive.erase(["paper.example/7"])
        assert [files_with(vector) for vector in of_it] == [[], []]
        assert find_problems(archive) == ()
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1])
        assert find_problems(archive) == ()
        assert archive.count().passages == ARTICLES - 1


def test_erasure_during_a_batch_is_respected(folder: Path, models: tuple[str, str]) -> None:
    class Erasing(WordEmbeddings):
        """Another process erases an article while its passage is being embedded."""

        name = "erasing"
        done = False

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            if not Erasing.done:
                Erasing.done = True
                with Archive.open(folder, mode="write", settings=Settings()) as archive:
                    assert archive.erase(["paper.example/7"])
            return super().embed_documents(texts)

    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(Erasing())
        assert find_problems(archive) == ()
        rows = archive.store.database.connection.execute("SELECT count(*) FROM vectors")
        assert rows.fetchone() == (ARTICLES - 1,)


def test_snapshot_is_searched_with_the_new_model(folder: Path, models: tuple[str, str]) -> None:
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.store.database.connection.execute(
            "UPDATE changes SET at = ?", ((datetime.now(UTC) - timedelta(days=9)).isoformat(),)
        )
        archive.add([make_article(3, 2)])
        archive.reembed(models[1])
        then = archive.as_of(datetime.now(UTC) - timedelta(days=2))
        (hit, *_) = then.search(query_for(3), 1, mode="vector")
        assert hit.passage.text == make_article(3)[0].text
        assert hit.score > 0.999


def test_model_that_cannot_be_opened_changes_nothing(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(ModelError, match=r"no config\.json"):
            archive.reembed(str(tmp_path / "nothing"))
        assert archive.status().reembedding is None
    assert read_model_and_generation(folder) == (models[0], 0)


def test_backup_includes_partial_and_finished_reembedding(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(models[1], on_progress=stop)
        write_backup(archive.store, tmp_path / "half.backup")
    restore_backup(tmp_path / "half.backup", tmp_path / "half")
    with Archive.open(tmp_path / "half", settings=Settings()) as archive:
        assert search_nearest(archive, 5)[1] > 0.999
        assert archive.reembed(models[1]).made == ARTICLES - 512
        write_backup(archive.store, tmp_path / "done.backup")
    restore_backup(tmp_path / "done.backup", tmp_path / "done")
    assert read_model_and_generation(tmp_path / "done") == (models[1], 1)
    with Archive.open(tmp_path / "done", settings=Settings()) as archive:
        assert search_nearest(archive, 5)[1] > 0.999
        assert find_problems(archive) == ()


def test_ingest_session_continues_with_the_new_model(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    with Client(Limits()) as client:
        session = IngestSession(Settings(archive=folder), client, ReaderOptions(), Event())
        for number in (901, 902):
            file = tmp_path / f"{number}.json"
            file.write_text(json.dumps(as_json(make_article(number)[0])))
            assert session.run([file]).new == 1
            if number == 901:
                with Archive.open(folder, settings=Settings()) as archive:
                    archive.reembed(models[1])
    with Archive.open(folder, settings=Settings()) as archive:
        assert all(search_nearest(archive, number)[1] > 0.999 for number in (901, 902))
        assert find_problems(archive) == ()


# Doctor


def execute_sql(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "archive.sqlite")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "INSERT INTO next_vectors SELECT 9999, vector FROM next_vectors LIMIT 1",
            "1 new vector without a passage",
        ),
        ("UPDATE meta SET value = '' WHERE key = 'next_embedding_model'", "512 new vectors of no"),
        (
            "UPDATE next_vectors SET vector = x'0000c07f' WHERE number = 2",
            "1 new vector of another length (the first: 2)",
        ),
        (
            "UPDATE next_vectors SET vector = zeroblob(192) WHERE number = 2",
            "1 new vector not finite or not of length one (the first: 2)",
        ),
    ],
)
def test_doctor_repairs_partial_vectors(
    folder: Path, models: tuple[str, str], statement: str, said: str
) -> None:
    with Archive.open(folder, settings=Settings()) as archive, pytest.raises(StoppedError):
        archive.reembed(models[1], on_progress=stop)
    execute_sql(folder, statement)
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        assert any(said in str(problem) for problem in find_problems(archive))
        assert repair_archive(archive) == ()
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1])
        assert find_problems(archive) == ()


def test_doctor_reports_index_of_another_model(folder: Path) -> None:
    (mark,) = folder.glob("vectors*/reached.json")
    with Archive.open(folder, settings=Settings()) as archive:
        archive.refresh()
        mark.write_text(json.dumps({**json.loads(mark.read_text()), "generation": 4}))
        assert "the vectors of another model" in str(find_problems(archive)[0])
    assert finds_article(folder)
