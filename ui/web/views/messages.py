"""HTML of chat messages: statements with citation numbers and levels of support."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.schema import ArticleMetadata, Statement
from ui.i18n import Texts, notices_text, refusal_text, render, statement_text, support_key
from ui.render import article_reference
from ui.web.state import Turn
from ui.web.views.markup import escape, escape_line, paragraph, plain_line

MAX_CLOSEST = 3  # closest articles listed in the chat; all have cards
SIGNS = {"partly": "◐", "unverified": "", "not supported": "✗", "contradicted": "✗"}


def chat_messages(turns: Sequence[Turn], texts: Texts) -> list[dict[str, str]]:
    """Return the messages for Gradio's chatbot, with all text escaped."""
    messages = []
    for number, turn in enumerate(turns, start=1):
        messages.append({"role": "user", "content": plain_line(turn.request.question)})
        messages.append({"role": "assistant", "content": answer_html(turn, number, texts)})
    return messages


def answer_html(turn: Turn, number: int, texts: Texts) -> str:
    """Return the answer of a turn as HTML, with citations that link to the turn's cards.

    Args:
        turn: The turn.
        number: Number of the turn, from 1; part of the ids.
        texts: Language of the labels.
    """
    return "".join(
        [*_body(turn, number, texts), *_notes(turn, texts), _rejected_statements(turn, texts)]
    )


def _body(turn: Turn, number: int, texts: Texts) -> Iterable[str]:
    answer = turn.answer
    if turn.progress in ("waiting", "growing") and not answer.statements and not answer.refused:
        key = "waiting" if turn.progress == "waiting" else "searching"
        yield paragraph(f'<span class="bf-working">{escape(texts(key))}</span>', "bf-note")
    elif answer.refused:
        first, _, rest = refusal_text(answer, texts).partition(". ")
        why = f"&#46; {escape_line(rest)}" if rest else ""
        yield paragraph(f"<strong>{escape_line(first)}</strong>{why}", "bf-refused")
        yield _closest(turn, number, texts)
    elif turn.request.mode == "passages" and turn.progress == "done":
        count = len(answer.hits)
        text = escape(texts("found_passages", count=count))
        link = f'<a href="#turn-{number}-hit-1">{text}</a>' if count else text
        yield paragraph(link, "bf-said")
    for place, statement in enumerate(answer.statements, start=1):
        yield _statement(statement, f"turn-{number}", place, texts)


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


def _statement(statement: Statement, turn: str, place: int, texts: Texts) -> str:
    parts = [escape_line(statement_text(statement, texts))]
    for number, citation in {c.number: c for c in statement.citations}.items():
        parts.append(
            f'<a class="bf-cite" id="{turn}-said-{place}-{number}" href="#{turn}-card-{number}" '
            f'title="{escape_line(article_reference(citation.metadata))}">&#91;{number}&#93;</a>'
        )
    key = support_key(statement.support)
    if statement.support != "supported":  # a mark is for doubt: a quotation needs none
        label = escape_line(": ".join(filter(None, (texts(key), render(statement.reason, texts)))))
        sign = f"{SIGNS[statement.support]} {escape(texts(key))}".strip()
        parts.append(f'<span class="bf-support bf-{key}" title="{label}">{sign}</span>')
    return paragraph(" ".join(parts), f"bf-statement bf-is-{key}")


def _notes(turn: Turn, texts: Texts) -> Iterable[str]:
    answer = turn.answer
    if notices := notices_text(answer, texts):
        yield paragraph(escape_line(notices), "bf-note bf-notice")
    if turn.out_of_coverage:
        yield paragraph(escape(texts("outside_coverage")), "bf-note bf-notice")
    if turn.progress == "stopped":
        yield paragraph(escape(texts("stopped")), "bf-note")
    facts = []
    if answer.newest_source and not answer.refused:
        facts.append(texts("as_of", day=texts.day(answer.newest_source)))
    if turn.progress in ("growing", "done") and answer.hits:
        looked_at = max(answer.candidates_considered, len(answer.hits))
        facts.append(texts("considered", count=looked_at))
    facts += [texts(f"ignored_{kind}") for kind in turn.request.removed_constraints]
    if facts:
        yield paragraph(" &#183; ".join(map(escape_line, facts)), "bf-note bf-facts")


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
