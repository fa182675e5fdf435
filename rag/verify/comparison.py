"""Compare a claim with one sentence of its evidence, word by word and in order.

A claim in nearly a sentence's words differs from it in places that can be read off: another name or
figure in the place of one, a negation lost, "hope to reopen" turned into "reopened".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from rag.nlp.entities import TITLES, Name, names_match, normalize_name
from rag.nlp.numbers import find_dates, is_date_supported
from rag.nlp.quotations import ATTRIBUTED, find_speaker
from rag.nlp.tokens import STOP_WORDS
from rag.verify.evidence import EvidenceSentence
from rag.verify.operators import is_denial, is_negator, unreal_class
from rag.verify.terms import Term, names_in, same_term, split_terms

ProblemKind = Literal["figure", "name", "negation", "unreal", "order", "owner"]

# Weights of a term in the alignment; a stop word only decides between equal ones.
_WEIGHTS = {"word": 1.0, "name": 1.0, "figure": 1.2, "date": 1.2, "stop word": 0.1}
MOVED = 0.7  # of a word that stands elsewhere in the sentence
NEARBY = 0.4  # of a word that stands in the sentences before, or in the headline
# Share of a claim's words from which it is in nearly the sentence's words, so that a difference
# contradicts it. Measured: docs/benchmarks.md#statement-checks
NEAR = 0.75
REACH = 4  # terms between a negation and what it negates
_DETERMINERS = frozenset("the a an his her their its this that these those".split())
_PRONOUNS = frozenset("he she they it this these that those both".split())
_JOINTS = frozenset("after because when since while although though before as but".split())
_PEOPLE = re.compile(r"(?:an|ese|ish|ch|er)$")  # "the Italian", "the Londoner"
_COMPARES = re.compile(r"\b(?:than|against|compared|versus|whereas|while|both|differ\w*|unlike)\b")
_LIST = re.compile(r"(?:[ ,]|and\b|or\b|[A-Z][\w.’'-]*+)*+")
_BY_NAME = re.compile(r"\bby (?:the )?[A-Z]")
_BOUNDARY = re.compile(r"[,;:()–—]")
_ATTEMPTS = frozenset("effort attempt bid motion vote plan propos push campaign".split())


@dataclass(frozen=True, slots=True)
class Problem:
    """A difference between a claim and a sentence; a hard one contradicts the claim."""

    kind: ProblemKind
    text: str
    is_hard: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim beside one sentence.

    Attributes:
        sentence: The sentence.
        coverage: Share of the claim's words that the sentence has, in order.
        matched: Weight of all terms in common, by which sentences are ranked.
        problems: The differences.
    """

    sentence: EvidenceSentence
    coverage: float
    matched: float
    problems: tuple[Problem, ...]

    @property
    def contradicts(self) -> bool:
        """True if a difference contradicts the claim."""
        return any(problem.is_hard for problem in self.problems)

    @property
    def agrees(self) -> bool:
        """True if the sentence differs in nothing but plans, and whose something is."""
        return all(problem.kind in ("unreal", "owner") for problem in self.problems)


def compare(
    claim: str,
    sentence: EvidenceSentence,
    published: datetime | None,
    *,
    computed: frozenset[str] = frozenset(),
    common_opening: bool = False,
) -> Comparison:
    """Compare a claim with a sentence of its evidence.

    Args:
        claim: The claim.
        sentence: The sentence, with those before it.
        published: Publication date of its article, for weekdays.
        computed: Figures of the claim that follow from several of the evidence, which no other
            figure contradicts.
        common_opening: Whether the claim's first word is capitalised only because it opens it.
    """
    return _Alignment(claim, sentence, published, computed, common_opening).compare()


