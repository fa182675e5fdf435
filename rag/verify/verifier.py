"""Verify claims against passages: exact comparison first, then a model's judgement or signals.

Signals never remove a claim: what they can't decide is "unverified".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rag.nlp.numbers import is_number_supported
from rag.nlp.sentences import split_sentences
from rag.nlp.tokens import stem_words
from rag.schema import Hit, Notice, Span, Support
from rag.verify.accusations import accusations, has_accusations
from rag.verify.comparison import Comparison, compare
from rag.verify.evidence import EvidenceSentence, evidence_sentences
from rag.verify.fact_checks import (
    altered_quotes,
    lost_attribution,
    normalize,
    opens_with_common_word,
    wrong_names,
    wrong_numbers,
    wrong_speaker,
    wrong_titles,
)
from rag.verify.figures import (
    crosses_figure,
    is_computed,
    is_counted,
    is_range,
    misattributed_figure,
)
from rag.verify.foreign import english_figures, is_foreign
from rag.verify.hedges import split_hedge, strip_direct_answer
from rag.verify.judges import Entails as Entails  # re-exported beside `Embed`
from rag.verify.judges import GroundingModel
from rag.verify.reader_instructions import has_address, instructs_reader
from rag.verify.support import (
    MOST_EMBEDDED,
    WEIGHTS,
    lexical_signals,
    max_similarity,
    most_similar_sentences,
)
from rag.verify.terms import names_in, numbers_in

Vectors = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]

# Share of a claim's words in one sentence from which it is supported without a model.
# Measured: docs/benchmarks.md#statement-checks
CLEAR_FROM = 0.8
ENTAILED_FROM = 0.5  # of an entailment model
GROUNDED_FROM = 0.5  # of a grounding model
NEAREST_JUDGED = 3  # nearest sentences that an entailment model also judges alone
ABOUT_AS_NEAR = 0.5  # weight of terms by which a sentence is less like a claim than the nearest
MOST_COMPARED = 12  # sentences of the passages that a claim is compared with, by words in common

# Reasons for which a claim is removed in any case: exact comparison found a mismatch.
HARD_REASONS = frozenset(
    """addresses_reader accusation_unproven empty_statement no_citation quote_altered
    number_missing name_missing figure_of_other nothing_in_passages retracted""".split()
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Support of a claim, the reason if it lacks support, and its probability (0 to 1).

    Attributes:
        support: The support.
        reason: The reason; None for a supported claim.
        probability: The probability that the claim is supported.
        is_exact: Whether exact comparison decided, so that no model need judge.
        unsupported: The ranges of the claim that a grounding model finds unsupported.
    """

    support: Support
    reason: Notice | None = None
    probability: float = 1.0
    is_exact: bool = False
    unsupported: tuple[Span, ...] = ()

    @property
    def is_hard(self) -> bool:
        """True if the claim is removed in any case: contradicted, or an exact mismatch."""
        return must_remove(self.support, self.reason)


def must_remove(support: Support, reason: Notice | None) -> bool:
    """Return whether a statement with this verdict is never shown, not even marked."""
    hard = reason is not None and reason.code in HARD_REASONS
    return support == "contradicted" or (support == "not supported" and hard)


@dataclass(frozen=True, slots=True)
class ClaimComparison:
    """A claim beside the passages' sentence that is most like it.

    Attributes:
        best: The comparison with that sentence; None if no sentence shares a word.
        conflict: The verdict if a sentence contradicts the claim.
        against: The comparison with that sentence; None if the conflict isn't one sentence's.
    """

    best: Comparison | None
    conflict: Verdict | None
    against: Comparison | None = None


