"""Value types: normalised when constructed, or rejected with a fix."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from rag.answer.chatbot import Chatbot
from rag.answer.timeline import build_timeline
from rag.archive.archive import Archive
from rag.errors import BackfileError, InvalidValueError
from rag.evaluate.retrieval import read_questions
from rag.retrieval.hybrid import retrieve
from rag.retrieval.langchain import NewsRetriever
from rag.schema import Article, ArticleMetadata, Filters
from tests.support.fakes import HARBOUR, small_archive

DAY = datetime(2024, 10, 21, tzinfo=UTC)
KOREA = timezone(timedelta(hours=9))
EARLY, LATE = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=KOREA)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("values") / "archive") as opened:
        yield opened


@pytest.mark.parametrize(
    "given",
    [
        "Harbour Courier",
        "  Harbour Courier ",
        ["Harbour Courier"],
        {"Harbour Courier"},
        ("Harbour Courier", "Harbour Courier "),
        (name for name in ["Harbour Courier"]),
    ],
)
def test_filters_accept_names_in_any_form(given: Any) -> None:
    filters = Filters(publishers=given)
    assert filters == Filters(publishers=("Harbour Courier",))
    assert hash(filters) == hash(Filters(publishers=("Harbour Courier",)))


@pytest.mark.parametrize(
    "field", ["publishers", "authors", "sections", "languages", "kinds", "access", "article_ids"]
)
def test_filters_normalise_every_field_of_names(field: str) -> None:
    assert getattr(Filters(**{field: "one"}), field) == ("one",)
    assert getattr(Filters(**{field: {"b", "a"}}), field) == ("a", "b")
    for nothing in ("", "  ", None, [], ()):
        assert Filters(**{field: nothing}) == Filters()
    for wrong in (5, b"one", {"one": 1}, ["one", None], [["one"]]):
        with pytest.raises(InvalidValueError, match=f"Filters.{field}"):
            Filters(**{field: wrong})


@pytest.mark.parametrize("field", ["after", "before"])
def test_filters_read_dates_and_naive_datetimes_as_utc(field: str) -> None:
    assert getattr(Filters(**{field: date(2024, 10, 21)}), field) == DAY
    naive = getattr(Filters(**{field: datetime(2024, 10, 21)}), field)  # noqa: DTZ001
    assert naive == DAY
    assert naive.tzinfo is UTC
    local = datetime(2024, 10, 21, 9, tzinfo=KOREA)
    assert getattr(Filters(**{field: local}), field) is local
    for wrong in ("2024-10-21", 1729468800, ("2024",)):
        with pytest.raises(InvalidValueError, match=f"Filters.{field}"):
            Filters(**{field: wrong})


def test_invalid_value_is_a_backfile_error_and_a_value_error() -> None:
    with pytest.raises(BackfileError):
        Filters(after="yesterday")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fromisoformat"):
        Filters(after="yesterday")  # type: ignore[arg-type]


def test_empty_date_range_finds_nothing(archive: Archive) -> None:
    for before in (DAY, DAY - timedelta(days=2)):
        nothing = Filters(after=DAY, before=before)
        assert archive.search("harbour bridge", filters=nothing) == []
        assert archive.search("harbour bridge", 3, filters=nothing, mode="vector") == []
        assert archive.search("harbour bridge", 3, filters=nothing, mode="bm25") == []


def test_search_accepts_one_name_as_a_string(archive: Archive) -> None:
    only = Filters(publishers="Orchard Gazette", after=date(2024, 10, 1))  # type: ignore[arg-type]
    hits = archive.search("harbour apples", filters=only)
    assert [hit.metadata.publisher for hit in hits] == ["Orchard Gazette"]


def calls(archive: Archive, moment: Any) -> Iterator[Callable[[], object]]:
    question = "What was closed after the storm?"
    chatbot = Chatbot(archive)
    retriever = NewsRetriever(archive=archive)
    yield lambda: archive.search(question, asked_on=moment)
    yield lambda: archive.search(question, as_of=moment)
    yield lambda: archive.as_of(moment).search(question)
    yield lambda: archive.as_of(DAY).search(question, asked_on=moment)
    yield lambda: retrieve(archive, question, asked_on=moment)
    yield lambda: chatbot.ask(question, asked_on=moment)
    yield lambda: chatbot.ask(question, as_of=moment)
    yield lambda: list(chatbot.stream(question, asked_on=moment))
    yield lambda: build_timeline(archive, question, asked_on=moment)
    yield lambda: retriever.invoke(question, asked_on=moment)


def test_asked_on_accepts_naive_datetimes_and_dates(archive: Archive) -> None:
    for day in (date(2024, 11, 1), datetime(2024, 11, 1)):  # noqa: DTZ001
        for here, there in zip(calls(archive, day), calls(archive, replace_tz(day)), strict=True):
            assert here() == there()


def replace_tz(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["2024-11-01", 20241101, EARLY, LATE])
def test_asked_on_rejects_other_values(archive: Archive, wrong: Any) -> None:
    for call in calls(archive, wrong):
        with pytest.raises(InvalidValueError, match=r"asked_on|as_of"):
            call()


def test_article_normalises_its_values() -> None:
    article = Article("x", "T", "Text.", authors="Ada Quill", published=date(2024, 10, 21))
    assert article.authors == ("Ada Quill",)
    assert article.published == DAY
    assert article.replace(authors=["B", "A"]).authors == ("B", "A")
    assert article.replace(updated=datetime(2024, 10, 21)).updated == DAY  # noqa: DTZ001


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *[("id", ""), ("id", " "), ("id", None), ("title", None), ("text", b"x"), ("url", 5)],
        *[("published", "2024-10-21"), ("updated", 5), ("authors", [None]), ("access", ())],
    ],
)
def test_article_rejects_values_of_the_wrong_type(field: str, wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"Article.{field}"):
        HARBOUR.replace(**{field: wrong})


def test_article_with_naive_date_is_found_by_its_day(tmp_path: Path) -> None:
    put = HARBOUR.replace(published=datetime(2024, 10, 21, 12))  # noqa: DTZ001
    with small_archive(tmp_path, [put]) as archive:
        day = Filters(after=date(2024, 10, 21), before=date(2024, 10, 22))
        assert archive.count(day).articles == 1
        assert archive.count(Filters(after=date(2024, 10, 22))).articles == 0


def test_filters_of_a_question_file_accept_one_publisher() -> None:
    line = (
        '{"question": "Who?", "answer": "x", "filters": {"publishers": "A", "after": "2024-10-21"}}'
    )
    (question,) = read_questions([line])
    assert question.filters == Filters(publishers=("A",), after=DAY)
    with pytest.raises(ValueError, match="line 1"):
        read_questions(['{"question": "Who?", "filters": {"publishers": 5}}'])


def test_article_exposes_its_metadata_fields() -> None:
    metadata = ArticleMetadata("x", "T", "Courier", published=DAY, revision=3)
    article = Article(text="Text.", metadata=metadata)
    assert article == Article("x", "T", "Text.", "Courier", published=DAY, revision=3)
    assert hash(article) == hash(replace(article, text="Text."))
    assert pickle.loads(pickle.dumps(article)) == article
    shown = {"id" if f.name == "article_id" else f.name for f in fields(ArticleMetadata)}
    public = {name for name in vars(Article) if not name.startswith("_")}
    assert shown == public - {"metadata", "text", "replace"}
    for name in shown - {"id"}:
        assert getattr(article, name) == getattr(metadata, name)
    assert article.id == metadata.article_id


def test_article_is_changed_by_a_copy() -> None:
    article = Article("x", "T", "Text.", authors=["B", "A"], published=date(2024, 10, 21))
    changed = article.replace(id="y", text="Other.", authors="C")
    assert (changed.id, changed.text, changed.authors) == ("y", "Other.", ("C",))
    assert (changed.title, changed.published) == ("T", DAY)
    assert article.id == "x"
    with pytest.raises(TypeError, match="headline"):
        article.replace(headline="X")
    with pytest.raises((AttributeError, TypeError)):
        article.title = "X"  # type: ignore[misc]


def test_article_takes_metadata_or_fields_but_not_both() -> None:
    with pytest.raises(InvalidValueError, match=r"article\.replace"):
        replace(HARBOUR, title="X")  # type: ignore[call-arg]
    with pytest.raises(InvalidValueError, match=r"Article\.id"):
        Article(text="x")
