"""Web pages: the story, and what is said of it by the page's metadata and over the story."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Any

from ingest.cleaning import clean_line
from ingest.language import language_of
from ingest.readers import Reject
from ingest.readers.bylines import names
from ingest.readers.dates import parse_date
from ingest.readers.fields import article_from
from ingest.readers.hidden import drop_hidden
from ingest.readers.ids import host_of, place_of
from ingest.readers.metadata import address_of, said_of_itself
from ingest.readers.story import load_page, story_of, without_heading
from ingest.readers.storyhead import StoryHead, story_head
from ingest.readers.stylesheets import TooComplexError
from rag.schema import Article

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The longest live blogs have 100,000; a tree takes 200 bytes for each, and its readers more.
_ELEMENTS = 300_000
_PARAGRAPHS_FROM = 120  # characters: less is a caption or a notice and no story


def read_html(content: bytes, *, place: str, url: str = "") -> Article | Reject:
    """Return the article of a page, or why it holds none; `url` is where it was fetched from.

    The headline is the one that readers see, if it can be told; the date JSON-LD's, OpenGraph's,
    other <meta>'s, that over the story, or htmldate's guess; the authors the metadata's, unless
    those name the house alone, or fewer than the byline does.
    """
    if content.count(b"<") > _ELEMENTS:
        return Reject(place, f"a page of more than {_ELEMENTS:,} elements: no story is that long")
    tree = load_page(content)
    if tree is None:
        return Reject(place, "a page without content")
    said = said_of_itself(tree)
    address = address_of(tree, said, url)
    try:
        unseen = drop_hidden(tree)
    except TooComplexError as error:
        return Reject(place, f"a page that can't be read: {error}")
    body = without_heading(tree, story_of(tree, address, unseen=unseen))
    publisher = _publisher(said, address)
    titles = [*said["titles"], _tab_title(tree)]
    language = tree.get("lang") or said.get("language") or language_of(body)
    head = story_head(
        tree, body, titles=list(filter(None, titles)), publisher=publisher, language=language
    )
    record = {
        **said,
        "url": address,
        "publisher": publisher,
        "title": head.title or next(filter(None, titles), "") or _first_heading(tree),
        "authors": _authors(said, head, publisher),
        "published": _published(said, head, tree, address),
        "updated": _date_or_none(said.get("updated")),
        "language": language,
    }
    if not _is_story(body, record):
        return Reject(place, "a page without an article: no text that reads like a story")
    return article_from({**record, "text": body}, place=place, given=f"page:{place_of(place)}")


def _authors(said: Mapping[str, Any], head: StoryHead, publisher: str) -> tuple[str, ...]:
    """Return whom the metadata name, or the byline where that is the fuller of the two."""
    given = names(said.get("authors"), publisher)
    houses = {*names(said.get("houses"), publisher)}
    if not head.authors:
        return given
    if not given or {*given} <= houses or {*map(_key, given)} < {*map(_key, head.authors)}:
        return head.authors
    return given


def _key(name: str) -> str:
    return re.sub(r"\W", "", name.casefold())


def _published(
    said: Mapping[str, Any], head: StoryHead, tree: HtmlElement, url: str
) -> datetime | None:
    return (
        _date_or_none(said.get("published")) or head.published or _date_or_none(_guess(tree, url))
    )


def _guess(tree: HtmlElement, url: str) -> str | None:
    from htmldate import find_date

    # Not its extensive search: it takes any date on a page that says none of its own.
    try:
        found: str | None = find_date(
            tree, url=url or None, original_date=True, extensive_search=False
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return found


def _is_story(body: str, record: Mapping[str, Any]) -> bool:
    """Whether a page's text is a story: sentences enough, or a page that says it is an article."""
    said = record.get("is_article") or record.get("published")
    prose = [
        line for line in body.split("\n") if len(line) > 60 and re.search(r"[.!?。؟…”\"]", line)
    ]
    size = sum(map(len, prose))
    return bool(prose) and (size >= _PARAGRAPHS_FROM if said else size >= 2 * _PARAGRAPHS_FROM)


def _tab_title(tree: HtmlElement) -> str:
    element = tree.find(".//head/title")
    element = tree.find(".//title") if element is None else element
    return clean_line(element.text_content()) if element is not None else ""


def _first_heading(tree: HtmlElement) -> str:
    return next(filter(None, (clean_line(h.text_content()) for h in tree.iter("h1"))), "")


def _publisher(said: Mapping[str, Any], url: str) -> str:
    named = said.get("publisher")
    name = clean_line(unescape(named)) if isinstance(named, str) else ""
    return name.removeprefix("©").strip() or host_of(url)


def _date_or_none(value: Any) -> Any:
    """A page says its date in several places: one that cannot be read is passed over, not fatal."""
    try:
        return parse_date(value)
    except ValueError:
        return None
