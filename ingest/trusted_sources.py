"""The sources an operator trusts: `sources.toml` in the archive's folder.

Each source is a publisher with the hosts that speak for one another:

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
MOST_BYTES = 2**20  # of the file: some ten thousand sources
_KEYS = ("publisher", "hosts", "may-kill")
_ENTRY = re.compile(r"(?i)\A(?:https?://)?([^\s/?#@\\]++)(/[^\s?#\\]*)?\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TrustedSource:
    """A publisher and its hosts; content of one of them may hold articles of the others.

    A host stands for its subdomains too; with a path (`feeds.example/courier`), it stands for
    the addresses that begin so alone.  With `may_kill`, its kill notices are obeyed.
    """

    publisher: str
    hosts: tuple[str, ...]
    may_kill: bool = False

    def has(self, address: str) -> bool:
        """Return whether an address, or a host, is one of the source's."""
        return any(_is_at(address, host) for host in self.hosts)


@dataclass(frozen=True, slots=True)
class TrustedSources:
    """All sources that are trusted; none by default."""

    sources: tuple[TrustedSource, ...] = ()

    def lists_both(self, origin: str, address: str) -> bool:
        """Return whether one source has both addresses."""
        return any(source.has(origin) and source.has(address) for source in self.sources)

    def killer(self, origin: str) -> TrustedSource | None:
        """Return the source whose kill notices are obeyed from this address; None for no one's."""
        return next((s for s in self.sources if s.may_kill and s.has(origin)), None)

    def named(self, publisher: str) -> TrustedSource | None:
        """Return the source of a publisher; None where it is not trusted."""
        wanted = publisher.casefold()
        return next((s for s in self.sources if s.publisher.casefold() == wanted), None)

    def with_source(self, source: TrustedSource) -> TrustedSources:
        """Return the sources with this one, in the place of the one of its publisher."""
        others = self.without(source.publisher).sources
        return TrustedSources(
            tuple(sorted((*others, source), key=lambda s: s.publisher.casefold()))
        )

    def without(self, publisher: str) -> TrustedSources:
        """Return the sources without that of a publisher."""
        gone = publisher.casefold()
        return TrustedSources(tuple(s for s in self.sources if s.publisher.casefold() != gone))


NO_TRUST = TrustedSources()


def source_of(publisher: str, hosts: Sequence[str], *, may_kill: bool = False) -> TrustedSource:
    """Return a source of what somebody wrote; raises ValueError for what is no name or no host."""
    name = " ".join(publisher.split())
    if not name or len(name) > 200 or _UNPRINTABLE.search(name):
        raise ValueError(f"{publisher[:80]!r} is no publisher's name")
    entries = tuple(dict.fromkeys(map(_entry, hosts)))
    if not entries:
        raise ValueError(f"{name} has no host: name one with --host")
    return TrustedSource(name, entries, may_kill)


def read_trusted_sources(folder: Path) -> TrustedSources:
    """Return the trusted sources of an archive; none where there is no file.

    Raises SettingsError, which names what is wrong and where.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return TrustedSources()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(content) > MOST_BYTES:
        raise SettingsError(f"{path} is longer than {MOST_BYTES:,} bytes: no list of sources is")
    try:
        value = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is no TOML: {' '.join(str(error).split())[:120]}") from error
    return _trust_in(value, path)


def write_trusted_sources(folder: Path, trust: TrustedSources) -> None:
    """Write the trusted sources of an archive: all of the file or nothing, for its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{FILE}-", dir=folder)  # 0600 from its beginning
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_written(trust))
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / FILE)
    except OSError as error:
        raise SettingsError(
            f"{folder / FILE} cannot be written: {error.strerror or error}"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _trust_in(value: dict[str, Any], path: Path) -> TrustedSources:
    for key in value.keys() - {"source"}:
        raise SettingsError(f"{path}: unknown key {key!r}: only [[source]] is known")
    tables = value.get("source", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError(f"{path}: write each source as [[source]]")
    trust = TrustedSources()
    for number, table in enumerate(tables, 1):
        at = f"{path}: source {number}"
        for key in table.keys() - set(_KEYS):
            raise SettingsError(f"{at}: unknown key {key!r}: known are {', '.join(_KEYS)}")
        publisher, hosts = table.get("publisher"), table.get("hosts")
        may_kill = table.get("may-kill", False)
        if not isinstance(publisher, str) or not isinstance(may_kill, bool):
            raise SettingsError(f"{at}: `publisher` is a text, and `may-kill` true or false")
        if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
            raise SettingsError(f"{at}: `hosts` is a list of texts")
        try:
            source = source_of(publisher, hosts, may_kill=may_kill)
        except ValueError as error:
            raise SettingsError(f"{at}: {error}") from error
        if trust.named(source.publisher):
            raise SettingsError(f"{at}: {source.publisher} is there twice")
        trust = trust.with_source(source)
    return trust


def _written(trust: TrustedSources) -> str:
    lines = ["# The sources that this archive trusts: see `backfile sources --help`.\n"]
    for source in trust.sources:
        lines.append(
            f"[[source]]\npublisher = {_string(source.publisher)}\n"
            f"hosts = [{', '.join(map(_string, source.hosts))}]\n"
            f"may-kill = {'true' if source.may_kill else 'false'}\n"
        )
    return "\n".join(lines)


def _string(text: str) -> str:
    """Return a basic string of TOML: JSON's escapes are its too, without control characters."""
    return json.dumps(text, ensure_ascii=False)


def _entry(text: str) -> str:
    """Return a host, with a path behind it where one was given, as it is compared."""
    found = _ENTRY.match(text.strip())
    host = named_host(found[1]) if found else ""
    if not found or not host or not (has_domain(true_host(host)) or _is_local(host)):
        raise ValueError(f"{text[:80]!r} is no host: write it as courier.example")
    path = (found[2] or "").rstrip("/")
    return f"{host.removeprefix('www.')}{path}"


def _is_local(host: str) -> bool:
    """Whether it is a number or a name of the machine's own network."""
    return re.fullmatch(r"[\w.:\[\]-]+", host) is not None


def _is_at(address: str, entry: str) -> bool:
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
