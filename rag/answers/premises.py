"""What a question takes for granted, and whether the passages say that it is not so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answers.extraction import Candidate
from rag.checks.fidelity import NEGATIONS
from rag.schema import Answer
from rag.text.figures import borne_out, figures
from rag.text.names import key, names, same
from rag.text.words import EMPTY, content, stem, stems, words

# A sentence that has this share of what is taken for granted is about it.  Measured on pairs of
# questions made from the sample archive, with a true and with a false premise.
ABOUT_IT = 0.45
_PRESUPPOSING = re.compile(
    r"^(?:so |and |but )?(?:why|when|how|where|how come|after|since|by how much|for what reason|"
    r"what (?:made|caused|led|prompted)|who|which)\b",
    re.IGNORECASE,
)
_FACTIVE = re.compile(
    r"^(?:why|when|where|how come|how)\s+(?:did|does|do|has|have|had|is|are|was|were|will)\s+",
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

    It denies it by a negation, or by another figure for the same thing; a name that no sentence
    on the matter has is a premise that nothing bears out.
    """
    taken = premise(question)
    if not taken:
        return None
    wanted = stems(taken)
    near = [c for c in ranked if _share(wanted, taken, c.text) >= ABOUT_IT]
    affirmed = any(
        _share(wanted, taken, c.text) >= 0.9 and not _negated(wanted, c.text) for c in near
    )
    for candidate in near:
        if not affirmed and _negated(wanted, candidate.text) and not _asks_why_not(taken):
            return Denial(taken, candidate, "says otherwise")
        other = _other_figure(taken, candidate.text)
        if other and not any(_has_figures(taken, c.text) for c in near):
            return Denial(taken, candidate, f"gives {other}")
    if affirmed:
        return None
    missing = _unnamed(taken, ranked)
    if near and missing and _share(wanted - stems(missing), taken, near[0].text) >= 0.6:
        return Denial(taken, near[0], f"does not speak of {missing}")
    return None


def _share(wanted: frozenset[str], taken: str, text: str) -> float:
    there = set(stems(text))
    called = [n.text for n in names(text)]
    for name in names(taken):
        if any(same(name.text, other) for other in called):
            there |= stems(name.text)
    return len(wanted & there) / max(1, len(wanted))


def _negated(wanted: frozenset[str], text: str) -> bool:
    """Whether a negation in `text` stands within four words before one of the wanted words."""
    listed = words(text)
    places = {key(word) for word in wanted if key(word) != word}  # Kyiv, where it says Ukraine
    for i, word in enumerate(listed):
        if word.text.lower().replace("’", "'") in NEGATIONS:
            after = [w for w in listed[i + 1 : i + 6] if w.text.lower() not in EMPTY]
            if any(w.stem in wanted or key(w.text) in places for w in after) or re.match(
                r"den|reject|refus", word.text.lower()
            ):
                return True
    return False


def _asks_why_not(taken: str) -> bool:
    return any(w.text.lower().replace("’", "'") in NEGATIONS for w in words(taken))


def _other_figure(taken: str, text: str) -> str:
    """Return the figure that `text` gives for the noun for which `taken` has another."""
    for figure in figures(taken):
        nouns = [w.stem for w in content(taken[figure.end : figure.end + 40])[:2]]
        for other in figures(text):
            after = [w.stem for w in content(text[other.end : other.end + 40])[:2]]
            if set(nouns) & set(after) and other.value != figure.value:
                return text[other.start : other.end]
    return ""


def _has_figures(taken: str, text: str) -> bool:
    shown = figures(text)
    return all(borne_out(figure, shown) for figure in figures(taken))


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
