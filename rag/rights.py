"""Rights: what a reader may see of an archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

from rag.errors import InvalidValueError
from rag.validation import validate_names


class Everything(Enum):
    """The value that stands for every name, present and future; never an empty tuple."""

    ALL = "everything"


ALL: Final = Everything.ALL
Names = tuple[str, ...] | Literal[Everything.ALL]


@dataclass(frozen=True, slots=True)
class Rights:
    """Conditions on the articles that a reader may see; an article must pass all three.

    Case is ignored. An empty tuple grants nothing; `ALL` grants everything. An article without a
    publisher or a section passes only where that field is `ALL`.

    Attributes:
        publishers: The publishers whose articles the reader may see.
        sections: The sections whose articles the reader may see.
        access: The rights that the reader has. An article that needs a right passes if it is among
            them; one that needs none always does.

    Raises:
        InvalidValueError: A field is neither `ALL` nor names.
    """

    publishers: Names = ALL
    sections: Names = ALL
    access: Names = ()

    def __post_init__(self) -> None:
        """Validate and normalise the fields; raises InvalidValueError."""
        for name in ("publishers", "sections", "access"):
            given = getattr(self, name)
            if given is not ALL:
                named = {one.casefold() for one in validate_names(given, f"Rights.{name}")}
                object.__setattr__(self, name, tuple(sorted(named - {""})))

    @property
    def sees_everything(self) -> bool:
        """True if these rights allow reading every article."""
        return self.publishers is ALL and self.sections is ALL and self.access is ALL

    def allow(self, *, publisher: str, section: str, access: str) -> bool:
        """Return whether these rights allow reading an article.

        Args:
            publisher: The article's publisher, "" if it has none.
            section: The article's section, "" if it has none.
            access: The right that the article needs, "" for none.
        """
        return (
            _has(self.publishers, publisher)
            and _has(self.sections, section)
            and (not access or _has(self.access, access))
        )

    def intersection(self, other: Rights) -> Rights:
        """Return rights that allow an article only where both do."""
        return self._combined(other, _in_both)

    def union(self, other: Rights) -> Rights:
        """Return rights whose every field has the names of both.

        They may allow an article that neither of the two does: a publisher of one and a section of
        the other.
        """
        return self._combined(other, _in_either)

    def _combined(self, other: Rights, combine: Callable[[Names, Names], Names]) -> Rights:
        return Rights(
            publishers=combine(self.publishers, other.publishers),
            sections=combine(self.sections, other.sections),
            access=combine(self.access, other.access),
        )

    def to_dict(self) -> dict[str, str | list[str]]:
        """Return the rights as a dict of JSON's types, "everything" for `ALL`."""
        return {
            name: ALL.value if value is ALL else list(value)
            for name, value in (
                ("publishers", self.publishers),
                ("sections", self.sections),
                ("access", self.access),
            )
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rights:
        """Return the rights that `to_dict` converted to `data`; a missing field grants nothing.

        Raises:
            InvalidValueError: A field is neither "everything" nor a list of names.
        """
        found: dict[str, Any] = {}
        for name in ("publishers", "sections", "access"):
            value = data.get(name, [])
            if value != ALL.value and not isinstance(value, list | tuple):
                raise InvalidValueError(f"Rights.{name} is {value!r}, not names or {ALL.value!r}.")
            found[name] = ALL if value == ALL.value else value
        return cls(**found)


ALL_RIGHTS: Final = Rights(access=ALL)  # for the archive's operator
Access = tuple[str, ...] | Rights


def rights_of(access: Access) -> Rights:
    """Return the rights that a filter's `access` stands for."""
    return access if isinstance(access, Rights) else Rights(access=access)


def _has(names: Names, name: str) -> bool:
    return names is ALL or name.casefold() in names


def _in_both(some: Names, others: Names) -> Names:
    if some is ALL or others is ALL:
        return others if some is ALL else some
    return tuple(set(some) & set(others))


def _in_either(some: Names, others: Names) -> Names:
    return ALL if some is ALL or others is ALL else (*some, *others)
