"""Host names that the page answers to, and proxies whose word about the client counts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rag.errors import SettingsError
from rag.settings import Settings
from ui.web.authentication import Network, is_in_networks, parse_networks

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
WILDCARDS = ("", "0.0.0.0", "::", "*")  # nosec B104 # compared with, not listened on

_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})))"
    r"(?::\d{1,5})?"
)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Host names that the page answers to, and trusted proxies.

    Attributes:
        hosts: Host names and addresses, in lower case.
        proxies: Networks whose `X-Forwarded-For` headers are trusted.
    """

    hosts: frozenset[str]
    proxies: tuple[Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> AllowedHosts:
        """Return the hosts and proxies of the settings.

        Raises:
            SettingsError: A host or a proxy is malformed.
        """
        hosts = set(LOCAL_HOSTS)
        listening = settings.host.strip("[]").lower()
        if listening not in WILDCARDS:
            hosts.add(listening)
        for name in _split_list(settings.hosts):
            host = parse_host(name) or parse_host(f"[{name}]")
            if host is None:
                raise SettingsError(
                    f"BACKFILE_HOSTS is invalid: {name!r} is not a host. Write archive.example."
                )
            hosts.add(host)
        return cls(frozenset(hosts), parse_networks("PROXIES", settings.proxies))

    def is_proxy(self, address: str) -> bool:
        """Return whether the address belongs to a trusted proxy."""
        return is_in_networks(address, self.proxies)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the client's address: the last one in `X-Forwarded-For` that is not a proxy."""
        client = peer
        forwarded = headers.get("x-forwarded-for", "")[-1000:].split(",")
        while self.is_proxy(client) and forwarded:
            address = forwarded.pop().strip()
            try:
                ipaddress.ip_address(address)
            except ValueError:
                break
            client = address
        return client


def parse_host(name: str) -> str | None:
    """Return the host of a Host header in lower case, without port; None if malformed."""
    match = _HOST.fullmatch(name)
    if match is None:
        return None
    if match["v6"]:
        try:
            return str(ipaddress.IPv6Address(match["v6"]))
        except ValueError:
            return None
    return match["name"].lower().removesuffix(".")


def _split_list(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",") if part.strip()]
