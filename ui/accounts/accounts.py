"""Accounts: log in, and find the reader whom a token, a session or a proxy names."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rag.errors import InvalidValueError, RecordUnavailableError
from rag.rights import Rights
from rag.store.saved_names import clean_name
from ui.accounts.passwords import hash_password, verify_password
from ui.accounts.types import AccountError, Token, User, check_scopes

if TYPE_CHECKING:
    from ui.accounts.store import AccountStore
    from ui.readers import Reader

LOG = logging.getLogger("backfile.accounts")
TOKEN_PREFIX = "bf_"  # nosec B105 # what every token begins with
LONGEST_NAME = 100  # characters of a user's name
SESSION_DAYS = 7  # a session ends then, used or not

_TOKEN = re.compile(r"bf_[A-Za-z0-9_-]{43}")  # 32 bytes
_SESSION = re.compile(r"[A-Za-z0-9_-]{43}")


class Accounts:
    """Users of an archive.

    Attributes:
        store: Where they are kept.
    """

    def __init__(self, store: AccountStore, keep: float = 0.0) -> None:
        """Read and write the accounts of a store.

        Args:
            store: The store.
            keep: Seconds for which the answer that there are no users counts.
        """
        self.store = store
        self._keep = keep
        self._had_users: bool | None = None  # None until the store has told
        self._ask_at = 0.0

    @property
    def is_remote(self) -> bool:
        """True if asking the store may wait for a server."""
        return self._keep > 0

    @property
    def has_users(self) -> bool:
        """True once there is any user.

        It stays true while the process runs: deleting their file must not open a server. While a
        record can't be reached, the last answer counts; without one, everybody has to log in.
        """
        if self._had_users or time.monotonic() < self._ask_at:
            return self._had_users is not False
        try:
            found = self.store.has_users
            self._had_users = bool(self._had_users) or found
        except RecordUnavailableError as error:
            LOG.warning("users cannot be looked up: %s", error)
        self._ask_at = time.monotonic() + self._keep
        return self._had_users is not False

    def add_user(
        self, name: str, password: str, scopes: Iterable[str], rights: Rights | None = None
    ) -> User:
        """Add a user.

        Args:
            name: A name that no other user has.
            password: The password; "" for a user whom a proxy names.
            scopes: What they may do.
            rights: What they may see; by default, articles that need no right.

        Raises:
            AccountError: The name is taken.
            InvalidValueError: The name, the password or a scope is invalid.
        """
        name, granted = clean_user_name(name), check_scopes(scopes)
        hashed = password and hash_password(password)
        return self.store.add_user(name, hashed, granted, rights or Rights())

    def set_password(self, name: str, password: str) -> User:
        """Replace a user's password, and end their sessions.

        Raises:
            AccountError: There is no such user.
            InvalidValueError: The password is too short or too long.
        """
        self.store.user(name)
        return self.store.set_password(name, hash_password(password))

    def check_password(self, name: str, password: str) -> User | None:
        """Return the user of a name and a password; None, after the same time, if one is wrong."""
        found = self.store.find_login(name[: 2 * LONGEST_NAME])
        user, hashed = found if found and found[0].disabled is None else (None, "")
        is_right, stronger = verify_password(password, hashed)
        if user is None or not is_right:
            return None
        if stronger:
            self.store.update_hash(user.id, hashed, stronger)
        return user

    def open_session(self, user: User) -> str:
        """Return the secret id of a new session."""
        secret = secrets.token_urlsafe(32)
        expires = datetime.now(UTC) + timedelta(days=SESSION_DAYS)
        self.store.add_session(user.id, digest_of(secret), expires)
        return secret

    def end_session(self, secret: str) -> None:
        """End a session; does nothing if it is missing."""
        if _SESSION.fullmatch(secret):
            self.store.end_session(digest_of(secret))

    def make_token(
        self,
        user_name: str,
        name: str,
        *,
        scopes: Iterable[str] = (),
        rights: Rights | None = None,
        expires: datetime | None = None,
    ) -> tuple[Token, str]:
        """Make a token.

        Args:
            user_name: The user for whom it acts.
            name: What it is for; no other token of the user has this name.
            scopes: What it may do, at most what the user may; by default all of that.
            rights: What it may see, at most what the user may; by default all of that.
            expires: Time after which it is refused; None for never.

        Returns:
            The token, and its secret, which can't be shown again.

        Raises:
            AccountError: There is no such user, they may not do or see as much, or the name is
                taken.
            InvalidValueError: The name, the time or a scope is invalid.
        """
        user = self.store.user(user_name)
        granted = check_scopes(scopes) if scopes else user.scopes
        allowed = user.rights if rights is None else rights
        if beyond := granted - user.scopes:
            raise AccountError(
                f"{user.name} lacks the scope {', '.join(sorted(beyond))}: a token can't have more "
                "than its user. Change the user with `backfile user change` first."
            )
        if allowed.intersection(user.rights) != allowed:
            raise AccountError(
                f"{user.name} may not see as much: a token can't have more rights than its user. "
                "Change the user with `backfile user change` first."
            )
        if expires is not None and expires <= datetime.now(UTC):
            raise InvalidValueError("The token would have expired already: choose a later time.")
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        made = self.store.add_token(
            user.id, clean_name(name), digest_of(secret), granted, allowed, expires
        )
        return made, secret

    def reader_of_token(self, secret: str) -> Reader | None:
        """Return whom a token stands for; None if it is not valid."""
        found = self.store.find_token(digest_of(secret)) if _TOKEN.fullmatch(secret) else None
        return found.reader if found else None

    def reader_of_session(self, secret: str) -> Reader | None:
        """Return whose session this is; None if it is not valid."""
        found = self.store.find_session(digest_of(secret)) if _SESSION.fullmatch(secret) else None
        return found.reader if found else None

    def reader_of_name(self, name: str) -> Reader | None:
        """Return the reader whom a trusted proxy names; None if there is no such user."""
        found = self.store.find_login(name)
        return found[0].reader if found and found[0].disabled is None else None

    def reader_of_id(self, user_id: str) -> Reader | None:
        """Return the reader with this id; None if there is no such user."""
        try:
            found = self.store.user(user_id)
        except AccountError:
            return None
        return found.reader if found.id == user_id and found.disabled is None else None


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret, which is random: nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def clean_user_name(name: str) -> str:
    """Return a user's name on one line.

    Raises:
        InvalidValueError: It is blank or too long.
    """
    cleaned = clean_name(name)
    if len(cleaned) > LONGEST_NAME:
        raise InvalidValueError(f"The name is too long: use at most {LONGEST_NAME} characters.")
    return cleaned
