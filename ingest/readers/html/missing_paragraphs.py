"""Paragraphs of a story that the extractor missed, put back in their places.

trafilatura extracts one container. If advertisements or "read more" split a story into sibling
containers, if a blockquote or list is dropped, or if the standfirst is in the header, the rest is
found by three signs: its container is of the same kind as the story's, it is marked as a
standfirst, or the page's own articleBody (JSON-LD) contains it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.boilerplate_rules import is_boilerplate
from ingest.cleaning import clean_line
from ingest.readers.html.shingles import Shingles, share_of, shingles
from ingest.readers.html.visible_lines import HEADLINE, VisibleLine, visible_lines

if TYPE_CHECKING:
    from lxml.html import HtmlElement

FOUND = 0.8  # share of a block's shingles in the text for the block to be found
PROSE_FROM = 60  # minimum characters of a paragraph to put back
STANDFIRST = (30, 700)  # characters
WORDS = 3  # minimum shingles of a standfirst: six words
BODY_FROM = 400  # minimum characters of an articleBody that isn't a teaser
PART = 0.6  # share of the articleBody; with less, the page shows only a part of the story
ANNOUNCED = 25  # minimum characters of a sentence that ends with a colon; shorter is "Related:"
LAST = 200
SHARE = 0.2  # minimum share of the story in a kind of container to accept others of that kind
LEVELS = 14  # levels of containers that are compared

_LEAVES = frozenset("p li ul ol dl dt dd blockquote q cite h2 h3 h4 h5 h6 pre".split())
_OUTSIDE = frozenset("aside figure figcaption nav footer form button dialog".split())
_SENTENCE_END = re.compile(r"[.!?…։।॥。！？؟۔።][\"'”’»）)\]]*\Z")
_ABOUT = re.compile(
    r"(?i)(?:\A|[\s_-])(?:by-?line|authors?|bio|copyright|disclaimer|disclosure|subscri|sign-?up|"
    r"tags?|donat|paywall|cookie|consent|dateline|toolbar|breaking)"
)
_STANDFIRST = re.compile(
    r"(?i)(?:\A|[\s_-])(?:stand-?first|sub-?head(?:line|ing)?|sub-?title|subline|dec?k|lede|lead|"
    r"intro|introduction|summary|excerpt|abstract|description|chapo|chapeau|ingress|manchet|"
    r"bajada|copete|entradilla|sommario|occhiello|catenaccio|vorspann|teaser-?text|sapo|linha-?fina"
    r"|anons|lid)(?:[\s_-]|\Z)"
)


@dataclass(slots=True)
class _Story:
    """The extracted lines, and the line of each shingle."""

    lines: list[str]
    at: dict[tuple[str, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, line in enumerate(self.lines):
            for shingle in shingles(line):
                self.at.setdefault(shingle, number)

    def line_of(self, block: VisibleLine) -> int | None:
        """Return the line that contains a block, or None."""
        wanted = shingles(block.text)
        found = Counter(self.at[one] for one in wanted if one in self.at)
        if not wanted or found.total() < FOUND * len(wanted):
            return None
        return found.most_common(1)[0][0]


def add_missing_paragraphs(
    tree: HtmlElement, text: str, *, body: str = "", summary: str = ""
) -> str:
    """Return an extracted story with its missing paragraphs added.

    Args:
        tree: The page.
        text: The extracted text, a block on each line.
        body: schema.org's articleBody of the page's own article; "" if missing.
        summary: The page's description, which identifies a standfirst.
    """
    story = _Story([line for line in text.split("\n") if line.strip()])
    blocks = list(visible_lines(tree))
    places = [story.line_of(block) for block in blocks]
    wanted = shingles(body) if len(body) >= BODY_FROM else frozenset()
    kin = _StoryContainers.of(blocks, places)
    added: dict[int, list[str]] = {}
    last, begun, headed = -1, False, False
    for block, place in zip(blocks, places, strict=True):
        headed = headed or _is_heading(block)
        if place is not None:
            last = max(last, place)
            begun = begun or (len(block.text) >= PROSE_FROM and not _is_heading(block))
        elif _belongs(block, wanted, kin) or (
            headed and not begun and _is_standfirst(block, summary)
        ):
            line = f"- {block.text}" if block.element.tag == "li" else block.text
            if line in added.get(last, ()):
                continue
            added.setdefault(last, []).append(line)
    lines = [*added.get(-1, ())]
    for number, line in enumerate(story.lines):
        lines += [line, *added.get(number, ())]
    return _or_full_body("\n".join(lines), body, wanted)


def _or_full_body(text: str, body: str, wanted: Shingles) -> str:
    """Return the text, or the articleBody if the page shows only a part of it."""
    short = len(text) < PART * len(body)
    return body if short and share_of(wanted, shingles(text)) < PART else text


def _belongs(block: VisibleLine, wanted: Shingles, kin: _StoryContainers) -> bool:
    if _is_prose(block):
        return share_of(shingles(block.text), wanted) >= FOUND or kin.has(block.element)
    return _is_announced_item(block) and kin.holds(block.element)


def _is_announced_item(block: VisibleLine) -> bool:
    """Return whether a block is an item of a list that a sentence of the story announces."""
    item = next((one for one in (block.element, *block.element.iterancestors("li"))), None)
    parent = None if item is None or item.tag != "li" else item.getparent()
    before = None if parent is None else parent.getprevious()
    if before is None or before.tag not in ("p", "div") or is_boilerplate(block.text):
        return False
    announcement = clean_line(before.text_content()[-LAST:])
    return len(announcement) >= ANNOUNCED and announcement.endswith((":", "："))


def _is_prose(block: VisibleLine) -> bool:
    text = block.text
    if len(text) < PROSE_FROM or not _SENTENCE_END.search(text) or is_boilerplate(text):
        return False
    around = (block.element, *block.element.iterancestors())
    if any(one.tag in _OUTSIDE or one.tag == "a" for one in around):
        return False
    if any(_ABOUT.search(f"{one.get('class') or ''} {one.get('id') or ''}") for one in around[:3]):
        return False
    linked = sum(len(clean_line(a.text_content())) for a in block.element.iter("a"))
    return linked < len(text) / 3


@dataclass(slots=True)
class _StoryContainers:
    """Containers of the story's paragraphs, by root and kind."""

    containers: dict[tuple[Any, tuple[str, ...]], set[Any]]
    _ancestors: dict[tuple[Any, tuple[str, ...]], set[Any]] = field(default_factory=dict)
    _known: dict[Any, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, blocks: Sequence[VisibleLine], places: Iterable[int | None]) -> _StoryContainers:
        found: dict[tuple[Any, tuple[str, ...]], set[Any]] = {}
        size: Counter[tuple[Any, tuple[str, ...]]] = Counter()
        for block, place in zip(blocks, places, strict=True):
            if place is not None and len(block.text) >= PROSE_FROM:
                root, chain, container = _container_of(block.element)
                found.setdefault((root, chain), set()).add(container)
                size[root, chain] += len(block.text)
        least = max(2 * PROSE_FROM, SHARE * size.total())
        return cls({key: members for key, members in found.items() if size[key] >= least})

    def holds(self, element: Any) -> bool:
        """Return whether an element is in a container of the story itself."""
        root, chain, container = _container_of(element)
        return container in self.containers.get((root, chain), ())

    def has(self, element: Any) -> bool:
        """Return whether an element is in a container of the story, or in one of the same kind."""
        root, chain, container = _container_of(element)
        members = self.containers.get((root, chain))
        if not members:
            return False
        if (root, chain) not in self._ancestors:
            above = {ancestor for one in members for ancestor in (one, *one.iterancestors())}
            self._ancestors[root, chain] = above
        if container not in self._known:
            self._known[container] = container in members or not _begins_other_story(
                container, self._ancestors[root, chain]
            )
        return self._known[container]


