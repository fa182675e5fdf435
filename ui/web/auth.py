"""Authorization of changes to the archive: a token, and rules about the sender of a request."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from rag.errors import SettingsError
from rag.settings import Settings, Writers
from ui.readers import LOCAL_ADMINISTRATOR, LOCAL_VISITOR, Obstacle, Reader

SHORTEST_TOKEN = 16

# Headers that proxies add: such a request may come from another machine.
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class WriteAccess:
    """Rule for who may change the archive, and the token that proves it.

    The browser stores a digest of the token in a cookie, never the token itself.

    Attributes:
        writers: "local" for users on this machine, "anyone" for holders of the token anywhere,
            "none" for nobody.
        token: The token, "" if nobody may write.
        cookie_name: Name of the cookie, different for each archive.
    """

    writers: Writers
    token: str = ""
    cookie_name: str = "backfile"

    @classmethod
    def of(cls, settings: Settings) -> WriteAccess:
        """Return the rule of the settings, with a new token if they have none.

        Raises:
            SettingsError: The token is too short to be secure.
        """
        if settings.write_access == "none":
            return cls("none")
        if settings.token and len(settings.token) < SHORTEST_TOKEN:
            raise SettingsError(
                f"BACKFILE_TOKEN is too short: it has {len(settings.token)} characters. Use at "
                f"least {SHORTEST_TOKEN}, or leave it empty for a new token at each start."
            )
        # Browsers share cookies between the ports of a host, so each archive has its own cookie.
        where = hashlib.sha256(str(settings.archive.resolve()).encode()).hexdigest()[:12]
        token = settings.token or secrets.token_urlsafe(24)
        return cls(settings.write_access, token, f"backfile-{where}")

    @property
    def cookie_value(self) -> str:
        """Value of the cookie: a digest of the token."""
        return hashlib.sha256(f"backfile cookie\0{self.token}".encode()).hexdigest()

    def is_token(self, token: str) -> bool:
        """Return whether `token` is correct; takes constant time."""
        return bool(self.token) and hmac.compare_digest(
            token.encode(errors="replace"), self.token.encode()
        )

    def local_reader(self, client: str, headers: Mapping[str, str]) -> Reader:
        """Return who sends a request to an archive without users.

        Args:
            client: IP address of the sender.
            headers: Headers of the request, by their names in lower case.
        """
        obstacle = self.obstacle(client, headers)
        return replace(LOCAL_VISITOR, obstacle=obstacle) if obstacle else LOCAL_ADMINISTRATOR

    def has_header(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request carries the token as programs send it."""
        return self.is_token(sent_token(headers))

    def has_cookie(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request carries the cookie of this token."""
        if not self.token:
            return False
        wanted = self.cookie_value.encode()
        for cookie in headers.get("cookie", "").split(";"):
            name, _, value = cookie.strip().partition("=")
            if name == self.cookie_name:
                return hmac.compare_digest(value.encode(errors="replace"), wanted)
        return False

    def may_write(self, client: str, headers: Mapping[str, str]) -> bool:
        """Return whether the sender of a request may change the archive.

        Every sender needs the token. "local" also requires a request from this machine to a
        loopback address, without a proxy. Requests from pages of other sites are always denied.

        Args:
            client: IP address of the sender.
            headers: Headers of the request, by their names in lower case.
        """
        return self.obstacle(client, headers) is None

    def obstacle(self, client: str, headers: Mapping[str, str]) -> Obstacle | None:
        """Return why the sender of a request may not change the archive; None if they may.

        Args:
            client: IP address of the sender.
            headers: Headers of the request, by their names in lower case.
        """
        if self.writers == "none":
            return "nobody writes"
        if not is_same_origin(headers):
            return "other site"
        if not self.has_cookie(headers) and not self.has_header(headers):
            return "unknown token" if sent_token(headers) else "no token"
        if self.writers == "anyone":
            return None
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        is_local = (
            _is_this_machine(client)
            and _is_this_machine(host)
            and not any(name in headers for name in _PASSED_ON)
        )
        return None if is_local else "not local"


def sent_token(headers: Mapping[str, str]) -> str:
    """Return the token that a program sends; "" if it sends none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Return whether a request does not come from a page of another origin.

    A request with neither `Sec-Fetch-Site` nor `Origin` does not come from a page's script.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        sender = urlsplit(origin)
        ours = urlsplit(f"{sender.scheme}://{headers.get('host', '')}")
        default = {"http": 80, "https": 443}.get(sender.scheme)
        return (
            default is not None
            and sender.hostname is not None
            and (sender.hostname, sender.port or default) == (ours.hostname, ours.port or default)
        )
    except ValueError:
        return False


def _is_this_machine(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
