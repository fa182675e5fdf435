"""Notices, and answers with their notices, put into words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag.notices import Notice, Value
from rag.sanitize import neutralize_markers
from rag.schema import Answer, Statement, Support
from ui.i18n.catalogues import FALLBACK, Texts, texts_in

_DAYS = frozenset({"day", "published", "first", "last", "after", "before"})
_BESIDE_THE_FILTERS = frozenset(
    {"earlier_article", "later_article", "excluded_article", "excluded_article_undated"}
)
_SUPPORT_KEYS: dict[Support, str] = {
    "supported": "supported",
    "partly": "partly",
    "not supported": "not_supported",
    "contradicted": "contradicted",
}
_LIMITS = "search_limited"  # part of a refusal's words


def render(notice: Notice | None, language: str | Texts = FALLBACK) -> str:
    """Return a notice in words; "" for None."""
    if notice is None:
        return ""
    texts = language if isinstance(language, Texts) else texts_in(language)
    given = {name: _in_words(name, value, texts) for name, value in notice.params}
    if notice.code == _LIMITS:
        limits = (texts(f"limit_{name}", **{name: words}) for name, words in given.items())
        return texts.notice(notice.code, limits=", ".join(limits))
    return texts.notice(notice.code, **given)


def notices_text(answer: Answer, texts: Texts) -> str:
    """Return an answer's notices as sentences, without what `refusal_text` says already."""
    return _sentences(
        [n for n in answer.notices if not (answer.refused and n.code == _LIMITS)], texts
    )


def refusal_text(answer: Answer, texts: Texts) -> str:
    """Return why there is no answer: that none was found, the reason, the limits of the search.

    "" for an answer that is no refusal.
    """
    if not answer.refused:
        return ""
    if answer.refusal is not None and answer.refusal.code == "error":
        return render(answer.refusal, texts)
    elsewhere = answer.refusal is not None and answer.refusal.code in _BESIDE_THE_FILTERS
    opening = texts("no_answer_in_range" if elsewhere else "no_answer")
    reason = render(answer.refusal, texts)
    limits = _sentences([n for n in answer.notices if n.code == _LIMITS], texts)
    return " ".join(filter(None, (opening, reason, limits)))


def support_key(support: Support) -> str:
    """Return the key of the message that names how far a statement is supported."""
    return _SUPPORT_KEYS[support]


def understood_text(understood: Sequence[Notice], texts: Texts) -> str:
    """Return what was understood of a question on one line: "published on ...; in The Week"."""
    return "; ".join(render(notice, texts) for notice in understood)


def statement_text(statement: Statement, texts: Texts) -> str:
    """Return a statement with its label in brackets before it."""
    label = render(statement.label, texts)
    return f"[{label}:] {statement.text}" if label else statement.text


def answer_text(answer: Answer, texts: Texts) -> str:
    """Return the statements in order with their citation numbers, or the refusal.

    `Answer.text` in the reader's words: a number in brackets that an article itself has stands in
    parentheses, for it cites nothing.
    """
    if answer.refused:
        return refusal_text(answer, texts)
    paragraphs = (
        " ".join(
            [
                neutralize_markers(statement_text(statement, texts)),
                *(f"[{citation.number}]" for citation in statement.citations),
            ]
        )
        for statement in answer.statements
    )
    return "\n\n".join(paragraphs)


def _sentences(notices: Sequence[Notice], texts: Texts) -> str:
    return " ".join(render(notice, texts) for notice in notices)


def _in_words(name: str, value: Value, texts: Texts) -> str:
    if isinstance(value, tuple):
        items = [texts("quoted", words=item) for item in value] if name == "phrases" else value
        return texts.list_of(items)
    if name in _DAYS:
        return texts.day(date.fromisoformat(str(value)))
    if name == "weekday":
        return texts.weekday(date.fromisoformat(str(value)))
    return value if isinstance(value, str) else texts.number(value)
