"""Headline, byline and date above the story, where readers see them.

The headline is the heading before the first paragraph; author and date stand between the two or
right above. This holds on pages of any publisher, whatever their markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Any

from ingest.boilerplate_rules import normalize_line
from ingest.cleaning import clean_line
from ingest.readers.bylines import is_person, parse_authors, parse_byline
from ingest.readers.html.visible_date import DATES, LINE_UP_TO, visible_date
from ingest.readers.html.visible_lines import HEADLINE, VisibleLine, visible_lines

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_AUTHOR_CLASS = re.compile(
    r"(?i)(?:^|[\s_-])(?:by-?line|authors?|contributors?|written-?by|writer)(?:[\s_-]|$)|author-?name|byline"
)
_ABOVE = 12  # blocks before the headline that may contain date and author
_DATE_ABOVE = 5  # blocks before it for a date; further up is today's date
_BELOW = 8  # blocks of the story, for a byline after the standfirst
_WITHOUT_HEADLINE = 14  # blocks before the story of a page whose headline isn't found
_FIND_BY = 60  # characters of a paragraph used to find it
_WORDS_OF_A_HEADLINE = 3

_NAME = (
    r"(?:[A-ZÀ-ÞА-ЯЁІЇЄҐ][\w.'’-]*|(?:de|da|do|dos|del|der|den|van|von|bin|al|la|le|di|el)\b)"
    r"(?:\s+(?:[A-ZÀ-ÞА-ЯЁІЇЄҐ][\w.'’-]*|de|da|do|dos|del|der|den|van|von|bin|al|la|le|di|el)){0,4}"
)
_BY_LINE = re.compile(
    r"(?i:(?:\b(?:written|reported|story|text|posted|published|analysis|opinion|words|publicado)\s+)?"
    r"\b(?:by|von|par|por|oleh)\b:?|\b(?:text|texte|texto|autore?|auteur|author|автор|текст)\s*:)\s*"
    rf"({_NAME}(?:(?:\s*,\s*|\s+(?:and|und|et|y|e)\s+|\s*&\s*){_NAME}){{0,6}})"
)
_KOREAN = re.compile(
    r"\[[^\]=]{1,20}=\s*(?:\S{1,40}\s){0,20}?([가-힣]{2,4})(?:의\s|\s*기자|\s*특파원|\])|\b([가-힣]{2,4})\s?기자\b"
)
# Text before "by" in a line with date and author.
_BEFORE_BY = re.compile(r"(?:\A|[\d|•·–—:-]|[ap]\.?m\.?|\b[A-Z]{2,4})\s*\Z")
_BARE_BY = frozenset("by|von|par|por|oleh|written by|story by|posted by|reported by".split("|"))


@dataclass(frozen=True, slots=True)
class VisibleHeadline:
    """Headline, authors and date shown above the story; empty if there are none."""

    title: str = ""
    authors: tuple[str, ...] = ()
    published: datetime | None = None


def visible_headline(
    tree: HtmlElement,
    story: str,
    *,
    titles: Sequence[str] = (),
    publisher: str = "",
    language: str = "",
    country: str = "",
) -> VisibleHeadline:
    """Find the headline, authors and date that a page shows above its story.

    Args:
        tree: The page.
        story: Its text.
        titles: Headlines in the metadata, which distinguish the story's heading from the site's.
        publisher: The publisher's name.
        language: Locale of the page; decides whether 5/10/2018 is in May.
        country: Country of the publisher, for the same purpose.
    """
    blocks = list(visible_lines(tree))
    first = _first_story_block(story, blocks)
    given = [clean_line(unescape(title)) for title in titles]
    title, at = _headline(blocks, first, given, publisher)
    start = max(0, at - _ABOVE) if at is not None else max(0, (first or 0) - _WITHOUT_HEADLINE)
    end = min(len(blocks), (first if first is not None else start + 2 * _ABOVE) + _BELOW)
    if at is not None and (first is None or first < at):
        end = min(len(blocks), at + 2 * _ABOVE)
    below = blocks[at + 1 : end] if at is not None else []
    above = blocks[start : at if at is not None else end]
    return VisibleHeadline(
        title=title,
        authors=_authors(below, publisher) or _authors(above, publisher),
        published=visible_date(below, language, country)
        or visible_date(above[:-_DATE_ABOVE:-1], language, country),
    )


def _first_story_block(story: str, blocks: Sequence[VisibleLine]) -> int | None:
    """Return the block of the first paragraph of the story that is found."""
    starts = {block.text[:_FIND_BY]: i for i, block in reversed(list(enumerate(blocks)))}
    for paragraph in [clean_line(p) for p in story.split("\n") if len(p) > _FIND_BY][:6]:
        if paragraph[:_FIND_BY] in starts:
            return starts[paragraph[:_FIND_BY]]
    return None


# ----------------------------------------------------------------------------------- headline


def _headline(
    blocks: Sequence[VisibleLine], first: int | None, given: Sequence[str], publisher: str
) -> tuple[str, int | None]:
    """Return the story's heading and its block; none if no heading qualifies."""
    headings = [
        (i, block.text)
        for i, block in enumerate(blocks)
        if _is_heading(block.element) and len(block.text) <= 300
    ]
    for level in (1, 2):
        whole = [
            (i, text)
            for i, text in headings
            if _level(blocks[i].element) == level and any(_is_same(text, t) for t in given)
        ]
        if whole:
            longest = max(len(text) for _, text in whole)
            at, text = next((i, t) for i, t in whole if len(t) >= 0.8 * longest)
            return text, at
    site = {
        normalize_line(publisher),
        *(normalize_line(title.rpartition(" | ")[2]) for title in given),
    }
    own = [
        (i, text)
        for i, text in headings
        if _level(blocks[i].element) == 1
        and normalize_line(text) not in site
        and len(_words(text)) >= 2
    ]
    telling = [title for title in given if len(_words(title)) >= _WORDS_OF_A_HEADLINE]
    before = [(i, text) for i, text in own if first is None or i < first]
    for i, text in reversed(before):
        if not telling or any(_words(text) & _words(title) for title in telling):
            return text, i
    return "", None


