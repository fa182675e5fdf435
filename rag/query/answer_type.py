"""Expected answer type of a question, and a score of how well a sentence matches it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.nlp.entities import (
    description_of,
    find_names,
    full_name,
    is_country,
    names_match,
    normalize_name,
)
from rag.nlp.numbers import find_dates, find_numbers
from rag.nlp.quotations import ATTRIBUTED, REPORTING_VERBS, find_quotations, find_speaker
from rag.nlp.sentences import split_sentences
from rag.nlp.tokens import content_words, stem_words

AnswerType = Literal[
    "person", "figure", "day", "place", "name", "speech", "yes or no", "reason", "anything"
]
# Order of an answer's sentences: best first, by date, or one for each side.
AnswerLayout = Literal["best first", "by date", "by side"]

_BY_SIDE = re.compile(
    r"\b(?:both sides|compare|versus|vs\.?|differ(?:s|ed|ence|ences)?|disagree\w*|contradict\w*"
    r"|supporters and (?:critics|opponents)|one side|each side"
    r"|while (?:the )?.{1,300} (?:article|report))\b",
    re.IGNORECASE,
)
_BY_DATE = re.compile(
    r"\b(?:timeline|course of events|chronology|sequence of events"
    r"|how did .{1,300} (?:unfold|begin|start|develop|come about|end up)"
    r"|step by step|what led (?:up )?to)\b",
    re.IGNORECASE,
)

_FIGURE = re.compile(
    r"\bhow (?:many|much|old|long|far|fast|tall|big|large|high|often|likely)\b"
    r"|\bwh(?:at|ich) (?:\w+ ){0,3}?(?:percentage|proportion|number|amount|price|score|age|share|"
    r"rate|cost|record high)\b|\bwhat is the (?:age|average|final)\b",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:day|date|year|month|time)\b", re.IGNORECASE
)
_PERSON = re.compile(
    r"\b(?:who|whom|whose)\b|\bwhich (?:\w+ ){0,3}?(?:actor|actress|singer|politician|president|"
    r"minister|mp|senator|player|comedian|artist|author|billionaire|king|queen|prince|princess|"
    r"celebrity|star|rapper|musician|coach|driver|athlete|director|governor|person|leader|candidate|"
    r"footballer|golfer|writer|journalist|presenter|host|model|chef|ceo|boss|founder)s?\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\bwhere\b|\b(?:what|which|whose) (?:\w+ ){0,3}?(?:country|nation|state|city|town|place|"
    r"island|continent|region|province|county|airport)(?:’s|'s|s|ies)?\b|\bcountries\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?:which|name of|called|named|title of)\b"
    r"|\bwhat (?:film|movie|show|book|song|company|brand|app|team|club|sport|animal|word|item)\b",
    re.IGNORECASE,
)
_SPEECH = re.compile(
    r"\b(?:what|how) (?:did|does|do|has|have|had) (?P<who>[^?]{1,200}?) (?:\w+ly )?"
    r"(?P<verb>say|said|threaten(?:ed)?|warn(?:ed)?|announce[d]?|promise[d]?|vow(?:ed)?|claim(?:ed)?|"
    r"tell|told|declare[d]?|state[d]?|pledge[d]?|demand(?:ed)?|respond(?:ed)?|react(?:ed)?|reply|"
    r"replied|argue[d]?|call(?:ed)?(?= for)|comment(?:ed)?|think|write|tweet(?:ed)?|deny|denied)\b"
    r"|\bwhat (?:is|was|were) (?P<who2>[^?]{1,200}?)(?:’s|'s|’|') (?P<noun>reaction|response|reply|"
    r"warning|threat|statement|promise|position|answer|view)\b"
    r"|\b(?P<verb3>reaction|response|warning|statement|threat) (?:of|from|by) (?P<who3>[^?]+)",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|since|due to|after|over|amid|so that|in order|as part of|citing|reason|caused|"
    r"blamed|following|fear(?:s|ing)?|concerns?)\b",
    re.IGNORECASE,
)
_POLAR = re.compile(
    r"^(?:is|are|was|were|will|would|did|does|do|has|have|had|can|could|should|may)\b",
    re.IGNORECASE,
)
_HEAD = re.compile(
    r"\b(?:which|what) (?!(?:is|are|was|were|did|does|do|has|have|had|will|would|can|could|of)\b)"
    r"(?P<head>(?:\w++(?:[’'-]\w*+)?+ ){0,4}?\w++)"
    r"(?=[’']s| (?:is|are|was|were|did|does|do|has|have|had|will|would|can|could|of|in|to"
    r"|that|who|which|with)\b|\?|\s\w+ed\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """Type and layout of the answer that a question expects.

    Attributes:
        type: The expected answer type.
        whose: The person or group whose words are asked for, if the type is "speech".
        head: The noun that "which" or "what" asks for, such as "country".
        also: Further types that the question asks for.
        layout: The order in which the answer's sentences are shown.
    """

    type: AnswerType
    whose: str = ""
    head: str = ""  # "country" in "which country": the answer is one, but needn't contain the word
    also: tuple[AnswerType, ...] = ()
    layout: AnswerLayout = "best first"

    @property
    def sides(self) -> tuple[str, ...]:
        """Names of the speakers whose words are asked for, if there are several."""
        found = tuple(name.text for name in find_names("of " + self.whose))
        return found if len(found) > 1 else ()


def classify_question(question: str) -> ExpectedAnswer:
    """Return the answer type and layout that a question expects.

    Sentences before the first question determine only the layout: "When it is warm we grill. How
    many ...?" asks for a figure.

    Args:
        question: The question, as asked.

    Returns:
        The expected answer; further types that the question asks for are in `also`.
    """
    layout: AnswerLayout = "best first"
    if _BY_SIDE.search(question):
        layout = "by side"
    elif _BY_DATE.search(question):
        layout = "by date"
    question = _from_first_question(question)
    types: list[AnswerType] = []
    speech = _SPEECH.search(question)
    whose = ""
    if speech and not re.search(r"\b(?:what|how)\b.*\b(?:what|how)\b", question, re.IGNORECASE):
        types.append("speech")
        whose = (speech["who"] or speech["who2"] or speech["who3"] or "").strip()
    patterns: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
        ("figure", _FIGURE), ("day", _DAY), ("person", _PERSON), ("place", _PLACE), ("name", _NAME),
    )  # fmt: skip
    found = [(m.start(), kind) for kind, pattern in patterns if (m := pattern.search(question))]
    kinds = [kind for _, kind in sorted(found)]
    types += [kind for kind in kinds if kind != "name" or kinds == ["name"]]
    if re.search(r"\bwhy\b", question, re.IGNORECASE):
        types.append("reason")
    if not types and _POLAR.match(question):
        types.append("yes or no")
    head = _HEAD.search(question)
    return ExpectedAnswer(
        type=types[0] if types else "anything",
        whose=whose,
        head=head["head"] if head else "",
        also=tuple(types[1:]),
        layout=layout,
    )


def _from_first_question(question: str) -> str:
    """Return `question` from its first interrogative sentence on; all of it if it has none."""
    asks = (
        s
        for s in split_sentences(question)
        if question[s.start : s.end].rstrip("”\"'").endswith("?")
    )
    first = next(asks, None)
    return question[first.start :] if first else question


def matches_type(kind: AnswerType, sentence: str, question: str) -> float:
    """Return how well a sentence contains an answer of the expected type.

    Args:
        kind: The expected answer type.
        sentence: The sentence to score.
        question: The question; names, figures and dates that it already contains don't count.

    Returns:
        A score from 0 (no such answer) to 1; 0.5 for types that can't be tested.
    """
    asked = stem_words(question)
    if kind == "figure":
        known = {f.value for f in find_numbers(question)}
        return float(any(f.value not in known for f in find_numbers(sentence)))
    if kind == "day":
        known_days = {d.text.lower() for d in find_dates(question)}
        found = [d for d in find_dates(sentence) if d.text.lower() not in known_days]
        years = [f for f in find_numbers(sentence) if 1900 <= f.value <= 2100 and len(f.text) == 4]
        return 1.0 if found else 0.7 if years else 0.0
    if kind in ("person", "place", "name"):
        return _score_new_name(kind, sentence, question, asked)
    if kind == "speech":
        longest = max((len(q.text.split()) for q in find_quotations(sentence)), default=0)
        return 1.0 if longest >= 5 else 0.5 if ATTRIBUTED.search(sentence) else 0.3 * bool(longest)
    if kind == "reason":
        return float(bool(_REASON.search(sentence)))
    return 0.5


def _score_new_name(kind: AnswerType, sentence: str, question: str, asked: frozenset[str]) -> float:
    known = [name.text for name in find_names(question)]
    new = [n.text for n in find_names(sentence) if not any(names_match(n.text, k) for k in known)]
    new = [n for n in new if not {w.stem for w in content_words(n)} <= asked]
    if kind == "place":
        countries = [n for n in new if is_country(n)]
        return 1.0 if countries else 0.6 if new else 0.0
    if kind == "person":
        return 1.0 if any(len(n.split()) > 1 for n in new) else 0.6 if new else 0.0
    quoted = any(len(q.text.split()) <= 8 for q in find_quotations(sentence))
    return 1.0 if new or quoted else 0.0


def score_speaker(whose: str, sentence: str, article: str) -> float:
    """Return how likely the speaker of a sentence is, or speaks for, the person asked about.

    Args:
        whose: The person, group or country whose words the question asks for.
        sentence: A sentence that may quote or report somebody.
        article: The article's text, in which a bare surname is looked up.

    Returns:
        A score from 0 to 1.
    """
    who = find_speaker(sentence)
    if not who:
        return 0.0
    # An intelligence report counts for less than a minister as the voice of a country.
    reports = re.search(r"\baccording to\b", sentence, re.I) or re.search(r"\bintelligence\b", who)
    full_voice = 0.4 if reports else 1.0
    found = [n.text for n in find_names(who)]
    roles = who
    wanted = [n.text for n in find_names("of " + whose)]
    nations = [name for name in found if normalize_name(name) != name.lower()]
    if wanted and nations and not any(names_match(w, n) for w in wanted for n in nations):
        return 0.0  # the Russian embassy doesn't speak for Seoul, whatever the context
    for name in found:
        full = full_name(name, article) or name
        roles = f"{roles}, {description_of(full, article)}"
    speaking = [n.text for n in find_names("of " + roles)]
    if wanted:
        return full_voice * all(any(names_match(w, s) for s in speaking) for w in wanted)
    plain = {w.stem for w in content_words(whose)} - REPORTING_VERBS
    return full_voice * bool(plain & stem_words(roles))
