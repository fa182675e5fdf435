"""How much is tried: a little in CI, all of it with `make faults`."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.context import ForkServerContext

import pytest

IN_FULL = os.environ.get("FAULTS") == "full"


@pytest.fixture(scope="session")
def in_full() -> bool:
    return IN_FULL


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Processes that have imported what they need, and opened nothing: Chroma does not fork."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.desk", "chromadb"])
    return context
