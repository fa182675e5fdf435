"""Many pages at a time: each read in another process, and given in the order of their files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from multiprocessing.connection import wait
from pathlib import Path

from ingest.readers import Link, OnBytes, Read, ReaderOptions, Reject
from ingest.readers.detect import detect_format
from ingest.readers.dispatch import read_file
from rag.schema import Article

FROM = 64  # pages: fewer are read before the processes have begun, which takes 2 s
PAGE_BYTES = 2**20  # a larger page is read here: what waits to be taken is bounded
_AHEAD = 8  # pages of each process that may be read before they are asked for
_SOME = 4  # pages that are sent to a process at a time
_PEEK = 2**12

_Found = list[list["Article | Reject | Link"]]


def read_in_parallel(
    files: Iterable[Path], on_bytes: OnBytes | None, reading: ReaderOptions
) -> Read:
    """Yield what `files` hold, in their order, pages in `reading.workers` processes.

    What is no page is read here, and so is everything where there are few pages. The processes
    are begun afresh (spawn): what the caller has open is not theirs. A process that is killed
    takes nothing with it: its pages are read here.
    """
    alone = replace(reading, workers=1)
    files = iter(files)
    first = list(islice(files, FROM))
    if len(first) < FROM or sum(map(_is_page, first)) < FROM // 2:
        for file in chain(first, files):
            yield from read_file(file, on_bytes, alone)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(reading.workers, mp_context=spawn, initializer=_begin)
    waiting: deque[tuple[list[Path], Future[_Found] | None]] = deque()
    try:
        for some in _parts(chain(first, files)):
            waiting.append((some, _asked(pool, some, alone)))
            if len(waiting) > _AHEAD * reading.workers // _SOME + 1:
                yield from _taken(*waiting.popleft(), on_bytes, alone)
        while waiting:
            yield from _taken(*waiting.popleft(), on_bytes, alone)
    finally:
        pool.shutdown(cancel_futures=True)


def read_some(files: list[Path], reading: ReaderOptions) -> _Found:
    """Return what each of a few files holds: what a process is asked for."""
    return [list(read_file(file, None, reading)) for file in files]


def _begin() -> None:
    """Leave Ctrl-C to the process that asks, and do not outlive it: killed, it tells nobody."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asking = multiprocessing.parent_process()
    if asking is not None:
        threading.Thread(target=_end_with, args=(asking.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _asked(
    pool: ProcessPoolExecutor, some: list[Path], alone: ReaderOptions
) -> Future[_Found] | None:
    if not _is_page(some[0]):
        return None
    try:
        with _without_interrupts():  # the first call begins the processes
            return pool.submit(read_some, some, alone)
    except RuntimeError:  # the processes are gone, or could not be begun
        return None


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Have a process that is begun here pass over Ctrl-C: it would tell of it while it imports.

    Here, it comes when this is over.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _taken(
    files: list[Path],
    future: Future[_Found] | None,
    on_bytes: OnBytes | None,
    reading: ReaderOptions,
) -> Read:
    found: _Found | None = None
    if future is not None:
        try:
            found = future.result()
        except Exception:  # the process is gone, or what it found can't be sent: read here again
            found = None
    for number, file in enumerate(files):
        if found is None:
            yield from read_file(file, on_bytes, reading)
        else:
            if on_bytes:
                on_bytes(_size(file))
            yield from found[number]


def _parts(files: Iterable[Path]) -> Iterator[list[Path]]:
    """Yield the files in their order, up to _SOME pages together, what is no page by itself."""
    some: list[Path] = []
    for file in files:
        page = _is_page(file)
        if some and (not page or len(some) == _SOME):
            yield some
            some = []
        if page:
            some.append(file)
        else:
            yield [file]
    if some:
        yield some


def _is_page(file: Path) -> bool:
    if _size(file) > PAGE_BYTES:
        return False
    try:
        with file.open("rb") as opened:
            return detect_format(opened.read(_PEEK)) == "html"
    except Exception:  # whatever it is, `read_file` says so
        return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
