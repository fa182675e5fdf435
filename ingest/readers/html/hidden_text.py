"""Text of a page that no reader sees, dropped before anything is read from it.

Hidden by an attribute, an element that shows nothing, or a style: display, visibility, opacity,
size, colour, or a place off the screen. The styles are those of the page itself, in attributes and
<style> elements; sheets that are fetched aren't known. What hides the whole page until it has
loaded hides nothing: such pages are read as if shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ingest.readers.html.css_colors import Colour, are_similar, blend, parse_colour, pixels
from ingest.readers.html.stylesheets import StyleSheet

if TYPE_CHECKING:
    from lxml.html import HtmlElement

FAR = 999.0  # pixels off the screen's edge
FAINT = 0.05  # opacity that nobody sees
TINY = 2.0  # pixels of a font
SLIVER = 1.0  # pixels of a box that cuts off what is in it
SHARE = 0.8  # of a page's text: what hides so much of it is a wrapper that waits for a script
LINE = 40  # characters of a text that counts as read
PROSE = 120  # characters of such texts: with less, a page shows no story

_SHOWS_NOTHING = frozenset(
    "template noscript datalist noframes canvas audio video object iframe noembed".split()
)
_CLASSES = frozenset(  # of Bootstrap, Tailwind, WordPress, Foundation and HTML5 Boilerplate
    "hidden d-none hide is-hidden u-hidden sr-only sr_only visually-hidden visuallyhidden "
    "screen-reader-text screen-reader-only u-visually-hidden display-none invisible is-invisible "
    "element-invisible show-for-sr print-only print-header print-footer visible-print "
    "visible-print-block d-print-block show-for-print assistive-text offscreen off-screen".split()
)
_WANTED = frozenset(
    "display visibility opacity font-size font color background background-color width height "
    "max-height max-width overflow overflow-x overflow-y position left right top bottom inset "
    "inset-inline inset-inline-start inset-block-start text-indent clip clip-path transform scale "
    "translate margin margin-left margin-top margin-inline-start content-visibility filter zoom "
    "background-image background-clip -webkit-background-clip -webkit-text-fill-color "
    "-webkit-clip-path -webkit-transform all".split()
)
_KEPT = frozenset("meta link script style base title head html".split())
_GROUNDS = frozenset(("color", "background", "background-color", "background-image"))
_LINK: Colour = (0.0, 0.0, 0.93, 1.0)
_WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
_BLACK: Colour = (0.0, 0.0, 0.0, 1.0)
_NOTHING = re.compile(
    r"inset\(\s*(?:50|[5-9]\d|100)%|circle\(\s*0|ellipse\(\s*0|polygon\(\s*(?:0(?:px|%)?[\s,]*)+\)"
    r"|rect\(\s*+(?:[01](?:px)?[\s,]*+){4}\)"
)
_SCALED = re.compile(
    r"scale(?:3d|x|y)?\(\s*[+-]?(?:0*\.0*\d{1,3}|0+)(?![.\d])|matrix\(\s*0\s*,\s*0"
)
_MOVED = re.compile(r"translate(?:3d|x|y)?\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class _Look:
    """What an element's text inherits."""

    visible: bool = True
    opacity: float = 1.0
    font: float = 16.0
    colour: Colour = _BLACK
    ground: Colour | None = _WHITE  # None where it isn't known: over a picture
    indent: float = 0.0
    clipped: bool = False  # the background shows through the letters

    @property
    def hides_text(self) -> bool:
        unseen = not self.clipped and (
            self.colour[3] < FAINT
            or (
                self.ground is not None
                and are_similar(blend(self.colour, self.ground), self.ground)
            )
        )
        return not self.visible or self.font < TINY or self.indent <= -FAR or unseen


@dataclass(slots=True)
class _Found:
    """What is hidden: whole elements, and elements whose own text alone is."""

    elements: list[Any] = field(default_factory=list)
    texts: list[Any] = field(default_factory=list)
    seen: int = 0  # characters of lines that are seen
    unseen: int = 0


