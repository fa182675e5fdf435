"""Follow-up questions: what the sources of an answer speak of, and the archive can answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rag.answer.asked_figure import asked_figure
from rag.answer.followup_topics import clean_topics, deeds
from rag.answer.refusal import refusal_reason
from rag.answer.sentence_scoring import score_sentences, texts_of
from rag.answer.topics import described_people, is_known_person, named_events, sayings, tolls
from rag.nlp.entities import find_names, names_match
from rag.nlp.tokens import stem_words
from rag.query.parser import parse_question
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, understand_question
from rag.schema import Answer, Filters, Hit

MOST_FOLLOWUPS = 3
MOST_OF_A_KIND = 2
READ_HITS = 6  # hits whose names and quotations are read, which takes most of the time
SPOKEN_HITS = 3  # hits whose quotations are read
FEWEST_DAYS = 3  # different days of hits on a topic from which its course is suggested
CHECK_PASSAGES = 3
CHECK_SENTENCES = 2
ASKED_ALREADY = 0.75  # share of a candidate's words in an earlier question, from which it was asked
TOLD = 0.6  # share of a candidate's words that one passage with its headline must have

_GERMAN = re.compile(
    r"\b(?:wann|wer|wen|wem|was|wo|wohin|woher|wie|warum|wieso|weshalb|welche[rsmn]?|der|die|das|den"
    r"|dem|und|ist|sind|hat|nicht|über|für|mit|von|sagte|im|zum|zur|wurde|wurden)\b",
    re.IGNORECASE,
)
GERMAN_WORDS = 2  # words from which a question is German: "die" alone may be English
# Words of the forms below that no passage need have.
_OF_FORMS = stem_words(
    "what who how why when where known happens after latest unfold many people"
    " say bekannt gibt neues sagte zu"
)
_FORMS = {
    "en": {
        "said": "What did {speaker} say about {topic}?",
        "dead": "How many people died in {topic}?",
        "person": "Who is {topic}?",
        "known": "What is known about {topic}?",
        "after": "What happened after {topic}?",
        "latest": "What is the latest on {topic}?",
        "course": "How did {topic} unfold?",
    },
    "de": {
        "said": "Was sagte {speaker} über {topic}?",
        "person": "Wer ist {topic}?",
        "known": "Was ist über {topic} bekannt?",
        "latest": "Was gibt es Neues zu {topic}?",
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
    asked_on: datetime | None = None,
    asked_before: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return up to three questions that go on from an answer, each of which the archive answers.

    They are made of the persons, events and other names that its sources speak of, in the language
    of the question (English or German), of different kinds if there are. A question is left out if
    the answer has just said it, or if no passage has its words. Nothing is suggested after a
    refusal. The archive isn't searched again: the hits passed the conversation's filters.

    Args:
        archive: The archive.
        answer: The answer.
        asked_on: The day of the question, now by default.
        asked_before: Earlier questions, which aren't suggested again.
    """
    if answer.refused or not answer.statements:
        return ()
    hits = _hits_to_read(answer)
    known = [answer.question, *asked_before]
    found: list[Candidate] = []
    later: list[Candidate] = []
    for candidate in _candidates(archive, answer, hits, asked_on or datetime.now(UTC)):
        if len(found) == MOST_FOLLOWUPS:
            break
        asked = [*known, *(one.question for one in found)]
        if _is_asked(candidate.question, asked) or not _is_told(candidate.question, hits):
            continue
        kinds = [one.kind for one in found]
        (later if candidate.kind in kinds else found).append(candidate)
    for candidate in later:
        kinds = [one.kind for one in found]
        few = len(found) < MOST_FOLLOWUPS and kinds.count(candidate.kind) < MOST_OF_A_KIND
        if few and not _is_asked(candidate.question, [one.question for one in found]):
            found.append(candidate)
    return tuple(candidate.question for candidate in found)


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


