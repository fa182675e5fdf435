"""Read the feeds that are due, in the background of `backfile serve`, one at a time."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from ingest.feed_reading import feeds_of, open_client, read_feed
from ingest.runner import SCHEDULE
from rag.errors import ArchiveLockedError, RecordUnavailableError
from rag.settings import Settings
from ui.writing import open_scheduled_writer

if TYPE_CHECKING:
    from rag.archive.archive import Archive

LOG = logging.getLogger("backfile.feeds")
POLL_SECONDS = 15.0  # between looks for feeds that are due
CLOSE_SECONDS = 20.0  # a read ends after its current batch


class FeedSchedule:
    """Thread that reads the feeds of an archive when they are due.

    Each feed is read with the archive's write lock, after another look whether it is still due. So
    two servers never read the same feed at once, and no read runs beside another ingest.

    Args:
        archive: The page's archive, which stays readable.
        settings: Limits of fetching, and who may write: if nobody may, nothing is read.
        poll: Seconds between looks for feeds that are due.
    """

    def __init__(self, archive: Archive, settings: Settings, poll: float = POLL_SECONDS) -> None:
        self._archive = archive
        self._settings = settings
        self._poll = poll
        self._closed, self._stop = Event(), Event()
        self._thread = Thread(target=self._run, daemon=True, name="feeds")

    def __enter__(self) -> Self:
        """Start reading."""
        if self._settings.write_access != "none":
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading, after the current batch."""
        self._closed.set()
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def read_due(self) -> int:
        """Read the feeds that are due, one after another; return how many were read.

        Another writer ends the round; the rest stays due.
        """
        count = 0
        for feed in feeds_of(self._archive.home).due():
            if self._closed.is_set():
                break
            try:
                count += self._read(feed.id)
            except ArchiveLockedError:
                break
            except Exception:  # the feed's error says so, too; the next feed may do better
                LOG.exception("feed failed", extra={"figures": {"feed": feed.url}})
        return count

    def _run(self) -> None:
        while not self._closed.wait(self._poll):
            try:
                self.read_due()
            except RecordUnavailableError as error:
                LOG.warning("feeds could not be read: %s", error)
            except Exception:  # a full disk or a damaged file: the next round may do better
                LOG.exception("feeds could not be read")

    def _read(self, feed_id: str) -> bool:
        self._stop = stop = Event()
        if self._closed.is_set():  # `__exit__` may have set the event before
            return False
        with (
            open_client(self._settings, stop) as client,
            open_scheduled_writer(self._archive, self._settings, stop) as writer,
        ):
            if writer is None:
                return False
            found = read_feed(
                writer,
                feeds_of(self._archive.home),
                feed_id,
                client=client,
                stop=stop,
                by=SCHEDULE,
                only_due=True,
            )
        return found is not None
