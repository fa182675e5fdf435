"""Feeds and lists of links: RSS and Atom give the texts they hold; sitemaps and lists give none."""

from __future__ import annotations

import io
import re
from calendar import timegm
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers import Read, Reject
from ingest.readers.dates import parse_date
from ingest.readers.decoding import ARTICLE_BYTES
from ingest.readers.fields import article_from
from ingest.readers.fragments import text_of_fragment
from ingest.readers.ids import host_of

# Atomic groups: without them, many comments in a row are tried in all their combinations.
_ROOT = re.compile(
    rb"(?is)\A(?>\s*<(?:\?.*?\?>|!--.*?-->|!doctype[^>]*>))*+\s*"
    rb"<(?:[\w-]+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]"
)
_ADDRESSES = re.compile(r"(?:\s*+(?:https?://[^\s<>\"]++|#[^\n]*+)[ \t\r]*+(?:\n|\Z))++\s*")
_FEED_ROOTS = ("rss", "feed", "rdf")
_PART = re.compile(r"\s+[|–—»:·-]\s+|:\s+|\s*»\s*")


def xml_of_links(start: bytes) -> str:
    """Return "feed" or "sitemap" where XML that begins with `start` is one; else nothing."""
    match = _ROOT.match(start)
    if not match:
        return ""
    return "feed" if match.group(1).decode().casefold() in _FEED_ROOTS else "sitemap"


def is_list_of_addresses(start: bytes) -> bool:
    """Return whether a text is a list of web addresses, one a line, # before a remark."""
    text = start.decode("utf-8-sig", "replace")
    text = text[: text.rfind("\n") + 1] or text  # the last line may be cut
    return "//" in text and _ADDRESSES.fullmatch(text) is not None


def read_links(file: io.BufferedReader, place: str, kind: str) -> Read:
    """Yield one Reject: a sitemap and a list name pages, and hold no article themselves."""
    pattern = rb"(?i)<(?:[\w-]+:)?loc[\s>]" if kind == "sitemap" else rb"(?m)^\s*https?://"
    count = len(re.findall(pattern, file.read(ARTICLE_BYTES)))
    yield Reject(
        place,
        f"a {kind} with {count:,} address{'' if count == 1 else 'es'} and no text: "
        "pages are not fetched here; save them, as with wget, and put them in",
    )


def read_feed(file: io.BufferedReader, place: str) -> Read:
    """Yield an article for each entry of an RSS or Atom feed, its text the one in the feed.

    An entry with a full text and a summary gives the longer. One without either is a Reject, and
    so is a feed in which no entry is found; the place is the file and the number of the entry.
    """
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        yield Reject(place, f"a feed longer than {ARTICLE_BYTES // 2**20} MB")
        return
    try:
        feed, entries = _parsed(content)
    except Exception as error:  # which ones a damaged feed can raise, feedparser does not say
        yield Reject(place, f"a damaged feed: {type(error).__name__}: {str(error)[:80]}")
        return
    if not entries:
        yield Reject(place, "a feed without an entry")
    for number, entry in enumerate(entries, 1):
        at = f"{place}:{number}"
        record = _record(entry, feed)
        if any(char.isalnum() for char in record["text"]):
            yield article_from(record, place=at)
        else:
            named = record["url"] or record["title"] or "it"
            yield Reject(at, f"the feed holds no text of {named[:200]}")


def _parsed(content: bytes) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    import feedparser  # 0.25 s: feeds only

    # A stream, for bytes or a string may be taken for a path or an address. What is in an entry
    # goes through the readers' own cleaning; feedparser's doubles the time.
    found = feedparser.parse(io.BytesIO(content), sanitize_html=False, resolve_relative_uris=False)
    return found.feed, list(found.entries)


def _record(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> dict[str, Any]:
    url = _address(entry)
    published = _moment(entry, "published") or _moment(entry, "updated")
    tags = [tag.get("term") for tag in entry.get("tags") or () if tag.get("term")]
    return {
        "title": _flat(_said(entry, "title")),
        "text": _text(entry),
        "url": url,
        "id": _said(entry, "id"),
        "publisher": _publisher(entry, feed, url),
        "authors": [author.get("name") for author in entry.get("authors") or ()],
        "published": published,
        "updated": _moment(entry, "updated"),
        "section": tags[0] if tags else "",
        "language": _said(entry, "language") or _said(feed, "language"),
    }


def _said(value: Mapping[str, Any], key: str) -> str:
    # dict's own `get`: feedparser's gives the day of publication for that of an update, and warns.
    said = dict.get(value, key) if isinstance(value, dict) else None
    return said if isinstance(said, str) else ""


def _address(entry: Mapping[str, Any]) -> str:
    for key in ("feedburner_origlink", "link", "id"):
        address = _said(entry, key).strip()
        if re.match(r"(?i)https?://[^/\s]", address):
            return address
    return ""


def _text(entry: Mapping[str, Any]) -> str:
    """Return the longest text of an entry: all of it, or its summary."""
    held = [part.get("value") or "" for part in entry.get("content") or ()]
    texts = [_unmarked(text) for text in [*held, _said(entry, "summary")]]
    return max(texts, key=len)


def _unmarked(text: str) -> str:
    if "<" not in text and "&" not in text:
        return text
    return text_of_fragment(text)


def _flat(title: str) -> str:
    return clean_line(_unmarked(title) if re.search(r"</?[a-zA-Z]", title) else title)


def _moment(entry: Mapping[str, Any], key: str) -> datetime | None:
    """Return when an entry was published, in the feed's own zone if it can be told."""
    try:
        moment = parse_date(_said(entry, key))
    except ValueError:
        moment = None
    parsed = dict.get(entry, f"{key}_parsed") if isinstance(entry, dict) else None
    if moment is None and parsed:
        try:
            return parse_date(timegm(parsed))
        except (ValueError, OverflowError):
            return None
    return moment


def _publisher(entry: Mapping[str, Any], feed: Mapping[str, Any], url: str) -> str:
    """Return who publishes: the entry's source, the feed's publisher, or a part of its title.

    "World news | The Guardian" at theguardian.com is The Guardian: the part that the host has.
    """
    source = entry.get("source")
    said = _said(source, "title") if isinstance(source, Mapping) else ""
    name = clean_line(said or _said(entry, "publisher") or _said(feed, "publisher"))
    if name:
        return name
    title = _flat(_said(feed, "title"))
    parts = [part.strip() for part in _PART.split(title) if part.strip()]
    host = re.sub(r"\W", "", host_of(url or _said(feed, "link")))
    for part in parts:
        if len(part) > 2 and re.sub(r"\W", "", part.casefold()) in host:
            return part
    return parts[0] if parts else ""
