"""Changes held for the operator's decision, and the hosts that articles were fetched from.

A change is held if its source has no authority over the article: another publisher's page, or a
takedown from a source that may not withdraw. Its full content is stored, so that the operator
accepts exactly what was reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rag.store.database import Database

Action = Literal["put", "withdraw"]

# The server of a feed decides how much is held: these limits keep it from filling the disk.
MOST_HELD = 2_000
MOST_OF_AN_ORIGIN = 200  # of one host
HELD_CHARACTERS = 64_000_000


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change that waits for the operator's decision.

    `id` is the hash of its effect; `origin` the host it was fetched from, "" for a file; `content`
    the article as JSON for "put", the publisher's statement for "withdraw".
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
    """The held changes of an archive, one for each article, source and action."""

    def __init__(self, database: Database) -> None:
        """Read and write the held changes of a database."""
        self._database = database

    def all(self) -> list[HeldChange]:
        """Return every held change, by source and place."""
        rows = self._database.connection.execute(
            f"SELECT {_COLUMNS} FROM held ORDER BY source, place, id"  # nosec B608 # names of our schema, values bound
        )
        return [_read(row) for row in rows]

    def get(self, held_id: str) -> HeldChange | None:
        """Return the held change with this id; None if there isn't one."""
        row = self._database.connection.execute(
            f"SELECT {_COLUMNS} FROM held WHERE id = ?",  # nosec B608 # names of our schema, values bound
            (held_id,),
        ).fetchone()
        return _read(row) if row else None

    def save(self, change: HeldChange) -> bool:
        """Hold a change, replacing an earlier one by its source to the same article.

        Returns:
            False, without holding it, if a limit has been reached.
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
                "SELECT count(*), count(*) FILTER (WHERE origin = ?), "
                "coalesce(sum(length(content)), 0) FROM held",
                (change.origin,),
            ).fetchone()
            if (
                count >= MOST_HELD
                or (change.origin and of_origin >= MOST_OF_AN_ORIGIN)
                or characters + len(change.content) > HELD_CHARACTERS
            ):
                return False
            connection.execute(
                f"INSERT INTO held ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # nosec B608 # names of our schema, values bound
                (
                    *(change.id, change.place, change.source, change.reason),
                    *(change.at.isoformat(), change.action, change.article_id, change.origin),
                    change.content,
                ),
            )
        return True

    def drop(self, held_ids: Iterable[str]) -> int:
        """Delete held changes and their rejects; return the number of changes deleted."""
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

    def discard_added(self, added: Mapping[str, str]) -> None:
        """Delete held changes of articles that were since added from the same host.

        Args:
            added: Host by article id.
        """
        connection = self._database.connection
        if added and connection.execute("SELECT 1 FROM held LIMIT 1").fetchone():
            with self._database.transaction():
                connection.executemany(
                    "DELETE FROM held WHERE article_id = ? AND origin = ?", list(added.items())
                )

    def is_withdrawn(self, article_id: str) -> bool:
        """Return True if an article has been withdrawn."""
        row = self._database.connection.execute(
            "SELECT 1 FROM withdrawals WHERE article_id = ?", (article_id,)
        ).fetchone()
        return row is not None


class ArticleOrigins:
    """The host each article was first fetched from; articles from local files have none."""

    def __init__(self, database: Database) -> None:
        """Read and write the hosts of a database."""
        self._database = database

    def of(self, article_id: str) -> str:
        """Return the host that an article was fetched from; "" if it came from a file."""
        row = self._database.connection.execute(
            "SELECT host FROM origins WHERE article_id = ?", (article_id,)
        ).fetchone()
        return str(row[0]) if row else ""

    def save(self, hosts: Mapping[str, str]) -> None:
        """Save the hosts of new articles, by id; known articles keep theirs."""
        if hosts:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT INTO origins VALUES (?, ?) ON CONFLICT DO NOTHING", list(hosts.items())
                )

    def replace(self, hosts: Mapping[str, str]) -> None:
        """Save the hosts of articles, by id, replacing known ones."""
        if hosts:
            with self._database.transaction():
                self._database.connection.executemany(
                    "INSERT INTO origins VALUES (?, ?) "
                    "ON CONFLICT (article_id) DO UPDATE SET host = excluded.host",
                    list(hosts.items()),
                )


def _read(row: tuple[str, ...]) -> HeldChange:
    held_id, place, source, reason, at, action, article_id, origin, content = row
    return HeldChange(
        held_id, place, source, reason, datetime.fromisoformat(at),
        "put" if action == "put" else "withdraw", article_id, origin, content,
    )  # fmt: skip
