"""Two models, and an archive embedded with the first one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from tests.archive.reembed.bridges import WORDS, make_article, settings_for
from tests.support.small_models import make_model


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two models that are opened by their folders, of different dimensions."""
    folder = tmp_path_factory.mktemp("models")
    words = WORDS.split()
    old = make_model(folder / "old", words, dimensions=32)
    return old, make_model(folder / "new", words, dimensions=48, seed=8)


@pytest.fixture(scope="session")
def embedded_archive(tmp_path_factory: pytest.TempPathFactory, models: tuple[str, str]) -> Path:
    folder = tmp_path_factory.mktemp("embedded") / "archive"
    with Archive.open(folder, mode="write", settings=settings_for(models[0])) as archive:
        for start in (0, 350):  # in few tokens a call: torch is not loaded
            archive.add(make_article(n) for n in range(start, start + 350))
    return folder


@pytest.fixture
def folder(tmp_path: Path, embedded_archive: Path) -> Path:
    """A copy of the archive that the first model has embedded."""
    return Path(shutil.copytree(embedded_archive, tmp_path / "archive"))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BACKFILE_")]:
        monkeypatch.delenv(name)
