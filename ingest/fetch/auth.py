"""Cookies and request headers from files, each sent only to the hosts it is meant for."""

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
    """Return the scheme, host and port of a URL.

    Raises:
        ValueError: `url` isn't an http or https URL.
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.casefold(), (parts.hostname or "").casefold().rstrip(".")
        if scheme in _PORTS and host:
            return scheme, host, parts.port or _PORTS[scheme]
    except ValueError:  # malformed IPv6 host or port
        pass
    raise ValueError(f"{url[:200]!r} is not an http or https URL")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Request headers by origin, and a cookie jar."""

    headers: Mapping[Origin, Mapping[str, str]] = field(default_factory=dict)
    cookies: CookieJar = field(default_factory=CookieJar)

    def headers_for(self, url: str) -> Mapping[str, str]:
        """Return the headers configured for the origin of `url`."""
        return self.headers.get(origin_of(url), {})


def read_credentials(
    cookies: Path | None = None, headers: Path | None = None, *, urls: Iterable[str] = ()
) -> Credentials:
    """Read a cookies.txt (Netscape format) and a headers file.

    In the headers file, a line such as `[www.courier.example]` or `[http://intranet:8080]` names
    the host for the headers that follow. Headers before the first such line go to the origins of
    `urls`.

    Args:
        cookies: Path of a cookies.txt.
        headers: Path of a headers file.
        urls: The URLs the user passed.

    Returns:
        The credentials of both files; empty where no path is given.

    Raises:
        ReadError: A file can't be read or has a syntax error.
    """
    return Credentials(_read_headers(headers, urls) if headers else {}, _read_cookies(cookies))


def _read_cookies(path: Path | None) -> CookieJar:
    if path is None:
        return CookieJar()
    jar = MozillaCookieJar()
    try:
        jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except (OSError, LoadError, UnicodeError) as error:
        raise ReadError(
            f"{path} could not be read as a cookies.txt in Netscape format: {error}"
        ) from error
    for cookie in jar:
        cookie.expires = cookie.expires or None  # browser extensions write 0 for session cookies
    jar.clear_expired_cookies()
    return jar


def _read_headers(path: Path, urls: Iterable[str]) -> dict[Origin, dict[str, str]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise ReadError(f"{path} could not be read: {error}") from error
    parsed: dict[Origin, dict[str, str]] = {}
    origins = [origin_of(url) for url in urls]
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        if section := _SECTION.match(line):
            origins = [_parse_section(section.group(1), f"{path}:{number}")]
        elif header := _HEADER.match(line):
            for origin in origins:
                parsed.setdefault(origin, {})[header.group(1)] = header.group(2).strip()
        else:
            raise ReadError(f"{path}:{number}: expected `Name: value` or `[host]`")
    return parsed


def _parse_section(name: str, place: str) -> Origin:
    try:
        return origin_of(name if "://" in name else f"https://{name}")
    except ValueError as error:
        raise ReadError(f"{place}: {error}") from error
