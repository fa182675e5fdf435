"""Time filter of a question: the time expression that limits publication dates.

Many time expressions don't limit them: "the 1994 agreement", "the attack of 7 October", "the first
since 1979", "by 2030" and "who was born in 1961" identify things or events. Future times don't
either: articles about them were published earlier.
"""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Literal

from rag.query.time_patterns import MONTH, YEAR, TimeExpression, find_time_expressions
from rag.query.time_ranges import DAY, ReferenceDate, year_of_month
from rag.schema import TimeRange
from rag.valid_dates import clamp_day

AROUND_DAYS = 3  # "around 6 July": a soft range of this many days to each side
UNDER_WAY_DAYS = 60  # "from 27 to 29 October", asked on the 28th, is a range of this year
# Articles about older times were written later, unless the question asks for articles of that time.
HISTORY_YEARS = 20
Reading = Literal["strict", "lenient"]
_WRITTEN = re.compile(
    r"\b(?:report|wrote|writ|paper|article|press|journal|cover|publish|headline)", re.I
)


@dataclass(frozen=True, slots=True)
class TimeFilterMatch:
    """Time range of a question, and the character spans of the words that express it."""

    time_range: TimeRange
    spans: tuple[tuple[int, int], ...]


_AHEAD = re.compile(
    r"\b(?:will|won['’]t|shall|going to|upcoming|forthcoming|due to|scheduled|expected to|set to"
    r"|plan(?:s|ning)? to|comes? out|ahead of|tomorrow|next)\b",
    re.I,
)
# Names that contain a time; a capital first letter distinguishes them from a plain time expression.
_NAMES = re.compile(
    r"\b(?:(?:Good|Black|Freaky) Friday|(?:Super|Fat|Shrove) Tuesday|(?:Bloody|Palm|Easter|Super Bowl)"
    r" Sunday|Ash Wednesday|Cyber Monday|Black (?:Mon|Wednes|Satur)day|May Day|(?:The|This) Week\b"
    r"|USA Today|Theresa May|Brian May|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day (?:Night|Morning|Times|Telegraph|Mirror|Mail|Express"
    r"|Post|Independent)(?: [A-Z][a-z]+)*|(?<![Oo]n )(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
    rf"(?: (?!{MONTH})[A-Z][a-z]+)+|[A-Z][a-z]+ (?:Now|Tomorrow))"
)
_QUOTED = re.compile(r"[\"“][^\"”“]*[\"”]|(?<!\w)[‘'][^’'\"]{3,60}[’'](?!\w)")
_ANCHORED = re.compile(
    r"\b(?P<word>since|after|before|until|till)\s+(?:the|his|her|its|their)\s+"
    r"(?:[\w’'-]+\s+){1,4}(?:of|on|in)\s+$",
    re.I,
)
_CONNECTOR = re.compile(r"\A\s*+(?:-|–|to|and|until|till|through)\s++(?:(?:the|in|on)\s++)?$", re.I)
_TO = re.compile(r"\A\s*+(?:-|–|to|until|till|through)\s*+$", re.I)
_YEAR = re.compile(rf"(?<!\d){YEAR}")
_MONTH = re.compile(rf"\b{MONTH}", re.I)
_PREPOSITION = re.compile(
    r"\b(?P<word>since|after|before|prior to|until|till|up to|through|by|between|from|as of|around|circa"
    r"|on|in|during|at|over|throughout|within|of|for|than|to|with)(?:\s+the)?\s+$",
    re.I,
)
_NO_TIME = {"of", "for", "than", "to", "with"}  # a time after these is part of a name or comparison
_PLACES_IN_TIME = {"on", "in", "during", "at", "over", "throughout", "within", ""}
_DETERMINED = re.compile(r"\b(?:the|an?|its|his|her|their|this|that|these|those|our|my)\s+$", re.I)
_FOLLOWS = re.compile(
    r"\A\s*(?:$|[^\w\s~]|(?:and|or|but|in|on|at|to|by|from|of|for|with|about|against|over|under|into|near"
    r"|as|when|where|while|after|before|because|that|who|what|which|how|why|did|does|do|is|are|was|were"
    r"|has|have|had|will|would|could|should|can|may|might|during|between|during|than|if|so|according"
    r"|despite|amid|regarding|concerning|following|alone|only|also)\b|~)",
    re.I,
)
_EVENT = re.compile(
    r"\b(?:attacks?|agreement|treaty|accords?|deal|pact|armistice|memorandum|resolution|invasion|insurrection"
    r"|massacre|revolution|coup|earthquake|bombings?|shootings?|referendum|constitution|riots?|raid"
    r"|crash|explosion|assassination|murders?|killings?|declaration|charter)\s+$",
    re.I,
)
_MADE = (
    r"(?:built|signed|founded|established|published|released|launched|written|born|made|introduced"
    r"|adopted|filmed|painted|invented|discovered|formed|created|ratified|enacted|negotiated|dated"
    r"|dating|drafted|drawn up|struck|recorded|composed|erected|constructed)"
)
_PARTICIPLE = re.compile(rf"\b{_MADE}(?:\s+(?:back|from))?\s+$", re.I)
_AUXILIARY = re.compile(
    r"\b(?:was|were|been|be|being|is|are|get|got|has|have|had|who)\s+(?:\w+\s+){0,2}\w+\s+$", re.I
)
_LIFE = re.compile(r"\b(?:born|founded|co-founded|was established|dating|dates)\b", re.I)
_RELATIVE = re.compile(
    r"(?<![\w’'-])(?P<before>[\w’'-]++),?\s++(?:who|which|that|whose|where)\s++"
    r"(?:[\w’'-]++\s++){1,4}$"
)
_NOT_RELATIVE = re.compile(
    r"^(?:say|says|said|claim\w*|report\w*|announc\w*|show\w*|find|found|den\w+|confirm\w*|think|believ\w*"
    r"|warn\w*|agre\w+|alleg\w*|know|ask\w*|about|decid\w*|reveal\w*|to|in|on|at|of|from|for|by|with"
    r"|and|or|but|tell|told|true|false|is|was|it|happen\w*)$",
    re.I,
)
_SUPERLATIVE = re.compile(
    r"\b(?:first|only|(?:most|least)\s+\w+|worst|best"
    r"|(?!(?:for|inter|prot?|arr|requ|t|gu|harv|cont|inv|sugg|lat|mod|hon)est)\w{3,}est)\b(?:\s+[\w’'-]+){0,6}\s+since\s+$",
    re.I,
)
_DUE = re.compile(
    r"\b(?:ending|ended|starting|beginning|begins|ends|starts|due|dated|expires?)(?: on)?\s+$", re.I
)
_COUNTED = re.compile(
    r"\b(?:days?|weeks?|months?|years?|hours?|minutes?)\s+(?:before|after)\s+$", re.I
)


