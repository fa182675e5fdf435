"""Sentences as a chat model writes them, over invented articles: shown, marked or removed."""

from __future__ import annotations

import pytest

from rag.verify.statements import VerifiedStatement, verify_statement
from rag.verify.verifier import Verifier
from tests.support.fake_archive import FakeArchive, bag_of_words
from tests.verify.written_sentences import ARTICLES, written_sentences


def verify(article: str, words: str) -> VerifiedStatement:
    hits = FakeArchive(ARTICLES[article], length=4).passages
    texts = {each.id: each.text for each in ARTICLES.values()}
    return verify_statement(f"{words} [1]", hits, Verifier(bag_of_words), articles=texts)


def outcome(article: str, words: str) -> str:
    checked = verify(article, words)
    if checked.is_removed:
        return "removed"
    return "shown" if checked.statement.support == "supported" else "marked"


ALLOWED = {
    "clear": {"shown"},
    "good": {"shown", "marked"},
    "doubt": {"marked", "removed"},
    "out": {"removed"},
}


@pytest.mark.parametrize(("article", "level", "words"), written_sentences())
def test_written_sentence_gets_its_outcome(article: str, level: str, words: str) -> None:
    assert outcome(article, words) in ALLOWED[level]


def test_at_most_half_of_good_sentences_are_marked() -> None:
    good = [
        outcome(a, words) for a, level, words in written_sentences() if level in ("clear", "good")
    ]
    assert good.count("marked") * 2 <= len(good)


@pytest.mark.parametrize(
    ("article", "words", "code"),
    [
        (
            "contract",
            "Dario Conti signed a three-year contract worth $48 million.",
            "passage_has_other_figure",
        ),
        ("contract", "Conti's $48 million contract beats Rocha's $39 million.", "figure_of_other"),
        ("bank", "Petra Lindqvist took bribes.", "passage_says_opposite"),
        ("bank", "Nils Aker is corrupt.", "accusation_unproven"),
        ("vote", "Moreau has called Ekman “timid” for delaying the tax.", "passage_quotes_other"),
        ("probe", "Call 555-0142 for details.", "addresses_reader"),
        ("storm", "The storm reached the capital by Thursday.", "passage_says_possible"),
        ("storm", "Mehr als 1.400 Menschen wurden in Sicherheit gebracht.", "other_language"),
    ],
)  # fmt: skip
def test_doubtful_sentence_has_its_reason(article: str, words: str, code: str) -> None:
    reason = verify(article, words).statement.reason
    assert reason is not None
    assert reason.code == code


def test_unverified_statement_cites_nearest_passage_without_a_number() -> None:
    hits = FakeArchive(ARTICLES["storm"], length=4).passages
    checked = verify_statement(
        "Rescuers could not get to Tamm.", hits, Verifier(bag_of_words), articles={}
    )
    assert checked.statement.support == "unverified"
    assert "Tamm" in checked.statement.citations[0].passage.text
