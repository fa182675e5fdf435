"""RSS, Atom and JSON Feed: the texts in the feed, or links to the whole articles."""

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
from ingest.readers.date_order import UNKNOWN_ORDER, FileOrder, country_of
from ingest.readers.encoding import ARTICLE_BYTES
from ingest.readers.error_guard import guard
from ingest.readers.fields import article_from, stated_dates
from ingest.readers.html.fragments import text_of_fragment
from ingest.readers.publication_dates import read_date
from ingest.readers.sitemaps import clean_address
from rag.schema import Article
from rag.urls import host_of

# Atomic groups: without them many comments in a row take exponential time.
_ROOT_ELEMENT = re.compile(
    rb"(?is)\A(?>\s*<(?:\?.*?\?>|!--.*?-->|!doctype[^>]*>))*+\s*"
    rb"<(?:[\w-]+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]"
)
_FEED_ROOTS = ("rss", "feed", "rdf")
_TITLE_SEPARATOR = re.compile(r"(?<!\s)\s++(?:[|–—:·-]\s++|»\s*+)|:\s++|»\s*+")


def link_list_format(start: bytes) -> str:
    """Return "feed" or "sitemap" for XML that begins with `start`; "" for any other."""
    match = _ROOT_ELEMENT.match(start)
    if not match:
        return ""
    return "feed" if match.group(1).decode().casefold() in _FEED_ROOTS else "sitemap"


# Minimum characters of an entry's text to count as the whole article. measured: docs/benchmarks.md
WHOLE_ARTICLE_FROM = 1200
_DEEPEST = 2_000  # levels; feedparser takes quadratic time, minutes for 20,000
# feedparser needs 2 kB per element and 10 kB per entry. measured: docs/benchmarks.md
_ENTRIES, _ELEMENTS = 20_000, 200_000
_ENTRY = re.compile(rb"<(?:[\w-]+:)?(?:item|entry)[\s>/]")
_TAG = re.compile(rb"<(/?)[A-Za-z][^<>]*?(/?)>")
_NO_TAGS = re.compile(rb"(?s)<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)")
_TRUNCATED = re.compile(r"(?i)(?:…|\.\.\.|\[…\]|\bread more|continue reading)\W{0,200}\Z")


def read_feed(file: io.BufferedReader, place: str, links: Links = "keep") -> Read:
    """Yield an article, or with followed links a Link, for each entry of an RSS or Atom feed.

    The longer of full text and summary is used. An entry without either is a reject, as is a feed
    without entries. With "follow", an entry without a whole article becomes a Link.

    Args:
        file: The feed.
        place: Its place; entries are numbered `place:1`, `place:2`, ...
        links: "keep" or "follow".
    """
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        yield Reject(place, f"feed larger than {ARTICLE_BYTES // 2**20} MB")
        return
    if len(_ENTRY.findall(content)) > _ENTRIES or content.count(b"<") > 2 * _ELEMENTS:
        yield Reject(
            place, f"feed with more than {_ENTRIES:,} entries or {_ELEMENTS:,} elements: split it"
        )
        return
    try:
        feed, entries = _parse(content)
    except Exception as error:  # feedparser doesn't document what a damaged feed raises
        yield Reject(place, f"damaged feed: {type(error).__name__}: {str(error)[:80]}")
        return
    if not entries:
        yield Reject(place, "feed without entries")
    yield from _entries(_record, entries, feed, place, links)


def is_json_feed(start: bytes) -> bool:
    """Return whether JSON that begins with `start` is a JSON Feed."""
    return re.search(rb'"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org', start) is not None


