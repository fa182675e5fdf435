"""Figures of answers over the whole quality sets, apart because they take longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import calls
from tests.golden.test_golden import check


@pytest.mark.full
def test_answer_figures(folder: Path) -> None:
    check("answer_figures", calls.answer_figures(folder))
