"""Chatbot: a question in, growing answers out, every statement with the words it rests on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.citations import cite, numbered
from rag.extraction import Candidate, candidates, chosen
from rag.readable import readable
from rag.refusal import refusal, refuses
from rag.retrieval import Retrieval, Searchable, retrieve
from rag.schema import Answer, Article, Filters, Hit, Span, Statement
from rag.settings import Settings, Unsupported


class Newsroom(Searchable, Protocol):
    """What a chatbot needs of an archive beside the search."""

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]: ...

    def article(self, article_id: str) -> Article | None: ...


class Chatbot:
    """Answers questions from an archive; without a chat model, in the articles' own words."""

    def __init__(
        self,
        archive: Newsroom,
        chat_model: Any = None,
        *,
        unsupported: Unsupported = "strict",
    ) -> None:
        self.archive = archive
        self.chat_model = chat_model
        self.unsupported = unsupported

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | None = None, *, settings: Settings | None = None
    ) -> Chatbot:
        """Open the archive at `path` with the chat model of the settings, if one is set."""
        from rag.archive import Archive
        from rag.models import open_chat_model

        settings = settings or Settings.from_environment()
        archive = Archive.open(path, settings=settings)
        return cls(archive, open_chat_model(settings), unsupported=settings.unsupported)

    def stream(
        self,
        question: str,
        *,
        filters: Filters = Filters(),
        asked_on: datetime | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
    ) -> Iterator[Answer]:
        """Yield the answer as it grows, each time whole; the last one is complete."""
        found = retrieve(
            self.archive, question, k, filters=filters, asked_on=asked_on, history=history
        )
        yield from self._extractive(question, found, filters)

    def ask(
        self,
        question: str,
        *,
        filters: Filters = Filters(),
        asked_on: datetime | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
    ) -> Answer:
        """Return the complete answer: the last of `stream`."""
        answer = Answer(question=question)
        for answer in self.stream(  # noqa: B007  (the last one is what is wanted)
            question, filters=filters, asked_on=asked_on, history=history, k=k
        ):
            pass
        return answer

    def _extractive(self, question: str, found: Retrieval, filters: Filters) -> Iterator[Answer]:
        articles = self._texts(found.hits)
        ranked = candidates(
            found.question.text, found.hits, embed=self.archive.embed, articles=articles
        )
        why = refuses(found.question, ranked)
        if why:
            yield replace(refusal(found.question, found.hits, why, filters), question=question)
            return
        answer = Answer(question=question, hits=found.hits, understood=found.question.described())
        for candidate in chosen(ranked):
            said = quoted(candidate, articles.get(candidate.hit.passage.article_id, ""))
            answer = with_statement(answer, said)
            yield answer

    def _texts(self, hits: Sequence[Hit]) -> dict[str, str]:
        """Return the whole texts of the hits' articles, where they are still as they were hit."""
        texts = {}
        for hit in hits:
            article = self.archive.article(hit.passage.article_id)
            if article is not None and article.revision == hit.passage.revision:
                texts[article.id] = article.text
        return texts


def quoted(candidate: Candidate, article: str) -> Statement:
    """Return the statement that quotes `candidate`, word for word but for bracketed names."""
    passage, span = candidate.hit.passage, candidate.span
    if not article:
        article, span = passage.text, Span(span.start - passage.start, span.end - passage.start)
    return Statement(
        text=readable(article, span), citations=(cite(1, candidate.hit, candidate.span),)
    )


def with_statement(answer: Answer, statement: Statement) -> Answer:
    """Return `answer` with one statement more, its passages numbered and its date brought up."""
    statements = numbered((*answer.statements, statement))
    dates = [c.head.published for s in statements for c in s.citations if c.head.published]
    return replace(answer, statements=statements, as_of=max(dates, default=None))
