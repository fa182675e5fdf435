"""Hybrid retrieval over a real archive of invented articles."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from langchain_core.cross_encoders import BaseCrossEncoder

from rag.archive.archive import Archive
from rag.query.parser import parse_question
from rag.retrieval.hybrid import apply_query_constraints, retrieve
from rag.retrieval.langchain import NewsRetriever
from rag.schema import Article, Filters, Span
from tests.support.fakes import WordEmbeddings

ASKED_ON = datetime(2024, 10, 24, 15, tzinfo=UTC)


def article(name, day, text, publisher="Courier", title="Ferry"):
    published = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return Article(f"x.example/{name}", title, text, publisher, published=published)


ARTICLES = [
    article("old", "2019-03-02", "The ferry sank near Borsk, the harbour office said."),
    article("new", "2024-10-22", "The ferry sank off Lund, the harbour office said."),
    article("later", "2024-11-20", "The ferry sank by Arvik, the harbour office said."),
    article("june", "2022-06-10", "The ferry line to Lund was closed.", "Gazette"),
    article("july", "2022-07-01", "The ferry line to Lund was closed in June.", "Gazette"),
    article("copy", "2024-10-22", "The ferry sank off Lund, the harbour office said."),
    article("tax", "2024-10-20", "Council raises the tax on dogs.", "Gazette", "Tax"),
]


def in_sentences(text):
    ends = [i + 1 for i, c in enumerate(text) if c == "." and text[i + 1 : i + 2] in ("", " ")]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add([(a, in_sentences(a.text)) for a in ARTICLES])
        yield opened


def search_names(archive, question, k=8, **how):
    how.setdefault("asked_on", ASKED_ON)
    hits = retrieve(archive, question, k, **how).hits
    return [hit.passage.article_id.removeprefix("x.example/") for hit in hits]


def test_recent_article_ranks_above_old_and_future_ones(archive):
    assert search_names(archive, "Where did the ferry sink?")[0] in ("new", "copy")


def test_recency_counts_from_asked_on(archive):
    then = datetime(2019, 3, 3, tzinfo=UTC)
    assert search_names(archive, "Where did the ferry sink?", asked_on=then)[0] == "old"


def test_time_filter_includes_reports_of_the_next_days(archive):
    assert search_names(archive, "Which ferry line was closed in June 2022?") == ["june", "july"]


def test_time_filter_before_a_day_ends_there(archive):
    found = search_names(archive, "Where did the ferry sink before 22 October 2024?")
    assert "old" in found
    assert "new" not in found


def test_question_only_narrows_the_callers_filters(archive):
    filters = Filters(after=ASKED_ON - timedelta(days=30))
    found = retrieve(archive, "Which line was closed in June 2022?", filters=filters)
    assert found.hits == ()
    assert found.question.time_range is not None


def test_named_publisher_is_a_filter(archive):
    found = search_names(archive, "What did the Gazette report about the ferry?")
    assert {"june", "july"} <= set(found) <= {"june", "july", "tax"}


def test_article_without_publisher_passes_a_named_publisher(tmp_path):
    untold = article("untold", "2024-10-20", "The ferry was late again.", publisher="")
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([(a, in_sentences(a.text)) for a in (*ARTICLES, untold)])
        found = search_names(archive, "What did the Gazette report about the ferry?")
        assert "untold" in found
        assert not {"new", "later"} & set(found)
        only = Filters(publishers=("Gazette", "Courier"))
        found = search_names(archive, "What did the Gazette report about the ferry?", filters=only)
        assert not {"untold", "new", "later"} & set(found)


def test_publisher_outside_the_callers_filter_finds_nothing():
    asked = parse_question("according to the Gazette", asked_on=ASKED_ON, publishers=("Gazette",))
    assert apply_query_constraints(Filters(publishers=("Courier",)), asked) is None


def test_duplicate_text_is_shown_once(archive):
    found = search_names(archive, "Where did the ferry sink?")
    assert len({"new", "copy"} & set(found)) == 1


def test_newer_of_two_old_stories_ranks_first(archive):
    asked = datetime(2034, 10, 24, tzinfo=UTC)
    found = search_names(archive, "Where did the ferry sink?", asked_on=asked)
    assert found.index("later") < found.index("old")


def test_undated_article_ranks_between_new_and_old(tmp_path):
    told = ["The ferry sank near Borsk.", "The ferry sank off Lund.", "The ferry sank by Arvik."]
    undated = Article("x.example/undated", "Ferry", told[1], "Courier")
    past, news = article("past", "2012-03-02", told[0]), article("news", "2024-10-20", told[2])
    held = [past, undated, news]
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add((one, [Span(0, len(one.text))]) for one in held)
        found = archive.search("Where did the ferry sink?", 3, asked_on=ASKED_ON)
    assert [hit.passage.article_id for hit in found] == [news.id, undated.id, past.id]


def test_year_in_the_question_boosts_its_articles(archive):
    asked = datetime(2034, 10, 24, tzinfo=UTC)
    found = retrieve(archive, "What was said of the 2019 ferry disaster?", asked_on=asked)
    assert found.question.time_range is None
    assert found.hits[0].passage.article_id == "x.example/old"


def test_empty_time_range_gives_hits_outside_it(archive):
    found = retrieve(archive, "Where did the ferry sink in May 2011?", asked_on=ASKED_ON)
    assert found.hits == ()
    assert found.outside
    only_courier = Filters(publishers=("Courier",))
    found = retrieve(archive, "Which ferry sank in May 2011?", filters=only_courier)
    assert {hit.metadata.publisher for hit in found.outside} == {"Courier"}


def test_nothing_found_is_an_empty_result(archive):
    assert retrieve(archive, "What happened in May 2011?").hits == ()
    assert retrieve(archive, "ferry", 0).hits == ()


def test_adjacent_passages_are_joined(tmp_path):
    long = article("long", "2024-10-22", "Ferry one. Ferry two. Ferry three. Ferry four.")
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([(a, in_sentences(a.text)) for a in (long, ARTICLES[0], ARTICLES[3])])
        hits = retrieve(archive, "ferry", 3, asked_on=ASKED_ON).hits
        assert len({hit.passage.article_id for hit in hits}) == 3
        for hit in hits:
            whole = archive.article(hit.passage.article_id)
            assert hit.passage.text == whole.text[hit.passage.start : hit.passage.end]
        assert any(hit.passage.text.count("Ferry") > 1 for hit in hits)


class LikesArvik(BaseCrossEncoder):
    def score(self, text_pairs):
        return [float("Arvik" in passage) for _, passage in text_pairs]


def test_reranker_changes_the_order(archive, monkeypatch):
    monkeypatch.setattr(archive, "reranker", LikesArvik())
    assert search_names(archive, "Where did the ferry sink?")[0] == "later"


def test_follow_up_is_searched_with_its_history(archive):
    found = retrieve(archive, "And the tax?", history=["What does the council want of dogs?"])
    assert "council" in found.question.text
    assert found.hits[0].metadata.title == "Tax"


def test_langchain_retriever_gives_the_same_hits(archive):
    retriever = NewsRetriever(archive=archive, k=2, asked_on=ASKED_ON)
    documents = retriever.invoke("Where did the ferry sink?")
    assert len(documents) == 2
    assert set(documents[0].metadata) == {
        *("article_id", "start", "end", "score", "title", "publisher", "url", "published"),
        "copies",
        "source",
        "start_index",
    }
    assert len(retriever.invoke("Where did the ferry sink?", k=1)) == 1
    with ThreadPoolExecutor(1) as thread:  # the browser tests' loop may be running in this one
        found = thread.submit(
            lambda: asyncio.run(retriever.ainvoke("Where did the ferry sink?", k=1))
        )
        assert found.result() == documents[:1]
    assert retriever.batch(["Where did the ferry sink?"]) == [documents]


def test_article_deleted_after_search_is_not_shown(tmp_path):
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add([(a, in_sentences(a.text)) for a in ARTICLES])
        found = opened.bm25_candidates("ferry sank", 5)
        gone = next(one for one in found if one.metadata.article_id == "x.example/old")
        opened.delete(["x.example/old"])
        shown = opened.load_hits(found)
    assert gone.number not in shown
    assert [hit.score for hit in shown.values()] == [o.score for o in found if o is not gone]


def test_cached_filter_follows_additions_and_deletions(tmp_path):
    gazette = Filters(publishers=("Gazette",))

    def near(archive):
        found = archive.vector_candidates("ferry line", 9, filters=gazette)
        return {one.metadata.article_id.removeprefix("x.example/") for one in found}

    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add([(a, in_sentences(a.text)) for a in ARTICLES[3:5]])
        with Archive.open(tmp_path, embeddings=WordEmbeddings()) as reader:
            assert near(reader) == {"june", "july"}
            opened.add([(ARTICLES[6], in_sentences(ARTICLES[6].text))])
            opened.delete(["x.example/june"])
            assert near(reader) == {"july", "tax"}
