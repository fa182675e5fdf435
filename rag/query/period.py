"""Questions about a period without a topic: "What happened yesterday?", "the main stories"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from rag.query.time_filter import TimeFilterMatch, find_time_filter
from rag.query.time_ranges import NOW_DAYS
from rag.schema import TimeRange

# Words that say "the news" and nothing else. No pronouns: "What happened to him?" has a topic.
_NEWS = frozenset(
    """happen happened happens happening occurred news new story stories headline headlines event
    events developments article articles latest newest going passiert geschah geschehen nachrichten
    meldungen schlagzeilen neues neue paper papers newspaper newspapers""".split()
)
_REPORTS = frozenset(
    """report reports reported reporting publish published appear appeared write wrote written say
    says said cover covered coverage made make makes""".split()
)
_AROUND = frozenset(
    """what which were was is are the a an in of on at for from by about any all some did do
    does has have had been there here and or me us my our this that these those s out up so far
    going gone on taking took take place main top biggest big major important most key recent
    current currently today yesterday day days week weeks month months year years
    weekend since until till between during over last past previous front page pages press world
    archive summary overview update updates recap digest roundup rundown everything anything
    something everyone interesting worth knowing
    know much many past earlier late early tell give
    was ist sind die der das den im am es gibt gab wichtigsten wichtigste aktuell
    aktuelle""".split()
)
_GENERIC = _NEWS | _REPORTS | _AROUND
_PERIODS = frozenset("day week weekend month year".split())
_WORD = re.compile(r"[^\W_]+")
# Without a time or a publisher, these ask about what was said before: "What happened?"
_EVENT_ONLY = re.compile(
    r"(?<!\W)\W*+(?:so |then )?what(?:['’]s| (?:has|had|is))? happen(?:ed|s|ing)?\W*", re.I
)


def find_period(
    text: str, removed: Iterable[tuple[int, int]], asked_on: datetime, *, source: str = ""
) -> TimeFilterMatch | None:
    """Return the period whose news a question asks for; None if it asks for anything else.

    Args:
        text: The question, with normalised white space.
        removed: Spans of words that name no topic: commands and attributions.
        asked_on: The aware moment from which "last week" is counted.
        source: The publisher or author that the question cites, if any.

    Returns:
        The period with the spans of its words; the last days if the question names no time.
    """
    window = find_time_filter(text, asked_on, reading="lenient")
    commands = list(removed)
    said = _words(_blank(text, [*commands, *(window.spans if window else ())]))
    if not said <= _GENERIC:
        return None
    news = bool(_words(text) & _NEWS) or (bool(commands) and bool(said & _PERIODS))
    if window is not None and (news or source or not said - _AROUND):
        return window
    if news or (source and said & _REPORTS):
        start = asked_on.replace(hour=0, minute=0, second=0, microsecond=0)
        days = TimeRange(start - timedelta(days=NOW_DAYS), start + timedelta(days=1), hard=False)
        return TimeFilterMatch(days, ())
    return None


def names_a_period(text: str, asked_on: datetime) -> bool:
    """Return whether a question asks for the news of a period that it names itself."""
    found = find_period(text, (), asked_on)
    return found is not None and not (not found.spans and _EVENT_ONLY.fullmatch(text))


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _words(text: str) -> frozenset[str]:
    found = (m[0] for m in _WORD.finditer(text))
    return frozenset(word if word == "US" else word.lower() for word in found)
