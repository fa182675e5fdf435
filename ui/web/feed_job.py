"""Read a feed from the page at once, with its progress."""

from __future__ import annotations

from collections.abc import Generator
from threading import Event
from typing import TYPE_CHECKING

from rag.errors import BackfileError
from rag.settings import Settings
from ui.ingest_job import IngestResult, SourceJob, Updates, follow
from ui.writing import open_writer

if TYPE_CHECKING:
    from rag.archive.archive import Archive


def read_now(
    archive: Archive, settings: Settings, feed_id: str, by: str
) -> Generator[IngestResult, None, None]:
    """Read a feed in a thread, and yield the progress. Closing the iterator stops the read.

    Args:
        archive: The page's archive, which stays readable.
        settings: Limits of fetching.
        feed_id: The feed.
        by: Address of the client, for the log.

    Returns:
        Iterator of the progress; `failed` of the last value is set if the feed is gone, could not
        be read, or another process is writing to the archive.
    """

    def read(stop: Event, updates: Updates) -> None:
        from ingest.feed_reading import feeds_of, open_client, read_feed

        feeds = feeds_of(archive.home)
        url = feeds.get(feed_id).url
        job = SourceJob(url, [url], 0, 1, updates)
        with open_client(settings, stop) as client, open_writer(archive, settings) as writer:
            found = read_feed(
                writer,
                feeds,
                feed_id,
                client=client,
                stop=stop,
                by=by,
                on_progress=job.on_progress,
                on_reject=job.on_reject,
            )
        if found is None:
            feeds.get(feed_id)  # raises: it was removed meanwhile
            return
        job.show(found.report, 1.0)
        if found.error:
            raise BackfileError(found.error)

    return follow(read)
