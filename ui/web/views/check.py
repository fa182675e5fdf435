"""HTML of a checked draft: its sentences in order, what the archive says of each, the passages."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answer.check_text import LONGEST_TEXT, OUTCOMES, CheckedSentence, Outcome
from rag.schema import Span
from ui.checked_text import OUTCOME_KEYS
from ui.i18n import Texts, render
from ui.web.draft_check import DraftCheck
from ui.web.views.cards import passage_card
from ui.web.views.markup import escape, escape_line
from ui.web.views.status import failure, note

SIGNS: dict[Outcome, str] = {
    "supported": "✓",
    "partly": "◐",
    "contradicted": "✗",
    "not in the archive": "○",
    "no claim": "–",
    "not checked": "…",
}
NAMES: dict[Outcome, str] = {
    "supported": "supported",
    "partly": "partly",
    "contradicted": "contradicted",
    "not in the archive": "missing",
    "no claim": "none",
    "not checked": "unchecked",
}
# Those that need somebody's attention come first, and their passages are open.
COUNTED: tuple[Outcome, ...] = ("contradicted", "partly", "not in the archive", "supported")
COUNTED = (*COUNTED, *(one for one in OUTCOMES if one not in COUNTED))
OPEN = ("contradicted", "partly")
EXPORT_NAMES = {"word": "Word", "pdf": "PDF", "markdown": "Markdown"}


def check_pieces(check: DraftCheck, texts: Texts) -> list[list[str]]:
    """Return a check as elements, each a list of pieces of HTML; none before the first check.

    Args:
        check: The check so far.
        texts: Language of the labels.
    """
    if check.progress == "none":
        return []
    sentences: Sequence[CheckedSentence] = check.checked
    if not check.is_busy:
        sentences = check.result.sentences
    items = [
        _sentence(one, number, texts, "bf-paragraph" if _begins(check, number) else "")
        for number, one in enumerate(sentences)
    ]
    waiting = [
        _unchecked(check, number, span)
        for number, span in enumerate(check.spans)
        if number >= len(sentences)
    ]
    label = escape(texts("checked_draft"))
    return [
        _head(check, sentences, texts),
        [f'<ol class="bf-draft" id="bf-draft" aria-label="{label}">', *items, *waiting, "</ol>"],
    ]


def form_head_html(texts: Texts) -> str:
    """Return the heading of the form, and what it is for."""
    return (
        f'<h2 tabindex="-1">{escape(texts("check_title"))}</h2>'
        f'<p class="bf-quiet">{escape(texts("check_about"))}</p>'
    )


def form_end_html(texts: Texts) -> str:
    """Return what stands below the field: a text file instead of typing, and the length."""
    locale = str(texts.locale).replace("_", "-")
    return (
        '<div class="bf-field-end"><button type="button" data-do="file">'
        f"{escape(texts('check_file'))}</button>"
        '<input type="file" accept=".txt,.md,.markdown,text/plain,text/markdown" hidden '
        f'tabindex="-1" aria-label="{escape(texts("check_file"))}">'
        f'<span data-most="{LONGEST_TEXT}" data-locale="{locale}" '
        f'data-pattern="{escape(texts("check_length", count="{count}", most="{most}"))}"></span>'
        "</div>"
    )


def problem_html(words: str) -> str:
    """Return why nothing was checked."""
    return failure(words)


def bad_day_html(text: str, texts: Texts) -> str:
    """Return that a day can't be read; `page.js` marks the field that has it."""
    return (
        f'<p class="bf-error" role="alert" dir="auto" data-wrong="{escape_line(text)}">'
        f"{escape_line(texts('bad_date', text=text))}</p>"
    )


def _head(check: DraftCheck, sentences: Sequence[CheckedSentence], texts: Texts) -> list[str]:
    key = "checking_draft" if check.is_busy else "checked_draft"
    return [
        f'<header class="bf-checked" id="bf-check-head" data-progress="{check.progress}">'
        f'<h2 tabindex="-1">{escape(texts(key))}</h2>',
        _progress(check, texts) if check.is_busy else _tools(texts),
        _counts(sentences, texts),
        _notes(check, sentences, texts),
        "</header>",
    ]


def _progress(check: DraftCheck, texts: Texts) -> str:
    done, total = len(check.checked), len(check.spans)
    words = (
        texts("check_waiting")
        if check.progress == "waiting"
        else texts("check_progress", done=texts.number(done), total=texts.number(total))
    )
    label = escape(texts("checking_draft"))
    return (
        f'<div class="bf-progress"><progress max="{total}" value="{done}" aria-label="{label}">'
        f"</progress><span>{escape(words)}</span>"
        f'<button type="button" data-do="stop">{escape(texts("stop"))}</button></div>'
    )


