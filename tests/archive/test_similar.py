"""Similar articles: nearest first, without the article, its copies and restricted ones."""

from __future__ import annotations

from pathlib import Path

from rag.archive.archive import Archive
from rag.archive.similar import similar_articles
from rag.schema import EVERYTHING, Article, Span
from tests.support.fakes import WordEmbeddings

STORY = (
    "The harbour bridge of Pell was closed on Monday after inspectors found cracks in two piers. "
    "The council asked drivers to take the ferry until repairs of the piers are done in spring."
)
BRIDGE = Article("a.example/1", "Harbour bridge closed", STORY, "Pell Tribune")
COPY = BRIDGE.replace(id="b.example/1", publisher="Wire of Pell")
NEAR = Article(
    "a.example/2", "Harbour bridge cracks",
    "Cracks in the piers of the harbour bridge were found by inspectors of Pell.", "Pell Tribune",
)  # fmt: skip
FAR = Article("a.example/3", "Apples", "Growers of the valley pick few apples.", "Pell Tribune")
CLOSED = NEAR.replace(id="c.example/1", text=NEAR.text + " For the board.", access="board")


def opened(folder: Path, *articles: Article) -> Archive:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        for article in articles:
            writer.add([(article, [Span(0, len(article.text))])])
    return Archive.open(folder, embeddings=WordEmbeddings())


def test_nearest_articles_come_first_without_copies(tmp_path: Path) -> None:
    with opened(tmp_path / "archive", BRIDGE, COPY, NEAR, FAR, CLOSED) as archive:
        assert archive.near_duplicates([BRIDGE.id])[BRIDGE.id][0].article_id == COPY.id
        found = [one.article_id for one in similar_articles(archive, BRIDGE)]
        assert found == [NEAR.id, FAR.id]
        assert [one.article_id for one in similar_articles(archive, BRIDGE, 1)] == [NEAR.id]
        of_all = similar_articles(archive, BRIDGE, filters=EVERYTHING)
        assert CLOSED.id in [one.article_id for one in of_all] or NEAR.id not in found


def test_article_alone_has_no_similar_ones(tmp_path: Path) -> None:
    with opened(tmp_path / "archive", BRIDGE) as archive:
        assert similar_articles(archive, BRIDGE) == []
        assert similar_articles(archive, BRIDGE.replace(title="", text=" ")) == []
