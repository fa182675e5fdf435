"""Values of accounts: users and tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rag.errors import BackfileError, InvalidValueError
from rag.rights import Rights
from ui.readers import SCOPES, Reader, Scope


class AccountError(BackfileError):
    """A user or a token doesn't exist, is taken, or may not have what is asked for."""


@dataclass(frozen=True, slots=True)
class User:
    """A person or a program that may log in.

    Attributes:
        id: Random id, which stays when anything else changes.
        name: Name by which they log in; no two users have the same in any case.
        scopes: What they may do.
        rights: What they may see.
        created: Time of creation.
        disabled: Time since which they may not log in; None if they may.
        subject: Who they are at an identity provider; "" for a user of this archive alone.
        has_password: Whether they can log in with a password.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    rights: Rights
    created: datetime
    disabled: datetime | None = None
    subject: str = ""
    has_password: bool = False

    @property
    def reader(self) -> Reader:
        """The user as the sender of a request."""
        return Reader(self.id, self.scopes, self.rights, self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the user as a dict of JSON's types."""
        return {
            "id": self.id,
            "name": self.name,
            "scopes": sorted(self.scopes),
            "rights": self.rights.to_dict(),
            "created": self.created.isoformat(),
            "disabled": self.disabled.isoformat() if self.disabled else None,
            "has_password": self.has_password,
            "external": bool(self.subject),
        }


@dataclass(frozen=True, slots=True)
class Token:
    """A secret by which a program acts for a user; the secret itself is not kept.

    Attributes:
        id: Random id.
        name: What it is for.
        user: The user for whom it acts, as they are now.
        scopes: What it was made to do; it may do no more than its user.
        rights: What it was made to see; it sees no more than its user.
        created: Time of creation.
        expires: Time after which it is refused; None for never.
        used: Time of its last use, to the minute; None for never.
    """

    id: str
    name: str
    user: User
    scopes: frozenset[Scope]
    rights: Rights
    created: datetime
    expires: datetime | None = None
    used: datetime | None = None

    @property
    def reader(self) -> Reader:
        """The token as the sender of a request, with what both it and its user may do and see."""
        scopes = self.scopes & self.user.scopes
        rights = self.rights.intersection(self.user.rights)
        return Reader(self.user.id, scopes, rights, self.user.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the token as a dict of JSON's types."""
        return {
            "id": self.id,
            "name": self.name,
            "user": self.user.name,
            "scopes": sorted(self.scopes),
            "rights": self.rights.to_dict(),
            "created": self.created.isoformat(),
            "expires": self.expires.isoformat() if self.expires else None,
            "used": self.used.isoformat() if self.used else None,
        }


def check_scopes(scopes: Iterable[str]) -> frozenset[Scope]:
    """Return scopes as a set.

    Raises:
        InvalidValueError: One is unknown, or there are none.
    """
    given = set(scopes)
    found = frozenset(scope for scope in SCOPES if scope in given)
    if not given or given - found:
        wrong = ", ".join(sorted(given - found)) or "none given"
        raise InvalidValueError(f"Unknown scope ({wrong}): choose from {', '.join(SCOPES)}.")
    return found
