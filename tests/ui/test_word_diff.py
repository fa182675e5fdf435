"""Differences of two texts: complete, readable and cheap."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.word_diff import abridge, diff_words, join_changes, mark_changes

TEXTS = st.text("ab \n", max_size=40)


def random_words(seed: int) -> str:
    return " ".join(random.Random(seed).choices("ab", k=740))


@given(TEXTS, TEXTS)
def test_diff_words_holds_both_texts(before: str, after: str) -> None:
    parts = list(diff_words(before, after))
    assert "".join(text for kind, text in parts if kind != "removed") == after
    kept = "".join(text for kind, text in parts if kind != "added")
    assert "".join(kept.split()) == "".join(before.split())


def test_abridge_keeps_words_beside_a_change() -> None:
    before = " ".join(f"w{n}" for n in range(60))
    said = mark_changes(abridge(diff_words(before, before.replace("w30", "other"))))
    assert said == (
        "… w22 w23 w24 w25 w26 w27 w28 w29 [-w30-] {+other+} w31 w32 w33 w34 w35 w36 w37 w38 … "
    )


@given(TEXTS, TEXTS)
def test_join_changes_holds_both_texts(before: str, after: str) -> None:
    parts = list(join_changes(diff_words(before, after)))
    assert "".join("".join(t for kind, t in parts if kind != "removed").split()) == "".join(
        after.split()
    )
    assert "".join("".join(t for kind, t in parts if kind != "added").split()) == "".join(
        before.split()
    )


def test_join_changes_reads_as_one_rewritten_sentence() -> None:
    before = "The mayor of Pell spoke of the flood on Monday in the town hall."
    after = "The mayor of Pell warned that of all the towns hers is lowest in the town hall."
    assert mark_changes(join_changes(diff_words(before, after))) == (
        "The mayor of Pell [-spoke of the flood on Monday-] "
        "{+warned that of all the towns hers is lowest+} in the town hall."
    )


def test_join_changes_keeps_paragraphs_apart() -> None:
    before, after = "One.\n\nSame.\n\nTwo.", "Three.\n\nSame.\n\nFour."
    kinds = [kind for kind, _ in join_changes(diff_words(before, after))]
    assert kinds == ["removed", "added", "same", "removed", "added"]


def test_long_texts_are_compared_by_paragraph() -> None:
    words = random.Random(3)
    old = [" ".join(words.choices("abcdefgh", k=60)) for _ in range(60)]
    new = [*old[:30], "An inserted paragraph.", *old[30:]]
    parts = diff_words("\n\n".join(old), "\n\n".join(new))
    changed = [text for kind, text in parts if kind != "same"]
    assert "".join(changed).strip() == "An inserted paragraph."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a " * 200_000, "a b " * 200_000),
        ("a\n" * 100_000, "b\na\n" * 100_000),
        (("a " * 100 + "\n\n") * 300, ("b a " * 100 + "\n\n") * 300),
        (random_words(1), random_words(2)),
    ],
    ids=["one paragraph", "short lines", "paragraphs", "two words"],
)
def test_repeated_words_take_bounded_time(before: str, after: str) -> None:
    began = time.perf_counter()
    parts = list(diff_words(before, after))
    assert time.perf_counter() - began < 10  # quadratic time would be minutes
    assert "".join(text for kind, text in parts if kind != "removed") == after
