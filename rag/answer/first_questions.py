"""Questions to begin with: good ones about an archive's big stories, one for each answer mode."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from rag.answer.quotes import find_quotes
from rag.answer.sentence_scoring import texts_of
from rag.answer.suggest import can_answer
from rag.answer.topics import headline_names, is_person, named_events, sayings, tolls, with_article
from rag.nlp.entities import find_names, names_match
from rag.nlp.people import person_name
from rag.nlp.tokens import stem_words
from rag.retrieval.backend import SearchBackend
from rag.retrieval.stories import main_stories
from rag.schema import ArticleMetadata, Filters, Hit, TimeRange

SuggestedMode = Literal["answer", "timeline", "compare", "quotes", "passages"]

STORIES = 14  # big stories that are read
OF_A_TOPIC = 12  # articles by which a topic's course and publishers are judged
LEAST_DAYS = 3  # days with articles that make a course of events
MOST_CHECKED = 3  # questions whose answers are looked for, which takes most of the time

# What a headline tells of somebody, and the question that asks for it.
_QUESTIONS = {
    "resigns|steps down|quits": "Why did {who} resign?",
    "dies|dead at": "When did {who} die?",
    "arrested|charged": "Why was {who} arrested?",
    "announces": "What did {who} announce?",
    "unveils": "What did {who} unveil?",
    "threatens": "What did {who} threaten?",
    "promises|vows": "What did {who} promise?",
    "wins": "What did {who} win?",
    "confirms": "What did {who} confirm?",
    "ratifies": "What did {who} ratify?",
    "publishes": "What did {who} publish?",
    "approves": "What did {who} approve?",
    "rejects": "What did {who} reject?",
    "orders": "What did {who} order?",
    "bans": "What did {who} ban?",
    "signs": "What did {who} sign?",
    "launches": "What did {who} launch?",
    "buys|acquires": "What did {who} buy?",
    "offers": "What did {who} offer?",
    "demands": "What did {who} demand?",
    "proposes": "What did {who} propose?",
    "denies": "What did {who} deny?",
    "reveals": "What did {who} reveal?",
}
_TOLD = tuple(
    (re.compile(rf"^(?P<who>[A-Z][\w’-]+(?: [A-Z][\w.’-]+){{0,3}}) (?:{verbs})\b"), question)
    for verbs, question in _QUESTIONS.items()
)
# Events that last, and so can unfold.
_LASTING = re.compile(
    r"(?:floods?|flooding|fire|wildfire|blaze|outbreak|strike|protests?|election|coup|trial|takeover|siege"
    r"|hijacking|attack|shooting|storm|crash|merger)$|^(?:Hurricane|Typhoon|Cyclone|Tropical)"
)


@dataclass(frozen=True, slots=True)
class SuggestedQuestion:
    """A question with the mode that it is asked in."""

    question: str
    mode: SuggestedMode


@dataclass(frozen=True, slots=True)
class _Story:
    """A big story: its first passage, and what it is about."""

    hit: Hit
    text: str
    topics: tuple[str, ...]


def first_questions(
    archive: SearchBackend, *, filters: Filters = Filters()
) -> tuple[SuggestedQuestion, ...]:
    """Return good questions to begin with, at most one for each mode, in the order of the modes.

    They are made of the archive's big stories and of the names in them. A mode without a good
    question has none.

    Args:
        archive: The archive.
        filters: The filters that the articles must pass, such as the reader's rights.
    """
    found, _ = main_stories(archive, TimeRange(None, None), STORIES, filters=filters)
    hits = list(archive.load_hits(found, access=filters.access).values())
    texts = texts_of(archive, hits)
    stories = [_story(hit, texts.get(hit.passage.article_id, "")) for hit in hits]
    makers: tuple[tuple[SuggestedMode, Callable[..., Iterator[str]]], ...] = (
        ("answer", _facts),
        ("timeline", _courses),
        ("compare", _comparisons),
        ("quotes", _quotations),
        ("passages", _passages),
    )
    suggested: list[SuggestedQuestion] = []
    used: list[str] = []
    for mode, make in makers:
        offered = islice(make(archive, [s for s in stories if s.text], filters, used), MOST_CHECKED)
        for question in offered:
            if mode == "quotes" and find_quotes(archive, question, filters=filters).refused:
                continue
            suggested.append(SuggestedQuestion(question, mode))
            used.append(question)
            break
    return tuple(suggested)


def _story(hit: Hit, text: str) -> _Story:
    events = named_events(hit.metadata.title, hit.passage.text)
    names = [name for name in headline_names([hit]) if not any(name in event for event in events)]
    return _Story(hit, text, (*events, *(with_article(name, [hit]) for name in names)))


def _fresh(stories: Sequence[_Story], used: Sequence[str]) -> Iterator[tuple[_Story, str]]:
    """Yield stories with their topics; those of earlier questions last."""
    every = [(story, topic) for story in stories for topic in story.topics]
    fresh = [one for one in every if not any(_bare(one[1]) in question for question in used)]
    yield from fresh
    yield from (one for one in every if one not in fresh)


def _bare(topic: str) -> str:
    return topic.removeprefix("the ")


def _facts(
    archive: SearchBackend, stories: Sequence[_Story], filters: Filters, used: Sequence[str]
) -> Iterator[str]:
    candidates = [
        question.format(who=match["who"])
        for story in stories
        for pattern, question in _TOLD
        if (match := pattern.match(story.hit.metadata.title)) and _is_known(match["who"], story)
    ]
    dead = [f"How many people died in {one.event}?" for one in tolls([s.hit for s in stories])]
    mixed = [*dead[:1], *candidates[:MOST_CHECKED], *dead[1:]]
    known = [f"What is known about {topic}?" for _, topic in _fresh(stories, used)]
    for question in [*mixed, *known][:MOST_CHECKED]:
        if can_answer(archive, question, filters=filters, asked_on=_newest(stories)):
            yield question


def _newest(stories: Sequence[_Story]) -> datetime | None:
    days = [s.hit.metadata.published for s in stories if s.hit.metadata.published]
    return max(days, default=None)


def _is_known(who: str, story: _Story) -> bool:
    """Return whether the text of a story has a headline's subject as a name, too."""
    return any(names_match(who, name.text) for name in find_names(story.hit.passage.text))


