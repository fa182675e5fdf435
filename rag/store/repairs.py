"""Repair of what the integrity checks of the store find."""

from __future__ import annotations

from collections.abc import Sequence

from rag.store.articles import content_hash, embedding_text, text_digest
from rag.store.database import Database
from rag.store.integrity import DROPPED, ORPHANS, impossible_dates
from rag.store.passages import Vectors
from rag.store.rows import METADATA, row_to_article, row_to_passage


def discard_orphans(database: Database) -> None:
    """Delete orphaned rows."""
    with database.transaction():
        for table, which, *_ in ORPHANS:
            database.connection.execute(f"DELETE FROM {table} WHERE {which}")  # nosec B608 # conditions of this code, values bound


def drop_triggers_and_views(database: Database) -> None:
    """Drop triggers and views; Backfile doesn't create any."""
    with database.transaction():
        database.drop_foreign_objects(DROPPED)


def remove_impossible_dates(database: Database) -> None:
    """Delete impossible dates; the articles stay, without a date."""
    with database.transaction():
        for key, _, published, updated in impossible_dates(database):
            database.connection.execute(
                "UPDATE revisions SET published = ?, updated = ?, "
                "published_at = CASE WHEN ? THEN published_at END WHERE id = ?",
                (published, updated, published is not None, key),
            )
            row = database.connection.execute(
                f"SELECT {METADATA}, t.text FROM revisions r "  # nosec B608 # constants of this code, values bound
                "JOIN texts t ON t.revision_id = r.id WHERE r.id = ?",
                (key,),
            ).fetchone()
            if row:  # erased articles have no text
                database.connection.execute(
                    "UPDATE revisions SET fingerprint = ? WHERE id = ?",
                    (content_hash(row_to_article(row)), key),
                )


def embedded_texts(database: Database, numbers: Sequence[int]) -> dict[int, str]:
    """Return the text to embed for each of the passages, of any revision, by number."""
    rows = database.execute_for_each(
        f'SELECT p.number, p.start, p."end", {METADATA}, t.text FROM passages p '  # nosec B608 # constants of this code, values bound
        "JOIN revisions r ON r.id = p.revision_id JOIN texts t ON t.revision_id = r.id "
        "WHERE p.number IN ({})",
        numbers,
    )
    of_each = map(row_to_passage, rows)
    return {live.number: embedding_text(live.metadata, live.passage.text) for live in of_each}


def write_vectors(database: Database, texts: dict[int, str], vectors: Vectors) -> None:
    """Write the vectors of passages, and the hashes of the embedded texts."""
    with database.transaction():
        for (number, text), vector in zip(texts.items(), vectors, strict=True):
            database.connection.execute(
                "INSERT INTO vectors VALUES (?, ?) "
                "ON CONFLICT (number) DO UPDATE SET vector = excluded.vector",
                (number, vector.astype("<f4").tobytes()),
            )
            database.connection.execute(
                "UPDATE passages SET digest = ? WHERE number = ?", (text_digest(text), number)
            )