class Verifier:
    """Verifies claims against passages; caches the passages' sentence vectors."""

    def __init__(
        self,
        embed: Embed,
        *,
        entails: Entails | None = None,
        grounding: GroundingModel | None = None,
    ) -> None:
        """Create a verifier.

        Args:
            embed: Returns the unit vectors of texts.
            entails: Entailment model that judges what exact comparison leaves open.
            grounding: Grounding model that does so instead.
        """
        self._embed = embed
        self._entails = entails
        self._grounding = grounding
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}

    @property
    def has_model(self) -> bool:
        """True if an entailment or a grounding model judges claims."""
        return self._entails is not None or self._grounding is not None

    def without_models(self) -> Verifier:
        """Return a verifier that decides by exact comparison alone, with the same vectors."""
        exact = Verifier(self._embed)
        exact._vectors = self._vectors
        return exact

    def verify(self, claim: str, hits: Sequence[Hit], *, article: str = "") -> Verdict:
        """Decide whether passages together support a claim.

        Args:
            claim: The claim.
            hits: The passages.
            article: Full text of their articles, to complete bare surnames.
        """
        if has_address(claim) or instructs_reader(claim):
            return Verdict("not supported", Notice("addresses_reader"), 0.0, True)
        if not hits:
            return Verdict("not supported", Notice("no_citation"), 0.0, True)
        passage = "\n\n".join(hit.passage.text for hit in hits)
        if _is_verbatim(claim, passage) and not is_spoken(claim, passage):
            return Verdict("supported", is_exact=True)
        hedge, claim = split_hedge(strip_direct_answer(_strip_brackets(claim)))
        if not any(character.isalnum() for character in claim):
            return Verdict("unverified", Notice("not_decidable"), 0.5)
        if is_foreign(claim, passage):
            return self._verify_foreign(claim, hits, passage)
        mine = stem_words(claim)
        if not mine:
            return Verdict("not supported", Notice("empty_statement"), 0.0, True)
        if re.search(r"\s[A-Z]", claim) and mine.isdisjoint(
            stem_words(_with_metadata(hits, passage))
        ):
            return Verdict("not supported", Notice("nothing_in_passages"), 0.0, True)
        verdict = self._verify(claim, hits, passage, article)
        if hedge and verdict.support == "supported":
            return Verdict("unverified", Notice("not_decidable"), verdict.probability)
        return verdict

    def compare(self, claim: str, hits: Sequence[Hit]) -> ClaimComparison:
        """Compare a claim, word by word, with the sentences of passages that are most like it.

        Unlike `verify`, it asks no model, and looks for what contradicts a claim even if a figure
        or a name of it is nowhere in the passages.

        Args:
            claim: The claim.
            hits: The passages.
        """
        _, claim = split_hedge(strip_direct_answer(_strip_brackets(claim)))
        passage = "\n\n".join(hit.passage.text for hit in hits)
        compared = _compare_sentences(claim, hits, passage)
        best = max(compared, key=lambda each: (each.matched, each.coverage), default=None)
        against = _find_contradicting(compared)
        return ClaimComparison(best, _find_conflict(claim, hits, compared), against)

    def _verify_foreign(self, claim: str, hits: Sequence[Hit], passage: str) -> Verdict:
        for text in _missing_numbers(english_figures(claim), hits, passage):
            return Verdict("not supported", Notice("number_missing", number=text), 0.0, True)
        if self.has_model:
            return self._judge(claim, passage)
        return Verdict("unverified", Notice("other_language"), 0.5)

    def _verify(self, claim: str, hits: Sequence[Hit], passage: str, article: str) -> Verdict:
        missing = _find_missing(claim, hits, passage)
        if missing is not None:
            return missing
        compared = _compare_sentences(claim, hits, passage)
        best = max(compared, key=lambda c: (c.matched, c.coverage), default=None)
        clear = next((c for c in compared if not c.problems and c.coverage >= CLEAR_FROM), None)
        said_by = lost_attribution(claim, passage)
        named = any(name.end == len(said_by) for name in names_in(said_by))  # not "officials"
        accusing = accusations(claim)
        if accusing and not (
            clear and not said_by and has_accusations(accusing, clear.sentence.terms)
        ):
            return self._judge_accusation(claim, passage, best)
        if named:
            return Verdict("partly", Notice("passage_attributes", speaker=said_by), 0.5)
        other = wrong_speaker(claim, passage, article)
        if other:
            return Verdict("contradicted", Notice("passage_quotes_other", speaker=other), 0.0, True)
        for titled in wrong_titles(claim, passage):
            return Verdict("contradicted", Notice("title_missing", title=titled), 0.0, True)
        if clear is not None and not crosses_figure(claim, clear.sentence.text):
            return self._confirm(claim, passage, clear)
        return _find_conflict(claim, hits, compared) or self._judge(claim, passage, best)

    def _judge_accusation(self, claim: str, passage: str, best: Comparison | None) -> Verdict:
        judged = self._judge(claim, passage, best) if self._entails is not None else None
        if judged is not None and judged.support == "supported":
            return judged
        if best is not None and best.contradicts:
            return _contradiction(best)
        return Verdict("not supported", Notice("accusation_unproven"), 0.0, True)

    def _confirm(self, claim: str, passage: str, clear: Comparison) -> Verdict:
        """Return the verdict on a claim in nearly a sentence's words, without a mismatch."""
        if self.has_model:
            return self._judge(claim, passage)
        return Verdict("supported", probability=clear.coverage)

    def _judge(self, claim: str, passage: str, best: Comparison | None = None) -> Verdict:
        if self._entails is not None:
            return _judge_entailment(self._entails, claim, passage)
        if self._grounding is not None:
            return _judge_grounding(self._grounding, claim, passage)
        return Verdict("unverified", _doubt(best), best.coverage if best else 0.0)

    def probability(self, claim: str, passage: str | Sequence[str]) -> float:
        """Return the probability by the support score that a passage supports a claim."""
        signals = self.signals(claim, passage)
        return 1 / (1 + math.exp(-sum(WEIGHTS[name] * value for name, value in signals.items())))

    def signals(self, claim: str, passage: str | Sequence[str]) -> dict[str, float]:
        """Return the signals of the support score.

        Args:
            claim: The claim.
            passage: The passage, or its sentences.
        """
        texts = (
            [passage[s.start : s.end] for s in split_sentences(passage)]
            if isinstance(passage, str)
            else list(passage)
        )
        near = [texts[i] for i in most_similar_sentences(claim, texts, MOST_EMBEDDED)]
        missing = [t for t in (claim, *near) if t not in self._vectors]
        if missing:
            self._vectors.update(zip(missing, self._embed(missing), strict=True))
        vectors = (
            np.stack([self._vectors[t] for t in near]) if near else np.zeros((0, 1), np.float32)
        )
        return {
            **lexical_signals(claim, texts),
            "meaning": max_similarity(self._vectors[claim], vectors),
            "constant": 1.0,
        }


