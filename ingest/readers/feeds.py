"""Feeds: the texts that RSS, Atom and JSON Feed hold, or the links to the whole articles."""

from __future__ import annotations

import io
import json
import re
from calendar import timegm
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers import Link, Links, Read, Reject
from ingest.readers.date_order import UNSEEN, FileOrder, country_of
from ingest.readers.encoding import ARTICLE_BYTES
from ingest.readers.error_guard import guard
from ingest.readers.fields import article_from, stated_dates
from ingest.readers.html.fragments import text_of_fragment
from ingest.readers.publication_dates import read_date
from ingest.readers.sitemaps import clean_address
from rag.schema import Article
from rag.urls import host_of

# Atomic groups: without them, many comments in a row are tried in all their combinations.
_ROOT = re.compile(
    rb"(?is)\A(?>\s*<(?:\?.*?\?>|!--.*?-->|!doctype[^>]*>))*+\s*"
    rb"<(?:[\w-]+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]"
)
_FEED_ROOTS = ("rss", "feed", "rdf")
_PART = re.compile(r"(?<!\s)\s++(?:[|–—:·-]\s++|»\s*+)|:\s++|»\s*+")


def xml_of_links(start: bytes) -> str:
    """Return "feed" or "sitemap" where XML that begins with `start` is one; else nothing."""
    match = _ROOT.match(start)
    if not match:
        return ""
    return "feed" if match.group(1).decode().casefold() in _FEED_ROOTS else "sitemap"


# Characters of an entry's text that is taken for the whole article, if it is not cut off: of the
# entries of 31 feeds, those with more are whole posts, and summaries end far below.
WHOLE_FROM = 1200
_DEEPEST = 2_000  # levels: feedparser takes time by their square, 20,000 take minutes
# What feedparser makes of an element takes 2 kB, and an entry 10. No feed of 2,106 has a tenth.
_ENTRIES, _ELEMENTS = 20_000, 200_000
_ENTRY = re.compile(rb"<(?:[\w-]+:)?(?:item|entry)[\s>/]")
_TAG = re.compile(rb"<(/?)[A-Za-z][^<>]*?(/?)>")
_NO_TAGS = re.compile(rb"(?s)<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)")
_CUT_OFF = re.compile(r"(?i)(?:…|\.\.\.|\[…\]|\bread more|continue reading)\W{0,200}\Z")


def read_feed(file: io.BufferedReader, place: str, links: Links = "keep") -> Read:
    """Yield an article for each entry of an RSS or Atom feed, its text the one in the feed.

    An entry with a full text and a summary gives the longer. One without either is a Reject, and
    so is a feed in which no entry is found; the place is the file and the number of the entry.
    Where links are followed, an entry that holds no whole article is the Link to it.
    """
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        yield Reject(place, f"a feed longer than {ARTICLE_BYTES // 2**20} MB")
        return
    if len(_ENTRY.findall(content)) > _ENTRIES or content.count(b"<") > 2 * _ELEMENTS:
        yield Reject(
            place, f"a feed of more than {_ENTRIES:,} entries or {_ELEMENTS:,} elements: split it"
        )
        return
    try:
        feed, entries = _parsed(content)
    except Exception as error:  # which ones a damaged feed can raise, feedparser does not say
        yield Reject(place, f"a damaged feed: {type(error).__name__}: {str(error)[:80]}")
        return
    if not entries:
        yield Reject(place, "a feed without an entry")
    yield from _entries(_record, entries, feed, place, links)


def is_json_feed(start: bytes) -> bool:
    """Return whether JSON that begins with `start` is a JSON Feed."""
    return re.search(rb'"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org', start) is not None


