"""Teasers of other stories, removed from a page before its own story is extracted.

There are four kinds: another article (an element of its own with a heading that links away), a list
under a heading such as "Most Popular", a card (a linked heading with a line or two), and a
paragraph that is one link to another story. The story's own lists of links and facts stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ingest.boilerplate_rules import LIST_HEADS, normalize_line
from ingest.cleaning import clean_line
from rag.urls import host_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

CARD_UP_TO = 500  # characters; a longer one is part of the story
PROSE_FROM = 80  # characters of a paragraph
LINKED = 0.5  # share of a block's text in links for it to be a list of links
LINKED_CARD = 0.3  # share of a card's text in links, under a heading such as "Most Popular"
MARKED = 0.25  # share in links of a block with a teaser class and no paragraph
OF_PAGE = 0.5  # share of the page's text; a block with more is the story
ENTRIES = 0.7  # share of an article's text in nested articles for them to be its entries
HEAD_OF_STORY = 200  # characters with headline, byline and date
HEAD_UP_TO = 60  # characters of a heading such as "Most Popular"
LINE = (20, 200)  # characters of a paragraph that is a headline

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HEADS = frozenset((*_HEADINGS, "p", "div", "span", "strong", "b", "header", "dt", "legend"))
_CARDS = frozenset("div li section article aside a figure dl tr".split())
_TEASER = re.compile(
    r"(?i)(?:\A|[\s_-])(?:read-?more|related|recirc\w*|recommend\w*|most-?(?:popular|read|viewed|"
    r"shared)|trending|newsletters?|sign-?up|promos?|teasers?|outbrain|taboola|more-?(?:stories|"
    r"from|news|on|in)|also-?(?:on|read|like|see)|up-?next|next-?up|dont-?miss|inset-?link|see-?also|"
    r"read-?next|read-?also|latest-?(?:news|stories|posts)|popular-?(?:news|stories|posts)|"
    r"top-?stories|you-?may)(?:[\s_-]|\Z)"
)
_MORE_HEADS = re.compile(
    r"(?i)(?:(?:the )?(?:most|more|latest|top|popular|trending|related|recommended|featured|"
    r"editor.?s.? picks?|read (?:more|next|also)|also read|don.t miss|you (?:may|might)|"
    r"up next|see also|você (?:pode|também)|"
    r"other (?:news|stories)|news ?letters?|mehr zum|lesen sie|à lire|lire aussi|"
    r"lea también|te puede|leia (?:também|mais)|veja (?:também|mais)|leggi anche|lees ook|"
    r"læs også|les også|läs (?:också|mer|även)|czytaj (?:też|także|również)|čtěte|"
    r"читайте|новости по теме|baca juga|xem thêm|관련|많이 본|あわせて読みたい|関連|相关|推荐)"
    r"\b[^.!?]{0,50})\Z"
)
_DATED = re.compile(
    r"(?i)(?:\A|[\s_-])(?:by-?line|author|date(?:line|published)?|pub-?date)(?:[\s_-]|\Z)"
)
_LABEL = re.compile(
    r"(?i)(?:read|watch|listen|see|related|more|also|story|mehr|lesen|lire|lea|leia|leggi|lees|"
    r"læs|läs|les|czytaj|čtěte|читайте|baca|관련|関連|相关)\b[^.!?]{0,30}\Z"
)
_SENTENCE_END = re.compile(r"[.!?…।。！？؟۔][\"'”’»）)\]]*\Z")


def drop_teasers(tree: HtmlElement, url: str = "") -> None:
    """Remove teasers of other stories from a page, in place; `url` is the page's URL."""
    site = _Site(url, is_live=_is_live_blog(tree))
    size = len(tree.text_content())
    own, entries = _own_article(tree)
    others = [*_other_articles(tree, site, own, entries), *_next_stories(tree, site)]
    cards = (card for card in _cards(tree, site) if entries.isdisjoint(_ancestors(card)))
    for element in [*others, *_with_teaser_class(tree), *cards]:
        if element.getparent() is not None and len(element.text_content()) < OF_PAGE * size:
            element.drop_tree()
    for heading, blocks in list(_headed_lists(tree)):
        for element in (heading, *blocks):
            if element.getparent() is not None:
                element.drop_tree()
    for element in list(_linked_lines(tree, site)):
        element.drop_tree()


