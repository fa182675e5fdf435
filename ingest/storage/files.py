"""Find and open the files of a storage."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Literal

from ingest.readers import may_hold_articles
from ingest.readers.side_files import filter_folder
from ingest.storage.address import StorageAddress, escape_path, name_problem
from ingest.storage.errors import NotFoundInStorageError, StorageError, plain_error
from ingest.storage.systems import open_system
from rag.errors import BackfileError

SMALL_BYTES = 2**20  # bytes of a file that is fetched whole, before its turn
# Bytes of a request. It grows while a file is read in order: a zip is read here and there.
_FIRST_BYTES = 256 * 2**10
_MOST_BYTES = 8 * 2**20

State = tuple[int, int]  # size in bytes, and time of modification in nanoseconds


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on a storage, as it was when it was listed."""

    address: StorageAddress
    state: State

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.state[0]


@dataclass(frozen=True, slots=True)
class UnreadableName:
    """A listed name that can't be read safely, or a folder that couldn't be listed."""

    place: str
    reason: str
    is_failure: bool = False


@dataclass(frozen=True, slots=True)
class _Listing:
    folders: list[str]
    files: dict[str, State]
    unreadable: list[UnreadableName]


class Storage:
    """The storage of an address."""

    def __init__(self, address: StorageAddress) -> None:
        """Open the storage.

        Raises:
            StorageError: It can't be opened.
            SettingsError: A variable of the environment is malformed.
        """
        self._address = address
        self._system, path = open_system(address)
        self._root = path.removesuffix(address.path).removesuffix("/")
        self._tree: dict[str, _Listing] = {}

    def find(self, address: StorageAddress) -> StoredFile | Literal["folder"] | None:
        """Return the file at an address, "folder" for a folder, None for neither.

        Raises:
            StorageError: The storage failed.
        """
        info = self._info(address)
        kind = info.type.name
        if kind == "File":
            return StoredFile(address, (info.size or 0, info.mtime_ns or 0))
        return "folder" if kind == "Directory" else None

    def walk(self, folder: StorageAddress) -> Iterator[StoredFile | UnreadableName]:
        """Yield the files of a folder and its subfolders, as `ingest.readers.list_files` does.

        The files of a folder come before its subfolders, both sorted. One folder's names are in
        memory at a time; on Google Cloud all names are, since its folders are only found by them.
        """
        waiting = [folder]
        if folder.scheme == "gs":
            try:
                self._tree = self._list_tree(folder)
            except StorageError as error:
                yield UnreadableName(str(folder), f"could not be listed: {error}", is_failure=True)
                return
        while waiting:
            here = waiting.pop()
            try:
                listed = self._list(here)
            except StorageError as error:
                yield UnreadableName(str(here), f"could not be listed: {error}", is_failure=True)
                continue
            yield from listed.unreadable
            try:
                entered, names = filter_folder(
                    here.path, listed.folders, list(listed.files), names_in=self._names_in
                )
            except StorageError as error:
                yield UnreadableName(str(here), f"could not be listed: {error}", is_failure=True)
                continue
            for name in sorted(names):
                if may_hold_articles(PurePosixPath(name)):
                    yield StoredFile(here.child(name), listed.files[name])
            waiting += [here.child(name) for name in sorted(entered, reverse=True)]

    def read_whole(self, file: StoredFile) -> tuple[bytes, State] | None:
        """Return a small file's content and state; None if it changes all the time, or has grown.

        Raises:
            StorageError: The storage failed, or the file is gone.
        """
        before = file.state
        for _ in range(2):
            if before[0] > SMALL_BYTES:
                break  # it has grown
            content = self._read_all(file.address, before[0])
            after = self.state(file.address)
            if after == before and len(content) == before[0]:
                return content, before
            before = after
        return None

    def state(self, address: StorageAddress) -> State:
        """Return the state of a file.

        Raises:
            StorageError: The storage failed, or the file is gone.
        """
        found = self.find(address)
        if not isinstance(found, StoredFile):
            raise NotFoundInStorageError("no such file or folder")
        return found.state

    def open(self, address: StorageAddress) -> StoredStream:
        """Open a file for reading.

        Raises:
            StorageError: The storage failed, or there is no such file.
        """
        try:
            return StoredStream(self._system.open_input_file(self._path(address)))
        except Exception as error:  # pyarrow's, of many classes
            raise plain_error(error) from None

    def _read_all(self, address: StorageAddress, size: int) -> bytes:
        try:
            with self._system.open_input_file(self._path(address)) as opened:
                return bytes(opened.read(size + 1))
        except Exception as error:  # pyarrow's, of many classes
            raise plain_error(error) from None

    def _info(self, address: StorageAddress) -> Any:
        try:
            return self._system.get_file_info(self._path(address) or "/")
        except Exception as error:  # pyarrow's, of many classes
            raise plain_error(error) from None

    def _list(self, folder: StorageAddress) -> _Listing:
        if folder.path in self._tree:
            return self._tree[folder.path]
        listed = _Listing([], {}, [])
        for info in self._entries(folder):
            name = _safe_name(listed, info, self._path(folder), folder)
            if name and info.type.name == "Directory":
                listed.folders.append(name)
            elif name and info.type.name == "File":
                listed.files[name] = (info.size or 0, info.mtime_ns or 0)
        return listed

    def _list_tree(self, folder: StorageAddress) -> dict[str, _Listing]:
        """Return the listings of a folder and all its subfolders, by their paths."""
        top = _Listing([], {}, [])
        tree = {folder.path: top}
        for info in self._entries(folder, recursive=True):
            name = _safe_name(top, info, self._path(folder), folder, nested=True)
            if not name:
                continue
            is_file = info.type.name == "File"
            *folders, last = name.split("/") if is_file else [*name.split("/"), ""]
            here = folder.path
            for part in folders:
                inner = f"{here}/{part}" if here else part
                if inner not in tree:
                    tree[here].folders.append(part)
                    tree[inner] = _Listing([], {}, [])
                here = inner
            if is_file:
                tree[here].files[last] = (info.size or 0, info.mtime_ns or 0)
        return tree

    def _entries(self, folder: StorageAddress, *, recursive: bool = False) -> list[Any]:
        from pyarrow.fs import FileSelector

        try:
            selector = FileSelector(self._path(folder) or "/", recursive=recursive)
            return list(self._system.get_file_info(selector))
        except Exception as error:  # pyarrow's, of many classes
            raise plain_error(error) from None

    def _names_in(self, folder: str) -> list[str]:
        path = "" if folder == "." else folder
        try:
            listed = self._list(replace(self._address, path=path))
        except NotFoundInStorageError:
            return []
        return [*listed.folders, *listed.files]

    def _path(self, address: StorageAddress) -> str:
        """Return the path of an address in the file system."""
        if not address.path:
            return self._root
        return f"{self._root}/{address.path}"


