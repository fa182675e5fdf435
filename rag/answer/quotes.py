"""Quotes mode: who said what about a topic, in their own words, and how often it was printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rag.answer.corrections import add_correction_notes, cites_retracted
from rag.answer.extractive import append_statement, quote_statement
from rag.answer.period import refuse_period, small_talk_answer
from rag.answer.printings import Printing, agreed_speaker, find_printings, share_wording
from rag.answer.refusal import refusal_answer, refusal_reason
from rag.answer.sentence_scoring import SentenceCandidate, score_sentences, texts_of
from rag.answer.speaker_filter import AskedSpeaker, asked_speaker, is_by
from rag.citations import build_citation, number_citations
from rag.nlp.entities import find_names, is_country, names_match, normalize_name
from rag.nlp.speakers import Speech, find_speech
from rag.nlp.tokens import stem_words
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, retrieve, understand_question
from rag.schema import Answer, Citation, Filters, Hit, Notice, Span, Statement

MOST_QUOTES = 10
PASSAGES = 40  # passages whose quotations are compared
REFUSAL_HITS = 8  # passages by which refusals are decided, as for answers
EMBEDDED = 32  # quotations whose meaning is compared, which takes most of the time
OF_A_SPEAKER = 3  # quotations of one speaker, unless the question asks for that speaker
OF_AN_ARTICLE = 3
AROUND = (300, 200)  # characters before and after a quotation that tell what it is about
EMBEDDED_LENGTH = 400  # characters
FAR_BELOW = 2.5  # largest difference in score to the best quotation
LEAST_OF_PLAIN = 0.34  # share of the topic's plain words near a quotation about it
OF_A_NAME = 1.5  # weight of a name in the topic, of a plain word 1
WIDER_FOR_ONE = 1.5  # the same difference more if one speaker's words are asked for
MOST_CITED = 3  # articles cited for one quotation

# Weights of the score, chosen by reading the answers to 60 questions.
MEANING = 4.0
COVERED = 2.0  # share of the topic's words in the quotation itself
SURROUNDED = 2.0  # the same with its surroundings and the headline
ATTRIBUTED = 0.8
COMPLETE = 0.5
OPENING = 0.4  # an article quotes the most important words first
SHORT, LONG = 8, 70  # words of a quotation between which it says enough and not too much
OF_GOOD_LENGTH = 0.5


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation that answers, with the articles that print its words.

    Attributes:
        hit: The passage that has it.
        speech: The quotation and its speaker.
        score: Its relevance; higher is better.
        printings: Where else the archive has the same words.
    """

    hit: Hit
    speech: Speech
    score: float
    printings: tuple[Printing, ...] = ()