def drop_hidden(tree: HtmlElement) -> str:
    """Take what nobody sees out of a page, in place, and return that text.

    Raises TooComplexError where its style rules take too long to apply.
    """
    sheet = StyleSheet.of(tree, _WANTED)
    found = _hidden(tree, sheet)
    if found.seen < PROSE < found.unseen:  # a page that a script shows when it has loaded
        found = _hidden(tree, sheet, waiting=_wrappers(tree))
    dropped = []
    for element in found.texts:
        dropped += _own_texts(element)
        element.text = None
        for child in element:
            child.tail = None
    for element in found.elements:
        dropped.append(element.text_content() if isinstance(element.tag, str) else "")
        _drop(element)
    return "\n".join(filter(str.strip, dropped))


def _hidden(tree: HtmlElement, sheet: StyleSheet, waiting: frozenset[Any] | None = None) -> _Found:
    """Return what is hidden; of a page that waits for a script, not for what it will show."""
    found = _Found()
    todo: list[tuple[Any, _Look]] = [(tree, _Look())]
    while todo:
        element, look = todo.pop()
        if not isinstance(element.tag, str) or element.tag in _KEPT - {"html"}:
            continue
        style = sheet.style_of(element)
        whole = element.tag in ("html", "body") or (waiting is not None and element in waiting)
        if whole:  # shown by a script in the end, whatever its style says
            style = {name: value for name, value in style.items() if name in _GROUNDS}
        look = _look(element, style, look)
        if (not whole and _hides(element, style)) or look.opacity < FAINT:
            found.elements.append(element)
            found.unseen += _read(element.itertext())
            continue
        own = _read(_own_texts(element))
        shown = replace(look, ground=None) if waiting is not None else look
        if shown.hides_text:
            found.texts.append(element)
            found.unseen += own
        else:
            found.seen += own
        todo += [(child, look) for child in element]
    return found


def _hides(element: Any, style: dict[str, str]) -> bool:
    """Return whether nothing of an element is seen, whatever the elements in it say."""
    if element.get("hidden") is not None and style.get("display", "none") == "none":
        return True
    if element.tag in _SHOWS_NOTHING or (element.tag == "dialog" and element.get("open") is None):
        return True
    if not _CLASSES.isdisjoint((element.get("class") or "").casefold().split()):
        return not {"display", "visibility", "position"} & {*style} or _is_styled_away(style)
    return bool(style) and _is_styled_away(style)


def _is_styled_away(style: dict[str, str]) -> bool:
    if style.get("display") == "none" or style.get("content-visibility") == "hidden":
        return True
    return _is_cut_off(style) or _is_moved_away(style) or _is_shrunk(style)


def _is_cut_off(style: dict[str, str]) -> bool:
    """Return whether a box without an extent, or a clip, shows nothing."""
    flow = " ".join(style.get(name, "") for name in ("overflow", "overflow-x", "overflow-y"))
    if re.search(r"hidden|clip|scroll|auto", flow):
        for name in ("height", "width", "max-height", "max-width"):
            size = pixels(style.get(name, ""))
            if size is not None and size <= SLIVER:
                return True
    path = f"{style.get('clip-path', '')} {style.get('-webkit-clip-path', '')}"
    if _is_taken_out(style) and "rect" in style.get("clip", ""):
        path += style["clip"]
    return bool(_NOTHING.search(path))


def _is_moved_away(style: dict[str, str]) -> bool:
    """Return whether an element stands far off the screen."""
    names = ["margin", "margin-left", "margin-top", "margin-inline-start"]
    if style.get("position") in ("absolute", "fixed", "relative", "sticky"):
        names += ["left", "top", "right", "bottom", "inset", "inset-inline", "inset-block-start"]
        names += ["inset-inline-start"]
    lengths = [pixels(part) for name in names for part in style.get(name, "").split()]
    moves = " ".join(_MOVED.findall(style.get("transform", ""))) or ""
    for part in re.split(r"[\s,]+", f"{moves} {style.get('translate', '')}"):
        lengths.append(pixels(part, whole=200.0))
    return any(one is not None and (one <= -FAR or one >= 5 * FAR) for one in lengths)


def _is_taken_out(style: dict[str, str]) -> bool:
    return style.get("position") in ("absolute", "fixed")


