"""Read the files of a storage, with the next small ones fetched while one is read."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from ingest.readers import OnBytes, Read, ReaderOptions, Reject, StorageFailure
from ingest.readers.dispatch import OpenedFile, read_opened
from ingest.readers.partial_files import STILL_WRITTEN
from ingest.storage.address import StorageAddress
from ingest.storage.errors import NotFoundInStorageError, StorageError
from ingest.storage.files import SMALL_BYTES, State, Storage, StoredFile, UnreadableName
from rag.errors import BackfileError

if TYPE_CHECKING:
    from threading import Event

_AHEAD = 16  # files fetched before their turn
_THREADS = 8  # they wait for the network
_SIZED_FILES = 100_000  # files whose sizes are summed for the progress; more take long to list

_Fetched = tuple[bytes, State] | None


def read_stored(source: str, on_bytes: OnBytes | None, reading: ReaderOptions) -> Read:
    """Yield the articles and rejects of a file or folder on a storage.

    Args:
        source: Its address.
        on_bytes: Called with the number of bytes read since the last call.
        reading: The options; `workers` has no effect.
    """
    try:
        address = StorageAddress.parse(source)
    except BackfileError as error:  # not shown: it may contain credentials
        yield Reject(source.partition("://")[0] + "://", str(error))
        return
    try:
        storage = Storage(address)
        found = storage.find(address)
    except BackfileError as error:
        yield StorageFailure(str(address), f"could not be read: {error}")
        return
    if found is None:
        yield Reject(str(address), "no such file or folder")
        return
    files = storage.walk(address) if found == "folder" else iter([found])
    is_empty = True
    for one in _read_files(storage, files, on_bytes, reading):
        is_empty = False
        yield one
    if is_empty and found == "folder":
        yield Reject(str(address), "no file in this folder could contain articles")


def stored_size(source: str, stop: Event) -> int:
    """Return the bytes of a file or folder on a storage; 0 if it can't be read.

    Only the first `_SIZED_FILES` of a folder are counted.

    Args:
        source: Its address.
        stop: When set, the rest isn't counted.
    """
    try:
        address = StorageAddress.parse(source)
        storage = Storage(address)
        found = storage.find(address)
    except BackfileError:
        return 0
    if found is None:
        return 0
    size = 0
    for one in islice(storage.walk(address) if found == "folder" else [found], _SIZED_FILES):
        if stop.is_set():
            break
        size += one.size if isinstance(one, StoredFile) else 0
    return size


def _read_files(
    storage: Storage,
    files: Iterator[StoredFile | UnreadableName],
    on_bytes: OnBytes | None,
    reading: ReaderOptions,
) -> Read:
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="storage")
    waiting: deque[tuple[StoredFile | UnreadableName, Future[_Fetched] | None]] = deque()
    try:
        for file in files:
            fetched = None
            # Not on Google Cloud: its client holds Python's lock while it closes a file.
            if (
                isinstance(file, StoredFile)
                and file.size <= SMALL_BYTES
                and file.address.scheme != "gs"
            ):
                fetched = pool.submit(storage.read_whole, file)
            waiting.append((file, fetched))
            if len(waiting) > _AHEAD:
                yield from _read_next(storage, *waiting.popleft(), on_bytes, reading)
        while waiting:
            yield from _read_next(storage, *waiting.popleft(), on_bytes, reading)
    finally:
        pool.shutdown(cancel_futures=True)


def _read_next(
    storage: Storage,
    file: StoredFile | UnreadableName,
    fetched: Future[_Fetched] | None,
    on_bytes: OnBytes | None,
    reading: ReaderOptions,
) -> Read:
    if isinstance(file, UnreadableName):
        kind = StorageFailure if file.is_failure else Reject
        yield kind(file.place, file.reason)
        return
    place = str(file.address)
    if fetched is None:
        yield from _read_large(storage, file, place, on_bytes, reading)
        return
    try:
        whole = fetched.result()
    except StorageError as error:
        yield _failure(place, error)
        return
    if whole is None:
        yield Reject(place, STILL_WRITTEN)
        return
    yield from read_opened(place, lambda: _open_fetched(*whole), on_bytes, reading)


def _read_large(
    storage: Storage,
    file: StoredFile,
    place: str,
    on_bytes: OnBytes | None,
    reading: ReaderOptions,
) -> Read:
    """Yield the contents of a file in requests; a failure of the storage isn't taken for damage."""
    try:
        state = storage.state(file.address)
        stream = storage.open(file.address)
    except StorageError as error:
        yield _failure(place, error)
        return

    def state_now() -> State:
        try:
            return storage.state(file.address)
        except NotFoundInStorageError:
            raise
        except StorageError as error:
            stream.failed = error
            raise

    opened = OpenedFile(stream, state[0], state_now, lambda: False, state, may_grow=False)
    for found in read_opened(place, lambda: _closing(opened), on_bytes, reading):
        if stream.failed is not None:  # the rest would only fail again
            break
        yield found
    if stream.failed is not None:
        yield _failure(place, stream.failed)


def _failure(place: str, error: StorageError) -> Reject:
    kind = Reject if isinstance(error, NotFoundInStorageError) else StorageFailure
    return kind(place, f"could not be read: {error}")


@contextmanager
def _open_fetched(content: bytes, state: State) -> Iterator[OpenedFile]:
    raw = io.BytesIO(content)
    yield OpenedFile(raw, len(content), lambda: state, lambda: False, state, may_grow=False)


@contextmanager
def _closing(opened: OpenedFile) -> Iterator[OpenedFile]:
    raw: Any = opened.raw
    with raw:
        yield opened
