"""Embedding anew: the old model answers until the new one does, whatever comes in or is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from ingest.fetching.client import Client, Limits
from ingest.readers import Reading
from rag.archive import Archive
from rag.doctor import examine, repair
from rag.errors import ArchiveLockedError, EmbeddingMismatchError, ModelError
from rag.models.lazy import ArchiveModel
from rag.schema import Article, Span
from rag.settings import Settings
from rag.storage.backups import back_up, restore
from rag.storage.newvectors import NewVectors
from rag.storage.record import embedding_text
from rag.storage.vectors import VectorIndex
from tests.fakes import WordEmbeddings, as_json
from tests.small_models import make_model
from ui import cli
from ui.feeding import Feeder

ROOT = Path(__file__).parent.parent
CONTEXT = multiprocessing.get_context("spawn")
ARTICLES = 700  # a passage each: more than a batch
WORDS = "Town Version of bridge stands . " + " ".join(map(str, range(2000)))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two models that are opened by their folders, of different dimensions."""
    folder = tmp_path_factory.mktemp("models")
    words = WORDS.split()
    old = make_model(folder / "old", words, dimensions=32)
    return old, make_model(folder / "new", words, dimensions=48, seed=8)


def an_article(number: int, version: int = 1) -> tuple[Article, list[Span]]:
    text = f"Version {version} of bridge {number} stands ."
    article = Article(id=f"paper.example/{number}", title=f"Town {number}", text=text)
    return article, [Span(0, len(text))]


def sought(number: int, version: int = 1) -> str:
    """Return what was embedded for an article: its passage is nearest to it, and its cosine 1."""
    article, _ = an_article(number, version)
    return embedding_text(article.head, article.text)


def of(model: str) -> Settings:
    return Settings(embedding_model=model)


@pytest.fixture
def folder(tmp_path: Path, models: tuple[str, str]) -> Path:
    with Archive.open(tmp_path / "archive", mode="write", settings=of(models[0])) as archive:
        for start in (0, 350):  # in few tokens a call: torch is not loaded
            archive.put(an_article(n) for n in range(start, start + 350))
    return tmp_path / "archive"


def nearest(archive: Archive, number: int, version: int = 1) -> tuple[str, float]:
    (hit, *_) = archive.dense(sought(number, version), 3)
    return hit.passage.text, hit.score


def answers(folder: Path, number: int = 5, version: int = 1) -> bool:
    with Archive.open(folder, settings=Settings()) as archive:
        text, score = nearest(archive, number, version)
        return text == an_article(number, version)[0].text and score > 0.999


def meta(folder: Path) -> tuple[str, int]:
    with Archive.open(folder, settings=Settings()) as archive:
        return archive.status().embedding_model, archive.record.generation()


class StoppedError(Exception):
    """Raised to stop a re-embedding after a batch."""


def stop(*_: int) -> None:
    raise StoppedError


@pytest.mark.parametrize("mode", ["read", "write"])
def test_the_new_model_answers_once_every_passage_has_its_vector(
    folder: Path, models: tuple[str, str], mode: str
) -> None:
    told: list[tuple[int, int]] = []
    with Archive.open(folder, mode=mode, settings=Settings()) as archive:  # type: ignore[arg-type]
        before = archive.sequence
        done = archive.reembed(
            models[1], on_progress=lambda made, total: told.append((made, total))
        )
        assert (done.model, done.passages, done.made) == (models[1], ARTICLES, ARTICLES)
        assert told == [(512, ARTICLES), (ARTICLES, ARTICLES)]
        assert nearest(archive, 5)[1] > 0.999
        assert archive.sequence == before + 1
        assert examine(archive) == ()
    assert meta(folder) == (models[1], 1)
    assert answers(folder)
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.put([an_article(3, 2)])
        assert nearest(archive, 3, 2)[1] > 0.999
        assert examine(archive) == ()
    assert [path.name for path in sorted(folder.glob("vectors*/"))] == ["vectors-1"]


def test_the_old_model_is_refused_afterwards_with_the_way_out(
    folder: Path, models: tuple[str, str]
) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1])
    with pytest.raises(EmbeddingMismatchError, match=f"BACKFILE_EMBEDDING_MODEL={models[1]}"):
        Archive.open(folder, settings=of(models[0]))
    with pytest.raises(EmbeddingMismatchError, match=f"backfile reembed --model {models[0]}"):
        Archive.open(folder, settings=of(models[0]))


