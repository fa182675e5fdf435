"""Make untrusted text and URLs safe to show in a terminal, a page, an export or a prompt.

Stored text stays verbatim; only its display differs. Every renderer uses these functions.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

# Complete escape sequences are removed, so "\x1b[31mred" becomes "red" and not "[31mred".
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"  # CSI: colours, cursor
    # OSC, DCS: titles, links, settings
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+[0-~]"
)
# Terminal controls, text direction controls and invisible characters: C0 and C1, soft hyphens,
# bidirectional marks, zero-width characters, lone surrogates, annotations, tags (which can hide
# instructions to a chat model), fillers, and the rest of Default_Ignorable_Code_Point.
_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
# Joiners shape Persian, Indic scripts and emoji; next to a Latin letter, or alone, they only hide.
_JOINERS = "\u200c\u200d"
_IDLE_JOINER = re.compile(f"(?<![^\\x00-\\u024f])[{_JOINERS}]|[{_JOINERS}](?![^\\x00-\\u024f])")
# Variation selectors choose a glyph of the previous character; elsewhere they are hidden data.
_IDLE_SELECTOR = re.compile(
    "(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
    "|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]"
)

_OPENING, _CLOSING = "[［【〔〖〘⟦❲⁅⦋⦍⦏⸢⹕﹇﹝〚", "]］】〕〗〙⟧❳⁆⦌⦎⦐⸥⹖﹈﹞〛"
_BRACKETED = re.compile(
    f"[{re.escape(_OPENING)}]((?:{_ESCAPE_SEQUENCE.pattern}|"
    f"[^{re.escape(_OPENING + _CLOSING)}]){{1,60}}+)[{re.escape(_CLOSING)}]"
)
# Words allowed in a marker beside its numbers: see rag.citations.
_WORD = re.compile(r"(?i)passages?|sources?|refs?|no|citations?|doc(?:ument)?s?|and")
_BETWEEN = re.compile(r"(?:[^\w()]|_)+")
_DIGITS_OF_A_MARKER = 3  # citations have no more; [2024] is an editor's year

_ADDRESS_UP_TO = 8_000  # characters; no server accepts longer ones
_HOST = re.compile(r"(?:[a-z0-9_][a-z0-9_-]{0,62}\.)*[a-z0-9_][a-z0-9_-]{0,62}\.?|\[[0-9a-f:.]+\]")
_NOT_IN_ADDRESSES = re.compile(f"[\\\\{_UNSEEN}{_JOINERS}\t\n]")


def strip_controls(text: str) -> str:
    """Return a text without terminal controls and invisible characters."""
    text = _INVISIBLE.sub("", _ESCAPE_SEQUENCE.sub("", text))
    if not text.isascii():
        text = _IDLE_SELECTOR.sub("", text)
    return _IDLE_JOINER.sub("", text) if _has_joiner(text) else text


def single_line(text: str) -> str:
    """Return a text on one line, without terminal controls."""
    return " ".join(strip_controls(text).split())


def neutralize_markers(text: str) -> str:
    """Return a text with "[2]" replaced by "(2)", so that it can't be taken for a citation.

    The length stays the same, so offsets into the text remain valid. `[2, 3]`, `【2】` and
    `[source 2]` are markers too, even with invisible characters in them.
    """
    return _BRACKETED.sub(_in_parentheses, text)


def article_line(text: str) -> str:
    """Return article text on one line, without controls and citation markers."""
    return neutralize_markers(single_line(text))


def web_address(url: str) -> str:
    """Return a URL that is safe to link to; "" if it isn't safe.

    Only http and https with a host qualify. URLs with a user name (`https://a@b/`), a backslash, a
    line break or an invisible character show one host and lead to another, so they don't.
    Non-ASCII hosts are returned in punycode, which resembles no other host.
    """
    url = url.strip()
    if not url or len(url) > _ADDRESS_UP_TO or _NOT_IN_ADDRESSES.search(url):
        return ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        known = host.encode("idna").decode("ascii") if not host.isascii() else host
    except (ValueError, UnicodeError):  # an invalid IPv6 address, port or host
        return ""
    known = f"[{known}]" if ":" in known else known
    if parts.scheme.lower() not in ("http", "https") or "@" in parts.netloc:
        return ""
    if not _HOST.fullmatch(known.lower()) or len(known) > 253:
        return ""
    rest = url.partition("://")[2][len(parts.netloc) :]
    netloc = parts.netloc if host.isascii() else known + (f":{port}" if port else "")
    return f"{url.partition('://')[0]}://{netloc}{_without_spaces(rest)}"


def _without_spaces(path: str) -> str:
    return re.sub(r"\s", lambda found: quote(found[0]), path)


def _in_parentheses(found: re.Match[str]) -> str:
    inside = found[1]
    return f"({inside})" if _is_marker(inside) else found[0]


def _is_marker(inside: str) -> bool:
    """Return True if bracketed text is only numbers of a citation's size."""
    seen = _INVISIBLE.sub("", _ESCAPE_SEQUENCE.sub("", inside))
    seen = seen.translate(dict.fromkeys(map(ord, _JOINERS)))
    numbers = [part for part in _BETWEEN.split(_WORD.sub(" ", seen)) if part]
    return bool(numbers) and all(
        len(number) <= _DIGITS_OF_A_MARKER and number.isnumeric() for number in numbers
    )


def _has_joiner(text: str) -> bool:
    return "\u200c" in text or "\u200d" in text
