"""Deduplication: one copy of a story is shown, the others are named, no fact is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.refusal import nearest_hits
from rag.archive.archive import Archive
from rag.retrieval.deduplicate import named_publishers
from rag.retrieval.langchain import NewsRetriever
from rag.schema import Article, ArticleMetadata, Filters, Hit, Passage, Span
from tests.store.test_duplicate_clusters import (
    CRANE,
    CUT,
    EARLY,
    LATE,
    NIGHT_TRAIN,
    WIRE,
    make_article,
)
from tests.support.fakes import WordEmbeddings

ASKED_ON = datetime(2024, 10, 20, tzinfo=UTC)
UPDATED = make_article(
    "updated",
    *CRANE[:1],
    CRANE[1].replace("four hours", "6 hours"),
    *CRANE[2:],
    hours=11,
    publisher="Alder Street Ledger",
)


def in_paragraphs(article: Article) -> tuple[Article, list[Span]]:
    spans, start = [], 0
    for paragraph in article.text.split("\n\n"):
        spans.append(Span(start, start + len(paragraph)))
        start += len(paragraph) + 2
    return article, spans


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add(map(in_paragraphs, (WIRE, CUT, LATE, NIGHT_TRAIN)))
        yield archive


def search(archive: Archive, question: str, **how: object) -> list[Hit]:
    return archive.search(question, asked_on=ASKED_ON, **how)  # type: ignore[arg-type]


def test_one_copy_of_a_story_is_shown_and_others_are_named(archive: Archive) -> None:
    hits = search(archive, "Why was the crane above the harbour taken down?")
    assert {hits[0].passage.article_id, *(one.article_id for one in hits[0].copies)} == {
        *("wire", "cut", "late")
    }
    shown = " ".join(hit.passage.text for hit in hits)
    assert all(shown.count(paragraph) <= 1 for paragraph in CRANE)


def test_paragraph_cut_from_the_shown_copy_is_found_in_another(archive: Archive) -> None:
    archive.delete(["late"])
    hits = search(archive, "inspection found cracks in legs Westermoor Post", k=8)
    texts = " ".join(hit.passage.text for hit in hits)
    assert all(paragraph in texts for paragraph in CRANE)


def test_copy_with_another_figure_is_not_collapsed(archive: Archive) -> None:
    archive.add([in_paragraphs(UPDATED)])
    hits = search(archive, "For how many hours were the ferries held back?")
    texts = [hit.passage.text for hit in hits]
    assert any("four hours" in text for text in texts)
    assert any("6 hours" in text for text in texts)


def test_copy_outside_the_filters_hides_nothing(archive: Archive) -> None:
    hits = search(archive, "crane", filters=Filters(publishers=("Westermoor Post",)))
    assert {hit.passage.article_id for hit in hits} == {"cut"}
    assert all(hit.copies == () for hit in hits)


def test_langchain_document_lists_copies(archive: Archive) -> None:
    documents = NewsRetriever(archive=archive, asked_on=ASKED_ON).invoke("crane legs cracks")
    first = documents[0].metadata
    assert {first["article_id"], *first["copies"]} == {"wire", "cut", "late"}


def test_answer_cites_a_story_once_and_names_its_copies(archive: Archive) -> None:
    answer = Chatbot(archive).ask("Who said that nobody had been in danger?", asked_on=ASKED_ON)
    about = [c for c in answer.citations if "Dahl" in c.quote]
    assert len(about) == 1
    assert {about[0].metadata.article_id, *(head.article_id for head in about[0].copies)} == {
        *("wire", "cut", "late")
    }


def test_nearest_articles_are_of_different_stories() -> None:
    def hit(article: Article, *copies: Article) -> Hit:
        passage = Passage(article.id, 1, 0, len(article.text), article.text)
        return Hit(passage, article.metadata, 1.0, tuple(copy.metadata for copy in copies))

    found = nearest_hits([hit(WIRE, LATE), hit(LATE, WIRE), hit(NIGHT_TRAIN)])
    assert [one.passage.article_id for one in found] == ["wire", "train"]


def test_named_publishers_are_unique_and_exclude_the_own() -> None:
    copies: tuple[ArticleMetadata, ...] = (
        EARLY.metadata,
        EARLY.metadata,
        WIRE.metadata,
        make_article("blank").metadata,
    )
    assert named_publishers(WIRE.metadata, copies) == ("Harbour Courier", "Headline of blank")