def _courses(
    archive: SearchBackend, stories: Sequence[_Story], filters: Filters, used: Sequence[str]
) -> Iterator[str]:
    for _, topic in _fresh(stories, used):
        titled = _titled_articles(archive, topic, filters)
        days = {one.published.date() for one in titled if one.published}
        if len(days) >= LEAST_DAYS:
            if _LASTING.search(topic):
                yield f"How did {topic} unfold?"
            elif is_person(topic) or topic[:1].islower():
                yield f"What happened to {topic}, and when?"
            else:
                yield f"What did {topic} do, and when?"


def _titled_articles(archive: SearchBackend, topic: str, filters: Filters) -> list[ArticleMetadata]:
    """Return the metadata of the articles about a topic that name it in their headlines."""
    found = archive.article_candidates(_bare(topic), OF_A_TOPIC, filters=filters)
    return [one.metadata for one in found if _is_titled(one.metadata.title, topic)]


def _is_titled(title: str, topic: str) -> bool:
    """Return whether a headline names a topic, or a person by the last name."""
    there, words = stem_words(title), stem_words(topic)
    is_name = topic[:1].isupper() and not _LASTING.search(topic)
    return words <= there or (is_name and stem_words(topic.split()[-1]) <= there)


def _comparisons(
    archive: SearchBackend, stories: Sequence[_Story], filters: Filters, used: Sequence[str]
) -> Iterator[str]:
    for _, topic in _fresh(stories, used):
        titled = _titled_articles(archive, topic, filters)
        counts = Counter(one.publisher for one in titled if one.publisher)
        if len(counts) > 1:
            (one, _), (other, _) = counts.most_common(2)
            yield f"Compare {_called(one)} and {_called(other)} on {topic}"


def _called(publisher: str) -> str:
    """Return a publisher's name as a sentence has it: "the Harbour Courier", "courier.example"."""
    bare = "." in publisher or " " not in publisher or publisher.lower().startswith("the ")
    return publisher if bare else f"the {publisher}"


def _quotations(
    archive: SearchBackend, stories: Sequence[_Story], filters: Filters, used: Sequence[str]
) -> Iterator[str]:
    for story, topic in _fresh(stories, used):
        texts = {story.hit.passage.article_id: story.text}
        for speaker, about in sayings([story.hit], texts, topic, only_quoted=True):
            yield f"What did {speaker} say about {about}?"


def _passages(
    archive: SearchBackend, stories: Sequence[_Story], filters: Filters, used: Sequence[str]
) -> Iterator[str]:
    for story, topic in _fresh(stories, used):
        people = {
            person
            for name in find_names(story.hit.passage.text)
            if (person := person_name(name, story.text)) and is_person(person)
        }
        others = sorted(person for person in people if not names_match(person, _bare(topic)))
        yield f"{_bare(topic)} and {others[0]}" if others else _bare(topic)