def _strip_brackets(claim: str) -> str:
    return re.sub(r"(?:(?<!\s)\s+)?+\[[^\]]{0,300}\]\s*+", " ", claim).strip()


def _is_verbatim(claim: str, passage: str) -> bool:
    """Return True if the claim consists of complete sentences of the passage."""
    words = normalize(claim).strip(" .\"'")
    return bool(words) and bool(
        re.search(rf"(?:^|[.!?\"'\n] ?){re.escape(words)}(?:[.!?\"']|$)", normalize(passage))
    )


def is_spoken(claim: str, passage: str) -> bool:
    """Return whether the passage has a claim only as somebody's words."""
    return bool(lost_attribution(claim, passage) or wrong_speaker(claim, passage))


def _find_missing(claim: str, hits: Sequence[Hit], passage: str) -> Verdict | None:
    """Return the verdict on a quotation, figure, date or name that is nowhere in the evidence."""
    for quote in altered_quotes(claim, passage):
        return Verdict("not supported", Notice("quote_altered", quote=quote), 0.0, True)
    for text in _missing_numbers(claim, hits, passage):
        return Verdict("not supported", Notice("number_missing", number=text), 0.0, True)
    for name in wrong_names(claim, _with_metadata(hits, passage)):
        return Verdict("not supported", Notice("name_missing", name=name), 0.0, True)
    return None


def _with_metadata(hits: Sequence[Hit], passage: str) -> str:
    metadata = (
        f"{h.metadata.title}. {h.metadata.publisher} {' '.join(h.metadata.authors)}" for h in hits
    )
    return f"{passage}\n{' '.join(metadata)}"


def _published(hits: Sequence[Hit]) -> datetime | None:
    return max((h.metadata.published for h in hits if h.metadata.published), default=None)


def _missing_numbers(claim: str, hits: Sequence[Hit], passage: str) -> list[str]:
    """Return the figures and dates that the evidence neither has nor implies."""
    everything = _with_metadata(hits, passage)
    missing = wrong_numbers(claim, everything, _published(hits))
    excused = _computed_figures(claim, everything) if missing else frozenset()
    return [text for text in missing if text not in excused]


