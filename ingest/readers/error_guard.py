"""Turn unexpected exceptions of a reader into rejects, so one record can't end a run."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ingest.readers import Failure, Reject
from rag.errors import BackfileError

Found = TypeVar("Found")

_FRAMES = 30  # innermost frames of a traceback; a recursion has a thousand


def unexpected_failure(place: str, error: Exception) -> Reject:
    """Return the reject for an unexpected exception, with its traceback."""
    if isinstance(error, BackfileError):
        return Reject(place, str(error))
    if isinstance(error, RecursionError):
        return Reject(place, "nested too deeply")
    if isinstance(error, MemoryError):
        return Reject(place, "not enough memory to read it")
    message = " ".join(str(error).split())[:120]
    named = f"{type(error).__name__}: {message}" if message else type(error).__name__
    reason = f"could not be read ({named}): see the log (BACKFILE_LOG) for details"
    trace = "".join(traceback.format_exception(error, limit=-_FRAMES))
    return Failure(place, reason, trace)


def guard(
    place: str, found: Callable[[], Iterable[Found]], *, passing: tuple[type[Exception], ...] = ()
) -> Iterator[Found | Reject]:
    """Yield what `found()` yields; turn an exception into a reject of `place`.

    Args:
        place: The place of the record.
        found: Reads the record; called when the first value is requested.
        passing: Exceptions that the caller handles itself.
    """
    try:
        yield from found()
    except passing:
        raise
    except Exception as error:
        yield unexpected_failure(place, error)
