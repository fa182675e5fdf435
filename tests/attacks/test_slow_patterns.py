"""Questions and articles that once took seconds or hours: read in linear time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.cleaning import clean, clean_title
from ingest.readers.bylines import parse_authors as bylines
from rag.answer.corrections import is_retracted
from rag.citations import read_citations
from rag.errors import QuestionTooLongError
from rag.nlp.entities import find_names
from rag.nlp.numbers import find_dates, find_numbers
from rag.nlp.quotations import find_speaker, quotable_spans
from rag.nlp.sentences import split_sentences
from rag.query.attributions import find_authors, find_publishers
from rag.query.decompose import split_question
from rag.query.parser import LONGEST_QUESTION, parse_question, resolve_followup
from rag.query.time_filter import find_time_filter
from tests.support.fakes import small_archive
from tests.support.regular_expressions import seconds
from ui import cli

NOW = datetime(2024, 10, 24, tzinfo=UTC)
PUBLISHERS = ("The Harbour Courier", "Orchard Gazette")
FLOOR = 0.02

QUESTIONS = {
    "hyphens": ("who wrote ", "a-"),
    "spaces": ("Did the Courier", "  "),
    "names": ("Who said ", "Aaa-"),
    "who": ("a treaty ", "signed who "),
    "publishers": ("What do the ", "Orchard Gazette, "),
    "and": ("Did they ", "and x "),
}
TEXTS = {
    "stops": ("The end", "."),
    "spaces": ("“Yes.”", " "),
    "capitals": ("“Yes,” ", "A"),
    "initials": ("Mr ", "A.b."),
    "quotes": ("", "“"),
    "apostrophes": ("'", "A'"),
    "brackets": ("[1", "†1"),
    "open brackets": ("", "["),
    "openers": ("", "Ada: "),
    "corrections": ("", "not nine, "),
    "dashes": ("Title", " - "),
    "figures": ("It cost ", "1,000 "),
}
READ_QUESTION: dict[str, Callable[[str], object]] = {
    "publishers": lambda text: find_publishers(text, PUBLISHERS),
    "authors": lambda text: find_authors(text, ["Noor Haan"]),
    "parts": lambda text: split_question(text, cited=2),
    "window": lambda text: find_time_filter(text, NOW),
}
READ_TEXT: dict[str, Callable[[str], object]] = {
    "sentences": split_sentences,
    "units": quotable_spans,
    "speaker": find_speaker,
    "names": find_names,
    "figures": find_numbers,
    "days": find_dates,
    "citations": read_citations,
    "text": clean,
    "title": clean_title,
    "byline": bylines,
    "correction": lambda text: is_retracted("Ada Quill said ten.", text),
}


def is_linear(call: Callable[[str], object], start: str, repeated: str) -> bool:
    """Return whether `call` takes at most three times as long on 8 kB as on 4."""
    half, whole = (start + repeated * (size // len(repeated)) + "\x01" for size in (4096, 8192))
    if seconds(lambda: call(start + repeated * 200 + "\x01"), 1) > 1:
        return False
    for _ in range(3):
        took = seconds(lambda: call(whole), 3)
        if took < FLOOR or took < 3 * seconds(lambda: call(half), 3):
            return True
    return False


@pytest.mark.parametrize("attack", QUESTIONS)
@pytest.mark.parametrize("reader", READ_QUESTION)
def test_question_is_read_in_linear_time(reader: str, attack: str) -> None:
    assert is_linear(READ_QUESTION[reader], *QUESTIONS[attack])


@pytest.mark.parametrize("attack", TEXTS)
@pytest.mark.parametrize("reader", READ_TEXT)
def test_text_is_read_in_linear_time(reader: str, attack: str) -> None:
    assert is_linear(READ_TEXT[reader], *TEXTS[attack])


def test_overlong_question_is_rejected_at_once() -> None:
    question = "who wrote" + "a-" * 60_000
    began = time.thread_time()
    with pytest.raises(QuestionTooLongError, match=r"120,009 characters: ask it in at most 1,000"):
        parse_question(question, asked_on=NOW)
    with pytest.raises(QuestionTooLongError):
        resolve_followup(question, ["Who runs the ferry?"])
    assert time.thread_time() - began < 1


def test_long_history_is_read_up_to_the_limit() -> None:
    turn = "Who is Ada Quill, " + "a-" * 60_000
    began = time.thread_time()
    whole = resolve_followup("And where does she live?", [turn])
    assert time.thread_time() - began < 1
    assert "Ada" in whole
    assert len(whole) <= LONGEST_QUESTION


def test_question_at_the_limit_is_read() -> None:
    question = ("Who runs the ferry " + "x" * LONGEST_QUESTION)[:LONGEST_QUESTION]
    assert parse_question(f"  {question}  ", asked_on=NOW).text == question


@pytest.mark.slow
def test_overlong_question_is_one_line_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_archive(tmp_path / "a").close()
    question = "who wrote" + "a-" * 6_000
    assert cli.main(["ask", question, "--archive", str(tmp_path / "a")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "at most 1,000" in error
