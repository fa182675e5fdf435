"""One suite over the archive's own classes and over `RemoteArchive`, by a real `backfile serve`."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rag import (
    Answer,
    Archive,
    Chatbot,
    Filters,
    Hit,
    InvalidValueError,
    QuestionTooLongError,
    RemoteArchive,
)
from tests.browser.conftest import free_port, serve
from tests.support.commands import command

pytestmark = pytest.mark.slow

ON = date(2024, 11, 15)
QUESTION = "What did South Korea threaten?"
OCTOBER = Filters(after=date(2024, 10, 1), before=datetime(2024, 11, 1, tzinfo=UTC))


@dataclass
class Both:
    """What has the methods of an archive and of a chatbot."""

    archive: Any
    chatbot: Any
    local: Archive


@pytest.fixture(scope="module")
def folder(sample_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(sample_archive, tmp_path_factory.mktemp("remote") / "archive")


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[Archive]:
    with Archive.open(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def remote(folder: Path) -> Iterator[RemoteArchive]:
    with (
        serve(command("serve", "--port", free_port(), "--archive", folder)) as printed,
        RemoteArchive(printed.partition("?")[0]) as opened,
    ):
        yield opened


@pytest.fixture(params=["folder", "server"])
def both(request: pytest.FixtureRequest, local: Archive) -> Both:
    if request.param == "folder":
        return Both(local, Chatbot(local), local)
    opened = request.getfixturevalue("remote")
    return Both(opened, opened, local)


def _rounded(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits with rounded scores: a server's encoder rounds otherwise than numpy."""
    return [replace(hit, score=round(hit.score, 4)) for hit in hits]


def _assert_same(answer: Answer, expected: Answer) -> None:
    """Compare answers; see `_rounded`."""
    assert _rounded(answer.hits) == _rounded(expected.hits)
    bare = [replace(one, confidence=None, hits=()) for one in (answer, expected)]
    assert bare[0] == bare[1]
    assert answer.confidence == pytest.approx(expected.confidence, abs=0.01)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "bm25"])
def test_search_finds_the_same(both: Both, mode: Any) -> None:
    hits = both.archive.search(QUESTION, 5, mode=mode, asked_on=ON)
    expected = both.local.search(QUESTION, 5, mode=mode, asked_on=ON)
    assert _rounded(hits) == _rounded(expected)
    assert len(hits) == 5


def test_search_obeys_filters_and_days(both: Both) -> None:
    (first, *_) = both.local.search("soldiers", filters=OCTOBER)
    named = Filters(publishers=first.metadata.publisher, article_ids=first.metadata.article_id)
    assert both.archive.search("soldiers", filters=OCTOBER)[0] == first
    assert {h.metadata.article_id for h in both.archive.search("soldiers", filters=named)} == {
        first.metadata.article_id
    }
    assert both.archive.search("soldiers", as_of=date(2020, 1, 1)) == []


def test_moment_with_an_offset_stays_that_moment(both: Both) -> None:
    published = max(a.published for a in both.local.articles() if a.published)
    just_then, later = Filters(after=published), Filters(after=published + timedelta(seconds=1))
    found = both.archive.browse(filters=just_then)
    assert found == both.local.browse(filters=just_then)
    assert found.total > both.archive.browse(filters=later).total


@pytest.mark.parametrize("question", [QUESTION, "Who is the king of Atlantis?", "Hello!"])
def test_ask_answers_the_same(both: Both, question: str) -> None:
    answer = both.chatbot.ask(question, asked_on=ON)
    _assert_same(answer, Chatbot(both.local).ask(question, asked_on=ON))


def test_ask_resolves_followups_by_history(both: Both) -> None:
    first = both.chatbot.ask(QUESTION, asked_on=ON)
    history = [(QUESTION, first), "And the North?"]
    answer = both.chatbot.ask("What else did it threaten?", asked_on=ON, history=history)
    expected = Chatbot(both.local).ask("What else did it threaten?", asked_on=ON, history=history)
    _assert_same(answer, expected)


def test_stream_grows_to_the_answer(both: Both) -> None:
    *growing, last = both.chatbot.stream(QUESTION, asked_on=ON)
    assert last == both.chatbot.ask(QUESTION, asked_on=ON)
    lengths = [len(answer.statements) for answer in (*growing, last)]
    assert lengths == sorted(lengths)
    assert len(lengths) > 1


def test_articles_and_revisions_are_the_same(both: Both) -> None:
    ids = [article.id for article in both.local.articles()][:3]
    assert both.archive.get(ids) == both.local.get(ids)
    assert both.archive.get(ids[0]) == both.archive.article(ids[0], 1)
    assert both.archive.revisions(ids[0]) == both.local.revisions(ids[0])
    assert both.archive.article("elsewhere.example/none") is None
    assert both.archive.article(ids[0], 99) is None
    assert both.archive.get(["", ids[0]]) == both.local.get(ids[:1])
    assert both.archive.revisions("none") == ()


def test_browse_pages_have_every_article_once(both: Both) -> None:
    ids, cursor = [], ""
    while True:
        page = both.archive.browse(order="date", limit=17, cursor=cursor)
        ids += [one.article_id for one in page.articles]
        cursor = page.cursor
        if not cursor:
            break
    assert len(ids) == len(set(ids)) == both.local.count().articles
    words = "soldiers AND NOT Russia"
    assert both.archive.browse(words, order="relevance") == both.local.browse(
        words, order="relevance"
    )


def test_names_are_the_same(both: Both) -> None:
    found = both.archive.names("person", limit=5)
    assert found == both.local.names("person", limit=5)
    assert both.archive.name(found[0].name) == both.local.name(found[0].name)
    assert both.archive.name("Nobody At All").articles == 0


def test_status_counts_the_same(both: Both) -> None:
    theirs, ours = both.archive.status(), both.local.status(access=())
    kept = {"articles", "passages", "publishers", "first", "last", "gaps", "sequence", "copies"}
    assert {n: getattr(theirs, n) for n in kept} == {n: getattr(ours, n) for n in kept}
    assert theirs.embedding_model == ours.embedding_model


def test_retriever_returns_the_same_documents(both: Both) -> None:
    theirs = both.archive.as_retriever(k=3, asked_on=ON)
    ours = both.local.as_retriever(k=3, asked_on=ON)
    assert theirs.invoke(QUESTION) == ours.invoke(QUESTION)
    assert theirs.invoke(QUESTION, k=1, filters=OCTOBER) == ours.invoke(
        QUESTION, k=1, filters=OCTOBER
    )


def test_errors_are_of_the_same_classes(both: Both) -> None:
    with pytest.raises(InvalidValueError):
        both.archive.search("treaty", mode="magic")
    with pytest.raises(InvalidValueError):
        both.archive.browse(cursor="forged")
    with pytest.raises(InvalidValueError):
        both.archive.names(limit=0)
    with pytest.raises(InvalidValueError):
        both.archive.search("treaty", asked_on="yesterday")
    with pytest.raises((QuestionTooLongError, InvalidValueError)):
        both.chatbot.ask("why " * 5000)


def test_answer_from_a_server_can_be_changed_like_any_other(both: Both) -> None:
    answer = both.chatbot.ask(QUESTION, asked_on=ON)
    assert replace(answer, question="x").citations == answer.citations
