"""Claims that several sources make: sentences aligned across sources, and where they differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from rag.answer.asked_figure import MODIFIER, AskedFigure, measured_numbers
from rag.answer.figures import (
    LARGEST_CHANGE,
    NEAR_THE_BEST,
    SAME_STORY,
    FigureFound,
    newest_first,
    reported_figures,
)
from rag.answer.sentence_scoring import Embed, SentenceCandidate
from rag.nlp.entities import find_names, names_match, normalize_name
from rag.nlp.event_dates import event_date
from rag.nlp.fates import FATES
from rag.nlp.numbers import Number, find_numbers, is_number_supported
from rag.nlp.tokens import Word, stem_words, tokenize

Matrix = npt.NDArray[np.float32]

SAME_CLAIM = 0.62  # cosine from which sentences of two sources can be one claim
SHARED_WORDS = 0.25  # share of the shorter one's words, apart from the question's, likewise
CLEARLY_SAME = 0.8  # cosine from which the days that two sentences state can be compared
NEWER_WITHIN = 1.0  # largest difference in score at which a source's newer figure is shown
SAME_FIGURES = 0.72  # cosine from which the figures of two sentences can be compared
REPEATED = 0.78  # cosine from which a claim repeats an earlier one
FATE_REACH = 45  # characters between a figure and what befell those it counts
NOUN_REACH = 30  # characters after a figure in which its noun stands
NOUNS = 2  # content words after a figure of which one is its noun
BEFORE = 40  # characters before a figure in which "at least" stands


ROUNDED = 0.1  # share by which an exact figure may differ from "about", "nearly" or "some"
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_STATISTIC = re.compile(r"\bso far this year\b|\bdefine[sd]?\b|\bon average\b|\bper year\b", re.I)
_DIGIT = re.compile(r"\d")
_LOW = re.compile(r"at least|more than|over|as many|up to", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim in the words of several sources.

    Attributes:
        cells: The sentence of each source, None for a source that doesn't make the claim.
        differing: The positions of the sources whose figures or days differ from another's.
    """

    cells: tuple[SentenceCandidate | None, ...]
    differing: frozenset[int] = frozenset()

    @property
    def width(self) -> int:
        """Number of sources that make the claim."""
        return sum(cell is not None for cell in self.cells)

    @property
    def score(self) -> float:
        """The mean relevance of its sentences."""
        return sum(cell.score for cell in self.cells if cell is not None) / self.width


def align_claims(
    columns: Sequence[Sequence[SentenceCandidate]], question: str, embed: Embed
) -> list[Claim]:
    """Return the claims of several sources without repetitions: shared ones first, by relevance.

    Each sentence is in one claim; a claim takes at most one sentence of each source.

    Args:
        columns: The scored sentences of each source, best first.
        question: The question, whose words say nothing of whether two sentences are one claim.
        embed: Embeds texts.
    """
    sentences = [c for column in columns for c in column]
    if not sentences:
        return []
    vectors = embed([c.text for c in sentences])
    cosines = vectors @ vectors.T
    alike = _likeness(sentences, question, cosines)
    source = [i for i, column in enumerate(columns) for _ in column]
    found: list[list[int]] = []
    free = set(range(len(sentences)))
    for pair in _pairs(alike, source):
        if not free.issuperset(pair):
            continue
        members = _grow(list(pair), free, alike, source)
        free.difference_update(members)
        found.append(members)
    found += [[i] for i in free]
    claims = [(_claim(m, sentences, source, len(columns), cosines), m) for m in found]
    claims.sort(key=lambda each: (-(each[0].width > 1), -each[0].score))
    kept: list[int] = []
    distinct = []
    for claim, members in claims:
        if kept and float(cosines[np.ix_(members, kept)].max()) >= REPEATED:
            continue
        kept += members
        distinct.append(claim)
    return distinct


def _likeness(sentences: Sequence[SentenceCandidate], question: str, cosines: Matrix) -> Matrix:
    """Return how alike each two sentences are; 0 if they can't be one claim."""
    known = stem_words(question)
    words = [stem_words(c.text) - known for c in sentences]
    names = [_names(c.text, known) for c in sentences]
    alike = np.zeros_like(cosines)
    for i, own in enumerate(words):
        for j in range(i):
            cosine = float(cosines[i, j])
            shared = len(own & words[j]) / max(1, min(len(own), len(words[j])))
            if cosine >= SAME_CLAIM and shared >= SHARED_WORDS and _agree(names[i], names[j]):
                alike[i, j] = alike[j, i] = cosine + shared
    return alike


