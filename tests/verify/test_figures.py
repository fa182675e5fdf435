"""Figures of a claim that belong to another part of the sentence."""

from __future__ import annotations

import pytest

from rag.verify.figures import crosses_figure

MILL = "The mill was founded in 1889 and survived a fire in 1954."
PLANT = "The plant employs 420 people, of whom 60 work in the warehouse."
FLOOD = "Four people died and eleven were injured when the river burst its banks."


@pytest.mark.parametrize(
    ("claim", "sentence", "crosses"),
    [
        ("The mill was founded in 1954.", MILL, True),
        ("The mill was founded in 1889.", MILL, False),
        ("The plant employs 60 people.", PLANT, True),
        ("The plant employs 420 people.", PLANT, False),
        ("Of these, 60 work in the warehouse.", PLANT, False),
        ("Four people were injured when the river burst its banks.", FLOOD, True),
        ("Eleven people were injured.", FLOOD, False),
        ("Tamm gets $2 million in five years.", "Tamm has a five-year deal of $2 million.", False),
        ("One engine was too warm.", "One of the four engines was too warm.", False),
        ("It passed by 19 votes to 8.", "The council passed the budget by 19 votes to 8.", False),
    ],
)  # fmt: skip
def test_figure_of_another_clause_is_noticed(claim: str, sentence: str, crosses: bool) -> None:
    assert crosses_figure(claim, sentence) is crosses
