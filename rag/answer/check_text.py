"""Check a draft against the archive, sentence by sentence."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, Literal

from rag.answer.claim_verdicts import Finding, judge_hit
from rag.answer.draft_sentences import DraftSentence, split_draft
from rag.answer.sentence_scoring import texts_of
from rag.citations import number_citations
from rag.errors import InvalidValueError
from rag.query.answer_type import classify_question
from rag.query.length_limit import LONGEST_QUESTION
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import retrieve
from rag.schema import Citation, Filters, Hit, Notice, Span, Statement
from rag.serialize import Serializable
from rag.validation import validate_question_time
from rag.verify.verifier import ABOUT_AS_NEAR, CLEAR_FROM, Verifier

Outcome = Literal[
    "supported", "partly", "contradicted", "not in the archive", "no claim", "not checked"
]
OUTCOMES: Final[tuple[Outcome, ...]] = (
    *("supported", "partly", "contradicted", "not in the archive", "no claim", "not checked"),
)

LONGEST_TEXT = 50_000  # characters of a draft, about 8,000 words
MOST_SENTENCES = 200  # sentences with a claim that one check looks up
SECONDS = 60.0  # after which the remaining sentences are "not checked"
HITS = 8  # passages that a sentence is compared with
MODEL_HITS = 3  # of them, those that an entailment or a grounding model reads
MEANT_HITS = 3  # passages whose meaning is compared where words don't decide
# Similarity from which a passage tells of the same: in docs/benchmarks.md, sentences that the
# archive doesn't have reach 0.62 at most, and 35 of 40 true ones in other words exceed this.
SAME_MEANING = 0.65
MOST_CITED = 2  # articles cited for a sentence


@dataclass(frozen=True, slots=True)
class CheckedSentence(Serializable):
    """A sentence of a draft, and what the archive says about it.

    Attributes:
        text: The sentence.
        start: Its start in the draft, in characters.
        end: Its end, exclusive.
        outcome: "supported", "partly", "contradicted", "not in the archive", "no claim" (a
            question, a heading, an opinion), or "not checked".
        citations: The passages that support or contradict it, or come near it.
        reason: What is missing, or what differs; None if it is supported or makes no claim.
        claim: The sentence as it was looked up: with a name for "he", a year beside a bare date.
    """

    text: str
    start: int
    end: int
    outcome: Outcome
    citations: tuple[Citation, ...] = ()
    reason: Notice | None = None
    claim: str = ""


@dataclass(frozen=True, slots=True)
class TextCheck(Serializable):
    """The sentences of a draft, in order, each with its outcome.

    Attributes:
        sentences: The sentences.
    """

    sentences: tuple[CheckedSentence, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        """The number of sentences of each outcome."""
        found = Counter(sentence.outcome for sentence in self.sentences)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Distinct citations, in the order of their numbers."""
        unique = {(c.number, c.start, c.end): c for s in self.sentences for c in s.citations}
        return tuple(sorted(unique.values(), key=lambda c: (c.number, c.start)))


class TextChecker:
    """Checks drafts against an archive.

    Args:
        archive: The archive, as the reader may see it.
        verifier: Compares sentences with passages; its models, if any, judge what exact comparison
            leaves open.
        seconds: The time after which the remaining sentences are "not checked".
    """

    def __init__(
        self, archive: SearchBackend, verifier: Verifier, *, seconds: float = SECONDS
    ) -> None:
        self._archive = archive
        self._verifier = verifier
        self._seconds = seconds

    def check(
        self, text: str, *, filters: Filters = Filters(), written_on: date | None = None
    ) -> TextCheck:
        """Check a draft.

        Args:
            text: The draft, as plain text or Markdown.
            filters: The filters that the articles must pass.
            written_on: The day of the draft, now by default.

        Returns:
            Its sentences with their outcomes; the citations are numbered through.

        Raises:
            InvalidValueError: The draft is empty or too long, or `written_on` is no date.
        """
        return number_check(self.stream(text, filters=filters, written_on=written_on))

    def stream(
        self, text: str, *, filters: Filters = Filters(), written_on: date | None = None
    ) -> Iterator[CheckedSentence]:
        """Yield the sentences of a draft as they are checked; see `check`.

        The citations of each sentence are numbered from 1.
        """
        validate_draft(text)
        asked_on = validate_question_time(written_on, "written_on") or datetime.now(UTC)
        until = time.monotonic() + self._seconds
        looked_up = 0
        for sentence in split_draft(text):
            if not sentence.claim:
                yield _outcome(sentence, "no claim")
                continue
            looked_up += 1
            if looked_up > MOST_SENTENCES:
                why = Notice("check_too_many_sentences", most=MOST_SENTENCES)
                yield _outcome(sentence, "not checked", why)
            elif time.monotonic() > until:
                yield _outcome(sentence, "not checked", Notice("check_out_of_time"))
            else:
                yield self._check(sentence, filters, asked_on)

    def _check(
        self, sentence: DraftSentence, filters: Filters, asked_on: datetime
    ) -> CheckedSentence:
        hits = self._find(sentence, filters, asked_on)
        articles = texts_of(self._archive, hits)
        compared = self._verifier.has_model
        findings = [
            judge_hit(
                sentence, hit, self._verifier, article=articles.get(hit.passage.article_id, "")
            )
            for hit in hits
        ]
        if compared:
            findings = self._ask_model(sentence, findings, articles)
        decided = decide(sentence, findings)
        if decided.outcome == "not in the archive":
            return self._find_other_words(sentence, findings) or decided
        return decided

    def _find_other_words(
        self, sentence: DraftSentence, findings: Sequence[Finding]
    ) -> CheckedSentence | None:
        """Return "partly" if a passage means much the same in words that can't be compared."""
        about = sorted((each for each in findings if each.is_about), key=lambda one: -one.matched)
        near = [
            each
            for each in about[:MEANT_HITS]
            if self._verifier.signals(sentence.claim, each.hit.passage.text)["meaning"]
            >= SAME_MEANING
        ]
        return _outcome(sentence, "partly", Notice("check_other_words"), near) if near else None

    def _ask_model(
        self, sentence: DraftSentence, findings: Sequence[Finding], articles: Mapping[str, str]
    ) -> list[Finding]:
        """Return the findings with a model's judgement of the passages that come nearest."""
        nearest = sorted(findings, key=lambda each: -each.matched)[:MODEL_HITS]
        return [
            judge_hit(
                sentence,
                each.hit,
                self._verifier,
                article=articles.get(each.hit.passage.article_id, ""),
                ask_model=True,
            )
            if each in nearest
            else each
            for each in findings
        ]

    def _find(self, sentence: DraftSentence, filters: Filters, asked_on: datetime) -> list[Hit]:
        """Return the passages to compare a sentence with.

        Its dates and publishers don't narrow the search: a passage with another date contradicts.
        """
        queries = [sentence.claim]
        if sentence.context:
            queries.append(f"{sentence.context} {sentence.claim}")
        elif sentence.about:
            queries.append(f"{' '.join(sentence.about)} {sentence.claim}")
        found: dict[tuple[str, int], Hit] = {}
        for query in queries:
            for hit in retrieve(
                self._archive, _as_question(query, asked_on), HITS, filters=filters
            ).hits:
                found.setdefault((hit.passage.article_id, hit.passage.start), hit)
        return list(found.values())


