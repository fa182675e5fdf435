"""Follow-up questions: what the sources of an answer speak of, and the archive can answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rag.answer.asked_figure import asked_figure
from rag.answer.refusal import refusal_reason
from rag.answer.sentence_scoring import score_sentences, texts_of
from rag.answer.speaker_filter import asked_speaker
from rag.answer.topics import (
    described_people,
    named_events,
    named_things,
    sayings,
    tolls,
    with_article,
)
from rag.nlp.entities import Name, find_names, is_country, names_match, normalize_name
from rag.nlp.tokens import stem_words
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, understand_question
from rag.schema import Access, Answer, Filters, Hit

MOST_FOLLOWUPS = 3
MOST_CHECKED = 4  # candidates whose answers are looked for, which takes most of the time
MOST_OF_A_KIND = 2
READ_HITS = 8  # hits whose names and quotations are read
FEWEST_HITS = 2  # hits about the topic, with fewer of which the best hits are read
FEW_HITS = 4
CHECK_PASSAGES = 3
CHECK_SENTENCES = 2
ASKED_ALREADY = 0.75  # share of a candidate's words in an earlier question, from which it was asked

_GERMAN = re.compile(
    r"\b(?:wann|wer|wen|wem|was|wo|wohin|woher|wie|warum|wieso|weshalb|welche[rsmn]?|der|die|das|den"
    r"|dem|und|ist|sind|hat|nicht|über|für|mit|von|sagte|im|zum|zur|wurde|wurden)\b",
    re.IGNORECASE,
)
GERMAN_WORDS = 2  # words from which a question is German: "die" alone may be English
# Questions that name their topic at the end: "What is X?", "What happened to X?", "Who won X?"
_ABOUT = re.compile(
    r"^(?:what|who) (?:is|are|was|were|happened (?:to|in|at|with|during|after)|won|caused|started)"
    r" (?P<topic>\S.{1,60})$|^what is known about (?P<known>\S.{1,60})$",
    re.IGNORECASE,
)
LONGEST_TOPIC = 5  # words
_FORMS = {
    "en": {
        "said": "What did {speaker} say about {topic}?",
        "dead": "How many people died in {topic}?",
        "person": "Who is {topic}?",
        "thing": "What is known about {topic}?",
    },
    "de": {
        "said": "Was sagte {speaker} über {topic}?",
        "person": "Wer ist {topic}?",
        "thing": "Was ist über {topic} bekannt?",
    },
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that could be suggested, with its kind."""

    question: str
    kind: str