def find_time_filter(
    question: str, asked_on: datetime, *, reading: Reading = "strict"
) -> TimeFilterMatch | None:
    """Return the time range in which the articles asked for were published.

    A day without a year is the latest such day up to `asked_on`. Several hard expressions make one
    range over all of them, unless one contains another. A hard expression yields to a soft one that
    it doesn't overlap ("papers of 2013 were published this week").

    Args:
        question: The question, as asked.
        asked_on: The aware moment from which "last week" is counted.
        reading: "lenient" reads every time expression as a limit, also that of "the stories of
            May": right only if the question names nothing else.

    Returns:
        The range and its words; None if no time expression limits publication dates.
    """
    masked = _mask_names(question)
    asking = ReferenceDate(_utc_day(asked_on), ahead=_AHEAD.search(masked) is not None)
    bounds: list[_Bounds] = []
    moments = _share_years(masked, find_time_expressions(masked, asking))
    while moments:
        moment, *moments = moments
        bound = _join_bounds(masked, moment, moments, asking) or _find_bounds(
            masked, moment, asking, reading
        )
        if bound is not None:
            moments = [m for m in moments if m.span[0] >= bound.spans[-1][1]]
            bounds.append(bound)
    return _combine_bounds(
        [b for b in bounds if not _is_future(b, asking) and not _is_history(b, asking, masked)]
    )


