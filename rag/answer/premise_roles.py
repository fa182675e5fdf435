"""Semantic roles of a claim (agent, action, place), and their comparison with a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from rag.nlp.analyzers import stem
from rag.nlp.entities import Name, find_names, is_country, names_match, normalize_name
from rag.nlp.tokens import content_words, stem_words, tokenize
from rag.verify.fact_checks import NEGATIONS

_PLACE = re.compile(r"\b(?:in|at|near|outside|from|inside)(?: the)? $", re.IGNORECASE)
_NO_AGENT = re.compile(
    r"\b(?:in|at|near|outside|from|inside|of|for|with|against|over|to|by)(?: the)? $", re.IGNORECASE
)
_DATELINE = re.compile(r"^[A-Z]{3,}")
_AGENT = re.compile(r"\bby (?:the |[a-z]+ ){0,3}$", re.IGNORECASE)
_HE = re.compile(r"\b(?:he|she|they)\b", re.IGNORECASE)
# Words that precede an action that hasn't happened: demanded, planned, possible.
_UNREALISED = frozenset(
    """may might could would should must demand demands demanded demanding urge urges urged call
    calls called calling ask asks asked consider considers considered considering consideration
    threaten threatens threatened plan plans planned expect expects expected whether if options
    option excluding""".split()
)
_NEGATIVE_ACTS = frozenset(stem(word) for word in "deny refuse reject fail".split())
BEFORE_THE_ACT = (
    10  # words before an action in which such a word counts: "asked that the president of ..."
)


@dataclass(frozen=True, slots=True)
class Predicate:
    """Agent (a name, or "") and action (a stem) of a claim."""

    who: str
    act: str


def main_predicate(claim: str) -> Predicate:
    """Return the agent and action of a claim, the words of a question after "did".

    The agent is "" if the claim doesn't begin with a name: "the crowd in Paiporta throw mud".
    """
    found = find_names("of " + claim)
    plain = [w for w in content_words("of " + claim) if not _is_in_name(w.start, found)]
    act = plain[0].stem if plain else ""
    first = found[0] if found else None
    if first is None or (plain and plain[0].start < first.start) or _modifies_noun(claim, first):
        return Predicate("", act)
    return Predicate(first.text, act)


def _is_in_name(at: int, found: list[Name]) -> bool:
    return any(name.start <= at < name.end for name in found)


def _modifies_noun(claim: str, name: Name) -> bool:
    """Return whether a name only modifies a noun: "North Korean soldiers", "Seoul's opposition"."""
    after = claim[name.end - len("of ") :]
    of_a_people = is_country(name.text) and bool(re.search(r"(?:an|ese|ish|ch|i)$", name.text))
    return after.startswith(("'s", "’s")) or of_a_people


def predicate_matches(what: Predicate, text: str) -> bool:
    """Return whether the claim's agent can be the agent in a text; True if that is unclear.

    It can't if the name stands only after the action: the Yankees in "a win over the Yankees".

    Args:
        what: The claim's predicate.
        text: The sentence to compare.
    """
    acts, own = _find_positions(what, text)
    if not what.who or not acts or not own:
        return True
    agent = _find_passive_agent(text, acts[0])
    return own[0].start < acts[-1] or (agent is not None and names_match(agent.text, what.who))


def find_other_agent(what: Predicate, text: str) -> str:
    """Return the agent that a text has instead of the claim's.

    Args:
        what: The claim's predicate.
        text: The sentence to compare.

    Returns:
        A name, or "somebody else" for a pronoun; "" if the text has no other agent.
    """
    acts, own = _find_positions(what, text)
    if not acts or not own or predicate_matches(what, text):
        return ""
    agent = _find_passive_agent(text, acts[0])
    if agent is not None:
        return agent.text
    before = [
        n for n in find_names(text) if n.end <= acts[0] and not _NO_AGENT.search(text[: n.start])
    ]
    before = [n for n in before if n.start or " " in n.text]  # a first word may be no name
    before = [n for n in before if not stem_words(n.text) & stem_words(what.who)]
    if before:
        return before[-1].text
    return "somebody else" if _HE.search(text[: acts[0]]) else ""


def _find_passive_agent(text: str, act: int) -> Name | None:
    """Return the agent of a passive: the first name after the action that follows "by"."""
    after = (name for name in find_names(text) if name.start > act)
    return next((name for name in after if _AGENT.search(text[: name.start])), None)


def _find_positions(what: Predicate, text: str) -> tuple[list[int], list[Name]]:
    acts = [word.start for word in tokenize(text) if word.stem == what.act]
    return acts, [name for name in find_names(text) if names_match(name.text, what.who)]


def is_hypothetical(what: Predicate, text: str) -> bool:
    """Return whether a text mentions the action only as demanded, planned or possible."""
    listed = tokenize(text)
    at = [i for i, word in enumerate(listed) if word.stem == what.act]
    before = [listed[max(0, i - BEFORE_THE_ACT) : i] for i in at]
    return bool(at) and all(any(w.text.lower() in _UNREALISED for w in some) for some in before)


def is_denied(claim: str, what: Predicate, text: str) -> bool:
    """Return whether a text negates an action that is negative itself: "did not deny"."""
    return what.act in _NEGATIVE_ACTS and _negates(what.act, text) and not _negates(what.act, claim)


def _negates(act: str, text: str) -> bool:
    return any(
        word.stem == act and before.text.lower().replace("’", "'") in NEGATIONS
        for before, word in pairwise(tokenize(text))
    )


def places(text: str) -> list[Name]:
    """Return the names of places in a text: those after "in", "at" or "from", and its dateline."""
    found = [name for name in find_names(text) if _PLACE.search(text[: name.start])]
    dateline = _DATELINE.match(text)
    return ([Name(dateline[0].title(), 0, dateline.end())] if dateline else []) + found


def same_place(one: str, other: str) -> bool:
    """Return whether two names are of one place; a capital means the city, not the government."""
    a, b = (normalize_name(name, seats=False) for name in (one, other))
    if a == b:
        return True
    short, long = sorted((a.split(), b.split()), key=len)
    return {stem(w) for w in short} <= {stem(w) for w in long}
