"""Reader: who sends a request, and what they may do and see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rag.rights import ALL_RIGHTS, Rights

Scope = Literal["read", "ingest", "admin"]
Obstacle = Literal["unknown token", "no token", "not local", "other site", "nobody writes"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "ingest", "admin")


@dataclass(frozen=True, slots=True)
class Reader:
    """The sender of a request.

    Attributes:
        id: What counts, limits and logs call them; the owner of what they save.
        scopes: What they may do: "read" to search and ask, "ingest" to add and remove articles,
            "admin" to read metrics and, with "ingest", to erase. One doesn't include another.
        rights: What they may see.
        name: What people call them; "" without users.
        obstacle: Without users, why a request may only read; None if it may do more.
    """

    id: str
    scopes: frozenset[Scope]
    rights: Rights
    name: str = ""
    obstacle: Obstacle | None = None

    def may(self, scope: Scope) -> bool:
        """Return whether they may do what needs a scope."""
        return scope in self.scopes

    @property
    def may_add(self) -> bool:
        """True if they may add articles: one may replace any other, so they must see them all."""
        return self.may("ingest") and self.rights.sees_everything


# Without users: anybody who can reach the page on this machine, and the holder of its token.
LOCAL_VISITOR: Final = Reader("local", frozenset({"read"}), Rights())
LOCAL_ADMINISTRATOR: Final = Reader("local", frozenset(SCOPES), ALL_RIGHTS)
