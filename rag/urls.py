"""URL canonicalization, article ids from URLs, and the same-site test."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

# Where services whose pages are copies of other hosts' pages name the page copied.
_KEPT = re.compile(r"(?i)\A/web/\d{4,14}[a-z_*]{0,8}/+((?:https?:)?/{0,2}.+)\Z")
_AMP = re.compile(r"(?i)\A/(?:[acvwi]+/)?(?:s/)?(.+)\Z")
_AMP_VIEWER = re.compile(r"(?i)\A/amp/(?:s/)?(.+)\Z")


def may_claim_url(page: str, address: str) -> bool:
    """Whether the page at the address `page` may say that its article's address is `address`.

    It may name an address of its own site, and a copy in an archive one of the site that it is a
    copy of: any other it could only claim, and its text would become a revision of somebody
    else's article.  A page without an address, a saved one, may name any.
    """
    return (
        not page
        or is_same_site(url_of_archived_copy(page) or page, address)
        or is_same_site(page, address)
    )


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


def url_of_archived_copy(page: str) -> str:
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


_TRACKING = re.compile(
    r"(?i)(?:utm_|mc_|pk_|hsa_|at_|ns_|wt_|icid|ito\b|cmpid|cmp\b|s_cid|fbclid|gclid|dclid|msclkid|"
    r"yclid|igshid|twclid|ttclid|ref\b|ref_|referr?er|source\b|src\b|smid|smtyp|partner|share|"
    r"shared|via\b|campaign|CMP|ocid|ncid|xtor|taid|guccounter|guce_|amp\b|outputtype|tpcc|rss|"
    r"feed|cid\b|sh\b|spm\b|soc_|sref|leadsource|mod\b|mbid|fb_|_ga|_gl|gaa_|__twitter|s\b$|"
    r"intcid|trk\b|wt\.|vero_|__s\b|mkt_tok|li_fat_id|_hs|sf\d|cn-reloaded|[gw]braid|gad_|"
    r"srsltid|epik|dicbo|(?:php|j|asp)?session_?id|phpsessid|print\b|mobile\b)"
)
_AS_AMP = re.compile(r"(?i)\A(?:output|outputtype|format|view)=amp\Z")
_HOST_PREFIX = re.compile(r"\A(?:www\d?|m|mobile|amp|edition)\.(?=[^.]+\.)")
_SESSION = re.compile(r"(?i);(?:jsessionid|phpsessid|sid)=[^/;]*")
_CUT_OUT_WITH = re.compile(  # of its page; read from where such a run begins
    r"""(?i)(?<!["'<>])(?<!%22)(?<!&quot;)(?<!&#34;)(?<!&apos;)(?<!&[gl]t;)"""
    r"""(?:["'<>]|%22|&(?:quot|#34|apos|gt|lt);)++\Z"""
)
_INDEX = re.compile(r"(?i)/(?:index|default)\.(?:s?html?|php|aspx?|jsp)\Z")
_AMP_PATH = re.compile(r"(?i)(?:/amp|\.amp)(?=\.html\Z|/?\Z)|\A/amp(?=/)")
_AMP_CACHE = re.compile(
    r"(?i)\A(?:https?://)?(?:(?:www\.)?google\.[a-z.]+/amp/(?:s/)?|"
    r"[\w-]+\.cdn\.ampproject\.org/[cv]/(?:s/)?)"
)
_ADDRESS = re.compile(r"(?i)\A(?:(?:https?:)?//|www\.)(?=[^\s/]+\.[^\s/])[^\s/]++")
_ID_UP_TO = 400  # characters
_ADDRESS_UP_TO = 8_000  # characters: servers take no longer one, and a megabyte of quotes took 10 s


def article_id(url: str = "", given: str = "", text: str = "") -> str:
    """Return the id of an article: from its address, else the id it was given, else its text.

    An address becomes host and path, `velsundpost.example/2024/10/24/crane`: without scheme,
    "www.", port, fragment, trailing slash, "index.html", AMP's marks and tracking parameters;
    other parameters stay, sorted. So the same page in another spelling is the same article, and
    a new version of it replaces the old. A given id that is an address counts as one. Without
    either, the id is `sha256:` and the start of the text's hash.
    """
    given = " ".join(given.split())
    for candidate in (url, given):
        key = url_key(candidate)
        if key:  # the id of an export says which parameters its publisher ignores
            return given if key.startswith(f"{given}?") else key
    if given:
        return given if len(given) <= _ID_UP_TO else f"sha256:{_digest(given)}"
    return f"sha256:{_digest(text)}"


def file_location(place: str) -> str:
    """Return where a file lies, or a member of a packed one, whatever the folder one stands in."""
    return Path(place).resolve().as_posix()


def url_key(url: str) -> str:
    """Return what all spellings of an address have in common; nothing if it is not one."""
    if len(url) > _ADDRESS_UP_TO:
        return ""
    url = _AMP_CACHE.sub("https://", _CUT_OUT_WITH.sub("", url.strip()))
    if not _ADDRESS.match(url):
        return ""
    try:
        parts = urlsplit(url if "//" in url.split("?")[0] else f"//{url}")
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError:  # a bracket that is no IPv6 address, a port that is no number
        return ""
    host = _HOST_PREFIX.sub("", host)
    if port not in (None, 80, 443):
        host += f":{port}"
    path = quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._")
    path = _SESSION.sub("", re.sub(r"//+", "/", path))
    path = _INDEX.sub("", _AMP_PATH.sub("", path).rstrip("/")).rstrip("/")
    kept = sorted(
        (k, v)
        for k, v in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.match(k) and not _AS_AMP.match(f"{k}={v}")
    )
    key = host + path + (f"?{urlencode(kept)}" if kept else "")
    return key if len(key) <= _ID_UP_TO else f"{host}/sha256:{_digest(key)}"


def host_of(url: str) -> str:
    """Return the host of an address without "www.": what to call a publisher without a name."""
    return url_key(url).split("/", 1)[0].split("?", 1)[0]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
