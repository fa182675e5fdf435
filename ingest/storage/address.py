"""Addresses of files and folders on a storage: `s3://bucket/folder/file.jsonl`.

An address names its file in one way only: characters that separate the parts of a place, and those
that can't be printed, are written as `%XX`. So the address of a file can be read back from the
place of a reject, whatever the file is called.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from rag.errors import ReadError
from rag.urls import is_storage_address

_ADDRESS = re.compile(r"(?s)\A([A-Za-z0-9]{1,10})://([^/]{0,400})(?:/(.{0,8000}))?\Z")
_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfss": "abfs"}
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_AZURE_HOSTS = r"(?:core\.windows\.net|core\.usgovcloudapi\.net|core\.chinacloudapi\.cn)"
_AUTHORITIES = {
    "s3": _BUCKET,
    "gs": _BUCKET,
    "abfs": re.compile(
        rf"[$a-z0-9][a-z0-9-]{{0,62}}(?:@[a-z0-9]{{3,24}}\.(?:dfs|blob)\.{_AZURE_HOSTS})?"
    ),
    "hdfs": re.compile(r"(?:[A-Za-z0-9._-]{1,64}@)?[A-Za-z0-9.-]{0,253}(?::\d{1,5})?"),
}
# Credentials that other tools accept in addresses. Addresses are shown and stored, so ours don't.
_SECRET = re.compile(
    r"(?i)[?&](?:[\w-]{0,40}(?:key|secret|token|signature|credential|password)[\w-]{0,40}|sig)="
)
_MARKS = frozenset("%!:?#\\")  # they separate the parts of a place and of an article's ID
_LOST_SPACE = re.compile(r"(?<= ) |\A | \Z")
_LONGEST = 4_000  # characters of a path


@dataclass(frozen=True, slots=True)
class StorageAddress:
    """Address of a file or folder on a storage.

    Attributes:
        scheme: "s3", "gs", "abfs" or "hdfs".
        authority: The bucket, container or server.
        path: The path in it, without a slash at either end; "" for all of it.
    """

    scheme: str
    authority: str
    path: str

    @classmethod
    def parse(cls, text: str) -> StorageAddress:
        """Return the address that a text is.

        Args:
            text: The address; `%XX` stands for a byte of a name.

        Raises:
            ReadError: It isn't an address, or contains credentials, which the message leaves out.
        """
        found = _ADDRESS.match(text)
        if not found or not is_storage_address(text):
            raise ReadError("Malformed storage address: write it as SCHEME://BUCKET/PATH.")
        scheme = found[1].lower()
        scheme, authority, path = _SCHEMES.get(scheme, scheme), found[2], found[3] or ""
        if _SECRET.search(path) or (
            "@" in authority and (scheme in ("s3", "gs") or ":" in authority.partition("@")[0])
        ):
            raise ReadError(
                f"A {scheme}:// address contains credentials: set them in the environment instead."
            )
        if not _AUTHORITIES[scheme].fullmatch(authority):
            raise ReadError(f"Malformed {scheme}:// address: the name before the path isn't valid.")
        try:
            path = unquote(path.removesuffix("/"), errors="strict")
        except UnicodeDecodeError as error:
            raise ReadError(f"Malformed {scheme}:// address: a %XX isn't UTF-8.") from error
        if path and (problem := name_problem(path)):
            raise ReadError(f"Malformed {scheme}:// address: {problem}.")
        return cls(scheme, authority, path)

    def __str__(self) -> str:
        """Return the canonical form, which `parse` reads back."""
        return f"{self.scheme}://{self.authority}/{escape_path(self.path)}".removesuffix("/")

    @property
    def parent(self) -> StorageAddress:
        """The folder that contains it."""
        return replace(self, path=self.path.rpartition("/")[0])

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    def child(self, name: str) -> StorageAddress:
        """Return the address of a file or folder in this folder."""
        return replace(self, path=f"{self.path}/{name}" if self.path else name)


def name_problem(path: str) -> str:
    """Return why a path can't be read safely; "" if it can.

    Clients resolve `..` as in a URL, and would read a file of another folder, or of another bucket.
    """
    parts = path.split("/")
    if "" in parts:
        return "a part of the path is empty"
    if "." in parts or ".." in parts:
        return "a part of the path is . or .."
    if "\0" in path:
        return "the path contains a zero byte"
    if len(path) > _LONGEST:
        return f"the path has more than {_LONGEST:,} characters"
    return ""


def escape_path(path: str) -> str:
    """Return a path with `%XX` for what separates places and for what can't be printed.

    Spaces that an article's ID would lose, two in a row or at an end, are written so as well.
    """
    if path.isprintable() and _MARKS.isdisjoint(path) and not _LOST_SPACE.search(path):
        return path
    path = _LOST_SPACE.sub("\0", path)
    escaped = "".join(
        quote(c, safe="", errors="surrogatepass") if c in _MARKS or not c.isprintable() else c
        for c in path
    )
    return escaped.replace("%00", "%20")


def storage_of(source: str | Path) -> str:
    """Return the storage that an address is on, as "s3://bucket"; "" if a source is no address."""
    if not isinstance(source, str) or not is_storage_address(source):
        return ""
    try:
        return str(replace(StorageAddress.parse(source), path=""))
    except ReadError:
        return ""


def split_storage_place(place: str) -> tuple[str, str]:
    """Split the place of a reject, or an article's location, into its file and the rest."""
    start = place.find("/", place.find("://") + 3)
    end = re.search("[!:#]", place[start:]) if start >= 0 else None
    at = start + end.start() if end else len(place)
    return place[:at], place[at:]


def path_of_file_url(text: str) -> Path:
    """Return the path of a `file://` URL.

    Raises:
        ReadError: It isn't an absolute path on this machine.
    """
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ReadError("Malformed file:// URL: write it as file:///PATH.") from error
    if parts.netloc not in ("", "localhost"):
        raise ReadError("A file:// URL names another machine: write it as file:///PATH.")
    path = Path(os.fsdecode(unquote_to_bytes(text.partition("://")[2].removeprefix(parts.netloc))))
    if not path.is_absolute() or "\0" in str(path):
        raise ReadError("Malformed file:// URL: write it as file:///PATH.")
    return path
