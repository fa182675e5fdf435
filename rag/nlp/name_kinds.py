"""The kind of a name: what word lists, its own words and the words beside it say."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from rag.nlp.name_lists import (
    ALIASES,
    COUNTRIES,
    GIVEN_NAMES,
    PLACES,
    STATE_ABBREVIATIONS,
    STATES,
)
from rag.nlp.name_spans import Piece, fold, is_common
from rag.nlp.organisation_lists import (
    ADJECTIVES,
    AGENCIES,
    EVENT_WORDS,
    KNOWN_ORGANISATIONS,
    LOOSE_TEAMS,
    NEWSPAPER_WORDS,
    NO_NAMES,
    ORGANISATION_NEXT,
    ORGANISATION_WORDS,
    PERSON_BEFORE,
    PLACE_BEFORE,
    PLACE_NEXT,
    PLACE_OPENERS,
    PLACE_WORDS,
    SAYS,
    TEAMS,
    TITLE_WORDS,
    WIDE,
)

Kind = Literal["person", "place", "organisation"]

CERTAIN = 5.0  # weight of what a word list or a title says of a name
CONTEXT = 4.5  # the most that the words beside a name's mentions weigh together
ENOUGH = 2.0  # weight from which a kind is believed
MARGIN = 1.0  # by so much the best kind must lead
_ACRONYMS = frozenset("ice ira hud mit epa psg".split())  # "Ice" isn’t one of them
_GENERIC = frozenset("city town state county village public main district county".split())
_NO_NAMES = frozenset(("white house correspondents", "u.s district", "state of the union"))
SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv"))
# Words that end names of people as well as of places and organisations: "Emma Stone".
_SURNAMES = frozenset(
    """press law church court bell post bank banks power day house school booth field forest hill
    hills woods lake rock park parks brooks rivers glen dale shore point bridge spring springs wood
    temple market baker marsh street streets lane beach ford banks cove west hall castle tower
    towers rhodes ridge range canal pond store stores bar singer love crew kitchen group fisher
    grove chapel mount heights port sea lakes falls cliffs strong guard power house union parish
    fleet front studio force ball battle bond city marine marines village valley club""".split()
)
_NOT_SURNAMES = frozenset("city club village valley school court group union market street".split())
_PLACES_OF = frozenset("gulf strait straits bay lake isle isles port city town".split())
_SAINTS = frozenset("san santa los las st".split())
_STATION = re.compile(r"[KW][A-Z]{2,3}-(?:TV|FM|AM|DT)")  # call signs of broadcasters
_PERSON_AFTER = re.compile(
    r",? \(?(?:\d{1,2}(?=[,)]|-year)|who\b|whose\b|the \w+(?:'s)? (?:son|wife))"
)
# unions of long lists, made once
_HEADS = ORGANISATION_WORDS | PLACE_WORDS | EVENT_WORDS | TITLE_WORDS
_KNOWN = ADJECTIVES | PLACES | KNOWN_ORGANISATIONS
_GIVEN_OR_TEAMS = GIVEN_NAMES | TEAMS
_NEXT = re.compile(r"(?:[’']s?)?,? ([A-Za-z’'-]+)")
_BEFORE = re.compile(r"(?<![A-Za-z’'-])([A-Za-z’'-]{1,24}+),? [“\"(]?$")
_SPOKEN = re.compile(r"[”\"’,] (?:said|says|added|adds) $")


@dataclass(slots=True)
class Candidate:
    """All pieces with the same words, and the weight of each kind."""

    text: str
    words: tuple[str, ...]
    pieces: list[Piece] = field(default_factory=list)
    weights: dict[Kind, float] = field(default_factory=lambda: defaultdict(float))

    def kind(self) -> Kind | None:
        """Return the kind that has enough weight and leads; None if it is unclear."""
        ranked = sorted(self.weights.items(), key=lambda pair: -pair[1])
        if not ranked or ranked[0][1] < ENOUGH:
            return None
        if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < MARGIN:
            return None
        return ranked[0][0]


def is_no_name(piece: Piece) -> bool:
    """Return whether a candidate is certainly no name: a day, an event, "City Hall", "Behind"."""
    words = piece.words
    if len(words) == 1:
        word = words[0]
        if piece.text.istitle() and word in _ACRONYMS:
            return True
        if piece.key in PLACES or piece.key in KNOWN_ORGANISATIONS or piece.key in ALIASES:
            return False
        return (
            word in NO_NAMES
            or word in ADJECTIVES
            or len(word) < 2
            or word[0].isdigit()
            or (is_common(word) and word not in _GIVEN_OR_TEAMS and not _may_be_surname(piece))
        )
    if (words[-1] in EVENT_WORDS and words[0] not in GIVEN_NAMES) or words[0] in ("war", "world"):
        return piece.key not in KNOWN_ORGANISATIONS and words[-1] not in ORGANISATION_WORDS
    if piece.key in PLACES or piece.key in KNOWN_ORGANISATIONS or piece.key in ALIASES:
        return False
    if piece.key in _NO_NAMES or re.match(r"world war|grand slam|super bowl|world cup", piece.key):
        return True
    if all(word in NO_NAMES or word in ADJECTIVES for word in words):
        return True
    if len(words) == 2 and all(is_common(word) and word not in GIVEN_NAMES for word in words):
        return words[1] in ORGANISATION_WORDS or words[1] in PLACE_WORDS  # "City Hall"
    if len(words) == 2 and words[0] in _GENERIC:
        return words[1] in ORGANISATION_WORDS or words[1] in PLACE_WORDS
    return piece.text.isupper() and len(piece.text) > 12


def _may_be_surname(piece: Piece) -> bool:
    word = piece.words[0]
    return piece.titled and (word in _SURNAMES or word not in _HEADS)


def weigh(one: Candidate, text: str) -> None:
    """Add up what the word lists and the words beside each mention say."""
    _weigh_words(one)
    own, one.weights = one.weights, defaultdict(float)
    for piece in one.pieces[:20]:
        _weigh_context(one, piece, text)
    for kind, weight in one.weights.items():  # "U.S. officials" is a place however often it is said
        own[kind] += min(weight, CONTEXT)
    one.weights = own


def _weigh_words(one: Candidate) -> None:
    key, words, weights = fold(one.text), one.words, one.weights
    first = words[0]
    alias = ALIASES.get(key, "").lower()
    if key in KNOWN_ORGANISATIONS or alias in KNOWN_ORGANISATIONS:
        weights["organisation"] += CERTAIN + 1
    if key in PLACES or alias in PLACES:
        weights["place"] += CERTAIN + 1 if key not in KNOWN_ORGANISATIONS else 0
    if key == "white house":
        weights["organisation"] += CERTAIN
    if len(words) == 1:
        _weigh_single(one)
        return
    given = first in GIVEN_NAMES or (len(first) == 1 and first.isalpha())
    if not _weigh_last_word(one, given=given):
        _weigh_first_word(one, given=given)


def _weigh_last_word(one: Candidate, *, given: bool) -> bool:
    """Weigh what the last word of a longer name tells: "Inc.", "River"; return True if it does."""
    words, weights = one.words, one.weights
    first, last = words[0], words[-1]
    if last.rpartition("-")[2] in ORGANISATION_WORDS:  # "Star-Tribune"
        last = last.rpartition("-")[2]
    if last in SUFFIXES:
        weights["person"] += CERTAIN
    elif last in NEWSPAPER_WORDS and " ".join(words[:-1]) in PLACES:
        weights["organisation"] += CERTAIN - 1
    elif (last in TEAMS or " ".join(words[-2:]) in TEAMS) and not (given and first not in PLACES):
        weights["organisation"] += CERTAIN
    elif last == "state" and fold(one.text) != "new york state":  # a university: "Ohio State"
        weights["organisation"] += CERTAIN - 1
    elif not given and any(word in ("of", "for", "and", "&") for word in words):
        weights["place" if first in _PLACES_OF else "organisation"] += CERTAIN - 1
    elif last not in ORGANISATION_WORDS and last not in PLACE_WORDS:
        return False
    elif given and len(words) == 2 and last in _SURNAMES and last not in _NOT_SURNAMES:
        weights["person"] += CERTAIN - 2
    else:
        weights["organisation" if last in ORGANISATION_WORDS else "place"] += CERTAIN - 1
    return True


def _weigh_first_word(one: Candidate, *, given: bool) -> None:
    words, weights = one.words, one.weights
    first, last = words[0], words[-1]
    if first in PLACE_OPENERS or (first in _SAINTS and len(words) < 4):
        weights["place"] += 3
    elif given and len(words) <= 4:
        odd = is_common(last) and last not in GIVEN_NAMES and last not in _SURNAMES
        weights["person"] += 1.5 if odd else CERTAIN - 1
    elif first in PLACES and first not in GIVEN_NAMES:
        weights["organisation"] += 0.5
    elif first not in WIDE and len(words) <= 3 and not any(map(_is_word, words)):
        # two or three words that English does not have: most often a person's foreign name
        capitals = any(len(word) < 5 and word.isupper() for word in one.text.split())
        weights["person"] += 1.5 if capitals or one.text.isupper() or "." in one.text else 2.2


def _is_word(word: str) -> bool:
    return is_common(word) or word in _KNOWN or word[0].isdigit()


def _weigh_single(one: Candidate) -> None:
    word, weights = one.words[0], one.weights
    key = fold(one.text)
    if word in TEAMS and key not in PLACES:
        weights["organisation"] += 1.0 if word in LOOSE_TEAMS else CERTAIN
    elif word in GIVEN_NAMES and key not in PLACES:
        weights["person"] += 1.8
    elif word in STATE_ABBREVIATIONS and one.text.endswith("."):
        weights["place"] += CERTAIN
    elif _STATION.fullmatch(one.text):
        weights["organisation"] += CERTAIN
    elif one.text.isupper() and 2 < len(one.text) <= 5:
        weights["organisation"] += 0.8
    if re.search(r"(?:ville|burg|burgh|shire|grad|stan|borough)$", word) and len(word) > 7:
        weights["place"] += 2


def _weigh_context(one: Candidate, piece: Piece, text: str) -> None:
    after, before = text[piece.end : piece.end + 40], text[max(0, piece.start - 30) : piece.start]
    if piece.titled:
        one.weights["person"] += 4 if len(one.words) < 4 else 2
    if _PERSON_AFTER.match(after):
        one.weights["person"] += 2
    if _is_town(piece, text):
        one.weights["place"] += 3
    if (
        len(one.words) > 1
        and after[:1] == "/"
        and fold(after[1:].split("/")[0].split(" ")[0]) in AGENCIES
    ):
        one.weights["person"] += 2  # a credit: "Ann Lee/Reuters"
    owned = after[:2] in ("’s", "'s")
    _weigh_after(one, after, owned=owned)
    if _SPOKEN.search(before):
        one.weights["person"] += 2
    else:
        _weigh_before(one, piece, before, owned=owned)


def _weigh_after(one: Candidate, text: str, *, owned: bool) -> None:
    found = _NEXT.match(text)
    word = found[1].lower() if found else ""
    short = len(one.words) == 1
    if word in SAYS and not owned:
        one.weights["person"] += 1.5 if short else 1.0
        if one.text.isupper() and short:
            one.weights["organisation"] += 1.5
    elif text.startswith(","):
        return
    elif word in ORGANISATION_NEXT:
        one.weights["organisation"] += 0.7
    elif word in PLACE_NEXT:
        one.weights["place"] += 0.7


def _weigh_before(one: Candidate, piece: Piece, text: str, *, owned: bool) -> None:
    found = _BEFORE.search(text)
    word = found[1].lower() if found else ""
    weights, short = one.weights, len(one.words) == 1
    if word in PLACE_BEFORE and not piece.heading:
        weights["place"] += 1.2 if word in ("in", "near", "outside", "downtown") else 0.3
    elif word in PERSON_BEFORE and not owned:
        weights["person"] += 0.8
    elif word == "the" and short:
        weights["person"] -= 1
        weights["organisation"] += 0.8 if one.text.isupper() or one.words[0] in TEAMS else 0.2
    elif word == "by" and short:
        weights["organisation"] += 0.3


_TOWN = re.compile(r", ([A-Z][\w.]{1,20}(?: [A-Z][a-z]{2,10})?)")


def _is_town(piece: Piece, text: str) -> bool:
    """Return whether a place follows that names are placed in: "Irvine, Calif."."""
    match = _TOWN.match(text, piece.end)
    if not match:
        return False
    names = (fold(match[1]), fold(match[1].split(" ")[0]))
    return any(n in COUNTRIES or n in STATES or n in STATE_ABBREVIATIONS for n in names)
