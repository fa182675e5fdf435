"""Save an archive as the current schema writes it: `python -m tests.archives.save`.

Run it before a migration is added; what it writes is never changed again, and neither are the
articles: every later version must open it and find them.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from langchain_core.embeddings import Embeddings

from rag.archive.archive import Archive
from rag.schema import Article, Span

HERE = Path(__file__).parent


class EightWords(Embeddings):
    """Eight directions, and a word has the one of its length: small enough to be kept."""

    name = "eight words"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        lengths = [len(word) % 8 for word in text.split()]
        return [1.0 + lengths.count(n) for n in range(8)]


FERRY = Article(
    id="harbour.example/ferry",
    title="Ferry runs aground off the mole",
    text="The ferry ran aground at dawn. Nobody was hurt, the harbour master said.",
    publisher="Harbour Courier",
    url="https://harbour.example/ferry",
    authors=("Ada Lindqvist", "Noor Haan"),
    published=datetime(2024, 10, 24, 18, 30, tzinfo=timezone(timedelta(hours=9))),
    updated=datetime(2024, 10, 25, 6, tzinfo=UTC),
    section="Local",
    language="en",
)
FERRY_AFLOAT = replace(
    FERRY, text="The ferry ran aground at dawn. She was afloat again by noon, with a tug's help."
)
BREAD = Article(
    id="tribune.example/bread",
    title="Un boulanger « sans farine » ferme à Pellworth",
    text="Le boulanger n’a plus de farine — la crue a noyé le moulin. 🥖 Il rouvre lundi.",
    publisher="Pellworth Tribune",
    published=datetime(2024, 10, 23, tzinfo=UTC),
    language="fr",
    kind="comment",
)
UNDATED = Article(id="notes/1", title="", text="A note without a headline. It has no day either.")
GONE = Article(id="tribune.example/gone", title="Taken back", text="This was wrong. It is gone.")


def in_two_passages(article: Article) -> tuple[Article, list[Span]]:
    """Return the article in two passages."""
    middle = article.text.index(". ") + 1
    return article, [Span(0, middle), Span(middle + 1, len(article.text))]


def save_archive(kept: Path = HERE) -> Path:
    """Write the archive of this version into a folder, and return the file."""
    with tempfile.TemporaryDirectory() as folder:
        with Archive.open(folder, mode="write", embeddings=EightWords()) as archive:
            archive.add(map(in_two_passages, (FERRY, BREAD, UNDATED, GONE)))
            archive.add([in_two_passages(FERRY_AFLOAT)])
            archive.delete([GONE.id])
        connection = sqlite3.connect(Path(folder) / "archive.sqlite")
        with contextlib.closing(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            lines = [*connection.iterdump(), f"PRAGMA user_version = {version};", ""]
    file = kept / f"v{version}.sql"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


if __name__ == "__main__":
    save_archive()
