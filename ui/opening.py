"""Open the archive and the chatbot that the settings describe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.settings import Settings

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive


@contextmanager
def open_chatbot(settings: Settings) -> Iterator[tuple[Archive, Chatbot]]:
    """Yield the archive of `settings`, open for reading, and a chatbot that answers from it."""
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive

    with Archive.open(settings.archive, settings=settings) as archive:
        yield archive, Chatbot.over(archive, settings)
