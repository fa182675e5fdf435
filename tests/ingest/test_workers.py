"""Worker processes: the same archive as one process makes, whatever happens to them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import batching, local_workers, preparers
from ingest.local_workers import LocalWorkers
from ingest.pipeline import ingest
from ingest.report import IngestReport
from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.archive.preparation import Draft
from rag.errors import ArchiveUnwritableError, ModelError
from rag.models.backend import Backend, BackendReport
from rag.schema import Article
from rag.settings import Settings
from tests.support.commands import environment
from tests.support.commands import run as command_line
from tests.support.mappings import CRASH_ONCE, DEADLY, prepare_or_die
from tests.support.small_models import make_model

pytestmark = pytest.mark.slow

WORDS = (
    "the a of in on mayor harbour bridge ferry council storm vote tower market river road opened "
    "closed said was has been after before monday tuesday friday people boats goods price north"
).split()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_model(tmp_path_factory.mktemp("models") / "words", WORDS)


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparers, "CHUNK_CHARACTERS", 2_000)
        patch.setattr(batching, "BATCH_ARTICLES", 8)
        yield


def sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=14)).capitalize() + "."


def record(number: int, *, extra: str = "", **more: Any) -> dict[str, Any]:
    chance = random.Random(number)
    text = " ".join(sentence(chance) for _ in range(14))
    return {
        "url": f"https://paper.example/2024/{number}",
        "title": f"{chance.choice(WORDS).capitalize()} {number} of Velsund",
        "text": f"{text} {extra}".strip(),
        "published": f"2024-03-{1 + number % 28:02}T08:00:00Z",
    } | more


def write_lines(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    return path


def mixed_records() -> list[dict[str, Any]]:
    """Return what a real dump has: revisions, repeats, copies, faults, numbers used twice."""
    found = [record(n) for n in range(40)]
    found += [record(3), record(5, extra="It was corrected."), record(5, extra="Twice.")]
    found += [record(7) | {"text": record(7)["text"][:200]}]  # a teaser of one that is whole
    found += [record(8) | {"text": "Nothing is known about the tower yet."}]
    found += [record(50) | {"text": "", "title": ""}, record(51, published="some day")]
    found += [record(52) | {"text": "\ud800 is no letter"}, record(53, published="0001-01-01")]
    found += [{"id": "17", "title": "Seventeen", "text": record(n)["text"]} for n in (60, 61, 60)]
    found += [record(n, extra=f"Copy {n}.") | {"text": record(1)["text"]} for n in (70, 71)]
    return found


def run(
    folder: Path,
    sources: Sequence[Path],
    pool: LocalWorkers | None,
    settings: Settings,
    **more: Any,
) -> tuple[IngestReport, list[dict[str, str]]]:
    rejects: list[dict[str, str]] = []
    with Archive.open(folder, mode="write", settings=settings) as archive:
        report = ingest(archive, sources, pool=pool, on_reject=rejects.append, **more)
    return replace(report, seconds=0.0), rejects


def passages(archive: Archive) -> dict[tuple[Any, ...], np.ndarray[Any, Any]]:
    """Return the vectors of the current passages by article, revision, start and end."""
    rows = archive.store.database.connection.execute(
        """SELECT passages.number, article_id, revision, start, "end"
           FROM passages JOIN revisions ON revisions.id = revision_id"""
    )
    places = {number: place for number, *place in rows}
    numbers, vectors = archive.store.passages.vectors(archive.store.passages.numbers())
    return {tuple(places[int(n)]): v for n, v in zip(numbers, vectors, strict=True)}


def exported(folder: Path) -> list[str]:
    """Return the lines of an export with all revisions, sorted by id."""
    done = command_line("export", "-", "--revisions", "--archive", folder)
    assert done.code == 0, done.stderr
    return sorted(done.stdout.splitlines(), key=lambda line: (json.loads(line)["id"], line))


def assert_same(one: Path, other: Path, settings: Settings) -> None:
    assert exported(one) == exported(other)
    with (
        Archive.open(one, settings=settings) as alone,
        Archive.open(other, settings=settings) as together,
    ):
        ours, theirs = passages(alone), passages(together)
        assert ours.keys() == theirs.keys()
        assert ours
        assert min(float(ours[place] @ theirs[place]) for place in ours) > 0.9999
        assert find_problems(together) == ()


def workers_of(pid: int) -> list[int]:
    """Return the worker processes of a process, by their command line."""
    found = []
    for place in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            for child in place.read_text().split():
                with suppress(FileNotFoundError):
                    if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                        found.append(int(child))
    return found


def wait_for(true: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def alone(
    small_chunks: None, model: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Any]:
    """A dump, the archive that one process makes of it, and what that reports."""
    folder = tmp_path_factory.mktemp("alone")
    source = write_lines(folder / "dump.jsonl", mixed_records())
    settings = Settings(embedding_model=model)
    return source, folder / "archive", run(folder / "archive", [source], None, settings)


def test_workers_make_what_one_process_makes(
    alone: tuple[Path, Path, Any], model: str, tmp_path: Path
) -> None:
    source, archive, reported = alone
    settings = Settings(embedding_model=model)
    told = run(tmp_path / "archive", [source], LocalWorkers(settings, 2), settings)
    assert told == reported
    assert reported[0].new > 40
    assert reported[0].changed >= 2
    assert (reported[0].rejected, reported[0].notices) == (2, 2)
    assert_same(archive, tmp_path / "archive", settings)
    again = run(tmp_path / "archive", [source], LocalWorkers(settings, 2), settings)
    assert again == run(archive, [source], None, settings)
    assert again[0].new == again[0].passages == 0
    assert workers_of(os.getpid()) == []


def test_lost_workers_lose_no_article(
    alone: tuple[Path, Path, Any], model: str, tmp_path: Path
) -> None:
    source, archive, reported = alone
    killed: list[int] = []

    def kill(_: object) -> None:
        for worker in [*set(workers_of(os.getpid())) - set(killed)][: 2 - len(killed)]:
            killed.append(worker)
            os.kill(worker, signal.SIGKILL)

    settings = Settings(embedding_model=model)
    pool = LocalWorkers(settings, 2)
    told = run(tmp_path / "archive", [source], pool, settings, on_progress=kill)
    assert killed
    assert told == reported
    assert_same(archive, tmp_path / "archive", settings)


def test_article_that_ends_its_process_is_rejected_alone(model: str, tmp_path: Path) -> None:
    settings = Settings(embedding_model=model)
    records = [record(n, extra=DEADLY if n == 9 else "") for n in range(30)]
    records[20]["text"] += f" {CRASH_ONCE}{tmp_path / 'crashed'} by now."
    source = write_lines(tmp_path / "dump.jsonl", records)
    pool = LocalWorkers(settings, 2, mapping=prepare_or_die)
    report, rejects = run(tmp_path / "archive", [source], pool, settings)
    assert (tmp_path / "crashed").exists()
    assert (report.new, report.rejected) == (29, 1)
    assert rejects[0]["place"] == records[9]["url"]
    assert "ended unexpectedly" in rejects[0]["reason"]
    assert workers_of(os.getpid()) == []


def test_workers_that_never_last_end_the_ingest(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_workers, "MOST_LOST", 5)
    settings = Settings(embedding_model=model)
    source = write_lines(tmp_path / "dump.jsonl", [record(n, extra=DEADLY) for n in range(20)])
    pool = LocalWorkers(settings, 2, mapping=prepare_or_die)
    with pytest.raises(ModelError, match="worker processes ended one after the other"):
        run(tmp_path / "archive", [source], pool, settings)
    assert workers_of(os.getpid()) == []


def test_missing_model_ends_the_ingest_and_its_workers(model: str, tmp_path: Path) -> None:
    settings = Settings(embedding_model=model)
    source = write_lines(tmp_path / "dump.jsonl", [record(n) for n in range(20)])
    pool = LocalWorkers(replace(settings, embedding_model=str(tmp_path / "none")), 2)
    with pytest.raises(ModelError, match="none"):
        run(tmp_path / "archive", [source], pool, settings)
    assert workers_of(os.getpid()) == []


def test_full_disk_ends_the_workers(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(embedding_model=model)
    source = write_lines(tmp_path / "dump.jsonl", [record(n) for n in range(32)])
    write, written = Archive.write, list[int]()

    def fill_up(archive: Archive, prepared: Any, **more: Any) -> Any:
        if len(written) == 2:
            raise ArchiveUnwritableError("the disk is full")
        written.append(1)
        return write(archive, prepared, **more)

    monkeypatch.setattr(Archive, "write", fill_up)
    with pytest.raises(ArchiveUnwritableError):
        run(tmp_path / "archive", [source], LocalWorkers(settings, 2), settings)
    assert workers_of(os.getpid()) == []
    monkeypatch.undo()
    report, _ = run(tmp_path / "archive", [source], None, settings)
    assert (report.new, report.unchanged) == (32 - 16, 16)


def test_workers_get_the_backend_that_was_measured_here(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = BackendReport(Backend("onnxruntime", "float32", 2), "measured")
    monkeypatch.setattr(local_workers, "report_backend", lambda *_: known)
    monkeypatch.setattr(preparers.Preparers, "submit", lambda *_: [])
    pool, drafts = LocalWorkers(Settings(embedding_model=model), 2), [draft_of(3_000)]
    pool.submit(drafts)
    assert pool._settings.embedding_backend == "auto"  # few texts need no choice
    pool.submit([draft_of(100_000)])
    assert pool._settings.embedding_backend == "onnxruntime"
    assert pool._settings.embedding_precision == "float32"


def draft_of(length: int) -> Draft:
    return Draft(Article(id=f"paper.example/{length}", title="Long", text="a" * length))


def test_few_articles_start_no_process(model: str, tmp_path: Path) -> None:
    settings = Settings(embedding_model=model)
    source = write_lines(tmp_path / "dump.jsonl", [record(n) for n in range(20)])
    seen: list[int] = []
    pool = LocalWorkers(settings, 2, starts_at=1_000_000)
    report, _ = run(
        tmp_path / "archive", [source], pool, settings,
        on_progress=lambda _: seen.extend(workers_of(os.getpid())),
    )  # fmt: skip
    assert report.new == 20
    assert seen == []


def test_unchanged_articles_start_no_process(
    alone: tuple[Path, Path, Any], model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(embedding_model=model)
    pool = LocalWorkers(settings, 2)
    monkeypatch.setattr(pool, "_send", None)  # fails if anything is sent
    again, _ = run(alone[1], [alone[0]], pool, settings)
    assert again.new == 0


def test_text_that_waits_is_bounded(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparers, "AHEAD_CHARACTERS", 5_000)
    settings = Settings(embedding_model=model)
    source = write_lines(tmp_path / "dump.jsonl", [record(n) for n in range(60)])
    pool, waiting, most = LocalWorkers(settings, 1), [0], [0]
    submit, collect = pool.submit, pool.collect

    def counted(drafts: Any) -> Any:
        waiting[0] += sum(len(draft.article.text) for draft in drafts)
        most[0] = max(most[0], waiting[0])
        return submit(drafts)

    def collected(chunk: Any) -> Any:
        waiting[0] -= sum(len(draft.article.text) for draft in chunk.drafts)
        return collect(chunk)

    monkeypatch.setattr(pool, "submit", counted)
    monkeypatch.setattr(pool, "collect", collected)
    report, _ = run(tmp_path / "archive", [source], pool, settings)
    assert report.new == 60
    batch = 8 * max(len(record(n)["text"]) for n in range(60))
    assert 10_000 < most[0] <= pool.ahead + batch


@contextmanager
def running(model: str, archive: Path, source: Path, **popen: Any) -> Iterator[Any]:
    """Start `backfile ingest --workers 2` in a process group of its own; end all of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.small_batches", "ingest", source, "--json",
         "--archive", archive, "--workers", "2"],
        env=environment(BACKFILE_EMBEDDING_MODEL=model),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **popen,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for_end(processes: Sequence[int]) -> None:
    wait_for(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in processes), 20)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump that takes some seconds: its texts differ, and are cut into full chunks."""
    file = tmp_path_factory.mktemp("large") / "dump.jsonl"
    return write_lines(file, [record(n) for n in range(100)])


def test_sigterm_to_all_finishes_what_was_read_and_the_next_run_the_rest(
    model: str, large: Path, tmp_path: Path
) -> None:
    with running(model, tmp_path / "archive", large) as process:
        workers = wait_for(lambda: workers_of(process.pid))
        os.killpg(process.pid, signal.SIGTERM)
        said, errors = process.communicate(timeout=60)
    report = json.loads(said)
    assert process.returncode == 130
    assert "continues from there" in errors
    assert "Traceback" not in errors
    assert 0 < report["new"] < 100
    wait_for_end(workers)
    again, _ = run(tmp_path / "archive", [large], None, Settings(embedding_model=model))
    assert (again.new, again.unchanged) == (100 - report["new"], report["new"])


def test_second_ctrl_c_ends_everything_at_once(model: str, large: Path, tmp_path: Path) -> None:
    with running(model, tmp_path / "archive", large) as process:
        workers = wait_for(lambda: workers_of(process.pid))
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.3)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors, errors
    wait_for_end(workers)


def test_workers_end_with_a_killed_parent(model: str, large: Path, tmp_path: Path) -> None:
    with running(model, tmp_path / "archive", large) as process:
        workers = wait_for(lambda: workers_of(process.pid))
        process.kill()
        process.wait()
        wait_for_end(workers)
    again, _ = run(tmp_path / "archive", [large], None, Settings(embedding_model=model))
    assert again.new + again.unchanged == 100
    with Archive.open(tmp_path / "archive", settings=Settings(embedding_model=model)) as archive:
        assert find_problems(archive) == ()
