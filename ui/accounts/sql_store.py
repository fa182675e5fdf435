"""Accounts in a side database of an archive: the file users.sqlite3, or a part of its record.

The statements are plain SQL. Digests of tokens and sessions are keys of the index: they are hashes
of random secrets, so the time of a look-up tells nothing about them.
"""

from __future__ import annotations

import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from rag.errors import ArchiveLockedError, ArchiveUnwritableError, RecordUnavailableError
from rag.rights import Rights
from rag.store.database import Connection
from rag.store.saved_names import name_key, new_id
from rag.store.side_database import Place, SideDatabase, to_text
from ui.accounts.types import AccountError, Token, User, check_scopes
from ui.readers import Scope

FILE = "users.sqlite3"
DAMAGED = "move this file away, and add the users again"
IDLE_HOURS = 12  # a session ends after so long without a request
USE_SECONDS = 60  # the time of the last use is written at most so often
MOST_SESSIONS = 100  # of a user; the oldest end

# Each entry upgrades the schema by one version; released entries never change.
MIGRATIONS = (
    """
    CREATE TABLE users (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL, subject TEXT UNIQUE, scopes TEXT NOT NULL, rights TEXT NOT NULL,
        created TEXT NOT NULL, disabled TEXT
    );
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, rights TEXT NOT NULL,
        created TEXT NOT NULL, expires TEXT, used TEXT, UNIQUE (user_id, name_key)
    );
    CREATE TABLE sessions (
        digest TEXT PRIMARY KEY, user_id TEXT NOT NULL, created TEXT NOT NULL,
        seen TEXT NOT NULL, expires TEXT NOT NULL
    );
    CREATE INDEX sessions_user ON sessions (user_id, created);
    """,
)
_USER = ", ".join(
    f"users.{name}" for name in "id name password subject scopes rights created disabled".split()
)
_TOKEN = ", ".join(
    f"tokens.{name}" for name in "id name scopes rights created expires used digest".split()
)
_OWN = "SELECT {} FROM {} JOIN users ON users.id = {}.user_id"


class UserDatabase(SideDatabase):
    """Users, tokens and sessions of one archive; created by the first user."""

    def __init__(self, place: Place) -> None:
        """Name the database; nothing is opened.

        Args:
            place: Where the archive's side databases are; its folder for files there.
        """
        super().__init__(place, FILE, MIGRATIONS, DAMAGED)


