"""Name that a question asks for: who did something, to whom it was done, who holds a role, where.

Only questions whose grammar is plain are read, so that a name can be checked against the role that
it has in a sentence: who was killed by somebody isn't who killed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from rag.nlp.entities import find_names
from rag.nlp.numbers import find_numbers
from rag.nlp.quotations import REPORTING_VERBS
from rag.nlp.tokens import Word, content_words, stem_words, tokenize
from rag.query.parser import ParsedQuery

Role = Literal["agent", "patient", "holder", "speaker", "place"]

LONGEST_NAME_ASKED = (
    6  # words after "who is" that may be a name: its bearer is described, not named
)

_WHO = re.compile(r"^(?:and |so |but )?(?:who|whom)(?:['’]s)?\b(?P<rest>.+)$", re.IGNORECASE)
_WHERE = re.compile(r"^(?:and |so |but )?where(?:['’]s)?\b(?P<rest>.+)$", re.IGNORECASE)
_IS = re.compile(r"^who['’]s\b", re.IGNORECASE)
_ADVERBS = frozenset(
    "also just first recently most reportedly currently now finally officially allegedly already"
    " ultimately originally eventually recently successfully".split()
)
_BE = frozenset("is are was were be been being".split())
_DO = frozenset("did does do".split())
_HAVE = frozenset("has have had".split())
_FUTURE = frozenset("will would shall".split())
_UNSURE = frozenset("can could may might should must".split())
_ARTICLES = frozenset("the a an".split())
_PREPOSITIONS = frozenset(
    "of in at on by to from with against for as over about after before during into off near"
    " since until along besides".split()
)
# Participles that don't end like one.
_PARTICIPLES = frozenset(
    "shot hit cut hurt put sent left met held built found paid sold told won lost made beaten"
    " chosen given taken seen known written drawn thrown born caught struck led fought"
    " taught".split()
)
_NO_ACTION = frozenset("happen take go come from next".split())
# Verbs of events, beside which the event's noun locates as well: "the funeral in Cape Town".
LIGHT_VERBS = frozenset(
    "hold held take place happen occur play stage host locate base situate set".split()
)


@dataclass(frozen=True, slots=True)
class AskedName:
    """Name that a question asks for, by the role that it must have in a sentence.

    Attributes:
        role: "agent" and "patient" of the verb, "holder" of what the words describe, "speaker" of
            words, or "place" of the verb.
        verb: The stem of the verb; "" for a holder and for "Where is X?".
        form: The verb as the question has it, in small letters.
        object: Stems of the words that follow the verb, up to the first preposition: they must be
            in the sentence.
        words: Stems of all other content words.
        names: The names in the question.
        agent: The name of who did it, if the question says so: "by Ann Lee", "did Ann Lee".
        numbers: The numbers of the question.
        future: Whether something to come is asked for.
        present: Whether the state of today is asked for.
        opens_with_name: Whether a name is the subject of a "where" question.
        asks_do: Whether the question has "did", so that its verb has no ending.
    """

    role: Role
    verb: str
    form: str
    object: frozenset[str]
    words: frozenset[str]
    names: tuple[str, ...]
    agent: str
    numbers: frozenset[float]
    future: bool = False
    present: bool = False
    asks_do: bool = False
    opens_with_name: bool = False


def asked_name(question: ParsedQuery) -> AskedName | None:
    """Return the name that a question asks for; None if it asks for none, or not plainly.

    Args:
        question: The parsed question.
    """
    text = question.text.strip().rstrip("?!. ")
    if question.parts or question.expected.also or "?" in text:
        return None
    if _WHO.match(text) and question.expected.type == "person":
        return _read_who(text)
    if _WHERE.match(text) and question.expected.type == "place":
        return _read_where(text)
    return None


def _read_who(text: str) -> AskedName | None:
    match = _WHO.match(text)
    words = _without_adverbs(tokenize(match["rest"] if match else ""))
    if _IS.match(text):
        return _read_copula(words, present=True)
    if not words:
        return None
    first, rest = words[0].text.lower(), words[1:]
    if first in _UNSURE or not rest:
        return None
    if first in _DO:
        return _read_object_question(rest)
    if first in _BE:
        return _read_be(rest, present=first in ("is", "are"))
    future = first in _FUTURE
    if first in _HAVE | _FUTURE:
        first, *rest = [rest[0].text.lower(), *rest[1:]]
        if first in _BE:  # "who has been charged", "who will be the host"
            return _read_be(list(rest), present=False, future=future)
        words = [words[1], *rest]
    verb = words[0]
    if verb.text.lower() in _PREPOSITIONS | _ARTICLES | _BE or verb.stem in _NO_ACTION:
        return None
    role: Role = "speaker" if verb.text.lower() in REPORTING_VERBS else "agent"
    return _asked(role, verb, list(rest), future=future)


def _read_be(words: list[Word], *, present: bool, future: bool = False) -> AskedName | None:
    """Read what follows "who was": a participle, a progressive, or a description."""
    words = _without_adverbs(words)
    if not words:
        return None
    verb = words[0].text.lower()
    if verb.endswith("ing") and len(words) > 1:
        return _asked("agent", words[0], words[1:], future=future, present=present)
    if _is_participle(verb):
        return _asked("patient", words[0], words[1:], future=future)
    return _read_copula(words, present=present, future=future)


def _read_copula(words: list[Word], *, present: bool, future: bool = False) -> AskedName | None:
    """Read a description, "the mayor of Tarn"; a bare name asks who somebody is."""
    if not words or (words[0].capital and len(words) <= LONGEST_NAME_ASKED):
        plain = [word for word in words if not word.capital and not word.is_stop_word]
        if not plain:
            return None
    return _asked("holder", None, words, future=future, present=present)


def _read_object_question(words: list[Word]) -> AskedName | None:
    """Read what follows "who did": "Ann Lee beat in the final"."""
    named = find_names("of " + _text_of(words))
    if not named or not words[0].capital:
        return None
    after = named[0].end - len("of ")
    rest = _without_adverbs([w for w in tokenize(_text_of(words)) if w.start >= after])
    if not rest or rest[0].text.lower() in _PREPOSITIONS | _ARTICLES | {"and", "or"}:
        return None
    if len(rest) > 1 and rest[1].text.lower() not in _PREPOSITIONS:
        return None  # "who did she give the prize": two objects
    asked = _asked("patient", rest[0], rest[1:], asks_do=True)
    names = (named[0].text, *asked.names)
    return replace(asked, names=names, agent=named[0].text)


def _read_where(text: str) -> AskedName | None:
    match = _WHERE.match(text)
    words = _without_adverbs(tokenize(match["rest"] if match else ""))
    if len(words) < 2 or words[0].text.lower() not in _BE | _DO | _HAVE | _FUTURE:
        return None
    if words[-1].text.lower() == "from":
        return None
    first, rest = words[0].text.lower(), words[1:]
    plain = [w for w in rest if not w.capital and w.text.lower() not in _ARTICLES | _BE]
    verbs = [w for w in plain if not w.is_stop_word or w.text.lower() in LIGHT_VERBS]
    future = first in _FUTURE
    if first in _BE and not any(_is_participle(w.text.lower()) for w in verbs):
        return _asked("place", None, rest, present=first in ("is", "are"))
    acting = [w for w in verbs if first in _DO | _FUTURE or _is_participle(w.text.lower())]
    if not acting:
        return None
    verb = _verb_of(acting, rest, asks_do=first in _DO | _FUTURE)
    others = [w for w in rest if w is not verb]
    asked = _asked("place", verb, others, future=future, asks_do=first in _DO)
    return replace(asked, opens_with_name=rest[0].capital)


def _verb_of(acting: list[Word], rest: list[Word], *, asks_do: bool) -> Word:
    """Return the verb of a "where" question: after its subject, before a preposition if any."""
    if not asks_do:
        return acting[0]
    named = find_names("of " + _text_of(rest))
    first_end = named[0].end - len("of ") if named else 0
    starts = {word.start: at for word, at in zip(rest, _starts(rest), strict=True)}
    after = [w for w in acting if starts[w.start] >= first_end] if named else []
    opens_with_name = bool(named) and rest[0].capital
    return after[0] if after and opens_with_name else acting[-1]


def _starts(words: list[Word]) -> list[int]:
    """Return where each word stands in `_text_of` of them."""
    found, at = [], 0
    for word in words:
        found.append(at)
        at += len(word.text) + 1
    return found


def _asked(
    role: Role,
    verb: Word | None,
    words: list[Word],
    *,
    future: bool = False,
    present: bool = False,
    asks_do: bool = False,
) -> AskedName:
    text = _text_of(words)
    names = tuple(name.text for name in find_names(f"of {text}"))
    lower = [word.text.lower() for word in words]
    cut = next((i for i, word in enumerate(lower) if word in _PREPOSITIONS), len(words))
    head = {"holder": words, "speaker": []}.get(role, words[:cut])
    agent = ""
    if "by" in lower and role == "patient":
        after = find_names(" ".join(word.text for word in words[lower.index("by") :]))
        agent = after[0].text if after else ""
    in_names = frozenset[str]().union(*(stem_words(name) for name in names))
    key = verb.stem if verb else ""
    return AskedName(
        role,
        key,
        verb.text.lower() if verb else "",
        frozenset(w.stem for w in head if not w.is_stop_word) - in_names - {key},
        frozenset(w.stem for w in content_words(text)) - in_names - {key},
        names,
        agent,
        frozenset(number.value for number in find_numbers(text)),
        future,
        present,
        asks_do,
    )


def _is_participle(word: str) -> bool:
    return word in _PARTICIPLES or bool(re.search(r"(?:ed|wn)$", word))


def _without_adverbs(words: list[Word]) -> list[Word]:
    """Return words without those that say only when or how: "who most recently won"."""
    kept = [i for i, word in enumerate(words) if word.text.lower() not in _ADVERBS]
    return [words[i] for i in kept]


def _text_of(words: list[Word]) -> str:
    return " ".join(word.text for word in words)
