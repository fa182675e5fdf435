"""CSS selectors, parsed into compounds and matched against elements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|([^\n0-9a-fA-F]))")
_NAME = r"[\w\u0080-\U0010ffff-]+"
_SIMPLE = re.compile(
    rf"(?P<tag>\*|{_NAME})|\.(?P<cls>{_NAME})|\#(?P<id>{_NAME})"
    rf"|\[\s*+(?P<attr>{_NAME}+)\s*+(?:(?P<op>[~|^$*]?=)\s*+(?P<val>\"[^\"]*+\"|'[^']*+'|[^\]\s]*+)"
    r"\s*+[iIsS]?\s*+)?\]"
    rf"|(?P<pseudo>::?{_NAME})(?P<args>\([^()]*\))?"
)
_COMBINATOR = re.compile(r"\s*([>+~])\s*|\s+")


class SiblingPositions:
    """Numbers of siblings before and after an element, counted once per parent."""

    def __init__(self) -> None:
        """Create an empty cache."""
        self._known: dict[tuple[Any, str], dict[Any, tuple[int, int]]] = {}

    def of(self, element: Any, tag: str = "") -> tuple[int, int]:
        """Return the numbers of siblings before and after `element`, optionally with one tag."""
        parent = element.getparent()
        if parent is None:
            return 0, 0
        if (parent, tag) not in self._known:
            children = [one for one in parent if isinstance(one.tag, str) and tag in ("", one.tag)]
            self._known[parent, tag] = {
                one: (number, len(children) - number - 1) for number, one in enumerate(children)
            }
        return self._known[parent, tag].get(element, (0, 0))


@dataclass(frozen=True, slots=True)
class Compound:
    """Conditions on one element, and its relation to the compound on the left."""

    tag: str = ""
    id: str = ""
    classes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str, str], ...] = ()
    pseudo: tuple[tuple[str, str], ...] = ()
    combinator: str = ""  # to the compound on the left: " ", ">", "+" or "~"

    def matches(self, element: Any, places: SiblingPositions) -> bool:
        """Return whether an element meets the conditions."""
        if self.tag and element.tag != self.tag:
            return False
        if self.id and element.get("id") != self.id:
            return False
        if self.classes and not {*self.classes} <= {*(element.get("class") or "").split()}:
            return False
        return all(_attribute_matches(element, *one) for one in self.attributes) and all(
            _is_pseudo(element, *one, places) for one in self.pseudo
        )


@lru_cache(maxsize=4096)
def parse_selector(selector: str) -> tuple[Compound, ...]:
    """Return the compounds of a selector; empty if it has an unsupported part."""
    selector = _ESCAPE.sub(_escape_to_letter, selector)
    compounds: list[Compound] = []
    at, combinator = 0, ""
    while at < len(selector):
        found: list[re.Match[str]] = []
        while part := _SIMPLE.match(selector, at):
            found.append(part)
            at = part.end()
        compound = _compound(found, combinator)
        if compound is None:
            return ()
        compounds.append(compound)
        between = _COMBINATOR.match(selector, at)
        if not between:
            return tuple(compounds) if at == len(selector) else ()
        combinator, at = between.group(1) or " ", between.end()
    return tuple(compounds)


def _compound(parts: list[re.Match[str]], combinator: str) -> Compound | None:
    tags = [_restore_escapes(part["tag"]).casefold() for part in parts if part["tag"]]
    pseudo = tuple(
        (part["pseudo"].casefold(), (part["args"] or "")[1:-1]) for part in parts if part["pseudo"]
    )
    if not parts or not all(map(_is_supported, pseudo)):
        return None
    return Compound(
        tag="".join(tags).replace("*", ""),
        id=next((_restore_escapes(part["id"]) for part in parts if part["id"]), ""),
        classes=tuple(_restore_escapes(part["cls"]) for part in parts if part["cls"]),
        attributes=tuple(
            (
                part["attr"].casefold(),
                part["op"] or "",
                _restore_escapes((part["val"] or "").strip("\"'")),
            )
            for part in parts
            if part["attr"]
        ),
        pseudo=pseudo,
        combinator=combinator,
    )


def _escape_to_letter(escape: re.Match[str]) -> str:
    """Return an escaped character as a letter, which `_restore_escapes` reverses."""
    char = unescape(escape.group())
    return char if char.isalnum() or ord(char) > 0x7F else chr(0xE000 + ord(char))


def _restore_escapes(name: str) -> str:
    return re.sub("[\ue000-\ue07f]", lambda found: chr(ord(found.group()) - 0xE000), name)


def unescape(text: str) -> str:
    r"""Return CSS text with escapes undone: `d\69splay` is display."""
    if "\\" not in text:
        return text

    def char(found: re.Match[str]) -> str:
        if found.group(1):
            code = int(found.group(1), 16)
            return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "�"
        return found.group(2)

    return _ESCAPE.sub(char, text)


def _is_supported(pseudo: tuple[str, str]) -> bool:
    return pseudo[0] in _PSEUDO and (pseudo[0] != ":not" or bool(parse_selector(pseudo[1])))


_PSEUDO = frozenset(
    ":root :first-child :last-child :only-child :nth-child :nth-last-child :first-of-type "
    ":last-of-type :nth-of-type :empty :not :link :any-link".split()
)


def _is_pseudo(element: Any, name: str, args: str, places: SiblingPositions) -> bool:
    if name == ":not":
        (*_, last) = parse_selector(args)
        return not last.matches(element, places)
    if name == ":root":
        return element.getparent() is None
    if name in (":link", ":any-link"):
        return element.get("href") is not None
    if name == ":empty":
        return len(element) == 0 and not element.text
    before, after = places.of(element, element.tag if name.endswith("of-type") else "")
    if name == ":only-child":
        return not before and not after
    if name.startswith(":first"):
        return not before
    if name.startswith(":last"):
        return not after
    return _is_nth(args, (after if "last" in name else before) + 1)


def _is_nth(formula: str, place: int) -> bool:
    formula = re.sub(r"\s", "", formula).casefold()
    formula = {"odd": "2n+1", "even": "2n"}.get(formula, formula)
    found = re.fullmatch(r"([+-]?\d{0,6})n([+-]\d{1,6})?|([+-]?\d{1,6})", formula)
    if not found:
        return False
    if found.group(3):
        return place == int(found.group(3))
    step = int({"": "1", "+": "1", "-": "-1"}.get(found.group(1), found.group(1)))
    off = place - int(found.group(2) or 0)
    return off == 0 if step == 0 else off % step == 0 and off // step >= 0


def _attribute_matches(element: Any, name: str, op: str, value: str) -> bool:
    actual = element.get(name)
    if actual is None:
        return False
    tests: Mapping[str, bool] = {
        "": True,
        "=": actual == value,
        "~=": value in actual.split(),
        "|=": actual == value or actual.startswith(f"{value}-"),
        "^=": bool(value) and actual.startswith(value),
        "$=": bool(value) and actual.endswith(value),
        "*=": bool(value) and value in actual,
    }
    return tests[op]


def related_elements(element: Any, combinator: str) -> Iterator[Any]:
    """Yield the elements that a combinator relates to `element`, nearest first."""
    if combinator == " ":
        yield from element.iterancestors()
    elif combinator == ">":
        if element.getparent() is not None:
            yield element.getparent()
    else:
        for sibling in element.itersiblings(preceding=True):
            if isinstance(sibling.tag, str):
                yield sibling
                if combinator == "+":
                    break
