"""Cursors: opaque places in a list of results, which nobody can forge or use elsewhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

from rag.schema import Hit
from ui.api.caching import binding
from ui.api.problems import ProblemError
from ui.readers import Reader

LONGEST = 8_000  # characters
FINGERPRINT = 5  # bytes of a hit's
_TAG = 16  # bytes of the signature
_VERSION = 8  # bytes of the archive's version


def write_cursor(
    secret: bytes, reader: Reader, query: Any, place: bytes, *, version: int = 0
) -> str:
    """Return a cursor.

    Args:
        secret: The archive's, of `open_secret`.
        reader: The only reader who may use it, with their present rights.
        query: JSON value of the request, without its cursor.
        place: Where the next page begins.
        version: The archive's version if the place is lost at a change; 0 if it stays.
    """
    payload = version.to_bytes(_VERSION) + place
    return base64.urlsafe_b64encode(_sign(secret, reader, query, payload) + payload).decode()


def read_cursor(
    secret: bytes, reader: Reader, query: Any, cursor: str, *, version: int = 0
) -> bytes:
    """Return the place of a cursor.

    Args:
        secret: The archive's.
        reader: Who sends it.
        query: JSON value of the request, without its cursor.
        cursor: What `write_cursor` returned, or anything else.
        version: The archive's present version, as for `write_cursor`.

    Raises:
        ProblemError: 422 if it is no cursor of this reader and query; 409 if the archive has
            changed since.
    """
    try:
        data = base64.b64decode(cursor.encode(), b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    tag, payload = data[:_TAG], data[_TAG:]
    if not hmac.compare_digest(tag, _sign(secret, reader, query, payload)):
        raise ProblemError(
            422,
            "invalid-cursor",
            "The cursor doesn't belong to this request. Send the request without it.",
        )
    if int.from_bytes(payload[:_VERSION]) != version:
        raise ProblemError(
            409,
            "cursor-expired",
            "The archive has changed since. Send the request without the cursor.",
        )
    return payload[_VERSION:]


def _sign(secret: bytes, reader: Reader, query: Any, payload: bytes) -> bytes:
    signed = b"cursor" + binding(reader, 0, query) + payload
    return hmac.digest(secret, signed, hashlib.sha256)[:_TAG]


def fingerprint(hit: Hit) -> bytes:
    """Return a short digest of a hit's passage, by which a cursor remembers that it was shown."""
    name = f"{hit.passage.start} {hit.passage.article_id}"
    return hashlib.sha256(name.encode(errors="replace")).digest()[:FINGERPRINT]


def split_fingerprints(place: bytes) -> list[bytes]:
    """Return the digests that a cursor's place consists of."""
    return [place[i : i + FINGERPRINT] for i in range(0, len(place), FINGERPRINT)]
