"""A few damaged inputs of each format; `make fuzz` reads a thousand of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import check
from tests.fuzz.inputs import damaged, whole
from tests.support.example_counts import tries

pytestmark = pytest.mark.slow

FEW = tries(12)


@pytest.mark.parametrize("kind", whole())
def test_read_of_damaged_input_raises_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "input"
    for number in range(FEW):
        path.write_bytes(damaged(kind, number))
        check(path)


@pytest.mark.parametrize("kind", sorted(set(whole()) - {"rss", "sitemap", "list"}))
def test_whole_input_is_read_without_rejects(tmp_path: Path, kind: str) -> None:
    from ingest.readers import Reject, read

    path = tmp_path / "input"
    path.write_bytes(whole()[kind])
    assert not [found for found in read(path) if isinstance(found, Reject)]


def test_seed_reproduces_the_damaged_input() -> None:
    assert damaged("html", 7) == damaged("html", 7)
    assert damaged("html", 7) != damaged("html", 8)