def _tools(texts: Texts) -> str:
    forms = "".join(
        f'<li><button type="button" data-do="save" data-form="{form}">{escape(name)}</button></li>'
        for form, name in EXPORT_NAMES.items()
    )
    return (
        f'<div class="bf-tools" role="toolbar" aria-label="{escape(texts("actions"))}">'
        f'<button type="button" data-do="revise">{escape(texts("check_edit"))}</button>'
        f'<button type="button" data-do="copy">{escape(texts("check_copy"))}</button>'
        f'<details class="bf-menu"><summary>{escape(texts("export"))}</summary>'
        f"<ul>{forms}</ul></details></div>"
    )


def _notes(check: DraftCheck, sentences: Sequence[CheckedSentence], texts: Texts) -> str:
    if check.is_busy:
        return ""
    if check.problem:
        return failure(texts("check_failed", why=check.problem))
    notes = [note(texts("check_stopped_note"))] if check.progress == "stopped" else []
    if any(one.outcome == "not in the archive" for one in sentences):
        notes.append(f'<p class="bf-note">{escape(texts("check_missing_note"))}</p>')
    return "".join(notes)


def _counts(sentences: Sequence[CheckedSentence], texts: Texts) -> str:
    """Return the number of sentences of each outcome, each a button that shows only these."""
    found = [one.outcome for one in sentences]
    if not found:
        return ""
    buttons = [_count("", "", texts("check_all"), len(found), texts)]
    buttons += [
        _count(NAMES[one], SIGNS[one], texts(OUTCOME_KEYS[one]), found.count(one), texts)
        for one in COUNTED
        if one in found
    ]
    label = escape(texts("check_show_only"))
    return f'<div class="bf-counts" role="group" aria-label="{label}">{"".join(buttons)}</div>'


def _count(name: str, sign: str, words: str, count: int, texts: Texts) -> str:
    shown = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    return (
        f'<button type="button" data-id="{name or "all"}" data-only="{name}" '
        f'class="bf-is-{name or "all"}" aria-pressed="{str(not name).lower()}">'
        f"{shown}{escape(words)} <i>{escape(texts.number(count))}</i></button>"
    )


def _sentence(sentence: CheckedSentence, number: int, texts: Texts, more: str) -> str:
    outcome = sentence.outcome
    why = render(sentence.reason, texts)
    reason = f'<span class="bf-why" dir="auto">{escape_line(why)}</span>' if why else ""
    return (
        f'<li class="bf-sentence bf-is-{NAMES[outcome]} {more}" id="bf-sentence-{number}">'
        f'<div class="bf-words"><p class="bf-said" dir="auto">'
        f"<span>{escape_line(sentence.text)}</span></p>"
        f'<p class="bf-outcome"><b><span aria-hidden="true">{SIGNS[outcome]}</span> '
        f"{escape(texts(OUTCOME_KEYS[outcome]))}</b>{reason}</p></div>"
        f"{_passages(sentence, number, texts)}</li>"
    )


def _passages(sentence: CheckedSentence, number: int, texts: Texts) -> str:
    """Return the passages of a sentence, behind a line with their number and publishers."""
    if not sentence.citations:
        return ""
    cards = "".join(
        passage_card(citation, f"bf-sentence-{number}-card-{place}", texts)
        for place, citation in enumerate(sentence.citations, start=1)
    )
    names = dict.fromkeys(c.metadata.publisher for c in sentence.citations if c.metadata.publisher)
    count = escape(texts("found_passages", count=len(sentence.citations)))
    named = "".join(f" <bdi>{escape_line(name)}</bdi>" for name in names)
    is_open = " open" if sentence.outcome in OPEN else ""
    return (
        f'<details class="bf-passages"{is_open}><summary><span>{count}</span>{named}</summary>'
        f"{cards}</details>"
    )


def _unchecked(check: DraftCheck, number: int, span: Span) -> str:
    more = "bf-paragraph" if _begins(check, number) else ""
    words = escape_line(check.draft[span.start : span.end])
    return (
        f'<li class="bf-sentence bf-waiting {more}" id="bf-sentence-{number}">'
        f'<div class="bf-words"><p class="bf-said" dir="auto"><span>{words}</span></p></div></li>'
    )


def _begins(check: DraftCheck, number: int) -> bool:
    """Return whether a sentence is the first of a line of the draft, but not of the draft."""
    if not number:
        return False
    before, here = check.spans[number - 1], check.spans[number]
    return "\n" in check.draft[before.end : here.start]
