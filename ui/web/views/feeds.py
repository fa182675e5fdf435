"""HTML of the feeds that the archive is fed from."""

from __future__ import annotations

from collections.abc import Sequence

from rag.store.feeds import BY_HAND, Feed
from ui.i18n import Texts
from ui.web.views.markup import attribute, escape, escape_line, paragraph

HOUR, DAY = 3600, 86_400
INTERVALS = (HOUR, 6 * HOUR, DAY, 7 * DAY, BY_HAND)


def feeds_html(feeds: Sequence[Feed], removed: Sequence[Feed], texts: Texts) -> str:
    """Return the feeds with what came of their last read, and the last removed one for undoing."""
    items = "".join(_feed(feed, texts) for feed in feeds)
    body = f"<ul>{items}</ul>" if items else paragraph(escape(texts("no_feeds")), "bf-quiet")
    undo = _undo(removed[0], texts) if removed else ""
    return f"{body}{undo}"


def interval_text(every: int, texts: Texts) -> str:
    """Return an interval in words."""
    if every == BY_HAND:
        return texts("every_by_hand")
    for seconds, key in ((DAY, "every_days"), (HOUR, "every_hours"), (60, "every_minutes")):
        if every % seconds == 0:
            return texts(key, count=every // seconds)
    return texts("every_minutes", count=round(every / 60))


def _feed(feed: Feed, texts: Texts) -> str:
    url = escape_line(feed.url)
    return (
        f'<li data-state="{_state(feed)}"><div><b dir="auto">{url}</b>{_last(feed, texts)}'
        f"{paragraph(escape(_next(feed, texts)), 'bf-quiet')}</div>"
        f'<div class="bf-acts">{_interval(feed, texts)}{_buttons(feed, texts)}</div></li>'
    )


def _state(feed: Feed) -> str:
    if feed.is_paused or not (feed.read or feed.error):
        return "waiting"
    return "failed" if feed.error else "fine"


def _last(feed: Feed, texts: Texts) -> str:
    """Return what came of the last read; a failure stands out."""
    if feed.error:
        times = texts("feed_failed", count=feed.failures)
        return paragraph(f"{escape(times)} {escape_line(feed.error)}", "bf-failed")
    if feed.read is None:
        return paragraph(escape(texts("feed_never")), "bf-quiet")
    counts = {name: texts.number(count) for name, count in feed.counts.items()}
    words = texts("feed_read", at=texts.moment(feed.read), **counts)
    return paragraph(escape(words), "bf-quiet")


def _next(feed: Feed, texts: Texts) -> str:
    if feed.is_paused:
        return texts("feed_paused")
    if feed.due is None:
        return texts("feed_by_hand")
    return texts("feed_due", at=texts.moment(feed.due))


def _interval(feed: Feed, texts: Texts) -> str:
    choices = sorted({*INTERVALS, feed.every} - {BY_HAND})
    options = "".join(
        f'<option value="{every}"{" selected" if every == feed.every else ""}>'
        f"{escape(interval_text(every, texts))}</option>"
        for every in (*choices, BY_HAND)
    )
    label = f"{escape(texts('feed_schedule'))}&#58; {escape_line(feed.url)}"
    return (
        f'<select data-id="{feed.id}" data-value="{feed.every}" aria-label="{label}">'
        f"{options}</select>"
    )


def _buttons(feed: Feed, texts: Texts) -> str:
    pause = ("resume", "feed_resume") if feed.is_paused else ("pause", "feed_pause")
    actions = (("read", "feed_read_now"), pause, ("remove", "feed_remove"))
    return "".join(
        f'<button type="button" data-do="{name}" data-id="{feed.id}" '
        f'aria-label="{escape(texts(key))}&#58; {escape_line(feed.url)}">'
        f"{escape(texts(key))}</button>"
        for name, key in actions
    )


def _undo(feed: Feed, texts: Texts) -> str:
    words = escape(texts("feed_removed", url=feed.url[:200]))
    return (
        f'<div class="bf-undo"><span role="status" dir="auto">{words}</span><button type="button" '
        f'data-do="restore" data-id="{attribute(feed.id)}">{escape(texts("undo"))}</button></div>'
    )
