"""Mending the record: what belongs to nothing goes, and lost vectors are written again."""

from __future__ import annotations

from collections.abc import Sequence

from rag.store.articles import digest_of, embedding_text, fingerprint
from rag.store.database import Database
from rag.store.integrity import DROPPED, ORPHANS, misdated
from rag.store.migrations import drop_foreign_objects
from rag.store.passages import Vectors
from rag.store.rows import HEAD, read_article, read_live


def discard_orphans(database: Database) -> None:
    """Take out of the record what belongs to nothing that is in it."""
    with database.transaction():
        for table, which, *_ in ORPHANS:
            database.connection.execute(f"DELETE FROM {table} WHERE {which}")


def drop_triggers_and_views(database: Database) -> None:
    """Drop the triggers and views of the record: no version of Backfile makes any."""
    with database.transaction():
        drop_foreign_objects(database.connection, DROPPED)


def remove_impossible_dates(database: Database) -> None:
    """Take the dates out of the record that are none; each article stays, undated."""
    with database.transaction():
        for key, _, published, updated in misdated(database):
            database.connection.execute(
                "UPDATE revisions SET published = ?, updated = ?, "
                "published_at = iif(? IS NULL, NULL, published_at) WHERE id = ?",
                (published, updated, published, key),
            )
            row = database.connection.execute(
                f"SELECT {HEAD}, t.text FROM revisions r "
                "JOIN texts t ON t.revision_id = r.id WHERE r.id = ?",
                (key,),
            ).fetchone()
            if row:  # what was erased has none
                database.connection.execute(
                    "UPDATE revisions SET fingerprint = ? WHERE id = ?",
                    (fingerprint(read_article(row)), key),
                )


def embedded_texts(database: Database, numbers: Sequence[int]) -> dict[int, str]:
    """Return what is embedded for each of the passages, of whichever revision they are."""
    rows = database.for_each(
        f'SELECT p.number, p.start, p."end", {HEAD}, t.text FROM passages p '
        "JOIN revisions r ON r.id = p.revision_id JOIN texts t ON t.revision_id = r.id "
        "WHERE p.number IN ({})",
        numbers,
    )
    of_each = map(read_live, rows)
    return {live.number: embedding_text(live.head, live.passage.text) for live in of_each}


def write_vectors(database: Database, texts: dict[int, str], vectors: Vectors) -> None:
    """Write the passages' vectors over what is there, with the hashes of what was embedded."""
    with database.transaction():
        for (number, text), vector in zip(texts.items(), vectors, strict=True):
            database.connection.execute(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                (number, vector.astype("<f4").tobytes()),
            )
            database.connection.execute(
                "UPDATE passages SET digest = ? WHERE number = ?", (digest_of(text), number)
            )
