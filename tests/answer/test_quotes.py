"""Quotes mode: who said what, how often it was printed, and only what is clear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.answer.quotes import find_quotes
from rag.answer.speaker_filter import asked_speaker
from rag.archive.archive import Archive
from rag.query.parser import parse_question
from rag.schema import Answer, Article, Filters, Notice
from tests.support.fakes import small_archive
from ui.i18n import statement_text

FIRST = datetime(2024, 10, 21, tzinfo=UTC)
MEND = "“The harbour bridge will be mended before the first snow falls on Velsund,”"
COST = "“The harbour bridge has cost this town more than any flood ever did.”"


def article(number: int, publisher: str, text: str, title: str = "The harbour bridge") -> Article:
    return Article(
        id=f"{publisher.lower()}.example/{number}",
        title=title,
        text=text,
        publisher=publisher,
        published=FIRST + timedelta(days=number),
    )


ARTICLES = [
    article(
        0, "Courier", f"{MEND} Mayor Ada Quill said. The storm of Sunday had closed the bridge."
    ),
    article(
        2,
        "Gazette",
        f"Two days ago: {MEND} said Ada Quill. Divers are looking at the old piers now.",
    ),
    article(
        1,
        "Courier",
        "The boatman Jonas Berg disagrees about the harbour bridge. "
        f"{COST[:-2]},” Berg said. Ferries run.",
    ),
    article(
        3,
        "Wire",
        "A banner hung from the harbour bridge. “Our harbour bridge is not for sale today.”",
    ),
    article(
        4,
        "Wire",
        "Growers expect few apples. “The frost killed all of it,” Ida Holt said.",
        "Fruit",
    ),
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("quotes") / "archive", ARTICLES) as opened:
        yield opened


def labels(answer: Answer) -> list[dict[str, object]]:
    return [dict(statement.label.params) for statement in answer.statements if statement.label]


def test_quotes_have_speaker_day_and_publisher(archive: Archive) -> None:
    answer = find_quotes(archive, "the harbour bridge", asked_on=FIRST)
    found = {str(label.get("speaker", "")): label for label in labels(answer)}
    assert found.keys() == {"Ada Quill", "Jonas Berg", ""}
    assert found["Jonas Berg"] == {
        "speaker": "Jonas Berg",
        "day": "2024-10-22",
        "publisher": "Courier",
    }
    assert "not for sale" in next(
        s.text for s in answer.statements if s.label and "speaker" not in dict(s.label.params)
    )


def test_same_words_of_two_articles_are_one_quote_with_a_count(archive: Archive) -> None:
    answer = find_quotes(archive, "the harbour bridge", asked_on=FIRST)
    (quill,) = [s for s in answer.statements if "before the first snow" in s.text]
    assert quill.label is not None
    assert (quill.label["articles"], quill.label["outlets"]) == (2, 2)
    assert {c.metadata.publisher for c in quill.citations} == {"Courier", "Gazette"}
    assert "in 2 articles by 2 publishers:]" in statement_text(quill)
    assert "in 2 Artikeln bei 2 Medien:]" in statement_text(quill, "de")


def test_quotes_are_verbatim(archive: Archive) -> None:
    for statement in find_quotes(archive, "the harbour bridge", asked_on=FIRST).statements:
        for citation in statement.citations:
            found = archive.article(citation.metadata.article_id)
            assert found is not None
            assert found.text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize(
    "question",
    [
        "What did Jonas Berg say about the harbour bridge?",
        "What did Berg say about the harbour bridge?",
        "quotes by Jonas Berg on the harbour bridge",
        "Jonas Berg quotes about the harbour bridge",
        "Was sagte Jonas Berg über harbour bridge?",
    ],
)
def test_quotes_of_one_speaker_are_only_that_speakers(archive: Archive, question: str) -> None:
    answer = find_quotes(archive, question, asked_on=FIRST)
    assert [label["speaker"] for label in labels(answer)] == ["Jonas Berg"]


def test_speaker_who_said_nothing_is_a_refusal(archive: Archive) -> None:
    answer = find_quotes(archive, "What did Ida Holt say about the harbour bridge?", asked_on=FIRST)
    assert answer.refused
    assert answer.refusal == Notice("speakers_missing", speakers=["Ida Holt"])
    assert answer.nearest_hits


def test_spokesmen_speak_for_a_country_and_others_about_it_do_not(tmp_path: Path) -> None:
    texts = [
        "“Our ships leave the harbour on Friday,” said Ada Quill, Norway’s trade minister.",
        "Norway has sent ships, Mayor Jonas Berg said. “All those ships must leave,” Berg said.",
    ]
    articles = [article(i, "Courier", text, "Ships") for i, text in enumerate(texts)]
    with small_archive(tmp_path / "archive", articles) as archive:
        answer = find_quotes(archive, "What did Norway say about the ships?", asked_on=FIRST)
    assert [label["speaker"] for label in labels(answer)] == ["Ada Quill"]


def test_quotes_without_matches_are_a_refusal(archive: Archive) -> None:
    assert find_quotes(archive, "Who won the chess olympiad in Budapest?").refused


def test_quotes_respect_filters(archive: Archive) -> None:
    gazette = Filters(publishers=("Gazette",))
    answer = find_quotes(archive, "the harbour bridge", filters=gazette, asked_on=FIRST)
    assert {c.metadata.publisher for c in answer.citations} == {"Gazette"}
    assert "articles" not in labels(answer)[0]


def test_speakers_that_articles_disagree_about_are_left_out(tmp_path: Path) -> None:
    other = article(1, "Gazette", f"{MEND} said Jonas Berg of the harbour. Rain fell on the piers.")
    with small_archive(tmp_path / "archive", [ARTICLES[0], other]) as archive:
        answer = find_quotes(archive, "the harbour bridge", asked_on=FIRST)
    assert ["speaker" in label for label in labels(answer)] == [False]


def test_retracted_words_are_left_out(tmp_path: Path) -> None:
    text = (
        "“Nine piers of the harbour bridge were damaged by the storm,” Ada Quill said. Rain fell."
    )
    wrong = article(0, "Courier", text).replace(correction="Two piers were damaged, not nine.")
    with small_archive(tmp_path / "archive", [wrong, ARTICLES[2]]) as archive:
        answer = find_quotes(archive, "the harbour bridge", asked_on=FIRST)
    assert "Nine piers" not in answer.text


def test_restricted_words_are_not_quoted_or_counted(tmp_path: Path) -> None:
    secret = ARTICLES[1].replace(access="staff")
    with small_archive(tmp_path / "archive", [ARTICLES[0], secret]) as archive:
        (label,) = labels(find_quotes(archive, "the harbour bridge", asked_on=FIRST))
        assert "articles" not in label
        staff = Filters(access=("staff",))
        (label,) = labels(find_quotes(archive, "the harbour bridge", filters=staff, asked_on=FIRST))
        assert label["articles"] == 2


@pytest.mark.parametrize(
    ("question", "name", "topic"),
    [
        ("What did Ada Quill say about the ferry?", "Ada Quill", "the ferry"),
        ("What do people say about the ferry?", "", "the ferry"),
        ("Who said what about the ferry?", "", "the ferry"),
        ("quotes about the ferry", "", "the ferry"),
        ("Who criticised the ferry?", "", "the ferry"),
        ("the ferry", "", "the ferry"),
        ("statements of the Lund Bank on the ferry", "the Lund Bank", "the ferry"),
    ],
)
def test_asked_speaker_reads_speaker_and_topic(question: str, name: str, topic: str) -> None:
    found = asked_speaker(parse_question(question, asked_on=FIRST))
    assert (found.name, found.topic) == (name, topic)
