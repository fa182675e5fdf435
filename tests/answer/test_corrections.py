"""Corrections: shown with their article, and retracted statements are not repeated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.correction_paragraphs import find_correction
from ingest.readers.fields import article_from
from rag.answer.chatbot import Chatbot
from rag.answer.corrections import is_retracted
from rag.archive.archive import Archive
from rag.schema import Article, Span
from tests.support.fakes import WordEmbeddings
from ui.cli.format import hits_text

FERRY = Article(
    id="paper.example/ferry",
    title="Ferry sinks off Vellmark",
    text="The ferry sank with nine sailors on board on Monday. The ferry was bound for Vellmark.",
    url="https://www.paper.example/ferry",
    publisher="Harbour Courier",
)
NOTICE = Article(
    id="paper.example/corrections/7",
    title="Corrections and clarifications",
    text=(
        "The ferry that sank off Vellmark had twelve sailors on board, not nine, as we said on "
        "Monday (https://www.paper.example/ferry).\nThe mayor's name is Quill."
    ),
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as opened:
        yield opened


def add_articles(archive: Archive, *articles: Article) -> None:
    archive.add((article, [Span(0, len(article.text))]) for article in articles)


@pytest.mark.parametrize(
    ("paragraph", "said"),
    [
        ("Correction: The bridge is 40 metres long.", "The bridge is 40 metres long."),
        ("CORRECTION (3 May): It was Tuesday.", "It was Tuesday."),
        ("Clarification – The firm says it paid.", "The firm says it paid."),
        (
            "Editor's note: This article misstated the mayor's age. She is 50.",
            "This article misstated the mayor's age. She is 50.",
        ),
        (
            "An earlier version of this article said the bridge was long.",
            "An earlier version of this article said the bridge was long.",
        ),
        ("Editor's note: This story contains descriptions of violence.", ""),
        ("Corrections officers said the prison was full: 900 inmates.", ""),
        ("The correction of the river's course took nine years.", ""),
    ],
)
def test_find_correction_recognises_correction_paragraphs(paragraph: str, said: str) -> None:
    assert find_correction(f"The bridge was opened.\n\n{paragraph}\n\nShips passed.") == said


def test_correction_paragraph_becomes_article_correction() -> None:
    text = "The bridge was opened on Monday.\n\nCorrection: It was opened on Tuesday, not Monday."
    article = article_from(
        {"title": "Bridge", "text": text, "url": "https://a.example/1"}, place=""
    )
    assert isinstance(article, Article)
    assert article.correction == "It was opened on Tuesday, not Monday."


@pytest.mark.parametrize("order", [(FERRY, NOTICE), (NOTICE, FERRY)])
def test_correction_notice_is_shown_with_corrected_article(
    archive: Archive, order: tuple[Article, Article]
) -> None:
    for article in order:
        add_articles(archive, article)
    hit = next(
        h for h in archive.search("ferry sank", 5, mode="bm25") if h.passage.article_id == FERRY.id
    )
    assert "twelve sailors on board, not nine" in hit.metadata.correction
    assert "Quill" not in hit.metadata.correction
    assert "Corrected: The ferry that sank" in hits_text([hit], width=200)
    archive.delete([NOTICE.id])
    (hit, *_) = archive.search("ferry sank", 5, mode="bm25")
    assert hit.metadata.correction == ""


def test_retracted_statement_is_not_an_answer(archive: Archive) -> None:
    wrong = FERRY.replace(correction="The ferry had twelve sailors on board, not nine.")
    add_articles(archive, wrong)
    answer = Chatbot(archive).ask("Where was the ferry bound for when it sank?")
    assert "nine" not in answer.text
    assert not answer.notices  # nothing that is quoted was corrected


@pytest.mark.parametrize(
    ("sentence", "correction", "gone"),
    [
        ("Nine sailors drowned.", "Twelve sailors drowned, not nine.", True),
        ("Twelve sailors drowned.", "Twelve sailors drowned, not nine.", False),
        ("Nine cows were sold.", "Twelve sailors drowned, not nine.", False),
        ("The bridge is 40 metres long.", "An earlier version incorrectly said that the bridge "
         "was 40 metres long; it is 30 metres long.", True),
        ("Mayor Quell spoke.", "The article misspelled the name of Mayor Quill as Quell.", True),
        ("The bridge is long.", "", False),
    ],
)  # fmt: skip
def test_is_retracted_compares_sentence_with_correction(
    sentence: str, correction: str, gone: bool
) -> None:
    assert is_retracted(sentence, correction) is gone
