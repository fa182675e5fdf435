"""Open the archive and the chatbot that the settings describe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.settings import Settings
from ui.accounts.opening import is_accounts_file

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive


@contextmanager
def open_chatbot(settings: Settings, *, create: bool = False) -> Iterator[tuple[Archive, Chatbot]]:
    """Yield the archive of `settings`, open for reading, and a chatbot that answers from it.

    Args:
        settings: The archive and the models.
        create: Whether to create an archive without articles first.

    Raises:
        ArchiveNotFoundError: There is no archive.
    """
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive

    if create:
        Archive.open(settings.archive, mode="write", settings=settings).close()
    with Archive.open(settings.archive, settings=settings) as archive:
        yield archive, Chatbot.over(archive, settings)


def is_unused(folder: Path) -> bool:
    """Return whether a folder has no files but those of users; an archive can be created there."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(is_accounts_file(path) for path in folder.iterdir())
