"""Headlines as questions: found even if their words could be a time range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.timeline import build_timeline
from rag.archive.archive import Archive
from rag.models.archive_model import LazyEmbeddings
from rag.nlp.headlines import is_headline
from rag.retrieval.hybrid import NOTICES, retrieve
from rag.retrieval.langchain import NewsRetriever
from rag.schema import Article, Filters, Span
from tests.support.fakes import WordEmbeddings
from ui.cli.format import retrieval_text
from ui.i18n import render
from ui.web import run_turn
from ui.web.state import AskRequest, Session

NOW = datetime(2026, 11, 29, tzinfo=UTC)
TITLES = {
    "What to know about the January 6 hearings": "2022-06-09",
    "Car makers outsold the railways last year": "2022-01-11",
    "Wolf moon lights up the sky tonight": "2022-01-17",
    "Mayor will run again in 2024, she says": "2023-01-19",
    "Ferry talks resume on Monday in Arvik": "2022-02-26",
    "Household debt jumped in 2021, the most since 2007": "2022-02-08",
}


def article(title: str, day: str, number: int) -> Article:
    published = datetime.fromisoformat(day).replace(tzinfo=UTC)
    text = f"The story of number {number} says what happened in the town, and who saw it."
    return Article(f"courier.example/{number}", title, text, "Courier", published=published)


ARTICLES = [article(title, day, n) for n, (title, day) in enumerate(TITLES.items())]
# what lies in the time ranges that the words could name, so that a filter leaves something over
DECOYS = [
    article("Council meets on parking", day, 100 + n)
    for n, day in enumerate(("2026-01-06", "2025-05-05", "2026-11-29", "2024-03-03", "2026-11-23"))
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("headlines") / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add((a, [Span(0, len(a.text))]) for a in (*ARTICLES, *DECOYS))
        yield opened


@pytest.mark.parametrize("wanted", ARTICLES, ids=lambda a: a.title)
def test_article_is_found_by_its_own_title(wanted: Article, archive: Archive) -> None:
    hits = archive.search(wanted.title, 8, asked_on=NOW)
    assert hits[0].metadata.article_id == wanted.id
    retyped = wanted.title.lower().replace(",", "")
    assert archive.search(retyped, 8, asked_on=NOW)[0].metadata.article_id == wanted.id


def test_search_reports_that_a_headline_is_not_a_time_range(archive: Archive) -> None:
    wanted = ARTICLES[4]
    found = retrieve(archive, wanted.title, asked_on=NOW)
    assert found.relaxed == "headline"
    assert found.question.time_range is None
    (notice,) = NOTICES["headline"]
    assert render(notice) in " ".join(retrieval_text(found).split())
    assert notice in Chatbot(archive).ask(wanted.title, asked_on=NOW).notices
    assert notice in build_timeline(archive, wanted.title, asked_on=NOW).notices
    (first, *_) = NewsRetriever(archive=archive, asked_on=NOW).invoke(wanted.title)
    assert first.metadata["relaxed"] == "headline"
    session = run_turn.begin_turn(
        Session(), AskRequest(wanted.title, asked_on=NOW, mode="passages")
    )
    *_, last = run_turn.run_turn(archive, Chatbot(archive), session)
    assert last.turns[-1].answer.notices == (notice,)


def test_headline_keeps_the_time_range_of_its_article(archive: Archive) -> None:
    found = retrieve(archive, ARTICLES[3].title, asked_on=datetime(2024, 2, 1, tzinfo=UTC))
    assert found.relaxed == "headline"
    then = datetime(2022, 1, 17, 12, tzinfo=UTC)
    found = retrieve(archive, "Wolf moon lights up the sky tonight", asked_on=then)
    assert (found.relaxed, found.question.time_range is None) == ("", False)
    assert found.hits[0].metadata.title == "Wolf moon lights up the sky tonight"


def test_headline_that_names_a_publisher_finds_its_article(tmp_path: Path) -> None:
    wanted = article("How the Gazette covered the flood", "2019-02-03", 1)
    theirs = article("Council meets on parking", "2020-02-03", 2).replace(publisher="Gazette")
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add((a, [Span(0, len(a.text))]) for a in (wanted, theirs))
        found = retrieve(opened, wanted.title, asked_on=NOW)
        assert (found.hits[0].metadata.article_id, found.relaxed) == (wanted.id, "named")
        assert found.notices == NOTICES["named"]
        found = retrieve(opened, "What did the Gazette write of parking?", asked_on=NOW)
        assert {hit.metadata.publisher for hit in found.hits} == {"Gazette"}


def test_question_that_is_not_a_headline_keeps_its_time_range(archive: Archive) -> None:
    found = retrieve(archive, "What did the council say of parking on January 6?", asked_on=NOW)
    assert found.relaxed == ""
    assert {hit.metadata.published for hit in found.hits} == {DECOYS[0].published}


def test_empty_time_range_is_relaxed_with_a_notice(archive: Archive) -> None:
    question = "What was said of the ferry talks in May 2011?"
    found = retrieve(archive, question, asked_on=NOW)
    assert found.hits == ()
    assert found.relaxed == "empty"
    assert archive.search(question, asked_on=NOW) == list(found.outside)
    documents = NewsRetriever(archive=archive, asked_on=NOW).invoke(question)
    assert {document.metadata["relaxed"] for document in documents} == {"empty"}
    answer = Chatbot(archive).ask(question, asked_on=NOW)
    assert answer.refused
    assert answer.nearest_hits
    assert answer.refusal is not None
    assert set(NOTICES["empty"]) <= set(answer.notices) or answer.refusal.code == "later_article"


def test_caller_filters_are_never_relaxed(archive: Archive) -> None:
    only = Filters(after=datetime(2026, 1, 1, tzinfo=UTC))
    hits = archive.search(ARTICLES[0].title, 8, filters=only, asked_on=NOW)
    assert all(hit.metadata.published and hit.metadata.published >= only.after for hit in hits)  # type: ignore[operator]
    nobody = replace(only, publishers=("Gazette",))
    assert archive.search(ARTICLES[0].title, filters=nobody, asked_on=NOW) == []


@pytest.mark.parametrize(
    ("query", "title", "same"),
    [
        ("Storm closes harbour in 2024", "Storm closes harbour in 2024 | The Courier", True),
        ("Storm closes harbour - in 2024", "Storm closes harbour - in 2024 - Courier", True),
        ("storm closes harbour in 2024", "Storm closes the harbour in 2024", True),
        ("What happened in the harbour in 2024?", "Storm closes the harbour in 2024", False),
        ("Last week", "Last week", False),
        ("Who closed the harbour last week?", "Harbour closed last week", False),
        ("", "", False),
    ],
)
def test_is_headline_compares_words(query: str, title: str, same: bool) -> None:
    assert is_headline(query, title) is same


def test_is_headline_accepts_any_line() -> None:
    assert not is_headline("harbour bridge closed", " - " * 20_000 + "|" * 20_000)


def test_search_json_marks_hits_of_other_dates(
    archive: Archive,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import json

    from ui.cli import main

    monkeypatch.setattr(LazyEmbeddings, "open", lambda self: WordEmbeddings())
    monkeypatch.setenv("BACKFILE_EMBEDDING_MODEL", "words")
    words = ["search", "--asked-on", "2026-11-29", "--archive", str(archive.path), "--json"]
    assert main([*words, "What was said of the ferry talks in May 2011?"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed
    assert {hit["relaxed"] for hit in printed} == {"empty"}
