"""Feeds: schedules, backoff, reads that are interrupted, undo, erasure, backups, migration."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.archive.backup import restore_backup, write_backup
from rag.errors import InvalidValueError, SavedItemError
from rag.store.feeds import (
    BY_HAND,
    INTERRUPTED,
    LONGEST_BACKOFF,
    SHORTEST_INTERVAL,
    Feed,
    FeedStore,
    next_read,
)
from rag.store.saved_database import MIGRATIONS, SavedDatabase
from rag.store.saved_erasure import erase_from_saved
from rag.store.saved_validation import find_saved_damage, validate_saved
from tests.support.fakes import HARBOUR, small_archive

URL = "https://gull.example/feed"
HOUR, DAY = 3600, 86_400


@pytest.fixture
def feeds(tmp_path: Path) -> FeedStore:
    return FeedStore(SavedDatabase(tmp_path))


def add(feeds: FeedStore, url: str = URL, every: int = HOUR) -> Feed:
    return feeds.add(url, every=every, creator="192.0.2.7")


def read(feeds: FeedStore, feed: Feed, error: str = "", **counts: int) -> Feed:
    before = feeds.begin(feed.id)
    assert before is not None
    after = feeds.finish(before, counts, error=error)
    assert after is not None
    return after


def until(feed: Feed) -> float:
    """Return the seconds until a feed's next read."""
    assert feed.due is not None
    return (feed.due - datetime.now(UTC)).total_seconds()


def test_feed_is_due_at_once_and_then_after_its_interval(feeds: FeedStore) -> None:
    feed = add(feeds)
    assert feeds.due() == (feed,)
    after = read(feeds, feed, new=3, unchanged=4)
    assert dict(after.counts) == {"new": 3, "changed": 0, "unchanged": 4, "rejected": 0}
    assert feeds.due() == ()
    assert HOUR - 60 < until(after) <= HOUR
    assert feeds.due(datetime.now(UTC) + timedelta(seconds=HOUR)) == (after,)


def test_feed_read_by_hand_is_never_due(feeds: FeedStore) -> None:
    feed = add(feeds, every=BY_HAND)
    assert feed.due is None
    assert read(feeds, feed).due is None
    assert feeds.due(datetime(9999, 1, 1, tzinfo=UTC)) == ()


def test_failures_in_a_row_double_the_wait(feeds: FeedStore) -> None:
    feed = add(feeds)
    waits = []
    for _ in range(7):
        feed = read(feeds, feed, error="HTTP status 503")
        waits.append(round(until(feed) / HOUR))
    assert waits == [1, 2, 4, 8, 16, 24, 24]
    assert (feed.failures, feed.error) == (7, "HTTP status 503")
    feed = read(feeds, feed, new=1)
    assert (feed.failures, feed.error, round(until(feed) / HOUR)) == (0, "", 1)


@pytest.mark.parametrize("failures", [0, 1, 50, 10**6])
def test_wait_is_bounded(failures: int) -> None:
    assert next_read(7 * DAY, failures) == timedelta(days=7)
    assert next_read(HOUR, failures) <= timedelta(seconds=LONGEST_BACKOFF)


def test_read_that_dies_counts_as_a_failure(feeds: FeedStore) -> None:
    """A process that is killed by a feed, and is started again, does not read it in a loop."""
    feed = add(feeds)
    feeds.begin(feed.id)
    feeds.begin(feed.id)
    after = feeds.get(feed.id)
    assert (after.failures, after.error) == (2, INTERRUPTED)
    assert round(until(after) / HOUR) == 2
    assert feeds.begin(feed.id, only_due=True) is None


def test_stopped_read_is_soon_continued(feeds: FeedStore) -> None:
    before = feeds.begin(add(feeds).id)
    assert before is not None
    after = feeds.finish(before, {"new": 9}, is_partial=True)
    assert after is not None
    assert until(after) <= SHORTEST_INTERVAL
    assert after.failures == 0


def test_pause_and_resume_keep_the_schedule(feeds: FeedStore) -> None:
    feed = read(feeds, add(feeds))
    paused = feeds.pause(URL, is_paused=True)
    assert paused.is_paused
    assert paused.due is None
    assert read(feeds, feed).due is None  # read by hand meanwhile
    resumed = feeds.pause(URL, is_paused=False)
    assert round(until(resumed) / HOUR) == 1


def test_schedule_follows_the_last_read(feeds: FeedStore) -> None:
    read(feeds, add(feeds))
    assert round(until(feeds.schedule(URL, 6 * HOUR)) / HOUR) == 6
    assert feeds.schedule(URL, BY_HAND).due is None
    feeds.pause(URL, is_paused=True)
    assert feeds.schedule(URL, HOUR).due is None


