"""Files that contain no articles or are in unsupported formats, recognized by content."""

from __future__ import annotations

import re

_CONVERT = "save it as PDF, HTML or plain text"
_AS_TEXT = "convert it to HTML, JSON lines or plain text, or use `--as text` to read it as it is"
_NO_ARTICLES = "it contains no articles"

# Formats by their first bytes, with name and fix.
_BINARY: tuple[tuple[bytes, str, str], ...] = (
    (b"SQLite format 3", "an SQLite database", "export its articles as JSON lines or CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document or mail (OLE)", _CONVERT),
    (b"{\\rtf", "a document in RTF", _CONVERT),
    (b"%!PS", "PostScript", "convert it to PDF, for example with `ps2pdf`"),
    (b"AT&TFORM", "a DjVu document", "convert it to PDF"),
    (b"\x89PNG", "a picture", _NO_ARTICLES),
    (b"\xff\xd8\xff", "a picture", _NO_ARTICLES),
    (b"GIF8", "a picture", _NO_ARTICLES),
    (b"II*\x00", "a picture", _NO_ARTICLES),
    (b"MM\x00*", "a picture", _NO_ARTICLES),
    (b"8BPS", "a picture", _NO_ARTICLES),
    (b"\x00\x00\x01\x00", "a picture", _NO_ARTICLES),
    (b"ID3", "audio", _NO_ARTICLES),
    (b"\xff\xfb", "audio", _NO_ARTICLES),
    (b"OggS", "audio or video", _NO_ARTICLES),
    (b"fLaC", "audio", _NO_ARTICLES),
    (b"\x1a\x45\xdf\xa3", "video", _NO_ARTICLES),
    (b"FLV\x01", "video", _NO_ARTICLES),
    (b"\x7fELF", "a program", _NO_ARTICLES),
    (b"\xca\xfe\xba\xbe", "a program", _NO_ARTICLES),
    (b"\xcf\xfa\xed\xfe", "a program", _NO_ARTICLES),
    (b"\xce\xfa\xed\xfe", "a program", _NO_ARTICLES),
    (b"\x00asm", "a program", _NO_ARTICLES),
    (b"wOFF", "a font", _NO_ARTICLES),
    (b"wOF2", "a font", _NO_ARTICLES),
    (b"OTTO", "a font", _NO_ARTICLES),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"ARROW1", "an Arrow file", "convert it to Parquet"),
    (b"Obj\x01", "an Avro file", "convert it to Parquet or JSON lines"),
    (b"\x93NUMPY", "a NumPy array", _NO_ARTICLES),
    (b"\x89HDF", "an HDF5 file", "convert it to Parquet or JSON lines"),
)
_RIFF = {b"WEBP": "a picture", b"WAVE": "audio", b"AVI ": "video"}

