"""Floors of 157 sentences, many of them held out, over the sample and invented articles."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag.answer.check_text import TextChecker
from rag.schema import Article
from rag.verify.verifier import Verifier
from tests.support.fake_archive import FakeArchive, bag_of_words

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "ingest" / "sample" / "articles.jsonl"
ALTERED = ("number", "name", "negated", "date")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def article(fields: dict[str, Any]) -> Article:
    kept = {name: fields[name] for name in ("id", "title", "text", "publisher")}
    published = datetime.fromisoformat(fields["published"])
    return Article(**kept, published=published.replace(tzinfo=published.tzinfo or UTC))


@pytest.fixture(scope="module")
def checker() -> TextChecker:
    articles = [*lines(SAMPLE), *lines(HERE / "checked_articles.jsonl")]
    return TextChecker(FakeArchive(*map(article, articles)), Verifier(bag_of_words))


@pytest.mark.slow
@pytest.mark.parametrize(("split", "recalled"), [("development", 0.7), ("held out", 0.55)])
def test_supported_and_contradicted_are_right(
    checker: TextChecker, split: str, recalled: float
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for row in lines(HERE / "checked_sentences.jsonl"):
        if row["split"] == split:
            text = f"{row['before']} {row['text']}".strip()
            counts[row["label"], checker.check(text).sentences[-1].outcome] += 1
    of = {name: sum(n for (_, o), n in counts.items() if o == name) for name in ("supported",)}
    right = counts["true", "supported"]
    assert right >= 0.97 * of["supported"], counts
    assert right >= recalled * sum(n for (label, _), n in counts.items() if label == "true")
    against = sum(n for (_, outcome), n in counts.items() if outcome == "contradicted")
    rightly = sum(counts[label, "contradicted"] for label in ALTERED)
    assert rightly >= 0.95 * against, counts
    assert rightly >= recalled * sum(n for (label, _), n in counts.items() if label in ALTERED)
    assert counts["no claim", "no claim"] == 5


@pytest.mark.slow
def test_true_sentences_in_other_words_are_never_contradicted(checker: TextChecker) -> None:
    rows = [r for r in lines(HERE / "checked_sentences.jsonl") if r["split"] == "in other words"]
    outcomes = {row["text"]: checker.check(row["text"]).sentences[-1].outcome for row in rows}
    assert len(outcomes) >= 30
    assert [text for text, outcome in outcomes.items() if outcome == "contradicted"] == []
    assert sum(outcome == "supported" for outcome in outcomes.values()) >= 5
