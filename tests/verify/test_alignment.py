"""Alignment cost: what is pieced together from a passage costs more than what is quoted."""

from __future__ import annotations

import pytest

from rag.verify.alignment import alignment_cost
from rag.verify.support import lexical_signals, max_similarity

PASSAGE = [
    "Ines Calder, who keeps the light on Tern Rock, wrote the book in the winter.",
    "The museum sold 400 copies, and it means to print it again.",
    "She no longer lives on the island.",
]


def test_alignment_cost_of_a_verbatim_claim_is_zero() -> None:
    assert alignment_cost("The museum sold 400 copies.", PASSAGE) == 0
    assert alignment_cost("the MUSEUM sold 400 copies", PASSAGE) == 0


def test_alignment_cost_of_unrelated_words_is_one() -> None:
    assert alignment_cost("Ferries rarely arrive early.", PASSAGE) == 1
    assert alignment_cost("Ferries rarely arrive early.", []) == 1


def test_fused_sentence_costs_more_than_a_shortened_one() -> None:
    fused = alignment_cost("Ines Calder wrote the museum sold the island.", PASSAGE)
    assert fused > alignment_cost("Ines Calder wrote the book in the winter.", PASSAGE) > 0


def test_omitted_aside_costs_less_than_an_omitted_verb() -> None:
    aside = alignment_cost("Ines Calder wrote the book in the winter.", PASSAGE)
    verb = alignment_cost("Ines Calder, who keeps the book in the winter.", PASSAGE)
    assert aside < verb


def test_seam_at_a_clause_end_costs_less() -> None:
    whole = alignment_cost(
        "It means to print it again. She no longer lives on the island.", PASSAGE
    )
    torn = alignment_cost("It means to print she no longer lives on the island.", PASSAGE)
    assert whole < torn


def test_new_content_word_costs_more_than_a_function_word() -> None:
    assert alignment_cost("The museum never sold 400 copies.", PASSAGE) < alignment_cost(
        "The museum burned sold 400 copies.", PASSAGE
    )


def test_empty_claim_costs_nothing_and_has_all_signals() -> None:
    assert alignment_cost("...", PASSAGE) == 0
    assert lexical_signals("...", []).keys() == lexical_signals("Ines wrote it.", PASSAGE).keys()


@pytest.mark.parametrize(
    ("signal", "right", "wrong"),
    [
        ("company", "The museum sold copies.", "The museum sold the light."),
        ("new", "The museum sold copies.", "The theatre sold copies."),
        ("names", "It was Ines Calder.", "It was Rosa Calder."),
        ("figures", "It sold 400 copies.", "It sold 500 copies."),
        ("phrase", "The museum sold copies.", "Copies sold the museum."),
        ("patchwork", "She lives on the island.", "The island sold Ines copies."),
    ],
)
def test_lexical_signal_is_higher_for_a_supported_claim(
    signal: str, right: str, wrong: str
) -> None:
    assert lexical_signals(right, PASSAGE)[signal] > lexical_signals(wrong, PASSAGE)[signal]


def test_max_similarity_without_evidence_is_zero() -> None:
    import numpy as np

    assert max_similarity(np.ones(2, np.float32), np.zeros((0, 2), np.float32)) == 0
