"""Styles in a page: a small, linear CSS parser, selectors and the cascade.

It supports what may hide text: rules of <style> elements with common selectors, and style
attributes. Unsupported rules are skipped; external style sheets aren't fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.readers.html.selectors import (
    Compound,
    SiblingPositions,
    parse_selector,
    related_elements,
    unescape,
)
from rag.errors import ReadError

CSS_BYTES = 4_000_000  # of all style elements of a page
STEPS = 3_000_000  # of matching; real pages take a hundredth
DEPTH = 32  # of nested blocks
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)
_VAR = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")
_FEATURE = re.compile(r"\(\s*+([\w-]++)\s*+:?\s*+([^()]*+)\)")
_MARKS = re.compile(r"\\.|\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?|[{};]", re.S)
# Values that may hide text, by property: tiny sizes and positions far off screen.
_AFAR = re.compile(r"-\d{2}|\d{4}|calc|min|max|clamp|var|e[+-]?\d")
_TINY = re.compile(r"\A[+-]?(?:0|1(?![\d%r]|em)|\.)|calc|min\(|max\(|clamp|var|e[+-]?\d")
_HIDES = {
    **dict.fromkeys(("width", "height", "max-width", "max-height"), _TINY),
    **dict.fromkeys(
        "left top right bottom inset inset-inline inset-inline-start inset-block-start text-indent "
        "margin margin-left margin-top margin-inline-start translate".split(),
        _AFAR,
    ),
}
_INLINE = (1, 0, 0, 0)  # specificity of a style attribute

Specificity = tuple[int, int, int, int]
Declarations = tuple[tuple[str, str, bool], ...]


class TooComplexError(ReadError, ValueError):
    """The style rules of a page take too long to apply."""


_ANY_OF = re.compile(r":(?:is|where|matches|-webkit-any|-moz-any)\(([^()]*)\)")
_ALTERNATIVES = 64  # of one selector


@dataclass(frozen=True, slots=True)
class Rule:
    """A selector with its declarations; compounds are ordered from left to right."""

    compounds: tuple[Compound, ...]
    specificity: Specificity
    order: int
    declarations: Declarations


@dataclass(slots=True)
class StyleSheet:
    """Rules of a page, indexed by the last part of their selectors."""

    rules: dict[str, list[Rule]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    _count: int = 0
    _steps: int = 0
    _places: SiblingPositions = field(default_factory=SiblingPositions)

    @classmethod
    def of(cls, tree: Any, wanted: frozenset[str]) -> StyleSheet:
        """Return the rules of a page's <style> elements that set a `wanted` property.

        Args:
            tree: The page.
            wanted: Names of properties.
        """
        sheet = cls()
        text = "\n".join(
            "".join(style.itertext())
            for style in tree.iter("style")
            if _applies((style.get("media") or "").casefold())
        )
        text = re.sub(r"<!--|-->", " ", text[:CSS_BYTES])
        found: list[tuple[str, Declarations]] = []
        for prelude, body in _rules_of(_COMMENT.sub("", text)):
            declarations = parse_declarations(body)
            sheet.variables |= {name: value for name, value, _ in declarations if name[:2] == "--"}
            kept = tuple(one for one in declarations if one[0] in wanted)
            if not kept:
                continue
            found.append((prelude, kept))
        # Most rules only place and size visible content: skip properties that never hide anything.
        hiding = {
            name for _, kept in found for name, value, _ in kept if not _is_harmless(name, value)
        }
        for prelude, kept in found:
            remaining = tuple(one for one in kept if one[0] in hiding)
            for selector in _selectors(prelude) if remaining else ():
                sheet._add(selector, remaining)
        return sheet

    def style_of(self, element: Any) -> dict[str, str]:
        """Return the winning properties of an element, including its style attribute."""
        won: dict[str, tuple[tuple[bool, Specificity, int], str]] = {}
        for rule in self._candidates(element):
            for name, value, important in rule.declarations:
                _set_if_stronger(won, name, value, (important, rule.specificity, rule.order))
        inline = element.get("style")
        if inline:
            for number, (name, value, important) in enumerate(parse_declarations(inline)):
                _set_if_stronger(won, name, value, (important, _INLINE, number))
        return {name: self._resolve_variables(value) for name, (_, value) in won.items()}

    def _add(self, selector: str, declarations: Declarations) -> None:
        compounds = parse_selector(selector)
        if not compounds:
            return
        last = compounds[-1]
        key = f"#{last.id}" if last.id else f".{last.classes[0]}" if last.classes else last.tag
        self._count += 1
        specificity = (
            0,
            sum(bool(one.id) for one in compounds),
            sum(len(one.classes) + len(one.attributes) + len(one.pseudo) for one in compounds),
            sum(bool(one.tag) for one in compounds),
        )
        rule = Rule(compounds, specificity, self._count, declarations)
        self.rules.setdefault(key, []).append(rule)

    def _candidates(self, element: Any) -> Iterator[Rule]:
        keys = {element.tag, "", f"#{element.get('id')}"}
        keys |= {f".{name}" for name in (element.get("class") or "").split()}
        for key in keys:
            for rule in self.rules.get(key, ()):
                if self._matches(rule, element):
                    yield rule

    def _matches(self, rule: Rule, element: Any) -> bool:
        self._count_step(1)
        if not rule.compounds[-1].matches(element, self._places):
            return False
        here = [element]
        for right, left in zip(rule.compounds[:0:-1], rule.compounds[-2::-1], strict=True):
            near = dict.fromkeys(self._related_elements(here, right.combinator))
            here = [one for one in near if left.matches(one, self._places)]
            if not here:
                return False
        return True

    def _related_elements(self, elements: list[Any], combinator: str) -> Iterator[Any]:
        for element in elements:
            for one in related_elements(element, combinator):
                self._count_step(1)
                yield one

    def _count_step(self, count: int) -> None:
        self._steps += count
        if self._steps > STEPS:
            raise TooComplexError("it has too many style rules to find hidden text")

    def _resolve_variables(self, value: str) -> str:
        for _ in range(5):
            if "var(" not in value or len(value) > 1000:
                break
            value = _VAR.sub(
                lambda found: self.variables.get(found.group(1), found.group(2) or ""), value
            )
        return value


def parse_declarations(text: str) -> Declarations:
    """Return the declarations of a rule body or style attribute: name, value, !important."""
    found = []
    for part in _split(_COMMENT.sub("", text), ";"):
        name, colon, value = part.partition(":")
        if not colon:
            continue
        name, value = unescape(name).strip().casefold(), unescape(value).strip().casefold()
        bare, mark, word = value.rpartition("!")
        if not mark or word.strip() != "important":
            bare = value
        bare = bare.rstrip()
        found.append((name, bare, bare != value))
    return tuple(found)


def _is_harmless(name: str, value: str) -> bool:
    hiding = _HIDES.get(name)
    return hiding is not None and not hiding.search(value)


def _set_if_stronger(
    won: dict[str, tuple[tuple[bool, Specificity, int], str]],
    name: str,
    value: str,
    rank: tuple[bool, Specificity, int],
) -> None:
    if name not in won or won[name][0] <= rank:
        won[name] = (rank, value)


def _rules_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the selectors and body of each rule, including those in at-rules for screens."""
    start = 0
    preludes: list[str] = []  # of the open blocks
    applies = [True]
    for at, char in _marks(text):
        if char == "{":
            prelude = text[start:at].strip()
            if preludes and not preludes[-1].startswith("@") and applies[-1]:
                yield preludes[-1], text[start:at].rpartition(";")[0]  # of nested rules
                prelude = text[start:at].rpartition(";")[2].strip()
                prelude = f"{preludes[-1]} {prelude}".replace(" &", "")
            prelude = prelude if len(preludes) < DEPTH else "@deeper"
            preludes.append(prelude)
            applies.append(applies[-1] and _block_applies(prelude))
        elif char == "}":
            if preludes:
                prelude = preludes.pop()
                if applies.pop() and not prelude.startswith("@"):
                    yield prelude, text[start:at]
        elif preludes and not preludes[-1].startswith("@"):
            continue  # a semicolon between declarations
        start = at + 1
    if preludes and applies[-1] and not preludes[-1].startswith("@"):
        yield preludes[-1], text[start:]


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """Yield braces and semicolons outside strings that aren't escaped."""
    for found in _MARKS.finditer(text):
        if found.group() in "{};":
            yield found.start(), found.group()


