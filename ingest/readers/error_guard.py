"""Exceptions that a reader didn't expect, turned into rejects: one record can't end a run."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ingest.readers import Failure, Reject
from rag.errors import BackfileError

Found = TypeVar("Found")

_FRAMES = 30  # of a traceback, the innermost: a recursion has a thousand


def unexpected_failure(place: str, error: Exception) -> Reject:
    """Return the reject for an exception that nobody expected, with its traceback."""
    if isinstance(error, BackfileError):
        return Reject(place, str(error))
    if isinstance(error, RecursionError):
        return Reject(place, "nested too deep to be read")
    if isinstance(error, MemoryError):
        return Reject(place, "too large to be read in the memory there is")
    said = " ".join(str(error).split())[:120]
    named = f"{type(error).__name__}: {said}" if said else type(error).__name__
    reason = f"cannot be read ({named}): the log, BACKFILE_LOG, says where it failed"
    trace = "".join(traceback.format_exception(error, limit=-_FRAMES))
    return Failure(place, reason, trace)


def guard(
    place: str, found: Callable[[], Iterable[Found]], *, passing: tuple[type[Exception], ...] = ()
) -> Iterator[Found | Reject]:
    """Yield what `found()` gives; an exception out of it becomes the reject of `place`.

    Args:
        place: Where the record stands.
        found: Reads the record; called when the first value is asked for.
        passing: Exceptions that the caller handles itself.
    """
    try:
        yield from found()
    except passing:
        raise
    except Exception as error:
        yield unexpected_failure(place, error)
