"""Metadata of a page: JSON-LD, OpenGraph, other <meta> elements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ingest.boilerplate_rules import normalize_line
from ingest.cleaning import clean_line
from rag.urls import may_claim_url, url_key

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_ARTICLE_TYPES = re.compile(
    r"(?i)\A(?:(?:news|blog|tech|satirical|analysis|background|opinion|report|review|advertiser|liveblog|"
    r"social|scholarly|askpublic)*(?:article|posting|newsarticle|blogposting)\Z|review\Z|report\Z)"
)
# <meta> names, best first, used if JSON-LD has no value.
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
_SAME_FROM = 15  # minimum characters of a headline that is the beginning of another
_DEEP = 6  # nesting depth in JSON-LD
_PARTS = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "hasPart")
_ORGANIZATIONS = re.compile(r"(?i)organi[sz]ation|corporation")


@dataclass(frozen=True, slots=True)
class _Identity:
    """URLs and headlines that identify a page's own article among others in its metadata."""

    keys: frozenset[str]
    headlines: tuple[str, ...]

    def has_address(self, *addresses: str) -> bool:
        """Return whether one of the addresses is the page's own."""
        return any(url_key(address) in self.keys for address in addresses if url_key(address))

    def has_headline(self, headline: str, *, whole: bool) -> bool:
        """Return whether a headline is the page's own.

        Unless `whole`, it also is if either of the two is shortened, or has the site's name added.
        """
        ours = normalize_line(clean_line(unescape(headline)))
        if whole or len(ours) < _SAME_FROM:
            return ours in self.headlines
        long = [theirs for theirs in self.headlines if len(theirs) >= _SAME_FROM]
        return any(theirs.startswith(ours) or ours.startswith(theirs) for theirs in long) or any(
            theirs.endswith(ours) for theirs in long
        )


def page_metadata(tree: HtmlElement, url: str = "") -> dict[str, Any]:
    """Return a page's metadata of its article: JSON-LD first, then OpenGraph and <meta>.

    The metadata may describe other stories as well; the page's own article is the one with the
    page's URL or headline.

    Args:
        tree: The page.
        url: The URL it was fetched from.

    Returns:
        Fields by name. `titles` has all headlines, best first, `urls` the URLs, and `organizations`
        the authors that JSON-LD declares to be organizations.
    """
    meta = _meta(tree)
    data = _json_ld(tree, _identity(tree, meta, url))
    metadata = {name: data.get(name) or meta.get(name) for name in {*data, *_META, "is_article"}}
    metadata["titles"] = [t for t in (data.get("title"), *meta.get("titles", ())) if t]
    metadata["urls"] = [u for u in (meta.get("url"), data.get("url")) if u]
    return metadata


def _identity(tree: HtmlElement, meta: Mapping[str, Any], url: str) -> _Identity:
    addresses = [*_canonical(tree), str(meta.get("url") or ""), url]
    shown = [element.text_content() for name in ("h1", "title") for element in tree.iter(name)]
    headlines = [
        normalize_line(clean_line(unescape(text))) for text in [*meta.get("titles", ()), *shown]
    ]
    keys = {url_key(_join_url(url, address)) for address in addresses}
    return _Identity(frozenset(keys - {""}), tuple(filter(None, headlines)))


def _canonical(tree: HtmlElement) -> list[str]:
    return [
        element.get("href", "").strip()
        for element in tree.iter("link")
        if "canonical" in (element.get("rel") or "").casefold().split()
    ]


def page_address(tree: HtmlElement, metadata: Mapping[str, Any], url: str) -> str:
    """Return the canonical URL: of the link, OpenGraph, JSON-LD, or the URL of the page.

    The canonical URL of a fetched page must be of its own site: see `may_claim_url`.

    Args:
        tree: The page.
        metadata: Its metadata, from `page_metadata`.
        url: The URL it was fetched from.
    """
    for candidate in (*_canonical(tree), *metadata["urls"], url):
        whole = _join_url(url, candidate)
        if re.match(r"(?i)https?://[^/]+/.", whole) and may_claim_url(url, whole):
            return whole
    return url


