"""Iterate over a blocking iterator in a thread, from asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")
_DONE = object()


def _start_thread(work: Callable[[], None]) -> None:
    # A daemon thread, so that a chat model that hangs can't keep the program from exiting.
    threading.Thread(target=work, daemon=True, name="backfile answer").start()


async def iterate_in_thread(
    make: Callable[[], Iterator[T]],
    start: Callable[[Callable[[], None]], None] = _start_thread,
) -> AsyncGenerator[T]:
    """Yield the values of a blocking iterator without blocking the event loop.

    One thread creates, runs and closes the iterator, with the caller's context variables. If the
    generator is cancelled or closed early, it requests no further value and doesn't wait for the
    thread, which ends after its current step.

    Args:
        make: Returns the iterator; called in the thread.
        start: Calls a function in a thread, by default a new one.

    Raises:
        Exception: Any exception of the iterator.
    """
    loop = asyncio.get_running_loop()
    values: asyncio.Queue[Any] = asyncio.Queue()
    given_up = threading.Event()

    def send(value: Any, error: BaseException | None = None) -> None:
        with suppress(RuntimeError):  # the loop was closed, so nothing waits for the value
            loop.call_soon_threadsafe(values.put_nowait, (value, error))

    def work() -> None:
        try:
            iterator = make()
            try:
                while not given_up.is_set() and (value := next(iterator, _DONE)) is not _DONE:
                    send(value)
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
            send(_DONE)
        except BaseException as error:  # raised again in the event loop
            send(_DONE, error)

    context = copy_context()
    start(lambda: context.run(work))
    try:
        while True:
            value, error = await values.get()
            if error is not None:
                raise error
            if value is _DONE:
                return
            yield value
    finally:
        given_up.set()
