"""Names of people, places and organisations in an article, each with its kind.

Rules over capital letters, word lists and the words beside a name; a name whose kind stays unclear
is left out. Figures: docs/benchmarks.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.nlp.name_kinds import CERTAIN, ENOUGH, SUFFIXES, Candidate, Kind, is_no_name, weigh
from rag.nlp.name_lists import ALIASES, COUNTRIES, GIVEN_NAMES, PLACES, STATES
from rag.nlp.name_spans import find_pieces, fold, is_common
from rag.nlp.organisation_lists import KNOWN_ORGANISATIONS, TEAMS
from rag.schema import Span

KINDS: tuple[Kind, ...] = ("person", "place", "organisation")
LONGEST_NAME = 70  # characters
MOST_NAMES = 2_000  # different names in one article; a list of 10,000 people would be slow

_OF_THE_STATES = re.compile(r"^U\.?S\.? (?=[A-Z][\w&]+ \w)")  # "U.S. Department of Labor"
_ACRONYM = re.compile(r" \(([A-Z][A-Z&-]{1,6})\)")


@dataclass(frozen=True, slots=True)
class TypedName:
    """A name in a text.

    Attributes:
        kind: "person", "place" or "organisation".
        name: Its fullest form in the text: "Yoon Suk Yeol", where the text also says "Mr Yoon".
        mentions: Where it stands in the text, in any of its forms, in order.
    """

    kind: Kind
    name: str
    mentions: tuple[Span, ...]


def find_typed_names(text: str) -> list[TypedName]:
    """Return the names of people, places and organisations in a text, in order of appearance.

    Args:
        text: An article's text.

    Returns:
        One value for each person, place or organisation; its forms are merged.
    """
    candidates: dict[str, Candidate] = {}
    for piece in find_pieces(text):
        if len(piece.text) > LONGEST_NAME or is_no_name(piece):
            continue
        if piece.key in candidates or len(candidates) < MOST_NAMES:
            one = candidates.setdefault(piece.key, Candidate(piece.text, piece.words))
            one.pieces.append(piece)
    for one in candidates.values():
        weigh(one, text)
    return _merge(candidates, _define_acronyms(candidates, text))


def _define_acronyms(candidates: dict[str, Candidate], text: str) -> dict[str, str]:
    """Return the keys of the names that acronyms stand behind: "Full Name (FN)".

    Each gives the acronym its kind.
    """
    defined: dict[str, str] = {}
    for one in list(candidates.values()):
        if len(one.words) < 2:
            continue
        for piece in one.pieces:
            match = _ACRONYM.match(text, piece.end)
            short = candidates.get(match[1].lower()) if match else None
            if match and short and one.text[0] == match[1][0]:
                kind = one.kind() or "organisation"
                one.weights[kind] += 3
                short.weights[kind] += CERTAIN
                defined[match[1].lower()] = fold(one.text)
    return defined


def _merge(candidates: dict[str, Candidate], defined: dict[str, str]) -> list[TypedName]:
    """Return the names, short forms merged into the full name that they stand for."""
    full = {key: kind for key, one in candidates.items() if (kind := one.kind())}
    into = {short: key for short, key in defined.items() if len(key) > len(short)}
    by_word: dict[str, list[tuple[str, Candidate]]] = {}
    for key, one in candidates.items():
        if key in full and len(one.words) > 1:
            for word in set(one.words):
                by_word.setdefault(word, []).append((key, one))
    for key, one in candidates.items():
        longer = [
            pair for pair in by_word.get(one.words[0], ()) if len(pair[1].words) > len(one.words)
        ]
        target = _full_name(one, longer, candidates, full) if longer else None
        if target is not None and key not in into:
            into[key] = target
    groups: dict[tuple[Kind, str], list[Candidate]] = {}
    for key, one in candidates.items():
        target = key
        while target in into:
            target = into[target]
        if target in full:
            usual = ALIASES.get(target, "") or _usual(full[target], candidates[target])
            groups.setdefault((full[target], usual), []).append(one)
    names = [
        TypedName(kind, name, _mentions(members))
        for (kind, name), members in groups.items()
        if kind != "person" or _is_supported(name, members)
    ]
    return sorted(names, key=lambda name: name.mentions[0].start)


def _mentions(members: Sequence[Candidate]) -> tuple[Span, ...]:
    spans = (Span(piece.start, piece.end) for one in members for piece in one.pieces)
    return tuple(sorted(spans, key=lambda span: span.start))


def _is_supported(name: str, members: Sequence[Candidate]) -> bool:
    """Return whether a person's name occurs outside of headings, or has a given name."""
    if all(piece.heading for one in members for piece in one.pieces):
        first, _, rest = fold(name).partition(" ")
        return bool(rest) and first in GIVEN_NAMES
    return True


