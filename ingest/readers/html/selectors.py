"""CSS selectors: parsed into compounds, and matched against elements of a page."""

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


class Places:
    """How many siblings stand before and after an element, counted once for each parent."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, str], dict[Any, tuple[int, int]]] = {}

    def of(self, element: Any, tag: str = "") -> tuple[int, int]:
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
    """What a selector says of one element, and how the one before it stands to it."""

    tag: str = ""
    id: str = ""
    classes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str, str], ...] = ()
    pseudo: tuple[tuple[str, str], ...] = ()
    combinator: str = ""  # to the compound on the left: " ", ">", "+" or "~"

    def matches(self, element: Any, places: Places) -> bool:
        if self.tag and element.tag != self.tag:
            return False
        if self.id and element.get("id") != self.id:
            return False
        if self.classes and not {*self.classes} <= {*(element.get("class") or "").split()}:
            return False
        return all(_has(element, *one) for one in self.attributes) and all(
            _is_pseudo(element, *one, places) for one in self.pseudo
        )


@lru_cache(maxsize=4096)
def parse_selector(selector: str) -> tuple[Compound, ...]:
    """Return the compounds of a selector; none where it has a part that isn't known here."""
    selector = _ESCAPE.sub(_as_letter, selector)
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
    tags = [_name(part["tag"]).casefold() for part in parts if part["tag"]]
    pseudo = tuple(
        (part["pseudo"].casefold(), (part["args"] or "")[1:-1]) for part in parts if part["pseudo"]
    )
    if not parts or not all(map(_is_known, pseudo)):
        return None
    return Compound(
        tag="".join(tags).replace("*", ""),
        id=next((_name(part["id"]) for part in parts if part["id"]), ""),
        classes=tuple(_name(part["cls"]) for part in parts if part["cls"]),
        attributes=tuple(
            (part["attr"].casefold(), part["op"] or "", _name((part["val"] or "").strip("\"'")))
            for part in parts
            if part["attr"]
        ),
        pseudo=pseudo,
        combinator=combinator,
    )


def _as_letter(escape: re.Match[str]) -> str:
    """Return an escaped character as one that may stand in a name; `_name` turns it back."""
    char = unescaped(escape.group())
    return char if char.isalnum() or ord(char) > 0x7F else chr(0xE000 + ord(char))


def _name(name: str) -> str:
    return re.sub("[\ue000-\ue07f]", lambda found: chr(ord(found.group()) - 0xE000), name)


def unescaped(text: str) -> str:
    """Return CSS text with its escapes undone: `d\\69splay` is display."""
    if "\\" not in text:
        return text

    def char(found: re.Match[str]) -> str:
        if found.group(1):
            code = int(found.group(1), 16)
            return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "�"
        return found.group(2)

    return _ESCAPE.sub(char, text)


def _is_known(pseudo: tuple[str, str]) -> bool:
    return pseudo[0] in _PSEUDO and (pseudo[0] != ":not" or bool(parse_selector(pseudo[1])))


_PSEUDO = frozenset(
    ":root :first-child :last-child :only-child :nth-child :nth-last-child :first-of-type "
    ":last-of-type :nth-of-type :empty :not :link :any-link".split()
)


def _is_pseudo(element: Any, name: str, args: str, places: Places) -> bool:
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


def _has(element: Any, name: str, op: str, value: str) -> bool:
    held = element.get(name)
    if held is None:
        return False
    tests: Mapping[str, bool] = {
        "": True,
        "=": held == value,
        "~=": value in held.split(),
        "|=": held == value or held.startswith(f"{value}-"),
        "^=": bool(value) and held.startswith(value),
        "$=": bool(value) and held.endswith(value),
        "*=": bool(value) and value in held,
    }
    return tests[op]


def related(element: Any, combinator: str) -> Iterator[Any]:
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