def _block_applies(prelude: str) -> bool:
    if not prelude.startswith("@"):
        return True
    name, _, query = prelude[1:].casefold().partition(" ")
    name = name.partition("(")[0]
    if name == "media":
        return _applies(query)
    return name in ("supports", "layer", "container", "scope", "starting-style")


def _applies(media: str) -> bool:
    """Return whether a media query applies to a desktop screen."""
    return not media.strip() or any(map(_one_applies, media.split(",")))


def _one_applies(query: str) -> bool:
    kind = re.sub(r"\(.*", "", query, flags=re.S).strip()
    negated = kind.startswith("not")
    medium = re.sub(r"\b(?:not|only|and|or)\b", " ", kind).strip()
    fits = medium in ("", "all", "screen")
    for name, value in _FEATURE.findall(query):
        number = re.match(r"\A\s*+([\d.]+)", value)
        pixels = float(number.group(1) or 0) if number and value.count(".") < 2 else 0.0
        pixels *= 16 if "em" in value else 1
        fits = fits and (
            (name == "min-width" and pixels <= 1200)
            or (name == "max-width" and pixels >= 1200)
            or name in ("min-height", "color", "hover", "pointer", "min-resolution")
        )
    return fits is not negated


def _selectors(prelude: str) -> list[str]:
    selectors = (one.strip() for one in _split(prelude, ","))
    return [each for one in selectors for each in _expand_alternatives(one)]


def _expand_alternatives(selector: str) -> list[str]:
    """Expand `:is()` and `:where()` into one selector per alternative."""
    done: list[str] = []
    todo = [selector]
    while todo and len(todo) + len(done) <= _ALTERNATIVES:
        one = todo.pop()
        found = _ANY_OF.search(one)
        if found is None:
            done.append(one)
            continue
        before, after = one[: found.start()], one[found.end() :]
        todo += [f"{before}{inner.strip()}{after}" for inner in found.group(1).split(",")]
    return done


def _split(text: str, mark: str) -> Iterator[str]:
    """Yield the parts between marks outside strings and brackets."""
    depth = start = 0
    pattern = rf"\\.|\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|[()\[\]]|{re.escape(mark)}"
    for found in re.finditer(pattern, text, re.S):
        char = found.group()
        if char in "([":
            depth += 1
        elif char in ")]":
            depth = max(0, depth - 1)
        elif char == mark and not depth:
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]
