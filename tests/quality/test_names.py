"""Names and their kinds in sentences written for this test; lower a floor only on purpose."""

from __future__ import annotations

import json
from pathlib import Path

from rag.nlp.name_spans import fold
from rag.nlp.names import find_typed_names

HERE = Path(__file__).parent
FLOORS = json.loads((HERE / "floors.json").read_text(encoding="utf-8"))["names in sentences"]
SENTENCES = [json.loads(line) for line in (HERE / "names.jsonl").read_text("utf-8").splitlines()]


def test_names_stay_above_floors() -> None:
    right = found = wanted = 0
    for sentence in SENTENCES:
        got = {(fold(name.name), name.kind) for name in find_typed_names(sentence["text"])}
        expected = {(fold(name), kind) for name, kind in sentence["names"]}
        right += len(got & expected)
        found += len(got)
        wanted += len(expected)
    assert right / found >= FLOORS["precision"]
    assert right / wanted >= FLOORS["recall"]


def test_names_are_no_opening_words_days_or_peoples() -> None:
    for sentence in SENTENCES:
        got = {fold(name.name) for name in find_typed_names(sentence["text"])}
        assert not got & {fold(word) for word in sentence["no_names"]}, sentence["text"]
