"""User-defined field names (`--map`), and their lookup in a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TARGETS = (
    *("id", "url", "title", "text", "summary", "publisher", "authors", "published", "updated"),
    *("section", "language", "kind", "access", "slugline", "urgency", "correction"),
)
_KEY_UP_TO = 500  # characters; looking up a path is quadratic in its dots


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Map from fields to the keys of a record: `(("title", "headline"), ...)`.

    A mapped field is only looked up under its key. A key with dots is either the name of a key, or
    a path into nested records and lists: `people.name` is everyone's name, `people.0.name` the
    first.

    Attributes:
        keys: Pairs of field and key.
        accepts_export_marker: Whether records with the export marker are taken verbatim; false for
            fetched content, which anyone can mark.
    """

    keys: tuple[tuple[str, str], ...] = ()
    accepts_export_marker: bool = field(default=True, compare=False)

    @classmethod
    def parse(cls, text: str) -> FieldMap:
        """Parse `title=headline,published=meta.date`.

        Raises:
            ValueError: The syntax is wrong or a field is unknown.
        """
        keys: dict[str, str] = {}
        for pair in text.split(","):
            target, equals, key = (part.strip() for part in pair.partition("="))
            if not equals or not key:
                raise ValueError(f"{pair.strip()!r} is not FIELD=KEY, as in title=headline")
            if target not in TARGETS:
                raise ValueError(f"unknown field {target!r}: use {', '.join(TARGETS)}")
            if target in keys:
                raise ValueError(f"field {target!r} is named twice")
            if len(key) > _KEY_UP_TO:
                raise ValueError(f"the key of {target!r} is longer than {_KEY_UP_TO} characters")
            keys[target] = key
        return cls(tuple(keys.items()))

    def for_fetched(self) -> FieldMap:
        """Return the map for fetched content, which ignores the export marker."""
        return replace(self, accepts_export_marker=False)

    def values_in(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each mapped field; None if `record` has none."""
        return {target: _look_up(record, key) for target, key in self.keys}

    def key_of(self, target: str) -> str:
        """Return the key mapped to `target`; "" if missing."""
        return dict(self.keys).get(target, "")


NO_MAP = FieldMap()


def _look_up(value: Any, key: str) -> Any:
    if isinstance(value, list | tuple):
        first, _, rest = key.partition(".")
        if first.isdecimal() and len(first) < 10:
            at = value[int(first)] if int(first) < len(value) else None
            return _look_up(at, rest) if rest else at
        inner = (_look_up(item, key) for item in value)
        return [found for found in inner if found is not None] or None
    if not isinstance(value, Mapping):
        return None
    if key in value:
        return value[key]
    parts = key.split(".")
    for end in range(len(parts) - 1, 0, -1):  # longest key first, because a key may contain a dot
        head = ".".join(parts[:end])
        if head in value:
            return _look_up(value[head], ".".join(parts[end:]))
    return None