def _computed_figures(claim: str, evidence: str) -> frozenset[str]:
    """Return the figures of a claim that are counted, or follow from several of the evidence."""
    shown = numbers_in(evidence)
    return frozenset(
        figure.text
        for figure in numbers_in(claim)
        if not is_number_supported(figure, shown)
        and (is_counted(figure) or is_range(figure, shown) or is_computed(figure, claim, shown))
    )


def _compare_sentences(claim: str, hits: Sequence[Hit], passage: str) -> list[Comparison]:
    """Return the claim's comparisons with the sentences that share most words with it."""
    listed = [(sentence, hit) for hit in hits for sentence in evidence_sentences(hit)]
    near = most_similar_sentences(claim, [s.text for s, _ in listed], MOST_COMPARED)
    figures = _computed_figures(claim, passage)
    common = opens_with_common_word(claim, _with_metadata(hits, passage))
    return [
        compare(
            claim,
            listed[i][0],
            listed[i][1].metadata.published,
            computed=figures,
            common_opening=common,
        )
        for i in near
    ]


def _find_conflict(
    claim: str, hits: Sequence[Hit], compared: Sequence[Comparison]
) -> Verdict | None:
    """Return the verdict on a claim that the sentences most like it contradict."""
    against = _find_contradicting(compared)
    if against is not None:
        return _contradiction(against)
    sentences: list[EvidenceSentence] = [s for hit in hits for s in evidence_sentences(hit)]
    figure = misattributed_figure(claim, sentences)
    if figure:
        return Verdict("contradicted", Notice("figure_of_other", number=figure), 0.0, True)
    return None


def _find_contradicting(compared: Sequence[Comparison]) -> Comparison | None:
    """Return the comparison that contradicts a claim, if none about as near agrees with it."""
    most = max((each.matched for each in compared), default=0.0)
    nearest = [each for each in compared if each.matched >= most - ABOUT_AS_NEAR]
    against = [each for each in nearest if each.contradicts]
    agreeing = [each for each in nearest if each.coverage >= CLEAR_FROM and each.agrees]
    return max(against, key=lambda each: each.matched) if against and not agreeing else None


_PROBLEM_CODES = {
    "figure": "passage_has_other_figure",
    "name": "passage_names_other",
    "negation": "passage_says_opposite",
    "order": "passage_swaps_roles",
    "unreal": "passage_says_possible",
    "owner": "passage_names_other",
}


def _contradiction(found: Comparison) -> Verdict:
    problem = next(p for p in found.problems if p.is_hard)
    return Verdict("contradicted", Notice(_PROBLEM_CODES[problem.kind]), 0.0, True)


def _doubt(best: Comparison | None) -> Notice:
    """Return the reason why signals don't support a claim."""
    if best is not None and best.problems and best.coverage >= CLEAR_FROM:
        return Notice(_PROBLEM_CODES[best.problems[0].kind])
    return Notice("not_decidable")


def _judge_grounding(grounding: GroundingModel, claim: str, passage: str) -> Verdict:
    (judged,) = grounding.judge([(passage, claim)])
    if judged.probability >= GROUNDED_FROM and not judged.unsupported:
        return Verdict("supported", probability=judged.probability)
    words = " … ".join(claim[s.start : s.end] for s in judged.unsupported)
    reason = Notice("words_unsupported", words=words) if words else Notice("not_in_passage")
    support: Support = "partly" if judged.probability >= GROUNDED_FROM else "not supported"
    return Verdict(support, reason, judged.probability, unsupported=judged.unsupported)


def _judge_entailment(entails: Entails, claim: str, passage: str) -> Verdict:
    texts = [passage[s.start : s.end] for s in split_sentences(passage)]
    near = " ".join(texts[i] for i in most_similar_sentences(claim, texts, NEAREST_JUDGED))
    # A model truncates long passages, and was mostly trained on pairs of sentences.
    judged = entails([(passage, claim), (near, claim)])
    entailed = max(probabilities[0] for probabilities in judged)
    contradicted = max(probabilities[2] for probabilities in judged)
    if entailed >= ENTAILED_FROM:
        return Verdict("supported", probability=entailed)
    if contradicted >= 0.5:
        return Verdict("contradicted", Notice("passage_differs"), entailed)
    return Verdict("not supported", Notice("not_in_passage"), entailed)
