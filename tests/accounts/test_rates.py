"""Rates that the servers of an archive count together: sharing, restarts, floods and failures."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from limits import parse

from rag.errors import ArchiveDamagedError, ArchiveUnwritableError
from rag.settings import Settings
from rag.store import rate_windows
from rag.store.rate_windows import FILE, RateWindows
from ui.accounts.rates import RETRY_SECONDS, Rates, SharedStorage
from ui.accounts.throttle import BY_ADDRESS, BY_NAME, BY_NAME_AND_ADDRESS, LoginThrottle
from ui.api.limits import RateLimits
from ui.api.problems import ProblemError

RATE = parse("3/minute")
SPAWN = multiprocessing.get_context("spawn")


class Clock:
    """Clock that tests move."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _admitted(folder: Path, limit: int, attempts: int) -> int:
    """Return how many of a process's attempts are admitted."""
    windows = RateWindows(folder)
    admitted = sum(windows.take("flood", limit, 3600) for _ in range(attempts))
    windows.close()
    return admitted


def _take_one(folder: Path) -> float:
    rates = Rates.open(Settings(archive=folder))
    try:
        return rates.take(RATE, "search", "reader a")
    finally:
        rates.close()


def test_two_processes_share_a_window(tmp_path: Path) -> None:
    here = Rates.open(Settings(archive=tmp_path))
    assert here.take(RATE, "search", "reader a") == 0
    with SPAWN.Pool(1) as pool:
        assert pool.apply(_take_one, (tmp_path,)) == 0
        assert here.take(RATE, "search", "reader a") == 0
        wait = pool.apply(_take_one, (tmp_path,))
    assert 0 < wait <= 60
    assert 0 < here.take(RATE, "search", "reader a") <= 60
    assert here.take(RATE, "search", "reader b") == 0
    here.close()


def test_restart_keeps_a_window(tmp_path: Path) -> None:
    settings = Settings(archive=tmp_path, search_rate="2/minute")
    for _ in range(2):
        limits = RateLimits(settings, Rates.open(settings))
        limits.take("search", "a")
        limits.close()
    again = RateLimits(settings, Rates.open(settings))
    with pytest.raises(ProblemError) as refused:
        again.take("search", "a")
    again.close()
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60


def test_login_throttle_is_shared(tmp_path: Path) -> None:
    one, other = (LoginThrottle(Rates.open(Settings(archive=tmp_path))) for _ in range(2))
    for number in range(BY_NAME.amount):
        assert (one, other)[number % 2].take(f"192.0.2.{number}", "Ada") == 0
    assert 0 < one.take("192.0.2.99", "ada") <= BY_NAME.get_expiry()
    assert other.take("192.0.2.98", "ADA") > 0
    for number in range(BY_ADDRESS.amount):
        assert (one, other)[number % 2].take("198.51.100.1", f"name {number}") == 0
    assert one.take("198.51.100.1", "one more") > 0
    assert other.take("198.51.100.1", "one more") > 0
    one.close()
    other.close()


def test_bad_logins_elsewhere_do_not_keep_a_user_out() -> None:
    throttle = LoginThrottle()
    for _ in range(BY_NAME_AND_ADDRESS.amount):
        assert throttle.take("198.51.100.1", "ada") == 0
    assert 0 < throttle.take("198.51.100.1", "ADA") <= BY_NAME_AND_ADDRESS.get_expiry()
    assert throttle.take("198.51.100.1", "ben") == 0
    assert throttle.take("192.0.2.1", "ada") == 0


def test_address_of_an_earlier_login_stays_open(tmp_path: Path) -> None:
    """Even while guesses from many addresses close a name for others, and after a restart."""
    before = LoginThrottle(Rates.open(Settings(archive=tmp_path)))
    before.remember("192.0.2.1", "Ada")
    before.remember("192.0.2.1", "Ada")
    before.close()
    throttle = LoginThrottle(Rates.open(Settings(archive=tmp_path)))
    for number in range(BY_NAME.amount):
        assert throttle.take(f"198.51.100.{number}", "ada") == 0
    assert throttle.take("192.0.2.2", "ada") > 0
    assert throttle.take("192.0.2.1", "ben") == 0
    for _ in range(BY_NAME_AND_ADDRESS.amount):  # the strict limit counts there, too
        assert throttle.take("192.0.2.1", "ada") == 0
    assert throttle.take("192.0.2.1", "ada") > 0
    throttle.close()


def test_eight_processes_admit_exactly_the_limit(tmp_path: Path) -> None:
    """All begin with a file that nobody has created yet."""
    with SPAWN.Pool(8) as pool:
        admitted = pool.starmap(_admitted, [(tmp_path, 500, 150)] * 8, chunksize=1)
    assert sum(admitted) == 500
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT COUNT(*) FROM entries").fetchone() == (500,)


def test_window_moves(tmp_path: Path, clock: Clock) -> None:
    windows = RateWindows(tmp_path, clock)
    start = clock.now
    for seconds in (0, 10, 20):
        clock.now = start + seconds
        assert windows.take("a", 3, 60)
    assert not windows.take("a", 3, 60)
    assert windows.window("a", 60) == (start, 3)
    clock.now = start + 60.5  # the first has left the window
    assert windows.window("a", 60) == (start + 10, 2)
    assert windows.take("a", 3, 60)
    assert not windows.take("a", 3, 60)
    assert not windows.take("a", 3, 60, amount=4)
    clock.now = start + 1000
    assert windows.window("a", 60) == (clock.now, 0)
    assert windows.take("a", 3, 60, amount=2)
    assert not windows.take("a", 3, 60, amount=2)
    windows.close()


