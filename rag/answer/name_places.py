"""Place that a question for where asks for: beside the verb, or beside the noun of an event."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.answer.asked_name import LIGHT_VERBS, AskedName
from rag.answer.clauses import POSSESSIVE, UNREAL, find_verbs, is_new, subject_of
from rag.nlp.analyzers import stem
from rag.nlp.entities import Name, is_country
from rag.nlp.name_lists import PLACES
from rag.nlp.names import find_typed_names
from rag.nlp.organisation_lists import PLACE_WORDS
from rag.nlp.tokens import tokenize

PLACE_REACH = 90  # characters between a verb or noun and the place where it is
_LIGHT = frozenset(stem(word) for word in LIGHT_VERBS)
_LOCATED = re.compile(
    r"\b(?:in|at|near|outside|on|off)(?: (?:the|a|an|what[’']s|now|its|his|her"
    r"|[a-z][\w-]{0,20})){0,8}? $"
)
_TOWARDS = re.compile(r"\b(?:to|in|for)(?: (?:the|a|[a-z][\w-]{0,20})){0,8}? $")
_MOVING = frozenset(stem(w) for w in "flee fly move travel go head escape relocate return".split())
_COMING_WORDS = re.compile(
    r"\b(?:will|would|expect\w*|set to|due|scheduled|likely|forecast|plans?|upcoming|to be)\b", re.I
)
_CLAUSE = re.compile(
    r"[;:!?“”\"]|\b(?:after|before|while|when|who|which|that|but|because|since|as|from|said|says"
    r"|and|where|than|until)\b"
)


def places_of(asked: AskedName, sentence: str, names: Sequence[Name]) -> Iterator[Name]:
    """Yield the places that follow the verb, or the noun of an event, after a preposition.

    Args:
        asked: What is asked for.
        sentence: The sentence.
        names: The names in it.
    """
    known = {
        sentence[span.start : span.end]
        for one in find_typed_names(sentence)
        if one.kind == "place"
        for span in one.mentions
    }
    anchors = [word.end for word in find_verbs(asked, sentence, names)]
    if not asked.verb or asked.verb in _LIGHT:
        anchors += [w.end for w in tokenize(sentence) if w.stem in asked.object]
        anchors += [n.end for n in names if not is_new(n, asked)] if not asked.object else []
    if asked.future and not _COMING_WORDS.search(sentence):
        return
    located = _TOWARDS if asked.verb in _MOVING else _LOCATED
    for anchor in anchors:
        if asked.opens_with_name and not _has_subject(asked, anchor, sentence, names):
            continue
        if UNREAL.search(sentence[:anchor].rpartition(" ")[0] + " ") and not asked.future:
            continue
        for i, name in enumerate(names):
            gap = sentence[anchor : name.start]
            if name.start < anchor or len(gap) > PLACE_REACH or _CLAUSE.search(gap):
                continue
            if located.search(gap) and _is_place(name, known):
                whole = _with_region(i, names, sentence)
                if not POSSESSIVE.match(sentence[whole.end :]):
                    yield whole
                break


def _has_subject(asked: AskedName, at: int, sentence: str, names: Sequence[Name]) -> bool:
    """Return whether who or what is asked for is the subject of the verb that ends there.

    The husband of Ida Holm died elsewhere. "Found in Tarn, the Varn stone" has its subject behind.
    """
    verb = next((word for word in tokenize(sentence) if word.end == at), None)
    if verb is None or verb.stem != asked.verb:
        return True
    if not verb.start:
        return True
    subjects = (
        subject_of(verb, sentence, names, future=asked.future, passive=each)
        for each in (False, True)
    )
    return any(one is not None and not is_new(one, asked) for one in subjects)


def _is_place(name: Name, known: set[str]) -> bool:
    last = name.text.split()[-1].lower()
    return (
        name.text in known
        or name.text.lower() in PLACES
        or last in PLACE_WORDS
        or last in ("stadium", "theatre", "theater", "hall", "hospital", "university", "museum")
        or (is_country(name.text) and name.text.lower() in PLACES)
    )


def _with_region(place: int, names: Sequence[Name], sentence: str) -> Name:
    """Return a place with the region after it: "Samarkand, Uzbekistan"."""
    one = names[place]
    following = names[place + 1] if place + 1 < len(names) else None
    joined = following is not None and sentence[one.end : following.start] == ", "
    if following is not None and joined and following.text.lower().rstrip(".") in PLACES:
        return Name(sentence[one.start : following.end], one.start, following.end)
    return one
