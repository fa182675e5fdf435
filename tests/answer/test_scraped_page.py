"""Questions about a page scraped with everything that stands around its story."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.cleaning import clean
from rag.answer.chatbot import Chatbot
from rag.answer.premises import has_false_premise
from rag.archive.archive import Archive
from rag.chunking import split_article
from rag.schema import Article

SEED = Path(__file__).parents[3] / "shared/data/seed"
pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not SEED.is_dir(), reason="../shared/data/seed is not here"),
]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    path = tmp_path_factory.mktemp("seed") / "archive"
    title, _, text = clean(next(SEED.glob("*.txt")).read_text("utf-8")).partition("\n")
    article = Article("seed", title, text.strip())
    with Archive.open(path, mode="write") as archive:
        archive.add([(article, split_article(article, archive.embeddings))])
    return Chatbot(Archive.open(path))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What did South Korea threaten?", ("stand idly by", "Cho", "sit idle", "Yoon")),
        ("How many soldiers has North Korea sent, according to whom?", ("3,000", "intelligence")),
        ("When was the treaty signed, and by whom?", ("June", "Putin", "Kim Jong Un")),
        ("Will Seoul send weapons to Ukraine?", ("all options", "has not supplied")),
    ],
)
def test_scraped_page_answers_questions(
    bot: Chatbot, question: str, words: tuple[str, ...]
) -> None:
    answer = bot.ask(question)
    for word in words:
        assert word in answer.text


def test_scraped_page_refuses_question_about_the_pope(bot: Chatbot) -> None:
    assert bot.ask("What did the Pope say?").refused


def test_scraped_page_contradicts_false_premise(bot: Chatbot) -> None:
    answer = bot.ask("Why did South Korea send tanks to Kyiv?")
    assert has_false_premise(answer)
    assert "has not supplied" in answer.statements[0].text
