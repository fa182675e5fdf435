"""The extractive answer: the right sentence, word for word, cited, or a plain refusal."""

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
from tests.newsroom import FERRY, TROOPS, FakeArchive, day


@pytest.fixture
def bot() -> Chatbot:
    return Chatbot(FakeArchive(TROOPS, FERRY))


def first(answer: Answer) -> str:
    return answer.statements[0].text


def test_a_threat_is_answered_with_the_words_of_those_who_speak_for_the_country(
    bot: Chatbot,
) -> None:
    answer = bot.ask("What did South Korea threaten?")
    assert any("“We will not look away" in s.text for s in answer.statements)


def test_a_bare_surname_is_completed_in_brackets() -> None:
    at = TROOPS.text.index("“We will not")
    assert "Han [Do Yun] said" in resolve_references(TROOPS.text, Span(at, at + 85))


def test_two_good_neighbours_are_one_statement(bot: Chatbot) -> None:
    said = first(bot.ask("What did South Korea threaten?"))
    assert "told parliament that his country would act. “We will not look away" in said


def test_how_many_is_answered_with_a_figure_and_who_gives_it(bot: Chatbot) -> None:
    said = first(bot.ask("How many soldiers has North Korea sent, according to whom?"))
    assert "3,000" in said
    assert "intelligence" in said


def test_when_and_by_whom_is_answered_with_the_day_and_the_people(bot: Chatbot) -> None:
    said = first(bot.ask("When was the treaty signed, and by whom?"))
    assert "June" in said
    assert "Putin" in said


def test_every_word_outside_brackets_is_the_article_s(bot: Chatbot) -> None:
    for question in ("What did South Korea threaten?", "What did Orlov say about the treaty?"):
        answer = bot.ask(question)
        assert answer.statements
        for statement in answer.statements:
            (citation,) = statement.citations
            article = bot.archive.article(citation.passage.article_id)
            assert article is not None
            assert citation.quote == article.text[citation.start : citation.end]
            assert is_verbatim_text(statement.text, citation.quote)


def test_somebody_who_is_not_quoted_said_nothing(bot: Chatbot) -> None:
    answer = bot.ask("What did the Pope say?")
    assert answer.refused
    assert answer.refusal == Notice("speakers_missing", speakers=["the Pope"])
    assert answer.text == NO_ANSWER
    assert answer.nearest_hits
    assert not answer.citations


def test_a_copy_of_a_wire_story_counts_once() -> None:
    copy = TROOPS.replace(id="other.example/copy", publisher="Other", published=day(10, 25))
    answer = Chatbot(FakeArchive(TROOPS, copy)).ask("How many soldiers has North Korea sent?")
    assert sum("3,000" in s.text for s in answer.statements) == 1


def test_an_answer_holds_as_of_the_newest_day_cited(bot: Chatbot) -> None:
    assert bot.ask("How many soldiers has North Korea sent?").newest_source == day(10, 24)


def test_ask_is_the_last_of_stream(bot: Chatbot) -> None:
    grown = list(bot.stream("What did South Korea threaten?"))
    assert grown[-1] == bot.ask("What did South Korea threaten?")
    for earlier, later in pairwise(grown):
        assert later.statements[: len(earlier.statements)] == earlier.statements


def test_a_quotation_of_several_sentences_is_kept_whole_with_its_speaker() -> None:
    text = TROOPS.text
    whole = [text[u.start : u.end] for u in quotable_spans(text)]
    assert any(
        u.startswith("“The treaty is clear. It names") and "said Pavel Orlov" in u for u in whole
    )
    assert "“It is a beginning. There will be more.” Orlov said." in whole


@given(st.text(alphabet='Ab.“” \n"?’', max_size=80))
def test_units_cover_the_text_in_order_and_never_overlap(text: str) -> None:
    end = 0
    for unit in quotable_spans(text):
        assert unit.start >= end
        assert not text[end : unit.start].strip()
        end = unit.end
    assert not text[end:].strip()


@given(st.text(alphabet='Ab.“” \n"[]', max_size=60))
def test_quotations_say_where_they_are(text: str) -> None:
    for quotation in find_quotations(text):
        assert quotation.text in text[quotation.start : quotation.end]


def test_a_pronoun_is_named_only_where_one_person_can_be_meant() -> None:
    text = "Mayor Ines Duarte opened the pier. She said it was late."
    assert resolve_references(text, Span(35, len(text))) == "She [Ines Duarte] said it was late."
    two = "Mayor Ines Duarte met Mayor Olga Lind. She said it was late."
    assert resolve_references(two, Span(39, len(two))) == "She said it was late."


def test_a_false_premise_is_named(bot: Chatbot) -> None:
    answer = bot.ask("Why did South Korea supply Ukraine with heavy weapons?")
    assert has_false_premise(answer)
    assert "has not supplied" in first(answer)


def test_a_true_premise_is_not_named(bot: Chatbot) -> None:
    answer = bot.ask("Why did North Korea send 3,000 soldiers?")
    assert not answer.notices


def test_a_surname_that_is_a_word_as_well_gets_no_name_in_brackets() -> None:
    text = (
        "“We saw them leave,” said Lee White, the chief of police.\n\n"
        "White said 31 men were held. Police say the men belong to a White nationalist group."
    )
    for sentence in ("White said 31 men were held.", "Police say the men belong to a White"):
        start = text.index(sentence)
        assert resolve_references(text, Span(start, start + len(sentence))) == sentence


def test_a_surname_before_a_noun_gets_no_name_in_brackets() -> None:
    text = "Prime Minister Anna Keller said no. The Keller plan failed. Keller said so on Monday."
    plan, said = (text.index(s) for s in ("The Keller plan", "Keller said so"))
    assert resolve_references(text, Span(plan, plan + 23)) == "The Keller plan failed."
    assert resolve_references(text, Span(said, said + 25)).startswith("[Anna] Keller said so on")


def test_an_embassy_of_another_country_does_not_speak_for_the_one_asked_about() -> None:
    article = (
        "Arvandia called in the Russian ambassador on Monday.\n\n"
        "The Russian embassy said later that nothing was directed against Arvandia's interests."
    )
    theirs = article.split("\n\n")[1]
    assert score_speaker("Arvandia", theirs, article) == 0.0
    assert score_speaker("Russia", theirs, article) == 1.0


def test_an_answer_that_is_seldom_right_says_so(bot: Chatbot) -> None:
    sure = bot.ask("How many soldiers has North Korea sent?")
    assert sure.confidence is not None
    low = Notice("low_confidence")
    assert low not in sure.notices
    assert low_confidence_notice(0.9) == ()
    assert low_confidence_notice(0.1) == (low,)
    assert answer_confidence([]) == 0


def test_a_better_sentence_is_given_with_more_confidence(bot: Chatbot) -> None:
    sure = bot.ask("How many soldiers has North Korea sent?").confidence
    less = bot.ask("Which soldiers were sold in Seoul at open options?").confidence
    assert sure is not None
    assert less is None or less < sure


def test_what_is_told_before_a_question_says_nothing_of_its_answer() -> None:
    assert (
        classify_question("When it is warm, we grill. How many sausages do we eat?").type
        == "figure"
    )
    assert classify_question("How many came? When it was warm.").type == "figure"
    assert classify_question("Tell me who won").type == "person"


def test_what_somebody_owns_is_not_part_of_its_name() -> None:
    text = "Duarte said that Quill-owned Ferries won. Ferries said it would sail on Monday."
    unit = Span(text.index("Ferries said"), len(text))
    assert "[" not in resolve_references(text, unit)
