"""Hidden text, removed from a page before anything is read from it.

Text is hidden by an attribute, an element that shows nothing, or a style: display, visibility,
opacity, size, color, or a position off screen. Only styles in the page itself are considered;
external style sheets aren't fetched. Styles that hide a whole page until a script has run are
ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ingest.readers.html.css_colors import Color, are_similar, blend, parse_color, pixels
from ingest.readers.html.stylesheets import StyleSheet

if TYPE_CHECKING:
    from lxml.html import HtmlElement

FAR = 999.0  # pixels off screen
FAINT = 0.05  # opacity below which text is invisible
TINY = 2.0  # font size in pixels
SLIVER = 1.0  # size in pixels of a box that clips its content
SHARE = 0.8  # share of a page's text; what hides more is a wrapper that waits for a script
LINE = 40  # characters of a text that counts as prose
PROSE = 120  # characters of such texts; with fewer, a page shows no story

_SHOWS_NOTHING = frozenset(
    "template noscript datalist noframes canvas audio video object iframe noembed".split()
)
_CLASSES = frozenset(  # of Bootstrap, Tailwind, WordPress, Foundation and HTML5 Boilerplate
    "hidden d-none hide is-hidden u-hidden sr-only sr_only visually-hidden visuallyhidden "
    "screen-reader-text screen-reader-only u-visually-hidden display-none invisible is-invisible "
    "element-invisible show-for-sr print-only print-header print-footer visible-print "
    "visible-print-block d-print-block show-for-print assistive-text offscreen off-screen".split()
)
_PROPERTIES = frozenset(
    "display visibility opacity font-size font color background background-color width height "
    "max-height max-width overflow overflow-x overflow-y position left right top bottom inset "
    "inset-inline inset-inline-start inset-block-start text-indent clip clip-path transform scale "
    "translate margin margin-left margin-top margin-inline-start content-visibility filter zoom "
    "background-image background-clip -webkit-background-clip -webkit-text-fill-color "
    "-webkit-clip-path -webkit-transform all".split()
)
_NO_TEXT_ELEMENTS = frozenset("meta link script style base title head html".split())
_BACKGROUND_PROPERTIES = frozenset(("color", "background", "background-color", "background-image"))
_LINK: Color = (0.0, 0.0, 0.93, 1.0)
_WHITE: Color = (1.0, 1.0, 1.0, 1.0)
_BLACK: Color = (0.0, 0.0, 0.0, 1.0)
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
    """Inherited properties of an element's text."""

    visible: bool = True
    opacity: float = 1.0
    font: float = 16.0
    color: Color = _BLACK
    background: Color | None = _WHITE  # None if unknown, for example over a picture
    indent: float = 0.0
    clipped: bool = False  # the background shows through the letters

    @property
    def hides_text(self) -> bool:
        unseen = not self.clipped and (
            self.color[3] < FAINT
            or (
                self.background is not None
                and are_similar(blend(self.color, self.background), self.background)
            )
        )
        return not self.visible or self.font < TINY or self.indent <= -FAR or unseen


@dataclass(slots=True)
class _Found:
    """Hidden content: whole elements, and elements of which only their own text is hidden."""

    elements: list[Any] = field(default_factory=list)
    texts: list[Any] = field(default_factory=list)
    seen: int = 0  # characters of visible lines
    unseen: int = 0


def drop_hidden(tree: HtmlElement) -> str:
    """Remove hidden text from a page in place, and return it.

    Raises:
        TooComplexError: The style rules take too long to apply.
    """
    sheet = StyleSheet.of(tree, _PROPERTIES)
    found = _find_hidden(tree, sheet)
    if found.seen < PROSE < found.unseen:  # a script reveals the page after loading
        found = _find_hidden(tree, sheet, waiting=_wrappers(tree))
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


def _find_hidden(
    tree: HtmlElement, sheet: StyleSheet, waiting: frozenset[Any] | None = None
) -> _Found:
    """Find hidden content; `waiting` elements are revealed by a script."""
    found = _Found()
    todo: list[tuple[Any, _Look]] = [(tree, _Look())]
    while todo:
        element, look = todo.pop()
        if not isinstance(element.tag, str) or element.tag in _NO_TEXT_ELEMENTS - {"html"}:
            continue
        style = sheet.style_of(element)
        whole = element.tag in ("html", "body") or (waiting is not None and element in waiting)
        if whole:  # revealed by a script, whatever its style
            style = {name: value for name, value in style.items() if name in _BACKGROUND_PROPERTIES}
        look = _style_text(element, style, look)
        if (not whole and _is_hidden(element, style)) or look.opacity < FAINT:
            found.elements.append(element)
            found.unseen += _prose_length(element.itertext())
            continue
        own = _prose_length(_own_texts(element))
        shown = replace(look, background=None) if waiting is not None else look
        if shown.hides_text:
            found.texts.append(element)
            found.unseen += own
        else:
            found.seen += own
        todo += [(child, look) for child in element]
    return found


