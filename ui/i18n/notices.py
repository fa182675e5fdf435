"""Notices, and answers with their notices, put into words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rag.notices import Notice, Value
from rag.sanitize import neutralize_markers
from rag.schema import Answer, Statement, Support
from ui.i18n.catalogues import FALLBACK, Texts, texts_in

Language = str | Texts  # a language's code, or its texts
_DAYS = frozenset({"day", "published", "first", "last", "after", "before"})
_OUTSIDE_FILTERS = frozenset(
    {"earlier_article", "later_article", "excluded_article", "excluded_article_undated"}
)
_SUPPORT_KEYS: dict[Support, str] = {
    "supported": "supported",
    "partly": "partly",
    "not supported": "not_supported",
    "contradicted": "contradicted",
}
_LIMITS = "search_limited"  # part of a refusal's words


def render(notice: Notice | None, language: Language = FALLBACK) -> str:
    """Return a notice in words; "" for None.

    Args:
        notice: The notice, or None.
        language: A language's code ("de"), or its texts; one without a catalogue is English.
    """
    if notice is None:
        return ""
    texts = _texts(language)
    values = {name: _format_param(name, value, texts) for name, value in notice.params}
    if notice.code == _LIMITS:
        limits = (texts(f"limit_{name}", **{name: words}) for name, words in values.items())
        return texts.notice(notice.code, limits=", ".join(limits))
    return texts.notice(notice.code, **values)


def render_all(notices: Iterable[Notice], language: Language = FALLBACK) -> str:
    """Return notices that are sentences, one after another."""
    return " ".join(render(notice, language) for notice in notices)


def notices_text(answer: Answer, language: Language = FALLBACK) -> str:
    """Return an answer's notices as sentences, without what `refusal_text` says already."""
    shown = (n for n in answer.notices if not (answer.refused and n.code == _LIMITS))
    return render_all(shown, language)


def refusal_text(answer: Answer, language: Language = FALLBACK) -> str:
    """Return why there is no answer: that none was found, the reason, the limits of the search.

    "" for an answer that is no refusal.
    """
    if not answer.refused:
        return ""
    code = answer.refusal.code if answer.refusal else ""
    reason = render(answer.refusal, language)
    if code == "error":
        return reason
    texts = _texts(language)
    opening = texts("no_answer_in_range" if code in _OUTSIDE_FILTERS else "no_answer")
    limits = render_all((n for n in answer.notices if n.code == _LIMITS), language)
    return " ".join(filter(None, (opening, reason, limits)))


def support_key(support: Support) -> str:
    """Return the key of the message that names how far a statement is supported."""
    return _SUPPORT_KEYS[support]


def understood_text(understood: Iterable[Notice], language: Language = FALLBACK) -> str:
    """Return what was understood of a question on one line: "published on ...; in The Week"."""
    return "; ".join(render(notice, language) for notice in understood)


def statement_text(statement: Statement, language: Language = FALLBACK) -> str:
    """Return a statement with its label in brackets before it."""
    label = render(statement.label, language)
    return f"[{label}:] {statement.text}" if label else statement.text


def answer_text(answer: Answer, language: Language = FALLBACK) -> str:
    """Return `Answer.text` in words: the statements with their citation numbers, or the refusal.

    A number in brackets that an article itself has stands in parentheses, for it cites nothing.
    """
    if answer.refused:
        return refusal_text(answer, language)
    paragraphs = (
        " ".join(
            [
                neutralize_markers(statement_text(statement, language)),
                *(f"[{citation.number}]" for citation in statement.citations),
            ]
        )
        for statement in answer.statements
    )
    return "\n\n".join(paragraphs)


def _texts(language: Language) -> Texts:
    return language if isinstance(language, Texts) else texts_in(language)


def _format_param(name: str, value: Value, texts: Texts) -> str:
    if isinstance(value, tuple):
        items = [texts("quoted", words=item) for item in value] if name == "phrases" else value
        return texts.list_of(items)
    if name in _DAYS:
        return texts.day(date.fromisoformat(str(value)))
    if name == "weekday":
        return texts.weekday(date.fromisoformat(str(value)))
    return value if isinstance(value, str) else texts.number(value)