def _is_future(bounds: _Bounds, asking: ReferenceDate) -> bool:
    return bounds.start is not None and bounds.start > asking.day


def _is_history(bounds: _Bounds, asking: ReferenceDate, text: str) -> bool:
    latest = bounds.end or bounds.start
    long_ago = latest is not None and latest.year < asking.day.year - HISTORY_YEARS
    return long_ago and not _WRITTEN.search(text)


@dataclass(frozen=True, slots=True)
class _Bounds:
    start: date | None
    end: date | None
    hard: bool
    spans: tuple[tuple[int, int], ...]


def _mask_names(question: str) -> str:
    for names in (_QUOTED, _NAMES):
        question = names.sub(lambda m: "~" * len(m[0]), question)
    return re.sub(r"(?<!^)(?<![.?!] )\bToday\b", "~~~~~", question)


def _share_years(text: str, moments: list[TimeExpression]) -> list[TimeExpression]:
    """Return the moments, those of a range in one year: "between July 29 and August 1, 2022"."""
    shared = list(moments)
    for i in range(len(moments) - 1):
        first, last = shared[i], shared[i + 1]
        between = text[first.span[1] : last.span[0]]
        if not (first.hard and last.hard and _CONNECTOR.match(between + " ")):
            continue
        if not (_names_a_month(first) and _names_a_month(last)):
            continue
        if _YEAR.search(last.words) and not _YEAR.search(first.words):
            shared[i] = _in_year(first, last.start.year)
            if shared[i].start > last.start:
                shared[i] = _in_year(first, last.start.year - 1)
        elif _YEAR.search(first.words) and not _YEAR.search(last.words):
            shared[i + 1] = _in_year(last, first.start.year)
            if shared[i + 1].start < first.start:
                shared[i + 1] = _in_year(last, first.start.year + 1)
    return shared


def _names_a_month(moment: TimeExpression) -> bool:
    return _MONTH.search(moment.words) is not None


def _in_year(moment: TimeExpression, year: int) -> TimeExpression:
    start = year_of_month(moment.start, year)
    return replace(moment, start=start, end=start + (moment.end - moment.start))


def _join_bounds(
    text: str, first: TimeExpression, rest: list[TimeExpression], asking: ReferenceDate
) -> _Bounds | None:
    """Return the range between two moments: "between 5 May and 6 June", "from 2020 to 2022"."""
    preposition = _PREPOSITION.search(text[: first.span[0]])
    word = preposition["word"].lower() if preposition else ""
    if not rest or word in _NO_TIME:
        return None
    between = text[first.span[1] : rest[0].span[0]]
    if word not in ("between", "from"):  # "July 29 to August 1" needs no preposition
        if not (_TO.match(between) and _names_a_month(first) and _names_a_month(rest[0])):
            return None
    elif not _CONNECTOR.match(between):
        return None
    begin = preposition.start() if preposition else first.span[0]
    if _dates_an_event(text[:begin]):
        return None
    start, end = first.start, rest[0].end
    if start > end:  # without years: a range that is under way, or one that began a year earlier
        if asking.day - start <= UNDER_WAY_DAYS * DAY:
            end = year_of_month(end, end.year + 1)
        else:
            start = year_of_month(start, start.year - 1)
    spans = ((begin, rest[0].span[1]),)
    return _Bounds(start, end, first.hard and rest[0].hard, spans)


