"""Text that is no statement, by its shape, and what stands before a line's first words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.nlp.fragments import is_fragment, lead_in_end, leans_on_previous

FRAGMENTS = [
    "Flood in the valley",
    "QUIZ TIME",
    "Read more",
    "Tributes for the skipper:Islanders remember Ann Lee at the pier.",
    "More: Council weighs a second bridge as tempers flare over debt",
    "Bo Quill/Coast Wire/Photos Ann Lee greets the crew after the race on Sunday, May 3.",
    "Hide Caption 3 of 18 Photos: Ann Lee's life in pictures Lee waves from the pier.",
    "JUST WATCHED How the bridge fell Replay More Videos ...",
    "Engineers explain why the bridge fell into the harbour 02:14 - Source: Coast Wire",
    "Sign up here for the harbour letter.",
    "Subscribe to The Coast for more.",
    "(You can subscribe to our print edition here.",
    "Editor’s Note: A version of this ran in May.",
    "This story was updated with the mayor's answer.",
    "Contact Ann Lee at ann.lee@coast.example.",
    "– Ann Lee",
    "-- Admiral Bo Quill, asked about the round object over the bay.",
    "to how the ferry crew left the harbour.",
    "Contributing: Ann Lee, Bo Quill and Noor Haan, Coast Herald; Ida Moor, Harbour Post; Al Fox",
    "A. Minivan or van",
]
STATEMENTS = [
    "He was 96.",
    "Ann Lee won the race.",
    "The bridge fell at 02:14 on Monday, the harbour office said.",
    "“Read more books,” the mayor told pupils.",
    "The party signed up 400 members.",
    "iPhone sales fell by a third.",
    "She follows the club, and watches every game.",
    "In 2018 Quill found that a firm had left the names of two million people open to anyone",
    "大雨で橋が閉鎖された。",
    "ฝนตกหนักทำให้สะพานปิดเป็นเวลาหกสัปดาห์",
]


@pytest.mark.parametrize("text", FRAGMENTS)
def test_is_fragment_recognises_page_furniture(text: str) -> None:
    assert is_fragment(text)


@pytest.mark.parametrize("text", STATEMENTS)
def test_is_fragment_keeps_statements(text: str) -> None:
    assert not is_fragment(text)


def test_is_fragment_allows_lower_case_within_a_line() -> None:
    assert not is_fragment("eBay closed its office in the harbour.", opens_line=False)


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("VALENCIA, Oct 30 (Wire) - Rain fell.", "Rain fell."),
        ("(CNN) Rain fell.", "Rain fell."),
        ("New York (Wire Business) Rain fell.", "Rain fell."),
        ("PORT ELLIS, Arvandia (AP) — Rain fell.", "Rain fell."),
        ("PORT ELLIS –Rain fell.", "Rain fell."),
        ("Port Ellis, Arvandia – “Rain fell,” she said.", "“Rain fell,” she said."),
        ("• Rain fell.", "Rain fell."),
        ("Rain fell.", "Rain fell."),
        (
            "Port Ellis – the old capital – was flooded.",
            "Port Ellis – the old capital – was flooded.",
        ),
        ("The party (Liberal) lost.", "The party (Liberal) lost."),
        ("Ann Lee (Labour) won.", "Ann Lee (Labour) won."),
    ],
)
def test_lead_in_is_a_bullet_or_dateline(line: str, rest: str) -> None:
    assert line[lead_in_end(line, start=0) :] == rest


def test_place_and_dash_are_a_dateline_only_in_the_opening() -> None:
    line = "Port Ellis – Quill's home – was flooded."
    assert lead_in_end("Port Ellis – Rain fell.", start=0)
    assert not lead_in_end(line, start=900)


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("He was 96.", True),
        ("But they refused.", True),
        ("“It is over,” he said.", True),
        ("The pair left on Monday.", True),
        ("Ann Lee was 96.", False),
        ("Those who stayed were safe.", False),
        ("Italy won.", False),
    ],
)
def test_sentence_leans_if_it_opens_with_a_pronoun(text: str, leans: bool) -> None:
    assert leans_on_previous(text) is leans


@given(st.text(alphabet="Ab1 :/.,-–—(”)", max_size=60))
def test_lead_in_leaves_something(line: str) -> None:
    assert 0 <= lead_in_end(line, start=0) <= len(line)
    is_fragment(line)
