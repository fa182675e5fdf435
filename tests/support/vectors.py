"""Archives whose vectors are on a real Chroma server, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.schema import Article, Span
from rag.settings import Settings
from tests.support.chroma_server import ChromaProcess
from tests.support.fakes import HARBOUR, WordEmbeddings


def server_settings(server: ChromaProcess | str, **given: Any) -> Settings:
    """Return settings with vectors on a server, and short waiting."""
    url = server if isinstance(server, str) else server.url
    return Settings(**{"chroma": url, "chroma_seconds": 20.0, **given})


def open_archive(folder: Path, settings: Settings, mode: str = "read") -> Archive:
    """Open an archive of `WordEmbeddings`."""
    return Archive.open(folder, mode=mode, embeddings=WordEmbeddings(), settings=settings)  # type: ignore[arg-type]


def add(folder: Path, settings: Settings, articles: Iterable[Article]) -> None:
    """Add articles, each one passage, in one batch."""
    with open_archive(folder, settings, "write") as archive:
        archive.add((article, [Span(0, len(article.text))]) for article in articles)


def problems(folder: Path, settings: Settings) -> list[str]:
    """Return what the doctor finds."""
    with open_archive(folder, settings) as archive:
        return [str(problem) for problem in find_problems(archive)]


def storm(n: int, year: int | None = 2020, **given: Any) -> Article:
    """Return an article about a storm of its own, published in a year."""
    from datetime import UTC, datetime

    published = datetime(year, 1 + n % 12, 1 + n % 28, 12, tzinfo=UTC) if year else None
    text = f"Storm number{n} broke the pier of place{n % 7}. Crews of team{n % 11} came."
    article_id = f"courier.example/storm-{n}"
    return HARBOUR.replace(
        id=article_id,
        title=f"Storm {n}",
        text=text,
        url=f"https://{article_id}",
        published=published,
        **given,
    )