def test_cut_short_it_is_harmless_and_goes_on_from_there(
    folder: Path, models: tuple[str, str]
) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(models[1], on_progress=stop)
        begun = archive.status().reembedding
        assert begun is not None
        assert (begun.model, begun.done, begun.of) == (models[1], 512, ARTICLES)
        assert nearest(archive, 5)[1] > 0.999
        assert examine(archive) == ()
        assert archive.reembed(models[1]).made == ARTICLES - 512
        assert archive.status().reembedding is None
    assert answers(folder)


def test_what_was_made_for_a_third_model_is_given_up(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    third = make_model(tmp_path / "third", WORDS.split(), dimensions=40)
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(third, on_progress=stop)
        assert archive.reembed(models[1]).made == ARTICLES
        assert nearest(archive, 5)[1] > 0.999


def test_passages_that_go_further_than_the_model_reads_are_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = make_model(tmp_path / "short", WORDS.split(), max_tokens=10)
    longer = an_article(8)[0].text * 3
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.remove(f"paper.example/{n}" for n in range(10, ARTICLES))
        archive.put([(Article(id="long", title="", text=longer), [Span(0, len(longer))])])
    with Archive.open(folder, settings=Settings()) as archive:
        of_all = archive.reembed(short)
        assert (of_all.made, of_all.cut) == (ARTICLES + 1, ARTICLES + 1)
        wide = make_model(tmp_path / "wide", WORDS.split(), max_tokens=20)
        assert archive.reembed(wide).cut == 1
    name = make_model(tmp_path / "wide again", WORDS.split(), max_tokens=20)
    assert cli.main(["reembed", "--model", name, "--archive", str(folder)]) == 0
    assert "1 of them are longer than it reads" in capsys.readouterr().err


def test_it_can_be_abandoned(folder: Path, models: tuple[str, str]) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(models[1], on_progress=stop)
        assert archive.abandon_reembedding() == 512
        assert archive.status().reembedding is None
        assert examine(archive) == ()
    assert meta(folder) == (models[0], 0)


def test_what_comes_in_meanwhile_is_found_by_the_new_model(
    folder: Path, models: tuple[str, str]
) -> None:
    def put(made: int, of: int) -> None:
        if made == of:  # who embeds has let nobody else write by then
            return
        with Archive.open(folder, mode="write", settings=Settings(), wait=5) as writer:
            writer.put([an_article(1000), an_article(3, 2)])
            writer.remove(["paper.example/4"])
            assert nearest(writer, 1000)[1] > 0.999  # by the old model

    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1], on_progress=put)
        for number, version in ((1000, 1), (3, 2)):
            assert nearest(archive, number, version)[1] > 0.999
        assert nearest(archive, 4)[1] < 0.999
        assert examine(archive) == ()


def test_what_is_erased_meanwhile_has_no_new_vector_in_any_file(
    folder: Path, models: tuple[str, str]
) -> None:
    def vectors_of(archive: Archive, number: int) -> tuple[bytes, bytes]:
        found = np.array([one.number for one in archive.by_words(f"bridge {number}", 1)])
        _, old = archive.record.passages.vectors(found)
        _, new = NewVectors(archive.record.database).of(found)
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
        assert examine(archive) == ()
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1])
        assert examine(archive) == ()
        assert archive.count().passages == ARTICLES - 1


def test_an_erasure_between_the_reading_and_the_writing_of_a_batch_holds(
    folder: Path, models: tuple[str, str]
) -> None:
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
        assert examine(archive) == ()
        rows = archive.record.database.connection.execute("SELECT count(*) FROM vectors")
        assert rows.fetchone() == (ARTICLES - 1,)


def test_the_past_is_found_by_the_new_model(folder: Path, models: tuple[str, str]) -> None:
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.record.database.connection.execute(
            "UPDATE changes SET at = ?", ((datetime.now(UTC) - timedelta(days=9)).isoformat(),)
        )
        archive.put([an_article(3, 2)])
        archive.reembed(models[1])
        then = archive.as_of(datetime.now(UTC) - timedelta(days=2))
        (hit, *_) = then.dense(sought(3), 1)
        assert hit.passage.text == an_article(3)[0].text
        assert hit.score > 0.999


