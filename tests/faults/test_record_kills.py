"""Killed writers, followers and servers of a shared record: nothing acknowledged is lost."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rag.archive.doctor import find_problems
from rag.errors import RecordUnavailableError
from tests.conformance.conftest import wait_until
from tests.faults.random_writer import article, open_archive, read_actions, work
from tests.faults.test_kills import check_in_process
from tests.support.postgres import PostgresServer
from tests.support.processes import Pipe, Process

LONGEST = 1.0  # seconds that the processes live after the writer's first action
SOON = 5.0  # seconds until the lock of a killed process is free
SEED = 20241024
VICTIMS = ("writer", "follower", "server")


@pytest.mark.full
def test_kills_lose_nothing_acknowledged(
    postgres_server: PostgresServer, tmp_path: Path, kills: int
) -> None:
    record = postgres_server.create_database()
    for kill in range(max(len(VICTIMS), kills // 3)):
        victim = VICTIMS[kill % len(VICTIMS)]
        wrong = kill_one(postgres_server, record, tmp_path, victim, SEED + kill)
        assert not wrong, f"after kill {kill}, of the {victim}: {wrong}"


def kill_one(server: PostgresServer, record: str, root: Path, victim: str, seed: int) -> str:
    """Let a writer and a follower work, kill one or their server, and return what is wrong."""
    chance = random.Random(seed)
    folder, following = root / "writer", root / "follower"
    before = len(read_actions(folder))
    processes = {
        "writer": Process(target=work, args=(folder, seed, record)),
        "follower": Process(target=follow, args=(following, record)),
    }
    try:
        for process in processes.values():
            process.start()
        wait_until(lambda: len(read_actions(folder)) > before)
        time.sleep(chance.uniform(0, LONGEST))
        if victim == "server":
            server.kill()
            server.start()
        else:
            processes[victim].kill()
        time.sleep(chance.uniform(0, LONGEST / 4))
    finally:
        for process in processes.values():
            process.kill()
            process.join()
    server.wait_for_clients(record)  # a commit that is under way when its client dies may succeed
    found = (check_in_process(folder, record), check_in_process(following, record))
    return "; ".join(filter(None, found))


def follow(folder: Path, record: str) -> None:
    """Follow the record without a pause, until the process is killed."""
    with open_archive(folder, "read", record) as archive:
        while True:
            with suppress(RecordUnavailableError):
                archive.follower.follow()


def test_lock_of_a_killed_writer_is_free(postgres_server: PostgresServer, tmp_path: Path) -> None:
    record = postgres_server.create_database()
    ours, theirs = Pipe()
    writer = Process(target=hold_lock, args=(tmp_path / "a", record, theirs))
    writer.start()
    assert ours.recv() == "locked"
    writer.kill()
    writer.join()
    with open_archive(tmp_path / "b", "write", record) as archive:
        begun = time.monotonic()
        assert archive.add([article("2", 1)]).new == 1
        assert time.monotonic() - begun < SOON
        assert [one.id for one in archive.articles()] == ["1", "2"]
        assert archive.version == 2
        assert not find_problems(archive)


def hold_lock(folder: Path, record: str, end: Connection) -> None:
    """Write an article, and stop in the middle of the next change."""
    with open_archive(folder, "write", record) as archive:
        archive.add([article("1", 1)])
        database = archive.store.database
        with database.change("put", 1):
            database.connection.execute("DELETE FROM texts")
            end.send("locked")
            time.sleep(3_600)