def _usual(kind: Kind, one: Candidate) -> str:
    """Return a name as it is usually written, in capitals only if it always is."""
    texts = Counter(piece.text for piece in one.pieces)
    mixed = [text for text, _ in texts.most_common() if not text.isupper()]
    name = mixed[0] if mixed else texts.most_common(1)[0][0]
    if kind == "place" and name.isupper() and len(name) > 3 and "." not in name:  # a dateline
        return name.title()
    if kind == "organisation":
        short = _OF_THE_STATES.sub("", name)
        bare = fold(name).removeprefix("u.s. ").removeprefix("us ")
        short = name[-len(bare) :] if bare in KNOWN_ORGANISATIONS else short
        return ALIASES.get(fold(short), short)
    return name


def _full_name(
    one: Candidate,
    longer: Sequence[tuple[str, Candidate]],
    candidates: dict[str, Candidate],
    full: dict[str, Kind],
) -> str | None:
    """Return the key of the longer name that a candidate is a form of; None if there isn't one."""
    own = fold(one.text)
    kind = full.get(own)
    settled = own in PLACES or own in KNOWN_ORGANISATIONS or one.weights["place"] >= CERTAIN
    people = [key for key, other in longer if full[key] == "person" and _is_part(one, other)]
    if len(people) > 1:  # "Ann Lee" and "Ann Lee Jr.": the surname is mostly hers
        people = [key for key in people if candidates[key].words[-1] not in SUFFIXES] or people
    if people and (kind in (None, "person") or not settled):
        return _one_of(people, candidates)
    if people and settled and kind == "place" and own not in COUNTRIES and own not in STATES:
        says = one.weights["person"]
        if says >= ENOUGH:
            return _one_of(people, candidates)
    if kind == "place" or settled:
        return None
    bodies = [
        key
        for key, other in longer
        if full[key] == "organisation"
        and (
            other.words[: len(one.words)] == one.words
            or other.words[-len(one.words) :] == one.words
        )
        and (other.words[-len(one.words) :] != one.words or one.words[-1] in TEAMS)
        and not (len(one.words) == 1 and one.words[0] in GIVEN_NAMES)
    ]
    if bodies and kind != "person" and not is_common(one.words[0]):
        return _one_of(bodies, candidates)
    teams = [key for key in bodies if one.words[-1] in TEAMS]
    return _one_of(teams, candidates) if teams and kind != "person" else None


def _is_part(one: Candidate, other: Candidate) -> bool:
    """Return whether a name is a person's surname, given name, or both without the middle."""
    core = tuple(word for word in other.words if word not in SUFFIXES)
    words = tuple(word for word in one.words if word not in SUFFIXES)
    if not core or not words:
        return False
    if len(words) == 1:
        return words[0] in (core[0], core[-1])
    if len(core) < len(other.words) and len(one.words) == len(core):
        return len(other.pieces) >= len(one.pieces)  # else "Ann Lee" is the mother of "Ann Lee Jr."
    return words[0] == core[0] and words[-1] == core[-1]


def _one_of(keys: Sequence[str], candidates: dict[str, Candidate]) -> str | None:
    """Return the only key, or the one whose name is by far the most frequent; else None."""
    ranked = sorted(keys, key=lambda key: -len(candidates[key].pieces))
    if len(ranked) == 1:
        return ranked[0]
    counts = [len(candidates[key].pieces) for key in ranked[:2]]
    return ranked[0] if counts[0] >= 3 * counts[1] else None
