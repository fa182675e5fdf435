"""Texts of notices, refusals, statements and answers, per language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rag.notices import Notice, Value
from rag.sanitize import neutralize_markers
from rag.schema import Answer, Statement, Support
from ui.i18n.catalogues import FALLBACK, Texts, texts_in

Language = str | Texts  # language code, or the texts of a language
_DAYS = frozenset({"day", "published", "first", "last", "after", "before"})
_OUTSIDE_FILTERS = frozenset(
    {"earlier_article", "later_article", "excluded_article", "excluded_article_undated"}
)
_REPLIES = frozenset({"error", "greeting", "thanks", "no_topic"})  # nothing was searched
_SUPPORT_KEYS: dict[Support, str] = {
    "supported": "supported",
    "partly": "partly",
    "unverified": "unverified",
    "not supported": "not_supported",
    "contradicted": "contradicted",
}
_LIMITS = "search_limited"  # shown as part of a refusal
_EARLIER = "earlier_figures"
_QUOTATION = "quotation"
_COMPARED = "compared"


def render(notice: Notice | None, language: Language = FALLBACK) -> str:
    """Return the text of a notice; "" for None.

    Args:
        notice: The notice, or None.
        language: A language code such as "de", or the texts of a language. A language without a
            catalogue falls back to English.
    """
    if notice is None:
        return ""
    texts = _texts(language)
    values = {name: _format_param(name, value, texts) for name, value in notice.params}
    if notice.code == _LIMITS:
        limits = (texts(f"limit_{name}", **{name: words}) for name, words in values.items())
        return texts.notice(notice.code, limits=", ".join(limits))
    if notice.code in (_QUOTATION, _COMPARED):
        names = ("speaker", "column", "day", "publisher")
        facts = [values[name] for name in names if name in values]
        facts += _printed(notice, texts)
        facts += [texts("differs")] if dict(notice.params).get("differs") else []
        return texts.notice(notice.code, facts=", ".join(facts))
    if notice.code == _EARLIER:
        return texts.notice(notice.code, figures=_figures_with_days(notice, texts))
    return texts.notice(notice.code, **values)


def render_all(notices: Iterable[Notice], language: Language = FALLBACK) -> str:
    """Return the texts of several notices as one paragraph."""
    return " ".join(render(notice, language) for notice in notices)


def notices_text(answer: Answer, language: Language = FALLBACK) -> str:
    """Return the text of an answer's notices, except those that `refusal_text` includes."""
    shown = (n for n in answer.notices if not (answer.refused and n.code == _LIMITS))
    return render_all(shown, language)


def refusal_text(answer: Answer, language: Language = FALLBACK) -> str:
    """Return the text of a refusal: no answer found, the reason, and the limits of the search.

    Returns:
        The text; "" if the answer is not a refusal.
    """
    if not answer.refused:
        return ""
    code = answer.refusal.code if answer.refusal else ""
    reason = render(answer.refusal, language)
    if code in _REPLIES:
        return reason
    texts = _texts(language)
    opening = texts("no_answer_in_range" if code in _OUTSIDE_FILTERS else "no_answer")
    limits = render_all((n for n in answer.notices if n.code == _LIMITS), language)
    return " ".join(filter(None, (opening, reason, limits)))


def support_key(support: Support) -> str:
    """Return the message key of a level of support."""
    return _SUPPORT_KEYS[support]


def understood_text(understood: Iterable[Notice], language: Language = FALLBACK) -> str:
    """Return the constraints found in a question on one line: "published on ...; in The Week"."""
    return "; ".join(render(notice, language) for notice in understood)


def statement_text(statement: Statement, language: Language = FALLBACK) -> str:
    """Return a statement, preceded by its label in brackets if it has one."""
    label = render(statement.label, language)
    return f"[{label}:] {statement.text}" if label else statement.text


def answer_text(answer: Answer, language: Language = FALLBACK) -> str:
    """Return the statements with their citation numbers, or the refusal.

    Bracketed numbers in the articles' own text are put in parentheses, so that they are not
    mistaken for citations.
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


def _printed(notice: Notice, texts: Texts) -> list[str]:
    """Return how often the words of a quotation are printed; nothing for a single time."""
    known = dict(notice.params)
    articles, outlets = known.get("articles"), known.get("outlets", 1)
    if not isinstance(articles, int | float) or not isinstance(outlets, int | float):
        return []
    if articles < 2:
        return []
    if outlets < 2:
        return [texts("printed_in", count=int(articles))]
    return [texts("printed_by", count=int(articles), outlets=texts.number(int(outlets)))]


def _figures_with_days(notice: Notice, texts: Texts) -> str:
    """Return the figures of a notice, each with its day: "210 on 3 November 2024; 95 on ..."."""
    figures, days = notice["figures"], notice["days"]
    assert isinstance(figures, tuple)
    assert isinstance(days, tuple)
    return "; ".join(
        texts("figure_on_day", figure=figure, day=texts.day(date.fromisoformat(day)))
        for figure, day in zip(figures, days, strict=True)
    )


def _format_param(name: str, value: Value, texts: Texts) -> str:
    if isinstance(value, tuple):
        items = [texts("quoted", words=item) for item in value] if name == "phrases" else value
        return texts.list_of(items)
    if name in _DAYS:
        return texts.day(date.fromisoformat(str(value)))
    if name == "month":
        return texts.month(date.fromisoformat(str(value)))
    if name == "weekday":
        return texts.weekday(date.fromisoformat(str(value)))
    return str(value) if isinstance(value, str | bool) else texts.number(value)
