"""What a question takes for granted, and whether the passages say that it is not so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answers.extraction import Candidate
from rag.answers.opposing import (
    acts,
    another,
    denies,
    has_figures,
    has_name,
    is_negative,
    opposite,
    other_figure,
    shared,
    undeclined,
)
from rag.schema import Answer
from rag.text.names import key, names
from rag.text.words import content, stem, stems, words

# A sentence that has this share of what is taken for granted is about it.  Measured on pairs of
# questions made from the sample archive, with a true and with a false premise.
ABOUT_IT = 0.45
BEARS_IT_OUT = 0.85  # and this share, where nothing in it says otherwise
LIKE_IT = 0.5  # share of the rest of it that a sentence has which says it of somebody else
MOST_OF_THE_REST = 0.6  # or where a name of it is in no passage at all
_PRONOUN = re.compile(r"(?:He|She|It|They|His|Her|Its|Their|This|That|These|Those)\b")
_PRESUPPOSING = re.compile(
    r"^(?:so |and |but )?(?:why|when|how|where|how come|after|since|by how much|for what reason|"
    r"what (?:made|caused|led|prompted)|who|which)\b",
    re.IGNORECASE,
)
_FACTIVE = re.compile(
    r"^(?:why|when|where|how come|how)\s+"
    r"(?:did|does|do|has|have|had|is|are|was|were|will|would)\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Denial:
    """The sentence that says otherwise, and what the question took for granted."""

    premise: str
    candidate: Candidate
    why: str

    @property
    def notice(self) -> str:
        """What the reader is told before the sentence is quoted."""
        return (
            f"{TAKEN_FOR_GRANTED}: “{self.premise}”. No passage found bears that out; "
            f"the closest one {self.why}."
        )


TAKEN_FOR_GRANTED = "The question takes for granted"


def names_premise(answer: Answer) -> bool:
    """Whether `answer` says that the question takes something for granted that is not so."""
    return answer.notice.startswith(TAKEN_FOR_GRANTED)


def premise(question: str) -> str:
    """Return what `question` takes for granted, as its words go; empty if nothing much."""
    if not _PRESUPPOSING.match(question) or not _FACTIVE.match(question):
        return ""
    rest = _FACTIVE.sub("", question).rstrip("? .")
    return rest if len(content(rest)) >= 3 else ""


def denied(question: str, ranked: Sequence[Candidate]) -> Denial | None:
    """Return the sentence of `ranked` that denies what `question` takes for granted, if one does.

    It denies it by a negation, an opposite, another figure for the same thing, or by saying it
    of somebody else.  None where any sentence, or any headline, bears it out.
    """
    taken = premise(question)
    if not taken or not ranked:
        return None
    told = [(c.text, c) for c in ranked] + _headlines(taken, ranked)
    wanted = stems(taken)
    near = [(text, c) for text, c in told if shared(wanted, taken, text) >= ABOUT_IT]
    affirming = [shared(wanted, taken, text) for text, c in near if _affirms(taken, text, c)]
    for text, candidate in near:
        as_near = shared(wanted, taken, text) >= max(affirming, default=0.0)
        if as_near and not is_negative(taken) and opposite(taken, wanted, text):
            return Denial(taken, candidate, "says otherwise")
    if affirming:
        return None
    refused = undeclined(taken)
    for text, candidate in near:
        if refused and _affirms(refused, text, candidate):
            return Denial(taken, candidate, "says otherwise")
    if not is_negative(taken):
        for text, candidate in near:
            if denies(acts(taken), text):
                return Denial(taken, candidate, "says otherwise")
    for text, candidate in near:
        figure = other_figure(taken, text)
        if figure and not any(has_figures(taken, other) for other, _ in near):
            return Denial(taken, candidate, f"gives {figure}")
    return _of_another(taken, wanted, told) or _of_nobody(taken, wanted, ranked, near)


def _headlines(taken: str, ranked: Sequence[Candidate]) -> list[tuple[str, Candidate]]:
    """Return the title of each article found, with its sentence nearest to `taken`."""
    wanted = stems(taken)
    nearest: dict[str, Candidate] = {}
    for candidate in ranked:
        title = candidate.hit.head.title
        best = nearest.get(title)
        if best is None or len(wanted & stems(candidate.text)) > len(wanted & stems(best.text)):
            nearest[title] = candidate
    return list(nearest.items())


def _affirms(taken: str, text: str, candidate: Candidate) -> bool:
    """Whether `text` bears `taken` out: most of its words, all its names and figures, no denial."""
    around = f"{text} {candidate.hit.head.title}"
    wanted = stems(taken)
    return (
        shared(wanted, taken, text) >= BEARS_IT_OUT
        and all(has_name(around, name.text) for name in names("of " + taken))
        and has_figures(taken, around)
        and (is_negative(taken) or not denies(acts(taken), text))
        and not opposite(taken, wanted, text)
    )


def _of_another(
    taken: str, wanted: frozenset[str], told: Sequence[tuple[str, Candidate]]
) -> Denial | None:
    """Return the sentence that says of somebody or somewhere else what `taken` says of a name."""
    for name in names("of " + taken):
        rest = wanted - stems(name.text)
        likely = [(t, c) for t, c in told if shared(rest, taken, t) >= LIKE_IT]
        if len(rest) < 2 or any(
            has_name(f"{text} {c.hit.head.title}", name.text) for text, c in likely
        ):
            continue
        for text, candidate in likely:
            instead = another(taken, name.text, text)
            meant = has_name(candidate.hit.passage.text, name.text)  # by a pronoun, a role
            if instead and not meant and not _PRONOUN.match(text):
                return Denial(taken, candidate, f"speaks of {instead}, not of {name.text}")
    return None


def _of_nobody(
    taken: str,
    wanted: frozenset[str],
    ranked: Sequence[Candidate],
    near: Sequence[tuple[str, Candidate]],
) -> Denial | None:
    """Return the nearest sentence where a name of `taken` is in none of the passages."""
    missing = _unnamed(taken, ranked)
    for text, candidate in near[:1]:
        if missing and shared(wanted - stems(missing), taken, text) >= MOST_OF_THE_REST:
            return Denial(taken, candidate, f"does not speak of {missing}")
    return None


def _unnamed(taken: str, ranked: Sequence[Candidate]) -> str:
    """Return the name in `taken` that no candidate, and no title of one, has."""
    texts = " ".join(f"{c.hit.head.title}. {c.hit.passage.text}" for c in ranked)
    there = {w.stem for w in words(texts)}
    keys = {key(n.text) for n in names(texts)}
    for name in names("of " + taken):
        known = key(name.text) in keys or all(stem(p) in there for p in name.text.split())
        if not known:
            return name.text
    return ""
