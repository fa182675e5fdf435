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


async def iterate_in_thread(make: Callable[[], Iterator[T]]) -> AsyncGenerator[T]:
    """Yield each value of a blocking iterator as soon as it is there; the event loop stays free.

    One thread makes the iterator, runs it and closes it, with the caller's context variables.
    Cancelled or closed early, it asks for no further value, and doesn't wait for the thread: the
    step that has begun ends by itself.

    Args:
        make: Returns the iterator; called in the thread.

    Raises:
        Exception: Whatever the iterator raises.
    """
    loop = asyncio.get_running_loop()
    values: asyncio.Queue[Any] = asyncio.Queue()
    given_up = threading.Event()

    def send(value: Any, error: BaseException | None = None) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits
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
        except BaseException as error:  # raised again by who iterates
            send(_DONE, error)

    # A daemon: a chat model that hangs must not keep a cancelled program from ending.
    threading.Thread(
        target=copy_context().run, args=(work,), daemon=True, name="backfile answer"
    ).start()
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