def _is_heading(element: Any) -> bool:
    return _level(element) > 0


def _level(element: Any) -> int:
    """Return 1 for an <h1> or marked headline, 2 for other headings, 0 for none."""
    for up in (element, element.getparent()):
        if up is None or not isinstance(up.tag, str):
            break
        if up.tag == "h1" or "headline" in (up.get("itemprop") or "").split():
            return 1
        if up.tag in ("h2", "h3"):
            return 2
        if HEADLINE.search(f"{up.get('class') or ''} {up.get('id') or ''}"):
            return 2
    return 0


def _is_same(heading: str, title: str) -> bool:
    """Return whether a heading is a given headline, or all of it except the site's name."""
    ours, theirs = normalize_line(heading), normalize_line(title)
    if ours == theirs:
        return True
    enough = len(ours.split()) >= _WORDS_OF_A_HEADLINE or len(ours) >= 0.5 * len(theirs)
    return enough and (
        theirs.startswith(ours) or (len(ours) >= 0.5 * len(theirs) and theirs.endswith(ours))
    )


def _words(text: str) -> set[str]:
    return {
        word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3 or not word.isascii()
    }


# ------------------------------------------------------------------------------- byline, date


def _authors(blocks: Sequence[VisibleLine], publisher: str) -> tuple[str, ...]:
    """Return the names in the first line that is a byline by its words, or else by its markup."""
    marked: list[str] = []
    marks = ""
    texts = [block.text for block in blocks]
    for block, after in zip(blocks, [*texts[1:], ""], strict=False):
        if len(block.text) > LINE_UP_TO and not _KOREAN.match(block.text):
            continue
        found = _byline_names(block.text, after, publisher)
        if found:
            return found
        own, people = _marked_names(block)
        if people and marks in ("", own):
            marks = own
            marked += [name for name in people if name not in marked]
    return parse_authors(marked, publisher)


def _byline_names(line: str, after: str, publisher: str) -> tuple[str, ...]:
    """Return the names in a line with "by", or followed by a date."""
    korean = _KOREAN.search(line[:LINE_UP_TO])
    if korean:
        return (korean.group(1) or korean.group(2),)
    if normalize_line(line) in _BARE_BY:
        return parse_byline(after, publisher)
    match = _BY_LINE.search(line)
    if match and _BEFORE_BY.search(line[: match.start()]):
        return parse_byline(match.group(1), publisher)
    date = DATES.search(line)
    if date and re.fullmatch(rf"\A{_NAME}\s*[-–—|•·]\s*", line[: date.start()]):
        found = parse_byline(line[: date.start()], publisher)
        return found if all(is_person(name) for name in found) else ()
    return ()


def _marked_names(block: VisibleLine) -> tuple[str, tuple[str, ...]]:
    """Return the markup that identifies an author in or around a line, and the names there."""
    if block.element.tag in ("body", "main", "article"):
        return "", ()
    up = block.element.getparent()
    for element in (*block.element.iter(), *(() if up is None else (up,))):
        if isinstance(element.tag, str) and _is_author(element):
            links = [clean_line(a.text_content()) for a in element.iter("a") if a is not element]
            text = clean_line(block.text if element is up else element.text_content())
            people = tuple(n for link in links for n in parse_byline(link) if is_person(n))
            if element is not up and text not in block.text:
                continue  # belongs to a block further down
            if 2 < len(text) <= LINE_UP_TO and not _is_in_headline_link(element, text):
                return element.get("class") or element.tag, people or parse_byline(text)
    return "", ()


def _is_in_headline_link(element: Any, text: str) -> bool:
    """Return whether an author's name is in a link with a headline, that of another story."""
    link = next(element.iterancestors("a"), None)
    return link is not None and len(clean_line(link.text_content())) > len(text) + 20


def _is_author(element: Any) -> bool:
    if isinstance(element.tag, str) and element.tag == "meta":
        return False
    if "author" in (element.get("rel") or "").split() + (element.get("itemprop") or "").split():
        return True
    return bool(_AUTHOR_CLASS.search(f"{element.get('class') or ''} {element.get('id') or ''}"))
