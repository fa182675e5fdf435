"""Killed writers: nothing acknowledged is lost, and nothing is done twice."""

from __future__ import annotations

import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.faults.random_writer import check_archive, read_actions, work
from tests.support.processes import Pipe, Process

LONGEST = 1.0  # seconds that a writer lives after its first action
OPENING = 0.2  # share of writers killed while they open and repair
SEED = 20241024


@pytest.mark.full
def test_killed_writer_loses_nothing_acknowledged(tmp_path: Path, kills: int) -> None:
    folder = tmp_path / "archive"
    for kill in range(kills):
        wrong = kill_a_writer(folder, SEED + kill)
        assert not wrong, f"after kill {kill}: {wrong}"


def kill_a_writer(folder: Path, seed: int) -> str:
    """Let a writer work for a while, kill it, and return what is wrong with the archive."""
    chance = random.Random(seed)
    opening = chance.random() < OPENING
    before = len(read_actions(folder))
    writer = Process(target=work, args=(folder, seed))
    writer.start()
    deadline = time.monotonic() + 60
    while not opening and len(read_actions(folder)) == before:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    time.sleep(chance.uniform(0, LONGEST))
    failed = not writer.is_alive()
    writer.kill()
    writer.join()
    wrong = check_in_process(folder)
    return f"the writer failed by itself; {wrong}" if failed else wrong


def check_in_process(folder: Path, record: str = "") -> str:
    """Check an archive in a process of its own; return what is wrong with it."""
    ours, theirs = Pipe()
    checker = Process(target=_check, args=(folder, record, theirs))
    checker.start()
    theirs.close()
    try:
        wrong = str(ours.recv())
    except EOFError:
        wrong = "it cannot be checked"
    checker.join()
    return wrong


def _check(folder: Path, record: str, end: Connection) -> None:
    end.send(check_archive(folder, record))