def test_entry_of_a_wrong_clock_keeps_nobody_out(tmp_path: Path, clock: Clock) -> None:
    windows = RateWindows(tmp_path, clock)
    now, clock.now = clock.now, clock.now + 365 * 86_400
    assert windows.take("a", 1, 60)
    clock.now = now
    assert windows.take("a", 1, 60)
    assert not windows.take("a", 1, 60)
    windows.close()


def test_file_stays_small(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_windows, "MOST_ENTRIES", 200)
    windows = RateWindows(tmp_path, clock)
    for number in range(1000):
        clock.now += 1
        assert windows.take(f"key {number}", 5, 3600)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        (held,) = connection.execute("SELECT COUNT(*) FROM entries").fetchone()
        assert held <= 200 + rate_windows.SWEEP_SECONDS
        assert not windows.take("key 999", 1, 3600)  # the newest are kept
        clock.now += 4000
        assert windows.take("another", 5, 3600)
        assert connection.execute("SELECT COUNT(*) FROM entries").fetchone() == (1,)
    windows.close()


def test_file_is_private_and_names_nobody(tmp_path: Path) -> None:
    rates = Rates.open(Settings(archive=tmp_path))
    LoginThrottle(rates).take("192.0.2.7", "a password typed as a name")
    files = list(tmp_path.glob(f"{FILE}*"))
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"password" not in path.read_bytes()
        assert b"192.0.2.7" not in path.read_bytes()
    rates.close()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def _is_memory(
    folder: Path, caplog: pytest.LogCaptureFixture, storage: SharedStorage | None = None
) -> bool:
    """Return whether rates work in memory alone, and the log says it once."""
    rates = Rates(storage or SharedStorage(RateWindows(folder)))
    with caplog.at_level(logging.WARNING):
        taken = [rates.take(RATE, "search", "a") for _ in range(5)]
    rates.close()
    assert taken[:3] == [0, 0, 0]
    assert min(taken[3:]) > 0
    messages = [one.message for one in caplog.records if one.name == "backfile.rates"]
    return len(messages) == 1 and "in memory" in messages[0]


@pytest.mark.parametrize("content", [b"not a database " * 400, b"SQLite format 3\0" + b"x" * 9000])
def test_damaged_file_leaves_rates_in_memory(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ArchiveDamagedError, match=FILE):
        RateWindows(tmp_path).take("a", 1, 60)
    assert _is_memory(tmp_path, caplog)
    assert (tmp_path / FILE).read_bytes() == content


def test_newer_schema_leaves_rates_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert _is_memory(tmp_path, caplog)


def test_damage_in_use_leaves_rates_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    windows = RateWindows(tmp_path)
    for number in range(2000):
        windows.take(f"key {number}", 1, 3600)
    windows.close()
    content = bytearray((tmp_path / FILE).read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    (tmp_path / FILE).write_bytes(content)
    assert _is_memory(tmp_path, caplog)


def test_folder_that_cannot_be_written_to_leaves_rates_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Even root can't create a file in a file, or in a folder that is gone."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveUnwritableError):
        RateWindows(tmp_path / "file").take("a", 1, 60)
    assert _is_memory(tmp_path / "file", caplog)
    caplog.clear()
    assert _is_memory(tmp_path / "missing", caplog)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_read_only_folder_leaves_rates_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o500)
    try:
        assert _is_memory(tmp_path, caplog)
    finally:
        tmp_path.chmod(0o700)


def test_read_only_file_leaves_rates_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class ReadOnly(RateWindows):
        def _prepare(self, connection: sqlite3.Connection) -> None:  # type: ignore[override]
            super()._prepare(connection)  # type: ignore[arg-type]
            connection.execute("PRAGMA query_only = ON")  # as if read-only

    assert _is_memory(tmp_path, caplog, SharedStorage(ReadOnly(tmp_path)))


def test_long_lock_leaves_rates_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_windows, "WAIT", 0.1)
    RateWindows(tmp_path).take("a", 1, 60)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert _is_memory(tmp_path, caplog)
        assert time.monotonic() - began < 5
        other.execute("ROLLBACK")


def test_shared_store_is_tried_again(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / FILE).write_bytes(b"not a database " * 400)
    storage = SharedStorage(RateWindows(tmp_path), clock)
    assert not storage.check()
    (tmp_path / FILE).unlink()
    assert not storage.check()
    clock.now += RETRY_SECONDS
    assert storage.check()
    storage.close()


def test_deleted_file_is_created_again(tmp_path: Path) -> None:
    windows = RateWindows(tmp_path)
    assert windows.take("a", 1, 60)
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    assert windows.take("a", 1, 60)
    assert not RateWindows(tmp_path).take("a", 1, 60)
    windows.close()


@pytest.mark.parametrize("make", [RateWindows, None])
def test_storage_counts_as_the_library_does(
    make: Callable[[Path], RateWindows] | None, tmp_path: Path
) -> None:
    """The fixed windows of `limits`, in the file and in memory."""
    folder = tmp_path if make else tmp_path / "missing"
    storage = SharedStorage(RateWindows(folder))
    assert storage.get("a") == 0
    assert [storage.incr("a", 60), storage.incr("a", 60, 2)] == [1, 3]
    assert storage.get("a") == 3
    assert 0 < storage.get_expiry("a") - time.time() <= 60
    assert storage.acquire_entry("a", 1, 60)  # a window isn't the counter of its name
    assert storage.get("a") == 3
    storage.clear("a")
    assert storage.get("a") == 0
    assert storage.get_moving_window("a", 1, 60)[1] == 0
    storage.incr("b", 60)
    assert storage.reset() is not None
    assert storage.get("b") == 0
    storage.close()
