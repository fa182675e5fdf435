"""HTML of the conversation: questions, answers with citation numbers, and their actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.schema import ArticleMetadata, Statement
from ui.answer_document import asked_fact, status_key
from ui.i18n import Texts, notices_text, refusal_text, render, support_key
from ui.web.state import Suggestion, Turn
from ui.web.views.citing import citation_links
from ui.web.views.compare import compare_html
from ui.web.views.markup import escape, escape_line, paragraph, plain_line
from ui.web.views.quotes import quotes_html
from ui.web.views.timeline import timeline_html

MAX_CLOSEST = 3  # closest articles listed in the chat; all have cards
SIGNS = {"partly": "◐", "unverified": "", "not supported": "✗", "contradicted": "✗"}
THUMB = (
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5 7v6.5H2.5V7zM5 7l3-5.5c1 0 1.7.8 '
    '1.5 1.8L9 6h3.7c.9 0 1.5.8 1.3 1.6l-1.2 4.8c-.2.7-.7 1.1-1.4 1.1H5"/></svg>'
)
EXPORT_NAMES = {
    "word": "Word",
    "pdf": "PDF",
    "markdown": "Markdown",
    "html": "HTML",
    "ris": "RIS",
    "csl": "CSL-JSON",
}
LAYOUTS = {"timeline": timeline_html, "compare": compare_html, "quotes": quotes_html}
SKELETON_LINES = 3


def thread_pieces(
    turns: Sequence[Turn], texts: Texts, suggestions: Sequence[Suggestion]
) -> list[list[str]]:
    """Return the conversation: each question as a heading, its answer and the actions on it.

    Args:
        turns: The turns, oldest first.
        texts: Language of the labels.
        suggestions: Questions to begin with, shown while there are no turns.

    Returns:
        An element for each turn, as pieces of HTML, so that while an answer is written only new
        ones are sent.
    """
    if not turns:
        return [[_welcome(texts, suggestions)]]
    return [_turn(turn, number, texts) for number, turn in enumerate(turns, start=1)]


def _welcome(texts: Texts, suggestions: Sequence[Suggestion]) -> str:
    if not suggestions:
        return (
            f'<div class="bf-welcome"><h2>{escape(texts("welcome_empty_title"))}</h2>'
            f"{paragraph(escape(texts('welcome_empty')), 'bf-quiet')}</div>"
        )
    items = "".join(
        f'<li><button type="button" data-do="suggested" data-mode="{one.mode}" '
        f'data-question="{escape_line(one.question)}">'
        f"<span>{escape(texts(f'mode_{one.mode}'))}</span>"
        f'<b dir="auto">{escape_line(one.question)}</b></button></li>'
        for one in suggestions
    )
    return (
        f'<div class="bf-welcome"><h2>{escape(texts("welcome_title"))}</h2>'
        f"{paragraph(escape(texts('welcome')), 'bf-quiet')}"
        f'<ul class="bf-suggestions">{items}</ul></div>'
    )


def _turn(turn: Turn, number: int, texts: Texts) -> list[str]:
    question = plain_line(turn.request.question)
    head = (
        f'<section class="bf-turn" id="turn-{number}" data-turn="{number}" data-id="{turn.id}" '
        f'data-progress="{turn.progress}" aria-labelledby="turn-{number}-asked">'
        f'<h2 class="bf-asked" id="turn-{number}-asked" data-testid="user" tabindex="-1" '
        f'dir="auto">{question}</h2>'
        '<div class="bf-answer" data-testid="bot">'
    )
    end = f"</div>{_toolbar(turn, texts)}{_followups(turn, texts)}</section>"
    return [head, *answer_pieces(turn, number, texts), end]


def answer_pieces(turn: Turn, number: int, texts: Texts) -> list[str]:
    """Return the answer of a turn as pieces of HTML, with citations that link to its cards.

    Args:
        turn: The turn.
        number: Number of the turn, from 1; part of the ids.
        texts: Language of the labels.
    """
    return [
        _status(turn, texts),
        *_body(turn, number, texts),
        *_notes(turn, texts),
        _rejected_statements(turn, texts),
    ]


def _status(turn: Turn, texts: Texts) -> str:
    """Return the line with the answer's status, its newest source and where it was looked for."""
    if turn.progress in ("waiting", "growing") and not turn.answer.statements:
        key = "waiting" if turn.progress == "waiting" else "searching"
        lines = "<i></i>" * SKELETON_LINES
        return (
            f'<p class="bf-status"><span class="bf-working">{escape(texts(key))}</span></p>'
            f'<div class="bf-skeleton" aria-hidden="true">{lines}</div>'
        )
    answer = turn.answer
    shown = turn.request.mode == "passages" and not answer.refused
    status = "status_passages_found" if shown else status_key(answer)
    if not status:
        return ""
    facts = [texts("as_of", day=texts.day(answer.newest_source))] if _is_dated(turn) else []
    looked = max(answer.candidates_considered, len(answer.hits))
    if turn.progress in ("growing", "done") and looked:
        facts.append(texts("considered", count=looked))
    facts += [texts(f"ignored_{kind}") for kind in turn.request.removed_constraints]
    label = texts("status_passages_found", count=len(answer.hits)) if shown else ""
    label = label or texts(status)
    line = "".join(f"<span>{escape_line(fact)}</span>" for fact in facts)
    return f'<p class="bf-status bf-{status}" dir="auto"><b>{escape(label)}</b>{line}</p>'