def _join_url(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


# ------------------------------------------------------------------------------------- JSON-LD


def without_other_articles(tree: HtmlElement) -> HtmlElement:
    """Return a page without the data of other stories, if it has data of several."""
    scopes = [scope for scope in tree.iter() if _is_article_scope(scope)]
    others = [scope for scope in scopes if next(scope.iter("h1"), None) is None]
    scripts = list(_scripts(tree))
    things = [
        thing for script in scripts for thing in json_ld_things(load_json_ld(script.text or ""))
    ]
    several = sum(map(_is_article, things)) > 1 or any(t.get("itemListElement") for t in things)
    left_out = [*(scripts if several else ()), *(others if len(scopes) > 1 else ())]
    if not left_out:
        return tree
    paths = [tree.getroottree().getpath(element) for element in left_out]
    copied = deepcopy(tree)
    found = [copied.getroottree().xpath(path) for path in paths]
    for element in (one for elements in found for one in elements):
        if element.getparent() is not None:
            element.drop_tree()
    return copied


def _scripts(tree: HtmlElement) -> Iterator[HtmlElement]:
    return (s for s in tree.iter("script") if "ld+json" in (s.get("type") or "").lower())


def _json_ld(tree: HtmlElement, page: _Identity) -> dict[str, Any]:
    """Return the schema.org data of the page's article; empty if there are several others."""
    things: list[Mapping[str, Any]] = []
    for script in _scripts(tree):
        things += json_ld_things(load_json_ld(script.text or ""))
    named = {
        thing["@id"]: thing
        for thing in things
        if isinstance(thing.get("@id"), str) and len(thing) > 1
    }
    articles = [thing for thing in things if _is_article(thing)]
    own = [thing for thing in articles if page.has_address(*_addresses(thing))]
    headed = [thing for thing in articles if thing not in own and _has_page_headline(thing, page)]
    if not own and not headed:
        headed = [thing for thing in articles if _has_page_headline(thing, page, whole=False)]
    if not own and not headed:
        listed = {id(member) for thing in things for member in _listed_by(thing)}
        others = [thing for thing in articles if id(thing) not in listed or not page.keys]
        headed = others if len(others) == 1 else []
    found: dict[str, Any] = {}
    for thing in [*own, *headed]:  # of two that describe it, the second fills the gaps of the first
        found = {**_from_schema(thing, named), **found}
    return found


def _is_article(thing: Mapping[str, Any]) -> bool:
    return any(isinstance(k, str) and _ARTICLE_TYPES.match(k) for k in _as_list(thing.get("@type")))


def _has_page_headline(thing: Mapping[str, Any], page: _Identity, *, whole: bool = True) -> bool:
    return page.has_headline(_name(thing.get("headline") or thing.get("name")), whole=whole)


def _addresses(thing: Mapping[str, Any]) -> list[str]:
    """Return the URLs that an article gives for itself."""
    values = [thing.get("url"), thing.get("@id"), *_as_list(thing.get("mainEntityOfPage"))]
    nested = [v.get(key) for v in values if isinstance(v, Mapping) for key in ("@id", "url")]
    return [address for address in [*values, *nested] if isinstance(address, str)]


def _listed_by(thing: Mapping[str, Any]) -> list[Any]:
    """Return the members of a list: stories that the page links to."""
    members = _as_list(thing.get("itemListElement"))
    items = [m.get("item") for m in members if isinstance(m, Mapping)]
    return [*members, *items]


def load_json_ld(text: str) -> Any:
    """Parse the text of a JSON-LD script; None if it is invalid."""
    text = re.sub(r"\A\s*(?:<!--|//<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\]\]>)\s*\Z", "", text).strip()
    try:
        return json.loads(text.rstrip(";"), strict=False)
    except (ValueError, RecursionError):
        return None


def json_ld_things(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the objects within a JSON-LD value, outer ones first."""
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for item in value:
            yield from json_ld_things(item, depth + 1)
    elif isinstance(value, Mapping):
        yield value
        for key in _PARTS:
            yield from json_ld_things(value.get(key), depth + 1)


def _from_schema(thing: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a schema.org article.

    `named` contains the things that others refer to by `@id`.
    """
    authors = [
        _resolve_reference(a, named) for a in _as_list(thing.get("author") or thing.get("creator"))
    ]
    publisher = next(iter(_as_list(thing.get("publisher"))), "")
    found = {
        "title": _name(thing.get("headline") or thing.get("name")),
        "authors": [name for author in authors if (name := _name(author))],
        "organizations": [_name(author) for author in authors if _is_organization(author)],
        "publisher": _name(_resolve_reference(publisher, named)),
        "published": thing.get("datePublished") or thing.get("dateCreated"),
        "updated": thing.get("dateModified"),
        "section": next(iter(_as_list(thing.get("articleSection"))), ""),
        "language": _name(thing.get("inLanguage")),
        "url": thing.get("url") if isinstance(thing.get("url"), str) else "",
        "is_article": True,
    }
    return {key: value for key, value in found.items() if value}


def _resolve_reference(value: Any, named: Mapping[str, Any]) -> Any:
    """Return the thing that a bare `{"@id": ...}` refers to."""
    if isinstance(value, Mapping) and not value.get("name"):
        return named.get(str(value.get("@id")), value)
    return value


def _is_organization(author: Any) -> bool:
    return isinstance(author, Mapping) and bool(_ORGANIZATIONS.search(str(author.get("@type"))))


def _as_list(value: Any) -> list[Any]:
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
    values: dict[str, list[str]] = {}
    scopes = [scope for scope in tree.iter() if _is_article_scope(scope)]
    for element in tree.iter("meta"):
        key = element.get("property") or element.get("name") or _own_item(element, scopes)
        value = clean_line(element.get("content") or "")
        if key and value:
            values.setdefault(key.casefold(), []).append(value)
    found: dict[str, Any] = {}
    for name, keys in _META.items():
        key = next((k for k in keys if k in values and not _is_link(name, values[k][0])), None)
        if key:
            found[name] = values[key] if name == "authors" else values[key][0]
    found["titles"] = [values[key][0] for key in _META["title"] if key in values]
    if "article" in values.get("og:type", [""])[0].casefold():
        found["is_article"] = True
    return found


def _own_item(element: HtmlElement, scopes: Sequence[HtmlElement]) -> str:
    """Return an element's microdata property, unless it belongs to a picture or another story."""
    named = str(element.get("itemprop") or "")
    scope = next((up for up in element.iterancestors() if up.get("itemscope") is not None), None)
    if scope is None:
        return named
    if not _is_article_scope(scope):
        kind = (scope.get("itemtype") or "").rstrip("/").rpartition("/")[2]
        return named if kind in ("", "WebPage", "CreativeWork") else ""
    # Of several stories, the page's own has the <h1>.
    is_own = len(scopes) == 1 or next(scope.iter("h1"), None) is not None
    return named if is_own else ""


def _is_article_scope(element: Any) -> bool:
    kind = (element.get("itemtype") or "").rstrip("/").rpartition("/")[2]
    return element.get("itemscope") is not None and bool(kind and _ARTICLE_TYPES.match(kind))


def _is_link(name: str, value: str) -> bool:
    """Return whether a value is a link, which Facebook wants in place of author and publisher."""
    return name in ("authors", "publisher") and bool(re.match(r"(?i)(?:https?:|www\.|@)", value))
