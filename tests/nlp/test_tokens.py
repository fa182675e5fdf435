"""Words in the form in which two texts are compared."""

from __future__ import annotations

import pytest

from rag.nlp.tokens import stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("supply", "supplied"),
        ("family", "families"),
        ("reply", "replies"),
        ("quickly", "quick"),
        ("finally", "final"),
        ("votes", "voting"),
        ("won", "winner"),
    ],
)
def test_the_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_words_that_only_look_alike_have_two() -> None:
    assert stem("apply") != stem("app")
    assert stem("reply") != stem("rep")
