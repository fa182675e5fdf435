"""Feeds, sitemaps and pages that an archive is fed from, each with a schedule.

They are in the file of saved items, not in the archive's own database: the page and the command
line change them while an ingest holds the archive's write lock, and backups include them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rag.errors import InvalidValueError, SavedItemError
from rag.sanitize import single_line
from rag.store.database import Connection
from rag.store.saved_database import SavedDatabase
from rag.store.saved_names import MOST, clean_text, new_id, now_text
from rag.store.side_database import to_text

BY_HAND = 0  # the interval of a feed that is read on request only
SHORTEST_INTERVAL = 300  # seconds; publishers block readers that ask more often
LONGEST_INTERVAL = 366 * 86_400
LONGEST_URL = 2_000  # characters
LONGEST_ERROR = 500
LONGEST_BACKOFF = 86_400  # seconds between attempts to read a feed that fails
INTERRUPTED = "the read was interrupted"  # the error while a read is in progress
COUNTS = ("new", "changed", "unchanged", "rejected")
_COLUMNS = "id, url, every, paused, created, creator, due, read, counts, error, failures, deleted"


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, sitemap or page that is read on a schedule.

    Attributes:
        id: Its id.
        url: Its address.
        every: Seconds from one read to the next; `BY_HAND` if it is only read on request.
        is_paused: Whether the schedule is suspended.
        created: The time at which it was added.
        creator: Who added it: a client's address, or "command".
        due: The time of the next read; None if it is paused or read by hand.
        read: The end of the last read; None if it was never read.
        counts: Articles of the last read, by `COUNTS`.
        error: Why the last read failed; "" if it didn't.
        failures: Failed reads since the last success.
        deleted: The time of its removal; None if it isn't removed.
    """

    id: str
    url: str
    every: int
    is_paused: bool
    created: datetime
    creator: str
    due: datetime | None
    read: datetime | None
    counts: Mapping[str, int]
    error: str
    failures: int
    deleted: datetime | None = None


class FeedStore:
    """The feeds of an archive; any number of processes may use it."""

    def __init__(self, database: SavedDatabase) -> None:
        """Read and write the feeds in the archive's file of saved items."""
        self._database = database

    def all(self, *, deleted: bool = False) -> tuple[Feed, ...]:
        """Return the feeds by address; or the removed ones, last removed first."""
        which = "NOT NULL ORDER BY deleted DESC, id" if deleted else "NULL ORDER BY url"
        return self._select(f"WHERE deleted IS {which}")

    def due(self, now: datetime | None = None) -> tuple[Feed, ...]:
        """Return the feeds that are to be read now, the longest overdue first."""
        moment = to_text(now or datetime.now(UTC))
        return self._select("WHERE deleted IS NULL AND due <= ? ORDER BY due, id", moment)

    def get(self, name: str) -> Feed:
        """Return the feed of this address or id.

        Raises:
            SavedItemError: It doesn't exist.
        """
        with self._database.read() as connection:
            return _find(connection, name)

    def add(self, url: str, *, every: int, creator: str) -> Feed:
        """Add a feed; it is due at once, unless it is read by hand.

        Args:
            url: Its address; `ingest.feed_reading.check_url` says whether it may be fetched.
            every: Seconds between two reads, or `BY_HAND`.
            creator: Who adds it.

        Raises:
            InvalidValueError: The address or the interval is invalid.
            SavedItemError: It is there already, or there are too many.
        """
        url, every = clean_url(url), check_interval(every)
        now, feed_id = now_text(), new_id()
        with self._database.write() as connection:
            if _row(connection, url) is not None:
                raise SavedItemError(f"{url} is already among the feeds.")
            (count,) = connection.execute(
                "SELECT count(*) FROM feeds WHERE deleted IS NULL"
            ).fetchone()
            if count >= MOST:
                raise SavedItemError(f"There are {count:,} feeds, the most possible. Remove some.")
            connection.execute(
                "INSERT INTO feeds VALUES (?, ?, ?, 0, ?, ?, ?, NULL, '{}', '', 0, NULL)",
                (feed_id, url, every, now, single_line(creator)[:200], now if every else None),
            )
            return _find(connection, feed_id)

    def schedule(self, name: str, every: int) -> Feed:
        """Change the interval of a feed; the next read follows the last one by it.

        Raises:
            InvalidValueError: The interval is invalid.
            SavedItemError: There is no such feed.
        """
        check_interval(every)
        with self._database.write() as connection:
            feed = _find(connection, name)
            due = None if feed.is_paused else _due_after(feed.read, every, feed.failures)
            return _update(connection, feed.id, every=every, due=due)

    def pause(self, name: str, *, is_paused: bool) -> Feed:
        """Suspend or resume the schedule of a feed.

        Raises:
            SavedItemError: There is no such feed.
        """
        with self._database.write() as connection:
            feed = _find(connection, name)
            due = None if is_paused else _due_after(feed.read, feed.every, feed.failures)
            return _update(connection, feed.id, paused=int(is_paused), due=due)

    def remove(self, name: str) -> Feed:
        """Remove a feed; `restore` undoes it for 30 days. Its articles stay.

        Raises:
            SavedItemError: There is no such feed.
        """
        with self._database.write() as connection:
            feed = _find(connection, name)
            connection.execute("UPDATE feeds SET deleted = ? WHERE id = ?", (now_text(), feed.id))
        return feed

    def restore(self, feed_id: str) -> Feed:
        """Undo the removal of a feed.

        Raises:
            SavedItemError: There is no such removed feed, or its address was added again.
        """
        with self._database.write() as connection:
            row = connection.execute(
                "SELECT url FROM feeds WHERE id = ? AND deleted IS NOT NULL", (feed_id,)
            ).fetchone()
            if row is None:
                raise SavedItemError(f"No removed feed {feed_id!r}: its time to undo is over.")
            if _row(connection, row[0]) is not None:
                raise SavedItemError(f"{row[0]} has been added again.")
            return _update(connection, feed_id, deleted=None)

    def begin(self, feed_id: str, *, only_due: bool = False) -> Feed | None:
        """Mark a feed as being read, until `finish`; call it with the archive's write lock.

        The next read is set as after a failure: a process that dies while it reads a feed, and is
        started again each time, doesn't read that feed in a loop.

        Args:
            feed_id: The feed.
            only_due: Whether it must still be due: another process may have read it meanwhile.

        Returns:
            The feed as it was; None if it is gone, or isn't due.
        """
        with self._database.write() as connection:
            row = _row(connection, feed_id)
            feed = _to_feed(row) if row else None
            if feed is None or (only_due and (feed.due is None or feed.due > datetime.now(UTC))):
                return None
            failures = feed.failures + 1
            due = _next_due(feed, datetime.now(UTC), failures)
            _update(connection, feed.id, failures=failures, error=INTERRUPTED, due=due)
        return feed

    def finish(
        self, before: Feed, counts: Mapping[str, int], *, error: str = "", is_partial: bool = False
    ) -> Feed | None:
        """Record what came of a read.

        Args:
            before: The feed as `begin` returned it.
            counts: Numbers of articles, by `COUNTS`.
            error: Why the read failed; "" if it didn't.
            is_partial: Whether it was stopped: the rest is due after `SHORTEST_INTERVAL`.

        Returns:
            The feed as it is now; None if it has been removed meanwhile.
        """
        now = datetime.now(UTC)
        failures = before.failures + 1 if error else 0
        with self._database.write() as connection:
            row = _row(connection, before.id)
            if row is None:
                return None
            feed = _to_feed(row)  # its schedule may have been changed meanwhile
            due = _next_due(feed, now, failures)
            if is_partial and due is not None:
                due = min(due, to_text(now + timedelta(seconds=SHORTEST_INTERVAL)))
            return _update(
                connection,
                feed.id,
                read=to_text(now),
                counts=json.dumps({name: int(counts.get(name, 0)) for name in COUNTS}),
                error=single_line(error)[:LONGEST_ERROR],
                failures=failures,
                due=due,
            )

    def _select(self, condition: str, *values: str) -> tuple[Feed, ...]:
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM feeds {condition}", values)  # nosec B608 # conditions of this code, values bound
            return tuple(map(_to_feed, rows.fetchall()))


