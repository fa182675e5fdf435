"""Detect a file's format from its first bytes, never from its name."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from ingest.readers.compression import PACKED_MAGIC, is_tar
from ingest.readers.feeds import link_list_format
from ingest.readers.iptc7901 import is_iptc7901
from ingest.readers.mail import is_mail
from ingest.readers.unsupported import unsupported_format, unsupported_xml

Format = Literal[
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

_MAGIC: tuple[tuple[tuple[bytes, ...], Format], ...] = (
    (PACKED_MAGIC, "packed"),
    ((b"PK\x03\x04", b"PK\x05\x06"), "zip"),
    ((b"PAR1",), "parquet"),
    ((b"WARC/", b"filedesc://"), "web archive"),
    ((b"%PDF-",), "pdf"),
)
_HTML = re.compile(
    rb"(?is)\A\s*(?:<\?xml[^>]*>\s*)?(?><!--.*?-->\s*)*+"
    rb"<(?:!doctype\s+html|html|head|body|article|main|div|section|meta|title|p|h1|script)\b"
)
# Atomic groups: without them a thousand comments take exponential time.
_NEWS_XML = re.compile(
    rb"(?is)\A(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*+(?:\[.*?\]\s*)?>)*+"
    rb"<(?:[\w.-]{1,20}:)?(?:nitf|newsItem|newsMessage|packageItem|NewsML)[\s>/]"
)
# A list of strings, numbers or lists; not "[AP]" or "[1] A note".
_LISTED = re.compile(rb'\[\s*+(?:"(?:[^"\\]|\\.){0,9999}+"|-?\d[\d.eE+-]{0,30}|\[)\s*+[,\[{"\d]')
# The first line of a WACZ's pages.jsonl, and of CDX and CDXJ web archive indexes.
_CRAWL_LIST = re.compile(
    rb"(?i)\A\s*(?:\{[^{}\n]{0,200}\"format\"\s*:\s*\"json-pages-| CDX [a-z] [a-z] |!meta 0 \{)"
    rb"|\A[a-z0-9-]+(?:,[a-z0-9_-]+)+(?::\d+)?\)\S* \d{12,14} \{"
)
_XML = re.compile(rb"(?is)\A\s*(?:<\?xml|<(?:rss|feed|nitf|newsml|urlset|newsItem)\b)")


def detect_format(start: bytes) -> Format | str:
    """Return the format of a file that begins with `start`, or why it is not supported."""
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
        return "not a text file: it contains zero bytes"
    start = start.removeprefix(codecs.BOM_UTF8)
    if _CRAWL_LIST.match(start):
        return "a crawl's page list, not articles: ingest the WARC files of the crawl"
    return (
        _markup_format(start)
        or _json_format(start)
        or ("mail" if is_mail(start) else "")
        or unsupported_xml(start)
        or "text"
    )


def _markup_format(start: bytes) -> Format | str | None:
    if links := link_list_format(start):
        return links
    if _NEWS_XML.match(start):
        return "news XML"
    if _HTML.match(start):
        return "html"
    if _XML.match(start):
        if re.search(rb"(?i)<html\b", start):
            return "html"
        return unsupported_xml(start) or "unsupported kind of XML"
    return None


def _json_format(start: bytes) -> Format | None:
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
    # Tolerate one broken line.
    objects = sum(line.startswith(b"{") and line.endswith(b"}") for line in lines[:-1])
    return "json lines" if objects and 2 * objects >= len(lines) - 2 else None
