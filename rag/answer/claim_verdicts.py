"""Verdict of one passage on a draft's sentence, stricter than on a generated statement.

A chat model's sentence was written from its passages; a draft's sentence wasn't. So each word must
be accounted for, dates must agree to the year, and the article must be about the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.answer.draft_sentences import DraftSentence
from rag.citations import build_citation
from rag.nlp.entities import names_match
from rag.nlp.fragments import leans_on_previous
from rag.nlp.quotations import ATTRIBUTED, find_speaker
from rag.nlp.tokens import stem_words
from rag.schema import Citation, Hit, Notice, Span
from rag.verify.claim_dates import differing_dates
from rag.verify.comparison import Comparison
from rag.verify.evidence import EvidenceSentence, whole_spans
from rag.verify.operators import is_negator
from rag.verify.terms import Term, names_in, same_term, split_terms
from rag.verify.verifier import ClaimComparison, Verdict, Verifier

HitOutcome = Literal["supported", "partly", "contradicted", "not in the archive", "not checked"]

_PRONOUN = re.compile(r"\b(?:he|she|it|they|his|her|its|their)\b", re.IGNORECASE)

# Measured with tests/quality/checked_sentences.jsonl: docs/benchmarks.md#checking-a-text
PARTLY_FROM = 0.6  # share of a claim's words from which a passage says part of it
DIFFERING_FACTS = (
    1  # dates, figures and names that may differ in a contradiction; more is another event
)
SAME_WORDS = 0.9  # share of a claim's words from which a sentence is about the same event,
LEAST_WORDS = 4  # if the claim has so many
NEARLY_ALL = 0.75  # share of a claim's words from which a sentence's other figure contradicts it
FOREIGN_WORDS = 8  # words from which a sentence without common English words is in another language
# Differences of a generated statement that don't make a draft's sentence wrong.
_ANOTHER_WAY = frozenset({"title_missing", "passage_swaps_roles"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Verdict of one passage on a sentence of a draft.

    Attributes:
        hit: The passage.
        outcome: The outcome, if there were only this passage.
        matched: Weight of the terms in common, by which findings are ranked.
        reason: What is missing or differs.
        sentence: The passage's sentence that comes nearest.
        coverage: The share of the claim's words that it has.
        is_about: Whether the passage has a name of the claim, and the article what it is about.
    """

    hit: Hit
    outcome: HitOutcome
    matched: float
    reason: Notice | None = None
    sentence: EvidenceSentence | None = None
    coverage: float = 0.0
    is_about: bool = False

    def cite(self, number: int) -> Citation:
        """Return a citation of the nearest sentence, or of the whole passage."""
        passage = self.hit.passage
        if self.sentence is None:
            return build_citation(number, self.hit)
        span = whole_spans(passage.text, self.sentence.span)
        return build_citation(
            number, self.hit, Span(passage.start + span.start, passage.start + span.end)
        )


def judge_hit(
    sentence: DraftSentence,
    hit: Hit,
    verifier: Verifier,
    *,
    article: str = "",
    ask_model: bool = False,
) -> Finding:
    """Return what a passage says about a sentence.

    Args:
        sentence: The sentence.
        hit: The passage.
        verifier: The verifier.
        article: Full text of the passage's article.
        ask_model: Whether the verifier's model judges what exact comparison leaves open.
    """
    claim = sentence.claim
    compared = verifier.compare(claim, [hit])
    best = compared.best
    if best is None:
        return Finding(hit, "not in the archive", 0.0)
    near = best.sentence
    if not _is_about(sentence, hit, article):
        return Finding(hit, "not in the archive", best.matched, sentence=near)
    verdict = (verifier if ask_model else verifier.without_models()).verify(
        claim, [hit], article=article
    )
    outcome, reason = _decide(claim, hit, best, verdict, compared, ask_model=ask_model)
    is_about = _names_subject(claim, hit)
    return Finding(hit, outcome, best.matched, reason, near, best.coverage, is_about)


def _decide(
    claim: str,
    hit: Hit,
    best: Comparison,
    verdict: Verdict,
    compared: ClaimComparison,
    *,
    ask_model: bool,
) -> tuple[HitOutcome, Notice | None]:
    if verdict.reason is not None and verdict.reason.code == "other_language":
        if len(claim.split()) >= FOREIGN_WORDS:
            return "not checked", verdict.reason
        return "not in the archive", None
    if verdict.support == "supported":
        return _confirm(claim, hit, best, is_judged=ask_model and not verdict.is_exact)
    against = verdict if verdict.support == "contradicted" else compared.conflict
    if against is not None:
        near = best.sentence.text
        if _shows_wrong(claim, against, compared.against, near) and _is_same_event(
            claim, hit, best
        ):
            return "contradicted", against.reason
        return _as_far_as(best, against.reason)
    if not _names_subject(claim, hit):
        return "not in the archive", None
    if verdict.support == "partly":
        return "partly", verdict.reason
    return _as_far_as(best, verdict.reason)


def _has_last_word(text: str, name: str) -> bool:
    return (
        re.search(rf"(?<!\w){re.escape(name.split(' of ')[0].split()[-1])}(?!\w)", text) is not None
    )


def _shows_wrong(claim: str, against: Verdict, compared: Comparison | None, near: str) -> bool:
    """Return whether a difference shows that a claim is wrong, not only put in another way.

    A passage may leave out a title, or tell with the names in another order, or give a speaker's
    office before the name; and a sentence with another figure contradicts only a claim in nearly
    its words.
    """
    code = against.reason.code if against.reason is not None else ""
    if code in _ANOTHER_WAY:
        return False
    if code == "passage_quotes_other":
        theirs = str(dict(against.reason.params)["speaker"]) if against.reason else ""
        return not (
            any(_has_last_word(near, name.text) for name in names_in(find_speaker(claim)))
            or any(_has_last_word(claim, name.text) for name in names_in(theirs))
        )
    return compared is None or compared.coverage >= NEARLY_ALL


