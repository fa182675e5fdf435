"""Which addresses are of one site: by the domain that somebody registered."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

# Where services whose pages are copies of other hosts' pages name the page copied.
_KEPT = re.compile(r"(?i)\A/web/\d{4,14}[a-z_*]{0,8}/+((?:https?:)?/{0,2}.+)\Z")
_AMP = re.compile(r"(?i)\A/(?:[acvwi]+/)?(?:s/)?(.+)\Z")
_AMP_VIEWER = re.compile(r"(?i)\A/amp/(?:s/)?(.+)\Z")


def may_name(page: str, address: str) -> bool:
    """Whether the page at the address `page` may say that its article's address is `address`.

    It may name an address of its own site, and a copy in an archive one of the site that it is a
    copy of: any other it could only claim, and its text would become a revision of somebody
    else's article.  A page without an address, a saved one, may name any.
    """
    return not page or is_same_site(kept_from(page) or page, address) or is_same_site(page, address)


def is_same_site(one: str, other: str) -> bool:
    """Whether two addresses, or hosts, are of one site; what is no address is of none."""
    host = _bare(true_host(one))
    if has_domain(host) and host == _bare(true_host(other)):
        return True
    site = site_of(one)
    return bool(site) and site == site_of(other)


def site_of(address: str) -> str:
    """Return the registrable domain of an address or a host, "" where it has none.

    It is that of the Public Suffix List, whose rule for top-level domains not in it is that they
    stand alone: `a.b.example` is of `b.example`. A number, and a name without a dot, is a site for
    itself on each port.
    """
    host = true_host(address)
    if not host:
        return ""
    return _registrable(host) if has_domain(host) else named_host(address)


def true_host(address: str) -> str:
    """Return the host that is asked for an address, in ASCII, whatever the address looks like."""
    if "//" not in address:
        address = f"//{address}"
    try:
        host = (urlsplit(address).hostname or "").rstrip(".")
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):  # a bracket that is no IPv6 address; no name
        return ""


def named_host(address: str) -> str:
    """Return the host of an address as one names it: with its port where that tells sites apart."""
    host, port = true_host(address), _port(address)
    return host if not port or has_domain(host) else f"{host}:{port}"


def has_domain(host: str) -> bool:
    """Whether a host is a name of a registered domain: no number, and no name without a dot."""
    return "." in host and not _is_number(host)


def kept_from(page: str) -> str:
    """Return the address of which a page in an archive or a cache is a copy; "" for any other."""
    try:
        parts = urlsplit(page)
    except ValueError:
        return ""
    host = true_host(page)
    if host == "web.archive.org":
        found = _KEPT.match(parts.path)
    elif host.endswith("cdn.ampproject.org"):
        found = _AMP.match(parts.path)
    elif re.match(r"\Agoogle\.[a-z.]++\Z", site_of(page)):
        found = _AMP_VIEWER.match(parts.path)
    else:
        return ""
    if not found:
        return ""
    inner = re.sub(r"(?i)\A(?:https?:)?/*", "", found[1])
    return f"https://{inner}" if inner else ""


def _bare(host: str) -> str:
    return host.removeprefix("www.")


@lru_cache(maxsize=4096)
def _registrable(host: str) -> str:
    from courlan import extract_domain  # 0.4 s: where the hosts differ

    return extract_domain(f"https://{host}/") or ".".join(host.split(".")[-2:])


def _is_number(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _port(address: str) -> int:
    """Return the port that an address names; 0 for its scheme's own, which ids leave out too."""
    try:
        port = urlsplit(address if "//" in address else f"//{address}").port
    except ValueError:
        return 0
    return 0 if port in (None, 80, 443) else int(port or 0)
