"""What a user says the fields of an export are called, and how they are found in a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TARGETS = (
    *("id", "url", "title", "text", "summary", "publisher", "authors", "published", "updated"),
    *("section", "language", "kind", "access", "slugline", "urgency", "correction"),
)
_KEY_UP_TO = 500  # characters; a path through records takes time by the square of its dots


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Which key of a record holds which field: `(("title", "headline"), ...)`.

    A field that is named here is looked for there and nowhere else. A key with dots is the key
    of that name, or else leads into nested records, and through lists: `people.name` is
    everybody's name, `people.0.name` the first one's.

    `honours_exports` is whether the mark of Backfile's own exports counts: never in what was
    fetched, where anybody can write it.
    """

    keys: tuple[tuple[str, str], ...] = ()
    honours_exports: bool = field(default=True, compare=False)

    @classmethod
    def parse(cls, text: str) -> FieldMap:
        """Return the map that is written as `title=headline,published=meta.date`.

        Raises ValueError, with the known names, for a field that an article has not.
        """
        keys: dict[str, str] = {}
        for pair in text.split(","):
            target, equals, key = (part.strip() for part in pair.partition("="))
            if not equals or not key:
                raise ValueError(f"{pair.strip()!r} is not FIELD=KEY, as in title=headline")
            if target not in TARGETS:
                raise ValueError(f"unknown field {target!r}: known are {', '.join(TARGETS)}")
            if target in keys:
                raise ValueError(f"field {target!r} is named twice")
            if len(key) > _KEY_UP_TO:
                raise ValueError(f"the key of {target!r} is longer than {_KEY_UP_TO} characters")
            keys[target] = key
        return cls(tuple(keys.items()))

    def for_fetched(self) -> FieldMap:
        """Return the map for content that was fetched, in which the export mark is no mark."""
        return replace(self, honours_exports=False)

    def found(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each field that the map names; None where `record` has none."""
        return {target: _at(record, key) for target, key in self.keys}

    def key_of(self, target: str) -> str:
        """Return the key that holds `target`; nothing if the map does not say."""
        return dict(self.keys).get(target, "")


NO_MAP = FieldMap()


def _at(value: Any, key: str) -> Any:
    if isinstance(value, list | tuple):
        first, _, rest = key.partition(".")
        if first.isdecimal() and len(first) < 10:
            at = value[int(first)] if int(first) < len(value) else None
            return _at(at, rest) if rest else at
        inner = (_at(item, key) for item in value)
        return [found for found in inner if found is not None] or None
    if not isinstance(value, Mapping):
        return None
    if key in value:
        return value[key]
    parts = key.split(".")
    for end in range(len(parts) - 1, 0, -1):  # the longest key first: a key may have a dot itself
        head = ".".join(parts[:end])
        if head in value:
            return _at(value[head], ".".join(parts[end:]))
    return None