class _Site:
    """The site of a page; recognizes links to its other pages."""

    def __init__(self, url: str, *, is_live: bool = False) -> None:
        self.url = url
        self.is_live = is_live
        self.host = host_of(url)

    def is_other_page(self, href: str | None) -> bool:
        """Return whether a link leads to another page of this site."""
        href = (href or "").strip()
        if (
            not href
            or href.startswith("#")
            or re.match(r"(?i)\A(?!https?:)[a-z][a-z0-9+.-]*:", href)
        ):
            return False
        try:
            parts = urlsplit(urljoin(self.url, href))
            own = urlsplit(self.url)
        except ValueError:
            return False
        if parts.netloc and not _is_same_site(host_of(f"https://{parts.netloc}/"), self.host):
            return False
        if own.path.strip("/") and not own.query:  # "?post=3" and "/post-3" belong to this page
            path = own.path.rstrip("/")
            if parts.path.rstrip("/") == path or parts.path.startswith(f"{path}/"):
                return False
        return bool(parts.path.strip("/")) and (parts.path, parts.query) != (own.path, own.query)


def _is_live_blog(tree: HtmlElement) -> bool:
    """Return whether a page declares itself a live blog (schema.org)."""
    marks = (element.get("itemtype") or "" for element in tree.iter() if element.get("itemtype"))
    scripts = (s.text or "" for s in tree.iter("script") if "ld+json" in (s.get("type") or ""))
    return any("LiveBlogPosting" in text for text in (*marks, *scripts))


def _is_same_site(one: str, other: str) -> bool:
    """Return whether two hosts belong to one site: news.velsund.example and velsund.example."""
    labels = other.split(".")
    last = 2 if len(labels) < 3 or len(labels[-2]) > 3 else 3  # velsund.co.uk
    return bool(other) and one.split(".")[-last:] == labels[-last:]


def _ancestors(element: Any) -> list[Any]:
    return [element, *element.iterancestors()]


def _own_article(tree: HtmlElement) -> tuple[Any, set[Any]]:
    """Return the page's own article element, and the nested ones that are its text.

    A live blog consists of entries, each of which may be an article with a link to itself.
    """
    articles = list(tree.iter("article"))
    own = next((a for a in articles if a.find(".//h1") is not None), None)
    if own is None:
        own = max(articles, key=lambda a: len(a.text_content()), default=None)
    if own is None:
        return None, set()
    within = [a for a in own.iter("article") if a is not own and _has_prose(a)]
    size = sum(map(_size, within))
    return own, {*within} if len(within) > 1 and size >= ENTRIES * _size(own) else set()


def _other_articles(tree: HtmlElement, site: _Site, own: Any, entries: set[Any]) -> Iterator[Any]:
    """Yield article elements of other stories, within the page's own or after it."""
    if own is None:
        return
    above = {*own.iterancestors()}
    for article in tree.iter("article"):
        if (
            article is own
            or article in above
            or article in entries
            or _is_live_entry(article, site)
        ):
            continue
        within = own in article.iterancestors()
        heading = next((h for h in article.iter(*_HEADINGS)), None)
        if (heading is not None and _links_away(heading, site)) or (
            not within and article.find(".//h1") is not None
        ):
            yield article


def _next_stories(tree: HtmlElement, site: _Site) -> Iterator[Any]:
    """Yield the stories below the page's own, in containers like that of its h1 and text."""
    heading = next(tree.iter("h1"), None)
    for own in [] if heading is None else heading.iterancestors():
        if own.tag in ("body", "html", "main"):
            return
        if not _has_prose(own):
            continue
        for sibling in own.itersiblings(own.tag):
            if sibling.get("class") == own.get("class") and _begins_story(sibling, site):
                yield sibling


def _begins_story(block: Any, site: _Site) -> bool:
    """Return whether a block begins with a headline that links away or has a date."""
    size = 0
    heading: Any = None
    for element in block.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in _HEADINGS and heading is None:
            heading = element
            if _links_away(heading, site) or element.tag == "h1":
                return True
        elif heading is not None and (
            element.tag == "time" or _DATED.search(_class_names(element))
        ):
            return True
        size += len(clean_line(element.text or ""))
        if size > HEAD_OF_STORY:
            break
    return False


def _class_names(element: Any) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''} {element.get('itemprop') or ''}"


def _links_away(heading: Any, site: _Site) -> bool:
    links = [*heading.iter("a"), *(one for one in heading.iterancestors("a"))]
    return any(site.is_other_page(link.get("href")) for link in links)


def _with_teaser_class(tree: HtmlElement) -> Iterator[Any]:
    """Yield elements with a teaser class that are lists of links or forms."""
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag in ("html", "body", "main", "article"):
            continue
        if not _TEASER.search(_class_names(element)) or element.find(".//h1") is not None:
            continue
        form = element.tag == "form" or element.find(".//input") is not None
        if not _has_prose(element) and (form or _linked_share(element) >= MARKED):
            yield element


