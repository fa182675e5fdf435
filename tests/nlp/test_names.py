"""Typed names in articles: kinds, forms of one name, and text that has none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.nlp.names import MOST_NAMES, find_typed_names


def names_in(text: str) -> dict[str, str]:
    return {name.name: name.kind for name in find_typed_names(text)}


def test_forms_of_a_person_are_one() -> None:
    text = (
        "President Yun Seo-jin spoke in Oslo. Mr Yun was late. “I am sorry,” Yun said, and "
        "Seo-jin smiled."
    )
    (person,) = [name for name in find_typed_names(text) if name.kind == "person"]
    assert person.name == "Yun Seo-jin"
    assert [text[m.start : m.end] for m in person.mentions] == [
        *("Yun Seo-jin", "Yun", "Yun", "Seo-jin"),
    ]


def test_surname_of_two_people_is_merged_with_neither() -> None:
    text = "Ann Dunmore met Carl Dunmore. Ann Dunmore left early, Dunmore said."
    found = {name.name: len(name.mentions) for name in find_typed_names(text)}
    assert found == {"Ann Dunmore": 2, "Carl Dunmore": 1}


def test_spellings_of_a_country_are_one_place() -> None:
    text = "Exports to the United States fell. The U.S. and the US buy most; in the UK, sales rose."
    found = {name.name: len(name.mentions) for name in find_typed_names(text)}
    assert found == {"United States": 3, "United Kingdom": 1}


def test_acronym_is_the_organisation_that_it_stands_behind() -> None:
    text = "The Harbour Safety Board (HSB) closed the pier. HSB inspectors found cracks."
    assert names_in(text) == {"Harbour Safety Board": "organisation"}


@pytest.mark.parametrize(
    "text",
    [
        "Large waves hit the coast. Behind them came fog.",
        "It snowed on Monday and in January, the Russian and Republican delegates said.",
        "Five Things to Know Before You Travel This Summer",
        "She sang “Blue Rivers of Home” twice.",
        "Read more: https://example.com/Ann-Lee @AnnLee #Oslo",
        "",
        "我们在北京。",
    ],
)
def test_text_without_names_has_none(text: str) -> None:
    assert names_in(text) == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The Department of Justice sued.", "Department of Justice"),
        ("She leads the state Division of Public Health there.", "Division of Public Health"),
        ("An affidavit was obtained by KQRV-TV.", "KQRV-TV"),
        ("The Wichita Observer says so.", "Wichita Observer"),
        ("It sold Harrow Dell Wireless for little.", "Harrow Dell Wireless"),
    ],
)
def test_organisations_are_found_by_their_form(text: str, name: str) -> None:
    assert names_in(text) == {name: "organisation"}


def test_offices_after_of_are_roles_if_a_name_follows() -> None:
    text = "University of Oslo President Ann Lee met the minister of Justice Mona Field."
    assert {name for name, kind in names_in(text).items() if kind == "person"} == {
        "Ann Lee",
        "Mona Field",
    }


def test_roles_stay_outside_of_names() -> None:
    text = "House Speaker Ann Lee and Ohio Gov. Carl Reyes met Secretary of State Mona Field."
    assert names_in(text) == {
        "House": "organisation",
        "Ann Lee": "person",
        "Ohio": "place",
        "Carl Reyes": "person",
        "Mona Field": "person",
    }


def test_unclear_name_is_left_out() -> None:
    assert names_in("They tried Zorbax.") == {}


@given(st.text(alphabet="ABab .,“”’'&-\n()of", max_size=200))
def test_mentions_lie_in_the_text_in_order(text: str) -> None:
    for name in find_typed_names(text):
        assert name.mentions
        for mention in name.mentions:
            assert 0 <= mention.start < mention.end <= len(text)
        assert list(name.mentions) == sorted(name.mentions, key=lambda span: span.start)


def test_article_of_nothing_but_names_takes_linear_time() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    people = [f"Ann{a}{b}{c} Lee said." for a in letters for b in letters for c in letters[:8]]
    started = time.thread_time()
    found = find_typed_names(" ".join(people))
    assert time.thread_time() - started < 5  # 0.3 s
    assert len(found) <= MOST_NAMES
