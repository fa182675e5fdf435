"""Clauses of a sentence: its verb, and the names that are its subject and its object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.answer.asked_name import AskedName
from rag.nlp.analyzers import IRREGULAR
from rag.nlp.entities import TITLES, Name, names_match
from rag.nlp.tokens import Word, tokenize

APPOSITION = r"(?:,? \d{1,3},|, (?!and |or )[^,;:.!?“”\"()]{2,70},| \([^()]{1,40}\))?"
ADVERB = (
    r"(?: (?:also|then|later|recently|finally|just|now|officially|formally|once|already|narrowly"
    r"|successfully|eventually|famously|himself|herself|personally|first)){0,3}"
)
_ACTIVE = re.compile(rf"{APPOSITION}(?:,? who)?(?: (?:has|have|had))?{ADVERB} $")
_PROGRESSIVE = re.compile(rf"{APPOSITION}(?:,? who)?(?: (?:is|are|was|were)){ADVERB} $")
_COMING = re.compile(
    rf"{APPOSITION}(?:,? who)?"
    rf"(?: (?:will|would|is (?:set|due|expected) to|are (?:set|due) to)){ADVERB} $"
)
_PASSIVE = re.compile(
    rf"{APPOSITION}(?:,? who)?(?: (?:has|have|had))?"
    rf" (?:was|were|is|are|been|became){ADVERB} $"
)
_PASSIVE_COMING = re.compile(
    rf"{APPOSITION}(?:,? who)?(?: (?:will|would) be| is (?:set|due|expected) to be){ADVERB} $"
)
# Words before a name that make it no subject: "the wife of Ann Lee won".
NO_SUBJECT = re.compile(
    r"\b(?:of|in|at|by|to|from|with|against|over|for|on|near|than|like|and|or|not|without|under|vs"
    r"|had|if|whether|unless)"
    r"(?: (?:the|a|an|his|her|their|its))?(?: [a-z][\w’'-]*){0,3} $",
    re.IGNORECASE,
)
JOINED = re.compile(r"(?: \([^()]{1,30}\))?(?: and|,? or|, [A-Z][^,.]{1,40} and) (?:the )?[A-Z]")
_BEFORE_OBJECT = re.compile(r" (?:the |an? |his |her |its |their )?(?P<roles>(?:[\w’'.-]+ ){0,5})$")
_LINKS = frozenset(
    "of in at by to from with against over for on and or but that which who as than into about"
    " after before when while where if not no".split()
)
# What may follow an object: the end of its clause.
_AFTER_OBJECT = re.compile(
    r"$|[,.;:)!?”\"]| \d| (?:in|on|at|for|as|to|with|after|before|over|by|from|during|who|when"
    r"|while|because|following|amid|this|last|early|late|Sunday|Monday|Tuesday|Wednesday|Thursday|Friday"
    r"|Saturday)\b| \("
)
UNREAL = re.compile(
    r"\b(?:not|never|no|to|would|could|may|might|should|will|n[’']t|without|if|whether|plans?"
    r"|tried|hopes?|wants?|failed|refused|denied|nearly|almost)(?: \w+ly)? (?:be |have )?$",
    re.IGNORECASE,
)
POSSESSIVE = re.compile(r"[’']s?\b|[’'](?= )")
# Past forms that don't end in "ed", from the irregular forms whose verb is in the same table.
_NOUNS = frozenset(
    "winner winning death dead deaths dies dying sale sales loss resignation decision signing"
    " signed arrival growth height elected married marriage wedding men women children"
    " people".split()
)
_PAST = frozenset(IRREGULAR) - _NOUNS
_UNCHANGED = frozenset("beat hit put cut hurt set shut cost let read bet quit".split())


def is_new(name: Name, asked: AskedName) -> bool:
    """Return whether a name isn't in the question, and is one: "Reps." is a title.

    Args:
        name: A name of a sentence.
        asked: What is asked for.
    """
    title = name.text.lower().rstrip(".").removesuffix("s") in TITLES
    return not title and not any(names_match(name.text, known) for known in asked.names)


def find_verbs(asked: AskedName, sentence: str, names: Sequence[Name]) -> Iterator[Word]:
    """Yield the words of a sentence that are forms of the question's verb.

    Args:
        asked: What is asked for.
        sentence: The sentence.
        names: The names in it, whose words are no verbs.
    """
    for word in tokenize(sentence):
        inside = any(name.start <= word.start < name.end for name in names)
        if word.stem == asked.verb and not inside and _is_verb(word, asked):
            yield word


def _is_verb(word: Word, asked: AskedName) -> bool:
    """Return whether a word is the question's verb in the same tense, and not its noun.

    "The attack" isn't "attacked", nor is "indictment" "indicted".
    """
    low = word.text.lower()
    if word.capital and word.start:
        return False
    if asked.asks_do:
        return low.endswith(("ed", "ing")) or low in _PAST or low in _UNCHANGED
    passive = low.endswith("ed") or low in _PAST  # "who owns" is answered by "owned by"
    return low == asked.form or low.endswith("ing") or passive


def subject_of(
    verb: Word, sentence: str, names: Sequence[Name], *, future: bool = False, passive: bool = False
) -> Name | None:
    """Return the subject of a verb: the name before it, with nothing but auxiliaries between.

    Args:
        verb: The verb.
        sentence: Its sentence.
        names: The names in it.
        future: Whether "will" and the like may stand between.
        passive: Whether a form of "be" must stand between.
    """
    active = _PROGRESSIVE if verb.text.endswith("ing") else _ACTIVE
    patterns = [_PASSIVE] if passive else [active]
    if future:
        patterns.append(_PASSIVE_COMING if passive else _COMING)
    for name in reversed([name for name in names if name.end <= verb.start]):
        gap = sentence[name.end : verb.start]
        if any(pattern.fullmatch(gap) for pattern in patterns):
            before = sentence[: name.start]
            # an apposition may end in a name, which isn't the subject: "Ann Lee, mayor of Tarn,"
            return None if NO_SUBJECT.search(without_titles(before)) else name
    return None


def without_titles(text: str) -> str:
    """Return a text without the titles that end it: "Oregon Gov. ".

    Args:
        text: The words before a name.
    """
    words = text.split(" ")
    while len(words) > 1 and words[-2].lower().rstrip(".") in TITLES:
        del words[-2]
    return " ".join(words)


def object_at(at: int, sentence: str, names: Sequence[Name]) -> Name | None:
    """Return the name that follows a place in a sentence as an object, after titles at most.

    Args:
        at: The position, such as a verb's end.
        sentence: The sentence.
        names: The names in it.
    """
    for name in names:
        if name.start < at:
            continue
        gap = _BEFORE_OBJECT.fullmatch(sentence[at : name.start])
        after = sentence[name.end :]
        if (
            gap is None
            or {word.lower() for word in gap["roles"].split()} & _LINKS
            or JOINED.match(after)
            or not _AFTER_OBJECT.match(after)
        ):
            return None
        return name
    return None
