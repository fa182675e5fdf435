"""Passwords: argon2id by pwdlib, with the same time for users who don't exist."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from threading import Semaphore
from typing import TYPE_CHECKING

from rag.errors import InvalidValueError

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SHORTEST, LONGEST = 10, 1024  # characters
# OWASP's parameters of 2025; more threads would take the processors from answers.
TIME_COST, MEMORY_KIB, THREADS = 2, 19_456, 1
AT_ONCE = 2  # hashes

_SLOTS = Semaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """Return the hash of a new password.

    Raises:
        InvalidValueError: It is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidValueError(
            f"The password has {len(password):,} characters: use {SHORTEST} to {LONGEST:,}."
        )
    with _SLOTS:
        return _hasher().hash(_normal(password))


def verify_password(password: str, hashed: str) -> tuple[bool, str]:
    """Compare a password with a hash.

    Args:
        password: The password.
        hashed: The hash; "" if it is missing, which takes as long and never matches.

    Returns:
        Whether it is right, and a new hash if the old one should be replaced, else "".
    """
    given = _normal(password[: LONGEST + 1])
    with _SLOTS:
        is_right, stronger = _hasher().verify_and_update(given, hashed or _nobodys())
    return is_right and bool(hashed) and len(password) <= LONGEST, stronger or ""


def prepare() -> None:
    """Make the hash for unknown users now: the first login must not take longer than others."""
    _nobodys()


def _normal(password: str) -> bytes:
    """Return the password as bytes, the same however the keyboard composes its characters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHash:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(TIME_COST, MEMORY_KIB, THREADS),))


@cache
def _nobodys() -> str:
    """Return a hash that no password has."""
    return _hasher().hash(secrets.token_bytes(32))
