"""Ingest runs: logged with their result; rejects are kept until they go in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from ingest.fetch.client import Client, Limits
from ingest.readers import ReaderOptions
from ingest.report import IngestReport
from ingest.runner import dry_run, run_ingest, source_of_place
from rag.settings import Settings
from rag.store.ingest_log import IngestRun, RejectedInput, RejectLog, RunLog
from rag.store.sqlite_database import SqliteDatabase
from tests.fetch.test_crawler import page
from tests.ingest.test_pipeline import DictArchive
from tests.readers.test_compression import zip_members
from tests.support.fake_site import FakeSite, Page, serve_site
from tests.support.fakes import ARTICLES, as_json
from ui.cli.logs import log_to_file


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serve_site() as found:
        yield found


class LoggedArchive(DictArchive):
    """An archive in a dictionary, with its ingest log in a database."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.store = self

    @cached_property
    def database(self) -> SqliteDatabase:
        return SqliteDatabase(self.folder, create=True, writable=True)


class RunHarness:
    """An archive for several ingest runs."""

    def __init__(self, folder: Path) -> None:
        self.archive = LoggedArchive(folder)

    def run(self, *sources: str | Path, **more: Any) -> IngestReport:
        reading = ReaderOptions(links="follow")
        with self.client() as client:
            return run_ingest(self.archive, sources, client=client, reading=reading, **more)

    def dry_run(self, *sources: str | Path) -> tuple[IngestReport, list[tuple[str, str]]]:
        archive = self.archive if self.archive.folder.exists() else None
        reading = ReaderOptions(links="follow")
        with self.client() as client:
            report, rehearsal = dry_run(archive, sources, client=client, reading=reading)
        return report, [(what, head.title) for what, head in rehearsal.articles]

    def client(self) -> Client:
        return Client(Limits(seconds=5, delay=0, back_off=0.01), allowed=("127.0.0.1",))

    def rejects(self) -> list[RejectedInput]:
        return RejectLog(self.archive.database).all()

    def runs(self) -> list[IngestRun]:
        return RunLog(self.archive.database).recent()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[RunHarness]:
    room = RunHarness(tmp_path / "archive")
    yield room
    if room.archive.folder.exists():
        room.archive.database.close()


def write_dump(path: Path, *, broken: int = 0) -> Path:
    lines = [json.dumps(as_json(article)) for article in ARTICLES] + ["{broken"] * broken
    path.write_text("\n".join(lines))
    return path


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.rejected


# Rejects


def test_reject_is_kept_until_its_file_is_read_without_it(
    harness: RunHarness, tmp_path: Path
) -> None:
    path = write_dump(tmp_path / "a.jsonl", broken=2)
    harness.run(path)
    first, second = harness.rejects()
    assert (first.place, second.place) == (f"{path}:5", f"{path}:6")
    assert first.source == second.source == str(path)
    assert first.reason.startswith("broken JSON")
    write_dump(path, broken=1)
    harness.run(path)
    assert [refused.place for refused in harness.rejects()] == [f"{path}:5"]
    write_dump(path)
    harness.run(path)
    assert harness.rejects() == []


