"""Compare mode: publishers or sides as columns, claims as rows, differences marked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.answer.claims import say_otherwise
from rag.answer.compare import compare_sources
from rag.answer.sentence_scoring import SentenceCandidate
from rag.archive.archive import Archive
from rag.schema import Answer, Article, ArticleMetadata, Filters, Hit, Notice, Passage, Span
from tests.support.fakes import small_archive
from ui.i18n import statement_text

FIRST = datetime(2024, 10, 21, tzinfo=UTC)


def article(publisher: str, number: int, text: str, title: str = "Landslide in Varn") -> Article:
    return Article(
        id=f"{publisher.lower()}.example/{number}",
        title=title,
        text=text,
        publisher=publisher,
        published=FIRST + timedelta(hours=number),
    )


ARTICLES = [
    article("Courier", 0, "The landslide in Varn killed 12 people in the night, the police said."),
    article(
        "Courier", 1, "The landslide in Varn buried the only road to the coast, engineers said."
    ),
    article("Gazette", 2, "The landslide in Varn killed 15 people in the night, rescuers said."),
    article(
        "Gazette", 3, "Heavy rain had fallen on Varn for a week before the landslide, farmers said."
    ),
    article("Wire", 4, "Growers of Lund expect a third fewer apples this autumn.", "Apples"),
]
QUESTION = "How many people were killed by the landslide in Varn?"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("compare") / "archive", ARTICLES) as opened:
        yield opened


def cells(answer: Answer) -> dict[tuple[int, str], tuple[str, bool]]:
    found = {}
    for statement in answer.statements:
        assert statement.label is not None
        params = dict(statement.label.params)
        key = (int(str(params["row"])), str(params["column"]))
        found[key] = (statement.text, bool(params.get("differs")))
    return found


def test_compare_puts_one_claim_of_two_publishers_in_one_row(archive: Archive) -> None:
    answer = compare_sources(archive, QUESTION, asked_on=FIRST)
    table = cells(answer)
    assert "12 people" in table[1, "Courier"][0]
    assert "15 people" in table[1, "Gazette"][0]
    assert len(table) == len(answer.statements)
    assert [row for row, _ in table] == sorted(row for row, _ in table)


def test_compare_marks_figures_that_differ(archive: Archive) -> None:
    answer = compare_sources(archive, QUESTION, asked_on=FIRST)
    table = cells(answer)
    assert table[1, "Courier"][1]
    assert table[1, "Gazette"][1]
    assert not any(differs for (row, _), (_, differs) in table.items() if row > 1)
    assert Notice("sources_disagree") in answer.notices
    assert answer.status == "sources disagree"
    shown = statement_text(answer.statements[0])
    assert shown.startswith("[Courier, 21 October 2024, differs:] ")
    assert statement_text(answer.statements[0], "de").startswith(
        "[Courier, 21. Oktober 2024, abweichend:] "
    )


def test_compare_leaves_cells_empty_that_nobody_fills(archive: Archive) -> None:
    table = cells(
        compare_sources(archive, "What happened in the landslide in Varn?", asked_on=FIRST)
    )
    of_road = {key for key, (text, _) in table.items() if "only road" in text}
    ((row, column),) = of_road
    assert column == "Courier"
    assert (row, "Gazette") not in table


def test_compare_names_publishers_that_say_nothing(archive: Archive) -> None:
    question = "Compare the Courier and the Wire on the landslide in Varn"
    answer = compare_sources(archive, question, asked_on=FIRST)
    assert {column for _, column in cells(answer)} == {"Courier"}
    assert Notice("publishers_silent", publishers=["Wire"]) in answer.notices


def test_compare_takes_the_sides_of_a_question(tmp_path: Path) -> None:
    texts = [
        "The ferry fare of Arvik is 28 crowns this year, the council of Arvik said.",
        "The ferry fare of Lund is 35 crowns this year, the council of Lund said.",
    ]
    articles = [article("Courier", i, text, "Ferry fares") for i, text in enumerate(texts)]
    with small_archive(tmp_path / "archive", articles) as archive:
        question = "Compare the ferry fares of Arvik and Lund"
        table = cells(compare_sources(archive, question, asked_on=FIRST))
    assert "28" in table[1, "Arvik"][0]
    assert "35" in table[1, "Lund"][0]


def test_compare_is_verbatim_and_respects_filters(archive: Archive) -> None:
    only = Filters(publishers=("Courier",))
    answer = compare_sources(archive, QUESTION, filters=only, asked_on=FIRST)
    assert {c.metadata.publisher for c in answer.citations} == {"Courier"}
    for citation in answer.citations:
        found = archive.article(citation.metadata.article_id)
        assert found is not None
        assert found.text[citation.start : citation.end] == citation.quote


def test_compare_without_matches_is_a_refusal(archive: Archive) -> None:
    assert compare_sources(archive, "Who won the chess olympiad in Budapest?").refused


def test_compare_takes_no_figure_of_another_place(tmp_path: Path) -> None:
    texts = [
        ("Courier", "The landslide in Varn killed 12 people in the night, the police said."),
        ("Gazette", "The landslide in Varn was the third. A landslide in Lund killed 40 people."),
    ]
    articles = [article(publisher, i, text) for i, (publisher, text) in enumerate(texts)]
    with small_archive(tmp_path / "archive", articles) as archive:
        table = cells(compare_sources(archive, QUESTION, asked_on=FIRST))
    assert not any(differs for _, differs in table.values())
    assert "12 people" in table[1, "Courier"][0]


def candidate(text: str) -> SentenceCandidate:
    metadata = ArticleMetadata("a", "", published=FIRST)
    return SentenceCandidate(
        Hit(Passage("a", 1, 0, len(text), text), metadata, 1.0), Span(0, 1), text, {}
    )


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("It killed 12 people.", "15 people were killed.", True),
        ("It killed 12 people.", "Twelve people died.", False),
        ("It killed at least 12 people.", "15 people were killed.", False),
        ("It killed at least 12 people.", "9 people were killed.", True),
        ("It killed about 100 people.", "103 people died.", False),
        ("It killed 12 people.", "It hurt 15 people.", False),
        ("The fare is $12.", "The fare is $15.", False),
        ("The bridge is 12 metres long.", "It is 15 metres long.", True),
        ("It happened on 19 October.", "It happened on 20 October.", True),
        ("It happened on 19 October.", "It happened on October 19.", False),
        ("It happened on Sunday.", "It happened on Saturday.", False),
    ],
)
def test_say_otherwise_compares_like_figures_and_days(one: str, other: str, differs: bool) -> None:
    assert say_otherwise(candidate(one), candidate(other)) is differs
    assert say_otherwise(candidate(other), candidate(one)) is differs
