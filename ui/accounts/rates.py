"""Rates of readers and logins, which the servers of an archive count together.

`limits` does the arithmetic. Its storage here is the file limits.sqlite3, or the shared record.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from limits import RateLimitItem
from limits.storage import MemoryStorage, MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from rag.store.rate_windows import RateWindows

if TYPE_CHECKING:
    from rag.settings import Settings

LOG = logging.getLogger("backfile.rates")
RETRY_SECONDS = 60.0  # after a failure, until the shared store is tried again
T = TypeVar("T")


class RateStore(Protocol):
    """Store of admitted requests; `rag.store.rate_windows.RateWindows` says what methods do."""

    def take(self, key: str, limit: int, seconds: float, amount: int = 1) -> bool:
        """Add entries unless a moving window would have more than its limit."""

    def window(self, key: str, seconds: float) -> tuple[float, int]:
        """Return the time of a moving window's first entry, and their number."""

    def count(self, key: str, seconds: float, amount: int) -> int:
        """Add to a counter that starts again after a while, and return its sum."""

    def counter(self, key: str) -> tuple[float, int]:
        """Return when a counter starts again, and its sum."""

    def clear(self, key: str | None = None) -> int:
        """Delete the entries of a key, or of all; return how many there were."""

    def close(self) -> None:
        """Release what it holds; it can be used again."""


class SharedStorage(Storage, MovingWindowSupport):
    """Storage of `limits` over a `RateStore`, or in memory while that fails.

    A full disk or a damaged file must not keep readers out, nor end the limits.
    """

    STORAGE_SCHEME = None

    def __init__(self, store: RateStore, clock: Callable[[], float] = time.monotonic) -> None:
        """Count in a store.

        Args:
            store: Shared by the servers of an archive.
            clock: Decides when a failed store is tried again.
        """
        super().__init__()
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._memory: MemoryStorage | None = None
        self._failed_until = float("-inf")

    @property
    def base_exceptions(self) -> type[Exception]:
        """Errors that `limits` may wrap."""
        return Exception

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Add entries to a moving window unless it is full; return whether they were added."""
        return self._try(
            lambda: self._store.take(key, limit, expiry, amount),
            lambda memory: memory.acquire_entry(key, limit, expiry, amount),
        )

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the time of a moving window's first entry, and their number."""
        return self._try(
            lambda: self._store.window(key, expiry),
            lambda memory: memory.get_moving_window(key, limit, expiry),
        )

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a counter, and return its sum."""
        return self._try(
            lambda: self._store.count(_counter(key), expiry, amount),
            lambda memory: memory.incr(key, expiry, amount),
        )

    def get(self, key: str) -> int:
        """Return a counter's sum."""
        return self._try(
            lambda: self._store.counter(_counter(key))[1], lambda memory: memory.get(key)
        )

    def get_expiry(self, key: str) -> float:
        """Return when a counter starts again."""
        return self._try(
            lambda: self._store.counter(_counter(key))[0], lambda memory: memory.get_expiry(key)
        )

    def check(self) -> bool:
        """Return whether entries are shared."""
        return self._try(lambda: self._store.window("", 1.0) is not None, lambda _: False)

    def reset(self) -> int | None:
        """Delete all entries; return how many there were."""
        return self._try(self._store.clear, lambda memory: memory.reset())

    def clear(self, key: str) -> None:
        """Delete the entries of a key."""

        def clear() -> None:
            self._store.clear(key)
            self._store.clear(_counter(key))

        self._try(clear, lambda memory: memory.clear(key))

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _try(self, shared: Callable[[], T], alone: Callable[[MemoryStorage], T]) -> T:
        if self._clock() >= self._failed_until:
            try:
                return shared()
            except Exception as error:
                self._fail(error)
        with self._lock:
            if self._memory is None:
                self._memory = MemoryStorage()
            return alone(self._memory)

    def _fail(self, error: Exception) -> None:
        with self._lock:
            is_first = self._failed_until == float("-inf")
            self._failed_until = self._clock() + RETRY_SECONDS
        if is_first:
            LOG.warning("rates are counted in memory, by this process alone: %s", error)


class Rates:
    """Moving windows over a storage."""

    def __init__(self, storage: SharedStorage | MemoryStorage) -> None:
        """Count in a storage."""
        self._storage = storage
        self._limiter = MovingWindowRateLimiter(storage)

    @classmethod
    def open(cls, settings: Settings) -> Rates:
        """Return the rates of an archive; nothing is read yet."""
        if not settings.record:
            return cls(SharedStorage(RateWindows(settings.archive)))
        from rag.store.postgres.rate_windows import SharedRateWindows
        from rag.store.postgres.side_schema import RecordHome

        return cls(SharedStorage(SharedRateWindows(RecordHome(settings.archive, settings.record))))

    @classmethod
    def in_memory(cls) -> Rates:
        """Return rates that end with their owner."""
        return cls(MemoryStorage())

    def take(self, item: RateLimitItem, *identifiers: str) -> float:
        """Count a request unless it exceeds a rate.

        Args:
            item: The rate.
            identifiers: What is asked for, and by whom.

        Returns:
            0 if it was counted, else the seconds until the next one will be.
        """
        if self._limiter.hit(item, *identifiers):
            return 0.0
        reset = self._limiter.get_window_stats(item, *identifiers).reset_time
        return max(reset - time.time(), 0.001)

    def is_full(self, item: RateLimitItem, *identifiers: str) -> bool:
        """Return whether `take` would refuse a request; nothing is counted."""
        return not self._limiter.test(item, *identifiers)

    def renew(self, item: RateLimitItem, *identifiers: str) -> None:
        """Forget what was counted, and count one request now."""
        self._limiter.clear(item, *identifiers)
        self._limiter.hit(item, *identifiers)

    def close(self) -> None:
        """Release the storage; it can be used again."""
        if isinstance(self._storage, SharedStorage):
            self._storage.close()


def _counter(key: str) -> str:
    """Return the name of a counter, which isn't the window of the same key."""
    return f"counter {key}"
