"""Contradictions between a claim and a sentence: negations, antonyms, other numbers or names."""

from __future__ import annotations

import re

from rag.answer.premise_roles import places, same_place
from rag.nlp.analyzers import stem
from rag.nlp.entities import find_names, is_country, names_match, normalize_name
from rag.nlp.numbers import find_numbers, is_number_supported
from rag.nlp.tokens import STOP_WORDS, content_words, stem_words, tokenize
from rag.verify.fact_checks import NEGATIONS

# Pairs of antonyms, in the inflections that news uses.
OPPOSITES = tuple(
    tuple(frozenset(side.split()) for side in pair.split(" / "))
    for pair in (
        "win won wins winning winner victory champions"
        " / lose lost loses losing defeat defeated beaten",
        "approve approved approves ratify ratified accept accepted pass passed"
        " / reject rejected rejects refuse refused block blocked",
        "confirm confirmed confirms admit admitted / deny denied denies",
        "support supported supports back backed favour favor"
        " / oppose opposed opposes object objected against",
        "valid / invalid void",
        "rise rose risen increase increased grew climbed"
        " / fall fell fallen decrease decreased dropped",
        "stay stayed stays remain remained / leave left leaves resign resigned quit",
        "open opened opens / close closed closes shut",
        "begin began start started / end ended stop stopped",
        "allow allowed permit permitted / ban banned forbid forbade forbidden prohibited",
        "survive survived / die died killed",
        "catch caught / diverted missed",
        "arrive arrived / depart departed",
        "free freed released / arrested jailed detained",
    )
)
# Synonyms of actions, by stem.
_SAME_ACT = {
    stem(word): frozenset(stem(other) for other in act.split())
    for act in ("send supply provide deliver ship", "sign conclude", "announce unveil declare",
                "sack dismiss fire", "buy acquire purchase", "kill murder", "arrest detain")
    for word in act.split()
}  # fmt: skip
_ORDINAL = re.compile(
    r"(?:\d(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)$",
    re.IGNORECASE,
)
MOST_ACTS = 3  # first plain words of a claim, one of which is its verb
REACH = 5  # words after "not" that it may negate
REACH_OF_NO = 2  # words after "no" or "neither" that it may negate
_LIGHT = frozenset("want wanted wish plan planned intend agree agreed able manage try".split())
_NO = frozenset("no none neither nor without".split())
_INTENDED = re.compile(r"\b(?:was|were|is|are) to (?!blame)\w+", re.IGNORECASE)
_DATELINE = re.compile(r"^[A-Z]{3,}+[^–—]{0,60}? [-–—] ")
_DECLINED = re.compile(r"\b(?:refused?|failed?|declined?) to (?=\w)", re.IGNORECASE)


def shared_words(wanted: frozenset[str], claim: str, text: str) -> float:
    """Return the share of a claim's words that a text has, counting other names of the same thing.

    Args:
        wanted: Stems of the claim.
        claim: The claim.
        text: The text to compare.
    """
    there = set(stem_words(text))
    called = [n.text for n in find_names(text)]
    for name in find_names("of " + claim):
        if any(names_match(name.text, other) for other in called):
            there |= stem_words(name.text)
    return len(wanted & there) / max(1, len(wanted))


def action_stems(claim: str) -> frozenset[str]:
    """Return the stems that represent a claim's action: its first plain words and its places.

    A negation of any other word doesn't contradict the claim.
    """
    named = [(n.start, n.end) for n in find_names("of " + claim)]
    plain = [w for w in content_words("of " + claim) if not any(a <= w.start < b for a, b in named)]
    places = {w for w in stem_words(claim) if normalize_name(w) != w}
    return frozenset(w.stem for w in plain[:MOST_ACTS]) | places


def denies(wanted: frozenset[str], text: str) -> bool:
    """Return whether a text negates one of the given words or a synonym.

    Only adverbs and function words may stand between the negation and the word: "did not repeat the
    catch" doesn't deny the catch.

    Args:
        wanted: Stems of the claim's action.
        text: The sentence that may deny it.
    """
    listed = tokenize(text)
    acted = {other for word in wanted for other in _synonyms_of(word)}
    for i, word in enumerate(listed):
        low = word.text.lower().replace("’", "'")
        if low in NEGATIONS:
            reach = REACH_OF_NO if low in _NO else REACH
            after = [w for w in listed[i + 1 : i + 1 + reach] if w.text.lower() not in STOP_WORDS]
            after = [w for w in after if w.text.lower() not in _LIGHT]
            denied = next((w for w in after if w.text[-2:] != "ly" or w.stem in acted), None)
            if denied is not None and _synonyms_of(denied.stem) & acted:
                return True
    return False


