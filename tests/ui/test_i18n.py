"""Catalogues: every message exists in every language, fits its call, and is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Message

from rag.notices import CODES, Notice
from rag.schema import Answer, Statement
from ui.i18n import (
    answer_text,
    languages,
    notices_text,
    preferred_language,
    refusal_text,
    render,
    statement_text,
    texts_in,
    understood_text,
)
from ui.i18n.catalogues import NOTICE, catalogue

ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "rag" / "notices.py"
TEXTS = re.compile(r"texts|i18n|_?texts(?:_in)?\(.*\)")  # callables that take a message's key
ENGLISH, GERMAN = texts_in("en"), texts_in("de")
SAMPLES: dict[str, Any] = {
    **{name: ["Ada Quill", "Jonas Berg"] for name in ("speakers", "names", "publishers")},
    **{name: ["Ada Quill"] for name in ("authors", "phrases", "words")},
    **dict.fromkeys(
        ("day", "first", "last", "after", "before", "published", "month"), "2024-10-24"
    ),
    "weekday": "2024-10-24",
    "figures": ["210"],
    "days": ["2024-10-24"],
    "sides": ["2022"],
    "articles": 4,
    "outlets": 3,
    "row": 1,
    "differs": True,
    "seconds": 2.5,
}


def sample(code: str) -> Notice:
    names = [name.removesuffix("?") for name in CODES[code]]
    return Notice(code, **{name: SAMPLES.get(name, f"<{name}>") for name in names})


def messages(language: str) -> dict[tuple[str, str], Message]:
    return {(m.context or "", _key(m)): m for m in catalogue(language) if m.id}


def _key(message: Message) -> str:
    return str(message.id[0] if message.pluralizable else message.id)


def forms(message: Message) -> tuple[str, ...]:
    """Return the texts of a message: one, or one for each plural form."""
    return tuple(message.string) if message.pluralizable else (str(message.string),)


def parameters(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@cache
def trees(*packages: str) -> list[ast.Module]:
    files = {file for package in packages for file in (ROOT / package).rglob("*.py")} - {REGISTRY}
    return [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)]


def constants(*packages: str) -> Iterator[str]:
    """Yield each string of the code, an f-string as a regular expression."""
    for node in (node for tree in trees(*packages) for node in ast.walk(tree)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield pattern(node)
        elif isinstance(node, ast.JoinedStr):
            found = pattern(node)
            if found != "[a-z]+" and re.search(r"[a-z]_|_[a-z]", found):
                yield found


def pattern(node: ast.Constant | ast.JoinedStr) -> str:
    """Return a string as a regular expression; an f-string's values are words."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    return "".join(
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[a-z]+"
        for part in node.values
    )