def _names(text: str, known: frozenset[str]) -> frozenset[str]:
    """Return the names of a sentence, apart from those whose words the question has."""
    called = (normalize_name(name.text) for name in find_names(text))
    return frozenset(name for name in called if not stem_words(name) <= known)


def _agree(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Return whether two sentences name the same: the dead of Cuba aren't those of Florida."""
    if not ours or not theirs:
        return True
    return any(names_match(a, b) for a in ours for b in theirs)


def _pairs(alike: Matrix, source: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of sentences of different sources that can be one claim, likest first."""
    found = [
        (int(i), int(j)) for i, j in np.argwhere(alike > 0) if i < j and source[i] != source[j]
    ]
    return sorted(found, key=lambda pair: -float(alike[pair]))


def _grow(
    members: list[int],
    free: set[int],
    alike: Matrix,
    source: Sequence[int],
) -> list[int]:
    """Return the members of a claim with the best sentence of each further source."""
    taken = {source[i] for i in members}
    for column in sorted(set(source) - taken):
        fitting = [
            i
            for i in free
            if source[i] == column and all(alike[i, member] > 0 for member in members)
        ]
        if fitting:
            members.append(max(fitting, key=lambda i: sum(float(alike[i, m]) for m in members)))
    return members


def _claim(
    members: Sequence[int],
    sentences: Sequence[SentenceCandidate],
    source: Sequence[int],
    width: int,
    cosines: Matrix,
) -> Claim:
    cells: list[SentenceCandidate | None] = [None] * width
    for i in members:
        cells[source[i]] = sentences[i]
    differing = {
        source[k]
        for i in members
        for j in members
        if i < j
        and float(cosines[i, j]) >= SAME_FIGURES
        and say_otherwise(
            sentences[i], sentences[j], same_event=float(cosines[i, j]) >= CLEARLY_SAME
        )
        for k in (i, j)
    }
    return Claim(tuple(cells), frozenset(differing))


def figure_claim(
    columns: Sequence[Sequence[SentenceCandidate]], asked: AskedFigure
) -> Claim | None:
    """Return the claim of the figure that a question asks for; None if no source gives it.

    The figure is the one that most of the best sentences give; each source's cell is its newest
    report of that figure or of another one near it in value and time.

    Args:
        columns: The scored sentences of each source, best first.
        asked: The figure.
    """
    every = sorted((c for column in columns for c in column), key=lambda c: -c.score)
    lead = _lead_figure(every, asked)
    if lead is None:
        return None
    found = [_same_figure(column, asked, lead) for column in columns]
    cells = tuple(each.candidate if each else None for each in found)
    given = {i: _figure(each) for i, each in enumerate(found) if each}
    differing = {i for i in given for j in given if not given[i].agrees(given[j])}
    return Claim(cells, frozenset(differing))


def _lead_figure(every: Sequence[SentenceCandidate], asked: AskedFigure) -> FigureFound | None:
    figures = [
        each for each in reported_figures(asked, every) if not _is_of_another_event(each, asked)
    ]
    if not figures:
        return None
    newest = newest_first(asked, every) if asked.fate else ()
    if newest:
        return newest[0]
    best = figures[0].candidate.score
    near = [f for f in figures if f.candidate.score >= best - NEAR_THE_BEST]
    articles = {(f.value, f.candidate.hit.passage.article_id) for f in near}
    value, count = Counter(value for value, _ in articles).most_common(1)[0]
    return next(f for f in near if f.value == value) if count > 1 else near[0]


def _same_figure(
    column: Sequence[SentenceCandidate], asked: AskedFigure, lead: FigureFound
) -> FigureFound | None:
    """Return a source's newest report of a figure; None if it has none."""
    figures = [f for f in reported_figures(asked, column) if not _is_of_another_event(f, asked)]
    near = [
        f
        for f in figures
        if f.candidate is lead.candidate
        or (
            min(f.value, lead.value) * LARGEST_CHANGE >= max(f.value, lead.value)
            and (f.day is None or lead.day is None or abs(f.day - lead.day) <= SAME_STORY)
        )
    ]
    best = max((f.candidate.score for f in near), default=0.0)
    clear = [f for f in near if f.candidate.score >= best - NEWER_WITHIN]
    if asked.fate:  # a toll rises
        return max(near, key=lambda f: f.value, default=None)
    return max(clear, key=lambda f: (f.day or date.min, f.candidate.score), default=None)


def _is_of_another_event(figure: FigureFound, asked: AskedFigure) -> bool:
    """Return whether a figure is of an earlier year, of many events, or of an event elsewhere.

    It is of one elsewhere if its sentence has names, but none of the question or of the headline.
    """
    published, text = figure.candidate.hit.metadata.published, figure.candidate.text
    years = [int(year) for year in _YEAR.findall(text)]
    earlier = published is not None and any(year < published.year for year in years)
    if earlier or _STATISTIC.search(text) is not None:
        return True
    near = [*asked.names, *(n.text for n in find_names(figure.candidate.hit.metadata.title))]
    named = [name.text for name in find_names(text)]
    return bool(asked.names and named) and not any(
        names_match(one, other) for one in named for other in near
    )


def _figure(found: FigureFound) -> _Count:
    """Return a figure with the words before it: "at least 9"."""
    number = next((n for n in find_numbers(found.candidate.text) if n.value == found.value), None)
    words = MODIFIER.match(f"{found.words} ") or re.match(r"[a-z ]{4,20}(?=[\d$£€])", found.words)
    bare = Number(found.value, "", found.words, 0, 0)
    return _Count(number or bare, words[0] if words else "")


def say_otherwise(
    one: SentenceCandidate, other: SentenceCandidate, *, same_event: bool = True
) -> bool:
    """Return whether two sentences of one claim give different figures or days.

    Figures differ if they count the same noun, or those with the same fate, and no value is in
    both. A bound ("at least 9") agrees with a larger exact figure.

    Args:
        one: A sentence.
        other: The other one.
        same_event: Whether both surely tell the same event, so that its day can be compared.
    """
    ours, theirs = _counts(one.text), _counts(other.text)
    for key in ours.keys() & theirs.keys():
        if not any(a.agrees(b) for a in ours[key] for b in theirs[key]):
            return True
    return same_event and not (ours or theirs) and _days_differ(one, other)


@dataclass(frozen=True, slots=True)
class _Count:
    """A figure with the word before it that makes it a bound or an estimate."""

    number: Number
    modifier: str

    def agrees(self, other: _Count) -> bool:
        """Return whether both can be true, and are one report: two bounds are if they are equal."""
        if is_number_supported(self.number, [other.number]):
            return True
        if bool(self.modifier) == bool(other.modifier):
            return False
        bound, exact = (self, other) if self.modifier else (other, self)
        if _LOW.search(bound.modifier):
            return exact.number.value >= bound.number.value
        near = abs(exact.number.value - bound.number.value)
        return near <= ROUNDED * abs(bound.number.value)


def _days_differ(one: SentenceCandidate, other: SentenceCandidate) -> bool:
    a, b = one.hit.metadata.published, other.hit.metadata.published
    if a is None or b is None:
        return False
    first, second = event_date(one.text, a), event_date(other.text, b)
    if first is None or second is None or first.reported or second.reported:
        return False
    if not (_DIGIT.search(first.text) and _DIGIT.search(second.text)):
        return False  # a weekday may be of another week than an article's date says
    return first.day != second.day


def _counts(text: str) -> dict[str, list[_Count]]:
    """Return the figures of a sentence by what they count or measure.

    The key is the fate of those counted ("killed"), else the unit with the noun after the figure.
    """
    words = tokenize(text)
    measured = {(number.start, number.end) for number in measured_numbers(text)}
    found: dict[str, list[_Count]] = {}
    for number in find_numbers(text):
        if (number.start, number.end) not in measured or number.unit == "to":
            continue
        before = MODIFIER.search(text[max(0, number.start - BEFORE) : number.start])
        key = _fate(number, words, text) or _noun(number, words, text)
        if key:
            found.setdefault(key, []).append(_Count(number, before[0] if before else ""))
    return found


def _fate(number: Number, words: Sequence[Word], text: str) -> str:
    """Return what befell those that a figure counts; "" if nothing did, or nothing clearly."""
    if number.unit:
        return ""
    near = [
        (abs(word.start - number.end), name)
        for word in words
        for name, stems in FATES.items()
        if word.stem in stems
        and -FATE_REACH < word.start - number.end < FATE_REACH
        and not re.search(r"[;,.]", text[min(word.start, number.end) : max(word.start, number.end)])
    ]
    return min(near)[1] if near else ""


def _noun(number: Number, words: Sequence[Word], text: str) -> str:
    """Return the unit of a figure with the stem of its noun; "" for a bare figure."""
    after = [w for w in words if 0 <= w.start - number.end < NOUN_REACH]
    first = after[0] if after else None
    joined = first is not None and not text[number.end : first.start].strip(" -")
    noun = first.stem if joined and first is not None and not first.is_stop_word else ""
    return f"{number.unit} {noun}".strip() if noun else ""
