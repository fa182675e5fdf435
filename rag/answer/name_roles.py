"""Name that has the asked role in a sentence: subject, object, agent of a passive, or place.

The rules read only what stands beside the verb or the description. A sentence in which two names
could have the role, or none surely has, gives no name: a wrong one is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.answer.asked_name import AskedName
from rag.answer.clauses import (
    ADVERB,
    APPOSITION,
    JOINED,
    NO_SUBJECT,
    POSSESSIVE,
    UNREAL,
    find_verbs,
    is_new,
    object_at,
    subject_of,
    without_titles,
)
from rag.answer.name_places import places_of
from rag.nlp.analyzers import stem
from rag.nlp.entities import Name, find_names, names_match
from rag.nlp.tokens import Word, tokenize

BY_REACH = 60  # characters between a passive verb and "by"
ROLE_REACH = 60  # characters of a description beside a name
_PASSIVE_BEFORE = re.compile(r"\b(?:was|were|is|are|been|being|be)(?: \w+ly)? $")
_BY = re.compile(r"[^,;:.!?“”\"]{0,60}?\bby ")
# A statement that says of itself that it may not be so.
_DOUBTED = re.compile(
    r"\b(?:false|falsely|hoax|wrongly|mistaken\w*|rumou?r\w*|denie[sd]|deny|fictional|baseless"
    r"|debunked|untrue|allegedly|reportedly|unconfirmed|if|whether|unless)\b",
    re.IGNORECASE,
)
_OF_ANOTHER = re.compile(r" (?:of|in|at|for) (?:the )?(?=[A-Z])")
_OTHER_OFFICE = frozenset(
    "former ex vice deputy acting interim assistant late incoming outgoing elect candidate nominee"
    " hopeful spokesman spokeswoman spokesperson wife husband son daughter aide adviser advisor"
    " then-president rival predecessor successor".split()
)
_IS = re.compile(
    rf"{APPOSITION}(?:,? who)?(?: (?:is|was|became|becomes|remains|has been|will be))"
    rf"{ADVERB} (?:the |an? |also the )?$"
)
_COMMA_IS = re.compile(r",(?: \d{1,3},)? (?:the |an? |who is (?:the |an? )?)?$")
_IDENTIFIED = re.compile(
    r"(?:,)? (?:has been|have been|had been|was|is|were) "
    r"(?:identified(?: (?:by \w+ )?as)?|named(?: as)?) (?:[\w’'.-]+ ){0,3}?$"
)


def named_in_role(asked: AskedName, sentence: str) -> Name | None:
    """Return the name that has the asked role in a sentence.

    Args:
        asked: The name that is asked for.
        sentence: The sentence.

    Returns:
        The name with its place in the sentence; None unless exactly one name surely has the role.
    """
    names = find_names(sentence)
    if not _has_words(asked, sentence) or _DOUBTED.search(sentence):
        return None
    find = {
        "agent": _agents,
        "patient": _patients,
        "holder": _holders,
        "speaker": _speakers,
        "place": places_of,
    }[asked.role]
    found = [
        name for name in find(asked, sentence, names) if is_new(name, asked) and len(name.text) > 1
    ]
    if not found or any(not names_match(name.text, found[0].text) for name in found):
        return None
    if any(_is_of_another(asked, found[0], one, names, sentence) for one in asked.names):
        return None
    return max(found, key=lambda name: len(name.text))


def _is_of_another(
    asked: AskedName, found: Name, wanted: str, names: Sequence[Name], sentence: str
) -> bool:
    """Return whether a sentence lacks a name of the question and has another one instead.

    "The mayor of Velsund, Ida Holm, won" says nothing of the mayor of Tarn.
    """
    if any(names_match(name.text, wanted) for name in names):
        return False
    others = [name for name in names if not names_match(name.text, found.text)]
    return any(is_new(name, asked) for name in others)


def _has_words(asked: AskedName, sentence: str) -> bool:
    """Return whether a sentence has what the question says right after its verb."""
    own = {word.stem for word in tokenize(sentence)}
    return asked.object <= own


def _agents(asked: AskedName, sentence: str, names: Sequence[Name]) -> Iterator[Name]:
    for verb in find_verbs(asked, sentence, names):
        subject = subject_of(verb, sentence, names, future=asked.future)
        same = verb.text.lower() == asked.form or verb.text.endswith("ing")
        if subject is not None and same and _stand(asked, sentence[verb.end :], sentence):
            yield subject
        by = _BY.match(sentence, verb.end, verb.end + BY_REACH)
        if by and not UNREAL.search(sentence[: verb.start]):
            agent = object_at(by.end() - 1, sentence, names)
            if agent is not None and _stand(asked, sentence[: verb.start], sentence):
                yield agent


def _stand(asked: AskedName, part: str, sentence: str) -> bool:
    """Return whether what the verb is done to stands in a part of the sentence.

    It may stand elsewhere if the question has only names of the event or place.
    """
    there = {word.stem for word in tokenize(part)}
    if asked.object:
        return bool(asked.object & there)
    named = [name for name in asked.names if _mentions(sentence, name)]
    return not named or any(_mentions(part, name) for name in named)


def _mentions(text: str, name: str) -> bool:
    return any(names_match(name, other.text) for other in find_names(f"of {text}"))


def _patients(asked: AskedName, sentence: str, names: Sequence[Name]) -> Iterator[Name]:
    for verb in find_verbs(asked, sentence, names):
        before, after = sentence[: verb.start], sentence[verb.end :]
        subject = subject_of(verb, sentence, names, future=asked.future, passive=True)
        if subject is not None and (not asked.agent or _is_by(asked.agent, after)):
            yield subject
        if _PASSIVE_BEFORE.search(before) or (UNREAL.search(before) and not asked.future):
            continue
        if asked.agent and not _acted(asked.agent, verb, sentence, names):
            continue
        found = object_at(verb.end, sentence, names)
        if found is not None:
            yield found


def _is_by(agent: str, after: str) -> bool:
    by = _BY.match(after)
    return by is not None and _mentions(after[by.end() : by.end() + BY_REACH], agent)


def _acted(agent: str, verb: Word, sentence: str, names: Sequence[Name]) -> bool:
    subject = subject_of(verb, sentence, names)
    return subject is not None and names_match(subject.text, agent)


def _speakers(asked: AskedName, sentence: str, names: Sequence[Name]) -> Iterator[Name]:
    """Yield who speaks: "Ann Lee said", or "said the mayor, Ann Lee" after the words."""
    for verb in find_verbs(asked, sentence, names):
        subject = subject_of(verb, sentence, names)
        if subject is not None:
            yield subject
        elif re.search(r"[,”\"’] $", sentence[: verb.start]):
            found = object_at(verb.end, sentence, names)
            if found is not None:
                yield found


def _holders(asked: AskedName, sentence: str, names: Sequence[Name]) -> Iterator[Name]:
    """Yield the names that a description stands beside: "Ann Lee, the mayor", "mayor Ann Lee"."""
    described = [
        word for word in tokenize(sentence) if word.stem in asked.object and not word.capital
    ] + [word for word in tokenize(sentence) if word.stem in asked.object and word.capital]
    if not described:
        return
    first, last = min(w.start for w in described), max(w.end for w in described)
    of = _OF_ANOTHER.match(sentence, last)
    if of and not any(one.start == of.end() and not is_new(one, asked) for one in names):
        return
    if of:  # "the mayor of Tarn, Ida Holm"
        last = next(one.end for one in names if one.start == of.end())
    for name in names:
        after, before = sentence[name.end : first], sentence[last : name.start]
        near = sentence[max(0, first - ROLE_REACH) : last + ROLE_REACH]
        if {word.text.lower() for word in tokenize(near)} & _OTHER_OFFICE - {
            w for w in _OTHER_OFFICE if stem(w) in asked.object
        }:
            continue
        if name.end <= first and last - first <= ROLE_REACH:
            is_subject = not NO_SUBJECT.search(without_titles(sentence[: name.start]))
            if is_subject and (_IS.fullmatch(after) or _COMMA_IS.fullmatch(after)):
                yield name
        elif name.start >= last and last - first <= ROLE_REACH:
            joined = JOINED.match(sentence[name.end :])
            beside = before in (" ", ", ") or (
                len(before) < ROLE_REACH and _IDENTIFIED.search(before) is not None
            )
            if beside and not joined and not POSSESSIVE.match(sentence[name.end :]):
                yield name
