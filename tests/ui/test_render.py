"""Rendering: JSON of fixed shape, and text that is safe for a terminal."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.archive.stats import ArchiveStatus, PublisherStatus
from rag.schema import Answer, ArticleMetadata, Citation, Hit, Notice, Passage, Statement
from rag.store.ingest_log import IngestRun
from ui import answer_formats, render
from ui.cli import format as terminal
from ui.i18n.catalogues import texts_in
from ui.i18n.notices import support_key

DAY = datetime(2024, 10, 24, tzinfo=UTC)
TEXT = "The minister spoke. “We may send weapons,” he said. Nobody replied."
HEAD = ArticleMetadata(
    article_id="paper.example/1",
    title="Seoul weighs weapons",
    publisher="The Strait Courier",
    url="https://paper.example/1",
    authors=("A. Writer",),
    published=DAY,
)
PASSAGE = Passage("paper.example/1", 1, 0, len(TEXT), TEXT)
QUOTE = "“We may send weapons,” he said."
CITATION = Citation(1, QUOTE, TEXT.index(QUOTE), TEXT.index(QUOTE) + len(QUOTE), PASSAGE, HEAD)
HIT = Hit(PASSAGE, HEAD, 0.5)
ANSWER = Answer(
    "What may Seoul send?",
    statements=(Statement(QUOTE, (CITATION,)),),
    hits=(HIT,),
    newest_source=DAY,
)
REFUSED = Answer("Who won?", refused=True, refusal=Notice("off_topic"), nearest_hits=(HIT, HIT))
NO_ANSWER = "No answer found in the archive. The passages found are about something else."
HEAD_KEYS = ["title", "publisher", "url", "published", "correction"]


def test_hit_value_has_the_fixed_keys() -> None:
    value = render.hit_value(HIT)
    assert list(value) == ["article_id", "start", "end", "text", "score", *HEAD_KEYS, "copies"]
    assert value["published"] == "2024-10-24"
    assert json.loads(render.json_text([value])) == [value]


def test_answer_value_has_the_fixed_keys() -> None:
    value = answer_formats.answer_value(ANSWER)
    assert list(value) == [
        "question", "status", "text", "statements", "refused", "reason", "refusal", "notice",
        "notices", "as_of", "closest",
    ]  # fmt: skip
    (statement,) = value["statements"]
    assert list(statement) == ["text", "support", "citations"]
    (citation,) = statement["citations"]
    assert list(citation) == [
        "number", "quote", "article_id", "start", "end", *HEAD_KEYS, "copies",
    ]  # fmt: skip
    assert TEXT[citation["start"] : citation["end"]] == citation["quote"]
    assert (value["as_of"], value["refused"], value["closest"]) == ("2024-10-24", False, [])


def test_refusal_value_has_the_closest_articles() -> None:
    value = answer_formats.answer_value(REFUSED)
    assert (value["refused"], value["as_of"], value["statements"]) == (True, None, [])
    assert value["text"] == value["reason"] == NO_ANSWER
    assert value["refusal"] == {"code": "off_topic", "params": {}}
    assert value["closest"][0] == render.hit_value(HIT)


def test_iso_date_of_none_is_null_and_keeps_times() -> None:
    assert render.iso_date(None) is None
    assert render.iso_date(DAY) == "2024-10-24"
    assert render.iso_date(DAY + timedelta(hours=3)) == "2024-10-24T03:00:00+00:00"
    seoul = DAY.astimezone(timezone(timedelta(hours=9)))
    assert render.iso_date(seoul) == "2024-10-24"


def test_spoken_date_is_in_words() -> None:
    assert render.format_datetime(DAY) == "24 October 2024"
    assert render.format_datetime(DAY + timedelta(hours=3)) == "24 October 2024, 03:00 UTC"
    assert render.format_datetime(None) == ""


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "24 October 2024"),
        (3, "24 to 27 October 2024"),
        (10, "24 October to 3 November 2024"),
        (100, "24 October 2024 to 1 February 2025"),
    ],
)
def test_period_is_as_short_as_possible(days: int, said: str) -> None:
    assert render.format_period(DAY, DAY + timedelta(days=days)) == said


def test_terminal_shows_statements_sources_and_date() -> None:
    assert terminal.answer_text(ANSWER) == (
        "“We may send weapons,” he said. [1]\n"
        "\n"
        "Sources\n"
        "[1] Seoul weighs weapons, The Strait Courier, 24 October 2024\n"
        "    https://paper.example/1\n"
        "\n"
        "As of 24 October 2024."
    )


def test_copies_are_named_below_a_source_and_in_json() -> None:
    copies = tuple(
        replace(HEAD, article_id=f"{number}", publisher=publisher)
        for number, publisher in enumerate(("Harbour Courier", "Pellworth\x1b[31m Tribune"))
    )
    hit = replace(HIT, copies=copies)
    assert "https://paper.example/1\n    also in Harbour Courier, Pellworth Tribune\n" in (
        terminal.hits_text([hit])
    )
    cited = replace(ANSWER, statements=(Statement(QUOTE, (replace(CITATION, copies=copies),)),))
    assert "    also in Harbour Courier, Pellworth Tribune\n" in terminal.answer_text(cited)
    listed = render.hit_value(hit)["copies"]
    assert [list(copy) for copy in listed] == [["article_id", *HEAD_KEYS]] * 2


def test_refusal_names_each_closest_article_once() -> None:
    text = terminal.answer_text(REFUSED)
    assert text.startswith(f"{NO_ANSWER}\n\nClosest articles\n")
    assert text.count("Seoul weighs weapons") == 1
    assert "Sources" not in text


def test_partly_supported_statement_is_marked() -> None:
    reason = Notice("number_missing", number="nine")
    doubtful = replace(ANSWER.statements[0], support="partly", reason=reason)
    text = terminal.answer_text(replace(ANSWER, statements=(doubtful,)), width=200)
    assert "[1] (partly: the passage does not contain the number or date nine)" in text


def test_hits_are_numbered_and_wrapped() -> None:
    lines = terminal.hits_text([HIT, HIT], width=40).splitlines()
    assert lines[0].startswith("1.  Seoul weighs weapons")
    assert all(len(line) <= 40 for line in lines)
    assert terminal.hits_text([]) == ""


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    colour, title, clear = "a\x1b[31mred\x1b[0m", "\x1b]0;title\x07b", "\x9b2Jc"
    evil = f"{colour} {title} {clear} \x1b]8;;http://evil\x1b\\d\x08\x00e \u202edlrow"
    assert render.terminal_text(evil) == "ared b c de dlrow"
    named = render.article_reference(replace(HEAD, title=evil, publisher="\x1bc\nP"))
    assert "\x1b" not in named
    assert "\n" not in named


@given(st.text())
def test_terminal_text_is_one_line_without_controls(text: str) -> None:
    shown = render.terminal_text(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    shown.encode()


@given(st.text(st.characters(exclude_categories=[])))
def test_json_keeps_every_character_and_prints_no_control(text: str) -> None:
    printed = render.json_line({"text": text})
    assert json.loads(printed) == {"text": text}
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e\u2028]", printed)
    printed.encode()


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "http:",
        "x",
        "http://[",
        "",
    ],
)
def test_web_address_rejects_other_schemes(url: str) -> None:
    assert render.web_address(url) == ""


def test_web_address_returns_http_addresses() -> None:
    assert render.web_address(" HTTPS://paper.example/a?b=1 ") == "HTTPS://paper.example/a?b=1"


def test_status_shows_what_the_archive_covers() -> None:
    status = ArchiveStatus(
        path=Path("archive"),
        articles=1200,
        passages=5000,
        publishers=(PublisherStatus("The Strait Courier", 1200, DAY, DAY),),
        first=DAY,
        last=DAY,
        last_ingest=None,
        bytes=2_500_000,
        embedding_model="words",
        sequence=7,
    )
    value = render.status_value(status)
    assert value["publishers"] == [
        {
            "name": "The Strait Courier",
            "articles": 1200,
            "first": "2024-10-24",
            "last": "2024-10-24",
        }
    ]
    assert value["last_ingest"] is None
    text = terminal.status_text(status)
    assert "1,200  The Strait Courier, 24 October 2024" in text
    assert "never" in text


@pytest.mark.parametrize(
    ("figures", "ended", "said"),
    [
        (
            {"new": 1200, "changed": 0, "unchanged": 3, "removed": 0, "rejected": 2},
            DAY,
            "24 October 2024: 1,200 new, 0 changed, 3 unchanged, 2 rejected",
        ),
        (
            {"new": 1, "changed": 0, "unchanged": 0, "kept_out": 1, "stopped": True},
            DAY,
            "24 October 2024: 1 new, 0 changed, 0 unchanged, 1 withdrawn earlier, stopped early",
        ),
        ({"error": "ReadError: no\x1b[31m"}, DAY, "24 October 2024: ReadError: no"),
        ({}, None, "24 October 2024: running, or interrupted"),
    ],
)
def test_status_shows_the_last_ingest(
    figures: dict[str, object], ended: datetime | None, said: str
) -> None:
    run = IngestRun(1, DAY, ended, figures)
    empty = ArchiveStatus(Path("demo"), 0, 0, (), None, None, None, 0, "", 0, last_run=run)
    lines = terminal.status_text(empty).splitlines()
    (line,) = (line for line in lines if line.startswith("last ingest"))
    assert line.removeprefix("last ingest").strip().startswith(said)


@pytest.mark.parametrize(("language", "words"), [("en", "not verified"), ("de", "nicht geprüft")])
def test_unverified_statement_has_a_quiet_mark(language: str, words: str) -> None:
    unsure = replace(ANSWER.statements[0], support="unverified", reason=Notice("not_decidable"))
    answer = replace(ANSWER, statements=(unsure,))
    assert "[1] (not verified)" in terminal.answer_text(answer, width=200)
    value = answer_formats.answer_value(answer)
    assert (value["status"], value["statements"][0]["support"]) == ("answered", "unverified")
    assert texts_in(language)(support_key("unverified")) == words


def test_answer_value_has_the_status() -> None:
    assert answer_formats.answer_value(REFUSED)["status"] == "not found"
    for code, status in (
        ("sources_disagree", "sources disagree"),
        ("low_confidence", "closest matches only"),
    ):
        answer = replace(ANSWER, notices=(Notice(code),))
        assert answer_formats.answer_value(answer)["status"] == status
