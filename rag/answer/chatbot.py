"""Chatbot: a question in, growing answers out, every statement with the words it rests on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from rag.answer.extractive import append_statement, compose_answer, quote_statement
from rag.answer.followups_llm import condense_question
from rag.answer.llm import SentenceStream
from rag.answer.premises import PremiseConflict, check_premise
from rag.answer.prompts import DOES_NOT_SAY, build_messages, fit_to_context
from rag.answer.refusal import (
    answer_confidence,
    excluded_hit_reason,
    low_confidence_notice,
    refusal_answer,
    refusal_reason,
)
from rag.answer.retractions import add_correction_notes, cites_retracted
from rag.answer.sentence_scoring import SentenceCandidate, score_sentences, texts_of
from rag.archive.snapshot import ArchiveSnapshot
from rag.errors import ChatModelError
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import RetrievalResult, retrieve, understand_question
from rag.schema import Answer, Filters, Hit, Usage
from rag.settings import Settings, Unsupported
from rag.verify.statements import verify_statement
from rag.verify.verifier import Entails, Verifier

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.archive.archive import Archive


class Chatbot:
    """Answers questions from an archive; without a chat model, in the articles' own words."""

    def __init__(
        self,
        archive: SearchBackend,
        chat_model: BaseChatModel | None = None,
        *,
        unsupported: Unsupported = "strict",
        timeout: float = 60.0,
        context_tokens: int = 6000,
        entails: Entails | None = None,
        prices: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """`timeout` is the longest silence of the chat model, in seconds.

        `prices` are those of a million tokens that it is given and that it writes.
        """
        self.archive = archive
        self.chat_model = chat_model
        self.unsupported = unsupported
        self.timeout = timeout
        self.context_tokens = context_tokens
        self.entails = entails
        self.prices = prices
        self._opened: Archive | None = None  # what `close` closes

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | None = None, *, settings: Settings | None = None
    ) -> Chatbot:
        """Open the archive at `path` with the chat model of the settings, if one is set.

        The chatbot is a context manager, which closes that archive; or call `close`.
        """
        from rag.archive.archive import Archive

        settings = settings or Settings.from_environment()
        archive = Archive.open(path, settings=settings)
        try:
            chatbot = cls.over(archive, settings)
        except BaseException:
            archive.close()
            raise
        chatbot._opened = archive
        return chatbot

    def __enter__(self) -> Chatbot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive if `open` opened it; one that was handed in stays open."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @classmethod
    def over(cls, archive: Archive, settings: Settings) -> Chatbot:
        """Return a chatbot over an archive that is open, with what the settings name."""
        from rag.models.loading import open_chat_model, open_entailment_model

        return cls(
            archive,
            open_chat_model(settings),
            unsupported=settings.unsupported,
            timeout=settings.timeout,
            context_tokens=settings.chat_context_tokens,
            entails=open_entailment_model(settings),
            prices=(settings.chat_price_in, settings.chat_price_out),
        )

    def stream(
        self,
        question: str | ParsedQuery,
        *,
        filters: Filters = Filters(),
        asked_on: datetime | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
        as_of: datetime | None = None,
    ) -> Iterator[Answer]:
        """Yield the answer as it grows, each time whole; the last one is complete.

        `as_of` a day, from the archive as it stood at its end, asked on that day if not said. A
        question that was parsed is answered as it is, whatever `asked_on` and `history` are.
        """
        if as_of is not None:
            then = self.as_of(as_of)
            yield from then.stream(
                question, filters=filters, asked_on=asked_on, history=history, k=k
            )
            return
        past = self.archive if isinstance(self.archive, ArchiveSnapshot) else None
        asked_on = asked_on or (past.day if past else None)
        for answer in self._stream(question, filters, asked_on, history, k):
            answer = add_correction_notes(answer)
            yield past.with_correction_notes(answer, access=filters.access) if past else answer

    def as_of(self, day: datetime) -> Chatbot:
        """Return the same chatbot over the archive as it stood at the end of a day."""
        then = copy(self)
        then._opened = None
        then.archive = cast("Archive", self.archive).as_of(day)
        return then

    def _parsed(
        self,
        question: str | ParsedQuery,
        filters: Filters,
        asked_on: datetime | None,
        history: Sequence[tuple[str, Answer] | str],
    ) -> tuple[ParsedQuery, Usage]:
        """Return the question, parsed once for all that follows, and the tokens that it took."""
        used = Usage()
        if isinstance(question, ParsedQuery):
            return question, used
        if self.chat_model is not None:
            writer = SentenceStream(self.chat_model, timeout=self.timeout, prices=self.prices)
            question, used = condense_question(question, history, writer), writer.usage
            history = ()
        parsed = understand_question(
            self.archive, question, asked_on=asked_on, history=history, access=filters.access
        )
        return parsed, used

    def _stream(
        self,
        question: str | ParsedQuery,
        filters: Filters,
        asked_on: datetime | None,
        history: Sequence[tuple[str, Answer] | str],
        k: int,
    ) -> Iterator[Answer]:
        asked, used = self._parsed(question, filters, asked_on, history)
        question = question if isinstance(question, str) else question.text
        found = retrieve(self.archive, asked, k, filters=filters)
        ranked = score_sentences(self.archive, found)
        why = refusal_reason(found.question, ranked)
        denial = check_premise(found.question, ranked)
        if why and denial is None:  # a denial is worth telling
            hits, notice = found.nearest_hits, found.notice
            told = self._elsewhere(found, filters)
            if told is not None:
                why, hits, notice = (
                    excluded_hit_reason(told, found.question, filters),
                    (told, *hits),
                    "",
                )
            refused = refusal_answer(found.question, hits, why, filters)
            yield replace(
                refused,
                question=question,
                candidates_considered=found.considered,
                usage=used,
                notice=notice,
            )
            return
        begun = Answer(
            question=question,
            hits=found.hits,
            understood=found.question.describe(),
            candidates_considered=found.considered,
            usage=used,
            notice=_joined(denial.notice if denial else "", found.notice),
        )
        if self.chat_model is None:
            yield from self._extractive(begun, found, ranked, denial)
        else:
            yield from self._written(begun, found, ranked, denial, filters)

    def ask(
        self,
        question: str,
        *,
        filters: Filters = Filters(),
        asked_on: datetime | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
        as_of: datetime | None = None,
    ) -> Answer:
        """Return the complete answer: the last of `stream`."""
        answer = Answer(question=question)
        for answer in self.stream(  # noqa: B007  (the last one is what is wanted)
            question, filters=filters, asked_on=asked_on, history=history, k=k, as_of=as_of
        ):
            pass
        return answer

    def _elsewhere(self, found: RetrievalResult, filters: Filters) -> Hit | None:
        """Return what says it outside of the filters and the question's window, if anything.

        Rights are no such filter: what may not be read is not told of.
        """
        asked = found.question
        if not filters and asked.time_range is None and not asked.publishers:
            return None
        may_read = Filters(access=filters.access)
        open_to_all = retrieve(self.archive, asked.query, filters=may_read, asked_on=asked.asked_on)
        ranked = score_sentences(self.archive, open_to_all)
        inside = {hit.passage for hit in found.hits}
        if refusal_reason(open_to_all.question, ranked) or ranked[0].hit.passage in inside:
            return None
        return ranked[0].hit

    def _extractive(
        self,
        answer: Answer,
        found: RetrievalResult,
        ranked: Sequence[SentenceCandidate],
        denial: PremiseConflict | None,
    ) -> Iterator[Answer]:
        articles = texts_of(self.archive, answer.hits)
        if denial is not None:
            ranked = [denial.candidate, *(c for c in ranked if c is not denial.candidate)]
        shown = compose_answer(found.question, ranked, articles)
        apart = denial is not None or found.question.expected.layout != "best first"
        sure = None if apart else answer_confidence(ranked)
        unsure = low_confidence_notice(sure) if sure is not None else ""
        notice = _joined(answer.notice, shown.notice, unsure)
        answer = replace(answer, notice=notice, confidence=sure)
        for candidate, before in shown.picked:
            article = articles.get(candidate.hit.passage.article_id, "")
            answer = append_statement(answer, quote_statement(candidate, article, before))
            yield answer

    def _written(
        self,
        answer: Answer,
        found: RetrievalResult,
        ranked: Sequence[SentenceCandidate],
        denial: PremiseConflict | None,
        filters: Filters,
    ) -> Iterator[Answer]:
        """Yield what the chat model writes, each sentence checked as it ends.

        Where nothing of it can be shown, the articles' own words are, with a notice that says so.
        """
        assert self.chat_model is not None
        hits = fit_to_context(found.hits, found.question.text, self.context_tokens)
        answer = replace(answer, hits=tuple(hits))
        verifier = Verifier(self.archive.embed, entails=self.entails)
        writer = SentenceStream(self.chat_model, timeout=self.timeout, prices=self.prices)
        writer.usage = answer.usage
        notice = "What the chat model wrote is not borne out by the passages"
        try:
            for sentence in writer.sentences(
                build_messages(found.question.text, hits, found.question.asked_on)
            ):
                if is_refusal(sentence):
                    if not answer.statements and not answer.rejected_statements:
                        why = "So the chat model judged from the closest articles."
                        refused = refusal_answer(found.question, hits, why, filters)
                        yield replace(refused, question=answer.question, usage=writer.usage)
                        return
                    continue
                statement = verify_statement(
                    sentence, hits, verifier, articles=texts_of(self.archive, hits)
                )
                if cites_retracted(statement):
                    answer = replace(
                        answer, rejected_statements=(*answer.rejected_statements, statement)
                    )
                elif statement.support == "supported" or (
                    self.unsupported == "mark" and statement.text
                ):
                    answer = append_statement(answer, statement)
                    yield answer
                elif statement.text:
                    answer = replace(
                        answer, rejected_statements=(*answer.rejected_statements, statement)
                    )
        except ChatModelError as error:
            notice = str(error)
        if answer.statements:
            cut = f"The answer may be incomplete: {writer.cut_short}." if writer.cut_short else ""
            yield replace(answer, usage=writer.usage, notice=_joined(answer.notice, cut))
            return
        notice = _joined(answer.notice, f"{notice}; these are the articles' own words.")
        begun = replace(answer, hits=found.hits, usage=writer.usage, notice=notice)
        yield from self._extractive(begun, found, ranked, denial)


def _joined(*notices: str) -> str:
    return " ".join(filter(None, notices))


def is_refusal(sentence: str) -> bool:
    """Whether a chat model's sentence says that the archive does not say."""
    low = sentence.lower().replace("’", "'")
    return DOES_NOT_SAY.lower().rstrip(".") in low or bool(_REFUSAL.search(low))


_REFUSAL = re.compile(
    r"\b(?:passages?|archive|articles?|context|provided (?:text|information)) (?:do(?:es)?|did) "
    r"(?:not|n't) (?:say|mention|contain|provide|give|answer|state|specify|include)"
    r"|\bi (?:cannot|can't|am unable to|'m sorry|am sorry)\b"
)
