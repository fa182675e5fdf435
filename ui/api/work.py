"""Work of requests: rates, turns, deadlines, and iterators that stop when nobody waits for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Request

from rag.answer.background import iterate_in_thread
from rag.answer.chatbot import Chatbot
from rag.settings import Settings
from ui.accounts.audit import Activity, Sender
from ui.accounts.rates import Rates
from ui.api.closing import Closing
from ui.api.fair_queue import FairQueue, Slot
from ui.api.limits import RateLimits
from ui.api.metrics import Metrics
from ui.api.problems import ProblemError
from ui.api.services import CurrentEditor, sender_with
from ui.api.threads import Threads
from ui.readers import Reader, Scope

Kind = Literal["search", "ask"]
T = TypeVar("T")

SLOTS = 2  # of searches, and of answers that quote: each uses every core
CHAT_MODEL_SLOTS = 8  # most of the time is spent waiting for the chat model
LONGEST_WAIT: dict[Kind, float] = {"search": 0.12, "ask": 30.0}  # expected seconds in the queue
DEADLINES: dict[Kind, float] = {"search": 30.0, "ask": 180.0}  # seconds from the request's arrival
TICK = 0.25  # seconds between two looks at what ends work early


class _End(Enum):
    """End of an iterator, which isn't one of its values."""

    END = "end"


class WorkScheduler:
    """Runs the work of requests in threads, a few at a time, with turns for readers."""

    def __init__(
        self, settings: Settings, chatbot: Chatbot, metrics: Metrics, closing: Closing
    ) -> None:
        """Create it for one server.

        Args:
            settings: The rates.
            chatbot: Decides how many answers are made at once.
            metrics: Where durations are counted.
            closing: Ends all work.
        """
        self.limits = RateLimits(settings, Rates.open(settings))
        self.metrics = metrics
        self.closing = closing
        self.deadlines = dict(DEADLINES)
        asking = CHAT_MODEL_SLOTS if chatbot.chat_model else SLOTS
        self.queues: dict[Kind, FairQueue] = {
            "search": FairQueue(SLOTS, LONGEST_WAIT["search"]),
            "ask": FairQueue(asking, LONGEST_WAIT["ask"]),
        }
        self.threads = {kind: Threads(queue.slots) for kind, queue in self.queues.items()}


