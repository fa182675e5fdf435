"""Sitemaps and URL lists, which name pages but contain none."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers import Link, Links, Read, Reject
from ingest.readers.encoding import ARTICLE_BYTES
from ingest.readers.error_guard import guard
from ingest.readers.file_names import printable_name
from ingest.readers.publication_dates import parse_date
from rag.schema import Article
from rag.urls import host_of

_ADDRESSES = re.compile(r"\A(?:\s*+(?:https?://[^\s<>\"]++|#[^\n]*+)[ \t\r]*+(?:\n|\Z))++\s*")
_TAGS = 2_500_000  # 50 for each of the 50,000 URLs that a sitemap may have
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def is_list_of_addresses(start: bytes) -> bool:
    """Return whether a text is a list of URLs, one per line, with # for comments."""
    text = start.decode("utf-8-sig", "replace")
    text = text[: text.rfind("\n") + 1] or text  # drop the last line, which may be cut
    return "//" in text and _ADDRESSES.fullmatch(text) is not None


def read_links(file: io.BufferedReader, place: str, kind: str, links: Links) -> Read:
    """Yield a Link for each page of a sitemap or URL list; with "keep", a single reject.

    Args:
        file: The sitemap or list.
        place: Its place.
        kind: "sitemap" or "list".
        links: "keep" or "follow".
    """
    content = file.read(ARTICLE_BYTES * 4 + 1)  # the sitemap limit is 50 MB
    if kind == "sitemap" and content.count(b"<") > _TAGS:
        yield Reject(place, f"sitemap with more than {_TAGS:,} tags: split it")
        return
    if links == "keep":
        pattern = rb"(?i)<(?:[\w-]+:)?loc[\s>]" if kind == "sitemap" else rb"(?m)^[ \t]*https?://"
        count = len(re.findall(pattern, content))
        yield Reject(
            place,
            f"a {kind} with {count:,} URL{'' if count == 1 else 's'} and no text: "
            "ingest it without --summaries to fetch its pages",
        )
        return
    found = _sitemap_entries(content) if kind == "sitemap" else _list_entries(content)
    empty = True
    for number, named in enumerate(found, 1):
        empty = False
        at = f"{place}:{number}"
        yield from guard(at, partial(_link, named, at))
    if empty:
        yield Reject(place, f"a {kind} without URLs")


def _link(named: _Entry, at: str) -> list[Article | Link | Reject]:
    url = clean_address(named.url)
    if not url:
        return [Reject(at, f"invalid URL: {named.url[:200]!r}")]
    return [Link(url, at, _known_metadata(named, url), named.modified)]


def link_to(record: Mapping[str, Any], place: str) -> Link | None:
    """Return the Link of a record of GDELT's article lists, which never contain the text."""
    fields = {key: value for key, value in record.items() if isinstance(value, str)}
    url = clean_address(fields.get("url", "")) if "seendate" in fields else ""
    if not url:
        return None
    named = _Entry(
        url, title=clean_line(fields.get("title", "")), published=_date(fields["seendate"])
    )
    return Link(url, place, _known_metadata(named, url))


def clean_address(url: str) -> str:
    """Return a URL without trackers and fragment; "" if it is invalid."""
    from courlan import clean_url  # 0.17 s: links only

    url = (clean_url(url) or "").partition("#")[0]
    if printable_name(url) != url:  # lone surrogates aren't valid in a URL
        return ""
    return url if re.match(r"(?i)https?://[^/\s]", url) else ""


@dataclass(frozen=True, slots=True)
class _Entry:
    url: str
    modified: datetime | None = None
    title: str = ""
    publisher: str = ""
    language: str = ""
    published: datetime | None = None


def _list_entries(content: bytes) -> Iterator[_Entry]:
    for line in content.decode("utf-8-sig", "replace").splitlines():
        address = line.strip()
        if address and not address.startswith("#"):
            yield _Entry(address)


def _sitemap_entries(content: bytes) -> Iterator[_Entry]:
    """Yield the entries of a sitemap or a sitemap index."""
    from lxml import etree

    entries = etree.iterparse(
        io.BytesIO(content),
        events=("end",),
        recover=True,
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        for _, element in entries:
            if etree.QName(element).localname not in ("url", "sitemap"):
                continue
            # Direct children only: an image's URL has the same element name.
            fields = {
                etree.QName(part).localname: part.text for part in element.iterchildren("{*}*")
            }
            news = element.iterfind("{*}news//{*}*")
            fields |= {etree.QName(part).localname: part.text for part in news}
            element.clear()
            if fields.get("loc"):
                yield _to_entry({name: clean_line(text or "") for name, text in fields.items()})
    except etree.XMLSyntaxError:  # all that can be recovered has been read
        return


def _to_entry(fields: dict[str, str]) -> _Entry:
    modified = _date(fields.get("lastmod", ""))
    if modified and _DAY.match(fields["lastmod"]):
        modified += timedelta(days=1)  # the end of that day
    return _Entry(
        url=fields["loc"],
        modified=modified,
        title=fields.get("title", ""),
        publisher=fields.get("name", ""),
        language=fields.get("language", ""),
        published=_date(fields.get("publication_date", "")),
    )


def _known_metadata(named: _Entry, url: str) -> Article | None:
    if not (named.title or named.published):
        return None
    return Article(
        id=url,
        title=named.title,
        text="",
        publisher=named.publisher or host_of(url),
        url=url,
        published=named.published,
        language=named.language,
    )


def _date(text: str) -> datetime | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
