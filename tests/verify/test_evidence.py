"""Evidence: the words that a model gives for a sentence are looked for exactly."""

from __future__ import annotations

import pytest

from rag.verify.evidence import find_words
from rag.verify.statements import Evidence, verify_statement
from rag.verify.verifier import Verifier
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, bag_of_words

HITS = FakeArchive(FERRY, TROOPS, length=3).passages
TEXTS = {FERRY.id: FERRY.text, TROOPS.id: TROOPS.text}
SENTENCE = "The crossing takes 25 minutes, Mayor Ines Duarte said. [1]"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("It carries 400 passengers", "It carries 400 passengers"),
        ('"it changes how we live" Duarte said', "It changes how we live,” Duarte said"),
        ("It carries … 60 cars", "It carries 400 passengers and 60 cars"),
        ("It carries 500 passengers", ""),
        ("passengers 400", ""),
        ("…", ""),
    ],
)
def test_find_words_ignores_typography_only(words: str, found: str) -> None:
    span = find_words(words, FERRY.text)
    assert (FERRY.text[span.start : span.end] if span else "") == found


def test_words_given_become_the_citation() -> None:
    words = "the crossing takes 25 minutes"
    checked = verify_statement(
        SENTENCE, HITS, Verifier(bag_of_words), articles=TEXTS, evidence=[Evidence(1, words)]
    )
    assert [c.quote for c in checked.statement.citations] == [words]
    assert not checked.lacks_evidence


def test_words_of_another_passage_are_found_there() -> None:
    evidence = Evidence(3, "the crossing takes 25 minutes")
    checked = verify_statement(
        SENTENCE, HITS, Verifier(bag_of_words), articles=TEXTS, evidence=[evidence]
    )
    assert checked.statement.citations[0].metadata.article_id == FERRY.id


def test_sentence_with_invented_words_lacks_evidence() -> None:
    checked = verify_statement(
        "The islands grew closer. [1]",
        HITS,
        Verifier(bag_of_words),
        articles=TEXTS,
        evidence=[Evidence(1, "the islands have grown closer than ever")],
    )
    assert checked.lacks_evidence
