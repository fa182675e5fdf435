"""Misspelt names, and publishers named by their domains."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.nlp.edit_distance import edit_distance
from rag.retrieval.hybrid import retrieve, understand_question
from rag.schema import Article, Filters, Notice
from tests.support.fakes import small_archive

PUBLISHED = datetime(2024, 10, 30, tzinfo=UTC)
ARTICLES = (
    Article(
        id="mayor",
        title="Lindqvist opens school",
        text="The mayor of Velsund, Ada Lindqvist, opened a school. Nordok paid for it.",
        publisher="HARBOUR COURIER",
        url="https://eu.harbourcourier.co.uk/mayor",
        published=PUBLISHED,
    ),
    Article(
        id="cup",
        title="Tamm beats Holt",
        text="Ivo Tamm beat Mia Holt in the cup. Mahsa Borg watched, and so did Masha Quill. "
        "Nordok of Velsund had paid for the cup.",
        publisher="The Ost",
        url="https://www.ost.example/cup",
        published=PUBLISHED,
    ),
    Article(
        id="desk",
        title="Secret",
        text="Zebulon Quistgaard was here.",
        publisher="The Ost",
        url="https://hidden.example/desk",
        published=PUBLISHED,
        access="desk",
    ),
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder: Path = tmp_path_factory.mktemp("spelling") / "archive"
    with small_archive(folder, ARTICLES) as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "given", "instead"),
    [
        ("Who is Ada Lindkvist?", "Ada Lindkvist", "Ada Lindqvist"),
        ("What did Ada Linquist open?", "Ada Linquist", "Ada Lindqvist"),
        ("Who is the mayor of Velsnud?", "Velsnud", "Velsund"),
        ("What did Nordock pay for?", "Nordock", "Nordok"),
        ("Who is Masha Borg?", "Masha Borg", "Mahsa Borg"),
    ],
)
def test_misspelt_name_is_corrected_with_a_notice(
    archive: Archive, question: str, given: str, instead: str
) -> None:
    found = retrieve(archive, question)
    assert found.notices == (Notice("did_you_mean", given=given, instead=instead),)
    assert instead in found.question.query


@pytest.mark.parametrize(
    "question",
    [
        "Who beat Mia Holt?",
        "Who is Masha Quill?",
        "Did Angela Merkel visit?",
        "What does Mia Hult say?",  # four letters are too few to tell
        "Who is the mayor of Velfund?",  # another letter makes another name
        "Who is Zebulon Quistgard?",  # the reader may not know that the name is there
        "What did the HARBOUR COURIER print?",
    ],
)
def test_known_and_unlike_names_stay(archive: Archive, question: str) -> None:
    asked = understand_question(archive, question)
    assert asked.notices == ()
    assert asked.text == question


def test_restricted_name_is_corrected_for_its_readers(archive: Archive) -> None:
    asked = understand_question(archive, "Who is Zebulon Quistgard?", access=("desk",))
    assert asked.names == ("Zebulon Quistgaard",)


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("tarn", "tran", 1), ("ab", "ab", 0), ("kitten", "sitting", 3)]
)
def test_edit_distance_counts_a_swap_once(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other) == distance


@pytest.mark.parametrize(
    "domain", ["harbourcourier.co.uk", "www.harbourcourier.co.uk", "ost.example"]
)
def test_domain_names_its_publisher(archive: Archive, domain: str) -> None:
    asked = understand_question(archive, f"Who opened a school, according to {domain}?")
    expected = "The Ost" if domain == "ost.example" else "HARBOUR COURIER"
    assert asked.publishers == (expected,)
    assert domain not in asked.query
    hits = retrieve(archive, "school cup", filters=Filters(publishers=(domain,))).hits
    assert {hit.metadata.publisher for hit in hits} == {expected}


def test_unknown_domain_stays(archive: Archive) -> None:
    question = "What was said according to nowhere.example?"
    assert understand_question(archive, question).text == question
    filters = Filters(publishers=("nowhere.example",))
    assert retrieve(archive, "school", filters=filters).hits == ()


def test_domain_of_restricted_articles_is_unknown(archive: Archive) -> None:
    assert "hidden.example" not in archive.publisher_domains()
    assert "hidden.example" in archive.publisher_domains(access=("desk",))
