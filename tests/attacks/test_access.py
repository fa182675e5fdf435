"""Restricted articles: no way into the archive leaks them to somebody without the right."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.compare import compare_sources
from rag.answer.quotes import find_quotes
from rag.answer.timeline import build_timeline
from rag.archive.archive import Archive
from rag.archive.similar import similar_articles
from rag.models.archive_model import LazyEmbeddings
from rag.retrieval.histogram import date_histogram
from rag.retrieval.langchain import NewsRetriever
from rag.schema import ALL_RIGHTS, EVERYTHING, Answer, Article, Filters, Hit, Notice, Passage, Span
from rag.settings import Settings
from rag.store.filters import restricts, rights_clause
from tests.support.fakes import WordEmbeddings, phrase_hits, small_archive
from ui.article_address import ArticleAddress
from ui.cli import main
from ui.i18n import texts_in
from ui.web import browser_storage, run_turn
from ui.web.archive_summary import SummaryCache
from ui.web.page import build_page
from ui.web.reader_view import ReaderView
from ui.web.state import AskRequest, Conversation, Session, Turn
from ui.web.views.article import Place, Reading, article_html, place_at

ROOT = Path(__file__).parents[2]
DAY = datetime(2024, 10, 21, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
QUESTION = "What did the harbour bridge inspectors find?"
SECRET = "vermilion"  # a word that only restricted texts have
STORY = (
    "The harbour bridge inspectors found cracks in two piers of the bridge on Monday. "
    "They asked the council to close the bridge at once, before the storm of the weekend. "
    "The council will speak about the bridge and the cracks in an open meeting on Friday."
)
PUBLIC = Article(
    "courier.example/bridge", "Bridge inspectors find cracks", STORY, "Harbour Courier",
    "https://courier.example/bridge", ("Noor Haan",), DAY, language="en", section="Town",
)  # fmt: skip
COPY = PUBLIC.replace(
    id="wire.example/bridge", title="Wire: vermilion bridge", publisher="Vermilion Wire",
    url="https://wire.example/bridge", authors=("Vermilion Reporter",), access="wire",
)  # fmt: skip
BOARD = Article(
    "board.example/secret", "Vermilion report on the harbour bridge",
    "The vermilion report of the harbour bridge inspectors found that six piers must be replaced. "
    "The vermilion report was hidden from the harbour council.",
    "Vermilion Board", "https://board.example/secret", ("Vermilion Author",),
    DAY + timedelta(days=400), language="fr", section="Vermilion section", access="board",
)  # fmt: skip
NOTICE = Article(  # corrects a public article, in words for subscribers
    "wire.example/correction", "Correction",
    "The vermilion piers were four: https://courier.example/bridge", "Vermilion Wire",
    "", (), DAY + timedelta(days=1), access="wire",
)  # fmt: skip
ONCE_PUBLIC = Article(
    "courier.example/once", "Ferry to run at night",
    "The ferry will run at night, the vermilion company said of the harbour.", "Harbour Courier",
    "", (), DAY,
)  # fmt: skip
CLOSED = ONCE_PUBLIC.replace(title="Ferry to run at night, vermilion", access="board")
RESTRICTED = {COPY.id, BOARD.id, NOTICE.id, CLOSED.id}


def add_articles(archive: Archive, *articles: Article) -> None:
    archive.add((article, [Span(0, len(article.text))]) for article in articles)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("access") / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        add_articles(writer, PUBLIC, COPY, BOARD, NOTICE, ONCE_PUBLIC)
        add_articles(writer, CLOSED)
    with Archive.open(folder, embeddings=WordEmbeddings()) as opened:
        yield opened


def leaks(value: Any) -> bool:
    """Return whether a value contains a restricted word or id."""
    said = repr(value).casefold()
    return SECRET in said or any(article_id in said for article_id in RESTRICTED)


SEARCHES: dict[str, Callable[[Archive, Filters], object]] = {
    "search": lambda a, f: a.search(QUESTION, 20, filters=f),
    "search, only its words": lambda a, f: a.search("vermilion report piers", 20, filters=f),
    "search as of a day": lambda a, f: a.search(QUESTION, 20, filters=f, as_of=LATER),
    "dense": lambda a, f: a.search(QUESTION, 20, filters=f, mode="vector"),
    "lexical": lambda a, f: a.search("vermilion harbour bridge ferry", 20, filters=f, mode="bm25"),
    "phrase": lambda a, f: phrase_hits(a, "x", 20, filters=f, phrases=("vermilion report",)),
    "dense as of a day": lambda a, f: a.as_of(LATER).search(QUESTION, 20, filters=f, mode="vector"),
    "lexical as of a day": lambda a, f: a.as_of(LATER).search(
        "vermilion ferry", 20, filters=f, mode="bm25"
    ),
    "articles": lambda a, f: list(a.articles(f)),
    "copies": lambda a, f: a.near_duplicates([PUBLIC.id], filters=f),
    "copies as of a day": lambda a, f: a.as_of(LATER).near_duplicates([PUBLIC.id], filters=f),
    "ask": lambda a, f: Chatbot(a).ask(QUESTION, filters=f),
    "ask as of a day": lambda a, f: Chatbot(a).ask(QUESTION, filters=f, as_of=LATER),
    "ask of another publisher": lambda a, f: Chatbot(a).ask(
        "What does the vermilion report say?", filters=replace(f, publishers=("Harbour Courier",))
    ),
    "ask of another time": lambda a, f: Chatbot(a).ask("What did inspectors find in May 2011?"),
    "timeline": lambda a, f: build_timeline(a, QUESTION, filters=f),
    "compare": lambda a, f: compare_sources(a, "vermilion bridge report", filters=f),
    "quotes": lambda a, f: find_quotes(a, "vermilion bridge report", filters=f),
    "NewsRetriever": lambda a, f: NewsRetriever(archive=a, k=20, filters=f).invoke(QUESTION),
    "named publisher": lambda a, f: Chatbot(a).ask("What did they find?", filters=f).understood,
    "status": lambda a, f: a.status(access=f.access).publishers,
    "gaps": lambda a, f: a.status(access=f.access).gaps,
    "publishers": lambda a, f: a.publishers(access=f.access),
    "publishers as of a day": lambda a, f: a.as_of(LATER).publishers(access=f.access),
    "authors": lambda a, f: a.authors(access=f.access),
    "authors as of a day": lambda a, f: a.as_of(LATER).authors(access=f.access),
    "sections": lambda a, f: a.sections(access=f.access),
    "article": lambda a, f: a.article(BOARD.id, access=f.access),
    "article as of a day": lambda a, f: a.as_of(LATER).article(BOARD.id, access=f.access),
    "old revision": lambda a, f: a.article(CLOSED.id, 1, access=f.access),
    "revisions": lambda a, f: a.revisions(CLOSED.id, access=f.access),
    "ids": lambda a, f: a.complete_id("board.", access=f.access),
    "ids at an address": lambda a, f: a.find_ids(BOARD.url, access=f.access),
    "neighbours": lambda a, f: (
        a.surrounding_passages(Passage(BOARD.id, 1, 0, len(BOARD.text), "?"), access=f.access)[
            0
        ].text
    ),
}
HARMLESS = {"ask of another time", "named publisher", "gaps", "ask of another publisher"}


def _without_word(refusal: Notice | None) -> Notice | None:
    """Return a refusal without the word from the question."""
    if refusal is None:
        return None
    value = json.dumps(refusal.to_dict()).replace("vermilion", "")
    return Notice.from_dict(json.loads(value))


@pytest.mark.parametrize("way", SEARCHES)
def test_restricted_article_does_not_leak(way: str, archive: Archive) -> None:
    search = SEARCHES[way]
    found = search(archive, Filters())
    asked = {"questions and words of the reader": "vermilion report"}
    if isinstance(found, Answer):  # a refusal names words of the question
        found = replace(found, question="", refusal=_without_word(found.refusal))
    assert not leaks(found), asked
    assert not leaks(search(archive, Filters(access=("others",)))) or isinstance(found, Answer)
    if way not in HARMLESS:  # the attack works: with all rights it finds restricted articles
        assert leaks(search(archive, EVERYTHING))


def test_each_right_gives_access_to_its_own_articles(archive: Archive) -> None:
    board = Filters(access="BOARD")  # type: ignore[arg-type]
    ids = {hit.passage.article_id for hit in archive.search(QUESTION, 20, filters=board)}
    assert BOARD.id in ids
    assert not ids & {COPY.id, NOTICE.id}
    assert archive.article(BOARD.id, access=("board",)) == BOARD.replace(revision=1)
    assert archive.article(COPY.id, access=("board",)) is None
    assert [len(archive.revisions(CLOSED.id, access=access)) for access in ((), ("board",))] == [
        0,
        2,
    ]


def test_restricted_correction_is_shown_only_with_its_right(archive: Archive) -> None:
    def correction(filters: Filters) -> str:
        (hit,) = archive.search(
            "cracks", 5, filters=replace(filters, article_ids=(PUBLIC.id,)), mode="bm25"
        )
        return hit.metadata.correction

    assert correction(Filters()) == ""
    assert "vermilion piers were four" in correction(Filters(access=("wire",)))
    before = archive.as_of(LATER)
    (hit,) = before.search("cracks", 5, filters=Filters(article_ids=(PUBLIC.id,)), mode="bm25")
    assert hit.metadata.correction == ""
    assert before.corrected_since([hit.metadata]) == {}


def test_counts_include_only_readable_articles(archive: Archive) -> None:
    assert archive.count().articles == 1
    assert archive.count(EVERYTHING).articles == 5
    seen = archive.status()
    assert (seen.articles, seen.copies, seen.stories_told_again) == (1, 0, 0)
    assert (seen.last, len(seen.publishers)) == (DAY, 1)
    assert archive.status(access=ALL_RIGHTS).copies == 1


def test_histogram_counts_only_readable_articles(archive: Archive) -> None:
    bars = date_histogram(archive, "harbour bridge vermilion report").bars
    assert sum(bar.articles for bar in bars) == 1
    assert (
        sum(b.articles for b in date_histogram(archive, "harbour bridge", filters=EVERYTHING).bars)
        > 1
    )


# The page


def test_archive_summary_of_the_page_hides_restricted_articles(archive: Archive) -> None:
    seen = SummaryCache(archive).current()
    assert not leaks((seen.status.publishers, seen.status.gaps, seen.choices, seen.suggestions))
    assert [one.question for one in seen.suggestions] == [PUBLIC.title]


@pytest.mark.parametrize("mode", ["answer", "timeline", "passages"])
def test_question_on_the_page_finds_nothing_restricted(mode: Any, archive: Archive) -> None:
    session = run_turn.begin_turn(Session(), AskRequest(QUESTION, mode=mode))
    *_, last = run_turn.run_turn(archive, Chatbot(archive), session)
    assert last.turns[-1].answer.hits
    assert not leaks(last)


def test_forged_conversation_restores_nothing_restricted(archive: Archive) -> None:
    passages = [
        Passage(BOARD.id, 1, 0, len(BOARD.text), BOARD.text),
        Passage(CLOSED.id, 1, 0, len(ONCE_PUBLIC.text), ONCE_PUBLIC.text),
        Passage(PUBLIC.id, 1, 0, len(PUBLIC.text), PUBLIC.text),
    ]
    hits = tuple(Hit(passage, PUBLIC.metadata, 1.0) for passage in passages)
    answer = Answer(
        QUESTION, hits=hits, nearest_hits=hits, refused=True, refusal=Notice("off_topic")
    )
    session = Session((Conversation(turns=(Turn(AskRequest(QUESTION), answer),)),))
    (back,) = browser_storage.from_browser(browser_storage.to_browser(session), archive)
    assert [hit.passage.article_id for hit in back.turns[0].answer.hits] == [PUBLIC.id]
    assert not leaks(back.turns[0].answer)


@pytest.mark.parametrize("revision", [None, 1, 2])
def test_page_opens_no_restricted_article(revision: int | None, archive: Archive) -> None:
    texts = texts_in("en")
    for article in (BOARD, COPY, CLOSED):
        place = Place(Passage(article.id, 1, 0, 9, article.text[:9]))
        shown = article_html(archive, place, texts, Reading(revision))
        assert SECRET not in shown.casefold()
        assert texts("withdrawn") in shown.replace("&#x27;", "'") or "bf-refused" in shown
    place = Place(Passage(PUBLIC.id, 1, 0, 9, PUBLIC.text[:9]))
    for since in (0, 1):
        shown = article_html(archive, place, texts, Reading(1, since))
        assert SECRET not in shown.casefold()
        assert "Bridge inspectors" in shown


def test_address_of_a_restricted_article_opens_nothing(archive: Archive) -> None:
    for article in (BOARD, COPY, NOTICE, CLOSED):
        for revision in (None, 1, 2):
            assert place_at(archive, ArticleAddress(article.id, 0, 9, revision)) is None


def test_similar_articles_are_readable(archive: Archive) -> None:
    found = similar_articles(archive, PUBLIC)
    assert not leaks(found)
    assert leaks(similar_articles(archive, PUBLIC, filters=EVERYTHING))


def test_page_endpoints_return_nothing_restricted(archive: Archive) -> None:
    page = build_page(ReaderView(archive, Chatbot(archive)), Settings())
    functions = {f.api_name: f.fn for f in page.fns.values() if f.api_name in ("ask", "search")}
    assert set(functions) == {"ask", "search"}
    for function in functions.values():
        assert PUBLIC.id in repr(function(QUESTION, 50))
        assert not leaks(function(QUESTION, 50))


# The operator


@pytest.fixture
def operator_archive(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(LazyEmbeddings, "open", lambda self: WordEmbeddings())
    monkeypatch.setenv("BACKFILE_EMBEDDING_MODEL", "words")
    return str(archive.path)


@pytest.mark.parametrize(
    "command",
    [
        ["search", QUESTION, "-k", "20", "--json"],
        ["search", QUESTION, "-k", "20", "--as-of", "2100-01-01", "--json"],
        ["ask", "Who wrote the vermilion report?", "--json"],
        ["show", BOARD.id],
        ["show", "board.example", "--revisions"],
        ["status", "--json"],
        ["export", "-"],
    ],
)
def test_command_line_shows_its_operator_everything(
    command: list[str], operator_archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--archive", operator_archive]) == 0
    assert SECRET in capsys.readouterr().out.replace(" ".join(command[1:2]), "").casefold()


def test_evaluation_finds_restricted_articles(
    operator_archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"question": QUESTION, "gold": [BOARD.id]}) + "\n")
    assert (
        main(["evaluate", "retrieval", str(questions), "--archive", operator_archive, "--json"])
        == 0
    )
    assert json.loads(capsys.readouterr().out)["gold"]["hit@10"] == 1.0


# Internal access to every article, without cost if none is restricted


def test_archive_without_restrictions_skips_rights_checks(tmp_path: Path) -> None:
    with small_archive(tmp_path) as archive:
        database = archive.store.database
        assert rights_clause(database, Filters()) == EVERYTHING
        assert not restricts(database, Filters())
        assert archive.search("harbour bridge") == archive.search(
            "harbour bridge", filters=EVERYTHING
        )
        with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as writer:
            add_articles(writer, BOARD)
        assert restricts(database, Filters())
        assert BOARD.id not in repr(archive.search("vermilion report"))


def test_ingest_reads_articles_with_all_rights() -> None:
    for file in (ROOT / "ingest").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in ("article", "revisions") and isinstance(
                node.func.value, ast.Attribute | ast.Name
            ):
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert given.get("access") in ("ALL_RIGHTS", "access"), f"{file}:{node.lineno}"
