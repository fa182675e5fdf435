"""Which article this is: one id for every spelling of its address."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

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


def place_of(place: str) -> str:
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
