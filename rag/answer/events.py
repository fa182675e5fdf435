"""Courses of events: dated statements about a story, in the order of the events' own days."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rag.answer.premise_conflicts import shared_words
from rag.answer.sentence_scoring import SentenceCandidate
from rag.answer.sentence_selection import RELEVANT_FROM
from rag.nlp.analyzers import stem
from rag.nlp.entities import find_names
from rag.nlp.event_dates import EventDate, event_date
from rag.nlp.quotations import find_quotations
from rag.nlp.sentences import SENTENCE_ENDS
from rag.nlp.tokens import stem_words, word_overlap
from rag.query.parser import ParsedQuery
from rag.schema import Notice

ABOUT_THE_STORY = 0.6  # share of the story's words that a sentence with its title must have
MOST_OF_THE_STORY = 0.75  # share that the text around it must have, if it states its own day
HALF = 0.5  # share of the words that are no names ("resignation") in the text around a sentence
IN_THE_SENTENCE = 0.25  # share that the sentence itself must have, unless its title has all others
OPENING = 500  # characters of an article in which a sentence without a day tells its news
AROUND = (400, 200)  # characters before and after a dated sentence that must be about the story
SAME_EVENT = 0.5  # share of the shorter sentence's words, apart from the story's, from which two
# sentences of one day are the same event
SAYS_THE_SAME = 0.85  # the same for all words of sentences of different days
MOSTLY_QUOTED = 0.5  # share of a sentence in quotation marks from which it is speech and no event
BACKGROUND = timedelta(days=120)  # an event so long before its article is background
STATED_DAY = 1.0  # weight of a day of its own, in points of relevance
LEAD_SENTENCE = 0.7  # the same for the first sentence of an article
OF_THE_STORY = 3.0  # the same for the share of the story's words
OF_A_KNOWN_DAY = 2.5  # loss of each further event of a day
OF_A_KNOWN_ARTICLE = 0.7  # loss of each further event of an article

# Words that ask for a course of events and say nothing of the story.
_LAYOUT = frozenset(
    stem(word)
    for word in (
        "timeline course events event chronology sequence unfold unfolded happen happened begin "
        "began start started develop developed come came end ended step led lead give show tell "
        "list history story affair saga scandal row crisis case order far key "
        "main summary summarize summarise what how"
    ).split()
)
_TO_COME = re.compile(
    r"\b(?:will|would|shall|(?:is|are|was|were) (?:set|due|expected|scheduled|likely|about) to"
    r"|plans? to|hopes? to|could|may|might|should)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:\w{2,30}ed|was|were|had|has|have|said|won|lost|took|fell|rose|began|hit|shot|left|met"
    r"|came|went|made|gave|found|broke|beat|drew|led|sent|set|put|struck|died|became)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
# A caption's credit, in a line that a scraper joined to the text.
_CREDIT = re.compile(
    r"\w/(?:Getty|Reuters|AFP|AP|Bloomberg|Shutterstock)\b|\bGetty Images\b"
    r"|\b[Ii]n this (?:photo|image|picture|frame|screengrab)\b"
)
_GENERAL = re.compile(r"\b(?:I|we|you|my|our|your)\b")


@dataclass(frozen=True, slots=True)
class Event:
    """Sentence about an event with the day of the event.

    Attributes:
        candidate: The sentence.
        day: The day that it states, else the day of publication.
        published: Publication date of its article.
        stated: Whether the sentence states the day.
    """

    candidate: SentenceCandidate
    day: date
    published: datetime
    stated: bool

    @property
    def label(self) -> Notice:
        """Label of the event: its day, or the day of its report."""
        return Notice("dated" if self.stated else "reported", day=self.day)


def story_words(text: str) -> frozenset[str]:
    """Return the stems of a question that say what its story is about."""
    return stem_words(text) - _LAYOUT or stem_words(text)


def find_events(
    question: ParsedQuery, ranked: Sequence[SentenceCandidate], most: int
) -> list[Event]:
    """Return the events of a story, in the order of their days.

    An article may supply several. Headings, speech, questions, forecasts, background of long
    before, repetitions, and sentences about something else are left out.

    Args:
        question: The parsed question.
        ranked: Scored sentences.
        most: The most events to return.
    """
    words = story_words(question.query)
    rated = [
        (rating, event)
        for candidate in ranked
        if (event := _event(candidate)) is not None
        and (rating := _rate(event, words, question.query)) is not None
    ]
    rated.sort(key=lambda each: (-each[0], each[1].published))
    picked = _pick(rated, words, most)
    return sorted(picked, key=lambda e: (e.day, e.published, e.candidate.span.start))


def _event(candidate: SentenceCandidate) -> Event | None:
    published = candidate.hit.metadata.published
    if published is None or candidate.features["fragment"] or candidate.features["asks"]:
        return None
    text = candidate.text
    spoken = sum(quoted.end - quoted.start for quoted in find_quotations(text))
    if spoken > MOSTLY_QUOTED * len(text) or _GENERAL.search(text):
        return None
    stated = event_date(text, published)
    if not _has_happened(text) or _CREDIT.search(text) or not ends_sentence(text):
        return None
    if stated is None and candidate.span.start > OPENING:
        return None
    day = stated.day if stated else published.date()
    if published.date() - day > BACKGROUND or _is_background(text, published, stated):
        return None
    return Event(candidate, day, published, stated is not None and not stated.reported)


def ends_sentence(text: str) -> bool:
    """Return whether a text ends as a sentence does; link lines and headings don't."""
    return text.rstrip("”\"’')]")[-1:] in SENTENCE_ENDS


