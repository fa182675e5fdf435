"""Users, saved items, jobs and rate limits: in files of the folder, or in the shared record."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Barrier, Thread

import pytest

from rag.archive.backup import restore_backup, write_backup
from rag.archive.doctor import find_problems
from rag.archive.side_home import home_of
from rag.errors import (
    SavedItemError,
)
from rag.rights import Rights
from rag.schema import Filters
from rag.settings import Settings
from rag.store.feeds import FeedStore
from rag.store.ingest_jobs import IngestJobs, Job, KeyReusedError, TooManyJobsError
from rag.store.saved_database import SavedDatabase
from rag.store.saved_searches import SavedSearchStore
from rag.store.saved_validation import find_saved_damage
from rag.store.side_file import SideHome
from tests.archive.test_archive import make_article
from tests.conformance.conftest import Place, wait_until
from ui.accounts.accounts import Accounts
from ui.accounts.opening import open_accounts
from ui.accounts.rates import Rates
from ui.accounts.types import AccountError
from ui.api.cursor_secret import open_secret

pytestmark = pytest.mark.slow

SECRET = "lanterns over Elmford"  # nosec B105 # a user's password in this test


@dataclass(frozen=True)
class Side:
    """Where side databases are, as two servers see them."""

    settings: Settings
    other: Settings

    @property
    def home(self) -> SideHome:
        return home_of(self.settings)

    @property
    def other_home(self) -> SideHome:
        return home_of(self.other)

    @property
    def accounts(self) -> Accounts:
        return open_accounts(self.settings)


@pytest.fixture
def side(tmp_path: Path, record: str) -> Side:
    """The same archive for two servers: with a record, in two folders."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    settings = Settings(archive=first, record=record)
    return Side(settings, replace(settings, archive=second if record else first))


def job(name: str, owner: str = "ada") -> Job:
    return Job(name, owner, "waiting", datetime.now(UTC))


def test_users_tokens_and_sessions(side: Side) -> None:
    here, there = side.accounts, open_accounts(side.other)
    assert not here.has_users
    assert not there.store.has_users
    ada = here.add_user("Ada", SECRET, ["read", "ingest"], Rights(publishers=("Harbour Courier",)))
    with pytest.raises(AccountError, match="already a user"):
        there.add_user("ADA", SECRET, ["read"])
    wait_until(lambda: there.has_users)
    assert there.check_password("ada", SECRET) == ada
    assert there.check_password("ada\0", SECRET) is None
    assert there.check_password("ada", "wrong") is None
    session = here.open_session(ada)
    found = there.reader_of_session(session)
    assert found is not None
    assert found.rights == Rights(publishers=("Harbour Courier",))
    token, secret = there.make_token("ada", "crawler", scopes=["read"])
    assert here.reader_of_token(secret) is not None
    assert [one.id for one in here.store.tokens()] == [token.id]
    there.store.set_disabled("ada", disabled=True)
    assert here.reader_of_session(session) is here.reader_of_token(secret) is None
    here.store.set_disabled("ada", disabled=False)
    assert here.reader_of_session(session) is None  # it ended
    assert here.reader_of_token(secret) is not None
    here.store.revoke_token(token.id)
    assert there.reader_of_token(secret) is None
    ben = here.store.put_external("https://id.example#1", "Ben", frozenset({"read"}), Rights())
    again = there.store.put_external("https://id.example#1", "Ben", ben.scopes, Rights())
    assert again.id == ben.id
    assert [one.name for one in there.store.users()] == ["Ada", "Ben"]


def test_jobs(side: Side) -> None:
    here, there = IngestJobs(side.home), IngestJobs(side.other_home)
    assert here.get("1") is None
    assert here.add(job("1"), "server", key="k", digest="d", most=2) is None
    assert there.add(job("2"), "other", key="k", digest="d", most=2).id == "1"  # type: ignore[union-attr]
    with pytest.raises(KeyReusedError):
        there.add(job("2"), "other", key="k", digest="e", most=2)
    assert there.add(job("2"), "other", most=2) is None
    with pytest.raises(TooManyJobsError):
        here.add(job("3"), "server", most=2)
    assert there.start(replace(job("2"), state="running"))
    assert here.cancel("1").state == "cancelled"  # type: ignore[union-attr]
    assert not there.start(replace(job("1"), state="running"))
    here.cancel("2")
    assert there.save(replace(job("2"), state="running", progress=0.5))  # cancelled
    here.beat("other")
    here.forget_rejects()
    assert here.get("2").progress == 0.5  # type: ignore[union-attr]


