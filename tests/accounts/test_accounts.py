"""Users, tokens and sessions: what is kept, what is granted, and when it ends."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InvalidValueError
from rag.rights import ALL, ALL_RIGHTS, Names, Rights
from rag.store.connection import StoreConnection, connect_existing
from tests.accounts.conftest import PASSWORD
from ui.accounts import passwords
from ui.accounts.accounts import Accounts, digest_of
from ui.accounts.sql_store import FILE, IDLE_HOURS
from ui.accounts.types import AccountError, User

NAMES = st.one_of(st.just(ALL), st.lists(st.sampled_from("abc"), max_size=3).map(tuple))
RIGHTS = st.builds(Rights, publishers=NAMES, sections=NAMES, access=NAMES)


@pytest.fixture
def ada(accounts: Accounts) -> User:
    return accounts.add_user("Ada", PASSWORD, ["read", "ingest"], Rights(sections=("town",)))


def rows(folder: Path, statement: str, *values: str) -> list[tuple[object, ...]]:
    with closing(connect_existing(folder / FILE)) as connection:
        return connection.execute(statement, values).fetchall()


@pytest.fixture
def database(tmp_path: Path, ada: User) -> Iterator[StoreConnection]:
    with closing(connect_existing(tmp_path / FILE)) as connection:
        yield connection


def test_no_file_is_made_by_reading(accounts: Accounts, tmp_path: Path) -> None:
    assert not accounts.has_users
    assert accounts.store.users() == ()
    assert accounts.reader_of_token("bf_" + "a" * 43) is None
    assert accounts.check_password("ada", PASSWORD) is None
    accounts.end_session("a" * 43)
    assert list(tmp_path.iterdir()) == []


def test_file_is_readable_by_its_owner_only(ada: User, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_password_is_kept_as_argon2id_only(ada: User, tmp_path: Path) -> None:
    ((hashed,),) = rows(tmp_path, "SELECT password FROM users")
    assert str(hashed).startswith("$argon2id$")
    assert PASSWORD.encode() not in (tmp_path / FILE).read_bytes()


def test_secrets_of_tokens_and_sessions_are_not_kept(
    accounts: Accounts, ada: User, tmp_path: Path
) -> None:
    _, token = accounts.make_token("ada", "script")
    session = accounts.open_session(ada)
    kept = (tmp_path / FILE).read_bytes()
    assert token.encode() not in kept
    assert session.encode() not in kept
    assert digest_of(token).encode() in kept
    assert len(token) == len("bf_") + 43
    assert accounts.make_token("ada", "other")[1] != token


@pytest.mark.parametrize("name", ["ada", "ADA", "Ａda"])
def test_password_lets_in_by_the_name_in_any_case(accounts: Accounts, ada: User, name: str) -> None:
    found = accounts.check_password(name, PASSWORD)
    assert found is not None
    assert found.id == ada.id
    with pytest.raises(AccountError, match="already a user"):
        accounts.add_user(name, PASSWORD, ["read"])


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", ""), ("ada", PASSWORD + " "), ("ada", PASSWORD.upper()), ("", PASSWORD),
     ("eve", PASSWORD), ("ada\0", PASSWORD), ("ada", PASSWORD + "x" * 2000), ("%", PASSWORD)],
)  # fmt: skip
def test_wrong_password_lets_nobody_in(
    accounts: Accounts, ada: User, name: str, password: str
) -> None:
    assert accounts.check_password(name, password) is None


def test_user_without_password_cannot_log_in_with_any(accounts: Accounts) -> None:
    accounts.add_user("proxied", "", ["read"])
    for password in ("", " ", PASSWORD):
        assert accounts.check_password("proxied", password) is None
    assert accounts.reader_of_name("proxied") is not None


def test_unknown_user_costs_one_hash_too(
    accounts: Accounts, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts the hashes: on a busy machine, times tell less."""
    verified = []
    hasher = passwords._hasher()

    class Counting:
        def verify_and_update(self, password: bytes, hashed: str) -> tuple[bool, str | None]:
            verified.append(hashed)
            return hasher.verify_and_update(password, hashed)

    passwords.prepare()
    monkeypatch.setattr(passwords, "_hasher", Counting)
    for name in ("ada", "nobody"):
        accounts.check_password(name, "a wrong password")
    accounts.store.set_disabled("ada", disabled=True)
    accounts.check_password("ada", PASSWORD)
    assert len(verified) == 3
    parameters = {hashed.rpartition("$")[0].rpartition("$")[0] for hashed in verified}
    assert len(parameters) == 1


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_password_of_wrong_length_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(InvalidValueError, match="characters"):
        accounts.add_user("ada", password, ["read"])
    assert not accounts.has_users


