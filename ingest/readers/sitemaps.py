"""What names pages and holds none: sitemaps and lists of addresses."""

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
_TAGS = 2_500_000  # of 50,000 addresses, the most that a sitemap may have, 50 each
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def is_list_of_addresses(start: bytes) -> bool:
    """Return whether a text is a list of web addresses, one a line, # before a remark."""
    text = start.decode("utf-8-sig", "replace")
    text = text[: text.rfind("\n") + 1] or text  # the last line may be cut
    return "//" in text and _ADDRESSES.fullmatch(text) is not None


def read_links(file: io.BufferedReader, place: str, kind: str, links: Links) -> Read:
    """Yield a Link for each page that a sitemap or a list names; kept from it, one Reject."""
    content = file.read(ARTICLE_BYTES * 4 + 1)  # 50 MB is the longest that a sitemap may be
    if kind == "sitemap" and content.count(b"<") > _TAGS:
        yield Reject(place, f"a sitemap of more than {_TAGS:,} tags: split it")
        return
    if links == "keep":
        pattern = rb"(?i)<(?:[\w-]+:)?loc[\s>]" if kind == "sitemap" else rb"(?m)^[ \t]*https?://"
        count = len(re.findall(pattern, content))
        yield Reject(
            place,
            f"a {kind} with {count:,} address{'' if count == 1 else 'es'} and no text: "
            "put it in without --summaries, and its pages are fetched",
        )
        return
    found = _of_sitemap(content) if kind == "sitemap" else _of_list(content)
    empty = True
    for number, named in enumerate(found, 1):
        empty = False
        at = f"{place}:{number}"
        yield from guard(at, partial(_link, named, at))
    if empty:
        yield Reject(place, f"a {kind} without an address")


def _link(named: _Named, at: str) -> list[Article | Link | Reject]:
    url = clean_address(named.url)
    if not url:
        return [Reject(at, f"no web address: {named.url[:200]!r}")]
    return [Link(url, at, _known(named, url), named.modified)]


def link_to(record: Mapping[str, Any], place: str) -> Link | None:
    """Return the Link to the page that a line of GDELT's lists is about: it never has its text."""
    said = {key: value for key, value in record.items() if isinstance(value, str)}
    url = clean_address(said.get("url", "")) if "seendate" in said else ""
    if not url:
        return None
    named = _Named(url, title=clean_line(said.get("title", "")), published=_date(said["seendate"]))
    return Link(url, place, _known(named, url))


def clean_address(url: str) -> str:
    """Return an address as it can be asked for, without trackers; nothing where it is none."""
    from courlan import clean_url  # 0.17 s: links only

    url = (clean_url(url) or "").partition("#")[0]
    if printable_name(url) != url:  # lone surrogates: no server has such an address
        return ""
    return url if re.match(r"(?i)https?://[^/\s]", url) else ""


@dataclass(frozen=True, slots=True)
class _Named:
    url: str
    modified: datetime | None = None
    title: str = ""
    publisher: str = ""
    language: str = ""
    published: datetime | None = None


def _of_list(content: bytes) -> Iterator[_Named]:
    for line in content.decode("utf-8-sig", "replace").splitlines():
        address = line.strip()
        if address and not address.startswith("#"):
            yield _Named(address)


def _of_sitemap(content: bytes) -> Iterator[_Named]:
    """Yield what a sitemap, or an index of sitemaps, says of each address."""
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
            # Its own address alone: a picture's within it is called the same.
            said = {etree.QName(part).localname: part.text for part in element.iterchildren("{*}*")}
            news = element.iterfind("{*}news//{*}*")
            said |= {etree.QName(part).localname: part.text for part in news}
            element.clear()
            if said.get("loc"):
                yield _named({name: clean_line(text or "") for name, text in said.items()})
    except etree.XMLSyntaxError:  # what can be recovered has been
        return


def _named(said: dict[str, str]) -> _Named:
    modified = _date(said.get("lastmod", ""))
    if modified and _DAY.match(said["lastmod"]):
        modified += timedelta(days=1)  # some time on that day: its end
    return _Named(
        url=said["loc"],
        modified=modified,
        title=said.get("title", ""),
        publisher=said.get("name", ""),
        language=said.get("language", ""),
        published=_date(said.get("publication_date", "")),
    )


def _known(named: _Named, url: str) -> Article | None:
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