def _is_dated(turn: Turn) -> bool:
    return turn.answer.newest_source is not None and not turn.answer.refused


def _toolbar(turn: Turn, texts: Texts) -> str:
    """Return the actions on a finished answer, and the choice between its versions."""
    versions = _versions(turn, texts)
    if turn.is_under_way:
        return versions
    forms = "".join(
        f'<li><button type="button" data-do="save" data-form="{form}">{escape(name)}</button></li>'
        for form, name in EXPORT_NAMES.items()
    )
    whole = escape(texts("whole_conversation"))
    forms = f'<li><label class="bf-whole-check"><input type="checkbox"> {whole}</label></li>{forms}'
    forms += f'<li><button type="button" data-do="print">{escape(texts("print"))}</button></li>'
    export = (
        f'<details class="bf-menu"><summary>{escape(texts("export"))}</summary>'
        f"<ul>{forms}</ul></details>"
    )
    buttons = {
        "copy": texts("copy_with_citations"),
        "link": texts("copy_link"),
        "again": texts("again"),
        "keep": texts("save_search"),
        "edit": texts("edit_question"),
    }
    plain = {
        key: f'<button type="button" data-do="{key}">{escape(words)}</button>'
        for key, words in buttons.items()
    }
    thumbs = "".join(
        f'<button type="button" class="bf-thumb" data-do="vote" data-liked="{liked}" '
        f'aria-label="{escape(texts(key))}" title="{escape(texts(key))}">{THUMB}</button>'
        for liked, key in (("true", "like"), ("false", "dislike"))
    )
    label = escape(texts("actions"))
    return (
        f'<div class="bf-tools" role="toolbar" aria-label="{label}">'
        f"{plain['copy']}{export}{plain['link']}{plain['again']}{plain['edit']}{plain['keep']}{thumbs}{versions}"
        "</div>"
    )


def _versions(turn: Turn, texts: Texts) -> str:
    if not turn.others:
        return ""
    count = len(turn.versions)
    steps = [
        f'<button type="button" data-do="version" data-version="{turn.version + step}" '
        f'aria-label="{escape(texts(key))}"'
        f"{'' if 0 <= turn.version + step < count else ' disabled'}>{sign}</button>"
        for step, key, sign in ((-1, "version_before", "‹"), (1, "version_after", "›"))
    ]
    place = escape(texts("version_of", number=turn.version + 1, total=count))
    return f'<span class="bf-versions">{steps[0]}<span>{place}</span>{steps[1]}</span>'


def _followups(turn: Turn, texts: Texts) -> str:
    if turn.is_under_way or not turn.followups:
        return ""
    items = "".join(
        f'<li><button type="button" data-do="suggested" data-mode="answer" '
        f'data-question="{escape_line(question)}" dir="auto">{escape_line(question)}</button></li>'
        for question in turn.followups
    )
    return f'<div class="bf-followups"><h3>{escape(texts("followups"))}</h3><ul>{items}</ul></div>'


def _body(turn: Turn, number: int, texts: Texts) -> Iterable[str]:
    answer = turn.answer
    if answer.refused:
        first, _, rest = refusal_text(answer, texts).partition(". ")
        why = f"&#46; {escape_line(rest)}" if rest else ""
        yield paragraph(f"<strong>{escape_line(first)}</strong>{why}", "bf-refused")
        yield _widen(turn, texts)
        yield _closest(turn, number, texts)
    elif turn.request.mode == "passages" and turn.progress == "done":
        count = len(answer.hits)
        text = escape(texts("found_passages", count=count))
        link = f'<a href="#turn-{number}-hit-1">{text}</a>' if count else text
        yield paragraph(link, "bf-said")
    yield from _statements(turn, number, texts)


