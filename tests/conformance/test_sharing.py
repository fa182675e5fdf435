"""Two servers and two ingests on one record: see `tests.benchmarks.sharing`."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from tests.benchmarks.sharing import LATEST, share

SECONDS = 10


@pytest.mark.full
def test_two_servers_and_two_ingests(shared_record: str, tmp_path: Path) -> None:
    done = share(shared_record, tmp_path, SECONDS)
    assert not done.problems
    assert done.added > 2
    assert len(done.latencies) > done.added  # on both servers, but for the last ones
    assert statistics.median(done.latencies) < LATEST