def _cards(tree: HtmlElement, site: _Site) -> Iterator[Any]:
    """Yield cards: headings that link to another page, with a line or two."""
    for heading in tree.iter(*_HEADINGS[1:]):
        if not _links_away(heading, site):
            continue
        card = heading
        for one in heading.iterancestors():
            if one.tag not in (*_CARDS, "header", "hgroup") or not _text(one, CARD_UP_TO):
                break
            if sum(1 for _ in one.iter(*_HEADINGS)) > 1:
                break
            card = one
        if card is not heading and card.find(".//h1") is None and not _is_live_entry(card, site):
            yield card


def _is_live_entry(card: Any, site: _Site) -> bool:
    """Return whether a card on a live blog is one of its entries: it has its own time."""
    return site.is_live and card.find(".//time") is not None


def _headed_lists(tree: HtmlElement) -> Iterator[tuple[Any, list[Any]]]:
    """Yield headings of lists of other stories, with the blocks below them."""
    taken: set[Any] = set()
    for heading in tree.iter(*_HEADS):
        if heading in taken or not _is_list_head(heading):
            continue
        whole = heading
        while (
            whole.getparent() is not None
            and whole.getparent().tag in _HEADS | {"section", "li"}
            and _text(whole.getparent(), HEAD_UP_TO) == _text(heading, HEAD_UP_TO)
        ):
            whole = whole.getparent()
        blocks = []
        for block in whole.itersiblings():
            if not isinstance(block.tag, str):
                continue
            if block in taken or not _is_teaser(block):
                break
            blocks.append(block)
        taken |= {*blocks}
        if any(_size(block) for block in blocks):
            yield whole, blocks


def _is_list_head(heading: Any) -> bool:
    key = normalize_line(_text(heading, HEAD_UP_TO))
    if len(key) <= 3:
        return False
    return key in LIST_HEADS or (heading.tag in _HEADINGS and bool(_MORE_HEADS.match(key)))


def _is_teaser(block: Any) -> bool:
    """Return whether a block below such a heading is a link, a card, a picture, or empty."""
    if block.tag == "article" or not _size(block):
        return True
    if block.tag in _HEADINGS or block.tag in ("p", "blockquote", "table"):
        return _linked_share(block) >= LINKED
    heads = [
        heading
        for heading in block.iter(*_HEADINGS)
        if heading.find(".//a") is not None or next(heading.iterancestors("a"), None) is not None
    ]
    return bool(heads) or _linked_share(block) >= LINKED or _is_linked_card(block)


def _is_linked_card(block: Any) -> bool:
    """Return whether a block is one card: a link as long as a headline, and a line or two."""
    if not _text(block, CARD_UP_TO):
        return False
    links = [_size(link) for link in block.iter("a")]
    least, most = LINE
    return len(links) == 1 and least <= links[0] <= most and _linked_share(block) >= LINKED_CARD


def _linked_lines(tree: HtmlElement, site: _Site) -> Iterator[Any]:
    """Yield paragraphs that are only a link to another story of the site."""
    least, most = LINE
    for line in tree.iter("p", "h2", "h3", "h4", "h5", "strong"):
        if line.tag == "strong" and (line.getparent() is None or line.getparent().tag != "div"):
            continue
        text = _text(line, most)
        links = list(line.iter("a"))
        if (
            least <= len(text)
            and len(text.split()) >= 3
            and links
            and all(site.is_other_page(link.get("href")) for link in links)
            and _is_label(text, links)
            and not _SENTENCE_END.search(text)
            and next(line.iterancestors("li", "td", "table", "dl", "blockquote"), None) is None
        ):
            yield line


def _is_label(text: str, links: list[Any]) -> bool:
    """Return whether a line has nothing besides its links, or only "Read more:"."""
    linked = sum(map(_size, links))
    if linked >= len(text) - 2:
        return True
    label = normalize_line(text[: len(text) - linked])
    if not re.search(r"\w", label):  # ">>", "→"
        return True
    return len(links) == 1 and (label in LIST_HEADS or bool(_LABEL.match(label)))


def _has_prose(element: Any) -> bool:
    return any(
        _size(p) >= PROSE_FROM
        and _SENTENCE_END.search(p.text_content().strip()[-40:])
        and next(p.iterancestors("a"), None) is None
        for p in element.iter("p")
    )


def _linked_share(element: Any) -> float:
    whole = _size(element)
    if not whole:
        return 0.0
    if element.tag == "a" or next(element.iterancestors("a"), None) is not None:
        return 1.0
    return sum(_size(link) for link in element.iter("a")) / whole


def _size(element: Any) -> int:
    return len(" ".join(element.text_content().split()))


def _text(element: Any, up_to: int) -> str:
    """Return the text of an element; "" if it is longer than `up_to`."""
    parts, size = [], 0
    for part in element.itertext():
        parts.append(part)
        size += len(part.strip())
        if size > up_to:
            return ""
    text = clean_line("".join(parts))
    return text if len(text) <= up_to else ""