def _is_shrunk(style: dict[str, str]) -> bool:
    turned = style.get("transform", "") + style.get("-webkit-transform", "")
    if _SCALED.search(turned) or re.search(r"rotate[xy]\(\s*-?(?:90deg|270deg|100grad)", turned):
        return True
    if re.match(r"\A0*+(?:\.0*+)?(?:%|\s|\Z)", style.get("scale", "1")) or style.get("zoom") in (
        "0",
        "0%",
    ):
        return True
    faded = re.search(r"opacity\(\s*+([^()]*)\)", style.get("filter", ""))
    return bool(faded) and _share(faded.group(1)) < FAINT  # type: ignore[union-attr]


def _look(element: Any, style: dict[str, str], look: _Look) -> _Look:
    """Return how an element's own text looks, from its style and from what it inherits."""
    ground = _ground(element, style, look.ground)
    if element.tag == "h1":
        ground = None  # a headline is often white over a picture
    visible = look.visible
    if "visibility" in style:
        visible = style["visibility"] not in ("hidden", "collapse")
    colour = look.colour
    said = style.get("-webkit-text-fill-color") or style.get("color") or element.get("color")
    if element.tag in ("font", "basefont") and element.get("color"):
        said = style.get("color") or element.get("color")
    if element.tag == "body" and element.get("text"):
        said = said or element.get("text")
    if said and (own := parse_colour(said)):
        colour = own
    elif element.tag == "a" and element.get("href") is not None and not said:
        colour = _LINK
    clip = style.get("background-clip", "") + style.get("-webkit-background-clip", "")
    indent = pixels(style.get("text-indent", ""))
    return _Look(
        visible=visible,
        opacity=look.opacity * _share(style.get("opacity", "1")),
        font=_font(style, look.font),
        colour=colour,
        ground=ground,
        indent=look.indent if indent is None else indent,
        clipped=look.clipped or "text" in clip,
    )


def _ground(element: Any, style: dict[str, str], ground: Colour | None) -> Colour | None:
    said = " ".join(
        filter(
            None, (style.get("background-color"), style.get("background"), element.get("bgcolor"))
        )
    )
    if "url(" in said or "gradient" in said or element.get("background"):
        return None
    if "url(" in style.get("background-image", "") or "gradient" in style.get(
        "background-image", ""
    ):
        return None
    own = parse_colour(said) if said else None
    if own is None or own[3] < FAINT:
        return ground
    if ground is None:
        return own if own[3] > 1 - FAINT else None
    return blend(own, ground)


def _font(style: dict[str, str], parent: float) -> float:
    value = style.get("font-size", "")
    if not value and "font" in style:
        # "italic bold 0/0 a": the size has a unit, or is 0, and stands before the line's height.
        sizes = re.findall(r"(?:\A|\s)(0|[\d.]+(?:[a-z]+|%))(?=\s*/|\s|\Z)", style["font"])
        value = sizes[-1] if sizes else ""
    size = pixels(value, font=parent, whole=parent)
    return parent if size is None else size


def _share(value: str) -> float:
    number = re.search(r"[+-]?(?:\d++\.?\d*+|\.\d+)", value)
    if not number:
        return 1.0
    return min(1.0, max(0.0, float(number.group()) / (100 if "%" in value else 1)))


def _read(texts: Iterable[str]) -> int:
    """Return how many characters of lines there are."""
    return sum(len(text) for text in map(str.strip, texts) if len(text) >= LINE)


def _own_texts(element: Any) -> list[str]:
    return [element.text or "", *(child.tail or "" for child in element)]


def _wrappers(tree: HtmlElement) -> frozenset[Any]:
    """Return the elements that hold nearly all of a page's text."""
    sizes: dict[Any, int] = {}
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag in _KEPT - {"html"}:
            continue
        size = sum(map(len, _own_texts(element)))
        for one in (element, *element.iterancestors()):
            sizes[one] = sizes.get(one, 0) + size
    whole = max(sizes.values(), default=0)
    return frozenset(one for one, size in sizes.items() if size >= SHARE * whole)


def _drop(element: Any) -> None:
    """Take an element out of its page, but leave what is no text in its place."""
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    kept = [one for one in element.iter("meta", "link", "script") if one is not element]
    element.drop_tree()
    for number, one in enumerate(kept):
        one.tail = None
        parent.insert(at + number, one)
