"""Find the reader who sends a request: by a token, a trusted proxy, or the cookie of a session."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.archive.side_home import identity_of
from rag.errors import SettingsError
from ui.readers import LOCAL_VISITOR
from ui.web.auth import WriteAccess, sent_token

if TYPE_CHECKING:
    from rag.rights import Access
    from rag.settings import Settings
    from ui.accounts.accounts import Accounts
    from ui.readers import Reader

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Headers that mean something else already, so that a proxy must not name users in them.
_TAKEN = frozenset("authorization cookie host origin x-api-key x-forwarded-for".split())
_HEADER = re.compile(r"[a-z0-9-]{1,64}")


class CredentialsError(Exception):
    """Credentials that are not valid.

    Args:
        status: 400 for ambiguous ones, 401 for wrong ones, 403 for a user who may not enter.
        message: What is wrong, and how to fix it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """Header in which a trusted proxy names the user.

    Attributes:
        networks: Addresses of such proxies; none by default.
        name: The header, in lower case.
    """

    networks: tuple[Network, ...] = ()
    name: str = "x-remote-user"

    @classmethod
    def of(cls, settings: Settings) -> ProxyHeader:
        """Return the header of the settings.

        Raises:
            SettingsError: An address or the header's name is malformed.
        """
        name = settings.proxy_header.strip().lower()
        if not _HEADER.fullmatch(name) or name in _TAKEN:
            raise SettingsError(
                f"BACKFILE_PROXY_HEADER is invalid: {settings.proxy_header!r}. Write X-Remote-User."
            )
        return cls(parse_networks("PROXY_FROM", settings.proxy_from), name)

    def is_trusted(self, peer: str) -> bool:
        """Return whether the address belongs to such a proxy."""
        return is_in_networks(peer, self.networks)

    def is_name(self, header: bytes) -> bool:
        """Return whether a header is the one, or one that some programs take for it."""
        return header.decode("latin-1").lower().replace("_", "-") == self.name

    def user_name(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Return the name in the header; None if it is missing.

        Raises:
            CredentialsError: It is repeated, or spelled with an underscore: a proxy that passes
                its clients' headers on would let them name themselves.
        """
        found = [(name, value) for name, value in headers if self.is_name(name)]
        if not found:
            return None
        if len(found) > 1 or found[0][0] != self.name.encode():
            raise CredentialsError(
                400, f"Invalid request: the header {self.name} was sent by the client, too."
            )
        try:
            return found[0][1].decode("utf-8").strip() or None
        except UnicodeDecodeError:
            raise CredentialsError(400, "Invalid request: the user's name is malformed.") from None


@dataclass(frozen=True, slots=True)
class Authentication:
    """Rules that find who sends a request.

    Attributes:
        accounts: The users.
        write_access: The rules for an archive without users.
        proxy: Header in which a trusted proxy names the user.
        always: Whether there must be users: on addresses that other machines can reach.
        cookie_name: Name of the session's cookie, different for each archive.
    """

    accounts: Accounts
    write_access: WriteAccess
    proxy: ProxyHeader = ProxyHeader()
    always: bool = False
    cookie_name: str = "backfile-session"

    @classmethod
    def of(
        cls, settings: Settings, accounts: Accounts, write_access: WriteAccess
    ) -> Authentication:
        """Return the authentication of the settings.

        Raises:
            SettingsError: The proxy's address or header is malformed.
        """
        proxy = ProxyHeader.of(settings)
        # Browsers share cookies between the ports of a host, so each archive has its own cookie.
        where = hashlib.sha256(identity_of(settings).encode()).hexdigest()[:12]
        always = (
            not is_loopback(settings.host) or bool(proxy.networks) or bool(settings.oidc_issuer)
        )
        return cls(accounts, write_access, proxy, always, f"backfile-session-{where}")

    @property
    def needs_login(self) -> bool:
        """True if there are users, so that everybody has to log in."""
        return self.always or self.accounts.has_users

    def reader(
        self,
        peer: str,
        raw: Iterable[tuple[bytes, bytes]],
        headers: Mapping[str, str],
        *,
        secure: bool,
    ) -> Reader | None:
        """Return who sends a request; None if they have to log in.

        A token counts before the word of a proxy, and that before a session. Wrong credentials are
        an error, even if others are right.

        Args:
            peer: IP address of the sender, which may be a proxy.
            raw: The request's headers.
            headers: Headers by their names in lower case.
            secure: Whether the request came by https.

        Raises:
            CredentialsError: The credentials are wrong.
        """
        if not self.needs_login:
            return self.write_access.local_reader(peer, headers)
        if secret := sent_token(headers):
            found = self.accounts.reader_of_token(secret)
            if found is None:
                raise CredentialsError(
                    401, "The token is not valid: it is wrong, has expired or was revoked."
                )
            return found
        if self.proxy.is_trusted(peer) and (name := self.proxy.user_name(raw)) is not None:
            found = self.accounts.reader_of_name(name)
            if found is None:
                raise CredentialsError(
                    403,
                    "You have no account here, or it is disabled. Ask the archive's operator for "
                    "one: backfile user add NAME --no-password.",
                )
            return found
        cookie = find_cookie(headers, self.session_cookie(secure=secure))
        return self.accounts.reader_of_session(cookie) if cookie else None

    def feed_access(self, owner: str) -> Access | None:
        """Return what the owner of a feed may see; None if they may not log in."""
        if owner == LOCAL_VISITOR.id:
            return LOCAL_VISITOR.rights
        reader = self.accounts.reader_of_id(owner)
        return reader.rights if reader is not None and reader.may("read") else None

    def session_cookie(self, *, secure: bool) -> str:
        """Return the name of the session's cookie.

        Browsers accept the prefix only from the host itself by https, so no other host of the
        domain can set the cookie.
        """
        return f"__Host-{self.cookie_name}" if secure else self.cookie_name


def find_cookie(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a cookie; "" if it is missing, or there are several that differ."""
    found = set()
    for cookie in headers.get("cookie", "").split(";"):
        key, _, value = cookie.strip().partition("=")
        if key == name:
            found.add(value)
    return found.pop() if len(found) == 1 else ""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def parse_networks(setting: str, text: str) -> tuple[Network, ...]:
    """Return the networks of a setting.

    Raises:
        SettingsError: One is malformed.
    """
    try:
        return tuple(
            ipaddress.ip_network(part.strip(), strict=False)
            for part in text.split(",")
            if part.strip()
        )
    except ValueError as error:
        raise SettingsError(
            f"BACKFILE_{setting} is invalid: {error}. Write 127.0.0.1 or 10.0.0.0/8."
        ) from error


def is_in_networks(address: str, networks: Iterable[Network]) -> bool:
    """Return whether an address belongs to one of the networks."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in networks)
