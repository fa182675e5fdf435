"""The public API: names, methods that LangChain and Chroma users expect, and asyncio."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import FakeListChatModel

import rag
from ingest.pipeline import ingest
from rag import Answer, Archive, Article, Chatbot, Filters, InvalidValueError, NewsRetriever, Span
from rag.chunking import EstimatedTokens, split_article
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, WordEmbeddings, small_archive

QUESTION = "What was closed after the storm?"
DAY = datetime(2024, 10, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("api") / "archive") as opened:
        yield opened


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as opened:
        yield opened


# Names


def test_every_public_name_can_be_imported() -> None:
    for name in rag.__all__:
        assert getattr(rag, name) is not None
    assert set(rag.__all__) <= set(dir(rag))
    with pytest.raises(AttributeError, match="no attribute 'Elephant'"):
        _ = rag.Elephant


def test_type_checkers_see_the_names_that_exist() -> None:
    tree = ast.parse(Path(str(rag.__file__)).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {
        (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == {pair[::-1] for pair in rag._MODULE_OF.items() if pair[0] != "__version__"}


def test_every_error_is_public() -> None:
    from rag import errors

    defined = {name for name in vars(errors) if name.endswith("Error")}
    assert defined <= set(rag.__all__)


def test_importing_rag_loads_nothing_heavy() -> None:
    code = (
        "import sys, rag; rag.Settings, rag.Article, rag.Filters, rag.BackfileError\n"
        "heavy = ('torch', 'langchain_core', 'numpy', 'chromadb', 'tantivy', 'transformers')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Writing


def test_add_splits_articles_itself(writer: Archive) -> None:
    result = writer.add(ARTICLES)
    assert (result.new, result.passages) == (len(ARTICLES), writer.count().passages)
    for article in ARTICLES:
        expected = split_article(article, WordEmbeddings())
        assert writer.store.spans(article.id, 1) == expected
    assert writer.add(HARBOUR).unchanged == 1  # a single article


def test_add_accepts_spans_beside_whole_articles(writer: Archive) -> None:
    middle = HARBOUR.text.index(".") + 1
    spans = [Span(0, middle), Span(middle + 1, len(HARBOUR.text))]
    assert writer.add([(HARBOUR, spans), ORCHARD]).new == 2
    assert writer.store.spans(HARBOUR.id, 1) == spans
    assert writer.search("frost blossom", 1, mode="bm25")[0].metadata == ORCHARD.metadata


def test_add_works_with_embeddings_that_count_no_tokens(tmp_path: Path) -> None:
    text = " ".join(f"Sentence {n} tells of the harbour bridge and the ferries." for n in range(80))
    embeddings = DeterministicFakeEmbedding(size=16)
    with Archive.open(tmp_path, mode="write", embeddings=embeddings) as opened:
        assert opened.add([HARBOUR.replace(text=text)]).passages > 3
    limit = EstimatedTokens()
    article = HARBOUR.replace(text=text)
    pieces = [text[span.start : span.end] for span in split_article(article, limit)]
    assert max(limit.count_tokens(pieces)) <= limit.max_tokens
    assert limit.count_tokens(["港湾大橋", "bridge", ""]) == [6, 3, 2]


def test_deleted_article_may_be_added_again_but_not_withdrawn(writer: Archive) -> None:
    writer.add([HARBOUR, ORCHARD])
    assert writer.delete(HARBOUR.id) == 1
    assert writer.delete([HARBOUR.id, "unknown"]) == 0
    assert writer.get(HARBOUR.id) is None
    assert writer.add([HARBOUR.replace(text="The bridge is open.")]).new == 1
    assert writer.withdraw(HARBOUR.id, reason="court order") == 1
    assert writer.add([HARBOUR]).withdrawn == 1
    assert writer.get(HARBOUR.id) is None
    assert writer.reinstate(HARBOUR.id) == 1
    assert writer.erase(ORCHARD.id)
    assert writer.get([HARBOUR.id, ORCHARD.id]) == [writer.get(HARBOUR.id)]


def test_open_creates_an_archive_by_default(tmp_path: Path) -> None:
    with pytest.raises(rag.ArchiveNotFoundError):
        Archive.open(tmp_path / "a", mode="write", create=False)
    assert not (tmp_path / "a").exists()
    with pytest.raises(rag.ArchiveNotFoundError):
        Archive.open(tmp_path / "a")
    Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()).close()
    Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings(), create=False).close()


# Reading


def test_get_returns_one_article_or_a_list(archive: Archive) -> None:
    assert archive.get(HARBOUR.id) == HARBOUR
    assert archive.get("unknown") is None
    ids = [ORCHARD.id, "unknown", HARBOUR.id, ORCHARD.id]
    assert archive.get(ids) == [ORCHARD, HARBOUR]
    assert archive.get(iter(ids)) == [ORCHARD, HARBOUR]
    assert archive.get([]) == []
    assert rag.ArchiveSnapshot(archive, DAY).get(HARBOUR.id) is None


def test_get_requires_the_articles_access_right(writer: Archive) -> None:
    writer.add([HARBOUR, ORCHARD.replace(access="wire")])
    assert writer.get(ORCHARD.id) is None
    assert [a.id for a in writer.get([HARBOUR.id, ORCHARD.id])] == [HARBOUR.id]
    both = writer.get([HARBOUR.id, ORCHARD.id], access=("wire",))
    assert [a.id for a in both] == [HARBOUR.id, ORCHARD.id]


def test_search_modes_have_their_own_scores(archive: Archive) -> None:
    question = "Which harbour bridge was closed?"
    (vector, *_) = archive.search(question, 1, mode="vector")
    (bm25, *_) = archive.search(question, 1, mode="bm25")
    (hybrid, *_) = archive.search(question, 1)
    assert {vector.metadata, bm25.metadata, hybrid.metadata} == {HARBOUR.metadata}
    query, passage = archive.embed([question, f"{HARBOUR.title}\n21 October 2024\n{HARBOUR.text}"])
    assert vector.score == pytest.approx(float(query @ passage), abs=1e-4)
    assert bm25.score > 1
    only = Filters(publishers="Orchard Gazette")  # type: ignore[arg-type]
    for mode in ("vector", "bm25", "hybrid"):
        hits = archive.search("harbour apples", 9, mode=mode, filters=only)  # type: ignore[arg-type]
        assert [hit.metadata.article_id for hit in hits] == [ORCHARD.id]


def test_search_rejects_an_unknown_mode(archive: Archive) -> None:
    with pytest.raises(InvalidValueError, match="'hybrid', 'vector', 'bm25'"):
        archive.search("bridge", mode="dense")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="mode"):
        archive.search("bridge", mode="", as_of=HARBOUR.published)  # type: ignore[arg-type]


def test_similarity_search_gives_documents_best_first(archive: Archive) -> None:
    pairs = archive.similarity_search_with_score("harbour bridge ferries", k=3)
    scores = [score for _, score in pairs]
    assert scores == sorted(scores, reverse=True)
    assert all(isinstance(score, float) and -1 <= score <= 1 for score in scores)
    documents = archive.similarity_search("harbour bridge ferries", k=3)
    assert documents == [document for document, _ in pairs]
    assert len(archive.similarity_search("harbour bridge ferries")) <= 4
    only = Filters(article_ids=(ORCHARD.id,))
    (document,) = archive.similarity_search("apples", filters=only)
    assert document.metadata["article_id"] == ORCHARD.id
    (pair,) = archive.similarity_search_with_score("apples", filters=only)
    assert pair[1] == document.metadata["score"]


def test_documents_have_source_and_start_index(archive: Archive) -> None:
    retriever = archive.as_retriever(k=2)
    assert isinstance(retriever, NewsRetriever)
    document, *_ = retriever.invoke(QUESTION)
    metadata = document.metadata
    assert metadata["source"] == metadata["url"] == HARBOUR.url
    assert metadata["start_index"] == metadata["start"]
    end = metadata["start_index"] + len(document.page_content)
    assert HARBOUR.text[metadata["start_index"] : end] == document.page_content
    json.dumps(metadata)


def test_source_is_the_id_of_an_article_without_url(tmp_path: Path) -> None:
    with small_archive(tmp_path, [HARBOUR.replace(url="")]) as opened:
        (document,) = opened.as_retriever().invoke(QUESTION)
    assert document.metadata["source"] == HARBOUR.id


def test_as_retriever_passes_its_arguments_on(archive: Archive) -> None:
    retriever = archive.as_retriever(k=1, filters=Filters(article_ids=(ORCHARD.id,)))
    assert len(retriever.invoke("harbour apples")) == 1
    assert retriever.invoke("harbour apples")[0].metadata["article_id"] == ORCHARD.id
    snapshot = archive.as_of(DAY)
    assert snapshot.as_retriever().invoke(QUESTION) == []


def test_answers_round_trip_and_have_notebook_html(archive: Archive) -> None:
    chatbot = Chatbot(archive)
    for question in (QUESTION, "Who won the chess olympiad?"):
        answer = chatbot.ask(question)
        assert Answer.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
        assert "<p" in answer._repr_html_()
    assert "Harbour bridge closed" in archive.search(QUESTION)[0]._repr_html_()


# asyncio


def test_aask_and_astream_match_ask_and_stream(archive: Archive) -> None:
    chatbot = Chatbot(archive)

    async def both() -> tuple[Answer, list[Answer]]:
        streamed = [answer async for answer in chatbot.astream(QUESTION, k=3)]
        return await chatbot.aask(QUESTION, k=3), streamed

    answer, streamed = asyncio.run(both())
    assert answer == chatbot.ask(QUESTION, k=3)
    assert streamed == list(chatbot.stream(QUESTION, k=3))


def test_aask_raises_errors_to_the_caller(archive: Archive) -> None:
    with pytest.raises(InvalidValueError, match="asked_on"):
        asyncio.run(Chatbot(archive).aask(QUESTION, asked_on="today"))  # type: ignore[arg-type]


class GatedChatbot(Chatbot):
    """Yields numbered answers, each after its gate opens; records the steps that began."""

    def __init__(self, archive: Archive, gates: int) -> None:
        super().__init__(archive)
        self.gates = [threading.Event() for _ in range(gates)]
        self.begun: list[int] = []
        self.closed = threading.Event()

    def stream(self, question: Any, **_: Any) -> Iterator[Answer]:  # type: ignore[override]
        try:
            for number, gate in enumerate(self.gates):
                self.begun.append(number)
                assert gate.wait(20)
                yield Answer(f"{question} {number}")
        finally:
            self.closed.set()


def test_astream_yields_answers_without_blocking_the_loop(archive: Archive) -> None:
    chatbot = GatedChatbot(archive, 3)

    async def consume() -> list[str]:
        got = []
        chatbot.gates[0].set()
        async for answer in chatbot.astream("Q"):
            got.append(answer.question)
            if len(got) < 3:
                assert not chatbot.gates[len(got)].is_set()  # it came before the next was computed
                ticks = [await asyncio.sleep(0, result=n) for n in range(3)]
                assert ticks == [0, 1, 2]
                chatbot.gates[len(got)].set()
        return got

    assert asyncio.run(consume()) == ["Q 0", "Q 1", "Q 2"]
    assert chatbot.closed.wait(20)


def test_cancelled_stream_ends_its_thread(archive: Archive) -> None:
    chatbot = GatedChatbot(archive, 3)

    async def cancelled() -> None:
        task = asyncio.create_task(chatbot.aask("Q"))
        while not chatbot.begun:
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()

    began = time.monotonic()
    asyncio.run(cancelled())
    assert time.monotonic() - began < 10  # it did not wait for the gate
    assert not chatbot.closed.is_set()
    for gate in chatbot.gates:
        gate.set()
    assert chatbot.closed.wait(20)
    assert chatbot.begun == [0]


def test_closing_a_stream_early_stops_it(archive: Archive) -> None:
    chatbot = GatedChatbot(archive, 3)
    chatbot.gates[0].set()

    async def first() -> Answer:
        async with contextlib.aclosing(chatbot.astream("Q")) as answers:
            return await anext(answers)

    assert asyncio.run(first()).question == "Q 0"
    for gate in chatbot.gates:
        gate.set()
    assert chatbot.closed.wait(20)
    assert len(chatbot.begun) <= 2


def test_aask_runs_beside_other_tasks_with_a_chat_model(archive: Archive) -> None:
    model = FakeListChatModel(responses=["The harbour bridge was closed on Monday. [1]"])
    chatbot = Chatbot(archive, model)

    async def together() -> list[Answer]:
        return await asyncio.gather(*(chatbot.aask(QUESTION) for _ in range(3)))

    for answer in asyncio.run(together()):
        assert answer.text.startswith("The harbour bridge was closed on Monday. [1]")
    assert isinstance(archive.as_retriever().invoke(QUESTION)[0], Document)


def test_article_with_plain_fields_is_found(writer: Archive) -> None:
    writer.add([Article(id="1", title="Bridge closed", text="The bridge was closed on Monday.")])
    (hit,) = writer.search("Which bridge was closed?", k=3)
    assert hit.metadata.article_id == "1"


def test_ingest_works_with_embeddings_that_count_no_tokens(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ferry.txt").write_text(f"Ferry sinks\n\n{HARBOUR.text}\n")
    embeddings = DeterministicFakeEmbedding(size=16)
    with Archive.open(tmp_path / "a", mode="write", embeddings=embeddings) as opened:
        report = ingest(opened, [tmp_path / "notes"])
    assert (report.new, report.rejected, report.passages) == (1, 0, 1)