def read_json_feed(file: io.BufferedReader, place: str, links: Links) -> Read:
    """Yield what each item of a JSON Feed holds, or the Link to it."""
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        yield Reject(place, f"a feed longer than {ARTICLE_BYTES // 2**20} MB")
        return
    try:
        feed = json.loads(content.decode("utf-8-sig"), strict=False)
        items = [item for item in feed["items"] if isinstance(item, dict)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        yield Reject(place, f"a damaged feed: {type(error).__name__}: {str(error)[:80]}")
        return
    if not items:
        yield Reject(place, "a feed without an entry")
    yield from _entries(_record_of_item, items, feed, place, links)


def _record_of_item(item: Mapping[str, Any], feed: Mapping[str, Any]) -> dict[str, Any]:
    held = [item.get(key) for key in ("content_text", "content_html", "summary")]
    texts = [_unmarked(text) for text in held if isinstance(text, str)]
    url = next((u for u in map(item.get, ("url", "external_url", "id")) if _is_address(u)), "")
    tags = item.get("tags")
    return {
        "title": _flat(_said(item, "title")),
        "text": max(texts, key=len, default=""),
        "url": url,
        "id": str(item.get("id") or ""),
        "publisher": clean_line(_said(feed, "title")),
        "authors": item.get("authors") or item.get("author") or feed.get("authors"),
        "published": item.get("date_published"),
        "updated": item.get("date_modified"),
        "section": tags[0] if isinstance(tags, list) and tags else "",
        "language": _said(item, "language") or _said(feed, "language"),
    }


def _entries(
    record_of: Callable[[Any, Mapping[str, Any]], dict[str, Any]],
    entries: list[Any],
    feed: Mapping[str, Any],
    place: str,
    links: Links,
) -> Read:
    """Yield what each entry holds; their days are read in the order that all of them show."""
    records: list[dict[str, Any] | Reject] = []
    for number, entry in enumerate(entries, 1):
        records += guard(f"{place}:{number}", lambda: [record_of(entry, feed)])  # noqa: B023
    known = [record for record in records if isinstance(record, dict)]
    order = FileOrder.seen(pair for record in known for pair in stated_dates(record))
    for number, record in enumerate(records, 1):
        at = f"{place}:{number}"
        if isinstance(record, Reject):
            yield record
        else:
            yield from guard(at, lambda: [_entry(record, at, links, order)])  # noqa: B023


def _modified(record: Mapping[str, Any], order: FileOrder) -> datetime | None:
    locale = str(record["language"] or "")
    country = country_of(host_of(record["url"]))
    said = record["updated"]
    return read_date(said, locale, country=country, order=order.for_locale(locale)).moment


def _entry(
    record: dict[str, Any], at: str, links: Links, order: FileOrder = UNSEEN
) -> Article | Reject | Link:
    text = record["text"]
    holds_text = any(char.isalnum() for char in text)
    url = clean_address(record["url"]) if links == "follow" else ""
    if url and not (len(text) >= WHOLE_FROM and not _CUT_OFF.search(text[-200:].rstrip())):
        # Of an entry without a text, all else is known: its title stands in for it meanwhile.
        record_of_link = {**record, "text": text if holds_text else url}
        known = article_from(record_of_link, place=at, order=order)
        modified = _modified(record, order)
        return Link(url, at, known if isinstance(known, Article) else None, modified)
    if holds_text:
        return article_from(record, place=at, order=order)
    named = record["url"] or record["title"] or "it"
    return Reject(at, f"the feed holds no text of {named[:200]}")


def _parsed(content: bytes) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    import feedparser  # 0.25 s: feeds only

    if _depth(content) > _DEEPEST:
        raise ValueError(f"elements within more than {_DEEPEST:,} others")
    # A stream, for bytes or a string may be taken for a path or an address. What is in an entry
    # goes through the readers' own cleaning; feedparser's doubles the time.
    found = feedparser.parse(io.BytesIO(content), sanitize_html=False, resolve_relative_uris=False)
    return found.feed, list(found.entries)


def _depth(content: bytes) -> int:
    """Return how deep elements are in one another, those without an end counted as if open."""
    depth = deepest = 0
    for tag in _TAG.finditer(_NO_TAGS.sub(b"", content)):
        depth += -1 if tag.group(1) else 0 if tag.group(2) else 1
        deepest = max(deepest, depth)
    return deepest


def _record(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> dict[str, Any]:
    url = _address(entry)
    dates = [_moment(entry, key) for key in ("published", "updated")]
    published = next((said for said in dates if read_date(said).moment), dates[0])
    tags = [tag.get("term") for tag in entry.get("tags") or () if tag.get("term")]
    return {
        "title": _flat(_said(entry, "title")),
        "text": _text(entry),
        "url": url,
        "id": _said(entry, "id"),
        "publisher": _publisher(entry, feed, url),
        "authors": [author.get("name") for author in entry.get("authors") or ()],
        "published": published,
        "updated": dates[1],
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
        if _is_address(address):
            return address
    return ""


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"(?i)\A\s*https?://[^/\s]", value) is not None


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


def _moment(entry: Mapping[str, Any], key: str) -> str | datetime | None:
    """Return when an entry was published as it says it, or as feedparser alone can read it."""
    said = _said(entry, key)
    parsed = dict.get(entry, f"{key}_parsed") if isinstance(entry, dict) else None
    if parsed and read_date(said).moment is None:
        try:
            return datetime.fromtimestamp(timegm(parsed), UTC)
        except (ValueError, OverflowError, OSError):
            return said
    return said


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
