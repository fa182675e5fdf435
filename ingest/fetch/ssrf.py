"""SSRF protection: connect only to public addresses and to hosts the user allowed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from ingest.fetch.errors import FetchError, ForbiddenError

Resolve = Callable[[str, int], Sequence[str]]

# Not private to `ipaddress`, but not public either: protocol, 6to4 relay and carrier-grade NAT.
_NOT_PUBLIC_4 = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10")))
_GLOBAL_6 = ip_network("2000::/3")  # global unicast: RFC 4291, 2.4
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether an IP address is reachable from the public internet.

    An IPv6 address that embeds an IPv4 one (mapped, 6to4, Teredo, NAT64) is judged by the latter.
    """
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(number, IPv6Address):
        embedded = _embedded_ipv4(number)
        if embedded:
            return all(map(_is_public_4, embedded))
        return number in _GLOBAL_6 and number.is_global and not number.is_multicast
    return _is_public_4(number)


def _is_public_4(number: IPv4Address) -> bool:
    return (
        number.is_global
        and not number.is_multicast
        and not any(number in network for network in _NOT_PUBLIC_4)
    )


def _embedded_ipv4(number: IPv6Address) -> tuple[IPv4Address, ...]:
    if number.ipv4_mapped:
        return (number.ipv4_mapped,)
    if number.sixtofour:
        return (number.sixtofour,)
    if number.teredo:
        return number.teredo
    if number in _NAT64:
        return (IPv4Address(int(number) & 0xFFFFFFFF),)
    return ()


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of `host` in the system's order; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def resolve_public(
    host: str, port: int, *, allowed: Collection[str] = (), resolve: Resolve = resolve
) -> list[str]:
    """Return the IP addresses of `host` after checking that all of them are public.

    Connect to these addresses, never to the name: a second DNS lookup could return others.

    Args:
        host: The host name.
        port: The port, which some resolvers need.
        allowed: Hosts that may have private addresses.
        resolve: The resolver.

    Raises:
        ForbiddenError: An address isn't public and the host isn't allowed.
        FetchError: The host has no address.
    """
    try:
        addresses = list(resolve(host, port))
    except (OSError, UnicodeError) as error:
        raise FetchError(f"host {host} could not be resolved: {error}", lasting=False) from error
    if host.casefold().strip("[]") in allowed:
        return addresses
    for address in addresses:
        if not is_public(address):
            raise ForbiddenError(
                f"host {host} has the private address {address}: `--allow-host {host}` permits it"
            )
    return addresses