def _safe_name(
    listed: _Listing, info: Any, path: str, folder: StorageAddress, *, nested: bool = False
) -> str:
    """Return the name of an entry in a folder; "" if it can't be read safely, which is listed.

    A listing says what it likes: "a//b" makes folder "a" its own member, and ".." would be resolved
    by the client to another folder or bucket.
    """
    try:
        found = str(info.path)
    except UnicodeDecodeError:
        listed.unreadable.append(UnreadableName(str(folder), "contains a name that isn't UTF-8"))
        return ""
    if folder.scheme == "hdfs":  # a real tree of folders, whose listings may give whole URIs
        found = f"{path}/{found.rstrip('/').rpartition('/')[2]}"
    if nested and found.removesuffix("/") == path:  # the marker of the folder itself
        return ""
    name = found.removesuffix("/").removeprefix(path).removeprefix("/")
    problem = name_problem(name) if found.startswith(f"{path}/") else "a part of the path is empty"
    if not problem and "/" in name and not nested:
        problem = "its name contains a slash"
    problem = problem or name_problem(folder.child(name).path)
    if problem:
        at = f"{folder}/{escape_path(name)}"[:1_000]
        listed.unreadable.append(UnreadableName(at, f"can't be read by this name: {problem}"))
        return ""
    return name


class StoredStream(io.RawIOBase):
    """A file on a storage, read in requests of growing size; any part can be read again.

    Attributes:
        failed: The error of the storage that ended the reading; readers of packed files take it
            for damage.
    """

    def __init__(self, opened: Any) -> None:
        """Read from an open `pyarrow.NativeFile`, which is closed with this one."""
        self._opened = opened
        self._size = int(opened.size())
        self._at = 0
        self._block, self._block_at = b"", 0
        self._request = _FIRST_BYTES
        self.failed: StorageError | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, without a request."""
        start = (0, self._at, self._size)[whence]
        if start + offset < 0:
            raise ValueError("negative position")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; 0 at the end."""
        if self._at >= self._size or not len(buffer):
            return 0
        within = self._at - self._block_at
        if not 0 <= within < len(self._block):
            self._fetch()
            within = 0
        piece = self._block[within : within + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._opened.close()
        super().close()

    def _fetch(self) -> None:
        if self.failed is not None:
            raise self.failed
        in_order = self._block and self._at == self._block_at + len(self._block)
        self._request = min(2 * self._request, _MOST_BYTES) if in_order else _FIRST_BYTES
        length = min(self._request, self._size - self._at)
        try:
            self._opened.seek(self._at)
            self._block, self._block_at = self._opened.read(length), self._at
            if not self._block:
                raise StorageError("the file became shorter while it was read")
        except Exception as error:  # pyarrow's, of many classes
            self.failed = plain_error(error)
            raise self.failed from None


def stored_file_exists(place: str) -> bool:
    """Return whether a file on a storage still exists; True if that can't be found out.

    Args:
        place: Its address.
    """
    try:
        address = StorageAddress.parse(place)
        return isinstance(Storage(address).find(address), StoredFile)
    except BackfileError:
        return True
