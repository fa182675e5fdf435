"""Figures and days: what is the same number, and what follows from an article's date."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.nlp.numbers import borne_out, day_borne_out, days, figures
from tests.newsroom import day


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3,000", "three thousand"),
        ("1.2 million", "1,200,000"),
        ("$4.5bn", "$4.5 billion"),
        ("12%", "12 percent"),
        ("ten per cent", "10%"),
        ("a dozen", "12"),
        ("one hundred and twenty thousand", "120,000"),
        ("25", "twenty-five"),
        ("5 million pounds", "£5m"),
        ("2-1", "2 to 1"),
    ],
)
def test_the_same_number_in_other_words_is_borne_out(one: str, other: str) -> None:
    (figure,) = figures(one)
    assert borne_out(figure, figures(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("3,000", "30,000"), ("12%", "$12"), ("8 p.m.", "8 men"), ("5-0", "5 and 0"), ("3", "13")],
)
def test_another_number_is_not(one: str, other: str) -> None:
    assert not borne_out(figures(one)[0], figures(other))


@given(st.integers(0, 10**12))
def test_a_number_is_read_as_it_is_written(number: int) -> None:
    for text in (str(number), f"{number:,}"):
        (figure,) = figures(f"It cost {text} in all.")
        assert figure.value == number


@pytest.mark.parametrize(
    ("claim", "passage", "right"),
    [
        ("on Thursday", "on 24 October 2024", False),
        ("on 24 October 2024", "said Thursday", True),
        ("on 23 October", "said Thursday", False),
        ("on October 23", "he left yesterday", True),
        ("in June", "signed in June", True),
        ("in June 2023", "signed in June 2024", False),
    ],
)
def test_a_day_follows_from_a_weekday_and_the_article_s_date(
    claim: str, passage: str, right: bool
) -> None:
    (named,) = days(claim)
    assert day_borne_out(named, days(passage), passage, day(10, 24)) is right


def test_may_and_march_are_months_only_where_they_must_be() -> None:
    assert not days("He may march on.")
    assert len(days("in May and on March 3")) == 2