def find_quotes(
    archive: SearchBackend,
    question: str | ParsedQuery,
    *,
    filters: Filters = Filters(),
    asked_on: datetime | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
) -> Answer:
    """Return direct quotations about a topic, the most relevant first, each with its citations.

    A statement's label is a `quotation` notice: speaker, day, publisher, and in how many articles
    of how many publishers the same words are printed. A speaker that the article doesn't name
    clearly is left out. A question for one speaker's words gets only those.

    Args:
        archive: The archive.
        question: A question, topic or name, or a parsed question.
        filters: The filters that the articles must pass.
        asked_on: The day from which "last week" is counted, now by default.
        history: The earlier turns, oldest first.

    Returns:
        The quotations as an answer; `refused` is set if the archive has none.

    Raises:
        InvalidValueError: `asked_on` is not a date.
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    words = question if isinstance(question, str) else question.text
    asked = (
        question
        if isinstance(question, ParsedQuery)
        else understand_question(
            archive, question, asked_on=asked_on, history=history, access=filters.access
        )
    )
    if asked.intent not in ("question", "period"):
        return replace(small_talk_answer(asked), question=words)
    wanted = asked_speaker(asked)
    found = retrieve(archive, replace(asked, query=wanted.query), PASSAGES, filters=filters)
    why = _reason_to_refuse(archive, found, wanted)
    quotes = [] if why else _choose(archive, found, wanted)
    if not quotes:
        return replace(_refuse(found, why, wanted, filters), question=words)
    answer = Answer(
        words,
        hits=tuple(dict.fromkeys(quote.hit for quote in quotes)),
        understood=asked.describe(),
        candidates_considered=found.considered,
        notices=found.notices,
    )
    articles = texts_of(archive, answer.hits)
    for quote in quotes:
        quote = replace(quote, printings=find_printings(archive, quote.speech.words, filters))
        statement = _statement(quote, articles[quote.hit.passage.article_id])
        if not cites_retracted(statement):
            answer = append_statement(answer, statement)
    if not answer.statements:
        return replace(_refuse(found, None, wanted, filters), question=words)
    if wanted.name and not any(
        is_by(wanted, q.speech, articles[q.hit.passage.article_id]) for q in quotes
    ):
        missing = Notice("speakers_missing", speakers=[wanted.name])
        answer = replace(answer, notices=(*answer.notices, missing))
    return add_correction_notes(answer)


def _refuse(
    found: RetrievalResult, why: Notice | None, wanted: AskedSpeaker, filters: Filters
) -> Answer:
    if found.question.intent == "period" and not found.hits:
        return refuse_period(found, filters)
    if wanted.name and (why is None or why.code == "off_topic"):
        why = Notice("speakers_missing", speakers=[wanted.name])
    why = why or Notice("no_quotations" if found.hits else "nothing_relevant")
    refused = refusal_answer(found.question, found.nearest_hits, why, filters, found.notices)
    return replace(refused, candidates_considered=found.considered)


def _reason_to_refuse(
    archive: SearchBackend, found: RetrievalResult, wanted: AskedSpeaker
) -> Notice | None:
    """Return why nothing found is about the topic; whether its speaker is quoted is seen later."""
    if found.question.intent == "period":
        return None if found.hits else Notice("nothing_relevant")
    expected = replace(found.question.expected, type="anything", whose="", also=())
    topic = replace(found.question, expected=expected, query_expected=expected)
    few = replace(found, question=topic, hits=found.hits[:REFUSAL_HITS])
    return refusal_reason(topic, score_sentences(archive, few))


def _choose(archive: SearchBackend, found: RetrievalResult, wanted: AskedSpeaker) -> list[Quote]:
    """Return the best quotations, without repetitions and with a few of each article at most."""
    articles = texts_of(archive, found.hits)
    every = [
        Quote(hit, speech, 0.0)
        for hit in found.hits
        if (text := articles.get(hit.passage.article_id))
        for speech in find_speech(text, Span(hit.passage.start, hit.passage.end))
    ]
    quotes = [
        q
        for q in every
        if not wanted.name or is_by(wanted, q.speech, articles[q.hit.passage.article_id])
    ]
    if not quotes and not wanted.is_named:
        quotes = every  # "scientists" may be called anything; the answer says that they are missing
    ranked = _rank(archive, quotes, wanted, articles)
    far = FAR_BELOW + (WIDER_FOR_ONE if wanted.name else 0.0)
    kept: list[Quote] = []
    by_speaker: Counter[str] = Counter()
    by_article: Counter[str] = Counter()
    for quote in ranked:
        if len(kept) == MOST_QUOTES or quote.score < ranked[0].score - far:
            break
        speaker, article = quote.speech.speaker, quote.hit.passage.article_id
        if any(_repeats(quote, one) for one in kept):
            continue
        if by_article[article] < OF_AN_ARTICLE and (
            wanted.name or not speaker or by_speaker[speaker] < OF_A_SPEAKER
        ):
            kept.append(quote)
            by_speaker[speaker] += 1
            by_article[article] += 1
    return sorted(kept, key=lambda q: (-round(q.score), -_timestamp(q.hit), -q.score))


def _repeats(quote: Quote, other: Quote) -> bool:
    """Return whether a quotation has another one's words, or stands in the same sentence."""
    a, b = quote.speech.span, other.speech.span
    same_article = quote.hit.passage.article_id == other.hit.passage.article_id
    overlaps = same_article and a.start < b.end and b.start < a.end
    return overlaps or share_wording(other.speech, quote.speech)


def _timestamp(hit: Hit) -> float:
    published = hit.metadata.published
    return (published or datetime.min.replace(tzinfo=UTC)).timestamp() if published else 0.0


