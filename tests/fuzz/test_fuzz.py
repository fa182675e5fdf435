"""A few damaged inputs of each kind; `make fuzz` reads a thousand of each, within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import check
from tests.fuzz.inputs import damaged, whole
from tests.support.example_counts import tries

pytestmark = pytest.mark.slow

FEW = tries(12)


@pytest.mark.parametrize("kind", whole())
def test_damage_raises_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "input"
    for number in range(FEW):
        path.write_bytes(damaged(kind, number))
        check(path)


@pytest.mark.parametrize("kind", sorted(set(whole()) - {"rss", "sitemap", "list"}))
def test_what_is_damaged_here_is_read_when_it_is_whole(tmp_path: Path, kind: str) -> None:
    from ingest.readers import Reject, read

    path = tmp_path / "input"
    path.write_bytes(whole()[kind])
    assert not [found for found in read(path) if isinstance(found, Reject)]


def test_a_seed_gives_the_same_input_again() -> None:
    assert damaged("html", 7) == damaged("html", 7)
    assert damaged("html", 7) != damaged("html", 8)
