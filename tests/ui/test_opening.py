"""Opening an archive for the page: which folders may become one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import ArchiveNotFoundError
from rag.settings import Settings
from ui.opening import is_unused, open_chatbot


def test_missing_and_empty_folders_are_unused(tmp_path: Path) -> None:
    assert is_unused(tmp_path)
    assert is_unused(tmp_path / "none" / "below")
    (tmp_path / "letter.txt").write_text("Dear editor")
    assert not is_unused(tmp_path)
    assert not is_unused(tmp_path / "letter.txt")


def test_archive_is_created_only_if_asked(tmp_path: Path) -> None:
    settings = Settings(archive=tmp_path / "new")
    with pytest.raises(ArchiveNotFoundError), open_chatbot(settings):
        pass
    assert not (tmp_path / "new").exists()
    with open_chatbot(settings, create=True) as (archive, chatbot):
        assert archive.status().articles == 0
        assert chatbot.ask("What happened to the ferry?").refused
