"""Extractive answers: verbatim sentences with citations, or a refusal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.chatbot import Chatbot
from rag.answer.coreference import is_verbatim_text, resolve_references
from rag.answer.premises import has_false_premise
from rag.answer.refusal import answer_confidence, low_confidence_notice
from rag.nlp.quotations import find_quotations, quotable_spans
from rag.query.answer_type import classify_question, score_speaker
from rag.schema import NO_ANSWER, Answer, Notice, Span
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive, day


@pytest.fixture
def bot() -> Chatbot:
    return Chatbot(FakeArchive(TROOPS, FERRY))


def first_text(answer: Answer) -> str:
    return answer.statements[0].text


def test_extractive_answer_quotes_spokespeople_of_the_country(
    bot: Chatbot,
) -> None:
    answer = bot.ask("What did South Korea threaten?")
    assert any("“We will not look away" in s.text for s in answer.statements)


def test_bare_surname_is_completed_in_brackets() -> None:
    at = TROOPS.text.index("“We will not")
    assert "Han [Do Yun] said" in resolve_references(TROOPS.text, Span(at, at + 85))


def test_adjacent_good_sentences_are_one_statement(bot: Chatbot) -> None:
    said = first_text(bot.ask("What did South Korea threaten?"))
    assert "told parliament that his country would act. “We will not look away" in said


def test_how_many_question_gets_figure_and_source(bot: Chatbot) -> None:
    said = first_text(bot.ask("How many soldiers has North Korea sent, according to whom?"))
    assert "3,000" in said
    assert "intelligence" in said


def test_when_and_who_question_gets_date_and_people(bot: Chatbot) -> None:
    said = first_text(bot.ask("When was the treaty signed, and by whom?"))
    assert "June" in said
    assert "Putin" in said


def test_answer_is_verbatim_outside_brackets(bot: Chatbot) -> None:
    for question in ("What did South Korea threaten?", "What did Orlov say about the treaty?"):
        answer = bot.ask(question)
        assert answer.statements
        for statement in answer.statements:
            (citation,) = statement.citations
            article = bot.archive.article(citation.passage.article_id)
            assert article is not None
            assert citation.quote == article.text[citation.start : citation.end]
            assert is_verbatim_text(statement.text, citation.quote)


def test_speaker_without_quotations_is_refused(bot: Chatbot) -> None:
    answer = bot.ask("What did the Pope say?")
    assert answer.refused
    assert answer.refusal == Notice("speakers_missing", speakers=["the Pope"])
    assert answer.text == NO_ANSWER
    assert answer.nearest_hits
    assert not answer.citations


def test_duplicate_wire_story_is_cited_once() -> None:
    copy = TROOPS.replace(id="other.example/copy", publisher="Other", published=day(10, 25))
    answer = Chatbot(FakeArchive(TROOPS, copy)).ask("How many soldiers has North Korea sent?")
    assert sum("3,000" in s.text for s in answer.statements) == 1


def test_newest_source_is_newest_cited_date(bot: Chatbot) -> None:
    assert bot.ask("How many soldiers has North Korea sent?").newest_source == day(10, 24)


def test_ask_returns_last_answer_of_stream(bot: Chatbot) -> None:
    grown = list(bot.stream("What did South Korea threaten?"))
    assert grown[-1] == bot.ask("What did South Korea threaten?")
    for earlier, later in pairwise(grown):
        assert later.statements[: len(earlier.statements)] == earlier.statements


def test_multi_sentence_quotation_keeps_its_speaker() -> None:
    text = TROOPS.text
    whole = [text[u.start : u.end] for u in quotable_spans(text)]
    assert any(
        u.startswith("“The treaty is clear. It names") and "said Pavel Orlov" in u for u in whole
    )
    assert "“It is a beginning. There will be more.” Orlov said." in whole


@given(st.text(alphabet='Ab.“” \n"?’', max_size=80))
def test_quotable_spans_cover_text_in_order(text: str) -> None:
    end = 0
    for unit in quotable_spans(text):
        assert unit.start >= end
        assert not text[end : unit.start].strip()
        end = unit.end
    assert not text[end:].strip()


@given(st.text(alphabet='Ab.“” \n"[]', max_size=60))
def test_quotations_give_their_positions(text: str) -> None:
    for quotation in find_quotations(text):
        assert quotation.text in text[quotation.start : quotation.end]


def test_pronoun_is_resolved_only_if_unambiguous() -> None:
    text = "Mayor Ines Duarte opened the pier. She said it was late."
    assert resolve_references(text, Span(35, len(text))) == "She [Ines Duarte] said it was late."
    two = "Mayor Ines Duarte met Mayor Olga Lind. She said it was late."
    assert resolve_references(two, Span(39, len(two))) == "She said it was late."


def test_false_premise_is_named(bot: Chatbot) -> None:
    answer = bot.ask("Why did South Korea supply Ukraine with heavy weapons?")
    assert has_false_premise(answer)
    assert "has not supplied" in first_text(answer)


def test_true_premise_is_not_named(bot: Chatbot) -> None:
    answer = bot.ask("Why did North Korea send 3,000 soldiers?")
    assert not answer.notices


def test_surname_that_is_also_a_word_is_not_completed() -> None:
    text = (
        "“We saw them leave,” said Lee White, the chief of police.\n\n"
        "White said 31 men were held. Police say the men belong to a White nationalist group."
    )
    for sentence in ("White said 31 men were held.", "Police say the men belong to a White"):
        start = text.index(sentence)
        assert resolve_references(text, Span(start, start + len(sentence))) == sentence


def test_surname_used_as_adjective_is_not_completed() -> None:
    text = "Prime Minister Anna Keller said no. The Keller plan failed. Keller said so on Monday."
    plan, said = (text.index(s) for s in ("The Keller plan", "Keller said so"))
    assert resolve_references(text, Span(plan, plan + 23)) == "The Keller plan failed."
    assert resolve_references(text, Span(said, said + 25)).startswith("[Anna] Keller said so on")


def test_foreign_embassy_does_not_speak_for_the_asked_country() -> None:
    article = (
        "Arvandia called in the Russian ambassador on Monday.\n\n"
        "The Russian embassy said later that nothing was directed against Arvandia's interests."
    )
    theirs = article.split("\n\n")[1]
    assert score_speaker("Arvandia", theirs, article) == 0.0
    assert score_speaker("Russia", theirs, article) == 1.0


def test_low_confidence_answer_has_notice(bot: Chatbot) -> None:
    sure = bot.ask("How many soldiers has North Korea sent?")
    assert sure.confidence is not None
    low = Notice("low_confidence")
    assert low not in sure.notices
    assert low_confidence_notice(0.9) == ()
    assert low_confidence_notice(0.1) == (low,)
    assert answer_confidence([]) == 0


def test_better_sentence_has_higher_confidence(bot: Chatbot) -> None:
    sure = bot.ask("How many soldiers has North Korea sent?").confidence
    less = bot.ask("Which soldiers were sold in Seoul at open options?").confidence
    assert sure is not None
    assert less is None or less < sure


def test_answer_type_ignores_clauses_around_the_question() -> None:
    assert (
        classify_question("When it is warm, we grill. How many sausages do we eat?").type
        == "figure"
    )
    assert classify_question("How many came? When it was warm.").type == "figure"
    assert classify_question("Tell me who won").type == "person"


def test_owned_by_compound_is_not_part_of_a_name() -> None:
    text = "Duarte said that Quill-owned Ferries won. Ferries said it would sail on Monday."
    unit = Span(text.index("Ferries said"), len(text))
    assert "[" not in resolve_references(text, unit)
