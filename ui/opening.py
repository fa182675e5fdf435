"""Putting it together: the archive and the chatbot that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.settings import Settings

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.chatbot import Chatbot


@contextmanager
def open_chatbot(settings: Settings) -> Iterator[tuple[Archive, Chatbot]]:
    """Give the archive of `settings`, open for reading, and a chatbot that answers from it."""
    from rag.archive import Archive
    from rag.chatbot import Chatbot

    with Archive.open(settings.archive, settings=settings) as archive:
        yield archive, Chatbot.over(archive, settings)
