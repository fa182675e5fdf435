"""The real server, on a socket, over an archive whose articles some readers may not see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.schema import Article
from rag.settings import Settings
from tests.api.conftest import ARTICLES
from tests.archive.test_archive import WordEmbeddings
from ui.web.app import Served, start

NO_URL = Article(
    id="desk/2024 ü/1",
    title="Harbour master of Osterholt retires 🚢",
    text="Nils Aagard, harbour master of Osterholt, retired in May after 31 years. 🚢 He is 64.",
    publisher="Desk",
    published=datetime(2024, 5, 20, tzinfo=UTC),
)


@contextmanager
def serve_programs(
    folder: Path, writer: Any = None, *, articles: tuple[Article, ...] = (), **given: Any
) -> Iterator[Served]:
    """Serve the articles of `tests.api.conftest`, one without a URL, and those given."""
    archive = Archive.open(folder / "archive", mode="write", embeddings=WordEmbeddings())
    with archive:
        archive.add([*ARTICLES, NO_URL, *articles])
        no_rates = {"search_rate": "", "ask_rate": "", "write_rate": ""}
        own = {"archive": archive.path, "port": 0, "token": "t" * 40, **no_rates}
        settings = Settings(**{**own, **given})
        served = start(archive, Chatbot(archive, writer, grader="none"), settings)
        try:
            yield served
        finally:
            served.close()
