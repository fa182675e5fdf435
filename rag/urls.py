"""URL canonicalization, article ids from URLs, and the same-site test."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

# URL patterns of services that show copies of other hosts' pages.
_ARCHIVED = re.compile(r"(?i)\A/web/\d{4,14}[a-z_*]{0,8}/+((?:https?:)?/{0,2}.+)\Z")
_AMP = re.compile(r"(?i)\A/(?:[acvwi]+/)?(?:s/)?(.+)\Z")
_AMP_VIEWER = re.compile(r"(?i)\A/amp/(?:s/)?(.+)\Z")


def may_claim_url(page: str, address: str) -> bool:
    """Return True if a page may declare `address` as its article's URL.

    A page may only name URLs of its own site; an archived copy, also URLs of the site it was copied
    from. Without this rule, any page could replace another site's article.

    Args:
        page: URL of the page; "" for a saved file, which may name any.
        address: The URL that it declares.
    """
    return (
        not page
        or is_same_site(url_of_archived_copy(page) or page, address)
        or is_same_site(page, address)
    )


def is_same_site(one: str, other: str) -> bool:
    """Return True if two URLs or hosts belong to the same site; never for invalid ones."""
    host = _bare(true_host(one))
    if has_domain(host) and host == _bare(true_host(other)):
        return True
    site = site_of(one)
    return bool(site) and site == site_of(other)


def site_of(address: str) -> str:
    """Return the registrable domain of a URL or host; "" if it has none.

    By the Public Suffix List; an unlisted top-level domain counts as a suffix: `a.b.example`
    belongs to `b.example`. An IP address, or a name without a dot, is a site of its own on each
    port.
    """
    host = true_host(address)
    if not host:
        return ""
    return _registrable(host) if has_domain(host) else named_host(address)


def true_host(address: str) -> str:
    """Return the host that a URL really leads to, in ASCII."""
    if "//" not in address:
        address = f"//{address}"
    try:
        host = (urlsplit(address).hostname or "").rstrip(".")
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):  # an invalid IPv6 address or name
        return ""


def named_host(address: str) -> str:
    """Return the host of a URL, with its port if that distinguishes sites."""
    host, port = true_host(address), _port(address)
    return host if not port or has_domain(host) else f"{host}:{port}"


def has_domain(host: str) -> bool:
    """Return True if a host is in a registered domain: not an IP address, and with a dot."""
    return "." in host and not _is_number(host)


def url_of_archived_copy(page: str) -> str:
    """Return the original URL of a page in an archive or cache; "" for any other page."""
    try:
        parts = urlsplit(page)
    except ValueError:
        return ""
    host = true_host(page)
    if host == "web.archive.org":
        found = _ARCHIVED.match(parts.path)
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
    from courlan import extract_domain  # 0.4 s: only if the hosts differ

    return extract_domain(f"https://{host}/") or ".".join(host.split(".")[-2:])


def _is_number(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _port(address: str) -> int:
    """Return the port of a URL; 0 for its scheme's default."""
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
_CUT_OUT_WITH = (
    re.compile(  # quotes and brackets cut out with the URL; matches only at the start of such a run
        r"""(?i)(?<!["'<>])(?<!%22)(?<!&quot;)(?<!&#34;)(?<!&apos;)(?<!&[gl]t;)"""
        r"""(?:["'<>]|%22|&(?:quot|#34|apos|gt|lt);)++\Z"""
    )
)
_INDEX = re.compile(r"(?i)/(?:index|default)\.(?:s?html?|php|aspx?|jsp)\Z")
_AMP_PATH = re.compile(r"(?i)(?:/amp|\.amp)(?=\.html\Z|/?\Z)|\A/amp(?=/)")
_AMP_CACHE = re.compile(
    r"(?i)\A(?:https?://)?(?:(?:www\.)?google\.[a-z.]+/amp/(?:s/)?|"
    r"[\w-]+\.cdn\.ampproject\.org/[cv]/(?:s/)?)"
)
_ADDRESS = re.compile(r"(?i)\A(?:(?:https?:)?//|www\.)(?=[^\s/]+\.[^\s/])[^\s/]++")
# A path never begins like this, since it has no two slashes in a row.
_STORAGE_ADDRESS = re.compile(r"(?i)\A(?:s3[an]?|gs|gcs|abfss?|hdfs)://")
_ID_UP_TO = 400  # characters
_ADDRESS_UP_TO = (
    8_000  # characters; servers accept no longer ones, and a megabyte of quotes took 10 s
)


def article_id(url: str = "", given: str = "", text: str = "") -> str:
    """Return the id of an article: from its URL, else a given id, else its text.

    A URL becomes host and path, `velsundpost.example/2024/10/24/crane`: without scheme, "www.",
    port, fragment, trailing slash, "index.html", AMP parts and tracking parameters; other
    parameters stay, sorted. So one page in several spellings is one article, and a new version
    replaces the old.

    Args:
        url: The article's URL.
        given: An id from its source; a URL counts as one.
        text: The article's text, for the id `sha256:` and the start of its hash.
    """
    given = " ".join(given.split())
    for candidate in (url, given):
        key = url_key(candidate)
        if key:  # an exported id omits parameters that its publisher ignores
            return given if key.startswith(f"{given}?") else key
    if given:
        return given if len(given) <= _ID_UP_TO else f"sha256:{_digest(given)}"
    return f"sha256:{_digest(text)}"


def is_storage_address(text: str) -> bool:
    """Return whether a text is the address of a file or folder on S3, GCS, Azure or HDFS."""
    return _STORAGE_ADDRESS.match(text) is not None


def file_location(place: str) -> str:
    """Return the absolute path of a file, or of a member of a packed one.

    The address of a file on a storage is its location.
    """
    return place if is_storage_address(place) else Path(place).resolve().as_posix()


def url_key(url: str) -> str:
    """Return the canonical form of a URL; "" if it is not one."""
    if len(url) > _ADDRESS_UP_TO:
        return ""
    url = _AMP_CACHE.sub("https://", _CUT_OUT_WITH.sub("", url.strip()))
    if not _ADDRESS.match(url):
        return ""
    try:
        parts = urlsplit(url if "//" in url.split("?")[0] else f"//{url}")
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError:  # an invalid IPv6 address or port
        return ""
    host = _HOST_PREFIX.sub("", host)
    if port not in (None, 80, 443):
        host += f":{port}"
    path = quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._")
    path = _SESSION.sub("", re.sub(r"//+", "/", path))
    path = _INDEX.sub("", _AMP_PATH.sub("", path).rstrip("/")).rstrip("/")
    parameters = sorted(
        (k, v)
        for k, v in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.match(k) and not _AS_AMP.match(f"{k}={v}")
    )
    key = host + path + (f"?{urlencode(parameters)}" if parameters else "")
    return key if len(key) <= _ID_UP_TO else f"{host}/sha256:{_digest(key)}"


def host_of(url: str) -> str:
    """Return the host of a URL without "www.": the name of an unnamed publisher."""
    return url_key(url).split("/", 1)[0].split("?", 1)[0]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
