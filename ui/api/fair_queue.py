"""Fair queue: a few slots for work, and readers who take turns to get one."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from ui.api.limits import too_many

FIRST_GUESS = 0.05  # seconds that a slot is held, before the first measurement
SMOOTHING = 0.1  # weight of the newest measurement in the mean
LONGEST_COUNTED = 4  # means: one hold that takes far longer says little about the next ones
SHORTEST_QUEUE = 1.5  # means: on a slow machine, a few requests may wait all the same


@dataclass(eq=False, slots=True)
class _Ticket:
    """A request that waits for a slot."""

    loop: asyncio.AbstractEventLoop
    admitted: asyncio.Future[None]


class FairQueue:
    """Gives slots to readers in turn, so that nobody waits for another's hundred requests.

    A request whose expected wait is too long is refused at once. Any thread and event loop may
    use it.
    """

    def __init__(
        self, slots: int, longest_wait: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create a queue.

        Args:
            slots: How many requests are worked on at once.
            longest_wait: Expected seconds in the queue above which a request is refused, unless
                they are fewer than `SHORTEST_QUEUE` mean holds.
            clock: Seconds; replaced in tests.
        """
        self.slots = slots
        self._longest_wait = longest_wait
        self._clock = clock
        self._lock = Lock()
        self._free = slots
        self._waiting: OrderedDict[str, deque[_Ticket]] = OrderedDict()
        self._mean = FIRST_GUESS

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    @property
    def running(self) -> int:
        """Number of slots that are taken."""
        return self.slots - self._free

    async def acquire(self, reader: str) -> Slot:
        """Wait for a slot.

        Args:
            reader: Who waits; readers take turns.

        Returns:
            The slot, to be released when the work has ended.

        Raises:
            ProblemError: 429 if the wait would be too long.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return Slot(self, self._clock())
            wait = self._expected_wait(reader)
            if wait > max(self._longest_wait, SHORTEST_QUEUE * self._mean):
                raise too_many("The server is busy with your and other requests", wait)
            ticket = _Ticket(loop, loop.create_future())
            self._waiting.setdefault(reader, deque()).append(ticket)
        try:
            await ticket.admitted
        except BaseException:
            self._give_up(reader, ticket)
            raise
        return Slot(self, self._clock())

    def release(self, seconds: float) -> None:
        """Pass a slot to the reader whose turn it is; `Slot.release` calls this."""
        with self._lock:
            counted = min(seconds, max(self._longest_wait, LONGEST_COUNTED * self._mean))
            self._mean += SMOOTHING * (counted - self._mean)
            self._free += 1
            self._admit()

    def _expected_wait(self, reader: str) -> float:
        """Return the seconds until a reader's next request would get a slot."""
        own = len(self._waiting.get(reader, ()))
        before = sum(min(len(tickets), own + 1) for tickets in self._waiting.values())
        return (before + 1) * self._mean / self.slots

    def _admit(self) -> None:
        while self._free and self._waiting:
            reader, tickets = next(iter(self._waiting.items()))
            ticket = tickets.popleft()
            if tickets:
                self._waiting.move_to_end(reader)
            else:
                del self._waiting[reader]
            self._free -= 1
            try:
                ticket.loop.call_soon_threadsafe(self._resolve, ticket)
            except RuntimeError:  # its event loop has ended
                self._free += 1

    def _resolve(self, ticket: _Ticket) -> None:
        if ticket.admitted.done():  # given up meanwhile
            with self._lock:
                self._free += 1
                self._admit()
        else:
            ticket.admitted.set_result(None)

    def _give_up(self, reader: str, ticket: _Ticket) -> None:
        with self._lock:
            tickets = self._waiting.get(reader)
            with suppress(ValueError):
                if tickets is not None:
                    tickets.remove(ticket)
                    if not tickets:
                        del self._waiting[reader]
                    return
            admitted = ticket.admitted
            if admitted.done() and not admitted.cancelled() and admitted.exception() is None:
                self._free += 1  # admitted at the moment of giving up
                self._admit()


class Slot:
    """A slot of a queue while it is held; releasing it twice does nothing."""

    def __init__(self, queue: FairQueue, began: float) -> None:
        self._queue = queue
        self._began = began
        self._is_held = True
        self._lock = Lock()

    def release(self) -> None:
        """Give the slot to the next reader; any thread may do so."""
        with self._lock:
            if not self._is_held:
                return
            self._is_held = False
        self._queue.release(self._queue._clock() - self._began)