class SqlAccounts:
    """AccountStore in a side database.

    Args:
        place: Where the archive's side databases are; its folder for files there.
    """

    def __init__(self, place: Place) -> None:
        self._database = UserDatabase(place)

    @property
    def has_users(self) -> bool:
        """True if there is any user, even a disabled one."""
        if not self._database.exists:
            return False
        with self._database.read() as connection:
            return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None

    # users

    def users(self) -> tuple[User, ...]:
        """Return all users, by name."""
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT {_USER} FROM users ORDER BY name_key").fetchall()  # nosec B608 # constants of this code, values bound
        return tuple(_user(row) for row in rows)

    def user(self, name: str) -> User:
        """Return a user by name or id; raises AccountError if it is missing."""
        with self._database.read() as connection:
            return _find_user(connection, name)

    def add_user(self, name: str, password: str, scopes: frozenset[Scope], rights: Rights) -> User:
        """Add a user; see `AccountStore.add_user`."""
        with self._database.write() as connection:
            return _insert_user(connection, name, password, None, scopes, rights)

    def put_external(
        self, subject: str, name: str, scopes: frozenset[Scope], rights: Rights
    ) -> User:
        """Add or change a user of an identity provider; see `AccountStore.put_external`."""
        with self._database.write() as connection:
            row = connection.execute(
                f"SELECT {_USER} FROM users WHERE subject = ?",  # nosec B608 # constants of this code, values bound
                (subject,),
            ).fetchone()
            if row is None:
                return _insert_user(connection, name, "", subject, scopes, rights)
            known = _user(row)
            if known.disabled is not None:
                raise AccountError(
                    f"The user {known.name!r} is disabled.", code="user_disabled", name=known.name
                )
            if name_key(name) != name_key(known.name):
                _check_free(connection, name)
            connection.execute(
                "UPDATE users SET name = ?, name_key = ?, scopes = ?, rights = ? WHERE id = ?",
                (name, name_key(name), *_granted(scopes, rights), known.id),
            )
            return _find_user(connection, known.id)

    def change_user(self, name: str, scopes: frozenset[Scope], rights: Rights) -> User:
        """Change what a user may do and see; see `AccountStore.change_user`."""
        with self._database.write() as connection:
            user = _find_user(connection, name)
            connection.execute(
                "UPDATE users SET scopes = ?, rights = ? WHERE id = ?",
                (*_granted(scopes, rights), user.id),
            )
            return _find_user(connection, user.id)

    def set_password(self, name: str, password: str) -> User:
        """Replace a password's hash, and end the user's sessions."""
        with self._database.write() as connection:
            user = _find_user(connection, name)
            connection.execute("UPDATE users SET password = ? WHERE id = ?", (password, user.id))
            connection.execute("DELETE FROM sessions WHERE user_id = ?", (user.id,))
            return _find_user(connection, user.id)

    def update_hash(self, user_id: str, old: str, new: str) -> None:
        """Replace a hash by a stronger one; see `AccountStore.update_hash`."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE users SET password = ? WHERE id = ? AND password = ?", (new, user_id, old)
            )

    def set_disabled(self, name: str, *, disabled: bool) -> User:
        """Disable a user and end their sessions, or enable them."""
        with self._database.write() as connection:
            user = _find_user(connection, name)
            if disabled != (user.disabled is not None):
                moment = _now() if disabled else None
                connection.execute("UPDATE users SET disabled = ? WHERE id = ?", (moment, user.id))
            if disabled:
                connection.execute("DELETE FROM sessions WHERE user_id = ?", (user.id,))
            return _find_user(connection, user.id)

    def find_login(self, name: str) -> tuple[User, str] | None:
        """Return the user of a name and their password's hash; None if it is missing."""
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {_USER} FROM users WHERE name_key = ?",  # nosec B608 # constants of this code, values bound
                (name_key(name),),
            ).fetchone()
        return (_user(row), row[2]) if row else None

    # tokens

    def add_token(
        self,
        user_id: str,
        name: str,
        digest: str,
        scopes: frozenset[Scope],
        rights: Rights,
        expires: datetime | None,
    ) -> Token:
        """Add a token; see `AccountStore.add_token`."""
        with self._database.write() as connection:
            key = name_key(name)
            if connection.execute(
                "SELECT 1 FROM tokens WHERE user_id = ? AND name_key = ?", (user_id, key)
            ).fetchone():
                raise AccountError(f"There is already a token named {name!r}. Revoke it first.")
            token_id = new_id()
            connection.execute(
                "INSERT INTO tokens (id, user_id, name, name_key, digest, scopes, rights, created, "
                "expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(token_id, user_id, name, key, digest, *_granted(scopes, rights), _now()),
                    to_text(expires) if expires else None,
                ),
            )
            added = _find_token(connection, "tokens.id = ?", token_id)
        assert added is not None
        return added[0]

    def tokens(self) -> tuple[Token, ...]:
        """Return all tokens that weren't revoked, by user and name."""
        statement = _OWN.format(f"{_TOKEN}, {_USER}", "tokens", "tokens")
        with self._database.read() as connection:
            rows = connection.execute(
                f"{statement} ORDER BY users.name_key, tokens.name_key"
            ).fetchall()
        return tuple(_token(row) for row in rows)

    def revoke_token(self, token_id: str) -> Token:
        """Delete a token; see `AccountStore.revoke_token`."""
        with self._database.write() as connection:
            found = _find_token(connection, "tokens.id = ?", token_id)
            if found is None:
                raise AccountError(
                    f"There is no token with the id {token_id!r}: see `backfile token list`."
                )
            connection.execute("DELETE FROM tokens WHERE id = ?", (token_id,))
            return found[0]

    def find_token(self, digest: str) -> Token | None:
        """Return the token with this digest unless it expired or its user is disabled."""
        now = datetime.now(UTC)
        with self._database.read() as connection:
            found = _find_token(connection, "tokens.digest = ?", digest)
        if found is None or not hmac.compare_digest(found[1], digest):
            return None
        token = found[0]
        if token.user.disabled is not None or (token.expires is not None and token.expires <= now):
            return None
        if token.used is None or now - token.used >= timedelta(seconds=USE_SECONDS):
            self._note("UPDATE tokens SET used = ? WHERE id = ?", to_text(now), token.id)
        return token

    # sessions

    def add_session(self, user_id: str, digest: str, expires: datetime) -> None:
        """Add a session, and delete those that have ended."""
        with self._database.write() as connection:
            idle = to_text(datetime.now(UTC) - timedelta(hours=IDLE_HOURS))
            connection.execute(
                "DELETE FROM sessions WHERE expires <= ? OR seen <= ?", (_now(), idle)
            )
            rows = connection.execute(
                "SELECT digest FROM sessions WHERE user_id = ? ORDER BY created DESC", (user_id,)
            ).fetchall()
            for (oldest,) in rows[MOST_SESSIONS - 1 :]:
                connection.execute("DELETE FROM sessions WHERE digest = ?", (oldest,))
            connection.execute(
                "INSERT INTO sessions (digest, user_id, created, seen, expires) "
                "VALUES (?, ?, ?, ?, ?)",
                (digest, user_id, _now(), _now(), to_text(expires)),
            )

    def find_session(self, digest: str) -> User | None:
        """Return whose session this is; None if it ended or its user is disabled."""
        now = datetime.now(UTC)
        statement = _OWN.format(
            f"sessions.digest, sessions.seen, sessions.expires, {_USER}", "sessions", "sessions"
        )
        with self._database.read() as connection:
            row = connection.execute(f"{statement} WHERE sessions.digest = ?", (digest,)).fetchone()
        if row is None or not hmac.compare_digest(row[0], digest):
            return None
        seen, user = datetime.fromisoformat(row[1]), _user(row[3:])
        if datetime.fromisoformat(row[2]) <= now or now - seen >= timedelta(hours=IDLE_HOURS):
            return None
        if user.disabled is not None:
            return None
        if now - seen >= timedelta(seconds=USE_SECONDS):
            self._note("UPDATE sessions SET seen = ? WHERE digest = ?", to_text(now), digest)
        return user

    def end_session(self, digest: str) -> None:
        """End a session; does nothing if it is missing."""
        if self._database.exists:
            with self._database.write() as connection:
                connection.execute("DELETE FROM sessions WHERE digest = ?", (digest,))

    def _note(self, statement: str, moment: str, key: str) -> None:
        """Write a time of use; a full disk must not keep anybody out."""
        may_fail = (ArchiveLockedError, ArchiveUnwritableError, RecordUnavailableError)
        with suppress(*may_fail), self._database.write() as to:
            to.execute(statement, (moment, key))


