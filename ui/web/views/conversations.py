"""HTML of the list of conversations, by day, with actions on each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from ui.i18n import Texts
from ui.web.state import Conversation, Session
from ui.web.views.markup import escape, escape_line

MAX_TITLE = 60  # characters


def conversations_html(session: Session, texts: Texts, now: datetime | None = None) -> str:
    """Return the list of a session's conversations, newest day first.

    Args:
        session: The session.
        texts: Language of the labels.
        now: The time that decides which day is today; now by default.
    """
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    listed = sorted((c for c in session.conversations if c.turns), key=_started, reverse=True)
    current = session.current.id
    days = "".join(
        f"<h2>{escape(_day_name(day, today, texts))}</h2><ul>{_items(found, current, texts)}</ul>"
        for day, found in groupby(listed, key=_day)
    )
    return f"{_undo(session, texts)}{days}"


def _items(conversations: Iterable[Conversation], current: str, texts: Texts) -> str:
    return "".join(_item(one, one.id == current, texts) for one in conversations)


def _item(conversation: Conversation, is_current: bool, texts: Texts) -> str:
    title = escape_line(shorten_title(conversation.title))
    full, more = escape_line(conversation.title), escape(texts("conversation_actions"))
    actions = "".join(
        f'<li><button type="button" data-do="{action}">{escape(texts(key))}</button></li>'
        for action, key in (("rename", "rename"), ("delete", "delete_conversation"))
    )
    here = ' aria-current="true"' if is_current else ""
    return (
        f'<li data-conversation="{conversation.id}" data-name="{full}">'
        f'<button type="button" data-do="open" dir="auto" title="{full}"'
        f"{here}>{title}</button>"
        f'<details class="bf-menu"><summary aria-label="{more}&#58; {title}">⋯</summary>'
        f"<ul>{actions}</ul></details></li>"
    )


def _undo(session: Session, texts: Texts) -> str:
    if session.deleted is None:
        return ""
    title = escape_line(shorten_title(session.deleted[1].title))
    return (
        f'<p class="bf-undo" role="status"><span dir="auto">'
        f"{escape(texts('deleted'))} {title}</span>"
        f'<button type="button" data-do="undo">{escape(texts("undo"))}</button></p>'
    )


def _day_name(day: date, today: date, texts: Texts) -> str:
    if day == today:
        return texts("today")
    return texts("yesterday") if day == today - timedelta(days=1) else texts.day(day)


def _started(conversation: Conversation) -> datetime:
    return conversation.started


def _day(conversation: Conversation) -> date:
    return conversation.started.astimezone(UTC).date()


def shorten_title(title: str) -> str:
    """Return a title of at most MAX_TITLE characters."""
    return title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 2].rstrip()} …"
