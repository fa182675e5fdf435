"""Settings, order and markers of the whole suite."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import settings

from tests.browser.reader import WAIT
from tests.support.chroma_server import ChromaProcess
from tests.support.chromium import find_browser, open_browser
from tests.support.commands import run
from tests.support.example_counts import USUAL

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# One thread for each process, as the commands do: idle threads of OpenBLAS and of torch spin, and
# there are several workers, a browser and its server on the same cores.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Keep the tests' files in memory if there is room: each commit of an archive waits for the disk.
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# A shell's background jobs ignore Ctrl-C, and so would every process that a test starts; with a
# handler of our own, children get the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: the machine may be shared, and no property is about time. The profile also scales
# `tests.support.example_counts`.
settings.register_profile("some", deadline=None, max_examples=USUAL * 3 // 10)
settings.register_profile("full", deadline=None, max_examples=USUAL * 2)
settings.load_profile("some")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if find_browser() is None:
        pytest.skip("no browser: `apt-get install chromium`, or any Chrome, puts one in the path")
    sync_api = pytest.importorskip("playwright.sync_api")
    sync_api.expect.set_options(timeout=WAIT)
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def chroma_process() -> Iterator[ChromaProcess]:
    """One Chroma server for all tests: it takes seconds to start. Use `chroma_server`."""
    server = ChromaProcess()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def chroma_server(chroma_process: ChromaProcess) -> ChromaProcess:
    """A running Chroma server, which tests may kill; it keeps what other tests wrote."""
    return chroma_process.ensure_running()


@pytest.fixture(scope="session")
def real_model() -> None:
    """Mark the tests that load the real embedding model, directly or through a fixture."""


@pytest.fixture(scope="session")
def sample_archive(real_model: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the sample archive, ingested once for all workers: copy it to write to it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / "sample-archive"
    with FileLock(root / "sample-archive.lock"):
        if not folder.exists():
            made = root / "sample-archive.made"
            done = run("ingest", "--sample", "--archive", made)
            assert done.code == 0, done.stderr
            made.rename(folder)
    return folder


FIRST = ("full", "browser", "model")  # markers of the slowest tests
MARKED = {"browser": "browser", "real_model": "model"}  # fixture -> marker of its tests


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they use, and put slow files first, so that all workers end together."""
    place: dict[Path, int] = {}
    for item in items:
        for fixture in MARKED.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKED[fixture])
            if fixture == "browser":  # late on a busy machine now and then; reruns are listed
                item.add_marker(pytest.mark.flaky(reruns=1))
        markers = (n for n, name in enumerate(FIRST) if item.get_closest_marker(name))
        place[item.path] = min(place.get(item.path, len(FIRST)), *markers, len(FIRST))
    items.sort(key=lambda item: place[item.path])


class ShownAtOnce:
    """Shows each failure when it happens: a run that is stopped never comes to its summary."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.write_line("")
            terminal.write_line(f"{report.nodeid}, {report.when}, {report.duration:.0f} s:")
            terminal.write_line(report.longreprtext)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ShownAtOnce(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Let a test run an event loop although Playwright's is still running."""
    playwrights = asyncio._get_running_loop()
    if "browser" not in getattr(item, "fixturenames", ()):
        asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(playwrights)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a worker one file at a time, or half of the browser tests, which share servers."""
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, _ = nodeid.partition("::")
            path = Path(file)
            if path.parent.name != "browser":
                return file
            return "browser, first half" if path.name < "test_f" else "browser, second half"

    return Files(config, log) if config.getoption("dist") == "loadfile" else None