def _is_hidden(element: Any, style: dict[str, str]) -> bool:
    """Return whether an element and all within it are hidden."""
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
    """Return whether a box without extent, or a clip, hides its content."""
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
    """Return whether an element is positioned far off screen."""
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
    return bool(faded) and _opacity_of(faded.group(1)) < FAINT  # type: ignore[union-attr]


def _style_text(element: Any, style: dict[str, str], look: _Look) -> _Look:
    """Return the appearance of an element's own text, from its style and inheritance."""
    background = _background_of(element, style, look.background)
    if element.tag == "h1":
        background = None  # headlines are often white over a picture
    visible = look.visible
    if "visibility" in style:
        visible = style["visibility"] not in ("hidden", "collapse")
    color = look.color
    value = style.get("-webkit-text-fill-color") or style.get("color") or element.get("color")
    if element.tag in ("font", "basefont") and element.get("color"):
        value = style.get("color") or element.get("color")
    if element.tag == "body" and element.get("text"):
        value = value or element.get("text")
    if value and (own := parse_color(value)):
        color = own
    elif element.tag == "a" and element.get("href") is not None and not value:
        color = _LINK
    clip = style.get("background-clip", "") + style.get("-webkit-background-clip", "")
    indent = pixels(style.get("text-indent", ""))
    return _Look(
        visible=visible,
        opacity=look.opacity * _opacity_of(style.get("opacity", "1")),
        font=_font(style, look.font),
        color=color,
        background=background,
        indent=look.indent if indent is None else indent,
        clipped=look.clipped or "text" in clip,
    )


def _background_of(element: Any, style: dict[str, str], background: Color | None) -> Color | None:
    value = " ".join(
        filter(
            None, (style.get("background-color"), style.get("background"), element.get("bgcolor"))
        )
    )
    if "url(" in value or "gradient" in value or element.get("background"):
        return None
    if "url(" in style.get("background-image", "") or "gradient" in style.get(
        "background-image", ""
    ):
        return None
    own = parse_color(value) if value else None
    if own is None or own[3] < FAINT:
        return background
    if background is None:
        return own if own[3] > 1 - FAINT else None
    return blend(own, background)


def _font(style: dict[str, str], parent: float) -> float:
    value = style.get("font-size", "")
    if not value and "font" in style:
        # "italic bold 0/0 a": the size has a unit or is 0, and precedes the line height.
        sizes = re.findall(r"(?:\A|\s)(0|[\d.]+(?:[a-z]+|%))(?=\s*/|\s|\Z)", style["font"])
        value = sizes[-1] if sizes else ""
    size = pixels(value, font=parent, whole=parent)
    return parent if size is None else size


def _opacity_of(value: str) -> float:
    number = re.search(r"[+-]?(?:\d++\.?\d*+|\.\d+)", value)
    if not number:
        return 1.0
    return min(1.0, max(0.0, float(number.group()) / (100 if "%" in value else 1)))


def _prose_length(texts: Iterable[str]) -> int:
    """Return the number of characters in texts long enough to be prose."""
    return sum(len(text) for text in map(str.strip, texts) if len(text) >= LINE)


def _own_texts(element: Any) -> list[str]:
    return [element.text or "", *(child.tail or "" for child in element)]


def _wrappers(tree: HtmlElement) -> frozenset[Any]:
    """Return the elements that contain nearly all of a page's text."""
    sizes: dict[Any, int] = {}
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag in _NO_TEXT_ELEMENTS - {"html"}:
            continue
        size = sum(map(len, _own_texts(element)))
        for one in (element, *element.iterancestors()):
            sizes[one] = sizes.get(one, 0) + size
    whole = max(sizes.values(), default=0)
    return frozenset(one for one, size in sizes.items() if size >= SHARE * whole)


def _drop(element: Any) -> None:
    """Remove an element from its page, but keep its metadata and scripts in place."""
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    kept = [one for one in element.iter("meta", "link", "script") if one is not element]
    element.drop_tree()
    for number, one in enumerate(kept):
        one.tail = None
        parent.insert(at + number, one)
