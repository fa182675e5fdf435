"""Which format a file is in, by its first bytes: never by its name."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from ingest.readers.compression import PACKED, is_tar
from ingest.readers.feeds import xml_of_links
from ingest.readers.iptc7901 import is_iptc7901
from ingest.readers.mail import kind_of_mail
from ingest.readers.unsupported import unsupported_format, unsupported_xml

Kind = Literal[
    "json lines",
    "json",
    "parquet",
    "html",
    "text",
    "web archive",
    "packed",
    "zip",
    "tar",
    "news XML",
    "pdf",
    "mail",
    "IPTC 7901",
]

_MAGIC: tuple[tuple[tuple[bytes, ...], Kind], ...] = (
    (PACKED, "packed"),
    ((b"PK\x03\x04", b"PK\x05\x06"), "zip"),
    ((b"PAR1",), "parquet"),
    ((b"WARC/", b"filedesc://"), "web archive"),
    ((b"%PDF-",), "pdf"),
)
_HTML = re.compile(
    rb"(?is)\A\s*(?:<\?xml[^>]*>\s*)?(?><!--.*?-->\s*)*+"
    rb"<(?:!doctype\s+html|html|head|body|article|main|div|section|meta|title|p|h1|script)\b"
)
# Atomic groups: without them a thousand comments would take for ever.
_NEWS_XML = re.compile(
    rb"(?is)\A(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*+(?:\[.*?\]\s*)?>)*+"
    rb"<(?:[\w.-]{1,20}:)?(?:nitf|newsItem|newsMessage|packageItem|NewsML)[\s>/]"
)
# A list of strings, of numbers or of lists; not "[AP]" and "[1] A note".
_LISTED = re.compile(rb'\[\s*+(?:"(?:[^"\\]|\\.){0,9999}+"|-?\d[\d.eE+-]{0,30}|\[)\s*+[,\[{"\d]')
# The first line of a WACZ's pages.jsonl, and of CDX and CDXJ, the indexes of web archives.
_CRAWL_LIST = re.compile(
    rb"(?i)\A\s*(?:\{[^{}\n]{0,200}\"format\"\s*:\s*\"json-pages-| CDX [a-z] [a-z] |!meta 0 \{)"
    rb"|\A[a-z0-9-]+(?:,[a-z0-9_-]+)+(?::\d+)?\)\S* \d{12,14} \{"
)
_XML = re.compile(rb"(?is)\A\s*(?:<\?xml|<(?:rss|feed|nitf|newsml|urlset|newsItem)\b)")


def detect_format(start: bytes) -> Kind | str:
    """Return the format that begins with `start`, or why it is none that is read."""
    if not start.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        return "an empty file"
    for magics, kind in _MAGIC:
        if start.startswith(magics):
            return kind
    if is_tar(start):
        return "tar"
    if is_iptc7901(start):
        return "IPTC 7901"
    if other := unsupported_format(start):
        return other
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text"
    if b"\x00" in start[:4096]:
        return "not a text: it holds zero bytes"
    start = start.removeprefix(codecs.BOM_UTF8)
    if _CRAWL_LIST.match(start):
        return "a crawl's list of its pages, not articles: read the WARC files of the crawl"
    return (
        _kind_of_markup(start)
        or _kind_of_json(start)
        or ("mail" if kind_of_mail(start) else "")
        or unsupported_xml(start)
        or "text"
    )


def _kind_of_markup(start: bytes) -> Kind | str | None:
    if links := xml_of_links(start):
        return links
    if _NEWS_XML.match(start):
        return "news XML"
    if _HTML.match(start):
        return "html"
    if _XML.match(start):
        if re.search(rb"(?i)<html\b", start):
            return "html"
        return unsupported_xml(start) or "XML of a kind that is not read here"
    return None


def _kind_of_json(start: bytes) -> Kind | None:
    bare = start.lstrip()
    if bare.startswith(b"["):
        if bare[1:].lstrip()[:1] in (b"{", b"]", b""):
            return "json"
        return "json" if _LISTED.match(bare) else None
    lines = [line.strip() for line in bare.split(b"\n")[:20] if line.strip()]
    if bare.startswith(b"{"):
        if len(lines) > 1 and lines[1][:1] in (b'"', b"}"):
            return "json"
        return "json lines"
    # The first line may be the broken one.
    objects = sum(line.startswith(b"{") and line.endswith(b"}") for line in lines[:-1])
    return "json lines" if objects and 2 * objects >= len(lines) - 2 else None
