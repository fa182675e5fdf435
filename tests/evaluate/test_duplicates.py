"""Evaluation of near-duplicates: synthetic reprints, hard negatives, precision and recall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.readers import Reject, read
from rag.evaluate.duplicates import evaluate_duplicates, read_judged
from rag.evaluate.hard_negatives import hardest_non_duplicates
from rag.evaluate.synthetic_reprints import synthetic_reprints
from rag.schema import Article
from ui import cli

SAMPLE = Path(__file__).parents[2] / "ingest" / "sample" / "articles.jsonl"
WIRE = "fennmark-wire.example/story/nis-1500-special-forces-vladivostok-20241018"
REPRINTS = (
    "harbour-courier.example/2024/10/18/russian-navy-ferried-north-korean-troops-seoul",
    "westermoor-post.example/2024/10/18/pyongyang-sends-elite-troops-to-russia",
)


@pytest.fixture(scope="module")
def sample() -> list[Article]:
    return [found for found in read(SAMPLE) if not isinstance(found, Reject)]


def test_synthetic_reprints_depend_on_the_seed(sample: list[Article]) -> None:
    assert synthetic_reprints(sample, each=4) == synthetic_reprints(sample, each=4)
    assert synthetic_reprints(sample, each=4) != synthetic_reprints(sample, each=4, seed=2)


def test_synthetic_reprint_has_other_text_and_title(sample: list[Article]) -> None:
    for pair in synthetic_reprints(sample, each=5):
        assert pair.same
        assert pair.other.text != pair.one.text
        assert pair.other.title != pair.one.title
        assert pair.other.id != pair.one.id


def test_hardest_non_duplicates_are_nearest_in_wording(sample: list[Article]) -> None:
    nearest = [
        pair for pair in hardest_non_duplicates(sample, each=2) if pair.kind == "nearest in wording"
    ]
    assert {pair.one.id for pair in nearest} | {pair.other.id for pair in nearest} == {
        *(WIRE, *REPRINTS)
    }


def test_issues_of_a_column_are_paired_with_the_next(sample: list[Article]) -> None:
    first = sample[0].replace(title="The week in harbours, 1")
    later = [
        sample[n].replace(id=f"{n}", title=f"The week in harbours, {n}", published=day)
        for n, day in enumerate((datetime(2024, 10, d, tzinfo=UTC) for d in (20, 27)), start=1)
    ]
    assert first.published is not None
    later[0] = later[0].replace(published=first.published + timedelta(days=7))
    later[1] = later[1].replace(published=first.published + timedelta(days=14))
    later = [a.replace(publisher=first.publisher) for a in later]
    pairs = hardest_non_duplicates([first, *later], each=5)
    column = [(p.one.id, p.other.id) for p in pairs if p.kind == "same column"]
    assert column == [(first.id, "1"), ("1", "2")]


def test_real_duplicates_count_as_mistakes_until_judged(
    sample: list[Article],
) -> None:
    found = evaluate_duplicates(sample, each=12)
    mistaken = {frozenset((p.one.id, p.other.id)) for p in found.mistaken if not p.same}
    assert mistaken == {frozenset((WIRE, REPRINTS[0])), frozenset((WIRE, REPRINTS[1]))}
    judged = evaluate_duplicates(sample, each=12, judged=dict.fromkeys(mistaken, True))
    scores = {(m.set, m.name): m.score().mean for m in judged.metrics()}
    assert scores["all", "precision"] == 1.0
    assert scores["all", "recall"] >= 0.9  # of short articles: two paragraphs are much of them


def test_line_that_judges_no_pair_is_named() -> None:
    assert read_judged(['{"one": "a", "other": "b", "same": true}', ""]) == {frozenset("ab"): True}
    with pytest.raises(ValueError, match="line 2"):
        read_judged(['{"one": "a", "other": "b", "same": true}', '{"one": "a"}'])


def test_evaluate_duplicates_prints_measures_and_mistakes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["evaluate", "duplicates", str(SAMPLE), "--each", "3"]) == 0
    printed = capsys.readouterr().out
    assert "precision" in printed
    assert "nearest in wording, taken for near-duplicates" in printed
