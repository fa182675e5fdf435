"""A few damaged inputs of each format; `make fuzz` reads a thousand of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import check_file
from tests.fuzz.inputs import damage_input, undamaged_inputs
from tests.support.example_counts import example_count

pytestmark = pytest.mark.slow

FEW = example_count(12)


@pytest.mark.parametrize("kind", undamaged_inputs())
def test_read_of_damaged_input_raises_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "input"
    for number in range(FEW):
        path.write_bytes(damage_input(kind, number))
        check_file(path)


@pytest.mark.parametrize("kind", sorted(set(undamaged_inputs()) - {"rss", "sitemap", "list"}))
def test_whole_input_is_read_without_rejects(tmp_path: Path, kind: str) -> None:
    from ingest.readers import Reject, read

    path = tmp_path / "input"
    path.write_bytes(undamaged_inputs()[kind])
    assert not [found for found in read(path) if isinstance(found, Reject)]


def test_seed_reproduces_the_damaged_input() -> None:
    assert damage_input("html", 7) == damage_input("html", 7)
    assert damage_input("html", 7) != damage_input("html", 8)
