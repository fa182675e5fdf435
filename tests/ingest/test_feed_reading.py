"""Reading feeds: conditional requests, errors, two processes, limits; and which addresses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from ingest import feed_reading
from ingest.feed_reading import FeedRead, check_url, feeds_of, open_client, read_feed
from ingest.runner import SCHEDULE
from rag.archive.archive import Archive
from rag.errors import ArchiveLockedError, InvalidValueError
from rag.schema import Article
from rag.settings import Settings
from rag.store.feeds import Feed, FeedStore
from rag.store.ingest_log import RunLog
from tests.support.commands import run
from tests.support.fake_site import FakeSite, Page, serve_site
from tests.support.fakes import WordEmbeddings, small_archive
from ui.web.feed_schedule import FeedSchedule
from ui.writing import open_writer

pytestmark = pytest.mark.slow

SETTINGS = Settings(fetch_allow="127.0.0.1", fetch_delay=0.0)
STORY = (
    "<p>The crane on the eastern pier of Skelhaven fell at noon on Tuesday, and nobody was hurt, "
    "the harbour office said. Work on the pier will stop until the cause is known.</p><p>Residents "
    "had complained about the machine since the spring. We heard it creak for weeks, said Noor "
    "Haan, who sells fish beside the pier. Its owner did not answer when he was asked.</p>"
)


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with serve_site() as found:
        found.pages["/robots.txt"] = Page(b"", 404)
        publish(found, "crane")
        yield found


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with small_archive(tmp_path / "archive", []) as opened:
        yield opened


def publish(site: FakeSite, *names: str) -> None:
    """Publish articles, and a feed that links to all of them."""
    links = "".join(
        f"<item><title>{name}</title><link>{site.url('/' + name)}</link></item>" for name in names
    )
    feed = f'<rss version="2.0"><channel><title>Gull</title>{links}</channel></rss>'
    site.pages["/feed"] = Page(feed.encode(), headers={"Content-Type": "text/xml"}, etag=True)
    for name in names:
        head = f"<html><head><title>The {name} of Skelhaven</title></head><body>"
        page = f"{head}<article><h1>The {name} of Skelhaven</h1>{STORY}</article></body></html>"
        site.pages[f"/{name}"] = Page(page.encode(), etag=True)


def add(archive: Archive, site: FakeSite, every: int = 3600) -> Feed:
    return feeds_of(archive.path).add(site.url("/feed"), every=every, creator="command")


def writer_of(archive: Archive) -> Archive:
    return Archive.open(archive.path, mode="write", embeddings=WordEmbeddings())


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        Event().wait(0.02)


def read(archive: Archive, feed: Feed, **given: Any) -> FeedRead | None:
    stop = Event()
    with open_client(SETTINGS, stop) as client, writer_of(archive) as writer:
        feeds = feeds_of(archive.path)
        return read_feed(writer, feeds, feed.id, client=client, stop=stop, by="192.0.2.7", **given)


def test_feed_is_read_and_read_again_only_if_it_changed(archive: Archive, site: FakeSite) -> None:
    feed = add(archive, site)
    found = read(archive, feed)
    assert found is not None
    assert (found.report.new, found.error) == (1, "")
    asked = len(site.requests)
    again = read(archive, feed)
    assert again is not None
    assert (again.report.new, again.report.unchanged) == (0, 1)
    assert "If-None-Match" in site.requests[-1].headers
    assert site.request_count("/crane") == 1
    publish(site, "crane", "ferry")
    third = read(archive, feed)
    assert third is not None
    assert third.report.new == 1
    assert asked < len(site.requests)
    after = feeds_of(archive.path).get(feed.id)
    assert after.counts["new"] == 1


def test_run_names_who_started_it(archive: Archive, site: FakeSite) -> None:
    read(archive, add(archive, site))
    (run,) = RunLog(archive.store.database).recent()
    assert run.figures["by"] == "192.0.2.7"
    assert run.figures["sources"] == [site.url("/feed")]


@pytest.mark.parametrize(
    ("page", "why"),
    [(Page(b"gone", 404), "404"), (Page(b"", 200), ""), (Page(b"<rss", 500), "500")],
)
def test_feed_that_fails_says_why(
    archive: Archive, site: FakeSite, page: Page, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/feed"] = page
    feed = add(archive, site)
    found = read(archive, feed)
    after = feeds_of(archive.path).get(feed.id)
    assert found is not None
    assert why in found.error
    assert found.error
    assert (after.error, after.failures) == (found.error, 1)


def test_rejected_article_does_not_fail_the_feed(archive: Archive, site: FakeSite) -> None:
    publish(site, "crane", "ferry")
    site.pages["/ferry"] = Page(b"gone", 410)
    found = read(archive, add(archive, site))
    assert found is not None
    assert (found.report.new, found.report.rejected, found.error) == (1, 1, "")


def test_private_address_is_refused_at_each_read(archive: Archive, site: FakeSite) -> None:
    """A name may lead to a private address after it was added."""
    feed = add(archive, site)
    stop = Event()
    with open_client(Settings(), stop) as client, writer_of(archive) as writer:
        found = read_feed(
            writer, feeds_of(archive.path), feed.id, client=client, stop=stop, by="command"
        )
    assert found is not None
    assert "private address" in found.error
    assert site.requests == []


def test_feed_that_is_not_due_any_more_is_left_alone(archive: Archive, site: FakeSite) -> None:
    feed = add(archive, site)
    assert read(archive, feed, only_due=True) is not None
    asked = len(site.requests)
    assert read(archive, feed, only_due=True) is None
    assert len(site.requests) == asked


def read_until_stopped(archive: Archive, feed: Feed, stop: Event) -> Feed:
    with open_client(SETTINGS, stop) as client, writer_of(archive) as writer:
        read_feed(writer, feeds_of(archive.path), feed.id, client=client, stop=stop, by="command")
    after = feeds_of(archive.path).get(feed.id)
    assert (after.error, after.failures) == ("", 0)
    assert after.due is not None
    assert after.read is not None
    assert (after.due - after.read).total_seconds() <= 300
    return after


def test_stopped_read_keeps_its_articles_and_is_continued(archive: Archive, site: FakeSite) -> None:
    stop = Event()
    publish(site, *(f"story{n}" for n in range(40)))
    site.pages["/story3"] = Page(status=0, slowly=lambda _: stop.set())
    after = read_until_stopped(archive, add(archive, site), stop)
    assert after.counts["new"] == 3
    assert site.request_count("/story39") == 0


def test_endless_read_is_stopped(
    archive: Archive, site: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Event()
    site.pages["/feed"] = Page(status=0, slowly=lambda _: stop.wait(60))
    monkeypatch.setattr(feed_reading, "LONGEST_READ", 0.5)
    read_until_stopped(archive, add(archive, site), stop)


# The schedule of a server


def test_schedule_reads_what_is_due(archive: Archive, site: FakeSite) -> None:
    add(archive, site)
    feeds_of(archive.path).add(site.url("/other"), every=0, creator="command")
    schedule = FeedSchedule(archive, SETTINGS)
    assert schedule.read_due() == 1
    assert schedule.read_due() == 0
    assert archive.count().articles == 1
    (run,) = RunLog(archive.store.database).recent()
    assert run.figures["by"] == SCHEDULE


def expect_no_problems(archive: Archive) -> None:
    done = run("doctor", "--archive", archive.path)
    assert done.code == 0, done.stdout


def test_two_schedules_read_a_feed_once(archive: Archive, site: FakeSite) -> None:
    add(archive, site)
    go, counts = Event(), []
    schedules = [FeedSchedule(archive, SETTINGS) for _ in range(2)]
    with Archive.open(archive.path, embeddings=WordEmbeddings()) as other:
        schedules.append(FeedSchedule(other, SETTINGS))

        def read(schedule: FeedSchedule) -> None:
            go.wait()
            counts.append(schedule.read_due())

        threads = [Thread(target=read, args=(one,)) for one in schedules]
        for thread in threads:
            thread.start()
        go.set()
        for thread in threads:
            thread.join()
    assert sum(counts) == 1
    assert site.request_count("/feed") == 1
    expect_no_problems(archive)


def test_schedule_waits_for_another_ingest(archive: Archive, site: FakeSite) -> None:
    feed = add(archive, site)
    schedule = FeedSchedule(archive, SETTINGS)
    with writer_of(archive):
        assert schedule.read_due() == 0
    assert site.requests == []
    assert feeds_of(archive.path).due() == (feed,)
    assert schedule.read_due() == 1


def test_failing_feed_does_not_hold_up_the_next(archive: Archive, site: FakeSite) -> None:
    feeds_of(archive.path).add(site.url("/missing"), every=3600, creator="command")
    add(archive, site)
    assert FeedSchedule(archive, SETTINGS).read_due() == 2
    assert archive.count().articles == 1
    errors = [one.error for one in feeds_of(archive.path).all()]
    assert [bool(error) for error in errors] == [False, True]


def test_scheduled_read_gives_way_to_a_person(archive: Archive, site: FakeSite) -> None:
    names = [f"story{n}" for n in range(200)]
    publish(site, *names)
    feed = add(archive, site)
    slow = Settings(fetch_allow="127.0.0.1", fetch_delay=0.1)
    schedule = FeedSchedule(archive, slow)
    thread = Thread(target=schedule.read_due)
    thread.start()
    wait_until(lambda: site.request_count("/story0") > 0)
    with open_writer(archive, slow) as writer:
        assert schedule.read_due() == 0  # while a person writes
        writer.add(Article(id="person.example/tide", title="Tide", text="The tide came in."))
    thread.join()
    assert archive.article("person.example/tide") is not None
    after = feeds_of(archive.path).get(feed.id)
    assert site.request_count("/story199") == 0
    assert after.error == ""
    with pytest.raises(ArchiveLockedError), writer_of(archive), open_writer(archive, slow):
        pass
    expect_no_problems(archive)


def test_server_reads_in_the_background_until_it_is_closed(
    archive: Archive, site: FakeSite
) -> None:
    add(archive, site)
    with FeedSchedule(archive, SETTINGS, poll=0.05) as schedule:
        wait_until(lambda: archive.count().articles == 1)
    assert not schedule._thread.is_alive()


def test_server_that_nobody_may_change_reads_nothing(archive: Archive, site: FakeSite) -> None:
    add(archive, site)
    closed = Settings(fetch_allow="127.0.0.1", write_access="none")
    with FeedSchedule(archive, closed, poll=0.01) as schedule:
        assert not schedule._thread.is_alive()
    assert site.requests == []


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "feed",
            "ftp://gull.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://",
        ),
        *("http://[::1", "https://user:word@gull.example/feed", "https://user@gull.example/"),
        "https://gull.example/\u202efeed",
    ],
)
def test_text_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidValueError):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/feed", "http://localhost:8000/", "http://[::1]/", "http://10.0.0.7/"),
        *("http://169.254.169.254/latest/meta-data", "http://0x7f000001/", "http://2130706433/"),
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_private_address_is_refused(url: str) -> None:
    with pytest.raises(Exception, match="BACKFILE_FETCH_ALLOW"):
        check_url(url)


def test_allowed_private_address_is_accepted() -> None:
    assert check_url(" http://127.0.0.1:8/feed ", ["127.0.0.1"]) == "http://127.0.0.1:8/feed"


def test_feeds_are_of_the_archive(tmp_path: Path) -> None:
    assert isinstance(feeds_of(tmp_path), FeedStore)
    assert feeds_of(tmp_path).all() == ()
