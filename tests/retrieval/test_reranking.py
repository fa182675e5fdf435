"""Reranking: the archive's reranker orders every search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from langchain_core.cross_encoders import BaseCrossEncoder

from rag.answer.chatbot import Chatbot
from rag.answer.timeline import build_timeline
from rag.archive.archive import Archive
from rag.evaluate.retrieval import EvaluationQuestion, evaluate_retrieval
from rag.models.archive_model import LazyEmbeddings
from rag.retrieval.langchain import NewsRetriever
from rag.schema import Article, Filters, Hit, Span
from tests.support.fakes import WordEmbeddings

QUESTION = "Which ferry sank in the harbour?"
ASKED_ON = datetime(2024, 11, 1, tzinfo=UTC)
PREFERRED = "ferry.example/preferred"
TEXTS = {
    "ferry.example/first": "Which ferry sank in the harbour was the old ferry, they said.",
    PREFERRED: "Which ferry sank in the harbour, said Kallo, is hard to say today.",
    "ferry.example/last": "A sailor wrote a book about a barge and the rain.",
}


class PrefersKallo(BaseCrossEncoder):
    """Scores passages that name Kallo above all others, and keeps the queries it was given."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        self.queries += [query for query, _ in text_pairs]
        return [float("Kallo" in passage) for _, passage in text_pairs]


def article(article_id: str, text: str) -> Article:
    return Article(article_id, "Shipping news", text, "Coast Post", published=ASKED_ON)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reranking") / "archive"
    with Archive.open(path, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add((article(i, text), [Span(0, len(text))]) for i, text in TEXTS.items())
    return path


@pytest.fixture
def plain(folder: Path) -> Iterator[Archive]:
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        yield archive


@pytest.fixture
def reranked(folder: Path) -> Iterator[Archive]:
    opened = Archive.open(folder, embeddings=WordEmbeddings(), reranker=PrefersKallo())
    with opened as archive:
        yield archive


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.article_id for hit in hits]


def search_ids(archive: Archive) -> list[str]:
    return ids(archive.search(QUESTION, asked_on=ASKED_ON))


def search_as_of_ids(archive: Archive) -> list[str]:
    return ids(archive.search(QUESTION, as_of=datetime(2100, 1, 1, tzinfo=UTC), asked_on=ASKED_ON))


def ask_ids(archive: Archive) -> list[str]:
    return ids(Chatbot(archive).ask(QUESTION, asked_on=ASKED_ON).hits)


def ask_as_of_ids(archive: Archive) -> list[str]:
    as_of = datetime(2100, 1, 1, tzinfo=UTC)
    return ids(Chatbot(archive).ask(QUESTION, asked_on=ASKED_ON, as_of=as_of).hits)


def timeline_ids(archive: Archive) -> list[str]:
    return ids(build_timeline(archive, QUESTION, asked_on=ASKED_ON).hits)


def retriever_ids(archive: Archive) -> list[str]:
    documents = NewsRetriever(archive=archive, asked_on=ASKED_ON).invoke(QUESTION)
    return [document.metadata["article_id"] for document in documents]


CALLERS = [search_ids, search_as_of_ids, ask_ids, ask_as_of_ids, timeline_ids, retriever_ids]


@pytest.mark.parametrize("call", CALLERS)
def test_search_uses_the_archives_reranker(
    call: Callable[[Archive], list[str]], plain: Archive, reranked: Archive
) -> None:
    assert call(plain)[0] == "ferry.example/first"
    assert call(reranked)[0] == PREFERRED


def test_evaluate_retrieval_measures_the_reranked_order(plain: Archive, reranked: Archive) -> None:
    question = EvaluationQuestion("1", QUESTION, gold=(PREFERRED,), asked_on=ASKED_ON)
    assert evaluate_retrieval(plain, [question]).score("gold", "hit@1").mean == 0.0
    assert evaluate_retrieval(reranked, [question]).score("gold", "hit@1").mean == 1.0


def test_search_outside_the_filters_is_reranked_too(reranked: Archive) -> None:
    elsewhere = Filters(publishers=("Inland Post",))
    answer = Chatbot(reranked).ask(QUESTION, filters=elsewhere, asked_on=ASKED_ON)
    assert answer.refused
    assert isinstance(reranked.reranker, PrefersKallo)
    assert reranked.reranker.queries  # nothing passes the filters: only that search has candidates


def test_reranker_setting_orders_the_command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ui.cli import main

    monkeypatch.setattr(LazyEmbeddings, "open", lambda self: WordEmbeddings())
    monkeypatch.setattr("rag.archive.opening.open_reranker_lazily", lambda settings: PrefersKallo())
    monkeypatch.setenv("BACKFILE_EMBEDDING_MODEL", "words")
    assert main(["search", QUESTION, "--archive", str(folder), "--json"]) == 0
    printed = capsys.readouterr().out
    assert printed.index(PREFERRED) < printed.index("ferry.example/first")