def _candidates(
    archive: SearchBackend,
    answer: Answer,
    hits: Sequence[Hit],
    asked_on: datetime,
) -> Iterator[Candidate]:
    """Yield questions, those about what the sources say before those that fit any topic."""
    text = answer.question
    forms = _FORMS["de" if _is_german(text) else "en"]
    said = " ".join(citation.quote for citation in answer.citations)
    about = _about_question(text, hits)
    topics = clean_topics(text, about)
    main = topics[0] if topics else ""
    yield from _fill(forms, "said", _sayings(archive, about, text, topics, said))
    if "dead" in forms:
        for deed in deeds(about, said):
            yield Candidate(deed.question, deed.kind)
        figure = asked_figure(parse_question(text, asked_on=asked_on))
        if figure is None or not figure.fate:
            yield from _fill(forms, "dead", ({"topic": one.event} for one in tolls(about)))
    people = described_people(about, texts_of(archive, about))
    named = [name for name in people if not _names(text, name) and f"{name}, " not in said]
    yield from _fill(forms, "person", ({"topic": n} for n in named if is_known_person(n)))
    events = [e for hit in about for e in named_events(hit.metadata.title, hit.passage.text)]
    for event in events[:1]:
        yield from _fill(forms, "course", _courses(about, event))
        yield from _fill(forms, "after", ({"topic": event},))
    if main and _has_words(text, main):
        yield from _fill(forms, "latest", ({"topic": main},))
    others = [one for one in (*events, *topics[1:]) if not _has_words(text, one)]
    yield from _fill(forms, "known", ({"topic": one} for one in others))
    yield from _fill(forms, "latest", ({"topic": topic} for topic in reversed(topics[1:])))
    if main:
        yield from _fill(forms, "known", ({"topic": main},))


def _fill(
    forms: Mapping[str, str], kind: str, values: Iterable[Mapping[str, str]]
) -> Iterator[Candidate]:
    if kind not in forms:
        return
    for each in values:
        bare = {key: value.removeprefix("the ") for key, value in each.items()}
        yield Candidate(forms[kind].format(**(each if forms is _FORMS["en"] else bare)), kind)


def _sayings(
    archive: SearchBackend, hits: Sequence[Hit], text: str, topics: Sequence[str], said: str
) -> Iterator[dict[str, str]]:
    """Yield persons with what they speak of, without those whom the answer quotes."""
    spoken = hits[:SPOKEN_HITS]
    main = topics[0] if topics else ""
    for speaker, topic in sayings(spoken, texts_of(archive, spoken), main):
        quoted = speaker.split()[-1] in said or _names(text, speaker)
        if not quoted and is_known_person(speaker) and topic in topics:
            yield {"speaker": speaker, "topic": topic}


def _courses(about: Sequence[Hit], topic: str) -> Iterator[dict[str, str]]:
    told = [hit for hit in about if _is_about(hit, topic)]
    days = {hit.metadata.published.date() for hit in told if hit.metadata.published}
    if len(days) >= FEWEST_DAYS:
        yield {"topic": topic}


def _hits_to_read(answer: Answer) -> list[Hit]:
    """Return the hits that aren't quoted yet first: what they say is new to the reader."""
    cited = {citation.passage for citation in answer.citations}
    fresh = [hit for hit in answer.hits if hit.passage not in cited]
    quoted = [hit for hit in answer.hits if hit.passage in cited]
    return [*quoted[:2], *fresh, *quoted[2:]][:READ_HITS]


def _about_question(question: str, hits: Sequence[Hit]) -> Sequence[Hit]:
    """Return the hits that have the longest name of a question; all if none has one."""
    for name in sorted(find_names(f"of {question}"), key=lambda name: -len(name.text)):
        about = [hit for hit in hits if _is_about(hit, name.text)]
        if about:
            return about
    return hits


def _is_about(hit: Hit, topic: str) -> bool:
    """Return whether a passage with its headline names the topic."""
    return topic.removeprefix("the ") in f"{hit.metadata.title} {hit.passage.text}"


def _is_told(question: str, hits: Sequence[Hit]) -> bool:
    """Return whether one passage with its headline has most of a question's words."""
    own = stem_words(question) - _OF_FORMS
    texts = (stem_words(f"{hit.metadata.title} {hit.passage.text}") for hit in hits)
    return any(len(own & there) >= TOLD * len(own) for there in texts)


def _has_words(question: str, topic: str) -> bool:
    return stem_words(topic) <= stem_words(question)


def _names(question: str, name: str) -> bool:
    return any(names_match(name, other.text) for other in find_names(f"of {question}"))


def _is_asked(question: str, earlier: Sequence[str]) -> bool:
    own = stem_words(question)
    return any(len(own & stem_words(other)) >= ASKED_ALREADY * len(own) for other in earlier)


def _is_german(question: str) -> bool:
    return len(_GERMAN.findall(question)) >= GERMAN_WORDS