class _Alignment:
    """The terms of a claim and a sentence, and the heaviest common sequence of them."""

    def __init__(
        self,
        claim: str,
        sentence: EvidenceSentence,
        published: datetime | None,
        computed: frozenset[str],
        common_opening: bool,
    ) -> None:
        self.claim, self.sentence, self.published = claim, sentence, published
        self.computed = computed
        self.mine, self.theirs = split_terms(claim), sentence.terms
        if common_opening and self.mine and self.mine[0].kind == "name":
            self.mine = (replace(self.mine[0], kind="word"), *self.mine[1:])
        self.pairs = _align(self.mine, self.theirs)
        self.mine_at = dict(self.pairs)
        self.theirs_at = {j: i for i, j in self.pairs}

    def compare(self) -> Comparison:
        coverage, share, words = self._cover_words()
        solid = words + sum(self.mine[i].kind in ("figure", "date") for i in self.mine_at)
        near = share >= NEAR and solid >= 2
        problems = (
            *self._figure_problems(near),
            *self._name_problems(near),
            *self._subject_problems(),
            *self._negation_problems(near),
            *self._unreal_problems(),
        )
        hard = {problem.kind for problem in problems if problem.is_hard}
        if "name" in hard and any(p.kind == "figure" for p in problems):  # of somebody else
            problems = tuple(replace(problem, is_hard=False) for problem in problems)
        matched = sum(map(self._found_weight, range(len(self.mine))))
        return Comparison(self.sentence, coverage, matched, problems)

    def _found_weight(self, i: int) -> float:
        """Return the weight of a term of the claim that the sentence has, in order or not."""
        term = self.mine[i]
        if i in self.mine_at:
            return _WEIGHTS[term.kind]
        if term.kind == "stop word" or not any(same_term(term, other) for other in self.theirs):
            return 0.0
        return MOVED * _WEIGHTS[term.kind]

    def _cover_words(self) -> tuple[float, float, int]:
        """Return the coverage, the share of words found in any order, and their number."""
        total = found = 0.0
        there = 0
        first = min((k for k in self.mine_at if self._is_content(k)), default=0)
        nearby = 1.0 if self._starts_with_pronoun() else NEARBY
        around = [
            t for text in (*self.sentence.before, self.sentence.title) for t in split_terms(text)
        ]
        for i, term in enumerate(self.mine):
            if term.kind != "word" or is_negator(term) or self._is_title(i):
                continue
            total += 1
            if i in self.mine_at:
                found += 1
                there += 1
            elif any(same_term(term, other) for other in self.theirs):
                found += MOVED
                there += 1
            elif any(same_term(term, other) for other in around):
                found += nearby if i < first else NEARBY
        return found / max(1.0, total), there / max(1.0, total), there

    def _starts_with_pronoun(self) -> bool:
        """Return True if the sentence's part that is in common starts with "it" or "they"."""
        region = self._region()
        return bool(region) and self.theirs[region[0]].lower in _PRONOUNS

    def _is_title(self, i: int) -> bool:
        """Return True for "Foreign Minister" before a name; titles are compared by themselves."""
        while i < len(self.mine) and self.mine[i].lower in TITLES:
            i += 1
            if i < len(self.mine) and self.mine[i].kind == "name":
                return True
        return False

    def _between(self, i: int) -> list[int]:
        """Return the places of the sentence between those of the claim's neighbours of `i`."""
        before = max((k for k in self.mine_at if k < i and self._is_content(k)), default=None)
        after = min((k for k in self.mine_at if k > i and self._is_content(k)), default=None)
        start = -1 if before is None else self.mine_at[before]
        end = len(self.theirs) if after is None else self.mine_at[after]
        return list(range(start + 1, end))

    def _is_content(self, i: int) -> bool:
        return self.mine[i].kind != "stop word"

    # Figures

    def _figure_problems(self, near: bool) -> Iterator[Problem]:
        for i, term in enumerate(self.mine):
            if term.kind not in ("figure", "date") or i in self.mine_at or self._is_implied(term):
                continue
            place = [j for j in self._between(i) if j not in self.theirs_at]
            instead = any(self.theirs[j].kind == term.kind for j in place)
            hard = near and instead and term.text not in self.computed
            yield Problem("figure", term.text, hard)

    def _is_implied(self, term: Term) -> bool:
        if term.kind == "figure":
            return term.lower in {"one", "a", "first"} and not any(
                other.kind == "figure" for other in self.theirs
            )
        day = find_dates(term.text)
        text = self.sentence.text
        return bool(day) and is_date_supported(day[0], find_dates(text), text, self.published)

    # Names

    def _name_problems(self, near: bool) -> Iterator[Problem]:
        theirs = [n for n in names_in(self.sentence.text) if not _is_contraction(n.text)]
        groups = [(name, self._parts(name)) for name in names_in(self.claim)]
        groups = [(name, parts) for name, parts in groups if parts]
        for name, parts in groups:
            found = [i for i in parts if i in self.mine_at]
            if found:
                yield from self._check_bearer(name, parts, found, theirs, near)
            elif any(names_match(name.text, other.text) for other in theirs):
                yield from self._check_elsewhere(name, parts, [n for n, _ in groups], theirs, near)
            else:
                yield from self._check_absent(name, parts, theirs, near)

    def _check_elsewhere(
        self,
        name: Name,
        parts: Sequence[int],
        others: Sequence[Name],
        theirs: Sequence[Name],
        near: bool,
    ) -> Iterator[Problem]:
        """Check a name that stands elsewhere in the sentence than in the claim."""
        place = self._between(parts[0])
        rivals = [
            n for n in theirs if self._stands_for(n, place) and not _is_same_name(name.text, n.text)
        ]
        listed = [n for n in others if n is not name and self._is_listed(name, n)]
        rivals = [n for n in rivals if not any(names_match(n.text, m.text) for m in listed)]
        swapped = any(self._swaps(name, other, theirs) for other in others)
        if swapped or (rivals and not self._is_inverted()):
            yield Problem("order", name.text, near)
        elif not any(_is_same_name(name.text, n.text) for n in theirs):
            yield Problem("name", name.text, False)  # "Warsaw" for Poland

    def _parts(self, name: Name) -> list[int]:
        return [
            i
            for i, term in enumerate(self.mine)
            if name.start <= term.start < name.end and term.kind not in ("stop word", "word")
        ]

    def _check_bearer(
        self,
        name: Name,
        parts: Sequence[int],
        found: Sequence[int],
        theirs: Sequence[Name],
        near: bool,
    ) -> Iterator[Problem]:
        """Check that a name in common is of the same bearer, and has the same owner or thing."""
        place = self.theirs[self.mine_at[found[-1]]]
        other = next((n for n in theirs if n.start <= place.start < n.end), None)
        if other is not None and not names_match(name.text, other.text):
            if " " in name.text and " " in other.text:
                elsewhere = any(names_match(name.text, n.text) for n in theirs)
                yield Problem("order" if elsewhere else "name", name.text, near)
            return
        mine = self.mine[found[-1]]
        j = self.mine_at[found[-1]]
        follows = self.theirs[j + 1] if j + 1 < len(self.theirs) else None
        thing = follows is not None and j + 1 not in self.theirs_at and follows.kind != "stop word"
        if place.is_possessive and thing and not mine.is_possessive and not self._owns(parts):
            yield Problem("owner", name.text, False)

    def _owns(self, parts: Sequence[int]) -> bool:
        """Return True if the claim, too, says whose something is: "of Hurts", "Hurts' deal"."""
        before = self.mine[parts[0] - 1].lower if parts[0] else ""
        end = self.mine[parts[-1]].end
        return before in {"of", "by", "for", "from"} or self.claim[end : end + 1] in ("'", "’")

    def _check_absent(
        self, name: Name, parts: Sequence[int], theirs: Sequence[Name], near: bool
    ) -> Iterator[Problem]:
        place = self._between(parts[0])
        rivals = [n for n in theirs if self._stands_for(n, place)]
        hard = near and not _COMPARES.search(self.claim)
        if rivals:
            yield Problem("name", name.text, hard)
            return
        known = self._look_up(name)
        if known == "absent":
            opens = not any(self._is_content(i) for i in range(parts[0]))
            spoken = ATTRIBUTED.search(self.claim) is not None
            yield Problem("name", name.text, hard and opens and not spoken)
        elif known == "unsure":
            yield Problem("name", name.text, False)

    def _stands_for(self, name: Name, place: Sequence[int]) -> bool:
        """Return True if a name stands in a place, and not as in "the Baltimore quarterback"."""
        own = [j for j in place if name.start <= self.theirs[j].start < name.end]
        if not own or any(j in self.theirs_at for j in own):
            return False
        before = self.theirs[own[0] - 1].lower if own[0] else ""
        after = self.theirs[own[-1] + 1] if own[-1] + 1 < len(self.theirs) else None
        gap = self.sentence.text[name.end : after.start] if after else "."
        if before not in _DETERMINERS:
            return True
        if len(own) == 1 and _PEOPLE.search(name.text):
            return False
        return after is None or after.kind != "word" or gap != " "

    def _look_up(self, name: Name) -> Literal["known", "unsure", "absent"]:
        """Return whether "he" or "the goalkeeper" of the sentence can be the bearer of a name."""
        seen = False
        for text in self.sentence.before:
            named = [n.text for n in names_in(text)]
            if not named:
                continue
            matching = any(names_match(name.text, other) for other in named)
            if not seen and names_match(name.text, named[0]):
                return "known"
            if matching:
                return "unsure"
            seen = True
        if any(names_match(name.text, n.text) for n in names_in(self.sentence.title)):
            return "unsure" if seen else "known"
        return "absent"

    def _swaps(self, name: Name, other: Name, theirs: Sequence[Name]) -> bool:
        """Return True if two names stand in the other order in the sentence, with other roles."""
        if names_match(name.text, other.text):
            return False
        speaker = find_speaker(self.claim)  # "according to him" may stand at either end
        spoken = name.text in speaker or other.text in speaker
        if spoken and speaker.split()[-1] in find_speaker(self.sentence.text):
            return False
        mine = [n.start for n in theirs if names_match(name.text, n.text)]
        others = [n.start for n in theirs if names_match(other.text, n.text)]
        held = [self.mine_at[i] for i in self._parts(other) if i in self.mine_at]
        if held:
            others = [self.theirs[held[0]].start]
        as_claimed = any((a < b) == (name.start < other.start) for a in mine for b in others)
        if as_claimed or not mine or not others:
            return False
        return not self._is_inverted() and not self._is_listed(name, other)

    def _is_listed(self, name: Name, other: Name) -> bool:
        """Return True if the claim lists both names: "by Kim, Lee and Putin"."""
        first, second = sorted((name, other), key=lambda n: n.start)
        between = self.claim[first.end : second.start]
        return bool(_LIST.fullmatch(between)) and bool(re.search(r",|\b(?:and|or)\b", between))

    def _is_inverted(self) -> bool:
        """Return True if one is the passive of the other."""
        by = [len(_BY_NAME.findall(text)) for text in (self.claim, self.sentence.text)]
        return by[0] != by[1]

    def _subject_problems(self) -> Iterator[Problem]:
        """Yield a problem if the sentence has another word for the one that opens the claim."""
        first = next((i for i in range(len(self.mine)) if self._is_content(i)), None)
        if first is None or self.mine[first].kind != "word" or first in self.mine_at:
            return
        if any(same_term(self.mine[first], other) for other in self.theirs):
            return
        instead = [j for j in self._between(first) if self.theirs[j].kind in ("word", "name")]
        if instead and instead[-1] == self._between(first)[-1]:
            yield Problem("owner", self.mine[first].text, False)

    # Negation, plans, allegations

    def _region(self) -> range:
        """Return the places of the sentence that the claim is about, from its clause's start."""
        held = [j for i, j in self.pairs if self._is_content(i)]
        if not held:
            return range(0)
        start = held[0]
        while start and not self._parted(start - 1) and self.theirs[start - 1].lower not in _JOINTS:
            start -= 1
        end = held[-1]
        if any(self.theirs[j].key in _ATTEMPTS for j in range(start, end + 1)):
            end = len(self.theirs) - 1  # "the effort to remove her failed"
        return range(start, end + 1)

    def _parted(self, j: int) -> bool:
        """Return True if a comma or another boundary stands between a term and the next."""
        gap = self.sentence.text[self.theirs[j].end : self.theirs[j + 1].start]
        return bool(_BOUNDARY.search(gap))

    def _negation_problems(self, near: bool) -> Iterator[Problem]:
        mine = [
            i
            for i, t in enumerate(self.mine)
            if (is_negator(t) or is_denial(t)) and i not in self.mine_at
        ]
        theirs = [j for j in self._region() if j not in self.theirs_at and self._negates(j)]
        if (len(mine) - len(theirs)) % 2 == 0:
            return
        elsewhere = any(
            is_negator(t) and j not in self.theirs_at and j not in theirs
            for j, t in enumerate(self.theirs)
        )
        close = any(self._is_close(j) for j in theirs) or (bool(mine) and not elsewhere)
        word = self.mine[mine[0]].text if mine else self.theirs[theirs[0]].text
        yield Problem("negation", word, near and close)

    def _negates(self, j: int) -> bool:
        """Return True if a term of the sentence negates what it has in common with the claim."""
        term = self.theirs[j]
        if is_denial(term) and any(self.theirs[k].key in _ATTEMPTS for k in self._region()):
            return True  # "the effort to remove her failed"
        return (is_negator(term) or is_denial(term)) and self._governs(j, 1)

    def _governs(self, j: int, most: int) -> bool:
        """Return True if one of the next words after a term, or "that", is in the claim as well."""
        left = most
        for k in range(j + 1, len(self.theirs)):
            term = self.theirs[k]
            if term.lower == "that" and k == j + 1:
                return True
            if term.kind == "stop word":
                continue
            if k in self.theirs_at or any(same_term(term, other) for other in self.mine):
                return True
            left -= 1
            if not left:
                return False
        return False

    def _is_close(self, j: int) -> bool:
        """Return True if a negation stands close before, or after, something in common."""
        held = [k for i, k in self.pairs if self._is_content(i)]
        return any(
            abs(k - j) <= REACH and not any(map(self._parted, range(min(j, k), max(j, k))))
            for k in held
        )

    def _unreal_problems(self) -> Iterator[Problem]:
        claimed = {unreal_class(term) for term in self.mine}
        if any(term.key in _ATTEMPTS for term in self.mine):
            claimed.add("wanted")
        for j in self._region():
            kind = unreal_class(self.theirs[j])
            if kind and kind not in claimed and j not in self.theirs_at and self._governs(j, 2):
                yield Problem("unreal", self.theirs[j].text, False)
                return


