"""Speakers of quotations: who said which words, and nobody where the text isn't clear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.nlp.quotations import find_quotations
from rag.nlp.speakers import find_speech
from rag.schema import Span

WORDS = "“We will mend the bridge before the winter comes,”"


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        (f"{WORDS} Mayor Ada Quill said.", "Ada Quill"),
        (f"{WORDS} said Ada Quill, the mayor of Lund, in a statement.", "Ada Quill"),
        (f"{WORDS} said Ada Quill of the Harbour Union’s Safety Board.", "Ada Quill"),
        (f"{WORDS} Secretary of State Ada Quill told reporters on Monday.", "Ada Quill"),
        (f"{WORDS} Ada Quill, who has led Lund for six years, added.", "Ada Quill"),
        (f"{WORDS} according to Ada Quill, head of the board.", "Ada Quill"),
        (f"According to Ada Quill, {WORDS.lower()} as before.", "Ada Quill"),
        ("Ada Quill tweeted: “We will mend the bridge before the winter comes.”", "Ada Quill"),
        (
            "After the vote, the board’s lawyer, Jonas Berg, said: “We will mend it by winter.”",
            "Jonas Berg",
        ),
        (f"{WORDS} a spokesman for the port said.", "a spokesman for the port"),
        (f"{WORDS} the royal family said in a statement.", "the royal family"),
        (f"{WORDS} police said.", "police"),
    ],
)
def test_speaker_is_named_by_the_clause_beside_the_words(text: str, speaker: str) -> None:
    (found,) = find_speech(text)
    assert found.speaker == speaker


@pytest.mark.parametrize(
    "text",
    [
        f"Ada Quill met Jonas Berg. {WORDS[:-2]}.”",  # nobody is said to speak
        f"{WORDS} he said.",  # nobody was named
        f"Ada Quill met Jonas Berg at the bridge. {WORDS} he said.",  # could be either
        f"{WORDS} it said.",
        "Countries got together and said, “We will mend the bridge before the winter comes.”",
        "On Monday, a bishop turned to Ada, newly crowned Queen Ada II, and in a nod to his church,"
        " said, “We will mend the bridge before the winter comes.”",
        "Lund says Jonas Berg of the board. “We will mend the bridge before the winter comes.”",
        "“We will mend the bridge before the winter comes.” Ada Quill says this line in the film.",
    ],
)
def test_unclear_speaker_is_left_empty(text: str) -> None:
    assert [one.speaker for one in find_speech(text)] == [""]


def test_full_name_comes_from_the_article() -> None:
    text = f"Mayor Ada Quill opened the meeting.\n\n{WORDS} Quill said."
    assert [one.speaker for one in find_speech(text)] == ["Ada Quill"]


def test_surname_of_two_persons_stays_alone() -> None:
    text = f"Ada Quill and Will Quill opened the meeting.\n\n{WORDS} Quill said."
    assert [one.speaker for one in find_speech(text)] == ["Quill"]


def test_clause_that_leads_to_the_next_quotation_is_not_of_the_one_before() -> None:
    text = f"“Nobody will have to take the ferry then.” Singer Ada Quill wrote: {WORDS[:-2]}.”"
    assert [one.speaker for one in find_speech(text)] == ["", "Ada Quill"]


def test_pronoun_means_the_last_speaker_unless_another_person_is_named() -> None:
    first = f"{WORDS} said Ada Quill."
    second = "“Nobody will have to take the ferry then,” she said."
    assert [s.speaker for s in find_speech(f"{first}\n\n{second}")] == ["Ada Quill"] * 2
    other = "Clerk Jonas Berg had warned of the cost, Berg said."
    assert find_speech(f"{first}\n\n{other}\n\n{second}")[-1].speaker != "Ada Quill"


def test_words_about_a_person_are_not_by_that_person() -> None:
    text = (
        "Jonas Berg said so.\n\nMayor Ada Quill “mends bridges to win the votes of Lund,” he said."
    )
    assert "Ada Quill" not in [one.speaker for one in find_speech(text)]


def test_quotation_goes_on_after_its_clause() -> None:
    text = f"{WORDS} Ada Quill said. “The ferries will then stop.” The storm went on."
    (found,) = find_speech(text)
    assert text[found.span.start : found.span.end].endswith("will then stop.”")
    assert found.words == f"{WORDS[1:-1]} The ferries will then stop."


def test_open_quotation_goes_on_in_the_next_paragraph() -> None:
    text = (
        "“We will mend the bridge before the winter comes,” Ada Quill said. "
        "“It will cost us more than we have.\n\n"
        "“But nobody in Lund will have to take the ferry.”"
    )
    assert {one.speaker for one in find_speech(text)} == {"Ada Quill"}


def test_part_of_a_sentence_is_quoted_with_its_sentence() -> None:
    text = "It rained. The mayor, Ada Quill, said the bridge was “a danger to all of us here” now."
    (found,) = find_speech(text)
    assert text[found.span.start : found.span.end].startswith("The mayor")
    assert not found.is_complete
    assert found.speaker == "Ada Quill"


def test_titles_and_single_words_are_no_speech() -> None:
    assert find_speech("They played “The Long Bridge of Lund Town” and “Ferry”, said Ada.") == []


def test_part_of_an_article_gives_the_same_speakers() -> None:
    second = "“Nobody will have to take the ferry then,” she said."
    text = f"Rain.\n\n{WORDS} said Ada Quill.\n\n{second}"
    whole = find_speech(text)
    start = text.index("“Nobody")
    assert find_speech(text, Span(start, len(text))) == whole[1:]


@given(st.text(alphabet='“”" .,\nAbhe said', max_size=200))
def test_speech_is_within_the_text_and_has_quoted_words(text: str) -> None:
    quoted = " ".join(q.text for q in find_quotations(text))
    for one in find_speech(text):
        assert 0 <= one.span.start < one.span.end <= len(text)
        assert all(word in quoted for word in one.words.split())