def number_check(sentences: Iterable[CheckedSentence]) -> TextCheck:
    """Return sentences as a checked draft, with their citations numbered through."""
    found = tuple(sentences)
    statements = [Statement(one.text, one.citations) for one in found]
    numbered = number_citations(statements)
    return TextCheck(
        tuple(
            replace(one, citations=statement.citations)
            for one, statement in zip(found, numbered, strict=True)
        )
    )


def validate_draft(text: str) -> None:
    """Raise InvalidValueError if a draft is empty or too long."""
    if not text.strip():
        raise InvalidValueError("The text to check is empty. Give at least one sentence.")
    if len(text) > LONGEST_TEXT:
        raise InvalidValueError(
            f"The text to check has {len(text):,} characters; at most {LONGEST_TEXT:,} are "
            "allowed. Check it in parts."
        )


def _as_question(claim: str, asked_on: datetime) -> ParsedQuery:
    text = " ".join(claim.split())[:LONGEST_QUESTION]
    expected = classify_question(text)
    return ParsedQuery(text, text, asked_on, expected, expected, time_neutral=True)


def decide(sentence: DraftSentence, findings: Sequence[Finding]) -> CheckedSentence:
    """Return the outcome for a sentence from what each passage says about it.

    Args:
        sentence: The sentence.
        findings: The findings, one a passage.
    """
    ranked = sorted(findings, key=lambda each: -each.matched)
    by_outcome: dict[str, list[Finding]] = {}
    for each in ranked:
        by_outcome.setdefault(each.outcome, []).append(each)
    supporting = by_outcome.get("supported", [])
    most = max((each.matched for each in findings), default=0.0)
    otherwise = by_outcome.get("contradicted", [])
    # A sentence that is less like the claim than another tells of something else.
    against = [each for each in otherwise if each.matched >= most - ABOUT_AS_NEAR]
    clearly = [each for each in otherwise if each.coverage >= CLEAR_FROM]
    if supporting and clearly and _is_later(clearly, supporting):
        return _outcome(
            sentence, "partly", Notice("check_archive_disagrees"), [supporting[0], clearly[0]]
        )
    for outcome, found in (
        ("supported", supporting),
        ("contradicted", against),
        ("partly", by_outcome.get("partly", [])),
    ):
        if found:
            return _outcome(sentence, outcome, found[0].reason, found)  # type: ignore[arg-type]
    other = by_outcome.get("not checked", [])
    if other and len(other) == len(ranked):
        return _outcome(sentence, "not checked", other[0].reason)
    return _outcome(sentence, "not in the archive", Notice("check_nothing_found"))


def _is_later(against: Sequence[Finding], supporting: Sequence[Finding]) -> bool:
    """Return whether an article that contradicts is as new as those that support, or newer."""
    oldest = datetime.min.replace(tzinfo=UTC)
    newest = max(each.hit.metadata.published or oldest for each in supporting)
    return any((each.hit.metadata.published or oldest) >= newest for each in against)


def _outcome(
    sentence: DraftSentence,
    outcome: Outcome,
    reason: Notice | None = None,
    found: Sequence[Finding] = (),
) -> CheckedSentence:
    cited: dict[str, Citation] = {}
    for each in found:
        if len(cited) < MOST_CITED:
            cited.setdefault(each.hit.passage.article_id, each.cite(len(cited) + 1))
    span: Span = sentence.span
    return CheckedSentence(
        sentence.text, span.start, span.end, outcome, tuple(cited.values()), reason, sentence.claim
    )
