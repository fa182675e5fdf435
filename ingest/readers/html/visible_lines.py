"""Visible lines of a page, each with the element that contains it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.cleaning import clean_line

if TYPE_CHECKING:
    from lxml.html import HtmlElement

HEADLINE = re.compile(
    r"(?i)(?:^|[\s_-])(?:headline|(?:entry|post|article|story)-?_?title)(?:[\s_-]|$)"
)
_INLINE = frozenset(
    "a abbr b bdi cite em font i mark q s small span strong sub sup time u wbr address".split()
)
_UNSEEN = frozenset("script style noscript template svg head iframe form button select".split())
_BESIDE = frozenset(("nav", "footer", "figcaption"))
_ASIDE = re.compile(
    r"(?i)comment|related|recommend|sidebar|footer|newsletter|popular|trending|most-?read|"
    r"promo|teaser|disqus|breadcrumb|caption|credit"
)


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """A visible line and its element."""

    element: Any
    text: str


def visible_lines(tree: HtmlElement) -> Iterator[VisibleLine]:
    """Yield the visible lines of a page in order, without sidebars and the like."""
    body = tree.find(".//body")
    holders: list[Any] = [tree if body is None else body]
    text: list[str] = []
    # Iterative, because the nesting of a page is unbounded.
    todo: list[tuple[str, Any]] = [("open", holders[0])]
    while todo:
        what, element = todo.pop()
        if what == "text":
            text.append(element)
            continue
        if what == "open" and _is_left_out(element):
            text.append(" ")
            continue
        if element.tag not in _INLINE:
            line = clean_line("".join(text))
            text.clear()
            if line:
                yield VisibleLine(holders[-1], line)
            if what == "open":
                holders.append(element)
            else:
                holders.pop()
        if what == "open":
            todo.append(("close", element))
            todo += _inside(element)


def _inside(element: Any) -> list[tuple[str, Any]]:
    """Return the content of an element in reverse order."""
    todo: list[tuple[str, Any]] = []
    for child in reversed(element):
        if child.tail:
            todo.append(("text", child.tail))
        todo.append(("open", child))
    return [*todo, ("text", element.text or "")]


def _is_left_out(element: Any) -> bool:
    """Return whether an element is invisible, or next to the story and without a heading."""
    if not isinstance(element.tag, str) or element.tag in _UNSEEN or element.tag in _BESIDE:
        return True
    if element.tag in ("body", "html", "main", "article"):
        return False
    marks = f"{element.get('class') or ''} {element.get('id') or ''}"
    beside = bool(_ASIDE.search(marks)) and not HEADLINE.search(marks)
    return beside and next(element.iter("h1"), None) is None