@pytest.mark.parametrize("scopes", [[], ["write"], ["read", "root"]])
def test_unknown_scope_is_refused(accounts: Accounts, scopes: list[str]) -> None:
    with pytest.raises(InvalidValueError, match="scope"):
        accounts.add_user("ada", PASSWORD, scopes)


def test_deleting_the_file_does_not_open_a_running_server(
    accounts: Accounts, ada: User, tmp_path: Path
) -> None:
    assert accounts.has_users
    (tmp_path / FILE).unlink()
    assert accounts.has_users


# sessions


def test_session_is_whose_it_is_until_it_ends(accounts: Accounts, ada: User) -> None:
    secret = accounts.open_session(ada)
    assert accounts.reader_of_session(secret) == ada.reader
    accounts.end_session(secret)
    assert accounts.reader_of_session(secret) is None


@pytest.mark.parametrize("end", ["disable", "passwd"])
def test_session_ends_when_the_user_changes(accounts: Accounts, ada: User, end: str) -> None:
    secret = accounts.open_session(ada)
    if end == "disable":
        accounts.store.set_disabled("ada", disabled=True)
        accounts.store.set_disabled("ada", disabled=False)
    else:
        accounts.set_password("ada", "another password")
    assert accounts.reader_of_session(secret) is None


@pytest.mark.parametrize(
    ("column", "hours"), [("expires", 0.0), ("seen", -IDLE_HOURS)], ids=["absolute", "idle"]
)
def test_session_expires(
    accounts: Accounts, ada: User, database: StoreConnection, column: str, hours: float
) -> None:
    secret = accounts.open_session(ada)
    moment = datetime.now(UTC) + timedelta(hours=hours, seconds=60)
    for then, is_valid in ((moment, True), (moment - timedelta(seconds=61), False)):
        database.execute(f"UPDATE sessions SET {column} = ?", (then.isoformat(),))
        assert (accounts.reader_of_session(secret) is not None) == is_valid


def test_use_keeps_a_session_from_getting_idle(
    accounts: Accounts, ada: User, database: StoreConnection
) -> None:
    secret = accounts.open_session(ada)
    long_ago = (datetime.now(UTC) - timedelta(hours=IDLE_HOURS - 1)).isoformat()
    database.execute("UPDATE sessions SET seen = ?", (long_ago,))
    assert accounts.reader_of_session(secret) is not None
    (seen,) = database.execute("SELECT seen FROM sessions").fetchone()
    assert seen > long_ago


def test_rights_count_from_the_next_request_on(accounts: Accounts, ada: User) -> None:
    secret, (_, token) = accounts.open_session(ada), accounts.make_token("ada", "script")
    accounts.store.change_user("ada", frozenset({"read"}), Rights(publishers=()))
    for reader in (accounts.reader_of_session(secret), accounts.reader_of_token(token)):
        assert reader is not None
        assert reader.scopes == {"read"}
        assert reader.rights.publishers == ()


# tokens


def test_token_has_no_more_than_its_user(accounts: Accounts, ada: User) -> None:
    for more in (
        {"scopes": ["admin"]},
        {"rights": Rights()},
        {"rights": Rights(sections=("town",), access=("board",))},
        {"rights": ALL_RIGHTS},
    ):
        with pytest.raises(AccountError, match="can't have more"):
            accounts.make_token("ada", "greedy", **more)  # type: ignore[arg-type]
    assert accounts.store.tokens() == ()


def test_token_gets_no_more_when_its_user_does(accounts: Accounts, ada: User) -> None:
    _, secret = accounts.make_token("ada", "script", scopes=["read"])
    accounts.store.change_user("ada", frozenset({"read", "ingest", "admin"}), ALL_RIGHTS)
    reader = accounts.reader_of_token(secret)
    assert reader is not None
    assert (reader.id, reader.scopes) == (ada.id, {"read"})
    assert reader.rights == Rights(sections=("town",))


