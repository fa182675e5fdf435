"""A disk that is full at any write: one line to the user, and nothing acknowledged is lost."""

from __future__ import annotations

import json
import random
import sys
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from rag.archive import Archive
from rag.errors import ArchiveUnwritableError, BackfileError
from tests.fakes import WordEmbeddings
from tests.faults.desk import LOG, article, deeds, do, settle, some_deed

TIMES, TIMES_IN_FULL = 4, 50
SEED = 7

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limit on a file's length")


def test_a_write_that_fails_is_one_line_and_loses_nothing(
    tmp_path: Path, processes: ForkServerContext, in_full: bool
) -> None:
    folder = tmp_path / "archive"
    for time in range(TIMES_IN_FULL if in_full else TIMES):
        for what in (_until_it_is_full, _settled):
            ours, theirs = processes.Pipe()
            process = processes.Process(target=what, args=(folder, SEED + time, theirs))
            process.start()
            theirs.close()
            told = ours.recv()
            process.join()
            assert told == "", f"time {time}: {told}"


def _settled(folder: Path, _seed: int, end: Connection) -> None:
    end.send(settle(folder))


def _until_it_is_full(folder: Path, seed: int, end: Connection) -> None:
    """Do deeds until no file may grow any more, at a length that one of them reaches soon."""
    import resource

    chance, version = random.Random(seed), len(deeds(folder))
    told = "it was never full"
    try:
        with Archive.open(folder, mode="write", embeddings=WordEmbeddings(), wait=30) as archive:
            for _ in range(200):
                version += 1
                deed = some_deed(chance, version)
                lengths = sorted(f.stat().st_size for f in folder.rglob("*") if f.is_file())
                _note(folder, {"begun": deed})
                if chance.random() < 0.3:
                    most = chance.choice(lengths[len(lengths) // 2 :]) + chance.randint(0, 4096)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
                try:
                    do(archive, deed)
                finally:
                    no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                    resource.setrlimit(resource.RLIMIT_FSIZE, no_limit)
                _note(folder, {"done": deed})
    except ArchiveUnwritableError:
        told = ""
    except BackfileError as error:
        told = f"another error: {error}"
    except BaseException as error:
        told = f"not one line: {error!r}"
    end.send(told)


def _note(folder: Path, entry: dict[str, object]) -> None:
    with (folder.parent / LOG).open("a") as log:
        print(json.dumps(entry), file=log)


def test_an_archive_that_may_not_be_written_to_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.put([article("paper.example/1", 1)])
        archive.record.database.connection.execute("PRAGMA query_only = ON")  # as if read-only
        with pytest.raises(ArchiveUnwritableError, match=r"cannot be written to .* run the same"):
            archive.put([article("paper.example/1", 2)])
