"""What a question takes for granted is named where the passages say otherwise, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.answers.opposing import denies, opposite, other_figure, undeclined
from rag.answers.premises import names_premise
from rag.chatbot import Chatbot
from rag.measures.premises import read_premises
from rag.text.words import stems
from tests.newsroom import FERRY, TROOPS, FakeArchive

PAIRS = Path(__file__).parent / "quality" / "premises.jsonl"
COURT = replace(
    FERRY,
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
    ],
)
def test_a_false_premise_is_named_and_the_sentence_shown(bot: Chatbot, question: str) -> None:
    answer = bot.ask(question)
    assert names_premise(answer)
    assert answer.statements


@pytest.mark.parametrize(
    "question",
    [
        "Why did the high court of Arvandia declare the vote on the ferry valid?",
        "Why does the new ferry carry 400 passengers?",
        "Why was the old boat sold?",
    ],
)
def test_a_true_premise_is_left_alone(bot: Chatbot, question: str) -> None:
    assert not names_premise(bot.ask(question))


def test_a_negation_denies_what_comes_after_it() -> None:
    assert denies(stems("supply weapons"), "It has not yet supplied any weapons.")
    assert not denies(stems("supply weapons"), "Weapons were supplied; it did not say which.")
    assert not denies(stems("game"), "No World Series final had been such a game.")


def test_an_ordinal_counts_nothing() -> None:
    assert other_figure("the ferry carry 900 passengers", "It carries 400 passengers.") == "400"
    assert not other_figure("they won the second round", "It was the third round.")


def test_the_opposite_of_a_word_denies_the_rest() -> None:
    claim = "the council approved the plan"
    assert opposite(claim, stems(claim), "The council rejected the plan.")
    assert not opposite(claim, stems(claim), "The council approved the plan.")
    assert undeclined("Kim refused to ratify the treaty") == "Kim ratify the treaty"


def test_there_are_sixty_pairs_of_questions_of_the_sample() -> None:
    pairs = read_premises(PAIRS.read_text(encoding="utf-8").splitlines())
    assert len(pairs) == len({pair.false for pair in pairs}) == 60