def _container_of(element: Any) -> tuple[Any, tuple[str, ...], Any]:
    """Return the article or page that an element is in, the kind of its container, and that."""
    while element.tag in _LEAVES and element.getparent() is not None:
        element = element.getparent()
    container, chain = element, list[str]()
    while element.tag not in ("article", "main", "body", "html") and len(chain) < LEVELS:
        names = sorted({*re.sub(r"\d+", "0", element.get("class") or "").split()})
        chain.append(f"{element.tag}.{'.'.join(names)}")
        parent = element.getparent()
        if parent is None:
            break
        element = parent
    return element, tuple(chain), container


def _begins_other_story(container: Any, shared: set[Any]) -> bool:
    """Return whether another story begins in the part a container doesn't share with the story."""
    branch = container
    while branch.getparent() is not None and branch.getparent() not in shared:
        branch = branch.getparent()
    return any(
        one.tag in ("h1", "article", "time")
        or HEADLINE.search(f"{one.get('class') or ''} {one.get('itemprop') or ''}")
        or (one.tag in ("h2", "h3") and one.find(".//a[@href]") is not None)
        for one in branch.iter()
        if isinstance(one.tag, str)
    )


def _is_heading(block: VisibleLine) -> bool:
    around = [block.element, *list(block.element.iterancestors())[:1]]
    return any(
        one.tag == "h1" or HEADLINE.search(f"{one.get('class') or ''} {one.get('itemprop') or ''}")
        for one in around
    )


def _is_standfirst(block: VisibleLine, summary: str) -> bool:
    """Return whether a block below the headline is the standfirst, by its markup or its words."""
    least, most = STANDFIRST
    ours = shingles(block.text)
    if not least <= len(block.text) <= most or len(ours) < WORDS or is_boilerplate(block.text):
        return False
    around = [block.element, *block.element.iterancestors()]
    if any(one.tag in _OUTSIDE or one.tag in ("a", "h1") for one in around):
        return False
    marks = [f"{one.get('class') or ''} {one.get('itemprop') or ''}" for one in around[:3]]
    if any(map(_ABOUT.search, marks)) or block.element.find(".//a") is not None:
        return False
    return share_of(ours, shingles(summary)) >= FOUND or any(map(_STANDFIRST.search, marks))
