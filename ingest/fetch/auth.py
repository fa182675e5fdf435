"""Cookies and headers from files, each sent to the hosts it is meant for and to no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, LoadError, MozillaCookieJar
from pathlib import Path
from urllib.parse import urlsplit

from rag.errors import ReadError

Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}
_SECTION = re.compile(r"\A\[(\S+)\]\Z")
_HEADER = re.compile(r"\A([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*)\Z")


def origin_of(url: str) -> Origin:
    """Return scheme, host and port of an address; raises ValueError where it has none."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.casefold(), (parts.hostname or "").casefold().rstrip(".")
        if scheme in _PORTS and host:
            return scheme, host, parts.port or _PORTS[scheme]
    except ValueError:  # a bracket that is no IPv6 address, a port that is no number
        pass
    raise ValueError(f"{url[:200]!r} is not a web address")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is sent beside a request: headers by origin, and cookies by their own domains."""

    headers: Mapping[Origin, Mapping[str, str]] = field(default_factory=dict)
    cookies: CookieJar = field(default_factory=CookieJar)

    def headers_for(self, url: str) -> Mapping[str, str]:
        """Return the headers that are meant for the origin of `url`, and for it alone."""
        return self.headers.get(origin_of(url), {})


def read_credentials(
    cookies: Path | None = None, headers: Path | None = None, *, named: Iterable[str] = ()
) -> Credentials:
    """Return what a cookies.txt (Netscape's format) and a file of headers hold.

    A line `[www.courier.example]`, or `[http://intranet:8080]`, says which host the headers
    behind it are for; those before any such line are for the addresses in `named`, the ones
    that the user gave. Raises ReadError where a file cannot be read.
    """
    return Credentials(_headers(headers, named) if headers else {}, _cookies(cookies))


def _cookies(path: Path | None) -> CookieJar:
    if path is None:
        return CookieJar()
    jar = MozillaCookieJar()
    try:
        jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except (OSError, LoadError, UnicodeError) as error:
        raise ReadError(
            f"{path}: not a cookies.txt in Netscape's format, as browsers' extensions write it: "
            f"{error}"
        ) from error
    for cookie in jar:
        cookie.expires = cookie.expires or None  # browsers' extensions write 0 for "until closed"
    jar.clear_expired_cookies()
    return jar


def _headers(path: Path, named: Iterable[str]) -> dict[Origin, dict[str, str]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise ReadError(f"{path}: cannot be read: {error}") from error
    found: dict[Origin, dict[str, str]] = {}
    origins = [origin_of(url) for url in named]
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        if section := _SECTION.match(line):
            origins = [_section(section.group(1), f"{path}:{number}")]
        elif header := _HEADER.match(line):
            for origin in origins:
                found.setdefault(origin, {})[header.group(1)] = header.group(2).strip()
        else:
            raise ReadError(f"{path}:{number}: not `Name: value`, and not `[host]`")
    return found


def _section(name: str, place: str) -> Origin:
    try:
        return origin_of(name if "://" in name else f"https://{name}")
    except ValueError as error:
        raise ReadError(f"{place}: {error}") from error