@dataclass(frozen=True, slots=True)
class RequestWork:
    """Work for one request.

    Attributes:
        scheduler: The server's.
        kind: Which queue it waits in.
        reader: Whose turn it uses.
        request: The request; work ends early if its sender goes away.
        sender: Who sent it, for the audit log. An activity is logged with the first result, so that
            what is refused, or isn't there, is not.
    """

    scheduler: WorkScheduler
    kind: Kind
    reader: str
    request: Request
    sender: Sender

    async def run(self, function: Callable[[], T], activity: Activity | None) -> T:
        """Return the result of a blocking function, called in a thread.

        Args:
            function: The function.
            activity: What the audit log says of it; None for nothing.

        Raises:
            ProblemError: 429 if the queue is too long, 504 past the deadline, 503 at the
                server's end, 400 if the client has gone.
        """
        results = self._stream(lambda: iter((function(),)), activity, watch_client=True)
        async with aclosing(results):
            return await anext(results)

    async def all(self, make: Callable[[], Iterator[T]], activity: Activity) -> list[T]:
        """Return the values of a blocking iterator, which is closed early as `run` ends early."""
        results = self._stream(make, activity, watch_client=True)
        async with aclosing(results):
            return [one async for one in results]

    async def last(self, make: Callable[[], Iterator[T]], activity: Activity) -> T:
        """Return the last value of a blocking iterator; see `all`."""
        results = self._stream(make, activity, watch_client=True)
        async with aclosing(results):
            found = await anext(results)
            async for one in results:  # answers grow: only the last is kept
                found = one
            return found

    def stream(self, make: Callable[[], Iterator[T]], activity: Activity) -> AsyncGenerator[T]:
        """Yield the values of a blocking iterator, which a thread makes and closes.

        Close the generator to stop. A client who goes away before the first value ends the work;
        later, `fastapi.responses.StreamingResponse` cancels it.

        Args:
            make: Returns the iterator; called in the thread, in its turn.
            activity: What the audit log says of it.

        Raises:
            ProblemError: As of `run`.
        """
        return self._stream(make, activity, watch_client=False)

    async def _stream(
        self, make: Callable[[], Iterator[T]], activity: Activity | None, *, watch_client: bool
    ) -> AsyncGenerator[T]:
        scheduler, began = self.scheduler, time.monotonic()
        until = began + scheduler.deadlines[self.kind]
        slot = await self._acquire(until)
        admitted = time.monotonic()
        scheduler.metrics.stage(f"{self.kind} queue", admitted - began)
        start = scheduler.threads[self.kind].start
        record = partial(self.sender.record, activity) if activity else None
        values = iterate_in_thread(lambda: _Held(make, slot, record), start)
        count, is_begun = 0, False

        async def following() -> T | Literal[_End.END]:
            nonlocal is_begun
            is_begun = True  # the thread releases the slot from now on
            return await anext(values, _End.END)

        try:
            async with aclosing(values):
                while True:
                    task = asyncio.ensure_future(following())
                    # a response that has begun watches the client itself
                    is_waiting = watch_client or count == 0
                    value = await self._wait(task, until, watch_client=is_waiting)
                    if value is _End.END:
                        break
                    count += 1
                    if count == 1:
                        seconds = time.monotonic() - admitted
                        scheduler.metrics.stage(f"{self.kind} first result", seconds)
                    yield value
        finally:
            if not is_begun:
                slot.release()
        scheduler.metrics.stage(f"{self.kind} complete", time.monotonic() - admitted)

    async def _acquire(self, until: float) -> Slot:
        task = asyncio.ensure_future(self.scheduler.queues[self.kind].acquire(self.reader))
        try:
            slot: Slot = await self._wait(task, until, watch_client=True)
        except BaseException:
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().release()  # admitted at the moment of giving up
            raise
        return slot

    async def _wait(self, task: asyncio.Future[Any], until: float, *, watch_client: bool) -> Any:
        """Return a task's result; cancel it when it is too late, or nobody waits for it."""
        try:
            while True:
                await self._check(until, watch_client)
                left = until - time.monotonic()
                await asyncio.wait({task}, timeout=max(0.0, min(TICK, left)))
                if task.done():
                    return task.result()
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def _check(self, until: float, watch_client: bool) -> None:
        """Raise the problem that ends the work early, if there is one."""
        if time.monotonic() >= until:
            seconds = self.scheduler.deadlines[self.kind]
            raise ProblemError(
                504, "deadline", f"This took more than {seconds:.0f} seconds. Ask for less at once."
            )
        if self.scheduler.closing.is_set():
            raise closing_problem()
        if watch_client and await self.request.is_disconnected():
            raise ProblemError(400, "client-gone", "The client closed the connection.")


class _Held(Generic[T]):
    """Iterator that holds a slot until it is closed, and logs its first value."""

    def __init__(
        self, make: Callable[[], Iterator[T]], slot: Slot, record: Callable[[], None] | None
    ) -> None:
        self._slot = slot
        self._record = record
        try:
            self._values = make()
        except BaseException:
            slot.release()
            raise

    def __iter__(self) -> _Held[T]:
        return self

    def __next__(self) -> T:
        value = next(self._values)
        if self._record is not None:
            self._record()
            self._record = None
        return value

    def close(self) -> None:
        """Close the iterator, and release the slot."""
        try:
            close = getattr(self._values, "close", None)
            if close is not None:
                close()
        finally:
            self._slot.release()


def closing_problem() -> ProblemError:
    """Return the problem of a request that the end of the server interrupts."""
    return ProblemError(
        503, "closing", "The server is shutting down. Try again.", headers={"Retry-After": "5"}
    )


def reader_key(request: Request, reader: Reader) -> str:
    """Return whose turns and rates a request uses: the reader, or a local visitor's address."""
    client = request.scope.get("state", {}).get("client", "")
    return f"local {client}" if reader.id == "local" else f"reader {reader.id}"


def work_of(kind: Kind, scope: Scope = "read") -> Callable[..., RequestWork]:
    """Return a dependency: the work of a request, after its reader's rates.

    Args:
        kind: "search" or "ask".
        scope: What the reader must be allowed to do.
    """
    find_sender = sender_with(scope)

    def find(request: Request) -> RequestWork:
        scheduler: WorkScheduler = request.app.state.work
        sender = find_sender(request)
        key = reader_key(request, sender.reader)
        scheduler.limits.take(kind, key)
        return RequestWork(scheduler, kind, key, request, sender)

    return find


def limit_writes(request: Request, reader: CurrentEditor) -> None:
    """Dependency: count a change of the archive against its sender's rate."""
    scheduler: WorkScheduler = request.app.state.work
    scheduler.limits.take("write", reader_key(request, reader))


# Parameters of endpoints. FastAPI reads annotations at run time: import these for real.
SearchWork = Annotated[RequestWork, Depends(work_of("search"))]
AskWork = Annotated[RequestWork, Depends(work_of("ask"))]
