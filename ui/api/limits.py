"""Rate limits by reader, in moving windows."""

from __future__ import annotations

import math
from typing import Literal

from limits import RateLimitItem, parse_many

from rag.errors import SettingsError
from rag.settings import Settings
from ui.accounts.rates import Rates
from ui.api.problems import ProblemError

Kind = Literal["search", "ask", "write"]


class RateLimits:
    """Counts the requests of each reader, and refuses those above the rates of the settings."""

    def __init__(self, settings: Settings, rates: Rates | None = None) -> None:
        """Count for a server with these settings.

        Args:
            settings: The rates.
            rates: Where requests are counted; by default in memory.

        Raises:
            SettingsError: A rate isn't of the form "25/second;600/minute".
        """
        self._rates = rates or Rates.in_memory()
        self._items: dict[Kind, tuple[RateLimitItem, ...]] = {
            "search": _parse("BACKFILE_SEARCH_RATE", settings.search_rate),
            "ask": _parse("BACKFILE_ASK_RATE", settings.ask_rate),
            "write": _parse("BACKFILE_WRITE_RATE", settings.write_rate),
        }

    def take(self, kind: Kind, key: str) -> None:
        """Count a request; one that is refused doesn't count.

        Args:
            kind: What is asked for; each kind has rates of its own.
            key: Who asks.

        Raises:
            ProblemError: 429, with the seconds to wait as `Retry-After`.
        """
        for item in self._items[kind]:
            if wait := self._rates.take(item, kind, key):
                raise too_many(f"You may send {item}", wait)

    def close(self) -> None:
        """Release what counts the requests."""
        self._rates.close()


def too_many(why: str, seconds: float) -> ProblemError:
    """Return the problem of a request that has to wait.

    Args:
        why: What is exceeded, without a full stop.
        seconds: How long to wait; rounded up.
    """
    wait = max(1, math.ceil(seconds))
    unit = "second" if wait == 1 else "seconds"
    return ProblemError(
        429,
        "too-many-requests",
        f"{why}. Try again in {wait} {unit}.",
        headers={"Retry-After": str(wait)},
        more={"retry_after": wait},
    )


def _parse(name: str, text: str) -> tuple[RateLimitItem, ...]:
    try:
        return tuple(parse_many(text)) if text.strip() else ()
    except ValueError as error:
        raise SettingsError(
            f"{name} is invalid: {text!r} is not a rate. Write 25/second, or 5/second;100/minute."
        ) from error