def test_token_is_refused_after_its_end(
    accounts: Accounts, ada: User, database: StoreConnection
) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    _, secret = accounts.make_token("ada", "script", expires=soon)
    assert accounts.reader_of_token(secret) is not None
    database.execute("UPDATE tokens SET expires = ?", (datetime.now(UTC).isoformat(),))
    assert accounts.reader_of_token(secret) is None
    with pytest.raises(InvalidValueError, match="expired"):
        accounts.make_token("ada", "late", expires=datetime.now(UTC))


@pytest.mark.parametrize("end", ["disable", "revoke"])
def test_token_is_refused_once_it_or_its_user_is_gone(
    accounts: Accounts, ada: User, end: str
) -> None:
    made, secret = accounts.make_token("ada", "script")
    if end == "disable":
        accounts.store.set_disabled("ada", disabled=True)
    else:
        accounts.store.revoke_token(made.id)
    assert accounts.reader_of_token(secret) is None


def test_use_of_a_token_is_noted(accounts: Accounts, ada: User) -> None:
    _, secret = accounts.make_token("ada", "script")
    assert accounts.store.tokens()[0].used is None
    accounts.reader_of_token(secret)
    assert accounts.store.tokens()[0].used is not None


def test_near_misses_of_a_token_are_refused(accounts: Accounts, ada: User) -> None:
    _, secret = accounts.make_token("ada", "script")
    wrong = "A" if secret[-1] != "A" else "B"
    for tried in (secret[:-1], secret[:-1] + wrong, secret + "A", secret.upper(), secret[3:],
                  digest_of(secret), f"{secret} ", "bf_", "", "' OR 1=1 --"):  # fmt: skip
        assert accounts.reader_of_token(tried) is None
        assert accounts.reader_of_session(tried) is None


def test_session_is_not_a_token_nor_the_reverse(accounts: Accounts, ada: User) -> None:
    session, (_, token) = accounts.open_session(ada), accounts.make_token("ada", "script")
    assert accounts.reader_of_token(session) is None
    assert accounts.reader_of_token(f"bf_{session}") is None
    assert accounts.reader_of_session(token) is None
    assert accounts.reader_of_session(token.removeprefix("bf_")) is None


# users of a provider


def test_external_user_cannot_take_a_local_name(accounts: Accounts, ada: User) -> None:
    with pytest.raises(AccountError, match="already a user"):
        accounts.store.put_external("https://id sub1", "ADA", frozenset({"admin"}), ALL_RIGHTS)
    assert accounts.store.user("ada") == ada


def test_external_user_keeps_their_id_but_not_their_rights(accounts: Accounts) -> None:
    put = accounts.store.put_external
    first = put("https://id sub1", "finn", frozenset({"read", "ingest"}), ALL_RIGHTS)
    again = put("https://id sub1", "finn.new", frozenset({"read"}), Rights())
    assert (again.id, again.name, again.scopes) == (first.id, "finn.new", {"read"})
    assert put("https://id sub2", "finn", frozenset({"read"}), Rights()).id != first.id
    accounts.store.set_disabled("finn.new", disabled=True)
    with pytest.raises(AccountError, match="disabled"):
        put("https://id sub1", "finn.new", frozenset({"read"}), Rights())


# rights


@given(RIGHTS, RIGHTS, st.sampled_from("abc"), st.sampled_from("abc"), st.sampled_from(["", "a"]))
def test_intersection_allows_only_what_both_do(
    some: Rights, others: Rights, publisher: str, section: str, access: str
) -> None:
    def allows(rights: Rights) -> bool:
        return rights.allow(publisher=publisher, section=section, access=access)

    both, either = some.intersection(others), some.union(others)
    assert allows(both) == (allows(some) and allows(others))
    assert allows(either) >= (allows(some) or allows(others))
    assert both == others.intersection(some)
    assert both.intersection(some) == both


@pytest.mark.parametrize("names", [ALL, (), ("b", "a")])
def test_everything_survives_storage_as_itself(accounts: Accounts, names: Names) -> None:
    rights = Rights(publishers=names, access=names)
    accounts.add_user("ada", "", ["read"], rights)
    assert accounts.store.user("ada").rights == rights
