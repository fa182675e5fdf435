"""What in a sentence says otherwise than a claim: a negation, an opposite, a figure, a name."""

from __future__ import annotations

import re

from rag.checks.fidelity import NEGATIONS
from rag.text.figures import borne_out, figures
from rag.text.names import is_country, key, names, same
from rag.text.words import EMPTY, content, stem, stems, words

# Words of which one denies the other, in the forms in which news has them.
OPPOSITES = tuple(
    tuple(frozenset(side.split()) for side in pair.split(" / "))
    for pair in (
        "win won wins winning winner champions / lose lost loses losing defeat defeated beaten",
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
_ORDINAL = re.compile(
    r"(?:\d(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)$",
    re.IGNORECASE,
)
MOST_ACTS = 3  # plain words of a claim among which its verb is
REACH = 5  # words after "not" that it may deny
REACH_OF_NO = 2  # and after "no", "neither": "no vote was held" is not about the hall
_NO = frozenset("no none neither nor without".split())
_DECLINED = re.compile(r"\b(?:refused?|failed?|declined?) to (?=\w)", re.IGNORECASE)


def shared(wanted: frozenset[str], claim: str, text: str) -> float:
    """Return which share of `wanted`, stems of `claim`, `text` has, or its names stand for."""
    there = set(stems(text))
    called = [n.text for n in names(text)]
    for name in names("of " + claim):
        if any(same(name.text, other) for other in called):
            there |= stems(name.text)
    return len(wanted & there) / max(1, len(wanted))


def acts(claim: str) -> frozenset[str]:
    """Return the stems that stand for what is done in `claim`: its first plain words, its places.

    Who does it is mostly a name; a negation of anything else says nothing of the claim.
    """
    named = [(n.start, n.end) for n in names("of " + claim)]
    plain = [w for w in content("of " + claim) if not any(a <= w.start < b for a, b in named)]
    places = {w for w in stems(claim) if key(w) != w}
    return frozenset(w.stem for w in plain[:MOST_ACTS]) | places


def denies(wanted: frozenset[str], text: str) -> bool:
    """Whether a negation in `text` stands shortly before one of the wanted words."""
    listed = words(text)
    places = {key(word) for word in wanted if key(word) != word}  # Kyiv, where it says Ukraine
    for i, word in enumerate(listed):
        low = word.text.lower().replace("’", "'")
        if low in NEGATIONS:
            reach = REACH_OF_NO if low in _NO else REACH
            after = [w for w in listed[i + 1 : i + 1 + reach] if w.text.lower() not in EMPTY]
            if any(w.stem in wanted or key(w.text) in places for w in after):
                return True
    return False


def is_negative(claim: str) -> bool:
    """Whether `claim` says itself that something is not so."""
    return any(w.text.lower().replace("’", "'") in NEGATIONS for w in words(claim))


def undeclined(claim: str) -> str:
    """Return what "refused to ratify" denies: the claim with the refusal taken out; else ""."""
    return _DECLINED.sub("", claim) if _DECLINED.search(claim) else ""


def opposite(claim: str, wanted: frozenset[str], text: str) -> bool:
    """Whether `text` has the opposite of a word of `claim`, and most of the rest of it."""
    said = {word.text.lower() for word in words(claim)}
    there = {word.text.lower() for word in words(text)}
    for pair in OPPOSITES:
        for own, other in (pair, pair[::-1]):
            if said & own and not said & other and there & other and not there & own:
                rest = wanted - frozenset(stem(word) for word in said & own)
                return shared(rest, claim, text) >= MOST_OF_IT
    return False


MOST_OF_IT = 0.6  # share of the rest of a claim that a sentence has which says the opposite


def other_figure(claim: str, text: str) -> str:
    """Return the figure that `text` gives for the noun for which `claim` has another."""
    for figure in figures(claim):
        if _ORDINAL.search(figure.text):
            continue  # "the second round" counts nothing
        nouns = {w.stem for w in content(claim[figure.end : figure.end + 40])[:2]}
        for other in figures(text):
            after = {w.stem for w in content(text[other.end : other.end + 40])[:2]}
            alike = nouns & after or (figure.unit and figure.unit == other.unit)
            if alike and other.value != figure.value and not _ORDINAL.search(other.text):
                return text[other.start : other.end]
    return ""


def has_figures(claim: str, text: str) -> bool:
    """Whether every figure of `claim` is in `text`."""
    shown = figures(text)
    return all(borne_out(figure, shown) for figure in figures(claim))


def has_name(text: str, name: str) -> bool:
    """Whether `text` speaks of `name`, or of what it stands for."""
    there = {word.stem for word in words(text)}
    return any(same(n.text, name) for n in names(text)) or bool(stems(name) & there)


def another(claim: str, name: str, text: str) -> str:
    """Return the name in `text` of the same sort as `name`, a country or none, not in `claim`."""
    known = [n.text for n in names("of " + claim)]
    for other in names(text):
        alike = is_country(other.text) == is_country(name) and not other.text.isupper()
        if alike and not any(same(other.text, each) for each in known):
            return other.text
    return ""
