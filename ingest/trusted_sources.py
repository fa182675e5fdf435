"""Sources that the operator trusts, listed in `sources.toml` in the archive's folder.

Each source is a publisher with hosts that may supply each other's articles:

    [[source]]
    publisher = "Harbour Courier"
    hosts = ["harbour-courier.example", "feeds.example/harbour-courier"]
    may-kill = true
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from rag.errors import SettingsError
from rag.urls import has_domain, named_host, true_host

FILE = "sources.toml"
MAX_BYTES = 2**20  # file size, enough for ten thousand sources
_KEYS = ("publisher", "hosts", "may-kill")
_ENTRY = re.compile(r"(?i)\A(?:https?://)?([^\s/?#@\\]++)(/[^\s?#\\]*)?\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TrustedSource:
    """A publisher and its hosts, which may supply each other's articles.

    A host includes its subdomains; with a path (`feeds.example/courier`) it only includes addresses
    that start with it. With `may_kill`, kill notices of the source are obeyed.
    """

    publisher: str
    hosts: tuple[str, ...]
    may_kill: bool = False

    def has(self, address: str) -> bool:
        """Return whether an address or host belongs to the source."""
        return any(_address_matches(address, host) for host in self.hosts)


@dataclass(frozen=True, slots=True)
class TrustedSources:
    """All trusted sources; none by default."""

    sources: tuple[TrustedSource, ...] = ()

    def share_a_source(self, origin: str, address: str) -> bool:
        """Return whether one source has both addresses."""
        return any(source.has(origin) and source.has(address) for source in self.sources)

    def source_that_may_kill(self, origin: str) -> TrustedSource | None:
        """Return the source whose kill notices are obeyed from this address, or None."""
        return next((s for s in self.sources if s.may_kill and s.has(origin)), None)

    def by_publisher(self, publisher: str) -> TrustedSource | None:
        """Return the source of a publisher, or None."""
        wanted = publisher.casefold()
        return next((s for s in self.sources if s.publisher.casefold() == wanted), None)

    def with_source(self, source: TrustedSource) -> TrustedSources:
        """Return the sources with `source` added, replacing one of the same publisher."""
        others = self.without(source.publisher).sources
        return TrustedSources(
            tuple(sorted((*others, source), key=lambda s: s.publisher.casefold()))
        )

    def without(self, publisher: str) -> TrustedSources:
        """Return all sources except that of `publisher`."""
        gone = publisher.casefold()
        return TrustedSources(tuple(s for s in self.sources if s.publisher.casefold() != gone))


NO_TRUST = TrustedSources()


def parse_source(publisher: str, hosts: Sequence[str], *, may_kill: bool = False) -> TrustedSource:
    """Create a source from user input.

    Args:
        publisher: The publisher's name.
        hosts: Hosts, with a path if only a part of the host is meant.
        may_kill: Whether its kill notices are obeyed.

    Raises:
        ValueError: The name or a host is invalid, or there is no host.
    """
    name = " ".join(publisher.split())
    if not name or len(name) > 200 or _UNPRINTABLE.search(name):
        raise ValueError(f"{publisher[:80]!r} is not a valid publisher name")
    entries = tuple(dict.fromkeys(map(_parse_host, hosts)))
    if not entries:
        raise ValueError(f"{name} has no host: pass one with --host")
    return TrustedSource(name, entries, may_kill)


def read_trusted_sources(folder: Path) -> TrustedSources:
    """Read the trusted sources of the archive in `folder`; none if there is no file.

    Raises:
        SettingsError: The file can't be read or is invalid.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return TrustedSources()
    except OSError as error:
        raise SettingsError(f"{path} could not be read: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise SettingsError(
            f"{path} is larger than {MAX_BYTES:,} bytes: remove what isn't a source"
        )
    try:
        value = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why = " ".join(str(error).split())[:120]
        raise SettingsError(f"{path} is not valid TOML: {why}") from error
    return _parse_sources(value, path)


def write_trusted_sources(folder: Path, trust: TrustedSources) -> None:
    """Write the trusted sources of an archive atomically, readable only by their owner."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{FILE}-", dir=folder)  # created with mode 0600
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_to_toml(trust))
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / FILE)
    except OSError as error:
        raise SettingsError(
            f"{folder / FILE} could not be written: {error.strerror or error}"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _parse_sources(value: dict[str, Any], path: Path) -> TrustedSources:
    for key in value.keys() - {"source"}:
        raise SettingsError(f"{path}: unknown key {key!r}: expected [[source]]")
    tables = value.get("source", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError(f"{path}: write each source as [[source]]")
    trust = TrustedSources()
    for number, table in enumerate(tables, 1):
        at = f"{path}: source {number}"
        for key in table.keys() - set(_KEYS):
            raise SettingsError(f"{at}: unknown key {key!r}: use {', '.join(_KEYS)}")
        publisher, hosts = table.get("publisher"), table.get("hosts")
        may_kill = table.get("may-kill", False)
        if not isinstance(publisher, str) or not isinstance(may_kill, bool):
            raise SettingsError(f"{at}: `publisher` must be a string and `may-kill` true or false")
        if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
            raise SettingsError(f"{at}: `hosts` must be a list of strings")
        try:
            source = parse_source(publisher, hosts, may_kill=may_kill)
        except ValueError as error:
            raise SettingsError(f"{at}: {error}") from error
        if trust.by_publisher(source.publisher):
            raise SettingsError(f"{at}: {source.publisher} is listed twice")
        trust = trust.with_source(source)
    return trust


def _to_toml(trust: TrustedSources) -> str:
    lines = ["# Sources trusted by this archive: see `backfile sources --help`.\n"]
    for source in trust.sources:
        lines.append(
            f"[[source]]\npublisher = {_toml_string(source.publisher)}\n"
            f"hosts = [{', '.join(map(_toml_string, source.hosts))}]\n"
            f"may-kill = {'true' if source.may_kill else 'false'}\n"
        )
    return "\n".join(lines)


def _toml_string(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are valid in TOML."""
    return json.dumps(text, ensure_ascii=False)


def _parse_host(text: str) -> str:
    """Parse a host with an optional path."""
    found = _ENTRY.match(text.strip())
    host = named_host(found[1]) if found else ""
    if not found or not host or not (has_domain(true_host(host)) or _is_local_host(host)):
        raise ValueError(f"{text[:80]!r} is not a host: write it as courier.example")
    path = (found[2] or "").rstrip("/")
    return f"{host.removeprefix('www.')}{path}"


def _is_local_host(host: str) -> bool:
    """Return whether a host is an IP address or a name in the local network."""
    return re.fullmatch(r"[\w.:\[\]-]+", host) is not None


def _address_matches(address: str, entry: str) -> bool:
    wanted, slash, path = entry.partition("/")
    host = named_host(address)
    if host != wanted and not (has_domain(wanted) and host.endswith(f".{wanted}")):
        return False
    if not slash:
        return True
    rest = unquote(address.partition("://")[2].partition("/")[2])
    if "\\" in rest or ".." in rest.split("/"):
        return False
    return rest == path or rest.startswith((f"{path}/", f"{path}?"))
