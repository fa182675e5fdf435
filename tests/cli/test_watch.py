"""`backfile ingest --every` and `--watch`: rounds until the user stops it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest

from ingest.report import IngestReport
from ui.cli.watch import watch

pytestmark = pytest.mark.slow  # rounds wait for files and timers

Source = str | Path


class Rounds:
    """Adds nothing: remembers what each round should read, and calls `then` in each."""

    def __init__(self, *then: Callable[[], None]) -> None:
        self.stop = Event()
        self.read: list[list[Source]] = []
        self._then = list(then)

    def run(self, sources: Sequence[Source], **_: Any) -> IngestReport:
        self.read.append(list(sources))
        if self._then:
            self._then.pop(0)()
        if not self._then:
            self.stop.set()
        return IngestReport(new=len(self.read))


def run_watch(rounds: Rounds, *sources: Source, **how: Any) -> None:
    options = {"every": None, "files": False, "as_json": False, **how}
    late = Timer(60, rounds.stop.set)  # ends the watch if a test fails
    late.start()
    try:
        watch(rounds, sources, **options)  # type: ignore[arg-type]
    finally:
        late.cancel()


def nothing() -> None:
    return


def test_watch_reads_sources_repeatedly(capsys: pytest.CaptureFixture[str]) -> None:
    rounds = Rounds(nothing, nothing, nothing)
    run_watch(rounds, "https://v.example/feed", every=0.01)
    assert rounds.read == [["https://v.example/feed"]] * 3
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1].split(",")[0] for line in lines] == ["1 new", "2 new", "3 new"]


def test_watch_reports_a_failed_round_and_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise OSError("no space left on device")

    run_watch(Rounds(nothing, fail, nothing), "https://v.example/feed", every=0.01, as_json=True)
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["new"], third["new"]) == (1, 3)
    assert second["error"] == "no space left on device"


def test_watch_reads_only_changed_files(tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("old")

    def write() -> None:
        (tmp_path / "new.html").write_text("new")
        (tmp_path / "new.html.part").write_text("half")
        (tmp_path / ".hidden").write_text("x")

    rounds = Rounds(write, nothing)
    run_watch(rounds, tmp_path, files=True)
    assert rounds.read == [[tmp_path], [tmp_path / "new.html"]]


def test_watch_waits_until_a_file_is_complete(tmp_path: Path) -> None:
    done: list[bool] = []

    def write() -> None:
        out = (tmp_path / "slow.html").open("w")
        out.write("half")
        out.flush()

        def finish() -> None:
            done.append(True)
            out.close()

        Timer(2.5, finish).start()

    rounds = Rounds(write, lambda: done.append(False))
    run_watch(rounds, tmp_path, files=True)
    assert rounds.read[1] == [tmp_path / "slow.html"]
    assert done == [True, False]


def test_watch_ignores_deleted_files(tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("old")
    rounds = Rounds((tmp_path / "old.html").unlink, nothing)
    Timer(2.5, lambda: (tmp_path / "new.html").write_text("new")).start()
    run_watch(rounds, tmp_path, files=True)
    assert rounds.read == [[tmp_path], [tmp_path / "new.html"]]


def test_watch_follows_a_replaced_file(tmp_path: Path) -> None:
    path = tmp_path / "articles.jsonl"
    path.write_text("old")

    def replace() -> None:
        (tmp_path / "other").write_text("new")
        (tmp_path / "other").rename(path)

    rounds = Rounds(replace, nothing)
    run_watch(rounds, path, files=True)
    assert rounds.read == [[path], [path]]


def test_watch_continues_beside_a_missing_source(tmp_path: Path) -> None:
    rounds = Rounds(lambda: (tmp_path / "new.html").write_text("new") and None, nothing)
    missing = tmp_path / "no" / "such" / "folder"
    run_watch(rounds, missing, tmp_path, files=True)
    assert rounds.read == [[missing, tmp_path], [tmp_path / "new.html"]]


def test_watch_keeps_the_interval_if_nothing_exists(tmp_path: Path) -> None:
    rounds = Rounds(nothing, nothing)
    run_watch(rounds, tmp_path / "no" / "such", every=0.01, files=True)
    assert len(rounds.read) == 2