def calls() -> Iterator[tuple[str, set[str], bool]]:
    """Yield the key (a pattern), the parameters, and whether it is a label, of each call."""
    for node in (node for tree in trees("ui") for node in ast.walk(tree)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called, key = ast.unparse(node.func), node.args[0]
        if TEXTS.fullmatch(called) and isinstance(key, ast.Constant | ast.JoinedStr):
            given = {keyword.arg for keyword in node.keywords if keyword.arg}
            if None not in {keyword.arg for keyword in node.keywords}:  # none is a mapping
                yield pattern(key), given, called == "i18n"


# The catalogues


def test_languages_have_the_same_messages() -> None:
    assert set(languages()) >= {"en", "de"}
    english = messages("en")
    for language in languages():
        theirs = messages(language)
        assert theirs.keys() == english.keys(), language
        for key, message in theirs.items():
            assert all(forms(message)), key
            assert bool(message.pluralizable) == bool(english[key].pluralizable), key
            assert parameters(forms(message)[-1]) == parameters(forms(english[key])[-1]), key
            for text in forms(message):
                assert parameters(text) <= parameters(forms(message)[-1]), key


def test_every_notice_has_a_message_with_its_parameters() -> None:
    found = {key: message for (context, key), message in messages("en").items() if context}
    assert found.keys() == CODES.keys()
    for code, names in CODES.items():
        expected = {"limits"} if code == "search_limited" else set(names)
        if code == "earlier_figures":
            expected = {"figures"}  # each with its day
        if code in ("quotation", "compared"):
            expected = {"facts"}  # those that are known
        assert parameters(forms(found[code])[0]) == expected, code


def test_every_call_names_a_message_and_its_parameters() -> None:
    found = {key: message for (context, key), message in messages("en").items() if not context}
    named = list(calls())
    assert len(named) > 80
    for one, given, is_label in named:
        keys = [key for key in found if re.fullmatch(one, key)]
        assert keys, one
        for message in map(found.__getitem__, keys):
            assert given >= parameters(forms(message)[-1]), one
            assert "count" in given or not message.pluralizable, one
            assert not is_label or not parameters(forms(message)[0]), one


def test_every_message_of_the_page_is_used() -> None:
    said = set(constants("ui"))
    patterns = [re.compile(one) for one in said if "[a-z]+" in one]
    for context, key in messages("en"):
        if context != NOTICE:
            assert key in said or any(p.fullmatch(key) for p in patterns), key


@pytest.mark.slow
def test_every_notice_in_the_code_has_its_parameters() -> None:
    made = 0
    for node in (node for tree in trees("rag", "ingest", "ui") for node in ast.walk(tree)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "Notice":
            continue
        code, given = node.args[0], {keyword.arg for keyword in node.keywords}
        if isinstance(code, ast.Constant) and None not in given:  # none is a mapping
            made += 1
            names = CODES[str(code.value)]
            assert given <= {name.removesuffix("?") for name in names}, code.value
            assert given >= {name for name in names if not name.endswith("?")}, code.value
    assert made > 40


@pytest.mark.slow
def test_every_code_is_used() -> None:
    said = set(constants("rag", "ui"))
    patterns = [re.compile(one) for one in said if "[a-z]+" in one]
    for code in CODES:
        assert code in said or any(p.fullmatch(code) for p in patterns), code


# Notices in words


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("code", CODES)
def test_every_notice_is_rendered(code: str, language: str) -> None:
    words = render(sample(code), language)
    assert words
    assert not re.search(r"[{}]|2024-10", words)
    for name, value in sample(code).params:
        if isinstance(value, str) and value.startswith("<"):
            assert value in words, name


def test_dates_numbers_and_lists_follow_the_language() -> None:
    earlier = Notice("earlier_article", source="The Post", published="2024-05-03")
    assert "The Post, 3 May 2024" in render(earlier)
    assert "The Post, 3. Mai 2024" in render(earlier, "de")
    assert "A, B oder C" in render(Notice("names_missing", names=["A", "B", "C"]), "de")
    assert "2,5 s" in render(Notice("chat_model_silent", seconds=2.5), "de")
    assert (ENGLISH.number(1234.5), GERMAN.number(1234.5)) == ("1,234.5", "1.234,5")
    moment = datetime(2024, 10, 24, 18, 30, tzinfo=UTC)
    assert ENGLISH.moment(moment) == "24 October 2024, 18:30 UTC"
    assert GERMAN.moment(moment) == "24. Oktober 2024, 18:30 UTC"
    assert ENGLISH.moment(datetime(2024, 10, 24, tzinfo=UTC)) == "24 October 2024"
    assert GERMAN.period(moment, moment) == "24. Oktober 2024"


def test_plural_forms_follow_the_count() -> None:
    assert [ENGLISH("articles", count=n) for n in (0, 1, 1200)] == [
        "0 articles",
        "1 article",
        "1,200 articles",
    ]
    assert [GERMAN("considered", count=n) for n in (1, 2)] == [
        "1 Textstelle berücksichtigt",
        "2 Textstellen berücksichtigt",
    ]


def test_refusal_lists_limits_and_notices_do_not_repeat_them() -> None:
    limited = Notice("search_limited", publishers=["A", "B"], before="2024-05-01")
    other = Notice("archive_as_of", day="2024-05-02")
    answer = Answer("Who?", refused=True, refusal=Notice("off_topic"), notices=(other, limited))
    assert refusal_text(answer, ENGLISH) == (
        "No answer found in the archive. The passages found are about something else. "
        "Search limited to: A or B, before 1 May 2024."
    )
    assert notices_text(answer, ENGLISH) == "The archive as of 2 May 2024."
    assert answer_text(answer, GERMAN).startswith("Keine Antwort im Archiv gefunden.")
    later = Notice("later_article", source="The Post", published="2024-05-03")
    assert refusal_text(Answer("Who?", refused=True, refusal=later), ENGLISH) == (
        "No answer found within the filters and dates of the question. "
        "Only a later article has one: The Post, 3 May 2024."
    )
    assert refusal_text(Answer("Who?", refused=True), GERMAN) == GERMAN("no_answer")
    assert refusal_text(Answer("Who?"), ENGLISH) == ""
    failed = Answer("Who?", refused=True, refusal=Notice("error", message="It is gone."))
    assert refusal_text(failed, GERMAN) == "It is gone."


def test_label_stands_in_brackets_before_its_statement() -> None:
    label = Notice("dated_source", day="2024-05-03", publisher="The Post")
    statement = Statement("It rained.", label=label)
    assert statement_text(statement, ENGLISH) == "[3 May 2024, The Post:] It rained."
    assert statement_text(statement, GERMAN) == "[3. Mai 2024, The Post:] It rained."
    weekday = Statement("It rained.", label=Notice("weekday", weekday="2024-10-21"))
    assert statement_text(weekday, ENGLISH) == "[Monday, 21 October 2024:] It rained."
    assert statement_text(Statement("It rained."), GERMAN) == "It rained."
    assert Answer("?", (statement, weekday)).text == (
        "[2024-05-03, The Post:] It rained.\n\n[2024-10-21:] It rained."
    )


def test_earlier_figures_are_one_label_with_their_days() -> None:
    earlier = Notice("earlier_figures", figures=["210", "95"], days=["2024-11-03", "2024-10-30"])
    assert render(earlier, "en") == "earlier: 210 on 3 November 2024; 95 on 30 October 2024"
    assert render(earlier, "de") == "früher: 210 am 3. November 2024; 95 am 30. Oktober 2024"
    statement = Statement("It rose.", label=earlier)
    assert Answer("?", (statement,)).text == "[210; 95, 2024-11-03; 2024-10-30:] It rose."


def test_understood_constraints_are_one_line() -> None:
    understood = (
        Notice("preferably_between", first="2024-05-01", last="2024-05-31"),
        Notice("with_phrases", phrases=["red line", "grain deal"]),
    )
    assert understood_text(understood, ENGLISH) == (
        "preferably published 1 May 2024 to 31 May 2024; with “red line” or “grain deal”"
    )


def test_article_text_is_never_a_template() -> None:
    notice = Notice("corrected", title="{title} {0} %s", correction="{language.__class__}")
    assert "{title} {0} %s" in render(notice)
    assert "{language.__class__}" in render(notice)


def test_unknown_language_falls_back_to_english() -> None:
    assert texts_in("tlh") is texts_in("en")
    assert preferred_language("fr-CH, de-CH;q=0.9, en;q=0.8") == "de"
    assert preferred_language("") == preferred_language("tlh") == "en"
