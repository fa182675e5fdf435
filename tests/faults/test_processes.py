"""A server, a writer and two readers at once: no error, nothing lost, nothing stale."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier as Meeting
from pathlib import Path
from typing import Any

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from tests.faults.random_writer import article
from tests.support.fakes import WordEmbeddings, phrase_hits
from tests.support.processes import Barrier, Pipe, Process

pytestmark = pytest.mark.slow

SECONDS, SECONDS_IN_FULL = 8, 300
STALE_AFTER = 5.0  # seconds after which every process must see a change
BATCH = 20  # articles: enough that Chroma writes its own files, at 1,000 vectors, many times over
THREADS = 3  # of the server
REEMBEDDED = 0.2  # share of the writer's turns
LOG = "log.jsonl"


@dataclass(frozen=True)
class Line:
    """One line of the writer's log: an article's version, None if it was deleted."""

    id: str
    version: int | None
    at: float
    done: bool


def test_reader_adds_nothing_that_a_writer_has_indexed(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([article("paper.example/0", 1)])
    reader = Archive.open(folder, embeddings=WordEmbeddings())
    assert reader.search("Mayor of town")
    writer = Process(target=_add_some, args=(folder,))
    writer.start()
    writer.join()
    assert len({hit.metadata.article_id for hit in reader.search("Mayor of town", 50)}) == 11
    reader.close()
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert find_problems(archive) == ()
        assert archive.indexes.bm25.count() == 2 * 11


def _add_some(folder: Path) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add(article(f"paper.example/{n}", 1) for n in range(11))


@pytest.mark.full
def test_concurrent_processes_see_no_error_or_stale_answer(tmp_path: Path, in_full: bool) -> None:
    folder, seconds = tmp_path / "archive", SECONDS_IN_FULL if in_full else SECONDS
    Archive.open(folder, mode="write", embeddings=WordEmbeddings()).close()
    deeds = (_write, _serve, _search, _search)
    ends, together = [], Barrier(len(deeds), timeout=seconds + 60)
    for number, what in enumerate(deeds):
        ours, theirs = Pipe()
        run = Run(folder, seconds, number, together)
        Process(target=_report, args=(theirs, what, run)).start()
        theirs.close()
        ends.append(ours)
    told = [end.recv() for end in ends]
    assert [error for error, _ in told] == [""] * len(ends)
    assert all(done > 0 for _, done in told), told
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        assert (
            find_problems(archive) == ()
        )  # before a writer opens it, which repairs the text index
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        held = {a.id: int(a.text.split("Version ")[1].split()[0]) for a in archive.articles()}
        logged = {line.id: line.version for line in _last_lines(folder).values() if line.version}
        assert logged.items() <= held.items()
        assert len(held) == len(logged) + BATCH  # the last change is not in the log
        assert find_problems(archive) == ()


@dataclass(frozen=True)
class Run:
    """Parameters of a process; all wait at `together` before and after the last change."""

    folder: Path
    seconds: float
    number: int
    together: Meeting


def _report(end: Connection, what: Any, run: Run) -> None:
    try:
        end.send(("", what(run)))
    except BaseException as error:
        end.send((f"{what.__name__}: {error!r}", 0))


def _write(run: Run) -> int:
    """Add new articles, change some and delete a few; return the number of actions."""
    folder, chance, version, ids = run.folder, random.Random(7), 0, list[str]()
    until = time.time() + run.seconds
    with (folder.parent / LOG).open("a") as log:
        while time.time() < until:
            with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
                if chance.random() < REEMBEDDED:
                    archive.reembed(WordEmbeddings())
                for _ in range(chance.randint(1, 20)):  # as long as an ingest holds the archive
                    version += 1
                    fresh = [f"paper.example/{len(ids) + n}" for n in range(BATCH)]
                    ids += fresh
                    again = chance.sample(ids, min(len(ids), 5))
                    put = dict.fromkeys([*fresh, *again])
                    _log_action(log, put, version, lambda p=put, v=version: archive.add(
                        article(key, v) for key in p
                    ))  # fmt: skip
                    gone = chance.sample(ids, 2)
                    _log_action(log, gone, None, lambda g=gone: archive.delete(g))
                    if time.time() > until:
                        break
    run.together.wait()
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings(), wait=30) as archive:
        archive.add(article(f"paper.example/{len(ids) + n}", version + 1) for n in range(BATCH))
    run.together.wait()
    return version


def _log_action(log: Any, ids: Any, version: int | None, do: Any) -> None:
    for done in (False, True):
        if done:
            do()
        at = time.time()
        lines = [json.dumps({"id": i, "version": version, "at": at, "done": done}) for i in ids]
        log.write("".join(f"{line}\n" for line in lines))
        log.flush()


def _last_lines(folder: Path) -> dict[str, Line]:
    """Return the last complete line of each article."""
    lines = {}
    with suppress(FileNotFoundError):
        for text in (folder.parent / LOG).read_text().splitlines():
            with suppress(ValueError):
                line = Line(**json.loads(text))
                lines[line.id] = line
    return lines


def _serve(run: Run) -> int:
    """Search from several threads over one archive, as the page does."""
    counts: list[int] = []
    errors: list[str] = []
    with Archive.open(run.folder, embeddings=WordEmbeddings()) as archive:

        def searching(thread: int) -> None:
            seed = run.number * 100 + thread
            try:
                counts.append(_search_in(archive, run.folder, run.seconds, seed))
            except BaseException as error:
                errors.append(repr(error))

        threads = [threading.Thread(target=searching, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _search_once_more(archive, run)
    if errors:
        raise AssertionError(errors)
    return sum(counts)


def _search(run: Run) -> int:
    with Archive.open(run.folder, embeddings=WordEmbeddings()) as archive:
        looked = _search_in(archive, run.folder, run.seconds, run.number)
        _search_once_more(archive, run)
        return looked


def _search_once_more(archive: Archive, run: Run) -> None:
    """Search after the writer has opened, changed and closed the archive while this one waited."""
    run.together.wait()
    run.together.wait()
    assert archive.search("Mayor of town")


def _search_in(archive: Archive, folder: Path, seconds: float, seed: int) -> int:
    """Search for articles whose last action is old enough; return how many."""
    chance, looked = random.Random(seed), 0
    until = time.time() + seconds
    while time.time() < until:
        old = [
            e for e in _last_lines(folder).values() if e.done and e.at < time.time() - STALE_AFTER
        ]
        for line in chance.sample(old, min(len(old), 10)):
            number = line.id.rpartition("/")[2]
            by_words = phrase_hits(archive, f"town paper.example/{number}", 10, phrases=(line.id,))
            near = archive.search(
                f"Version {line.version} of bridge {line.id} stands.", 10, mode="vector"
            )
            whole = archive.article(line.id)
            if _last_lines(folder)[line.id] != line:
                continue  # it is being changed just now
            version = f"Version {line.version} of"
            found = [hit for hit in by_words if hit.passage.article_id == line.id]
            if line.version is None:
                assert whole is None, f"{line} still stands"
                assert not found, f"{line} is still found"
                assert all(hit.passage.article_id != line.id for hit in near), f"{line}: near"
            else:
                assert whole, f"{line} is lost"
                assert version in whole.text, f"{line} is stale: {whole.text}"
                assert found, f"{line} is not found"
                said = [hit.passage.text for hit in (*found, *near) if "Version" in hit.passage.text
                        and hit.passage.article_id == line.id]  # fmt: skip
                assert all(version in text for text in said), f"{line}: stale answer {said}"
            looked += 1
        if not old:
            time.sleep(0.2)
    return looked
