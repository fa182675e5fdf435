"""Verifier: exact checks, and the reason for each verdict."""

from __future__ import annotations

import pytest

from rag.schema import Hit
from rag.verify.verifier import Verdict, Verifier
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, bag_of_words

(HIT,) = FakeArchive(TROOPS, length=50).passages
(BOAT,) = FakeArchive(FERRY, length=50).passages


def verdict(claim: str, hit: Hit = HIT) -> Verdict:
    return Verifier(bag_of_words).verify(claim, [hit], article=TROOPS.text)


@pytest.mark.parametrize(
    "claim",
    [
        "South Korea has not supplied Ukraine with heavy weapons.",
        "“We will not look away if our safety is at stake,” Han said in Seoul on Thursday.",
        '"We will not look away if our safety is at stake," Foreign Minister Han Do Yun said.',
        "According to South Korean intelligence, North Korea has sent three thousand soldiers.",
        "According to South Korean intelligence, North Korea has sent 3,000 soldiers so far.",
        "The treaty was signed in Pyongyang in June by Vladimir Putin and Kim Jong Un.",
        "The treaty was signed in Pyongyang in June by Kim Jong Un and Vladimir Putin.",
        "Han said in Seoul on 24 October 2024, “We will not look away if our safety is at stake.”",
    ],
)
def test_claim_in_the_passage_is_supported(claim: str) -> None:
    assert verdict(claim).support == "supported"


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("“We will not look away if our honour is at stake,” Han said.", "quote_altered"),
        (
            "North Korea has sent 30,000 soldiers, according to South Korean intelligence.",
            "number_missing",
        ),
        ("The treaty was signed in Pyongyang in July.", "number_missing"),
        ("The treaty was signed in Beijing in June.", "name_missing"),
        ("President Han Do Yun told parliament that his country would act.", "title_missing"),
        ("“We will not look away if our safety is at stake,” Orlov said.", "passage_quotes_other"),
        ("South Korea has supplied Ukraine with heavy weapons.", "passage_says_opposite"),
        (
            "South Korean soldiers arrived in Russia, and North Korea is weighing how to answer.",
            "passage_swaps_roles",
        ),
        ("The treaty is clear and names an attack.", "passage_attributes"),
        ("A new ferry began to sail between the islands.", "not_decidable"),
    ],
)
def test_claim_not_in_the_passage_is_not_supported(claim: str, code: str) -> None:
    found = verdict(claim)
    assert found.support != "supported"
    assert found.reason is not None
    assert found.reason.code == code


def test_claim_without_citation_is_not_supported() -> None:
    assert Verifier(bag_of_words).verify("It rained.", []).support == "not supported"


def test_paraphrased_claim_is_scored() -> None:
    assert verdict("The new ferry carries 400 passengers.", BOAT).support == "supported"
    assert verdict("The ferry line went bankrupt and was closed.", BOAT).support != "supported"


def test_entailment_model_decides_if_set() -> None:
    def never(pairs: object) -> list[tuple[float, float, float]]:
        return [(0.1, 0.1, 0.8)]

    verifier = Verifier(bag_of_words, entails=never)
    assert verifier.verify("The new ferry carries passengers.", [BOAT]).support == "contradicted"