def test_feeds_are_read_by_one_server(side: Side) -> None:
    here, there = FeedStore(SavedDatabase(side.home)), FeedStore(SavedDatabase(side.other_home))
    feed = here.add("https://paper.example/feed", every=600, creator="command")
    with pytest.raises(SavedItemError, match="already among"):
        there.add(feed.url, every=600, creator="command")
    begun = Barrier(2)
    found: list[object] = []

    def begin(feeds: FeedStore) -> None:
        begun.wait()
        found.append(feeds.begin(feed.id, only_due=True))

    threads = [Thread(target=begin, args=(feeds,)) for feeds in (here, there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one is None for one in found) == [False, True]
    there.remove(feed.id)
    assert here.all() == ()
    assert here.restore(feed.id).url == feed.url
    assert not find_saved_damage(SavedDatabase(side.home))


def test_rates(side: Side, caplog: pytest.LogCaptureFixture) -> None:
    from limits import parse

    here, there = Rates.open(side.settings), Rates.open(side.other)
    rate = parse("3/minute")
    assert [one.take(rate, "ada") for one in (here, there, here)] == [0, 0, 0]
    assert 0 < there.take(rate, "ada") <= 60
    assert there.is_full(rate, "ada")
    assert there.take(rate, "ben") == 0
    there.renew(rate, "ada")
    assert here.take(rate, "ada") == 0
    assert not caplog.records  # counted together
    here.close()
    there.close()


def test_rates_hold_under_threads(side: Side, caplog: pytest.LogCaptureFixture) -> None:
    from limits import parse

    rates, rate = Rates.open(side.settings), parse("20/minute")
    allowed: list[float] = []
    threads = [
        Thread(target=lambda: allowed.extend(rates.take(rate, "x") for _ in range(10)))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(0) == 20
    assert not caplog.records
    rates.close()


def test_cursors(side: Side) -> None:
    assert open_secret(side.home) == open_secret(side.other_home)


def test_saved_items_of_an_archive(record_place: Place, tmp_path: Path) -> None:
    with record_place.open() as writer:
        writer.add([make_article(n) for n in range(3)])
        writer.saved.searches.add("Bridges", "bridge")
        writer.saved.dossiers.create("Elmford")
        passages = writer.search("bridge", k=3)
        for hit in passages:
            there = hit.passage
            writer.saved.dossiers.add("Elmford", there.article_id, there.start, there.end)
        with pytest.raises(SavedItemError, match="already one named"):
            writer.saved.dossiers.create("elmford")
        first, *_, last = writer.saved.dossiers.passages("Elmford")
        writer.saved.dossiers.move("Elmford", last.id, 1)
        assert writer.saved.dossiers.passages("Elmford")[0].id == last.id
        assert writer.erase(first.article_id)
        quotes = {one.id: one.quote for one in writer.saved.dossiers.passages("Elmford")}
        assert quotes[first.id] == ""
        assert quotes[last.id] != ""
        assert not find_problems(writer)
        store = writer.indexes.store
        write_backup(store, tmp_path / "backup", writer.home)
    restore_backup(tmp_path / "backup", tmp_path / "restored")
    with Place(tmp_path / "restored", Settings()).open("read") as restored:
        assert [one.name for one in restored.saved.searches.list()] == ["Bridges"]
        assert len(restored.saved.dossiers.passages("Elmford")) == len(passages)


def _save_on(settings: Settings, first: int, end: Connection) -> None:
    store = SavedSearchStore(SavedDatabase(home_of(settings)))
    for n in range(first, 100_000):
        store.add(f"Search {n:05}", "ferry", Filters(), "answer", seen=(0, ""))
        end.send(n)


def test_killed_server_loses_nothing_acknowledged(side: Side) -> None:
    acknowledged = -1
    for kill in range(3):
        ours, theirs = Pipe(duplex=False)
        writer = get_context("spawn").Process(
            target=_save_on, args=(side.settings, acknowledged + 2, theirs)
        )
        writer.start()
        theirs.close()
        acknowledged = ours.recv()
        time.sleep(0.005 * kill)
        writer.kill()
        writer.join()
        with suppress(EOFError):
            while ours.poll():
                acknowledged = ours.recv()
        found = SavedSearchStore(SavedDatabase(side.home)).all()
        there = {int(one.name.split()[1]) for one in found}
        assert acknowledged in there
        assert max(there) <= acknowledged + 1
    assert not find_saved_damage(SavedDatabase(side.home))


def test_sessions_end_by_the_clock(side: Side) -> None:
    accounts = side.accounts
    ada = accounts.add_user("ada", SECRET, ["read"])
    accounts.store.add_session(ada.id, "d" * 64, datetime.now(UTC) - timedelta(seconds=1))
    assert accounts.store.find_session("d" * 64) is None
