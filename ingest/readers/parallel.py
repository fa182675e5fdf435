"""Read many pages in parallel processes, and yield them in the order of their files."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from ingest.readers import Link, OnBytes, Read, ReaderOptions, Reject
from ingest.readers.detect import detect_format
from ingest.readers.dispatch import read_file
from ingest.worker_start import start_worker, without_interrupts
from rag.schema import Article

PARALLEL_FROM = 64  # pages; fewer are faster to read here, because starting processes takes 2 s
PAGE_BYTES = 2**20  # larger pages are read here, to bound the queued results
_AHEAD = 8  # pages that each process may read ahead
_CHUNK_SIZE = 4  # pages sent to a process at a time
_PEEK = 2**12

_Found = list[list["Article | Reject | Link"]]


def read_in_parallel(
    files: Iterable[Path], on_bytes: OnBytes | None, reading: ReaderOptions
) -> Read:
    """Yield the contents of `files` in order, with pages read in `reading.workers` processes.

    Other formats are read in this process, and so is everything if there are few pages. Processes
    are spawned, so they don't inherit open files. The pages of a process that is killed are read
    here.

    Args:
        files: The files.
        on_bytes: Called with the number of bytes read.
        reading: The options.
    """
    alone = replace(reading, workers=1)
    files = iter(files)
    first = list(islice(files, PARALLEL_FROM))
    if len(first) < PARALLEL_FROM or sum(map(_is_page, first)) < PARALLEL_FROM // 2:
        for file in chain(first, files):
            yield from read_file(file, on_bytes, alone)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(reading.workers, mp_context=spawn, initializer=start_worker)
    waiting: deque[tuple[list[Path], Future[_Found] | None]] = deque()
    try:
        for some in _chunks(chain(first, files)):
            waiting.append((some, _submit(pool, some, alone)))
            if len(waiting) > _AHEAD * reading.workers // _CHUNK_SIZE + 1:
                yield from _collect(*waiting.popleft(), on_bytes, alone)
        while waiting:
            yield from _collect(*waiting.popleft(), on_bytes, alone)
    finally:
        pool.shutdown(cancel_futures=True)


def read_files(files: list[Path], reading: ReaderOptions) -> _Found:
    """Return the contents of a few files: the task of a worker process."""
    return [list(read_file(file, None, reading)) for file in files]


def _submit(
    pool: ProcessPoolExecutor, some: list[Path], alone: ReaderOptions
) -> Future[_Found] | None:
    if not _is_page(some[0]):
        return None
    try:
        with without_interrupts():  # the first call starts the processes
            return pool.submit(read_files, some, alone)
    except RuntimeError:  # the processes died or could not be started
        return None


def _collect(
    files: list[Path],
    future: Future[_Found] | None,
    on_bytes: OnBytes | None,
    reading: ReaderOptions,
) -> Read:
    found: _Found | None = None
    if future is not None:
        try:
            found = future.result()
        except Exception:  # the process died, or its result can't be sent: read here
            found = None
    for number, file in enumerate(files):
        if found is None:
            yield from read_file(file, on_bytes, reading)
        else:
            if on_bytes:
                on_bytes(_size(file))
            yield from found[number]


def _chunks(files: Iterable[Path]) -> Iterator[list[Path]]:
    """Yield the files in order: up to _CHUNK_SIZE pages together, any other file by itself."""
    some: list[Path] = []
    for file in files:
        page = _is_page(file)
        if some and (not page or len(some) == _CHUNK_SIZE):
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
    except Exception:  # `read_file` reports the error
        return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