def test_schedule_changed_while_reading_is_kept(feeds: FeedStore) -> None:
    before = feeds.begin(add(feeds).id)
    feeds.pause(URL, is_paused=True)
    assert before is not None
    after = feeds.finish(before, {"new": 1})
    assert after is not None
    assert after.is_paused
    assert after.due is None


def test_feed_removed_while_reading_stays_removed(feeds: FeedStore) -> None:
    before = feeds.begin(add(feeds).id)
    feeds.remove(URL)
    assert before is not None
    assert feeds.finish(before, {"new": 1}) is None
    assert feeds.all() == ()
    assert feeds.due() == ()


def test_removal_is_undone_once(feeds: FeedStore) -> None:
    feed = feeds.remove(add(feeds).id)
    assert [one.id for one in feeds.all(deleted=True)] == [feed.id]
    assert feeds.restore(feed.id).url == URL
    with pytest.raises(SavedItemError, match="time to undo is over"):
        feeds.restore(feed.id)


def test_removed_feed_that_was_added_again_is_not_restored(feeds: FeedStore) -> None:
    feed = feeds.remove(add(feeds).id)
    add(feeds)
    with pytest.raises(SavedItemError, match="added again"):
        feeds.restore(feed.id)


def test_same_address_is_added_once(feeds: FeedStore) -> None:
    add(feeds)
    with pytest.raises(SavedItemError, match="already"):
        add(feeds)


@pytest.mark.parametrize("every", [-1, 1, SHORTEST_INTERVAL - 1, 10**9])
def test_interval_outside_the_limits_is_refused(feeds: FeedStore, every: int) -> None:
    with pytest.raises(InvalidValueError, match="interval"):
        add(feeds, every=every)
    add(feeds)
    with pytest.raises(InvalidValueError, match="interval"):
        feeds.schedule(URL, every)


@pytest.mark.parametrize("url", ["", "  ", "a b", "https://gull.example/\u202e", "x" * 3000])
def test_text_that_is_no_address_is_refused(feeds: FeedStore, url: str) -> None:
    with pytest.raises(InvalidValueError):
        add(feeds, url)


def test_unknown_feed_is_named(feeds: FeedStore) -> None:
    for act in (feeds.get, feeds.remove, lambda name: feeds.pause(name, is_paused=True)):
        with pytest.raises(SavedItemError, match="No feed 'gull'"):
            act("gull")


def test_feeds_survive_a_backup(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        read(FeedStore(SavedDatabase(archive.path)), add(FeedStore(SavedDatabase(archive.path))))
        write_backup(archive.store, tmp_path / "backup")
    restore_backup(tmp_path / "backup", tmp_path / "other")
    (feed,) = FeedStore(SavedDatabase(tmp_path / "other")).all()
    assert (feed.url, feed.every, feed.creator) == (URL, HOUR, "192.0.2.7")


def test_file_of_an_earlier_version_gets_feeds(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "saved.sqlite3")) as file:
        file.executescript(MIGRATIONS[0] + "PRAGMA user_version = 1;")
    assert FeedStore(SavedDatabase(tmp_path)).all() == ()
    add(FeedStore(SavedDatabase(tmp_path)))
    assert find_saved_damage(SavedDatabase(tmp_path)) == ""


@pytest.mark.parametrize(
    "change",
    ["every = 3", "url = 'a b'", "due = 'soon'", "created = '2024-01-01'", "counts = '[]'"],
)
def test_damaged_feed_is_found(tmp_path: Path, change: str) -> None:
    add(FeedStore(SavedDatabase(tmp_path)))
    validate_saved(tmp_path / "saved.sqlite3")
    with closing(sqlite3.connect(tmp_path / "saved.sqlite3")) as file:
        file.execute(f"UPDATE feeds SET {change}")
        file.commit()
    assert find_saved_damage(SavedDatabase(tmp_path))


def test_erasure_removes_the_article_from_feeds(tmp_path: Path) -> None:
    feeds = FeedStore(SavedDatabase(tmp_path))
    add(feeds, HARBOUR.url)
    front = HARBOUR.url.rpartition("/")[0] + "/"
    read(feeds, add(feeds, front), error=f"bad page: {HARBOUR.title}")
    erase_from_saved(
        SavedDatabase(tmp_path), [HARBOUR.id], lambda text: HARBOUR.title in text, {HARBOUR.url}
    )
    assert [(one.url, one.error) for one in feeds.all()] == [(front, "")]
    assert HARBOUR.title.encode() not in (tmp_path / "saved.sqlite3").read_bytes()