def _rank(
    archive: SearchBackend,
    quotes: Sequence[Quote],
    wanted: AskedSpeaker,
    articles: Mapping[str, str],
) -> list[Quote]:
    """Return the quotations that are about the topic, best first."""
    topic = _read_topic(wanted.topic)
    scored = []
    for quote in quotes:
        text, span = articles[quote.hit.passage.article_id], quote.speech.span
        near = text[max(0, span.start - AROUND[0]) : span.end + AROUND[1]]
        near = f"{near} {quote.hit.metadata.title}"
        if not topic.is_in(near):
            continue
        around = topic.share(near)
        own = topic.share(f"{text[span.start : span.end]} {quote.speech.phrase}")
        speech = quote.speech
        length = len(speech.words.split())
        score = (
            COVERED * own
            + SURROUNDED * around
            + ATTRIBUTED * bool(speech.speaker)
            + COMPLETE * speech.is_complete
            + OPENING / (1 + span.start / 1000)
            + OF_GOOD_LENGTH * (SHORT <= length <= LONG)
        )
        scored.append(replace(quote, score=score))
    best = sorted(scored, key=lambda quote: -quote.score)[:EMBEDDED]
    if not best or not wanted.topic:
        return best
    texts = [f"{q.speech.speaker}: {q.speech.words}"[:EMBEDDED_LENGTH] for q in best]
    vectors = archive.embed([wanted.topic, *texts])
    meanings = vectors[1:] @ vectors[0]
    closer = (
        replace(q, score=q.score + MEANING * float(m)) for q, m in zip(best, meanings, strict=True)
    )
    return sorted(closer, key=lambda quote: -quote.score)


@dataclass(frozen=True, slots=True)
class _Topic:
    """Words of a topic: its names, of which one must be there, and the stems of the others."""

    names: tuple[str, ...]
    plain: frozenset[str]

    def share(self, text: str) -> float:
        """Return the share of the topic that a text has; a name counts as one word and a half."""
        total = OF_A_NAME * len(self.names) + len(self.plain)
        named = sum(_has_name(text, name) for name in self.names)
        return (OF_A_NAME * named + len(self.plain & stem_words(text))) / total if total else 0.0

    def is_in(self, text: str) -> bool:
        """Return whether a text has one of the topic's names and enough of its other words."""
        named = not self.names or any(_has_name(text, name) for name in self.names)
        plain = len(self.plain & stem_words(text)) >= LEAST_OF_PLAIN * len(self.plain)
        return named and plain


def _read_topic(topic: str) -> _Topic:
    names = tuple(dict.fromkeys(name.text for name in find_names(f"of {topic}")))
    in_names = frozenset[str]().union(*(stem_words(name) for name in names))
    return _Topic(names, stem_words(topic) - in_names)


def _has_name(text: str, name: str) -> bool:
    """Return whether a text has a name, or part of it: "Quill" for "Ada Quill"."""
    if is_country(name):  # "Korea" is no North Korea
        key = normalize_name(name)
        return any(normalize_name(other.text) == key for other in find_names(text))
    return name in text or any(names_match(name, other.text) for other in find_names(text))


def _statement(quote: Quote, article: str) -> Statement:
    """Return the statement of a quotation: its words, its label and the articles that print it."""
    hit, span = quote.hit, quote.speech.span
    candidate = SentenceCandidate(hit, span, article[span.start : span.end], {})
    stated = quote_statement(candidate, article)
    others = [p for p in quote.printings if p.hit.metadata.article_id != hit.metadata.article_id]
    articles = {hit.metadata.article_id, *(p.hit.metadata.article_id for p in others)}
    outlets = {hit.metadata.publisher, *(p.hit.metadata.publisher for p in others)} - {""}
    cited: list[Citation] = list(stated.citations)
    for other in others:
        known = {citation.metadata.publisher for citation in cited}
        if len(cited) < MOST_CITED and other.hit.metadata.publisher not in known:
            cited.append(build_citation(1, other.hit, other.span))
    speaker = agreed_speaker(quote.speech.speaker, quote.printings)
    label = quotation_label(speaker, hit, len(articles), len(outlets))
    (numbered,) = number_citations([replace(stated, citations=tuple(cited), label=label)])
    return numbered


def quotation_label(speaker: str, hit: Hit, articles: int, outlets: int) -> Notice:
    """Return the label of a quotation; what isn't known, and a single printing, is left out.

    Args:
        speaker: The speaker; "" if unknown.
        hit: The passage that has the quotation.
        articles: How many articles print the words.
        outlets: How many publishers do.
    """
    metadata = hit.metadata
    known = {"speaker": speaker, "day": metadata.published, "publisher": metadata.publisher}
    printed = {"articles": articles, "outlets": outlets} if articles > 1 else {}
    facts = {name: value for name, value in known.items() if value}
    return Notice("quotation", **facts, **printed)
