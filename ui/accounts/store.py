"""AccountStore: where users, tokens and sessions are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from rag.rights import Rights
from ui.accounts.types import Token, User
from ui.readers import Scope


class AccountStore(Protocol):
    """Users, tokens and sessions; any number of threads and processes may use one.

    Secrets reach it as digests only: passwords hashed with argon2, tokens and ids of sessions with
    SHA-256. Methods that name a user take a name, in any case, or an id.
    """

    @property
    def has_users(self) -> bool:
        """True if there is any user, even a disabled one."""

    def users(self) -> tuple[User, ...]:
        """Return all users, by name."""

    def user(self, name: str) -> User:
        """Return a user; raises AccountError if it is missing."""

    def add_user(self, name: str, password: str, scopes: frozenset[Scope], rights: Rights) -> User:
        """Add a user; raises AccountError if the name is taken.

        Args:
            name: The name.
            password: The hash of the password; "" for a user who logs in elsewhere.
            scopes: What they may do.
            rights: What they may see.
        """

    def put_external(
        self, subject: str, name: str, scopes: frozenset[Scope], rights: Rights
    ) -> User:
        """Add or change the user whom an identity provider names.

        Raises:
            AccountError: Another user has the name, or the user is disabled.
        """

    def change_user(self, name: str, scopes: frozenset[Scope], rights: Rights) -> User:
        """Change what a user may do and see; raises AccountError if it is missing."""

    def set_password(self, name: str, password: str) -> User:
        """Replace the hash of a user's password, and end their sessions.

        Raises:
            AccountError: There is no such user.
        """

    def update_hash(self, user_id: str, old: str, new: str) -> None:
        """Replace a hash by a stronger one of the same password, unless it changed meanwhile."""

    def set_disabled(self, name: str, *, disabled: bool) -> User:
        """Disable a user and end their sessions, or enable them.

        Raises:
            AccountError: There is no such user.
        """

    def find_login(self, name: str) -> tuple[User, str] | None:
        """Return the user of a name and the hash of their password; None if it is missing."""

    def add_token(
        self,
        user_id: str,
        name: str,
        digest: str,
        scopes: frozenset[Scope],
        rights: Rights,
        expires: datetime | None,
    ) -> Token:
        """Add a token; raises AccountError if the user has one of this name."""

    def tokens(self) -> tuple[Token, ...]:
        """Return all tokens that weren't revoked, by user and name."""

    def revoke_token(self, token_id: str) -> Token:
        """Delete a token by its id; raises AccountError if it is missing."""

    def find_token(self, digest: str) -> Token | None:
        """Return the token with this digest unless it expired or its user is disabled."""

    def add_session(self, user_id: str, digest: str, expires: datetime) -> None:
        """Add a session."""

    def find_session(self, digest: str) -> User | None:
        """Return whose session this is; None if it expired or its user is disabled."""

    def end_session(self, digest: str) -> None:
        """End a session; does nothing if it is missing."""
