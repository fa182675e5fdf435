"""Read HTML pages: the story, its metadata, and the headline, byline and date above it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

from ingest.cleaning import clean_line
from ingest.language import language_of
from ingest.readers import ReadNotice, Reject
from ingest.readers.bylines import parse_authors
from ingest.readers.date_order import country_of, region_of
from ingest.readers.fields import article_from
from ingest.readers.html.body import extract_text, load_page, without_heading
from ingest.readers.html.headline import VisibleHeadline, visible_headline
from ingest.readers.html.hidden_text import drop_hidden
from ingest.readers.html.metadata import page_address, page_metadata, without_other_articles
from ingest.readers.html.stylesheets import TooComplexError
from ingest.readers.publication_dates import DateRead, read_date
from ingest.wall_texts import is_wall_text
from rag.nlp.sentences import has_sentence
from rag.schema import Article
from rag.urls import file_location, host_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The longest live blogs have 100,000; the tree takes 200 bytes per element.
_ELEMENTS = 300_000
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_PARAGRAPHS_FROM = 120  # characters; less is a caption or a notice


def read_html(content: bytes, *, place: str, url: str = "") -> Article | Reject:
    """Return the article of a page, or a Reject with the reason.

    The headline is the visible one, if it is found. The date comes from JSON-LD, OpenGraph, other
    <meta> elements, the text above the story, or htmldate's guess. Authors come from the metadata,
    unless those only name the publisher, or fewer people than the byline.

    Args:
        content: The page.
        place: Its place.
        url: The URL it was fetched from, if any.
    """
    if content.count(b"<") > _ELEMENTS:
        return Reject(place, f"page with more than {_ELEMENTS:,} elements: too large for one story")
    tree = load_page(content)
    if tree is None:
        return Reject(place, "page without content")
    metadata = page_metadata(tree, url)
    address = page_address(tree, metadata, url)
    try:
        unseen = drop_hidden(tree)
    except TooComplexError as error:
        return Reject(place, f"page could not be read: {error}")
    body = without_heading(tree, extract_text(tree, address, unseen=unseen))
    publisher = _publisher(metadata, address)
    titles = [*metadata["titles"], _tab_title(tree)]
    language = _locale(tree, metadata, body)
    country = country_of(host_of(address))
    visible = visible_headline(
        tree,
        body,
        titles=list(filter(None, titles)),
        publisher=publisher,
        language=language,
        country=country,
    )
    published = _published(metadata, visible, tree, address, country=country, language=language)
    updated = read_date(metadata.get("updated"), language, country=country)
    unread = [ReadNotice(place, read.notice) for read in (published, updated) if read.notice]
    record = {
        **metadata,
        "url": address,
        "publisher": publisher,
        "title": visible.title or next(filter(None, titles), "") or _first_heading(tree),
        "authors": _authors(metadata, visible, publisher),
        "published": published.moment,
        "updated": updated.moment,
        "language": language,
    }
    if not _is_story(body, record):
        return Reject(place, "page without an article: no text that reads like a story")
    return article_from(
        {**record, "text": body},
        place=place,
        given=f"page:{file_location(place)}",
        notices=tuple(unread),
    )


def _authors(
    metadata: Mapping[str, Any], visible: VisibleHeadline, publisher: str
) -> tuple[str, ...]:
    """Return the authors in the metadata, or in the byline if that names more."""
    given = parse_authors(metadata.get("authors"), publisher)
    organizations = {*parse_authors(metadata.get("organizations"), publisher)}
    if not visible.authors:
        return given
    if (
        not given
        or {*given} <= organizations
        or {*map(_key, given)} < {*map(_key, visible.authors)}
    ):
        return visible.authors
    return given


def _key(name: str) -> str:
    return re.sub(r"\W", "", name.casefold())


def _locale(tree: HtmlElement, metadata: Mapping[str, Any], body: str) -> str:
    """Return the language of a page, with a region if either of its labels has one."""
    label, other = (
        str(value or "").strip() for value in (tree.get("lang"), metadata.get("language"))
    )
    same = label[:2].casefold() == other[:2].casefold()
    if label and same and not region_of(label) and region_of(other):
        return other
    return label or other or language_of(body)


def _published(
    metadata: Mapping[str, Any],
    visible: VisibleHeadline,
    tree: HtmlElement,
    url: str,
    *,
    country: str,
    language: str,
) -> DateRead:
    """Return the date in the metadata, else above the story, else htmldate's guess.

    A page states its date in several places: an unreadable one is only worth a notice if no other
    can be read.
    """
    given = read_date(metadata.get("published"), language, country=country)
    if given.moment:
        return given
    moment = visible.published or read_date(_guess(tree, url)).moment
    return DateRead(moment) if moment else given


def _guess(tree: HtmlElement, url: str) -> str | None:
    from htmldate import find_date

    # The extensive search takes any date on a page without one of its own.
    try:
        found: str | None = find_date(
            without_other_articles(tree),
            url=url or None,
            original_date=True,
            extensive_search=False,
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return found


def _is_story(body: str, record: Mapping[str, Any]) -> bool:
    """Return whether a page contains a story: enough sentences, or a form in its place."""
    is_declared = record.get("is_article") or record.get("published")
    if is_declared and is_wall_text(body):  # a paywall: the article is kept without its text
        return True
    prose = [
        line
        for line in body.split("\n")
        if _width(line) > 60 and (has_sentence(line) or "”" in line or '"' in line)
    ]
    size = sum(map(_width, prose))
    return bool(prose) and (
        size >= _PARAGRAPHS_FROM if is_declared else size >= 2 * _PARAGRAPHS_FROM
    )


def _width(line: str) -> int:
    """Return the length of a line; an East Asian character counts as two letters."""
    return len(line) + len(_EAST_ASIAN.findall(line))


def _tab_title(tree: HtmlElement) -> str:
    element = tree.find(".//head/title")
    element = tree.find(".//title") if element is None else element
    return clean_line(element.text_content()) if element is not None else ""


def _first_heading(tree: HtmlElement) -> str:
    return next(filter(None, (clean_line(h.text_content()) for h in tree.iter("h1"))), "")


def _publisher(metadata: Mapping[str, Any], url: str) -> str:
    named = metadata.get("publisher")
    name = clean_line(unescape(named)) if isinstance(named, str) else ""
    return name.removeprefix("©").strip() or host_of(url)
