"""False premises: named where the passages contradict the question, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.premise_conflicts import (
    denies,
    find_other_name,
    find_other_number,
    has_antonym,
    without_refusal_verb,
)
from rag.answer.premise_roles import (
    Predicate,
    find_other_agent,
    is_denied,
    is_hypothetical,
    main_predicate,
    places,
    predicate_matches,
    same_place,
)
from rag.answer.premises import has_false_premise
from rag.evaluate.premises import read_premises
from rag.nlp.tokens import stem_words
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, day

PAIRS = Path(__file__).parents[1] / "quality" / "premises.jsonl"
COURT = FERRY.replace(
    id="coast.example/court",
    title="Court finds the island vote valid",
    text=(
        "The high court of Arvandia declared the vote on the ferry valid on Monday. "
        "Judge Ines Duarte read the ruling in Port Ellis. The council had asked for it."
    ),
)


@pytest.fixture
def bot() -> Chatbot:
    return Chatbot(FakeArchive(TROOPS, FERRY, COURT))


@pytest.mark.parametrize(
    "question",
    [
        "Why did the high court of Arvandia declare the vote on the ferry invalid?",
        "Why did the high court of Belmark declare the vote on the ferry valid?",
        "Why did South Korea send tanks to Kyiv?",
        "When was the treaty signed in Port Ellis?",
        "Why does the new ferry carry 900 cars?",
    ],
)
def test_false_premise_is_named_with_its_sentence(bot: Chatbot, question: str) -> None:
    answer = bot.ask(question)
    assert has_false_premise(answer)
    assert answer.statements


@pytest.mark.parametrize(
    "question",
    [
        "Why did the high court of Arvandia declare the vote on the ferry valid?",
        "Why does the new ferry carry 400 passengers?",
        "Why was the old boat sold?",
    ],
)
def test_true_premise_is_not_flagged(bot: Chatbot, question: str) -> None:
    assert not has_false_premise(bot.ask(question))


@pytest.mark.parametrize("way", ["fall", "rise"])
def test_supported_premise_need_not_name_the_time_range(way: str) -> None:
    told = [
        TROOPS.replace(id="mill.example/1", title="Island grain prices fall", published=day(10, 3),
                text="Island grain prices fell on Thursday, the exchange of Lund said."),
        TROOPS.replace(id="mill.example/2", title="Island grain prices rise", published=day(10, 9),
                text="Island grain prices rose on Wednesday, the exchange of Lund said."),
    ]  # fmt: skip
    answer = Chatbot(FakeArchive(*told)).ask(f"Why did the island grain prices {way} in 2024?")
    assert not answer.refused
    assert not has_false_premise(answer)


def test_negation_denies_what_follows_it() -> None:
    assert denies(stem_words("supply weapons"), "It has not yet supplied any weapons.")
    assert not denies(stem_words("supply weapons"), "Weapons were supplied; it did not say which.")
    assert not denies(stem_words("game"), "No World Series final had been such a game.")


def test_ordinal_is_not_a_count() -> None:
    assert (
        find_other_number("the ferry carry 900 passengers", "It carries 400 passengers.") == "400"
    )
    assert not find_other_number("they won the second round", "It was the third round.")


def test_antonym_contradicts_the_claim() -> None:
    claim = "the council approved the plan"
    assert has_antonym(claim, stem_words(claim), "The council rejected the plan.")
    assert not has_antonym(claim, stem_words(claim), "The council approved the plan.")
    assert without_refusal_verb("Kim refused to ratify the treaty") == "Kim ratify the treaty"


def test_negated_verb_does_not_deny_its_object() -> None:
    assert not denies(stem_words("catch"), "The company did not repeat the catch.")
    assert denies(stem_words("hold"), "She did not want to hold a press conference.")
    assert denies(stem_words("send"), "It has not supplied any weapons.")


def test_predicate_roles_follow_word_order_and_agent() -> None:
    won = main_predicate("the Harbour Gulls win the cup")
    assert won == Predicate("Harbour Gulls", "win")
    assert predicate_matches(won, "The Harbour Gulls won the cup on Sunday.")
    lost = "On Sunday the Coast Terns celebrated a win over the Harbour Gulls."
    assert not predicate_matches(won, lost)
    assert find_other_agent(won, lost) == "Coast Terns"
    signed = main_predicate("Ines Duarte sign the treaty")
    assert not predicate_matches(
        signed, "The treaty, signed by Pavel Orlov, was read by Ines Duarte."
    )
    assert predicate_matches(signed, "The treaty was signed by Ines Duarte.")


def test_crowds_and_soldiers_are_not_agents() -> None:
    assert main_predicate("the crowd in Port Ellis throw mud").who == ""
    assert main_predicate("North Korean soldiers arrive in Russia").who == ""
    assert main_predicate("Seoul's opposition support the plan").who == ""


def test_different_place_in_same_country_is_another_place() -> None:
    assert [place.text for place in places("They met in Kyiv and left.")] == ["Kyiv"]
    assert not same_place("Kyiv", "Ukraine")
    assert (
        find_other_name("the summit in Moscow", "Moscow", "It ended in Kazan.", is_place=True)
        == "Kazan"
    )


def test_sentence_opening_word_is_not_another_name() -> None:
    assert find_other_name("Duarte win", "Duarte", "Tens of thousands of people came.") == "others"
    assert (
        find_other_name("Duarte win", "Duarte", "PORT ELLIS, Oct 3 (Wire) - Ann Lund won.")
        == "Ann Lund"
    )


def test_demanded_event_is_hypothetical() -> None:
    resigned = main_predicate("Carlos Quint resign")
    assert is_hypothetical(resigned, "They demanded that the president, Carlos Quint, resign.")
    assert not is_hypothetical(resigned, "Carlos Quint resigned on Monday.")


def test_denied_denial_is_recognised() -> None:
    claim = "Orlov deny the report"
    assert is_denied(claim, main_predicate(claim), "Orlov did not deny the report.")
    assert not is_denied(claim, main_predicate(claim), "Orlov denied the report.")
    assert has_antonym(claim, stem_words(claim), "Orlov confirmed the report.")


def test_premises_file_has_sixty_pairs() -> None:
    pairs = read_premises(PAIRS.read_text(encoding="utf-8").splitlines())
    assert len(pairs) == len({pair.false for pair in pairs}) == 60