def followup_questions(
    archive: SearchBackend,
    answer: Answer,
    *,
    filters: Filters = Filters(),
    asked_on: datetime | None = None,
    asked_before: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return up to three questions that go on from an answer, each of which the archive answers.

    They are made of the persons, events and other names that its sources speak of, in the language
    of the question (English or German). Nothing is suggested after a refusal.

    Args:
        archive: The archive.
        answer: The answer.
        filters: The filters of the conversation, which the next question will have, too.
        asked_on: The day of the question, now by default.
        asked_before: Earlier questions, which aren't suggested again.
    """
    if answer.refused or not answer.statements:
        return ()
    known = [answer.question, *asked_before]
    found: list[str] = []
    kinds: list[str] = []
    checked = 0
    for candidate in _candidates(archive, answer, filters.access):
        if len(found) == MOST_FOLLOWUPS or checked == MOST_CHECKED:
            break
        if kinds.count(candidate.kind) >= MOST_OF_A_KIND or _is_asked(
            candidate.question, [*known, *found]
        ):
            continue
        checked += 1
        if can_answer(archive, candidate.question, filters=filters, asked_on=asked_on):
            found.append(candidate.question)
            kinds.append(candidate.kind)
    return tuple(found)


def can_answer(
    archive: SearchBackend,
    question: str,
    *,
    filters: Filters = Filters(),
    asked_on: datetime | None = None,
) -> bool:
    """Return whether an archive has an answer to a question; cheaper than answering it.

    Args:
        archive: The archive.
        question: The question.
        filters: The filters that the articles must pass.
        asked_on: The day of the question, now by default.
    """
    asked = understand_question(archive, question, asked_on=asked_on, access=filters.access)
    if asked.intent != "question":
        return False
    # BM25 alone finds less than the search of an answer, so what it finds is found by that, too.
    found = archive.bm25_candidates(asked.query, CHECK_PASSAGES, filters=filters)
    hits = tuple(archive.load_hits(found, access=filters.access).values())
    ranked = score_sentences(archive, RetrievalResult(asked, hits, len(hits)), CHECK_SENTENCES)
    return refusal_reason(asked, ranked) is None


def _candidates(archive: SearchBackend, answer: Answer, access: Access) -> Iterator[Candidate]:
    """Yield questions by kind in turn, the best of each first."""
    asked = understand_question(archive, answer.question, access=access)
    hits = _hits_to_read(answer)
    topic = _topic(asked, hits)
    about = [hit for hit in hits if _is_about(hit, topic)]
    about = about if len(about) >= FEWEST_HITS else hits[:FEW_HITS]
    texts = texts_of(archive, about)
    forms = _FORMS["de" if _is_german(asked.text) else "en"]
    said = [
        ("said", {"speaker": name, "topic": about_what})
        for name, about_what in sayings(about, texts, topic)
        if not _names(asked.text, name)
    ]
    figure = asked_figure(asked)
    counted = figure is not None and bool(figure.fate)
    dead = [("dead", {"topic": one.event}) for one in tolls(about)] if not counted else []
    events = [
        ("thing", {"topic": event})
        for hit in about
        for event in named_events(hit.metadata.title, hit.passage.text)
        if not stem_words(event) <= stem_words(asked.text)
    ]
    people = described_people(about, texts)
    persons = [("person", {"topic": name}) for name in people if not _names(asked.text, name)]
    things = [
        ("thing", {"topic": name})
        for name in named_things(about)
        if not _names(asked.text, name) and not stem_words(name) <= stem_words(topic)
    ]
    for place in range(MOST_FOLLOWUPS):
        for kind in (said, dead, events, persons, things):
            if place < len(kind) and kind[place][0] in forms:
                name, values = kind[place]
                if forms is _FORMS["de"]:
                    values = {key: value.removeprefix("the ") for key, value in values.items()}
                yield Candidate(forms[name].format(**values), name)


def _hits_to_read(answer: Answer) -> list[Hit]:
    """Return the hits that aren't quoted yet first: what they say is new to the reader."""
    cited = {citation.passage for citation in answer.citations}
    fresh = [hit for hit in answer.hits if hit.passage not in cited]
    quoted = [hit for hit in answer.hits if hit.passage in cited]
    return [*quoted[:2], *fresh, *quoted[2:]][:READ_HITS]


def _topic(asked: ParsedQuery, hits: Sequence[Hit]) -> str:
    """Return what a conversation is about, as its question and its hits call it; "" if unclear."""
    text = asked.text.strip(" ?!.")
    there = " ".join(f"{hit.metadata.title} {hit.passage.text}" for hit in hits)
    said = asked_speaker(asked)
    match = _ABOUT.match(text)
    named = [said.topic] if said.name else []
    named += [match["topic"] or match["known"]] if match else []
    named += named_events(text, there)
    names = sorted(find_names(text), key=lambda name: -len(name.text))
    named += [_noun_of(name, text) for name in names]
    for topic in named:
        bare = re.sub(r"^(?:the|a|an|der|die|das) ", "", topic, flags=re.IGNORECASE)
        if 0 < len(bare.split()) <= LONGEST_TOPIC and bare in there:
            return with_article(bare, hits) if bare[:1].isupper() else topic
    return ""


def _noun_of(name: Name, text: str) -> str:
    """Return a name, with the word after it if it is an adjective: "North Korean soldiers"."""
    is_noun = normalize_name(name.text, seats=False) == name.text.lower()
    if is_noun or not is_country(name.text):
        return name.text
    after = re.match(r" [a-z]{3,20}(?!\w)", text[name.end :])
    return name.text + after[0] if after else ""


def _is_about(hit: Hit, topic: str) -> bool:
    """Return whether a passage with its headline names the topic; True without a topic."""
    bare = topic.removeprefix("the ")
    return not bare or bare in f"{hit.metadata.title} {hit.passage.text}"


def _names(question: str, name: str) -> bool:
    return any(names_match(name, other.text) for other in find_names(f"of {question}"))


def _is_asked(question: str, earlier: Sequence[str]) -> bool:
    own = stem_words(question)
    return any(len(own & stem_words(other)) >= ASKED_ALREADY * len(own) for other in earlier)


def _is_german(question: str) -> bool:
    return len(_GERMAN.findall(question)) >= GERMAN_WORDS
