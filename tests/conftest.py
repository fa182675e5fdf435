"""Settings, order and markers of the whole suite."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# One thread for each process, as the commands do: idle threads of OpenBLAS and of torch spin, and
# there are several workers, a browser and its server on the same cores.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# A shell's background jobs ignore Ctrl-C, and so would every process that a test starts and stops
# with it; one with a handler of its own hands the default on.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: the machine may be shared, and no test is about time.
settings.register_profile("fewer", deadline=None, max_examples=40)
settings.register_profile("full", deadline=None, max_examples=200)
settings.load_profile("fewer")


FIRST = ("full", "browser", "model")  # markers of what takes longest


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the browser, and put slow files first, so that all workers end together."""
    place: dict[Path, int] = {}
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        markers = (n for n, name in enumerate(FIRST) if item.get_closest_marker(name))
        place[item.path] = min(place.get(item.path, len(FIRST)), *markers, len(FIRST))
    items.sort(key=lambda item: place[item.path])
