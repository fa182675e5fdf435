"""List of attacks in docs/security.md: it names each file of this folder, and no other."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
LIST = HERE.parents[1] / "docs" / "security.md"


def test_list_of_attacks_names_each_file() -> None:
    section = LIST.read_text(encoding="utf-8").partition("## Attacks that are tested")[2]
    named = set(re.findall(r"`(test_\w+\.py)`", section.partition("\n## ")[0]))
    assert named == {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}
    attacks = sum(
        path.read_text(encoding="utf-8").count("\ndef test_") for path in HERE.glob("test_*.py")
    )
    assert attacks >= 90
