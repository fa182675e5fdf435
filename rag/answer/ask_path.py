"""Ask path: from a question to its answer, quoted or written by a chat model, or a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.answer.context import WriterContext, build_context
from rag.answer.extractive import compose_answer, grow_answer
from rag.answer.followups_llm import condense_question
from rag.answer.generative import GeneratedAnswer
from rag.answer.layouts import lay_out
from rag.answer.period import refuse_period, small_talk_answer, stream_stories
from rag.answer.premises import PremiseConflict, check_premise
from rag.answer.refusal import (
    answer_confidence,
    excluded_hit_reason,
    low_confidence_notice,
    refusal_answer,
    refusal_reason,
)
from rag.answer.sentence_scoring import SentenceCandidate, score_sentences, texts_of
from rag.answer.writer import Writer
from rag.errors import ChatModelError
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, retrieve, understand_question
from rag.schema import Answer, Filters, Hit, Notice, Usage
from rag.verify.verifier import Verifier

# A chat model is given so many times the passages that an answer quotes from: it reads them all.
CONTEXT_FACTOR = 3


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question with what limits its answer.

    Attributes:
        question: The question, or a parsed one, for which `asked_on` and `history` are ignored.
        filters: The filters that the articles must pass.
        asked_on: The day from which "last week" is counted; None for now.
        history: The earlier turns, oldest first.
        k: The most passages to answer from.
    """

    question: str | ParsedQuery
    filters: Filters
    asked_on: date | None
    history: Sequence[tuple[str, Answer] | str]
    k: int

    @property
    def text(self) -> str:
        """The question as it was asked."""
        return self.question if isinstance(self.question, str) else self.question.text


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Passages found for a question, with what decides whether they answer it.

    Attributes:
        found: The passages.
        ranked: Their scored sentences, best first.
        why: Why they don't answer; None if they do.
        denial: The passage that contradicts the question's premise, if any.
    """

    found: RetrievalResult
    ranked: Sequence[SentenceCandidate] = ()
    why: Notice | None = None
    denial: PremiseConflict | None = None


def stream_answer(
    archive: SearchBackend, writer: Writer | None, request: AskRequest
) -> Iterator[Answer]:
    """Yield the answer as it grows, complete so far each time; the last one is final.

    Args:
        archive: The archive.
        writer: The chat model that writes; None for answers that quote the articles.
        request: The question with its limits.

    Yields:
        Answers, at least one.

    Raises:
        InvalidValueError: `asked_on` is not a date.
        QuestionTooLongError: The question is too long.
    """
    asked, used = _parse(archive, writer, request)
    question, filters, k = request.text, request.filters, request.k
    if asked.intent not in ("question", "period"):
        yield replace(small_talk_answer(asked), question=question, usage=used)
        return
    extractive = writer is None and asked.intent == "question"
    laid_out = lay_out(archive, asked, k, filters) if extractive else None
    if laid_out is not None:
        begun = _begin(question, laid_out.found, used, *laid_out.shown.notices)
        yield from grow_answer(begun, laid_out.shown, texts_of(archive, laid_out.found.hits))
        return
    most = k if writer is None else k * CONTEXT_FACTOR
    wide = retrieve(archive, asked, most, filters=filters)
    evidence = _weigh(archive, replace(wide, hits=wide.hits[:k]))
    found, why, denial = evidence.found, evidence.why, evidence.denial
    if asked.intent == "period" and not found.hits:
        yield replace(refuse_period(found, filters), question=question, usage=used)
        return
    # A corrected premise is an answer in itself; a chat model judges the passages by itself.
    if why and denial is None and (writer is None or not found.hits):
        yield replace(_refuse(archive, found, why, filters), question=question, usage=used)
        return
    begun = _begin(question, found, used, *([denial.notice] if denial else []))
    if writer is None:
        yield from _stream_quotations(archive, begun, evidence)
        return
    context = build_context(
        archive,
        wide,
        filters,
        request.history,
        writer.new_stream,
        most=most,
        context_tokens=writer.context_tokens,
    )
    yield from _stream_written(archive, writer, begun, evidence, filters, context)


def _parse(
    archive: SearchBackend, writer: Writer | None, request: AskRequest
) -> tuple[ParsedQuery, Usage]:
    """Return the parsed question, and the tokens that rewriting it as a standalone one used."""
    used, question, history = Usage(), request.question, request.history
    if isinstance(question, ParsedQuery):
        return question, used
    if writer is not None:
        stream = writer.new_stream()
        question, used = condense_question(question, history, stream), stream.usage
        history = ()
    access = request.filters.access
    parsed = understand_question(
        archive, question, asked_on=request.asked_on, history=history, access=access
    )
    return parsed, used


def _weigh(archive: SearchBackend, found: RetrievalResult) -> _Evidence:
    """Return what the passages say; the stories of a period answer it, whatever their words."""
    if found.question.intent == "period":
        return _Evidence(found)
    ranked = score_sentences(archive, found)
    why = refusal_reason(found.question, ranked)
    return _Evidence(found, ranked, why, check_premise(found.question, ranked))


def _begin(question: str, found: RetrievalResult, used: Usage, *notices: Notice) -> Answer:
    """Return the answer before its first statement."""
    return Answer(
        question=question,
        hits=found.hits,
        understood=found.question.describe(),
        candidates_considered=found.considered,
        usage=used,
        notices=(*notices, *found.notices),
    )


def _stream_quotations(
    archive: SearchBackend, answer: Answer, evidence: _Evidence
) -> Iterator[Answer]:
    found, ranked, denial = evidence.found, evidence.ranked, evidence.denial
    if found.question.intent == "period":
        yield from stream_stories(archive, answer, found)
        return
    articles = texts_of(archive, answer.hits)
    first = denial.candidate if denial is not None else None
    shown = compose_answer(found.question, ranked, articles, first=first)
    apart = denial is not None or found.question.expected.layout != "best first"
    sure = None if apart else answer_confidence(ranked)
    unsure = low_confidence_notice(sure) if sure is not None else ()
    notices = (*answer.notices, *shown.notices, *unsure)
    answer = replace(answer, notices=notices, confidence=sure)
    yield from grow_answer(answer, shown, articles)


def _stream_written(
    archive: SearchBackend,
    writer: Writer,
    answer: Answer,
    evidence: _Evidence,
    filters: Filters,
    context: WriterContext,
) -> Iterator[Answer]:
    """Yield the chat model's answer, each sentence verified as soon as it is complete.

    If no sentence passes verification, yield the extractive answer with a notice, or a refusal
    if the model found nothing or the passages don't answer the question.
    """
    why, denial = evidence.why, evidence.denial
    answer = replace(answer, hits=context.hits, notices=(*answer.notices, *context.notices))
    stream = writer.new_stream()
    stream.usage = answer.usage + context.usage
    written = GeneratedAnswer(
        context.hits,
        texts_of(archive, context.hits),
        stream,
        Verifier(archive.embed, entails=writer.entails, grounding=writer.grounding),
        unsupported=writer.unsupported,
        grader=writer.grader,
    )
    failed = Notice("generated_unsupported")
    try:
        yield from written.write(answer, context.prompt)
    except ChatModelError:
        failed = stream.failure or failed
    answer = replace(written.compose(answer), usage=stream.usage)
    if answer.statements:
        cut = (Notice("maybe_incomplete"), stream.failure) if stream.failure else ()
        yield replace(answer, notices=(*answer.notices, *cut))
        return
    if written.found_nothing and not answer.rejected_statements:
        why, denial = Notice("chat_model_found_nothing"), None
    elif why and answer.rejected_statements:
        why = failed  # the passages may answer; what the model wrote of them was wrong
    if why and denial is None:
        yield replace(
            _refuse(archive, evidence.found, why, filters),
            question=answer.question,
            rejected_statements=answer.rejected_statements,
            usage=answer.usage,
        )
        return
    notices = (*answer.notices, failed, Notice("quotations_instead"))
    begun = replace(answer, hits=evidence.found.hits, notices=notices)
    yield from _stream_quotations(archive, begun, replace(evidence, denial=denial))


def _refuse(
    archive: SearchBackend, found: RetrievalResult, why: Notice, filters: Filters
) -> Answer:
    """Return a refusal, with the article outside of the filters that has the answer, if any."""
    hits, notices = found.nearest_hits, found.notices
    excluded = _find_excluded_hit(archive, found, filters)
    if excluded is not None:
        why = excluded_hit_reason(excluded, found.question, filters)
        hits, notices = (excluded, *hits), found.question.notices
    refused = refusal_answer(found.question, hits, why, filters, notices)
    return replace(refused, candidates_considered=found.considered)


def _find_excluded_hit(
    archive: SearchBackend, found: RetrievalResult, filters: Filters
) -> Hit | None:
    """Return a hit that answers the question outside of the filters and time range, if any.

    Access rights still apply: an article that may not be read is not mentioned.
    """
    asked = found.question
    if not filters and asked.time_range is None and not asked.publishers:
        return None
    may_read = Filters(access=filters.access)
    open_to_all = retrieve(archive, asked.query, filters=may_read, asked_on=asked.asked_on)
    ranked = score_sentences(archive, open_to_all)
    inside = {hit.passage for hit in found.hits}
    if refusal_reason(open_to_all.question, ranked) or ranked[0].hit.passage in inside:
        return None
    return ranked[0].hit
