"""Changes that are held until the operator decides, and the hosts that articles were fetched from.

A change is held where its origin has no say over the article: another publisher's page, or a kill
from a source that may not kill. What is held is stored whole, so that what is let in later is
exactly what was looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rag.store.database import Database

Action = Literal["put", "withdraw"]

# Whoever serves a feed decides how much is held: bounds keep it from filling the disk or the list.
MOST_HELD = 2_000
MOST_OF_AN_ORIGIN = 200  # one host can't take all the room
HELD_CHARACTERS = 64_000_000


@dataclass(frozen=True, slots=True)
class HeldChange:
    """One change that waits for the operator.

    `id` is the hash of what it would do; `origin` the host it was fetched from, "" for a file;
    `content` the article as JSON for "put", the publisher's words for "withdraw".
    """

    id: str
    place: str
    source: str
    reason: str
    at: datetime
    action: Action
    article_id: str
    origin: str
    content: str


_COLUMNS = "id, place, source, reason, at, action, article_id, origin, content"


class HeldChanges:
    """The changes that an archive holds, one for each article and source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[HeldChange]:
        """Return every held change, by source and place."""
        rows = self._database.connection.execute(
            f"SELECT {_COLUMNS} FROM held ORDER BY source, place, id"
        )
        return [_read(row) for row in rows]

    def named(self, held_id: str) -> HeldChange | None:
        """Return the held change of this id; None where there is none."""
        row = self._database.connection.execute(
            f"SELECT {_COLUMNS} FROM held WHERE id = ?", (held_id,)
        ).fetchone()
        return _read(row) if row else None

    def save(self, change: HeldChange) -> bool:
        """Hold a change, in the place of what its source wanted of that article before.

        Returns False, and holds nothing, where there is no room for it.
        """
        connection = self._database.connection
        with self._database.transaction():
            connection.execute(
                "DELETE FROM held WHERE id = :id OR (source = :source AND action = :action "
                "AND article_id = :article_id)",
                {
                    "id": change.id,
                    "source": change.source,
                    "action": change.action,
                    "article_id": change.article_id,
                },
            )
            count, of_origin, characters = connection.execute(
                "SELECT count(*), ifnull(sum(origin = ?), 0), ifnull(sum(length(content)), 0) "
                "FROM held",
                (change.origin,),
            ).fetchone()
            if (
                count >= MOST_HELD
                or (change.origin and of_origin >= MOST_OF_AN_ORIGIN)
                or characters + len(change.content) > HELD_CHARACTERS
            ):
                return False
            connection.execute(
                f"INSERT INTO held ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(change.id, change.place, change.source, change.reason),
                    *(change.at.isoformat(), change.action, change.article_id, change.origin),
                    change.content,
                ),
            )
        return True

    def drop(self, held_ids: Iterable[str]) -> int:
        """Forget held changes, and the rejects that tell of them; return how many there were."""
        dropped = 0
        with self._database.transaction():
            for held_id in held_ids:
                self._database.connection.execute(
                    "DELETE FROM rejects WHERE place IN (SELECT place FROM held WHERE id = ?)",
                    (held_id,),
                )
                cursor = self._database.connection.execute(
                    "DELETE FROM held WHERE id = ?", (held_id,)
                )
                dropped += cursor.rowcount
        return dropped

    def settle(self, went_in: Mapping[str, str]) -> None:
        """Forget what was held of articles that have gone in since, by id, from the same host."""
        connection = self._database.connection
        if went_in and connection.execute("SELECT 1 FROM held LIMIT 1").fetchone():
            with self._database.transaction():
                connection.executemany(
                    "DELETE FROM held WHERE article_id = ? AND origin = ?", list(went_in.items())
                )

    def is_withdrawn(self, article_id: str) -> bool:
        """Return whether an article has been taken down."""
        row = self._database.connection.execute(
            "SELECT 1 FROM withdrawals WHERE article_id = ?", (article_id,)
        ).fetchone()
        return row is not None


class ArticleOrigins:
    """Which host an article was first fetched from; none for those of the operator's files."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, article_id: str) -> str:
        """Return the host that an article was fetched from, "" where it came from a file."""
        row = self._database.connection.execute(
            "SELECT host FROM origins WHERE article_id = ?", (article_id,)
        ).fetchone()
        return str(row[0]) if row else ""

    def save(self, hosts: Mapping[str, str]) -> None:
        """Remember where new articles were fetched from, by id; those known keep their host."""
        if hosts:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT OR IGNORE INTO origins VALUES (?, ?)", list(hosts.items())
                )

    def replace(self, hosts: Mapping[str, str]) -> None:
        """Remember other hosts for articles, by id, than they were first fetched from."""
        if hosts:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT OR REPLACE INTO origins VALUES (?, ?)", list(hosts.items())
                )


def _read(row: tuple[str, ...]) -> HeldChange:
    held_id, place, source, reason, at, action, article_id, origin, content = row
    return HeldChange(
        held_id, place, source, reason, datetime.fromisoformat(at),
        "put" if action == "put" else "withdraw", article_id, origin, content,
    )  # fmt: skip