def _has_happened(text: str) -> bool:
    """Return whether a sentence tells the past: "said that it will open" does, "will open" not."""
    past, ahead = _PAST.search(text), _TO_COME.search(text)
    return past is not None and (ahead is None or past.start() < ahead.start())


def _is_background(text: str, published: datetime, stated: EventDate | None) -> bool:
    """Return whether a sentence without a day of its own is about an earlier year."""
    years = [int(year) for year in _YEAR.findall(text)]
    return stated is None and bool(years) and min(years) < published.year


def _rate(event: Event, words: frozenset[str], question: str) -> float | None:
    """Return how good an event is for the story; None if it isn't about it."""
    candidate = event.candidate
    title = candidate.hit.metadata.title
    own = shared_words(words, question, candidate.text)
    around = shared_words(words, question, f"{candidate.text} {title}")
    near = f"{title} {_surroundings(candidate)}"
    whole = shared_words(words, question, near)
    plain = words - frozenset[str]().union(*(stem_words(n.text) for n in find_names(question)))
    if plain and len(plain & stem_words(near)) < HALF * len(plain):
        return None
    named = own >= IN_THE_SENTENCE or around >= 1
    about = around >= ABOUT_THE_STORY and named
    placed = event.stated and whole >= MOST_OF_THE_STORY
    if not (about or placed) or candidate.relevance < RELEVANT_FROM - (1.0 if event.stated else 0):
        return None
    return (
        candidate.relevance
        + OF_THE_STORY * around
        + STATED_DAY * event.stated
        + LEAD_SENTENCE * (candidate.span.start == 0)
    )


def _surroundings(candidate: SentenceCandidate) -> str:
    before, after = AROUND
    passage = candidate.hit.passage
    start, end = candidate.span.start - passage.start, candidate.span.end - passage.start
    return passage.text[max(0, start - before) : end + after]


def _pick(rated: Sequence[tuple[float, Event]], words: frozenset[str], most: int) -> list[Event]:
    """Return the best events, preferring days and articles that have none yet."""
    picked: list[Event] = []
    left = list(rated)
    days: Counter[date] = Counter()
    articles: Counter[str] = Counter()
    while left and len(picked) < most:
        best = max(
            left,
            key=lambda each: (
                each[0]
                - OF_A_KNOWN_DAY * days[each[1].day]
                - OF_A_KNOWN_ARTICLE * articles[each[1].candidate.hit.passage.article_id]
            ),
        )
        left.remove(best)
        event = best[1]
        if any(_repeats(event, other, words) for other in picked):
            continue
        picked.append(event)
        days[event.day] += 1
        articles[event.candidate.hit.passage.article_id] += 1
    return picked


def _repeats(event: Event, other: Event, words: frozenset[str]) -> bool:
    one, two = event.candidate.text, other.candidate.text
    if word_overlap(one, two) >= SAYS_THE_SAME:
        return True
    own, theirs = stem_words(one) - words, stem_words(two) - words
    shared = len(own & theirs) / max(1, min(len(own), len(theirs)))
    return abs(event.day - other.day) <= timedelta(days=1) and shared >= SAME_EVENT
