"""The sample archive, ingested once for all golden tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden import calls


@pytest.fixture(scope="session")
def sample(real_model: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, calls.Both]:
    """The archive's folder, and what both runs of `ingest` printed."""
    folder = tmp_path_factory.mktemp("golden") / "archive"
    return folder, calls.ingest_sample(folder)


@pytest.fixture(scope="session")
def folder(sample: tuple[Path, calls.Both]) -> Path:
    return sample[0]


@pytest.fixture(scope="session")
def archive(folder: Path) -> Iterator[calls.Archive]:
    with calls.plain_environment(), calls.open_archive(folder) as opened:
        yield opened
