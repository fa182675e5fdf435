"""Small real fakes: embeddings by shared words, a few articles, a chatbot that quotes."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from rag.answer.check_text import CheckedSentence, TextChecker
from rag.archive.archive import Archive
from rag.archive.view import ArchiveView
from rag.query.parser import ParsedQuery
from rag.schema import Answer, Article, Citation, Filters, Hit, Notice, Span, Statement
from rag.verify.verifier import Verifier

DIMENSION = 256


class WordEmbeddings(Embeddings):
    """Embeddings in which texts that share words are close: one hashed dimension per word."""

    name = "words"
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        vector = [0.0] * DIMENSION
        for word in re.findall(r"\w+", text.lower()):
            vector[sum(ord(c) * 31**i for i, c in enumerate(word)) % DIMENSION] += 1.0
        return vector


HARBOUR = Article(
    id="courier.example/harbour",
    title="Harbour bridge closed after storm",
    text=(
        "The harbour bridge was closed on Monday after the storm. "
        "Mayor Ada Quill said repairs would take six weeks. Ferries run every hour."
    ),
    publisher="The Harbour Courier",
    url="https://courier.example/harbour",
    authors=("Noor Haan",),
    published=datetime(2024, 10, 21, tzinfo=UTC),
)
ORCHARD = Article(
    id="gazette.example/orchard",
    title="Orchards expect a small apple harvest",
    text=(
        "Growers expect a third fewer apples than last year. "
        "The frost in April killed the blossom, the growers' union said."
    ),
    publisher="Orchard Gazette",
    url="https://gazette.example/orchard",
    published=datetime(2024, 10, 23, 14, 30, tzinfo=UTC),
)
HOSTILE = Article(
    id="evil.example/1",
    title="<b>Lighthouse</b> <script>window.pwned=1</script>",
    text=(
        "The lighthouse <img src=x onerror=window.pwned=2> keeper said "
        "[click](javascript:window.pwned=7) "
        "${window.pwned=3} {{window.pwned}} **loudly** that <script>window.pwned=4</script> "
        "$x^2$ the lamp [9] is out."
    ),
    publisher="Lighthouse \"Post\" <i onmouseover='window.pwned=5'>",
    url="javascript:window.pwned=6",
    published=datetime(2024, 10, 24, tzinfo=UTC),
)
ARABIC = Article(
    id="arabic.example/1",
    title="إغلاق جسر الميناء بعد العاصفة",
    text="أغلق جسر الميناء يوم الاثنين بعد العاصفة. harbour",
    publisher="بريد الميناء",
    url="https://arabic.example/1",
    published=datetime(2024, 10, 22, tzinfo=UTC),
)
ARTICLES = (HARBOUR, ORCHARD, HOSTILE, ARABIC)


def small_archive(folder: Path, articles: Sequence[Article] = ARTICLES) -> Archive:
    """Return an archive of `articles`, each one passage, open for reading."""
    shutil.copytree(_make_archive(tuple(articles)), folder, dirs_exist_ok=True)
    return Archive.open(folder, embeddings=WordEmbeddings())


@cache
def _make_archive(articles: tuple[Article, ...]) -> Path:
    """Return the folder of an archive to copy, which takes 3 ms instead of 90."""
    root = Path(tempfile.mkdtemp(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    Finalize(None, shutil.rmtree, args=(root, True), exitpriority=0)  # `atexit` for forks as well
    with Archive.open(root / "archive", mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add((article, [Span(0, len(article.text))]) for article in articles)
    return root / "archive"


PARTLY, UNSUPPORTED = Notice("partly_supported"), Notice("not_in_passage")


def phrase_hits(
    archive: ArchiveView,
    query: str,
    k: int,
    *,
    phrases: Sequence[str],
    filters: Filters = Filters(),
) -> list[Hit]:
    """Return the BM25 hits of a query with phrases."""
    found = archive.bm25_candidates(query, k, filters=filters, phrases=phrases)
    return list(archive.load_hits(found, access=filters.access).values())


def text_of(question: str | ParsedQuery) -> str:
    """Return a question without the terms carried over from earlier turns."""
    text = question if isinstance(question, str) else question.text
    return re.sub(r" \([^()]*\)$", "", text)


class QuotingChatbot:
    """A chatbot that quotes every sentence that shares a long word with the question."""

    chat_model = None

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def stream(
        self,
        question: str | ParsedQuery,
        *,
        filters: Filters = Filters(),
        asked_on: datetime | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
    ) -> Iterator[Answer]:
        question = text_of(question)
        hits = tuple(self.archive.search(question, k, filters=filters, mode="bm25"))
        answer = Answer(question=question, hits=hits)
        words = {word for word in re.findall(r"\w+", question.lower()) if len(word) > 5}
        for hit in hits:
            for found in re.finditer(r"[^.]+\.", hit.passage.text):
                if words & set(re.findall(r"\w+", found.group().lower())):
                    said = _quote(hit, found, len(answer.statements) + 1)
                    answer = replace(
                        answer,
                        statements=(*answer.statements, said),
                        newest_source=max(
                            filter(None, (answer.newest_source, hit.metadata.published)),
                            default=None,
                        ),
                    )
                    yield answer
        if not answer.statements:
            why = Notice("nothing_relevant")
            yield Answer(question, refused=True, refusal=why, nearest_hits=hits[:3])

    def stream_check(
        self, text: str, *, seconds: float = 60.0, **given: Any
    ) -> Iterator[CheckedSentence]:
        checker = TextChecker(self.archive, Verifier(self.archive.embed), seconds=seconds)
        yield from checker.stream(text, **given)

    def ask(self, question: str, **given: object) -> Answer:
        *_, answer = self.stream(question, **given)  # type: ignore[arg-type]
        return answer


class PacedChatbot(QuotingChatbot):
    """A quoting chatbot that pauses until the file `go` exists.

    Questions with "slowly" pause after each statement, those with "searched slowly" before the
    first. Questions with "doubtful" get one partly supported statement and a rejected one. A check
    pauses after a sentence with "slowly".
    """

    def __init__(self, archive: Archive, go: Path) -> None:
        super().__init__(archive)
        self.go = go

    def stream(  # type: ignore[override]
        self, question: str | ParsedQuery, **given: object
    ) -> Iterator[Answer]:
        question = text_of(question)
        while "searched slowly" in question and not self.go.exists():
            time.sleep(0.02)
        for answer in super().stream(question, **given):  # type: ignore[arg-type]
            if "doubtful" in question and answer.statements:
                partly = replace(answer.statements[0], support="partly", reason=PARTLY)
                removed = Statement("The moon is a bridge.", (), "not supported", UNSUPPORTED)
                answer = replace(answer, statements=(partly,), rejected_statements=(removed,))
            yield answer
            while "slowly" in question and not self.go.exists():
                time.sleep(0.02)

    def stream_check(self, text: str, **given: Any) -> Iterator[CheckedSentence]:
        for sentence in super().stream_check(text, **given):
            yield sentence
            while "slowly" in sentence.text and not self.go.exists():
                time.sleep(0.02)


def _quote(hit: Hit, found: re.Match[str], number: int) -> Statement:
    quote = found.group()
    start = hit.passage.start + found.start()
    cited = Citation(number, quote, start, start + len(quote), hit.passage, hit.metadata)
    return Statement(quote.strip(), (cited,))


def as_json(article: Article) -> dict[str, object]:
    """Return `article` as a record of a JSONL dump."""
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "text": article.text,
        "publisher": article.publisher,
        "authors": list(article.authors),
        "published": article.published.isoformat() if article.published else None,
    }
