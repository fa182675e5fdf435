"""Numbers and dates: which figures are equal, and which dates follow from an article's date."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.nlp.numbers import find_dates, find_numbers, is_date_supported, is_number_supported
from tests.support.fake_archive import day


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
def test_number_in_other_words_is_supported(one: str, other: str) -> None:
    (figure,) = find_numbers(one)
    assert is_number_supported(figure, find_numbers(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("3,000", "30,000"), ("12%", "$12"), ("8 p.m.", "8 men"), ("5-0", "5 and 0"), ("3", "13")],
)
def test_different_number_is_not_supported(one: str, other: str) -> None:
    assert not is_number_supported(find_numbers(one)[0], find_numbers(other))


@given(st.integers(0, 10**12))
def test_find_numbers_reads_number_as_written(number: int) -> None:
    for text in (str(number), f"{number:,}"):
        (figure,) = find_numbers(f"It cost {text} in all.")
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
def test_date_is_supported_by_weekday_and_article_date(
    claim: str, passage: str, right: bool
) -> None:
    (named,) = find_dates(claim)
    assert is_date_supported(named, find_dates(passage), passage, day(10, 24)) is right


def test_may_and_march_are_months_only_in_context() -> None:
    assert not find_dates("He may march on.")
    assert len(find_dates("in May and on March 3")) == 2