def _statements(turn: Turn, number: int, texts: Texts) -> Iterable[str]:
    """Return the statements in the layout of the turn's mode."""
    lay_out = LAYOUTS.get(turn.request.mode)
    if lay_out is not None and turn.answer.statements:
        return (lay_out(turn.answer, number, texts),)
    statements = enumerate(turn.answer.statements, start=1)
    return (_statement(one, number, place, texts) for place, one in statements)


def _widen(turn: Turn, texts: Texts) -> str:
    """Return the button that asks without dates; "" if the search had none."""
    filters = turn.request.filters
    dated = filters.after or filters.before or any(kind == "window" for kind, _ in turn.understood)
    if not dated or "window" in turn.request.removed_constraints:
        return ""
    words = escape(texts("widen"))
    return f'<p class="bf-widen"><button type="button" data-do="widen">{words}</button></p>'


def _closest(turn: Turn, number: int, texts: Texts) -> str:
    """Return the closest articles of a refusal, as links to their cards."""
    items = "".join(
        f'<li dir="auto"><a href="#turn-{number}-hit-{place}">'
        f"{escape_line(hit.metadata.title or hit.metadata.article_id)}</a>"
        f"{_source_line(hit.metadata, texts)}</li>"
        for place, hit in enumerate(turn.card_hits[:MAX_CLOSEST], start=1)
    )
    heading = paragraph(escape(texts("closest_articles")), "bf-note")
    return f'{heading}<ul class="bf-closest">{items}</ul>' if items else ""


def _source_line(head: ArticleMetadata, texts: Texts) -> str:
    facts = filter(None, (head.publisher, texts.day(head.published)))
    label = "".join(f", {escape_line(fact)}" for fact in facts)
    return f"<span>{label}</span>" if label else ""


def _statement(statement: Statement, turn: int, place: int, texts: Texts) -> str:
    fact, said = asked_fact(statement, texts) if place == 1 else ("", statement)
    label = render(said.label, texts)
    parts = [f"{escape_line(said.text)}{citation_links(statement, turn, place)}"]
    key = support_key(statement.support)
    if statement.support != "supported":  # a mark is for doubt: a quotation needs none
        reason = escape_line(": ".join(filter(None, (texts(key), render(statement.reason, texts)))))
        sign = f"{SIGNS[statement.support]} {escape(texts(key))}".strip()
        parts.append(f'<span class="bf-support bf-{key}" title="{reason}">{sign}</span>')
    head = f'<span class="bf-label">{escape_line(label)}</span>' if label else ""
    shown = paragraph(head + " ".join(parts), f"bf-statement bf-is-{key}")
    return f"{_lead(fact, statement, texts)}{shown}" if fact else shown


def _lead(fact: str, statement: Statement, texts: Texts) -> str:
    """Return the fact that was asked for, large, with the date and publisher of its source."""
    head = statement.citations[0].metadata if statement.citations else None
    facts = (head.publisher, texts.day(head.published)) if head else ()
    source = " · ".join(filter(None, facts))
    return (
        f'<p class="bf-lead" dir="auto"><strong>{escape_line(fact)}</strong>'
        f"<span>{escape_line(source)}</span></p>"
    )


def _notes(turn: Turn, texts: Texts) -> Iterable[str]:
    answer = turn.answer
    if notices := notices_text(answer, texts):
        yield paragraph(escape_line(notices), "bf-note bf-notice")
    if turn.out_of_coverage:
        yield paragraph(escape(texts("outside_coverage")), "bf-note bf-notice")
    if turn.progress == "stopped":
        yield paragraph(escape(texts("stopped")), "bf-note")


def _rejected_statements(turn: Turn, texts: Texts) -> str:
    """Return the unsupported statements that were removed, collapsed."""
    removed = turn.answer.rejected_statements
    if not removed:
        return ""
    items = "".join(
        f'<li dir="auto"><del>{escape_line(s.text)}</del> '
        f"<span>{escape_line(_reason(s, texts))}</span></li>"
        for s in removed
    )
    heading = escape(texts("removed", count=len(removed)))
    return f'<details class="bf-removed"><summary>{heading}</summary><ul>{items}</ul></details>'


def _reason(statement: Statement, texts: Texts) -> str:
    return render(statement.reason, texts) or texts(support_key(statement.support))