def clean_url(url: str) -> str:
    """Return an address without spaces around it.

    Raises:
        InvalidValueError: It is empty, too long, or has characters that aren't shown.
    """
    cleaned = clean_text(url, "address", LONGEST_URL)
    if not cleaned or cleaned != single_line(cleaned) or " " in cleaned:
        raise InvalidValueError(f"{single_line(url)[:80]!r} is not an address.")
    return cleaned


def check_interval(every: int) -> int:
    """Return the interval if it is valid.

    Raises:
        InvalidValueError: It is neither `BY_HAND` nor within the limits.
    """
    if every != BY_HAND and not SHORTEST_INTERVAL <= every <= LONGEST_INTERVAL:
        raise InvalidValueError(
            f"The interval is {every} seconds. Choose from {SHORTEST_INTERVAL // 60} minutes to "
            f"{LONGEST_INTERVAL // 86_400} days, or by hand."
        )
    return every


def next_read(every: int, failures: int) -> timedelta:
    """Return the time from one read to the next; longer after each failure in a row."""
    doubled = every * 2 ** min(max(failures - 1, 0), 20)
    return timedelta(seconds=min(doubled, max(every, LONGEST_BACKOFF)))


def row_to_feed(row: Any) -> Feed:
    """Return the feed of a row.

    Raises:
        ValueError: A value is not one that this module writes.
    """
    feed = _to_feed(row)
    if clean_url(feed.url) != feed.url or check_interval(feed.every) != feed.every:
        raise ValueError(f"the feed {feed.id[:20]!r} is not one that Backfile writes")
    return feed


FEED_ROWS = f"SELECT {_COLUMNS} FROM feeds"  # nosec B608 # names of our schema, values bound


def _to_feed(row: Any) -> Feed:
    feed_id, url, every, paused, created, creator, due, read, counts, error, failures, gone = row
    found = json.loads(counts)
    return Feed(
        *(feed_id, url, int(every), bool(paused), datetime.fromisoformat(created), creator),
        *(_moment(due), _moment(read), {name: int(found.get(name, 0)) for name in COUNTS}),
        *(error, int(failures), _moment(gone)),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _row(connection: Connection, name: str) -> Any:
    return connection.execute(
        f"SELECT {_COLUMNS} FROM feeds WHERE deleted IS NULL AND (id = ? OR url = ?)",  # nosec B608 # names of our schema, values bound
        (name.strip(), name.strip()),
    ).fetchone()


def _find(connection: Connection, name: str) -> Feed:
    row = _row(connection, name)
    if row is None:
        raise SavedItemError(f"No feed {single_line(name)[:200]!r}: `backfile feeds` lists them.")
    return _to_feed(row)


def _update(connection: Connection, feed_id: str, **values: Any) -> Feed:
    columns = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE feeds SET {columns} WHERE id = ?", (*values.values(), feed_id))  # nosec B608 # names of our schema, values bound
    return _find(connection, feed_id)


def _next_due(feed: Feed, now: datetime, failures: int) -> str | None:
    return None if feed.is_paused else _due_after(now, feed.every, failures)


def _due_after(read: datetime | None, every: int, failures: int) -> str | None:
    if not every:
        return None
    return to_text(read + next_read(every, failures) if read else datetime.now(UTC))