def _is_same_name(one: str, other: str) -> bool:
    """Return True if two names are of one bearer, a country's capital not being the country."""
    if normalize_name(one, seats=False) == normalize_name(other, seats=False):
        return True
    mine, theirs = one.lower().split(), other.lower().split()
    return set(mine) <= set(theirs) or set(theirs) <= set(mine)


def _is_contraction(name: str) -> bool:
    """Return True for "They've", which is capitalised as an opening word only."""
    return re.split(r"['’]", name)[0].lower() in STOP_WORDS


def _align(mine: Sequence[Term], theirs: Sequence[Term]) -> list[tuple[int, int]]:
    """Return the pairs of places in the heaviest common subsequence of two lists of terms."""
    rows, columns = len(mine), len(theirs)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    same = [[same_term(a, b) for b in theirs] for a in mine]
    for i in range(rows - 1, -1, -1):
        weight = _WEIGHTS[mine[i].kind]
        row, below = best[i], best[i + 1]
        for j in range(columns - 1, -1, -1):
            skip = max(below[j], row[j + 1])
            row[j] = max(skip, weight + below[j + 1]) if same[i][j] else skip
    pairs, i, j = [], 0, 0
    while i < rows and j < columns:
        if same[i][j] and best[i][j] == _WEIGHTS[mine[i].kind] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs
