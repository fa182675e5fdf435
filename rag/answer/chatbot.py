"""Chatbot: answers questions from an archive and cites a source for each statement."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from copy import copy
from datetime import date
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

from rag.answer.ask_path import AskRequest, stream_answer
from rag.answer.background import iterate_in_thread
from rag.answer.check_text import SECONDS, CheckedSentence, TextCheck, TextChecker, number_check
from rag.answer.corrections import add_correction_notes
from rag.answer.instruction_notes import add_instruction_note
from rag.answer.structured_output import StructuredOutput
from rag.answer.writer import Writer
from rag.archive.restricted import RestrictedArchive
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import DatedBackend, SearchBackend
from rag.rights import Rights
from rag.schema import Answer, Filters
from rag.settings import ChatEvidence, Grader, Settings, Unsupported
from rag.verify.judges import GroundingModel
from rag.verify.verifier import Entails, Verifier

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.archive.archive import Archive


class AskOptions(TypedDict, total=False):
    """Keyword arguments of `Chatbot.ask`, `stream`, `aask` and `astream`."""

    filters: Filters
    asked_on: date | None
    history: Sequence[tuple[str, Answer] | str]
    k: int
    as_of: date | None


class Chatbot:
    """Chatbot over an archive; without a chat model, it answers with quotations.

    Several threads may use it at once.

    Examples:
        >>> with Chatbot.open("demo") as chatbot:
        ...     answer = chatbot.ask("When was the treaty signed?")
        ...     print(answer.text)
    """

    def __init__(
        self,
        archive: SearchBackend,
        chat_model: BaseChatModel | None = None,
        *,
        unsupported: Unsupported = "strict",
        timeout: float = 60.0,
        context_tokens: int = 12_000,
        entails: Entails | None = None,
        prices: tuple[float, float] = (0.0, 0.0),
        grounding: GroundingModel | None = None,
        grader: Grader = "chat",
        evidence: ChatEvidence = "auto",
    ) -> None:
        """Create a chatbot over an open archive, which `close` leaves open.

        Args:
            archive: An `Archive`, an `ArchiveSnapshot`, or any other `SearchBackend`.
            chat_model: Any LangChain chat model; None for answers that quote the articles.
            unsupported: "strict" removes statements that are judged unsupported, "mark" keeps them,
                marked by their `support`.
            timeout: The longest pause of the chat model, in seconds.
            context_tokens: The most tokens of passages to give to the chat model.
            entails: An entailment model to verify statements with; None for lexical and embedding
                signals.
            prices: The prices of a million input tokens and a million output tokens.
            grounding: A grounding model to verify statements with, if there is no entailment model.
            grader: "chat" has the chat model judge, in a call of its own, the statements that exact
                comparison leaves open, if no other model does; "none" leaves them unverified.
            evidence: "structured" asks the chat model for its sentences and their evidence as JSON
                with a schema, "plain" as text; "auto" uses the schema if the model is known to
                support it.
        """
        self.archive = archive
        self.chat_model = chat_model
        self.unsupported = unsupported
        self.timeout = timeout
        self.context_tokens = context_tokens
        self.entails = entails
        self.prices = prices
        self.grounding = grounding
        self.grader = grader
        # shared by all answers: what the provider has rejected once is not asked for again
        self._structured = StructuredOutput(chat_model, evidence) if chat_model else None
        self._opened: Archive | None = None  # the archive that `close` closes

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | None = None, *, settings: Settings | None = None
    ) -> Chatbot:
        """Open an archive for reading, with the chat model of the settings.

        Args:
            path: The archive's folder; by default the settings'.
            settings: The settings; by default those of the environment.

        Returns:
            A chatbot whose `close` closes the archive; it is a context manager, too.

        Raises:
            ArchiveNotFoundError: There is no archive in that folder.
            ArchiveDamagedError: The archive can't be read.
            EmbeddingMismatchError: The archive was built with another embedding model.
            ChatModelError: The chat model is unknown, or not installed.
            SettingsError: A setting is unknown or impossible.
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
        """Return the chatbot itself; leaving the `with` block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the chatbot."""
        self.close()

    def close(self) -> None:
        """Close the archive if `open` opened it; an archive given to the constructor stays open."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @classmethod
    def over(cls, archive: Archive, settings: Settings) -> Chatbot:
        """Return a chatbot over an open archive, with the models of the settings.

        Args:
            archive: The archive, which `close` leaves open.
            settings: The settings that name the chat model and the models that check it.

        Returns:
            The chatbot, whose `close` does nothing.

        Raises:
            ChatModelError: The chat model is unknown, or not installed.
            ModelError: The entailment or the grounding model can't be opened.
        """
        from rag.models.loading import (
            open_chat_model,
            open_entailment_model,
            open_grounding_model,
        )

        chat_model = open_chat_model(settings)
        return cls(
            archive,
            chat_model,
            unsupported=settings.unsupported,
            timeout=settings.timeout,
            context_tokens=settings.chat_context_tokens,
            entails=open_entailment_model(settings),
            # quotations need no check: a preset's model need not be fetched for them
            grounding=open_grounding_model(settings) if chat_model else None,
            prices=(settings.chat_price_in, settings.chat_price_out),
            grader=settings.grader,
            evidence=settings.chat_evidence,
        )

    def stream(
        self,
        question: str | ParsedQuery,
        *,
        filters: Filters = Filters(),
        asked_on: date | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
        as_of: date | None = None,
    ) -> Iterator[Answer]:
        """Yield the answer as it grows, complete so far each time; the last one is final.

        Args:
            question: A question, or a parsed one, for which `asked_on` and `history` are ignored.
            filters: The filters that the articles must pass; by default, all articles that need no
                right.
            asked_on: The day from which "last week" is counted, now by default; a naive datetime
                is UTC.
            history: The earlier turns, oldest first: questions with their answers, or questions
                alone. Follow-ups are resolved from it.
            k: The most passages to answer from; a chat model is given up to three times as many.
            as_of: Answer from the archive as it was at the end of this day, and as if asked then
                unless `asked_on` is given.

        Yields:
            Answers, at least one. `refused` is set if the archive has no answer.

        Raises:
            InvalidValueError: `asked_on` or `as_of` is not a date.
            QuestionTooLongError: The question is too long.
        """
        if as_of is not None:
            then = self.as_of(as_of)
            yield from then.stream(
                question, filters=filters, asked_on=asked_on, history=history, k=k
            )
            return
        past = self.archive if isinstance(self.archive, DatedBackend) else None
        asked_on = asked_on or (past.day if past else None)
        request = AskRequest(question, filters, asked_on, history, k)
        for answer in stream_answer(self.archive, self._writer(), request):
            answer = add_instruction_note(add_correction_notes(answer))
            yield past.with_correction_notes(answer, access=filters.access) if past else answer

    def as_of(self, day: date) -> Chatbot:
        """Return the same chatbot over the archive as it was at the end of a day.

        Args:
            day: A `date`, or a `datetime` (UTC if naive); one with a time of day means that moment.

        Returns:
            A chatbot over a snapshot of the archive.

        Raises:
            InvalidValueError: `day` is not a date.
        """
        then = copy(self)
        then._opened = None
        then.archive = cast("Archive", self.archive).as_of(day)
        return then

    def without_chat_model(self) -> Chatbot:
        """Return the same chatbot without its chat model: it answers with quotations.

        Returns:
            A chatbot whose `close` does nothing.
        """
        quoting = copy(self)
        quoting._opened = quoting.chat_model = quoting._structured = None
        return quoting

    def restricted_to(self, rights: Rights) -> Chatbot:
        """Return the same chatbot over the archive as one reader may see it.

        Args:
            rights: The reader's rights, which hold whatever `access` the filters of a call have.

        Returns:
            A chatbot over a `RestrictedArchive`, whose `close` does nothing.
        """
        of_reader = copy(self)
        of_reader._opened = None
        of_reader.archive = RestrictedArchive(cast("Archive", self.archive), rights)
        return of_reader

    def ask(
        self,
        question: str,
        *,
        filters: Filters = Filters(),
        asked_on: date | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
        as_of: date | None = None,
    ) -> Answer:
        """Return the complete answer: the last one of `stream`.

        Args:
            question: A question.
            filters: The filters that the articles must pass.
            asked_on: The day from which "last week" is counted.
            history: The earlier turns, oldest first.
            k: The most passages to answer from.
            as_of: Answer from the archive as it was at the end of this day.

        Returns:
            The answer; `refused` is set if the archive has none.

        Raises:
            InvalidValueError: `asked_on` or `as_of` is not a date.
            QuestionTooLongError: The question is too long.
        """
        answer = Answer(question=question)
        for answer in self.stream(  # noqa: B007  (the last one is what is wanted)
            question, filters=filters, asked_on=asked_on, history=history, k=k, as_of=as_of
        ):
            pass
        return answer

    async def astream(
        self, question: str | ParsedQuery, **options: Unpack[AskOptions]
    ) -> AsyncGenerator[Answer]:
        """Yield the answer as it grows, like `stream`, without blocking the event loop.

        The work is done in a thread. If the task is cancelled or the iterator closed, the thread
        ends after the current statement and requests nothing more from the chat model.

        Args:
            question: As in `stream`.
            **options: The keyword arguments of `stream`.

        Yields:
            Answers, at least one.

        Raises:
            InvalidValueError: `asked_on` or `as_of` is not a date.
            QuestionTooLongError: The question is too long.
        """
        answers = iterate_in_thread(lambda: self.stream(question, **options))
        async with aclosing(answers):
            async for answer in answers:
                yield answer

    async def aask(self, question: str | ParsedQuery, **options: Unpack[AskOptions]) -> Answer:
        """Return the complete answer, like `ask`, without blocking the event loop.

        Args:
            question: As in `stream`.
            **options: The keyword arguments of `stream`.

        Returns:
            The answer; `refused` is set if the archive has none.

        Raises:
            InvalidValueError: `asked_on` or `as_of` is not a date.
            QuestionTooLongError: The question is too long.
        """
        async with aclosing(self.astream(question, **options)) as answers:
            *_, answer = [answer async for answer in answers]
        return answer

    def check(
        self,
        text: str,
        *,
        filters: Filters = Filters(),
        written_on: date | None = None,
        as_of: date | None = None,
        seconds: float = SECONDS,
    ) -> TextCheck:
        """Check a draft against the archive, sentence by sentence.

        Args:
            text: The draft, as plain text or Markdown.
            filters: The filters that the articles must pass.
            written_on: The day of the draft, now by default.
            as_of: Check against the archive as it was at the end of this day.
            seconds: The time after which the remaining sentences are "not checked".

        Returns:
            The sentences with their outcomes and the passages that decide them.

        Raises:
            InvalidValueError: The draft is empty or too long, or a date is invalid.
        """
        return number_check(
            self.stream_check(
                text, filters=filters, written_on=written_on, as_of=as_of, seconds=seconds
            )
        )

    def stream_check(
        self,
        text: str,
        *,
        filters: Filters = Filters(),
        written_on: date | None = None,
        as_of: date | None = None,
        seconds: float = SECONDS,
    ) -> Iterator[CheckedSentence]:
        """Yield the sentences of a draft as they are checked; see `check`.

        The citations of each sentence are numbered from 1; `number_check` numbers them through.
        """
        chatbot = self if as_of is None else self.as_of(as_of)
        return chatbot._checker(seconds).stream(text, filters=filters, written_on=written_on)

    def _checker(self, seconds: float) -> TextChecker:
        verifier = Verifier(self.archive.embed, entails=self.entails, grounding=self.grounding)
        return TextChecker(self.archive, verifier, seconds=seconds)

    def _writer(self) -> Writer | None:
        if self.chat_model is None:
            return None
        return Writer(
            self.chat_model,
            self._structured,
            timeout=self.timeout,
            prices=self.prices,
            context_tokens=self.context_tokens,
            unsupported=self.unsupported,
            entails=self.entails,
            grounding=self.grounding,
            grader=self.grader,
        )