def read_json_feed(file: io.BufferedReader, place: str, links: Links) -> Read:
    """Yield the article, or the Link, of each item of a JSON Feed; see `read_feed`."""
    content = file.read(ARTICLE_BYTES + 1)
    if len(content) > ARTICLE_BYTES:
        yield Reject(place, f"feed larger than {ARTICLE_BYTES // 2**20} MB")
        return
    try:
        feed = json.loads(content.decode("utf-8-sig"), strict=False)
        items = [item for item in feed["items"] if isinstance(item, dict)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        yield Reject(place, f"damaged feed: {type(error).__name__}: {str(error)[:80]}")
        return
    if not items:
        yield Reject(place, "feed without entries")
    yield from _entries(_record_of_item, items, feed, place, links)


def _record_of_item(item: Mapping[str, Any], feed: Mapping[str, Any]) -> dict[str, Any]:
    fields = [item.get(key) for key in ("content_text", "content_html", "summary")]
    texts = [_strip_markup(text) for text in fields if isinstance(text, str)]
    url = next((u for u in map(item.get, ("url", "external_url", "id")) if _is_address(u)), "")
    tags = item.get("tags")
    return {
        "title": _plain_title(_get_text(item, "title")),
        "text": max(texts, key=len, default=""),
        "url": url,
        "id": str(item.get("id") or ""),
        "publisher": clean_line(_get_text(feed, "title")),
        "authors": item.get("authors") or item.get("author") or feed.get("authors"),
        "published": item.get("date_published"),
        "updated": item.get("date_modified"),
        "section": tags[0] if isinstance(tags, list) and tags else "",
        "language": _get_text(item, "language") or _get_text(feed, "language"),
    }


def _entries(
    record_of: Callable[[Any, Mapping[str, Any]], dict[str, Any]],
    entries: list[Any],
    feed: Mapping[str, Any],
    place: str,
    links: Links,
) -> Read:
    """Yield what each entry contains, with dates in the order that all entries show."""
    records: list[dict[str, Any] | Reject] = []
    for number, entry in enumerate(entries, 1):
        records += guard(f"{place}:{number}", lambda: [record_of(entry, feed)])  # noqa: B023
    known = [record for record in records if isinstance(record, dict)]
    order = FileOrder.from_dates(pair for record in known for pair in stated_dates(record))
    for number, record in enumerate(records, 1):
        at = f"{place}:{number}"
        if isinstance(record, Reject):
            yield record
        else:
            yield from guard(at, lambda: [_entry(record, at, links, order)])  # noqa: B023


def _modified_date(record: Mapping[str, Any], order: FileOrder) -> datetime | None:
    locale = str(record["language"] or "")
    country = country_of(host_of(record["url"]))
    return read_date(
        record["updated"], locale, country=country, order=order.for_locale(locale)
    ).moment


def _entry(
    record: dict[str, Any], at: str, links: Links, order: FileOrder = UNKNOWN_ORDER
) -> Article | Reject | Link:
    text = record["text"]
    holds_text = any(char.isalnum() for char in text)
    url = clean_address(record["url"]) if links == "follow" else ""
    if url and not (
        len(text) >= WHOLE_ARTICLE_FROM and not _TRUNCATED.search(text[-200:].rstrip())
    ):
        # An entry without text still has metadata; the URL stands in for the text.
        record_of_link = {**record, "text": text if holds_text else url}
        known = article_from(record_of_link, place=at, order=order)
        modified = _modified_date(record, order)
        return Link(url, at, known if isinstance(known, Article) else None, modified)
    if holds_text:
        return article_from(record, place=at, order=order)
    named = record["url"] or record["title"] or "it"
    return Reject(at, f"the feed has no text for {named[:200]}")


def _parse(content: bytes) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    import feedparser  # 0.25 s: feeds only

    if _depth(content) > _DEEPEST:
        raise ValueError(f"elements nested more than {_DEEPEST:,} deep")
    # A stream, because feedparser may take a string for a path or URL. Its sanitizing doubles the
    # time, and our own cleaning follows.
    found = feedparser.parse(io.BytesIO(content), sanitize_html=False, resolve_relative_uris=False)
    return found.feed, list(found.entries)


def _depth(content: bytes) -> int:
    """Return the nesting depth of elements; unclosed ones count as open."""
    depth = deepest = 0
    for tag in _TAG.finditer(_NO_TAGS.sub(b"", content)):
        depth += -1 if tag.group(1) else 0 if tag.group(2) else 1
        deepest = max(deepest, depth)
    return deepest


def _record(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> dict[str, Any]:
    url = _address(entry)
    dates = [_date_of(entry, key) for key in ("published", "updated")]
    published = next((written for written in dates if read_date(written).moment), dates[0])
    tags = [tag.get("term") for tag in entry.get("tags") or () if tag.get("term")]
    return {
        "title": _plain_title(_get_text(entry, "title")),
        "text": _text(entry),
        "url": url,
        "id": _get_text(entry, "id"),
        "publisher": _publisher(entry, feed, url),
        "authors": [author.get("name") for author in entry.get("authors") or ()],
        "published": published,
        "updated": dates[1],
        "section": tags[0] if tags else "",
        "language": _get_text(entry, "language") or _get_text(feed, "language"),
    }


def _get_text(value: Mapping[str, Any], key: str) -> str:
    # dict's own `get`: feedparser's returns the publication date for a missing update, and warns.
    text = dict.get(value, key) if isinstance(value, dict) else None
    return text if isinstance(text, str) else ""


def _address(entry: Mapping[str, Any]) -> str:
    for key in ("feedburner_origlink", "link", "id"):
        address = _get_text(entry, key).strip()
        if _is_address(address):
            return address
    return ""


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"(?i)\A\s*https?://[^/\s]", value) is not None


def _text(entry: Mapping[str, Any]) -> str:
    """Return the longest text of an entry: its content or its summary."""
    contents = [part.get("value") or "" for part in entry.get("content") or ()]
    texts = [_strip_markup(text) for text in [*contents, _get_text(entry, "summary")]]
    return max(texts, key=len)


def _strip_markup(text: str) -> str:
    if "<" not in text and "&" not in text:
        return text
    return text_of_fragment(text)


def _plain_title(title: str) -> str:
    return clean_line(_strip_markup(title) if re.search(r"</?[a-zA-Z]", title) else title)


def _date_of(entry: Mapping[str, Any], key: str) -> str | datetime | None:
    """Return a date as written or, if only feedparser understands it, parsed by feedparser."""
    written = _get_text(entry, key)
    parsed = dict.get(entry, f"{key}_parsed") if isinstance(entry, dict) else None
    if parsed and read_date(written).moment is None:
        try:
            return datetime.fromtimestamp(timegm(parsed), UTC)
        except (ValueError, OverflowError, OSError):
            return written
    return written


def _publisher(entry: Mapping[str, Any], feed: Mapping[str, Any], url: str) -> str:
    """Return the publisher: the entry's source, the feed's publisher, or part of its title.

    For "World news | The Guardian" at theguardian.com it is "The Guardian", the part that the host
    contains.
    """
    source = entry.get("source")
    name = _get_text(source, "title") if isinstance(source, Mapping) else ""
    name = clean_line(name or _get_text(entry, "publisher") or _get_text(feed, "publisher"))
    if name:
        return name
    title = _plain_title(_get_text(feed, "title"))
    parts = [part.strip() for part in _TITLE_SEPARATOR.split(title) if part.strip()]
    host = re.sub(r"\W", "", host_of(url or _get_text(feed, "link")))
    for part in parts:
        if len(part) > 2 and re.sub(r"\W", "", part.casefold()) in host:
            return part
    return parts[0] if parts else ""
