"""Stems of words."""

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
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_similar_words_have_different_stems() -> None:
    assert stem("apply") != stem("app")
    assert stem("reply") != stem("rep")
