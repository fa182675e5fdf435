"""An archive of many bridges, one passage each, and searches for them."""

from __future__ import annotations

from pathlib import Path

from rag.archive.archive import Archive
from rag.schema import Article, Span
from rag.settings import Settings
from rag.store.articles import embedding_text

ARTICLES = 700  # a passage each: more than a batch
WORDS = "Town Version of bridge stands . " + " ".join(map(str, range(2000)))


def make_article(number: int, version: int = 1) -> tuple[Article, list[Span]]:
    text = f"Version {version} of bridge {number} stands ."
    article = Article(id=f"paper.example/{number}", title=f"Town {number}", text=text)
    return article, [Span(0, len(text))]


def query_for(number: int, version: int = 1) -> str:
    """Return the text embedded for an article: a query with a cosine of 1."""
    article, _ = make_article(number, version)
    return embedding_text(article.metadata, article.text)


def settings_for(model: str) -> Settings:
    return Settings(embedding_model=model)


def search_nearest(archive: Archive, number: int, version: int = 1) -> tuple[str, float]:
    (hit, *_) = archive.search(query_for(number, version), 3, mode="vector")
    return hit.passage.text, hit.score


def finds_article(folder: Path, number: int = 5, version: int = 1) -> bool:
    with Archive.open(folder, settings=Settings()) as archive:
        text, score = search_nearest(archive, number, version)
        return text == make_article(number, version)[0].text and score > 0.999


def read_model_and_generation(folder: Path) -> tuple[str, int]:
    with Archive.open(folder, settings=Settings()) as archive:
        return archive.status().embedding_model, archive.store.generation()


class StoppedError(Exception):
    """Raised to stop a re-embedding after a batch."""


def stop(*_: int) -> None:
    raise StoppedError
