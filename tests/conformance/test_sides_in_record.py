"""Users, saved items and jobs in a shared record: what only a server can do, and moving there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.archive.moving import detach_folder, push_archive
from rag.archive.side_home import home_of
from rag.errors import (
    ArchiveDamagedError,
    BackfileError,
    RecordUnavailableError,
    SettingsError,
)
from rag.settings import Settings
from rag.store.feeds import FeedStore
from rag.store.ingest_jobs import IngestJobs
from rag.store.postgres.pool import DOWN_SECONDS
from rag.store.saved_database import SavedDatabase
from rag.store.saved_searches import SavedSearchStore
from rag.store.side_database import SideDatabase
from tests.archive.test_archive import WordEmbeddings, make_article
from tests.conformance.conftest import Place, wait_until
from tests.conformance.test_sides import SECRET, job
from tests.support.postgres import PASSWORD, PostgresServer
from ui.accounts.opening import open_accounts
from ui.accounts.rates import Rates
from ui.api.cursor_secret import open_secret
from ui.side_databases import SIDES

pytestmark = pytest.mark.slow


def test_killed_database_loses_nothing(stoppable: PostgresServer, tmp_path: Path) -> None:
    settings = Settings(archive=tmp_path, record=stoppable.create_database())
    accounts = open_accounts(settings)
    ada = accounts.add_user("ada", SECRET, ["read"])
    session = accounts.open_session(ada)
    rates = Rates.open(settings)
    stoppable.kill()
    stoppable.start()
    assert accounts.reader_of_session(session) is not None  # on a new connection
    assert accounts.check_password("ada", SECRET) == ada
    rates.close()


def test_unreachable_record_lets_nobody_in(stoppable: PostgresServer, tmp_path: Path) -> None:
    settings = Settings(archive=tmp_path, record=stoppable.create_database())
    accounts = open_accounts(settings)
    session = accounts.open_session(accounts.add_user("ada", SECRET, ["read"]))
    _, token = accounts.make_token("ada", "crawler")
    stoppable.stop()
    uses: tuple[Callable[[], object], ...] = (
        lambda: accounts.reader_of_session(session),
        lambda: accounts.reader_of_token(token),
        lambda: accounts.reader_of_name("ada"),
        lambda: accounts.check_password("ada", SECRET),
        lambda: SavedSearchStore(SavedDatabase(home_of(settings))).all(),
        lambda: IngestJobs(home_of(settings)).get("1"),
    )
    for use in uses:
        with pytest.raises(RecordUnavailableError, match="cannot be reached") as raised:
            use()
        assert PASSWORD not in str(raised.value)
    begun = time.monotonic()
    assert open_accounts(settings).has_users  # unknown, so everybody has to log in
    assert time.monotonic() - begun < 5
    assert len(open_secret(home_of(settings))) == 32
    stoppable.start()
    wait_until(lambda: _reads(lambda: accounts.reader_of_session(session)))


def _reads(read: Callable[[], object]) -> bool:
    with suppress(RecordUnavailableError):
        return read() is not None
    return False


def test_server_without_users_goes_on(stoppable: PostgresServer, tmp_path: Path) -> None:
    settings = Settings(archive=tmp_path, record=stoppable.create_database())
    accounts = open_accounts(settings)
    assert not accounts.has_users
    stoppable.stop()
    time.sleep(1.1)
    assert not accounts.has_users
    stoppable.start()
    time.sleep(DOWN_SECONDS)
    open_accounts(settings).add_user("ada", SECRET, ["read"])
    wait_until(lambda: accounts.has_users)


def test_newer_schema_is_refused(shared_record: str, tmp_path: Path) -> None:
    home = home_of(Settings(archive=tmp_path, record=shared_record))
    database = SavedDatabase(home)
    FeedStore(database).add("https://paper.example/feed", every=600, creator="command")
    with psycopg.connect(shared_record, autocommit=True) as connection:
        connection.execute("UPDATE public_backfile_saved.schema_version SET version = 99")
    for use in (FeedStore(database).all, lambda: FeedStore(database).remove("x")):
        with pytest.raises(ArchiveDamagedError, match="newer Backfile"):
            use()


def test_archives_of_one_database_are_apart(shared_record: str, tmp_path: Path) -> None:
    with psycopg.connect(shared_record, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA two")
    one = Settings(archive=tmp_path, record=shared_record)
    two = replace(one, record=f"{shared_record}?options=-csearch_path%3Dtwo")
    open_accounts(one).add_user("ada", SECRET, ["read"])
    assert not open_accounts(two).has_users
    open_accounts(two).add_user("ada", SECRET, ["read", "admin"])
    assert open_accounts(one).store.user("ada").scopes == {"read"}


def test_password_of_a_malformed_address_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BACKFILE_RECORD") as raised:
        home_of(Settings(archive=tmp_path, record="postgresql://kim:hidden%ZZ@host/x"))
    assert "hidden" not in str(raised.value)


def test_older_schema_is_upgraded(shared_record: str, tmp_path: Path) -> None:
    from rag.store.saved_database import MIGRATIONS

    home = home_of(Settings(archive=tmp_path, record=shared_record))
    old = SideDatabase(home, "saved.sqlite3", MIGRATIONS[:1], "")
    with old.write() as connection:
        assert connection.execute("SELECT count(*) FROM searches").fetchone() == (0,)
    assert FeedStore(SavedDatabase(home)).all() == ()


def test_copy_without_the_setting_lets_nobody_in(shared_record: str, tmp_path: Path) -> None:
    shared = Settings(archive=tmp_path / "own", record=shared_record)
    Place(shared.archive, shared).open().close()
    open_accounts(shared).add_user("ada", SECRET, ["read"])
    unset = replace(shared, record="")
    with pytest.raises(SettingsError, match="BACKFILE_RECORD"):
        _ = open_accounts(unset).has_users
    with Place(unset.archive, unset).open("read") as reader:
        assert not find_problems(reader)
        with pytest.raises(SettingsError, match="BACKFILE_RECORD"):
            reader.saved.searches.add("Bridges", "bridge")


def test_copy_that_cannot_be_read_lets_nobody_in(
    shared_record: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(archive=tmp_path / "copy", record=shared_record)
    Archive.open(settings.archive, mode="write", settings=settings).close()

    def fail(*_: object, **__: object) -> None:
        raise OSError("too many open files")

    monkeypatch.setattr("rag.archive.side_home.connect_existing", fail)
    with pytest.raises(ArchiveDamagedError, match="cannot be read now"):
        open_accounts(replace(settings, record=""))


def test_side_databases_move_along(
    servers: Callable[[str], Place], shared_record: str, tmp_path: Path
) -> None:
    own = Settings(archive=tmp_path / "own")
    shared = replace(own, record=shared_record)
    with Place(own.archive, own).open() as archive:
        archive.add(make_article(1))
        archive.saved.searches.add("Bridges", "bridge")
    accounts = open_accounts(own)
    session = accounts.open_session(accounts.add_user("ada", SECRET, ["read"]))
    secret = open_secret(home_of(own))
    IngestJobs(own.archive).add(job("1"), "server", most=2)
    push_archive(own.archive, shared, SIDES)
    assert not list(own.archive.glob("*.sqlite3"))
    assert open_secret(home_of(shared)) == secret
    assert open_accounts(shared).reader_of_session(session) is not None
    (own.archive / "saved.sqlite3").write_bytes(b"x")  # of a push that was killed
    with Place(own.archive, shared).open() as archive:
        assert [one.remedy for one in find_problems(archive)] == ["delete this file"]
    (own.archive / "saved.sqlite3").unlink()
    with servers("other").open("read") as other:
        assert [one.name for one in other.saved.searches.list()] == ["Bridges"]
        other.saved.searches.delete("Bridges")
        other.saved.searches.add("Ferries", "ferry")
    with pytest.raises(SettingsError, match="--alone"):
        detach_folder(own.archive, own, SIDES)
    detach_folder(own.archive, shared, SIDES)
    assert open_accounts(own).reader_of_session(session) is not None
    assert IngestJobs(own.archive).get("1") is not None
    with Place(own.archive, own).open() as archive:
        assert [one.name for one in archive.saved.searches.list()] == ["Ferries"]
        assert not find_problems(archive)


def test_push_refuses_other_users(shared_record: str, tmp_path: Path) -> None:
    own = Settings(archive=tmp_path / "own")
    shared = replace(own, record=shared_record)
    Archive.open(own.archive, mode="write", settings=own).close()
    open_accounts(own).add_user("ada", SECRET, ["read"])
    open_accounts(shared).add_user("eva", SECRET, ["read"])
    with pytest.raises(SettingsError, match="isn't empty"):
        push_archive(own.archive, shared, SIDES)
    assert [one.name for one in open_accounts(own).store.users()] == ["ada"]


def test_killed_push_is_finished(
    shared_record: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Settings(archive=tmp_path / "own")
    shared = replace(own, record=shared_record)
    Archive.open(own.archive, mode="write", settings=own).close()
    open_accounts(own).add_user("ada", SECRET, ["read"])
    for step in ("load_record", "_copy_sides", "_delete_files"):
        with monkeypatch.context() as patched:
            patched.setattr(f"rag.archive.moving.{step}", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                push_archive(own.archive, shared, SIDES)
    assert open_accounts(shared).check_password("ada", SECRET) is not None  # notes when
    open_accounts(shared).add_user("eva", SECRET, ["read"])
    assert push_archive(own.archive, shared, SIDES).articles == 0
    assert not (own.archive / "users.sqlite3").exists()
    assert open_accounts(shared).check_password("eva", SECRET) is not None
    with pytest.raises(SettingsError, match="BACKFILE_RECORD"):
        push_archive(own.archive, shared, SIDES)


def test_push_to_another_archives_record_copies_no_user(shared_record: str, tmp_path: Path) -> None:
    own, other = Settings(archive=tmp_path / "own"), Settings(archive=tmp_path / "other")
    for one, number in ((own, 1), (other, 2)):
        with Archive.open(
            one.archive, mode="write", settings=one, embeddings=WordEmbeddings()
        ) as archive:
            archive.add(make_article(number))
    push_archive(other.archive, replace(other, record=shared_record), SIDES)
    open_accounts(own).add_user("ada", SECRET, ["read"])
    with pytest.raises(SettingsError, match="isn't empty"):
        push_archive(own.archive, replace(own, record=shared_record), SIDES)
    assert not open_accounts(replace(own, record=shared_record)).has_users
    assert open_accounts(own).has_users


def test_server_that_may_not_read_users_lets_nobody_in(shared_record: str, tmp_path: Path) -> None:
    settings = Settings(archive=tmp_path, record=shared_record)
    open_accounts(settings).add_user("ada", SECRET, ["read"])
    with psycopg.connect(shared_record, autocommit=True) as connection:
        connection.execute("CREATE ROLE second LOGIN PASSWORD 'second'")
        connection.execute("GRANT USAGE ON SCHEMA public TO second")
    address = re.sub("//[^@]+@", "//second:second@", shared_record)
    accounts = open_accounts(replace(settings, record=address))
    with pytest.raises(BackfileError):
        _ = accounts.has_users
    with pytest.raises(BackfileError):
        accounts.check_password("ada", SECRET)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
