"""Parallel reading: several processes give the same articles in the same order as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.readers import ReaderOptions, parallel, read
from tests.readers.test_html import BODY

pytestmark = pytest.mark.slow

PAGE = "<html lang='en'><body><h1>Crane {n} falls in Velsund</h1>{body}</body></html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(70):
        text = PAGE.format(n=n, body=BODY) if n % 9 else '{"title": "T", "text": "A line of it."}'
        (tmp_path / f"{n:03}").write_text(text, "utf-8")
    (tmp_path / "035").write_text("<html><body><p>Nothing</p></body></html>", "utf-8")
    return tmp_path


def test_two_processes_read_what_one_reads(folder: Path) -> None:
    told: list[int] = []
    alone = list(read(folder))
    both = list(read(folder, reading=ReaderOptions(workers=2), on_bytes=told.append))
    assert both == alone
    assert sum(told) == sum(file.stat().st_size for file in folder.iterdir())


def test_reading_can_be_closed_halfway(folder: Path) -> None:
    found = read(folder, reading=ReaderOptions(workers=2))
    assert next(found)
    found.close()  # type: ignore[attr-defined]  # waits for what is being read, leaves the rest


def test_killed_worker_loses_no_page(folder: Path) -> None:
    found = read(folder, reading=ReaderOptions(workers=2))
    first = next(found)
    for child in Path("/proc/self/task").glob("*/children"):
        try:
            children = child.read_text().split()
        except FileNotFoundError:  # a thread that has ended meanwhile
            continue
        for pid in children:
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(int(pid), signal.SIGKILL)
    assert [first, *found] == list(read(folder))


def test_workers_exit_with_their_parent(folder: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from ingest.readers import ReaderOptions, read\n"
        "if __name__ == '__main__':\n"
        "    next(read(sys.argv[1], reading=ReaderOptions(workers=2)))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = folder / ".killed.py"
    path.write_text(script)
    # A surviving worker would keep the output open, and the test would wait for it.
    done = subprocess.run(
        [sys.executable, str(path), str(folder)],
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert done.returncode == -signal.SIGKILL


INTERRUPTED = """
import os, signal, sys, threading, time
from ingest.readers import ReaderOptions, read

def interrupt():
    while True:
        time.sleep(0.3)
        os.killpg(0, signal.SIGINT)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)  # as `stopping` does
    threading.Thread(target=interrupt, daemon=True).start()
    print(sum(1 for _ in read(sys.argv[1], reading=ReaderOptions(workers=2))), flush=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
"""


def test_ctrl_c_reaches_only_the_parent(folder: Path) -> None:
    path = folder / ".interrupted.py"
    path.write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, str(path), str(folder)],
        capture_output=True,
        timeout=60,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert (done.stdout.strip(), done.stderr) == ("70", "")


def test_few_pages_are_read_in_one_process(tmp_path: Path) -> None:
    for n in range(parallel.PARALLEL_FROM - 1):
        (tmp_path / f"{n:03}").write_text(PAGE.format(n=n, body=BODY), "utf-8")
    assert len(list(read(tmp_path, reading=ReaderOptions(workers=2)))) == parallel.PARALLEL_FROM - 1