def _now() -> str:
    return to_text(datetime.now(UTC))


def _granted(scopes: frozenset[Scope], rights: Rights) -> tuple[str, str]:
    return json.dumps(sorted(scopes)), json.dumps(rights.to_dict())


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _user(row: Any) -> User:
    user_id, name, password, subject, scopes, rights, created, disabled = row
    return User(
        *(user_id, name, check_scopes(json.loads(scopes)), Rights.from_dict(json.loads(rights))),
        created=datetime.fromisoformat(created),
        disabled=_moment(disabled),
        subject=subject or "",
        has_password=bool(password),
    )


def _token(row: Any) -> Token:
    token_id, name, scopes, rights, created, expires, used, _ = row[:8]
    return Token(
        *(token_id, name, _user(row[8:])),
        scopes=check_scopes(json.loads(scopes)),
        rights=Rights.from_dict(json.loads(rights)),
        created=datetime.fromisoformat(created),
        expires=_moment(expires),
        used=_moment(used),
    )


def _find_user(connection: Connection, name: str) -> User:
    row = connection.execute(
        f"SELECT {_USER} FROM users WHERE id = ? OR name_key = ? ORDER BY id = ? DESC LIMIT 1",  # nosec B608 # constants of this code, values bound
        (name, name_key(name), name),
    ).fetchone()
    if row is None:
        raise AccountError(f"There is no user named {name!r}: see `backfile user list`.")
    return _user(row)


def _check_free(connection: Connection, name: str) -> None:
    row = connection.execute("SELECT 1 FROM users WHERE name_key = ?", (name_key(name),)).fetchone()
    if row is not None:
        raise AccountError(
            f"There is already a user named {name!r}. Choose another name.",
            code="user_name_taken",
            name=name,
        )


def _insert_user(
    connection: Connection,
    name: str,
    password: str,
    subject: str | None,
    scopes: frozenset[Scope],
    rights: Rights,
) -> User:
    _check_free(connection, name)
    user_id = new_id()
    connection.execute(
        "INSERT INTO users (id, name, name_key, password, subject, scopes, rights, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (user_id, name, name_key(name), password, subject, *_granted(scopes, rights), _now()),
    )
    return _find_user(connection, user_id)


def _find_token(connection: Connection, condition: str, value: str) -> tuple[Token, str] | None:
    statement = _OWN.format(f"{_TOKEN}, {_USER}", "tokens", "tokens")
    row = connection.execute(f"{statement} WHERE {condition}", (value,)).fetchone()
    return (_token(row), row[7]) if row else None