def test_a_model_that_cannot_be_opened_changes_nothing(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(ModelError, match=r"no config\.json"):
            archive.reembed(str(tmp_path / "nothing"))
        assert archive.status().reembedding is None
    assert meta(folder) == (models[0], 0)


def test_a_backup_has_what_is_half_made_and_what_is_done(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        with pytest.raises(StoppedError):
            archive.reembed(models[1], on_progress=stop)
        back_up(archive.record, tmp_path / "half.backup")
    restore(tmp_path / "half.backup", tmp_path / "half")
    with Archive.open(tmp_path / "half", settings=Settings()) as archive:
        assert nearest(archive, 5)[1] > 0.999
        assert archive.reembed(models[1]).made == ARTICLES - 512
        back_up(archive.record, tmp_path / "done.backup")
    restore(tmp_path / "done.backup", tmp_path / "done")
    assert meta(tmp_path / "done") == (models[1], 1)
    with Archive.open(tmp_path / "done", settings=Settings()) as archive:
        assert nearest(archive, 5)[1] > 0.999
        assert examine(archive) == ()


def test_who_stays_and_feeds_goes_on_with_the_new_model(
    folder: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    with Client(Limits()) as client:
        feeder = Feeder(Settings(archive=folder), client, Reading(), Event())
        for number in (901, 902):
            file = tmp_path / f"{number}.json"
            file.write_text(json.dumps(as_json(an_article(number)[0])))
            assert feeder.round([file]).new == 1
            if number == 901:
                with Archive.open(folder, settings=Settings()) as archive:
                    archive.reembed(models[1])
    with Archive.open(folder, settings=Settings()) as archive:
        assert all(nearest(archive, number)[1] > 0.999 for number in (901, 902))
        assert examine(archive) == ()


# in other processes


def _search_until_told(folder: Path, end: Connection) -> None:
    """Search without end; say which models answered, and by which cosine at the least."""
    models, least = dict[str, None](), 1.0
    with Archive.open(folder, settings=Settings()) as reader:
        end.send("open")
        while not end.poll():
            for number in (5, 77, 200):
                text, score = nearest(reader, number)
                assert f"bridge {number} " in text, text
                found = reader.by_meaning(sought(number), 1)
                (cosine,) = reader.nearness(sought(number), found)
                assert cosine > 0.999
                assert reader.search(f"Which bridge {number} stands?", 3)
                least = min(least, score)
            models[reader._model.name] = None
    end.send((list(models), least))


def _reembed(folder: Path, model: str, wait: float = 60.0) -> None:
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(model, wait=wait)


def test_readers_go_on_with_the_old_model_and_then_with_the_new(
    folder: Path, models: tuple[str, str]
) -> None:
    readers = []
    for _ in range(2):
        ours, theirs = CONTEXT.Pipe()
        CONTEXT.Process(target=_search_until_told, args=(folder, theirs)).start()
        readers.append(ours)
    assert [reader.recv() for reader in readers] == ["open", "open"]
    process = CONTEXT.Process(target=_reembed, args=(folder, models[1]))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    time.sleep(2)  # a reader knows within seconds
    for reader in readers:
        reader.send("enough")
    for reader in readers:
        answered, least = reader.recv()
        assert answered[-1] == models[1]
        assert set(answered) <= set(models)
        assert least > 0.999


def _reembed_slowly(folder: Path, model: str, end: Connection) -> None:
    def on_progress(*_: int) -> None:
        end.send("a batch")
        time.sleep(60)

    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(model, on_progress=on_progress)


def test_killed_half_way_the_old_model_answers_and_a_second_attempt_goes_on(
    folder: Path, models: tuple[str, str]
) -> None:
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_reembed_slowly, args=(folder, models[1], theirs))
    process.start()
    assert ours.recv() == "a batch"
    with (
        Archive.open(folder, settings=Settings()) as archive,
        pytest.raises(ArchiveLockedError, match=rf"embedded anew by process {process.pid}, since"),
    ):
        archive.reembed(models[1])
    process.kill()
    process.join()
    assert meta(folder) == (models[0], 0)
    assert answers(folder)
    with Archive.open(folder, settings=Settings()) as archive:
        assert archive.reembed(models[1]).made == ARTICLES - 512
        assert examine(archive) == ()


def _die_between(folder: Path, model: str, place: str) -> None:
    """Embed anew, and be gone before, or after, the record's change: what SIGKILL would do."""
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        fresh = NewVectors(archive.record.database)
        new = ArchiveModel(None, of(model))
        fresh.begin(model)
        numbers = archive.record.passages.numbers().tolist()
        texts = [sought(number - 1) for number in numbers]
        fresh.write(dict(zip(numbers, new.vectors(texts), strict=True)))
        index = VectorIndex.beside(folder, 1)
        index.add(numbers, fresh.of(np.array(numbers))[1])
        if place == "index half made":
            os._exit(1)
        index.reach(archive.sequence + 1)
        if place == "record not changed":
            os._exit(1)
        with archive.record.database.change("reembed", 0):
            fresh.take_over()
        os._exit(1)


@pytest.mark.parametrize("first", ["read", "write"])
@pytest.mark.parametrize("place", ["index half made", "record not changed", "index not in place"])
def test_killed_at_the_change_it_is_done_or_not_done(
    folder: Path, models: tuple[str, str], place: str, first: str
) -> None:
    process = CONTEXT.Process(target=_die_between, args=(folder, models[1], place))
    process.start()
    process.join(60)
    changed = place == "index not in place"
    with Archive.open(folder, mode=first, settings=Settings()) as archive:  # type: ignore[arg-type]
        assert nearest(archive, 5)[1] > 0.999
        assert examine(archive) == ()
    assert meta(folder) == ((models[1], 1) if changed else (models[0], 0))
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        archive.reembed(models[1]) if not changed else archive.put([an_article(900)])
        assert nearest(archive, 6)[1] > 0.999
        assert examine(archive) == ()
    assert len(list(folder.glob("vectors*/"))) == 1


def test_a_reader_finds_by_the_new_vectors_before_their_index_is_in_place(
    folder: Path, models: tuple[str, str]
) -> None:
    with Archive.open(folder, settings=Settings()) as reader:
        assert nearest(reader, 5)[1] > 0.999
        with Archive.open(folder, mode="write", settings=Settings()) as archive:
            fresh = NewVectors(archive.record.database)
            fresh.begin(models[1])
            numbers = archive.record.passages.numbers().tolist()
            vectors = ArchiveModel(None, of(models[1])).vectors([sought(n - 1) for n in numbers])
            fresh.write(dict(zip(numbers, vectors, strict=True)))
            with archive.record.database.change("reembed", 0):
                fresh.take_over()
            assert nearest(reader, 5)[1] > 0.999  # the writers' lock is held: from the record
        assert nearest(reader, 6)[1] > 0.999


# what the doctor knows of it


def record(folder: Path, *statements: str) -> None:
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
def test_half_made_vectors_are_examined_and_mended(
    folder: Path, models: tuple[str, str], statement: str, said: str
) -> None:
    with Archive.open(folder, settings=Settings()) as archive, pytest.raises(StoppedError):
        archive.reembed(models[1], on_progress=stop)
    record(folder, statement)
    with Archive.open(folder, mode="write", settings=Settings()) as archive:
        assert any(said in str(problem) for problem in examine(archive))
        assert repair(archive) == ()
    with Archive.open(folder, settings=Settings()) as archive:
        archive.reembed(models[1])
        assert examine(archive) == ()


def test_an_index_of_another_models_vectors_is_told_of(folder: Path) -> None:
    (mark,) = folder.glob("vectors*/reached.json")
    with Archive.open(folder, settings=Settings()) as archive:
        archive.refresh()
        mark.write_text(json.dumps({**json.loads(mark.read_text()), "generation": 4}))
        assert "the vectors of another model" in str(examine(archive)[0])
    assert answers(folder)


# on the command line


def backfile(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {k: v for k, v in os.environ.items() if not k.startswith("BACKFILE_")}
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", *words, "--archive", str(folder)],
        env={**given, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_embeds_anew_and_says_so(folder: Path, models: tuple[str, str]) -> None:
    named = {"BACKFILE_EMBEDDING_MODEL": models[1]}  # who sets it first is told what to run
    refused = backfile(folder, "search", "bridge 5", **named)
    assert f"`backfile reembed --model {models[1]}`" in refused.stderr
    done = backfile(folder, "reembed", "--model", models[1], **named)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        rf"embedded with {re.escape(models[1])}: 700 passages in \d+ s; it answers from now on\n",
        done.stdout,
    )
    assert backfile(folder, "search", "bridge 5", **named).returncode == 0
    again = backfile(folder, "reembed", "--model", models[1])
    assert (again.returncode, again.stdout) == (1, "")
    assert "is embedded with" in again.stderr


def test_status_says_what_is_under_way_and_abandon_ends_it(
    folder: Path, models: tuple[str, str]
) -> None:
    with Archive.open(folder, settings=Settings()) as archive, pytest.raises(StoppedError):
        archive.reembed(models[1], on_progress=stop)
    assert "512 of 700 passages" in backfile(folder, "status").stdout
    value = json.loads(backfile(folder, "status", "--json").stdout)
    assert value["reembedding"] == {"model": models[1], "done": 512, "of": 700}
    ended = backfile(folder, "reembed", "--abandon")
    assert ended.stdout == "given up: the new vectors of 512 passages\n"
    assert "512 of" not in backfile(folder, "status").stdout


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BACKFILE_")]:
        monkeypatch.delenv(name)
