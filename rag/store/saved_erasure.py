"""Erase an article's words from saved searches, dossiers and feeds.

Deleted items that could still be restored are erased, too. What stays of an entry is its place and
the article's id, which the withdrawal keeps as well, so that a reader sees why it is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from rag.store.database import Connection
from rag.store.saved_database import SavedDatabase
from rag.urls import url_key

Mentions = Callable[[str], bool]
_TEXTS = "quote != '' OR metadata != '' OR note != ''"


def erase_from_saved(
    database: SavedDatabase,
    article_ids: Sequence[str],
    mentions: Mentions,
    names: Collection[str] = (),
) -> None:
    """Erase articles from the file of saved items; repeating it is safe.

    Entries of the articles lose their words, metadata and notes. Other notes that mention the
    articles are emptied. Searches and dossiers whose words or names mention them are deleted or
    renamed, since a name may be a headline. Feeds whose address is an article's are deleted.

    Args:
        database: The file.
        article_ids: The articles.
        mentions: Returns True if a text contains words of these articles alone.
        names: Ids and URLs of the articles; a feed's address that only contains one stays.
    """
    if not database.exists:
        return
    with database.write() as connection:
        for article_id in article_ids:
            connection.execute(
                "UPDATE entries SET quote = '', metadata = '', note = '' WHERE article_id = ?",
                (article_id,),
            )
        for entry_id, note in _rows(connection, "SELECT id, note FROM entries WHERE note != ''"):
            if mentions(note):
                connection.execute("UPDATE entries SET note = '' WHERE id = ?", (entry_id,))
        for search_id, *texts in _rows(connection, "SELECT id, name, query, filters FROM searches"):
            if any(map(mentions, texts)):
                connection.execute("DELETE FROM searches WHERE id = ?", (search_id,))
        for dossier_id, name in _rows(connection, "SELECT id, name FROM dossiers"):
            if mentions(name):
                connection.execute(
                    "UPDATE dossiers SET name = id, key = id WHERE id = ?", (dossier_id,)
                )
        for feed_id, url, error in _rows(connection, "SELECT id, url, error FROM feeds"):
            if url in names or url_key(url) in names:
                connection.execute("DELETE FROM feeds WHERE id = ?", (feed_id,))
            elif error and mentions(error):
                connection.execute("UPDATE feeds SET error = '' WHERE id = ?", (feed_id,))
    database.compact()


def quoted_articles(database: SavedDatabase) -> list[str]:
    """Return the ids of the articles of which the file has words."""
    with database.read() as connection:
        rows = _rows(connection, f"SELECT DISTINCT article_id FROM entries WHERE {_TEXTS}")  # nosec B608 # constants of this code, values bound
    return [article_id for (article_id,) in rows]


def _rows(connection: Connection, query: str) -> list[tuple[str, ...]]:
    return connection.execute(query).fetchall()
