"""`backfile feeds`: list, add, schedule, remove, and read what is due."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Result, run
from tests.support.fake_site import FakeSite, Page, serve_site
from tests.support.fakes import small_archive

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_archive(tmp_path / "archive").close()
    return tmp_path / "archive"


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serve_site() as found:
        found.pages["/robots.txt"] = Page(b"", 404)
        found.pages["/feed"] = Page(b"gone", 404)
        yield found


def feeds(folder: Path, *arguments: object) -> Result:
    return run("feeds", *arguments, "--archive", folder, BACKFILE_FETCH_ALLOW="127.0.0.1")


def test_feed_is_added_scheduled_and_removed(folder: Path, site: FakeSite) -> None:
    url = site.url("/feed")
    assert "No feeds" in feeds(folder).stdout
    assert "every 6h" in feeds(folder, "add", url, "--every", "6h").stdout
    assert "already" in feeds(folder, "add", url).stderr
    assert "by hand" in feeds(folder, "schedule", url, "--by-hand").stdout
    (listed,) = json.loads(feeds(folder, "list", "--json").stdout)
    assert (listed["url"], listed["every"], listed["due"]) == (url, 0, None)
    assert "paused" in feeds(folder, "pause", listed["id"]).stdout
    assert "resumed" in feeds(folder, "resume", listed["id"]).stdout
    assert feeds(folder, "remove", url).code == 0
    assert "No feeds" in feeds(folder).stdout
    assert feeds(folder, "restore", listed["id"]).code == 0
    assert url in feeds(folder).stdout


def test_run_reads_what_is_due_and_says_what_failed(folder: Path, site: FakeSite) -> None:
    url = site.url("/feed")
    assert feeds(folder, "run").stdout == ""
    feeds(folder, "add", url)
    done = feeds(folder, "run")
    assert done.code == 3
    assert f"{url}: failed:" in done.stdout
    assert "404" in done.stdout
    assert feeds(folder, "run") == Result(0, "", "")  # not due before an hour is over
    (line,) = feeds(folder, "run", url, "--json").stdout.splitlines()
    assert "404" in json.loads(line)["error"]
    assert "failed 2x" in feeds(folder).stdout
    feeds(folder, "pause", url)
    assert feeds(folder, "run", "--all").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        *((("add", "gull.example"), 1), (("add", "http://10.0.0.7/"), 1), (("remove", "x"), 1)),
        *((("add", "https://203.0.113.9/", "--every", "1m"), 1), (("run", "x"), 1)),
        (("add", "https://203.0.113.9/", "--every", "1h", "--by-hand"), 2),
        *((("schedule", "x"), 2), (("run", "x", "--all"), 2)),
    ],
)
def test_wrong_arguments_change_nothing(
    folder: Path, arguments: tuple[str, ...], code: int
) -> None:
    done = feeds(folder, *arguments)
    assert done.code == code
    assert len(done.stderr.splitlines()) == 1
    assert "No feeds" in feeds(folder).stdout


def test_feeds_need_an_archive(tmp_path: Path) -> None:
    done = feeds(tmp_path / "none", "add", "https://203.0.113.9/feed")
    assert done.code == 1
    assert "No archive" in done.stderr or "no archive" in done.stderr
    assert not (tmp_path / "none").exists()
