"""What in a sentence says otherwise than a claim: a negation, an opposite, a figure, a name."""

from __future__ import annotations

import re

from rag.answer.premise_roles import offices, places, same_place
from rag.nlp.entities import find_names, is_country, names_match, normalize_name
from rag.nlp.numbers import find_numbers, number_supported
from rag.nlp.tokens import STOP_WORDS, content_words, stem, stem_words, tokenize
from rag.verify.fact_checks import NEGATIONS

# Words of which one denies the other, in the forms in which news has them.
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
# Acts for which news has several verbs; by stem.
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
MOST_ACTS = 3  # plain words of a claim among which its verb is
REACH = 5  # words after "not" that it may deny
REACH_OF_NO = 2  # and after "no", "neither": "no vote was held" is not about the hall
_LIGHT = frozenset("want wanted wish plan planned intend agree agreed able manage try".split())
_NO = frozenset("no none neither nor without".split())
_INTENDED = re.compile(r"\b(?:was|were|is|are) to (?!blame)\w+", re.IGNORECASE)
_DATELINE = re.compile(r"^[A-Z]{3,}+[^–—]{0,60}? [-–—] ")
_DECLINED = re.compile(r"\b(?:refused?|failed?|declined?) to (?=\w)", re.IGNORECASE)


def shared_words(wanted: frozenset[str], claim: str, text: str) -> float:
    """Return which share of `wanted`, stems of `claim`, `text` has, or its names stand for."""
    there = set(stem_words(text))
    called = [n.text for n in find_names(text)]
    for name in find_names("of " + claim):
        if any(names_match(name.text, other) for other in called):
            there |= stem_words(name.text)
    return len(wanted & there) / max(1, len(wanted))


def acts(claim: str) -> frozenset[str]:
    """Return the stems that stand for what is done in `claim`: its first plain words, its places.

    Who does it is mostly a name; a negation of anything else says nothing of the claim.
    """
    named = [(n.start, n.end) for n in find_names("of " + claim)]
    plain = [w for w in content_words("of " + claim) if not any(a <= w.start < b for a, b in named)]
    places = {w for w in stem_words(claim) if normalize_name(w) != w}
    return frozenset(w.stem for w in plain[:MOST_ACTS]) | places


def denies(wanted: frozenset[str], text: str) -> bool:
    """Whether a negation in `text` stands shortly before one of the wanted words, or its like.

    What stands between may only be adverbs and the empty words: "did not repeat the catch" does
    not deny the catch.
    """
    listed = tokenize(text)
    acted = {other for word in wanted for other in _alike(word)}
    for i, word in enumerate(listed):
        low = word.text.lower().replace("’", "'")
        if low in NEGATIONS:
            reach = REACH_OF_NO if low in _NO else REACH
            after = [w for w in listed[i + 1 : i + 1 + reach] if w.text.lower() not in STOP_WORDS]
            after = [w for w in after if w.text.lower() not in _LIGHT]
            denied = next((w for w in after if w.text[-2:] != "ly" or w.stem in acted), None)
            if denied is not None and _alike(denied.stem) & acted:
                return True
    return False


def share_of_words(wanted: frozenset[str], text: str) -> int:
    """Return how many of the wanted words `text` has, or words alike, or what they stand for."""
    there = {
        other
        for word in tokenize(text)
        for other in _alike(word.stem) | {normalize_name(word.text)}
    }
    return sum(bool(_alike(word) & there) for word in wanted)


def _alike(word: str) -> frozenset[str]:
    return _SAME_ACT.get(word, frozenset((word,))) | {normalize_name(word)}


def is_negative(claim: str) -> bool:
    """Whether `claim` says itself that something is not so."""
    return any(w.text.lower().replace("’", "'") in NEGATIONS for w in tokenize(claim))


def without_refusal_verb(claim: str) -> str:
    """Return what "refused to ratify" denies: the claim with the refusal taken out; else ""."""
    return _DECLINED.sub("", claim) if _DECLINED.search(claim) else ""


def has_antonym(claim: str, wanted: frozenset[str], text: str, around: str = "") -> bool:
    """Whether `text` has the opposite of a word of `claim`, and most of the rest of it.

    The rest may stand in `around` it, in its headline.  Where the claim has a negation, only
    what that word itself denies is its opposite: "denied" and "confirms".
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


MOST_OF_IT = 0.6  # share of the rest of a claim that a sentence has which says the opposite
SOME_OF_IT = 0.33  # of its own, the rest of the share being in its headline


def has_other_number(claim: str, text: str) -> str:
    """Return the figure that `text` gives for the noun for which `claim` has another."""
    for figure in find_numbers(claim):
        if _ORDINAL.search(figure.text):
            continue  # "the second round" counts nothing
        nouns = {w.stem for w in content_words(claim[figure.end : figure.end + 40])[:2]}
        for other in find_numbers(text):
            after = {w.stem for w in content_words(text[other.end : other.end + 40])[:2]}
            alike = nouns & after or (figure.unit and figure.unit == other.unit)
            if alike and other.value != figure.value and not _ORDINAL.search(other.text):
                return text[other.start : other.end]
    return ""


def has_numbers(claim: str, text: str) -> bool:
    """Whether every figure of `claim` is in `text`."""
    shown = find_numbers(text)
    return all(number_supported(figure, shown) for figure in find_numbers(claim))


def has_name(text: str, name: str) -> bool:
    """Whether `text` speaks of `name`, or of what it stands for."""
    there = {word.stem for word in tokenize(text)}
    return any(names_match(n.text, name) for n in find_names(text)) or bool(
        stem_words(name) & there
    )


def has_other_name(claim: str, name: str, text: str, *, is_place: bool = False) -> str:
    """Return the name in `text` of the same sort as `name`, a country, a place or neither, not in
    `claim`; "others" where only a word that opens the sentence may be one.
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


def without_names(claim: str, texts: str) -> str:
    """Return the name, or the office, in `claim` that stands nowhere in `texts`; else nothing."""
    there = {w.stem for w in tokenize(texts)}
    keys = {normalize_name(n.text) for n in find_names(texts)}
    for name in [*(n.text for n in find_names("of " + claim)), *offices(claim)]:
        if normalize_name(name) not in keys and not all(
            stem(part) in there for part in name.split()
        ):
            return name
    return ""
