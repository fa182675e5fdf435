"""What a page says of itself where no reader sees it: JSON-LD, OpenGraph, other <meta>."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ingest.cleaning import clean_line
from ingest.readers.sites import may_name

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_ARTICLE_TYPES = re.compile(
    r"(?i)(?:news|blog|tech|satirical|analysis|background|opinion|report|review|advertiser|liveblog|"
    r"social|scholarly|askpublic)*(?:article|posting|newsarticle|blogposting)\Z|review\Z|report\Z"
)
# <meta> names, best first, that hold a value where JSON-LD holds none.
_META: dict[str, tuple[str, ...]] = {
    name: tuple(keys.split())
    for name, keys in {
        "title": "og:title twitter:title dc.title dcterms.title parsely-title headline",
        "publisher": "og:site_name application-name dc.publisher dcterms.publisher publisher "
        "article:publisher",
        "authors": "author article:author dc.creator dcterms.creator parsely-author byl "
        "sailthru.author byline citation_author og:article:author twitter:creator",
        "published": "article:published_time og:published_time og:article:published_time "
        "datepublished parsely-pub-date pubdate publishdate publish-date publish_date pdate ptime "
        "sailthru.date dc.date.issued dcterms.created dc.date dcterms.date article.published "
        "citation_publication_date date cxenseparse:recs:publishtime",
        "updated": "article:modified_time og:updated_time og:modified_time dcterms.modified "
        "datemodified lastmod last-modified article.updated",
        "section": "article:section section parsely-section category og:article:section",
        "language": "og:locale content-language dc.language language",
        "url": "og:url parsely-link twitter:url",
    }.items()
}
_DEEP = 6  # things within things in JSON-LD
_PARTS = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "hasPart")
_HOUSES = re.compile(r"(?i)organi[sz]ation|corporation")


def said_of_itself(tree: HtmlElement) -> dict[str, Any]:
    """Return what a page's metadata say of its article: JSON-LD first, then OpenGraph and <meta>.

    `titles` are all the headlines that are given, best first; `houses` the authors that JSON-LD
    calls organisations.
    """
    data, meta = _json_ld(tree), _meta(tree)
    said = {name: data.get(name) or meta.get(name) for name in {*data, *_META, "is_article"}}
    said["titles"] = [t for t in (data.get("title"), *meta.get("titles", ())) if t]
    said["urls"] = [u for u in (meta.get("url"), data.get("url")) if u]
    return said


def address_of(tree: HtmlElement, said: Mapping[str, Any], url: str) -> str:
    """Return the canonical address: the link's, OpenGraph's, JSON-LD's, or where the page was.

    Of a page that was fetched it is one of its own site: see `may_name`.
    """
    links = [
        element.get("href", "").strip()
        for element in tree.iter("link")
        if "canonical" in (element.get("rel") or "").casefold().split()
    ]
    for candidate in (*links, *said["urls"], url):
        whole = _joined(url, candidate)
        if re.match(r"(?i)https?://[^/]+/.", whole) and may_name(url, whole):
            return whole
    return url


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


# ------------------------------------------------------------------------------------- JSON-LD


def _json_ld(tree: HtmlElement) -> dict[str, Any]:
    """Return what schema.org data says of the article, the first that a page holds."""
    things: list[Mapping[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower():
            things += _things(_loaded(script.text or ""))
    named = {
        thing["@id"]: thing
        for thing in things
        if isinstance(thing.get("@id"), str) and len(thing) > 1
    }
    for thing in things:
        kinds = thing.get("@type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if any(isinstance(kind, str) and _ARTICLE_TYPES.match(kind) for kind in kinds):
            return _from_schema(thing, named)
    return {}


def _loaded(text: str) -> Any:
    text = re.sub(r"\A\s*(?:<!--|//<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\]\]>)\s*\Z", "", text).strip()
    try:
        return json.loads(text.rstrip(";"), strict=False)
    except (ValueError, RecursionError):
        return None


def _things(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for item in value:
            yield from _things(item, depth + 1)
    elif isinstance(value, Mapping):
        yield value
        for key in _PARTS:
            yield from _things(value.get(key), depth + 1)


def _from_schema(thing: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an article; `named` are the things that others refer to by `@id`."""
    authors = [_whole(a, named) for a in _listed(thing.get("author") or thing.get("creator"))]
    publisher = next(iter(_listed(thing.get("publisher"))), "")
    found = {
        "title": _name(thing.get("headline") or thing.get("name")),
        "authors": [name for author in authors if (name := _name(author))],
        "houses": [_name(author) for author in authors if _is_house(author)],
        "publisher": _name(_whole(publisher, named)),
        "published": thing.get("datePublished") or thing.get("dateCreated"),
        "updated": thing.get("dateModified"),
        "section": next(iter(_listed(thing.get("articleSection"))), ""),
        "language": _name(thing.get("inLanguage")),
        "url": thing.get("url") if isinstance(thing.get("url"), str) else "",
        "is_article": True,
    }
    return {key: value for key, value in found.items() if value}


def _whole(value: Any, named: Mapping[str, Any]) -> Any:
    """Return the thing that a bare `{"@id": ...}` refers to."""
    if isinstance(value, Mapping) and not value.get("name"):
        return named.get(str(value.get("@id")), value)
    return value


def _is_house(author: Any) -> bool:
    return isinstance(author, Mapping) and bool(_HOUSES.search(str(author.get("@type"))))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("@value") or ""
    if isinstance(value, list):
        value = value[0] if value else ""
    name = clean_line(value) if isinstance(value, str) else ""
    return "" if re.match(r"(?i)https?:", name) else name


# -------------------------------------------------------------------------------------- <meta>


def _meta(tree: HtmlElement) -> dict[str, Any]:
    held: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        key = element.get("property") or element.get("name") or element.get("itemprop")
        value = clean_line(element.get("content") or "")
        if key and value:
            held.setdefault(key.casefold(), []).append(value)
    found: dict[str, Any] = {}
    for name, keys in _META.items():
        key = next((k for k in keys if k in held and not _is_link(name, held[k][0])), None)
        if key:
            found[name] = held[key] if name == "authors" else held[key][0]
    found["titles"] = [held[key][0] for key in _META["title"] if key in held]
    if "article" in held.get("og:type", [""])[0].casefold():
        found["is_article"] = True
    return found


def _is_link(name: str, value: str) -> bool:
    """Facebook wants the author's and the publisher's pages there, not their names."""
    return name in ("authors", "publisher") and bool(re.match(r"(?i)(?:https?:|www\.|@)", value))
