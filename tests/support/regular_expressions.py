"""Every regular expression of the code, and strings from its parse tree that make it slow.

A pattern is slow if its time grows faster than its input: a failing match is tried in many ways,
or a search starts again at many places and reads far from each.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

PACKAGES = ("rag", "ingest", "ui")
_CALLS = ("compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_LONG = 3  # a repeat that can run so often is pumped
_TRIED = "aA1 \n\t-.,:\"'’“”([{<>)/_!?é…*#&@|é中"
_FAILING = "\x01"  # what hardly any pattern can end with
_ENDS = ("", "a!", "\n\x01")


@dataclass(frozen=True, slots=True)
class Pump:
    """Parts of a string of any length: a start, a repeated part, an end."""

    start: str
    repeated: str
    end: str
    as_bytes: bool = False

    def string(self, length: int) -> str | bytes:
        """Return about so many characters; whole repetitions, so that every length ends alike."""
        room = length - len(self.start) - len(self.end)
        text = self.start + self.repeated * max(1, room // len(self.repeated)) + self.end
        return text.encode("latin-1", "replace") if self.as_bytes else text


class _Word(str):
    """Placeholder for a local value in a pattern that is an f-string."""

    def __getattr__(self, _: str) -> _Word:
        return self

    def __call__(self, *_: object) -> _Word:
        return self


class _Names(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        builtins = importlib.import_module("builtins")
        return getattr(builtins, name) if hasattr(builtins, name) else _Word("Ab")


def seconds(call: Callable[[], object], times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        began = time.thread_time()
        call()
        best = min(best, time.thread_time() - began)
    return best


def modules() -> list[ModuleType]:
    """Return every module of the three packages."""
    found = []
    for package in PACKAGES:
        root = importlib.import_module(package)
        found.append(root)
        for info in pkgutil.walk_packages(root.__path__, f"{package}."):
            if not info.name.endswith("__main__"):
                found.append(importlib.import_module(info.name))
    return found


def patterns() -> dict[re.Pattern[Any], str]:
    """Return every pattern with its first place in the code.

    They are the compiled ones that modules and classes hold, in whatever containers, and those
    that are written in calls of `re`.
    """
    found: dict[re.Pattern[Any], str] = {}
    for module in modules():
        for name, value in vars(module).items():
            for pattern in _compiled_patterns(value, module.__name__, set()):
                found.setdefault(pattern, f"{module.__name__}.{name}")
        for line, pattern in _called_patterns(module):
            found.setdefault(pattern, f"{module.__name__}:{line}")
    return found


def _compiled_patterns(value: Any, module: str, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            for one in pair:
                yield from _compiled_patterns(one, module, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _compiled_patterns(one, module, seen)
    elif isinstance(value, type) and value.__module__ == module:
        for one in vars(value).values():
            yield from _compiled_patterns(one, module, seen)


def _called_patterns(module: ModuleType) -> Iterator[tuple[int, re.Pattern[Any]]]:
    """Yield the patterns in calls such as `re.search(rf"...")`, with their lines."""
    if module.__file__ is None:
        return
    with open(module.__file__, encoding="utf-8") as source:  # noqa: PTH123
        tree = ast.parse(source.read())
    names = _Names(vars(module))
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in _CALLS
        ):
            continue
        at = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(node.func.attr, 2)
        flags = [k.value for k in node.keywords if k.arg == "flags"] + node.args[at : at + 1]
        text = _evaluate(node.args[0], names)
        with contextlib.suppress(re.error):
            yield node.lineno, re.compile(text, _evaluate(flags[0], names) if flags else 0)


def _evaluate(node: ast.expr, names: _Names) -> Any:
    value = eval(compile(ast.Expression(node), "<pattern>", "eval"), {}, names)
    return str(value) if isinstance(value, str) else value


def pumps(pattern: re.Pattern[Any], limit: int = 0) -> list[Pump]:
    """Return pumps that could make `pattern` slow: all, or `limit` of them, evenly chosen.

    What leads to a repeat, then what it repeats many times over, then an end that fails. What is
    repeated is each character that it can take, those first that its neighbours take as well;
    each way through it; it with what follows it, and with all that leads to it.
    """
    ends = [*_ENDS, *_negated_characters(pattern)[:3]]
    found = []
    for i, (prefix, pumped, suffix) in enumerate(_pumps(pattern)):
        for end in (_FAILING, ends[i % len(ends)]) if not suffix else (suffix + _FAILING, suffix):
            found.append(Pump(prefix, pumped, end, isinstance(pattern.pattern, bytes)))
    found = list(dict.fromkeys(found))
    if not limit:
        return found
    # Repeats of one or two characters are cheap and find most: take all of them.
    first = [p for p in found if len(p.repeated) <= 2 and not p.start and p.end == _FAILING]
    rest = [p for p in found if p not in set(first)]
    step = max(1.0, len(rest) / limit)
    return first[:limit] + [rest[int(i * step)] for i in range(int(len(rest) / step))]


def _pumps(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    text = pattern.pattern
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    tree = parser.parse(text, pattern.flags & ~re.LOCALE & ~re.UNICODE)
    letters = list(dict.fromkeys([*_TRIED, *_literals(tree)]))
    seen = set()
    for pump in _of_sequence(list(tree), "", letters, ""):
        if pump[1] and pump not in seen:
            seen.add(pump)
            yield pump
            if pump[0]:
                short = ("", pump[1], pump[2])
                if short not in seen:
                    seen.add(short)
                    yield short


def _of_sequence(
    nodes: list[Any], prefix: str, letters: list[str], after: str
) -> Iterator[tuple[str, str, str]]:
    start = prefix
    led: list[str] = []
    for i, (op, value) in enumerate(nodes):
        lead = start + "".join(led)
        rest = nodes[i + 1 :]
        follows = "".join(_sample([node], letters) for node in rest[:2])
        if op in _REPEATS:
            low, high, body = value
            body = list(body)
            if high == ops.MAXREPEAT or high > _LONG:
                yield from _of_repeat(body, lead, "".join(led), follows, nodes, i, letters)
            yield from _of_sequence(body, lead, letters, follows + after)
            led.append(
                _sample(body, letters) * max(low, 1 if high and low == 0 and len(body) > 1 else low)
            )
        elif op is ops.SUBPATTERN:
            yield from _of_sequence(list(value[3]), lead, letters, follows + after)
            led.append(_sample(list(value[3]), letters))
        elif op is ops.ATOMIC_GROUP:
            yield from _of_sequence(list(value), lead, letters, follows + after)
            led.append(_sample(list(value), letters))
        elif op is ops.BRANCH:
            for branch in value[1]:
                yield from _of_sequence(list(branch), lead, letters, follows + after)
            led.append(_sample([(op, value)], letters))
        elif op in (ops.ASSERT, ops.ASSERT_NOT):
            yield from _of_sequence(list(value[1]), lead, letters, "")
            led.append(_sample([(op, value)], letters) if value[0] < 0 or not rest else "")
        else:
            led.append(_sample([(op, value)], letters))
        if i < len(nodes) - 1 and len("".join(led)) > 1:
            yield start, "".join(led), ""
            yield "", start + "".join(led), ""
    whole = "".join(led)
    if whole:
        yield start, whole, ""
        yield start, whole + " ", ""


def _of_repeat(
    body: list[Any],
    lead: str,
    own: str,
    follows: str,
    nodes: list[Any],
    i: int,
    letters: list[str],
) -> Iterator[tuple[str, str, str]]:
    neighbours = [
        set(_accepted_letters(nodes[j : j + 1], letters))
        for j in (i - 1, i + 1)
        if 0 <= j < len(nodes)
    ]
    taken = _accepted_letters(body, letters)
    shared = [c for c in taken if any(c in n for n in neighbours)]
    for letter in dict.fromkeys([*shared, *taken[:14], *taken[-3:]]):
        yield lead, letter, ""
    word = next((c for c in taken if c.isalnum()), "")
    for other in [c for c in taken if not c.isalnum()][:3] if word else ():  # a boundary in each
        yield "", word + other, ""
    for way in _ways(body, letters):
        yield lead, way, ""
        yield lead, way, follows
        if follows:
            yield lead, way + follows, ""
        if own:
            yield lead, own + way, ""
            yield lead, own + way * 20, ""
        yield lead, way + " ", ""


def _accepted_letters(nodes: list[Any], letters: list[str]) -> list[str]:
    """Return the letters that a match of these nodes may contain."""
    out: list[str] = []
    for op, value in nodes:
        if op is ops.LITERAL:
            out.append(chr(value))
        elif op is ops.NOT_LITERAL:
            out += [c for c in letters if ord(c) != value]
        elif op is ops.ANY:
            out += [c for c in letters if c != "\n"]
        elif op is ops.IN:
            out += [c for c in letters if _in(value, c)]
        elif op not in (ops.ASSERT, ops.ASSERT_NOT):
            for inner in _inside(op, value):
                out += _accepted_letters(list(inner), letters)
    return list(dict.fromkeys(out))


def _ways(nodes: list[Any], letters: list[str]) -> list[str]:
    """Return a few strings that these nodes match: by each branch, short and longer."""
    out = [_sample(nodes, letters), _sample(nodes, letters, more=True)]
    for i, (op, value) in enumerate(nodes):
        asserts = op in (ops.ASSERT, ops.ASSERT_NOT)
        inner = [] if asserts else [list(one) for one in _inside(op, value)]
        before, after = _sample(nodes[:i], letters), _sample(nodes[i + 1 :], letters)
        for one in inner:
            out += [before + way + after for way in _ways(one, letters)[:6]]
        if op is ops.IN:
            out += [before + c + after for c in _accepted_letters([(op, value)], letters)[:8]]
    return [way for way in dict.fromkeys(out) if way][:24]


def _sample(nodes: list[Any], letters: list[str], *, more: bool = False) -> str:
    """Return one string that these nodes match, with each repeat as short as possible."""
    out = []
    for op, value in nodes:
        if op is ops.LITERAL:
            out.append(chr(value))
        elif op in (ops.IN, ops.NOT_LITERAL, ops.ANY):
            out.append((_accepted_letters([(op, value)], letters) or ["a"])[0])
        elif op in _REPEATS:
            low = max(value[0], 1 if more else 0)
            out.append(_sample(list(value[2]), letters, more=more) * low)
        elif op is ops.SUBPATTERN:
            out.append(_sample(list(value[3]), letters, more=more))
        elif op is ops.ATOMIC_GROUP:
            out.append(_sample(list(value), letters, more=more))
        elif op is ops.BRANCH:
            ways = [_sample(list(branch), letters, more=more) for branch in value[1]]
            out.append(next((way for way in ways if way), ""))
        elif op is ops.ASSERT:
            out.append(_sample(list(value[1]), letters, more=more))
    return "".join(out)


def _in(items: list[Any], letter: str) -> bool:
    negated = bool(items) and items[0][0] is ops.NEGATE
    found = False
    for op, value in items:
        if op is ops.LITERAL:
            found |= ord(letter) == value
        elif op is ops.RANGE:
            found |= value[0] <= ord(letter) <= value[1]
        elif op is ops.CATEGORY:
            found |= _CATEGORIES[value].match(letter) is not None
    return found != negated


_CATEGORIES = {
    ops.CATEGORY_DIGIT: re.compile(r"\d"),
    ops.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    ops.CATEGORY_SPACE: re.compile(r"\s"),
    ops.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    ops.CATEGORY_WORD: re.compile(r"\w"),
    ops.CATEGORY_NOT_WORD: re.compile(r"\W"),
}


def _negated_characters(pattern: re.Pattern[Any]) -> list[str]:
    """Return the characters of the pattern's negated classes, at which such repeats end."""
    text = (
        pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    )
    negated = re.findall(r"\[\^((?:\\.|[^\]\\])+)\]", text)
    return list(dict.fromkeys(c for inside in negated for c in inside if c not in "\\wsWSdD"))


def _literals(nodes: Any) -> list[str]:
    """Return the characters that a pattern names, and the ends of its ranges."""
    out: list[str] = []
    for op, value in nodes:
        if op in (ops.LITERAL, ops.NOT_LITERAL):
            out.append(chr(value))
        elif op is ops.RANGE:
            out += map(chr, value)
        elif op is ops.IN:
            out += _literals(value)
        else:
            for inner in _inside(op, value):
                out += _literals(inner)
    return out


def _inside(op: Any, value: Any) -> list[Any]:
    """Return the sequences inside a node of the tree."""
    if op in _REPEATS:
        return [value[2]]
    if op is ops.SUBPATTERN:
        return [value[3]]
    if op is ops.ATOMIC_GROUP:
        return [value]
    if op is ops.BRANCH:
        return list(value[1])
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return [value[1]]
    return []