# Text formats, by their first lines.
_TEXTS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern), name, fix)
    for pattern, name, fix in (
        (rb"\A\s*+\d++[ \t]*+\r?\n\d\d?:\d\d:\d\d[,.]\d{1,3} *-->", "subtitles (SRT)", _AS_TEXT),
        (rb"\AWEBVTT(?:[ \t\r\n]|\Z)", "subtitles (WebVTT)", _AS_TEXT),
        (rb"\A\s*+\[Script Info\]", "subtitles (SSA)", _AS_TEXT),
        (rb"\A(?:\[\d\d:\d\d[.:]\d\d\d?\][^\n]{0,500}\n){2}", "lyrics with times (LRC)", _AS_TEXT),
        (rb"\A\s*+(?i:<sami)\b", "subtitles (SAMI)", _AS_TEXT),
        (rb"\A\s*+(?i:BEGIN:VCARD)\b", "an address book (vCard)", _NO_ARTICLES),
        (rb"\A\s*+(?i:BEGIN:VCALENDAR)\b", "a calendar (iCalendar)", _NO_ARTICLES),
        (rb"\A-----BEGIN PGP SIGNED", "a PGP-signed text", "verify it, then save the text"),
        (rb"\A-----BEGIN PGP", "a PGP message or key", "decrypt it first"),
        (rb"\A-----BEGIN [A-Z0-9 ]{3,40}-----", "a key or a certificate", _NO_ARTICLES),
        (rb"\A\s*+(?:%[^\n]{0,500}\n\s*+){0,20}\\document(?:class|style)\b", "LaTeX", _CONVERT),
        (rb"\A#![ \t]*/", "a program", _NO_ARTICLES),
        (rb"\A\s*+<\?php\b", "a program", _NO_ARTICLES),
        (rb"\A\s*+(?://[^\n]{0,500}\n\s*+)?#include *[<\"]", "a program", _NO_ARTICLES),
        (
            rb"\A\s*+(?:(?:var|let|const|window|self)[ .][\w.$\[\]\"']{1,60} ?= ?[{\[]"
            rb"|[\w.$]{1,60}\(\s*+(?:\[\s*+)?\{\s*+\")",
            "JavaScript around JSON",
            "save the JSON alone, from its first bracket to its last",
        ),
    )
)  # fmt: skip
_ROOT = re.compile(
    rb"\A(?>\s+|<\?[^>]{0,2000}\?>|<!--.*?-->|<!DOCTYPE[^\[>]{0,2000}(?:\[[^\]]{0,9999}\]\s*)?>)*+"
    rb"<([A-Za-z_][\w.-]{0,60}(?::[\w.-]{1,60})?)(?=[\s/>])[^<>]{0,9999}>",
    re.DOTALL,
)
_VOCABULARIES = {
    "svg": "a picture (SVG)",
    "tt": "subtitles (TTML)",
    "opml": "a list of feeds (OPML)",
    "mediawiki": "a dump of a wiki",
    "kml": "a map (KML)",
    "gpx": "a map (GPX)",
    "plist": "a property list",
}


def unsupported_format(start: bytes) -> str:
    """Return the name and fix of an unsupported format; "" if the file may be text."""
    for magic, name, fix in _BINARY:
        if start.startswith(magic):
            return _message(name, fix)
    if start.startswith(b"RIFF") and start[8:12] in _RIFF:
        return _message(_RIFF[start[8:12]], _NO_ARTICLES)
    if start[4:8] == b"ftyp":
        return _message("video, audio or a picture (MP4)", _NO_ARTICLES)
    if start.startswith(b"BM") and start[6:10] == b"\0\0\0\0":
        return _message("a picture", _NO_ARTICLES)
    if start.startswith(b"MZ") and b"\0" in start[:64]:
        return _message("a program", _NO_ARTICLES)
    bare = start.removeprefix(b"\xef\xbb\xbf")
    for pattern, name, fix in _TEXTS:
        if pattern.match(bare):
            return _message(name, fix)
    return ""


def unsupported_xml(start: bytes) -> str:
    """Return the name and fix of an unsupported XML vocabulary; "" for HTML and other text."""
    match = _ROOT.match(start)
    if not match:
        return ""
    root = match[1].decode("ascii", "replace")
    name = root.rpartition(":")[2]
    declared = start.lstrip().startswith(b"<?xml") or b"xmlns" in match[0]
    if not declared and b"</" + match[1] not in start:
        return ""  # "<Ada> hello": angle brackets in a text
    called = _VOCABULARIES.get(name.casefold(), "") if b"xmlns" in match[0] or name != "tt" else ""
    if called:
        return _message(called, "ingest the feeds themselves" if name == "opml" else _NO_ARTICLES)
    if name.casefold() in _HTML_TAGS:
        return ""
    return f"unsupported kind of XML (<{root}>): convert it to HTML or JSON lines"


_HTML_TAGS = frozenset(
    "a abbr address article aside b base blockquote body br center cite code dd del details div dl "
    "dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i "
    "iframe img input ins label li link main mark meta nav noscript ol p pre q s script section "
    "small span strong style sub summary sup table tbody td template th thead title tr tt u ul "
    "video".split()
)


def _message(name: str, fix: str) -> str:
    return f"{name}: unsupported format: {fix}"
