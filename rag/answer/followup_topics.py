"""Topics of follow-up questions: names that read well in a question, and deeds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.answer.topics import is_known_person, named_events
from rag.nlp.entities import Name, is_country, names_match, names_of, normalize_name
from rag.nlp.name_lists import GIVEN_NAMES, PLACES
from rag.nlp.numbers import find_dates
from rag.schema import Hit

LONGEST_TOPIC = 4  # words
SHORTEST = 3  # characters
SURELY_THE = 0.6  # share of a name's mentions with "the" from which it is written with it
SURELY_BARE = 0.1  # and up to which it is written without
FEWEST_MENTIONS = 2
OFTEN = 3  # mentions from which a name outside of headlines is a topic
MOST_NAMES = 12  # names that are looked at
BEFORE = 5  # characters before a name in which "the" stands
CLAUSE = 160  # characters after a verb in which its day or reason is looked for

_NO_TOPIC = frozenset(
    """game final season cup stadium house club act day week news report court street city state
    county university photo image video update first second american americans gop us u.s. i mr mrs
    cnn reuters ap republican republicans democrat democrats democratic covid internet christmas
    english dr jan feb mar apr jun jul aug sep sept oct nov dec""".split()
)
# What befalls somebody, in the participle that a question repeats.
_DONE = re.compile(
    r" (?P<be>was|were|has been|have been) (?P<verb>arrested|charged|indicted|convicted|sentenced"
    r"|acquitted|elected|appointed|nominated|named|fired|dismissed|suspended|banned|expelled|removed"
    r"|reinstated|released|killed|injured|wounded|shot|diagnosed|hospitalized|sanctioned|acquired"
    r"|launched|founded|cancelled|canceled|postponed|approved|evacuated|closed|destroyed|detained"
    r"|impeached|criticised|criticized|fined|sued)\b"
)
_DID = {
    "died": "die", "resigned": "resign", "retired": "retire", "fled": "flee",
    "surrendered": "surrender", "collapsed": "collapse", "withdrew": "withdraw",
    "apologised": "apologise", "apologized": "apologize", "resumed": "resume", "closed": "close",
    "opened": "open", "crashed": "crash", "disappeared": "disappear", "divorced": "divorce",
}  # fmt: skip
_ACTED = re.compile(rf" (?P<verb>{'|'.join(_DID)})\b(?! (?:to|and|the|a|up|down|out)\b)")
_REASON = re.compile(r"\b(?:because|due to|following|amid|citing)\b")
_CHARGE = re.compile(r" (?:for|over) ")
_CHARGED = frozenset(
    "arrested fired dismissed suspended banned removed fined sued expelled criticised criticized"
    " detained impeached".split()
)
_ALONE = re.compile(
    r"(?![\w’'])(?! (?!(?:is|was|has|had|said|will|would|and|or|in|on|of|to|for|by|at|with|from|as"
    r"|that|who|which|after|before|are|were|have|during|but|while)\b)[a-z])"
)
_PART = re.compile(r"(?:[’']s|\band|&) $")
_NO_WORD = re.compile(r"[.’'&]|^[A-Z]-|[a-z][A-Z]|[A-Z]{5}")
_THE = re.compile(r"\b[Tt]he $")
_END = re.compile(r"[.;!?\n]")


@dataclass(frozen=True, slots=True)
class Deed:
    """Question that one sentence of the hits answers, with its kind."""

    question: str
    kind: str


def clean_topics(question: str, hits: Sequence[Hit]) -> list[str]:
    """Return the names that read well after "about": those of a question, then of the hits.

    A name is left out if it's unclear whether it is written with "the", or if it is mostly part of
    a longer one. A surname is completed.

    Args:
        question: The question.
        hits: The hits, which show how names are written.
    """
    mentions: dict[str, list[str]] = {}  # the characters before each mention
    for hit in hits:
        text = hit.passage.text
        for name in names_of(text):
            before = text[max(0, name.start - BEFORE) : name.start]
            # in "the Varn coast", the article is the coast's
            alone = before if _ALONE.match(text, name.end) else ""
            mentions.setdefault(name.text, []).append(alone)
    counts = Counter(
        {name.text: 0 for hit in hits for name in names_of(hit.metadata.title)}
        | {name: len(found) for name, found in mentions.items() if len(found) >= OFTEN}
    )
    counts.update(name.text for hit in hits for name in names_of(hit.metadata.title))
    whole = " ".join(hit.passage.text for hit in hits)
    asked = sorted(names_of(f"of {question}"), key=lambda name: -len(name.text))
    often = [name for name, _ in counts.most_common(MOST_NAMES)]
    found = named_events(question, whole)
    publishers = {re.sub(r"\W", "", hit.metadata.publisher).casefold() for hit in hits}
    for called in [*(n.text for n in asked), *often]:
        key = re.sub(r"\W", "", called).casefold()
        if any(publisher.startswith(key) for publisher in publishers):
            continue
        topic = _written(called, question, mentions, whole)
        if topic and not any(names_match(topic, other) for other in found):
            found.append(topic)
    return found


def _written(name: str, question: str, mentions: Mapping[str, Sequence[str]], whole: str) -> str:
    """Return a name in full, with "the" if it is written so; "" if it doesn't read well."""
    words, low = name.split(), name.lower()
    if len(name) < SHORTEST or len(words) > LONGEST_TOPIC or _NO_WORD.search(name):
        return ""
    if is_country(name) and normalize_name(name, seats=False) != low:
        return ""  # "Russian"
    before = mentions.get(name, ())
    share = sum(bool(_THE.search(each)) for each in before) / max(1, len(before))
    if is_known_person(name):
        return name if before else ""
    if low in PLACES:
        return ("the " if share > 1 - SURELY_THE else "") + name if before else ""
    if re.search(rf"\bthe {re.escape(name)}(?![’']| [A-Z])", question, re.IGNORECASE) and before:
        return f"the {name}"
    if len(words) == 1:
        full = [other for other in mentions if other.endswith(f" {name}")]
        people = [other for other in full if is_known_person(other)]
        if people:
            return max(people, key=lambda other: len(mentions[other]))
        if low in _NO_TOPIC | GIVEN_NAMES or full:
            return ""
        if re.search(rf"\b{re.escape(low)}\b|\b{re.escape(name)} (?:said|told|says)\b", whole):
            return ""  # a common word, or a surname alone
    parts = sum(len(found) for other, found in mentions.items() if name in other and name != other)
    parts += sum(bool(_PART.search(each)) for each in before)
    if len(before) < FEWEST_MENTIONS or 2 * parts > len(before):
        return ""
    if share >= SURELY_THE:
        return f"the {name}"
    return name if share <= SURELY_BARE else ""


def deeds(hits: Sequence[Hit], said: str) -> Iterator[Deed]:
    """Yield questions for the day or the reason of what somebody did or suffered.

    Args:
        hits: The hits.
        said: The quotations of the answer, which aren't asked for again.
    """
    for hit in hits:
        text = hit.passage.text
        for name in names_of(text):
            if not (is_known_person(name.text) or name.text.lower() in PLACES):
                continue
            asked = _deed(name, text)
            if asked is not None and text[name.start : name.end + 30] not in said:
                yield asked


def _deed(name: Name, text: str) -> Deed | None:
    done, did = _DONE.match(text, name.end), _ACTED.match(text, name.end)
    match = done or did
    if match is None or re.search(r"(?:\bof|\band|,|[’']s) $", text[: name.start]):
        return None
    rest = _END.split(text[match.end() : match.end() + CLAUSE])[0]
    verb = match["verb"]
    clause = f"was {name.text} {verb}" if done else f"did {name.text} {_DID[verb]}"
    if _REASON.search(rest) or (verb in _CHARGED and _CHARGE.match(f"{rest} ")):
        return Deed(f"Why {clause}?", "why")
    if any(day.day for day in find_dates(rest)):
        return Deed(f"When {clause}?", "when")
    return None