def _as_far_as(best: Comparison, reason: Notice | None) -> tuple[HitOutcome, Notice | None]:
    """Return "partly" if a sentence has most of the claim's words."""
    if best.coverage >= PARTLY_FROM:
        return "partly", reason or Notice("not_decidable")
    return "not in the archive", None


def _confirm(
    claim: str, hit: Hit, best: Comparison, *, is_judged: bool
) -> tuple[HitOutcome, Notice | None]:
    """Return the outcome for a claim that the verifier finds supported."""
    around = " ".join((best.sentence.text, *best.sentence.before, best.sentence.title))
    dates = differing_dates(claim, around, hit.metadata.published)
    if dates:
        return "partly", Notice("number_missing", number=dates[0])
    missing = [] if is_judged else _unaccounted_words(claim, best.sentence)
    if missing:
        return "partly", Notice("words_unsupported", words=" … ".join(missing))
    return "supported", None


def _is_about(sentence: DraftSentence, hit: Hit, article: str) -> bool:
    """Return whether an article has the names that the draft says a sentence is about."""
    whole = f"{hit.metadata.title}. {article or hit.passage.text}"
    there = stem_words(whole)
    return all(
        stem_words(name) <= there or any(names_match(name, n.text) for n in names_in(whole))
        for name in sentence.about
    )


def _names_subject(claim: str, hit: Hit) -> bool:
    """Return whether a passage or its headline has one of the claim's names, if it has any."""
    mine = names_in("of " + claim)
    whole = f"{hit.metadata.title}. {hit.passage.text}"
    there = stem_words(whole)
    return not mine or any(stem_words(name.text) & there for name in mine)


def _is_same_event(claim: str, hit: Hit, best: Comparison) -> bool:
    """Return whether a sentence that differs from a claim is about the same event.

    It must differ in one fact only, and share a name or a figure with the claim, or nearly all of
    its words: "the mine laid off 200" isn't contradicted by what is said of another mine.
    """
    differing = {problem.text for problem in best.problems if problem.kind in ("figure", "name")}
    if len(differing) > DIFFERING_FACTS:
        return False
    named = any(problem.kind == "name" for problem in best.problems)
    if named and _PRONOUN.search(best.sentence.text):
        return False  # which may stand for the claim's name
    around = " ".join(
        (best.sentence.text, *best.sentence.before, hit.metadata.title, hit.passage.text)
    )
    theirs = split_terms(around)
    facts = [
        term
        for term in split_terms(claim)
        if term.kind in ("name", "figure", "date") and not _is_of(term, differing)
    ]
    if any(same_term(term, other) for term in facts for other in theirs):
        return True
    words = sum(term.kind == "word" for term in split_terms(claim))
    return best.coverage >= SAME_WORDS and words >= LEAST_WORDS


def _is_of(term: Term, texts: set[str]) -> bool:
    return any(term.text in text or text in term.text for text in texts)


def _unaccounted_words(claim: str, sentence: EvidenceSentence) -> list[str]:
    """Return the words of a claim that a sentence lacks, or has in another order.

    Between the claim's commas the order must be the sentence's: "police shot strikers" isn't
    "strikers shot police". Words that the sentences before it have may stand anywhere.
    """
    around = [term for text in (*sentence.before, sentence.title) for term in split_terms(text)]
    missing: list[str] = []
    for clause in re.split(r"[,;:–—]\s+", claim):
        missing += _out_of_order(_solid_terms(clause), list(sentence.terms), around)
    return missing or _other_subject(claim, sentence)


def _other_subject(claim: str, sentence: EvidenceSentence) -> list[str]:
    """Return the words that open a claim if a sentence has another subject in their place.

    "He opened the bridge" may stand for the name that opens the claim, "Berg opened it" doesn't.
    """
    mine, theirs = _solid_terms(claim), _solid_terms(sentence.text)
    opening: list[Term] = []
    for term in mine:
        if any(same_term(term, other) for other in theirs):
            break
        opening.append(term)
    opening = [term for term in opening if not _is_in_known_name(term, claim, theirs)]
    if not opening or not theirs or leans_on_previous(sentence.text):
        return []
    return [] if any(same_term(theirs[0], term) for term in mine) else [opening[0].text]


def _is_in_known_name(term: Term, claim: str, theirs: Sequence[Term]) -> bool:
    """Return whether a sentence has another part of the name that a term is in: "Mr Aalto"."""
    for name in names_in(claim):
        if name.start <= term.start < name.end:
            parts = [one for one in _solid_terms(claim) if name.start <= one.start < name.end]
            return any(same_term(part, other) for part in parts for other in theirs)
    return False


def _solid_terms(text: str) -> list[Term]:
    spoken = ATTRIBUTED.search(text)
    return [
        term
        for term in split_terms(text)
        if term.kind in ("word", "name", "figure")
        and not is_negator(term)
        and not (spoken and spoken.start() <= term.start < spoken.end())
    ]


def _out_of_order(
    mine: Sequence[Term], theirs: Sequence[Term], around: Sequence[Term]
) -> list[str]:
    missing: list[str] = []
    at = 0
    for term in mine:
        place = next((j for j in range(at, len(theirs)) if same_term(term, theirs[j])), None)
        if place is not None:
            at = place + 1
            continue
        elsewhere = any(same_term(term, other) for other in theirs[:at])
        before = any(same_term(term, other) for other in around)
        if (term.kind == "word" and elsewhere) or not (elsewhere or before):
            missing.append(term.text)
    return missing
