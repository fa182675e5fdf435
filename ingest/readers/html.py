"""Web pages: the story by trafilatura, what is said of it by the page's own metadata first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ingest.cleaning import clean_line
from ingest.litter import bare
from ingest.readers import Reject
from ingest.readers.dates import parse_date
from ingest.readers.fields import article_from
from ingest.readers.ids import host_of
from rag.schema import Article

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_ARTICLE_TYPES = re.compile(
    r"(?i)(?:news|blog|tech|satirical|analysis|background|opinion|report|review|advertiser|liveblog|"
    r"social|scholarly|askpublic)*(?:article|posting|newsarticle|blogposting)\Z|review\Z|report\Z"
)
# <meta> names, best first, that hold a value where JSON-LD holds none.
_META: dict[str, tuple[str, ...]] = {
    "title": (
        "og:title",
        "twitter:title",
        "dc.title",
        "dcterms.title",
        "parsely-title",
        "headline",
    ),
    "publisher": (
        *("og:site_name", "application-name", "dc.publisher", "dcterms.publisher", "publisher"),
        "article:publisher",
    ),
    "authors": (
        *("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author", "byl"),
        *("sailthru.author", "byline", "citation_author", "og:article:author", "twitter:creator"),
    ),
    "published": (
        *(
            "article:published_time",
            "og:published_time",
            "og:article:published_time",
            "datepublished",
        ),
        *(
            "parsely-pub-date",
            "pubdate",
            "publishdate",
            "publish-date",
            "publish_date",
            "pdate",
            "ptime",
        ),
        *(
            "sailthru.date",
            "dc.date.issued",
            "dcterms.created",
            "dc.date",
            "dcterms.date",
            "article.published",
        ),
        *("citation_publication_date", "date", "cxenseparse:recs:publishtime"),
    ),
    "updated": (
        *("article:modified_time", "og:updated_time", "og:modified_time", "dcterms.modified"),
        *("datemodified", "lastmod", "last-modified", "article.updated"),
    ),
    "section": ("article:section", "section", "parsely-section", "category", "og:article:section"),
    "language": ("og:locale", "content-language", "dc.language", "language"),
    "url": ("og:url", "parsely-link", "twitter:url"),
}
_PARAGRAPHS_FROM = 120  # characters: less is a caption or a notice and no story


def read_html(content: bytes, *, place: str, url: str = "") -> Article | Reject:
    """Return the article of a page, or why it holds none; `url` is where it was fetched from.

    JSON-LD is believed before OpenGraph, that before other <meta>, and those before what
    trafilatura and htmldate make of the page's looks.
    """
    tree = _tree(content)
    if tree is None:
        return Reject(place, "a page without content")
    data = _json_ld(tree)
    meta = _meta(tree)
    record = {name: data.get(name) or meta.get(name) for name in {*data, *_META}}
    record["url"] = _address(tree, meta, data, url)
    body = _without_heading(tree, _story(tree, record["url"]))
    for name in ("published", "updated"):
        record[name] = _date_or_none(record.get(name))
    if not all(record.get(name) for name in ("title", "authors", "publisher", "published")):
        for name, value in _guessed(tree, record["url"]).items():
            record[name] = record.get(name) or value
    record["title"] = record.get("title") or _looks_like_title(tree)
    record["language"] = tree.get("lang") or record.get("language")
    record["publisher"] = _publisher(record)
    if not _is_story(body, record):
        return Reject(place, "a page without an article: no text that reads like a story")
    return article_from({**record, "text": body}, place=place, given=f"page:{place}")


def _tree(content: bytes) -> HtmlElement | None:
    from trafilatura import load_html  # 0.5 s, with justext and htmldate

    tree = load_html(content)
    return tree if tree is not None and len(tree) else None


def _story(tree: HtmlElement, url: str | None) -> str:
    """Return trafilatura's text, its blocks as paragraphs; nothing where it finds none."""
    from copy import deepcopy

    from trafilatura import bare_extraction

    try:
        found = bare_extraction(
            deepcopy(tree), url=url or None, include_comments=False, include_tables=True
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ""  # a page that trafilatura cannot take apart holds nothing for us
    text = found.get("text") if isinstance(found, dict) else getattr(found, "text", "")
    return _paragraphs(text or "")


def _without_heading(tree: HtmlElement, body: str) -> str:
    """Return the story without the page's own <h1>, which need not be the metadata's headline."""
    first, _, rest = body.partition("\n")
    headings = {bare(clean_line(element.text_content())) for element in tree.iter("h1")}
    return rest.strip() if rest and bare(first) in headings else body


def _guessed(tree: HtmlElement, url: str | None) -> dict[str, Any]:
    """Return trafilatura's guesses by the page's looks (by htmldate for the date)."""
    from copy import deepcopy

    from trafilatura.metadata import extract_metadata

    # Not htmldate's extensive search: it takes any date on a page that says none of its own.
    dates = {"original_date": True, "extensive_search": False}
    try:
        found = extract_metadata(deepcopy(tree), default_url=url or None, date_config=dates)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {
        "title": found.title,
        "authors": found.author,
        "publisher": found.sitename,
        "published": found.date,
    }


def _paragraphs(text: str) -> str:
    """Put a blank line between trafilatura's blocks; the items of a list stay together."""
    lines = [line for line in text.split("\n") if line.strip()]
    joined = ""
    for index, line in enumerate(lines):
        item = line.startswith(("- ", "|")) and index and lines[index - 1].startswith(("- ", "|"))
        joined += ("\n" if item else "\n\n") + line
    return joined.strip()


def _is_story(body: str, record: Mapping[str, Any]) -> bool:
    """Whether a page's text is a story: sentences enough, or a page that says it is an article."""
    said = record.get("is_article") or record.get("published")
    prose = [
        line for line in body.split("\n") if len(line) > 60 and re.search(r"[.!?。؟…”\"]", line)
    ]
    size = sum(map(len, prose))
    return bool(prose) and (size >= _PARAGRAPHS_FROM if said else size >= 2 * _PARAGRAPHS_FROM)


# ---------------------------------------------------------------- what the page says of itself


def _json_ld(tree: HtmlElement) -> dict[str, Any]:
    """Return what schema.org data says of the article, the first that a page holds."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        for thing in _things(_loaded(script.text or "")):
            kinds = thing.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(kind, str) and _ARTICLE_TYPES.match(kind) for kind in kinds):
                return _from_schema(thing)
    return {}


def _loaded(text: str) -> Any:
    text = re.sub(r"\A\s*(?:<!--|//<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\]\]>)\s*\Z", "", text).strip()
    try:
        return json.loads(text.rstrip(";"), strict=False)
    except (ValueError, RecursionError):
        return None


def _things(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > 6:
        return
    if isinstance(value, list):
        for item in value:
            yield from _things(item, depth + 1)
    elif isinstance(value, Mapping):
        yield value
        for key in (
            "@graph",
            "mainEntity",
            "mainEntityOfPage",
            "itemListElement",
            "item",
            "hasPart",
        ):
            yield from _things(value.get(key), depth + 1)


def _from_schema(thing: Mapping[str, Any]) -> dict[str, Any]:
    named = {
        "title": thing.get("headline") or thing.get("name"),
        "authors": [_name(a) for a in _listed(thing.get("author") or thing.get("creator"))],
        "publisher": _name(next(iter(_listed(thing.get("publisher"))), "")),
        "published": thing.get("datePublished") or thing.get("dateCreated"),
        "updated": thing.get("dateModified"),
        "section": next(iter(_listed(thing.get("articleSection"))), ""),
        "language": _name(thing.get("inLanguage")),
        "url": thing.get("url") if isinstance(thing.get("url"), str) else "",
        "is_article": True,
    }
    return {key: value for key, value in named.items() if value and value != [""]}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("@value") or ""
    if isinstance(value, list):
        value = value[0] if value else ""
    name = clean_line(value) if isinstance(value, str) else ""
    return "" if re.match(r"(?i)https?:", name) else name


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
    if "article" in held.get("og:type", [""])[0].casefold():
        found["is_article"] = True
    return found


def _is_link(name: str, value: str) -> bool:
    """Facebook wants the author's and the publisher's pages there, not their names."""
    return name in ("authors", "publisher") and bool(re.match(r"(?i)(?:https?:|www\.|@)", value))


def _address(tree: HtmlElement, meta: Mapping[str, Any], data: Mapping[str, Any], url: str) -> str:
    """Return the canonical address: the link's, OpenGraph's, JSON-LD's, or where the page was."""
    links = [
        element.get("href", "").strip()
        for element in tree.iter("link")
        if "canonical" in (element.get("rel") or "").casefold().split()
    ]
    for candidate in (*links, meta.get("url") or "", data.get("url") or "", url):
        whole = _joined(url, candidate)
        if re.match(r"(?i)https?://[^/]+/.", whole):
            return whole
    return url


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def _looks_like_title(tree: HtmlElement) -> str:
    for path in (".//h1", ".//head/title", ".//title"):
        element = tree.find(path)
        if element is not None:
            title = clean_line(element.text_content())
            if title:
                return title
    return ""


def _publisher(record: Mapping[str, Any]) -> str:
    said = record.get("publisher")
    name = clean_line(said) if isinstance(said, str) else ""
    return name.removeprefix("©").strip() or host_of(record.get("url") or "")


def _date_or_none(value: Any) -> Any:
    """A page says its date in several places: one that cannot be read is passed over, not fatal."""
    try:
        return parse_date(value)
    except ValueError:
        return None
