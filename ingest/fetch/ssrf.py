"""Which addresses may be connected to: public ones, and those that the user named on purpose."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from ingest.fetch.errors import FetchError, ForbiddenError

Resolve = Callable[[str, int], Sequence[str]]

# Beside what `ipaddress` calls private: assigned to protocols, 6to4's relays, carriers' own.
_NOT_PUBLIC_4 = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10")))
_GLOBAL_6 = ip_network("2000::/3")  # all that was ever given out: RFC 4291, 2.4
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether `address`, a number, belongs to a host that everybody can reach.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, Teredo, NAT64) is what it carries.
    """
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(number, IPv6Address):
        carried = _carried(number)
        if carried:
            return all(map(_is_public_4, carried))
        return number in _GLOBAL_6 and number.is_global and not number.is_multicast
    return _is_public_4(number)


def _is_public_4(number: IPv4Address) -> bool:
    return (
        number.is_global
        and not number.is_multicast
        and not any(number in network for network in _NOT_PUBLIC_4)
    )


def _carried(number: IPv6Address) -> tuple[IPv4Address, ...]:
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
    """Return the addresses of `host`, as numbers, in the system's order; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def resolve_public(
    host: str, port: int, *, allowed: Collection[str] = (), resolve: Resolve = resolve
) -> list[str]:
    """Return the addresses of `host`, every one of which may be connected to.

    Connect to these and to no name: asked again, the name might say something else. A host in
    `allowed` may be anywhere. Raises ForbiddenError where one of its addresses is not public, and
    FetchError where it has none.
    """
    try:
        addresses = list(resolve(host, port))
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{host} is not known: {error}", lasting=False) from error
    if host.casefold().strip("[]") in allowed:
        return addresses
    for address in addresses:
        if not is_public(address):
            raise ForbiddenError(
                f"{host} leads to {address}, which is not a public address: "
                f"`--allow-host {host}` permits it"
            )
    return addresses
