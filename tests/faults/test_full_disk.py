"""Full disks: a failed write is one line, and nothing acknowledged is lost."""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.errors import ArchiveUnwritableError, BackfileError
from tests.faults.mounting import mount_own, set_writable
from tests.faults.random_writer import (
    LOG,
    article,
    check_archive,
    perform,
    random_action,
    read_actions,
)
from tests.support.fakes import WordEmbeddings
from tests.support.processes import Pipe, Process

TIMES, TIMES_IN_FULL = 4, 50
FULL_TIMES, FULL_TIMES_IN_FULL = 2, 50
SIZE = 32 << 20  # bytes: several times the size of the articles
SEED = 7

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no limit on a file's length"),
]


@pytest.mark.full
def test_failed_write_is_one_line_and_loses_nothing(tmp_path: Path, in_full: bool) -> None:
    folder = tmp_path / "archive"
    for time in range(TIMES_IN_FULL if in_full else TIMES):
        for what in (_work_until_file_limit, _check):
            ours, theirs = Pipe()
            process = Process(target=what, args=(folder, SEED + time, theirs))
            process.start()
            theirs.close()
            told = ours.recv()
            process.join()
            assert told == "", f"time {time}: {told}"


def _check(folder: Path, _seed: int, end: Connection) -> None:
    end.send(check_archive(folder))


def _work_until_file_limit(folder: Path, seed: int, end: Connection) -> None:
    """Work until no file may grow beyond a length that one of them reaches soon."""
    import resource

    chance, version = random.Random(seed), len(read_actions(folder))
    told = "it was never full"
    try:
        with Archive.open(folder, mode="write", embeddings=WordEmbeddings(), wait=30) as archive:
            for _ in range(200):
                version += 1
                deed = random_action(chance, version)
                lengths = sorted(f.stat().st_size for f in folder.rglob("*") if f.is_file())
                _note(folder, {"begun": deed})
                if chance.random() < 0.3:
                    most = chance.choice(lengths[len(lengths) // 2 :]) + chance.randint(0, 4096)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
                try:
                    perform(archive, deed)
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


@pytest.mark.full
def test_full_or_read_only_disk_is_one_line_and_loses_nothing(
    tmp_path: Path, in_full: bool
) -> None:
    """A real one, of 32 MB and of one process's own, where it may have that."""
    ours, theirs = Pipe()
    times = FULL_TIMES_IN_FULL if in_full else FULL_TIMES
    process = Process(target=_check_own_mount, args=(tmp_path / "archive", times, theirs))
    process.start()
    theirs.close()
    told = ours.recv()
    process.join()
    if told.startswith("cannot"):
        pytest.skip(told)
    assert told == ""


def _check_own_mount(folder: Path, times: int, end: Connection) -> None:
    """Fill a file system, make it read-only, and check the archive after each.

    Send what went wrong.
    """
    why_not = mount_own(folder, SIZE)
    if why_not:
        end.send(why_not)
        return
    fork = multiprocessing.get_context("fork")  # a fork sees the mount; no archive is open here
    for time in range(times):
        for what in (_work_until_disk_is_full, _read_only, _check):
            set_writable(folder, whether=what is not _read_only)
            ours, theirs = fork.Pipe()
            process = fork.Process(target=what, args=(folder, SEED + time, theirs))
            process.start()
            theirs.close()
            told = str(ours.recv())
            process.join()
            if told:
                end.send(f"time {time}: {told}")
                return
    end.send("")


def _work_until_disk_is_full(folder: Path, seed: int, end: Connection) -> None:
    """Work on a file system that another process fills, until there is no room left."""
    chance, version = random.Random(seed), len(read_actions(folder))
    ballast, told = folder / "ballast", "it was never full"
    try:
        with Archive.open(folder, mode="write", embeddings=WordEmbeddings(), wait=30) as archive:
            _fill_up(ballast, but=chance.choice([0, 4096, chance.randint(0, 300_000)]))
            for _ in range(500):
                version += 1
                deed = random_action(chance, version)
                _note(folder, {"begun": deed})
                perform(archive, deed)
                _note(folder, {"done": deed})
    except ArchiveUnwritableError:
        told = ""
    except BaseException as error:
        told = f"not one line of its own: {error!r}"
    ballast.unlink(missing_ok=True)
    end.send(told)


def _read_only(folder: Path, _seed: int, end: Connection) -> None:
    told = "it was written to"
    try:
        Archive.open(folder, mode="write", embeddings=WordEmbeddings()).close()
    except ArchiveUnwritableError:
        told = ""
    except BaseException as error:
        told = f"not one line of its own: {error!r}"
    end.send(told)


def _fill_up(ballast: Path, but: int) -> None:
    with ballast.open("wb", buffering=0) as file:
        with suppress(OSError):
            while file.write(bytes(1 << 16)):
                pass
        with suppress(OSError):
            while file.write(bytes(512)):
                pass
        file.truncate(max(0, file.tell() - but))


def test_unwritable_archive_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([article("paper.example/1", 1)])
        archive.store.database.connection.execute("PRAGMA query_only = ON")  # as if read-only
        with pytest.raises(ArchiveUnwritableError, match=r"cannot be written to .* run the same"):
            archive.add([article("paper.example/1", 2)])