def share_of_words(wanted: frozenset[str], text: str) -> int:
    """Return how many of the given words a text has, counting synonyms and other names."""
    there = {
        other
        for word in tokenize(text)
        for other in _synonyms_of(word.stem) | {normalize_name(word.text)}
    }
    return sum(bool(_synonyms_of(word) & there) for word in wanted)


def _synonyms_of(word: str) -> frozenset[str]:
    return _SAME_ACT.get(word, frozenset((word,))) | {normalize_name(word)}


def is_negative(claim: str) -> bool:
    """Return whether a claim contains a negation itself."""
    return any(w.text.lower().replace("’", "'") in NEGATIONS for w in tokenize(claim))


def without_refusal_verb(claim: str) -> str:
    """Return the claim that "refused to ratify" denies, "ratify"; "" if it has no such verb."""
    return _DECLINED.sub("", claim) if _DECLINED.search(claim) else ""


def has_antonym(claim: str, wanted: frozenset[str], text: str, around: str = "") -> bool:
    """Return whether a text has an antonym of a claim's word and most of its other words.

    If the claim has a negation, only an antonym of the negative word itself counts: "denied" and
    "confirms".

    Args:
        claim: The claim.
        wanted: Its stems.
        text: The sentence to compare.
        around: The sentence with its headline, which may contain the other words.
    """
    said = {word.text.lower() for word in tokenize(claim)}
    there = {word.text.lower() for word in tokenize(text)}
    for pair in OPPOSITES:
        for own, other in (pair, pair[::-1]):
            if said & own and not said & other and there & other and not there & own:
                if (said - own) & NEGATIONS or _INTENDED.search(text):
                    continue
                rest = wanted - frozenset(stem(word) for word in said & own)
                enough = shared_words(rest, claim, text) >= (SOME_OF_IT if around else MOST_OF_IT)
                return enough and shared_words(rest, claim, around or text) >= MOST_OF_IT
    return False


MOST_OF_IT = 0.6  # share of a claim's other words that a contradicting sentence must have
SOME_OF_IT = 0.33  # share that the sentence must have without its headline


def find_other_number(claim: str, text: str) -> str:
    """Return another figure that a text gives for a noun that the claim counts; "" if none."""
    for figure in find_numbers(claim):
        if _ORDINAL.search(figure.text):
            continue  # "second" in "the second round" counts nothing
        nouns = {w.stem for w in content_words(claim[figure.end : figure.end + 40])[:2]}
        for other in find_numbers(text):
            after = {w.stem for w in content_words(text[other.end : other.end + 40])[:2]}
            alike = nouns & after or (figure.unit and figure.unit == other.unit)
            if alike and other.value != figure.value and not _ORDINAL.search(other.text):
                return text[other.start : other.end]
    return ""


def has_numbers(claim: str, text: str) -> bool:
    """Return whether a text contains every figure of a claim."""
    shown = find_numbers(text)
    return all(is_number_supported(figure, shown) for figure in find_numbers(claim))


def has_name(text: str, name: str) -> bool:
    """Return whether a text mentions a name or another name for the same thing."""
    there = {word.stem for word in tokenize(text)}
    return any(names_match(n.text, name) for n in find_names(text)) or bool(
        stem_words(name) & there
    )


def find_other_name(claim: str, name: str, text: str, *, is_place: bool = False) -> str:
    """Return a name in a text that could replace a claim's name.

    Args:
        claim: The claim.
        name: A name in the claim.
        text: The sentence to compare.
        is_place: Whether the name says where something happens.

    Returns:
        A name of the same kind that the claim doesn't have; "others" if the only one opens the
        sentence and may be a common word; else "".
    """
    known = [n.text for n in find_names("of " + claim)]
    if is_place:
        new = (p.text for p in places(text) if not any(same_place(p.text, each) for each in known))
        return next(new, "")
    told = _DATELINE.sub("", text)
    where = {place.start for place in places(told)}
    found = ""
    for other in find_names(told):
        alike = is_country(other.text) == is_country(name) and not other.text.isupper()
        placed = other.start in where and not is_country(other.text)
        if alike and not placed and not any(names_match(other.text, each) for each in known):
            if other.start or " " in other.text or is_country(other.text):
                return other.text
            found = "others"
    return found