def _find_bounds(
    text: str, moment: TimeExpression, asking: ReferenceDate, reading: Reading
) -> _Bounds | None:
    before, after = text[: moment.span[0]], text[moment.span[1] :]
    anchored = _ANCHORED.search(before)
    preposition = anchored or _PREPOSITION.search(before)
    word = preposition["word"].lower() if preposition and moment.hard else ""
    if moment.hard and _DUE.search(before):
        return None
    if (
        moment.hard
        and anchored is None
        and reading == "strict"
        and not _limits_publication(moment, word, before, after, preposition)
    ):
        return None
    begin = preposition.start() if preposition and word not in _NO_TIME else moment.span[0]
    spans = ((moment.span if anchored else (begin, moment.span[1])),)
    if word in ("since", "as of") and moment.hard:
        start, end = (moment.start, None) if word == "since" else (None, moment.end)
        return _Bounds(start, end, True, spans)
    if word == "after":
        return _Bounds(moment.end, None, True, spans)
    if word in ("before", "prior to"):
        return _Bounds(None, moment.start, True, spans)
    if word in ("until", "till", "up to", "through", "by"):
        ahead = moment.start > asking.day or moment.end > asking.day + DAY
        return None if ahead else _Bounds(None, moment.end, True, spans)
    if moment.end > asking.day + DAY and re.match(r"(?i)(?:the )?(?:end|late|mid)", moment.words):
        return None  # the time is not over yet, so articles about it are older
    if word in ("around", "circa") and moment.grain == "day":
        return _Bounds(
            moment.start - AROUND_DAYS * DAY, moment.end + AROUND_DAYS * DAY, False, spans
        )
    return _Bounds(moment.start, moment.end, moment.hard, spans)


def _limits_publication(
    moment: TimeExpression, word: str, before: str, after: str, preposition: re.Match[str] | None
) -> bool:
    """Return whether a time says when something was reported, and doesn't name a thing."""
    if moment.words.endswith(("'s", "’s")):  # "today's news"
        return True
    if word in _NO_TIME or (moment.bare and preposition is None):
        return False
    lead = before[: preposition.start()] if preposition else before
    article = re.search(r"\bthe\s+$", before) or moment.words.lower().startswith("the ")
    determined = preposition is None and _DETERMINED.search(before)
    direct = word in ("on", "in", "during", "since") and not article
    if (determined or not direct) and not _FOLLOWS.match(after):
        return False
    if _SUPERLATIVE.search(before) or _COUNTED.search(before):
        return False
    return not (
        _dates_an_event(lead) or (moment.grain == "day" and word == "on" and _EVENT.search(lead))
    )


def _dates_an_event(lead: str) -> bool:
    """Return whether a time says when a thing was made: "the treaty signed in", "born in"."""
    if _LIFE.search(lead, max(lead.rfind(","), lead.rfind("?")) + 1):
        return True
    if _PARTICIPLE.search(lead) and not _AUXILIARY.search(lead):
        return True
    relative = _RELATIVE.search(lead)
    return relative is not None and not _NOT_RELATIVE.match(relative["before"])


def _combine_bounds(bounds: list[_Bounds]) -> TimeFilterMatch | None:
    if not bounds:
        return None
    hard = [b for b in bounds if b.hard]
    soft = [b for b in bounds if not b.hard]
    if hard and soft and not any(_overlap(h, s) for h in hard for s in soft):
        hard = []
    taken = hard or soft[:1]
    start, end = _combined_range(taken)
    spans = tuple(sorted(span for b in taken for span in b.spans))
    return TimeFilterMatch(TimeRange(_midnight(start), _midnight(end), hard=bool(hard)), spans)


def _overlap(one: _Bounds, other: _Bounds) -> bool:
    return max(one.start or date.min, other.start or date.min) < min(
        one.end or date.max, other.end or date.max
    )


def _combined_range(bounds: list[_Bounds]) -> tuple[date | None, date | None]:
    """Return the intersection of the bounds if all overlap, else the range over all of them."""
    starts = [b.start or date.min for b in bounds]
    ends = [b.end or date.max for b in bounds]
    start, end = max(starts), min(ends)
    if start >= end:
        start, end = min(starts), max(ends)
    return (None if start == date.min else start), (None if end == date.max else end)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(clamp_day(day), time(), tzinfo=UTC)


def _utc_day(asked_on: datetime) -> date:
    """Return the UTC day of asking, clamped to the dates that an archive accepts."""
    try:
        return clamp_day(asked_on.astimezone(UTC).date())
    except OverflowError:
        return clamp_day(asked_on.date())
