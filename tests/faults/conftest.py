"""Size of the fault tests: a little in CI, all of it with `make faults`."""

from __future__ import annotations

import os

import pytest

from tests.conformance.conftest import postgres_server as postgres_server

IN_FULL = os.environ.get("FAULTS") == "full"
KILLS = int(os.environ.get("KILLS") or (500 if IN_FULL else 20))


@pytest.fixture(scope="session")
def in_full() -> bool:
    return IN_FULL


@pytest.fixture(scope="session")
def kills() -> int:
    return KILLS
