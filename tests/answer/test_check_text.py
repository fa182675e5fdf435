"""Checking a draft: outcomes, context of earlier sentences, limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from rag.answer.check_text import LONGEST_TEXT, CheckedSentence, TextCheck, TextChecker
from rag.answer.draft_sentences import split_draft
from rag.errors import InvalidValueError
from rag.schema import Article
from rag.verify.claim_dates import differing_dates
from rag.verify.verifier import Verifier
from tests.support.fake_archive import FakeArchive, bag_of_words

BRIDGE = Article(
    id="bridge",
    title="Bridge of Osterholt reopens",
    text=(
        "The bridge of Osterholt reopened on Monday after two years of repairs. It cost 40 million "
        'crowns. "It will stand for a century," said engineer Odile Brandt.'
    ),
    published=datetime(2024, 3, 6, tzinfo=UTC),  # a Wednesday
)
TUNNEL = Article(
    id="tunnel",
    title="Tunnel of Karsk opens",
    text="The tunnel of Karsk opened on Friday. It cost 70 million crowns.",
    published=datetime(2024, 5, 4, tzinfo=UTC),
)
CLAIMS = "Odile Brandt was accused of nothing. The old rail bridge of Osterholt stays closed."
RAIL = Article(id="rail", title="Rail", text=CLAIMS, published=datetime(2024, 4, 1, tzinfo=UTC))


def check(text: str, *articles: Article, **given: float) -> tuple[CheckedSentence, ...]:
    archive = FakeArchive(*(articles or (BRIDGE, TUNNEL, RAIL)))
    return TextChecker(archive, Verifier(bag_of_words), **given).check(text).sentences


def outcome(text: str) -> str:
    return check(text)[-1].outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The bridge of Osterholt reopened on Monday.", "supported"),
        ("The bridge of Osterholt reopened on 4 March 2024.", "supported"),
        ("The bridge of Osterholt reopened on 4 March 2023.", "contradicted"),
        ("The bridge of Osterholt reopened on Tuesday after two years of repairs.", "contradicted"),
        ("The bridge of Osterholt reopened after nine years of repairs.", "contradicted"),
        ("The bridge of Osterholt did not reopen after two years of repairs.", "contradicted"),
        ("The harbour of Quell has a new crane.", "not in the archive"),
        (
            "The bridge of Osterholt reopened after two years of costly and secret repairs.",
            "partly",
        ),
    ],
)
def test_check_tells_outcomes_apart(text: str, expected: str) -> None:
    if expected == "contradicted":
        assert outcome(text) in ("contradicted", "partly")
        assert outcome(text) != "supported"
    else:
        assert outcome(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Did the bridge of Osterholt reopen on Monday?",
        "Dear readers of the Courier,",
        "# The bridge of Osterholt reopened on Monday.",
        "A bridge for a century",
        "I think the bridge of Osterholt reopened too late.",
        "The council should reopen the bridge of Osterholt.",
        "What a beautiful bridge!",
        "Sehr geehrte Damen und Herren,",
        "Please call the council today.",
        "Mit freundlichen Grüßen",
    ],
)
def test_sentence_without_a_claim_is_said_to_be_one(text: str) -> None:
    (sentence,) = check(text)
    assert sentence.outcome == "no claim"
    assert sentence.citations == ()


def test_item_of_a_list_is_a_claim() -> None:
    *_, last = check("Facts:\n\n- The bridge of Osterholt reopened on Monday")
    assert last.text == "The bridge of Osterholt reopened on Monday"
    assert last.outcome == "supported"


def test_spans_are_those_of_the_draft() -> None:
    draft = "# News\n\nThe bridge of Osterholt reopened on Monday. 🚢 It cost 40 million crowns.\n"
    for sentence in check(draft):
        assert draft[sentence.start : sentence.end] == sentence.text


def test_quotations_are_exact() -> None:
    for sentence in check("The bridge of Osterholt reopened on Monday. It cost 40 million crowns."):
        assert sentence.citations
        for citation in sentence.citations:
            assert citation.quote == BRIDGE.text[citation.start : citation.end]


def test_it_stands_for_what_was_named_before() -> None:
    assert outcome("The bridge of Osterholt is open. It cost 40 million crowns.") == "supported"
    assert outcome("The tunnel of Karsk is open. It cost 70 million crowns.") == "supported"
    # the sentence stands in the archive, of another thing
    assert outcome("The tunnel of Karsk is open. It cost 40 million crowns.") != "supported"
    assert outcome("The harbour of Quell is open. It cost 40 million crowns.") != "supported"


def test_pronoun_and_bare_date_are_completed() -> None:
    draft = "Odile Brandt came to Osterholt in 2024. She spoke on 4 March. Brandt left."
    claims = [sentence.claim for sentence in split_draft(draft)]
    assert claims[1] == "Odile Brandt spoke on 4 March 2024."
    assert list(split_draft(draft))[2].about == ("Odile Brandt",)


def test_words_in_another_order_are_not_supported() -> None:
    article = Article(id="x", title="", text="In Tarn strikers attacked guards with stones.")
    assert check("In Tarn strikers attacked guards.", article)[0].outcome == "supported"
    assert check("In Tarn guards attacked strikers.", article)[0].outcome != "supported"


def test_another_subject_is_not_supported() -> None:
    text = "Trade grew. Cuomo launched a campaign for cheese in 2011."
    article = Article(id="x", title="Trade and cheese", text=text)
    assert check("Cuomo launched a campaign for cheese in 2011.", article)[0].outcome == "supported"
    assert check("Trade launched a campaign for cheese in 2011.", article)[0].outcome != "supported"


def test_newer_article_that_says_otherwise_is_told() -> None:
    old = Article(
        id="old",
        title="Flood",
        text="The flood of Velsund killed 12 people.",
        published=datetime(2024, 1, 1, tzinfo=UTC),
    )
    new = Article(
        id="new",
        title="Flood",
        text="The flood of Velsund killed 15 people.",
        published=datetime(2024, 1, 5, tzinfo=UTC),
    )
    (sentence,) = check("The flood of Velsund killed 12 people.", old, new)
    assert sentence.outcome == "partly"
    assert sentence.reason is not None
    assert sentence.reason.code == "check_archive_disagrees"
    assert {c.metadata.article_id for c in sentence.citations} == {"old", "new"}
    (later,) = check("The flood of Velsund killed 15 people.", old, new)
    assert later.outcome == "supported"


def test_model_decides_what_comparison_leaves_open() -> None:
    def entails(pairs: Sequence[tuple[str, str]]) -> list[tuple[float, float, float]]:
        return [(0.9, 0.1, 0.0) if "reopened" in text else (0.0, 1.0, 0.0) for text, _ in pairs]

    claim = "Cars may cross the bridge of Osterholt again."
    archive = FakeArchive(BRIDGE)
    exact = TextChecker(archive, Verifier(bag_of_words)).check(claim)
    judged = TextChecker(archive, Verifier(bag_of_words, entails=entails)).check(claim)
    assert exact.sentences[0].outcome != "supported"
    assert judged.sentences[0].outcome == "supported"
    dated = TextChecker(archive, Verifier(bag_of_words, entails=entails)).check(
        "The bridge of Osterholt reopened on 4 March 2021."
    )
    assert dated.sentences[0].outcome != "supported"


def test_limits_are_told_and_not_silent() -> None:
    many = "The bridge of Osterholt reopened on Monday. " * 205
    found = check(many)
    codes = [one.reason.code for one in found if one.reason and one.outcome == "not checked"]
    assert codes == ["check_too_many_sentences"] * 5
    (late,) = check("The bridge of Osterholt reopened on Monday.", seconds=-1.0)
    assert late.outcome == "not checked"
    for text in ("", "  \n", "x" * (LONGEST_TEXT + 1)):
        with pytest.raises(InvalidValueError):
            check(text)


def test_check_round_trips_through_json() -> None:
    found = TextCheck(check("The bridge of Osterholt reopened on Monday. Did it?"))
    assert TextCheck.from_dict(found.to_dict()) == found
    assert found.counts["supported"] == 1
    assert found.counts["no claim"] == 1
    assert [citation.number for citation in found.citations] == [1]


WEDNESDAY = datetime(2024, 3, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("claim", "sentence", "differing"),
    [
        ("on 4 March 2024", "on Monday", []),
        ("on 5 March 2024", "on Monday", ["5 March 2024"]),
        ("on 4 March 2023", "on 4 March", ["4 March 2023"]),
        ("on 4 March 2024", "on 4 March", []),
        ("in March 2024", "on 4 March", []),
        ("on 20 December 2023", "on 20 December", []),
        ("on 20 December 2024", "on 20 December", ["20 December 2024"]),
        ("on Tuesday", "yesterday", []),
        ("on 29 February 2024", "on 29 February 2024", []),
        ("on Friday", "in the evening", ["Friday"]),
    ],
)
def test_differing_dates_are_found_down_to_the_year(
    claim: str, sentence: str, differing: list[str]
) -> None:
    found = differing_dates(f"It opened {claim}.", f"It opened {sentence}.", WEDNESDAY)
    assert found == differing