def test_rejects_of_a_folder_are_forgotten_when_it_is_read_again(
    harness: RunHarness, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    inside = write_dump(tmp_path / "in" / "a.jsonl", broken=1)
    beside = write_dump(tmp_path / "in.jsonl", broken=1)
    harness.run(tmp_path / "in", beside)
    assert len(harness.rejects()) == 2
    write_dump(inside)
    harness.run(tmp_path / "in")
    assert [refused.source for refused in harness.rejects()] == [str(beside)]


def test_rejected_page_is_forgotten_once_added(harness: RunHarness, site: FakeSite) -> None:
    harness.run(site.url("/crane"))
    (refused,) = harness.rejects()
    assert (refused.source, refused.reason) == (site.url("/crane"), "not found (404)")
    site.pages["/crane"] = page("Crane falls")
    harness.run(refused.source)
    assert harness.rejects() == []


def test_source_of_place_is_what_to_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a:1.zip"
    file.write_text("x")
    for place in (file, f"{file}!b.jsonl:17", f"{file}:17", f"{file}!c/d!e"):
        assert source_of_place(str(place)) == str(file)
    assert source_of_place("https://v.example/a:1!b") == "https://v.example/a:1!b"
    missing = str(tmp_path / "missing" / "x")
    assert source_of_place(missing) in (missing, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert source_of_place("./a:1.zip:3") == str(file)


@pytest.mark.parametrize(
    "member", ["../../../../../../../../etc/passwd", "https://h/../../../../../../etc/passwd"]
)
def test_source_of_place_ignores_member_names(tmp_path: Path, member: str) -> None:
    file = tmp_path / "dump.zip"
    file.write_text("x")
    assert source_of_place(f"{file}!{member}") == str(file)
    assert source_of_place(f"{file}!{'a' * 300}") == str(file)


def test_reject_within_a_file_keeps_its_place(harness: RunHarness, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_members({"b//../c.jsonl": b'{"title": "half'}))
    harness.run(tmp_path / "a.zip")
    (refused,) = harness.rejects()
    assert refused.place.removeprefix(refused.source) == "!b//../c.jsonl:1"


def test_reject_in_a_fetched_file_is_retried_with_the_file(
    harness: RunHarness, site: FakeSite
) -> None:
    line = {"title": "Crane falls", "text": "It fell."}
    held = json.dumps(line).encode() + b"\n" + b'{"title": "half\n'
    site.pages["/a:b/dump"] = Page(gzip.compress(held), etag=True)
    address = site.url("/a:b/dump")
    assert counts(harness.run(address)) == (1, 0, 0, 1)
    (refused,) = harness.rejects()
    assert (refused.source, refused.place) == (address, f"{address}:2")
    # Requested without validators: a missing page may exist by now, or be allowed.
    assert counts(harness.run(address)) == (0, 0, 1, 1)
    site.pages["/a:b/dump"] = Page(held[: held.index(b"\n") + 1], etag=True)
    harness.run(address)
    assert harness.rejects() == []


# Runs, and the log


def test_run_is_logged_with_its_figures(harness: RunHarness, tmp_path: Path) -> None:
    path = write_dump(tmp_path / "a.jsonl", broken=1)
    harness.run(path)
    (kept,) = harness.runs()
    assert kept.ended is not None
    assert kept.ended >= kept.began
    assert kept.figures["sources"] == [str(path)]
    assert (kept.figures["new"], kept.figures["rejected"]) == (4, 1)


def test_run_or_failure_is_a_json_line_in_the_log(harness: RunHarness, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    path = write_dump(tmp_path / "a.jsonl")

    def fail(_: object) -> None:
        raise OSError("no space left on device")

    with log_to_file(Settings(log=str(log))):
        harness.run(path)
        with pytest.raises(OSError, match="no space"):
            harness.run(path, on_progress=fail)
    first, second = map(json.loads, log.read_text().splitlines())
    assert (first["level"], first["event"], first["new"], first["run"]) == ("info", "ingest", 4, 1)
    assert (second["level"], second["error"]) == ("error", "OSError: no space left on device")
    harness.run(path)  # nothing is logged any more
    assert len(log.read_text().splitlines()) == 2


# Dry runs


def test_dry_run_reports_and_creates_no_archive(
    harness: RunHarness, tmp_path: Path, site: FakeSite
) -> None:
    site.pages["/crane"] = page("Crane falls")
    path = write_dump(tmp_path / "a.jsonl", broken=1)
    path.write_text(path.read_text() + "\n" + json.dumps(as_json(ARTICLES[0])))
    report, articles = harness.dry_run(path, site.url("/crane"))
    assert counts(report) == (5, 0, 1, 1)
    assert articles[-1] == ("new", "Crane falls")
    assert not harness.archive.folder.exists()


def test_dry_run_leaves_the_archive_unchanged(
    harness: RunHarness, tmp_path: Path, site: FakeSite
) -> None:
    site.pages["/crane"] = page("Crane falls")
    path = write_dump(tmp_path / "a.jsonl")
    harness.run(path, site.url("/crane"))
    path.write_text(path.read_text().replace("six weeks", "seven weeks"))
    report, articles = harness.dry_run(path, site.url("/crane"), site.url("/gone"))
    assert counts(report) == (0, 1, 4, 1)
    assert articles == [("changed", ARTICLES[0].title)]
    assert harness.rejects() == []
    assert len(harness.runs()) == 1
    assert harness.archive.batches == [5]


def test_dry_run_counts_equal_the_real_run(
    harness: RunHarness, tmp_path: Path, site: FakeSite
) -> None:
    site.pages |= {"/a": page("Crane falls"), "/b": Page(status=404)}
    path = write_dump(tmp_path / "a.jsonl", broken=1)
    sources = (path, site.url("/a"), site.url("/b"))
    assert counts(harness.dry_run(*sources)[0]) == counts(harness.run(*sources)) == (5, 0, 0, 2)
