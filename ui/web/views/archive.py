"""HTML of the view of the archive: what waits or was refused, what was done, what it covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from ingest.pipeline import is_address
from ingest.runner import COMMAND, SCHEDULE
from rag.store.held_changes import HeldChange
from rag.store.ingest_log import IngestRun, RejectedInput
from rag.store.withdrawals import Withdrawal
from ui.i18n import Texts
from ui.ingest_job import original_place
from ui.web.views.markup import escape, escape_line, paragraph

MOST_PUBLISHERS = 30  # rows of the calendar
MOST_DAYS = 62  # days of the calendar's columns; of longer times, the columns are months
MOST_MONTHS = 120
SHADES = 4  # of a cell, by its share of the most articles


def heading_html(texts: Texts, *, is_empty: bool) -> str:
    """Return the heading of the view, which invites to add articles to an empty archive."""
    if not is_empty:
        return _heading("add_articles", texts)
    how = paragraph(escape(texts("first_articles_how")), "bf-quiet")
    return f"{_heading('first_articles', texts)}{how}"


def pending_html(
    held: Sequence[HeldChange], rejected: Sequence[RejectedInput], texts: Texts, *, most: int = 100
) -> str:
    """Return the changes that wait for a decision, and the inputs that were rejected.

    Args:
        held: The changes.
        rejected: The inputs.
        texts: Language of the labels.
        most: Largest number of entries of each kind.
    """
    places = {change.place for change in held}
    others = [one for one in rejected if one.place not in places]
    items = [_held(change, texts) for change in held[:most]]
    items += [_rejected(one, texts) for one in others[:most]]
    left = max(0, len(held) - most) + max(0, len(others) - most)
    more = paragraph(escape(texts("pending_more", count=left)), "bf-quiet") if left else ""
    body = f"<ul>{''.join(items)}</ul>{more}"
    if not items:
        body = paragraph(escape(texts("nothing_pending")), "bf-quiet")
    return f"{_heading('pending', texts)}{body}"


def _heading(key: str, texts: Texts) -> str:
    """Return a heading that takes the focus when nothing else is left."""
    return f'<h2 tabindex="-1">{escape(texts(key))}</h2>'


def _held(change: HeldChange, texts: Texts) -> str:
    place = original_place(change.place)
    actions = (("accept", "let_in"), ("discard", "discard"))
    buttons = "".join(_button(action, change.id, texts(key), place) for action, key in actions)
    return _entry(place, change.reason, change.at, buttons, texts)


def _rejected(one: RejectedInput, texts: Texts) -> str:
    return _entry(original_place(one.place), one.reason, one.at, "", texts)


def _entry(place: str, reason: str, at: datetime, buttons: str, texts: Texts) -> str:
    when = f'<time datetime="{at.isoformat()}">{escape(texts.moment(at))}</time>'
    return (
        f'<li>{when}<div><b dir="auto">{escape_line(place)}</b>'
        f"{paragraph(escape_line(reason), 'bf-quiet')}</div>{buttons}</li>"
    )


def _button(action: str, target: str, words: str, name: str) -> str:
    """Return a button for an entry, which screen readers tell apart by its name."""
    return (
        f'<button type="button" data-do="{action}" data-id="{escape(target)}" '
        f'aria-label="{escape(words)}&#58; {escape_line(name)}">{escape(words)}</button>'
    )


def log_html(
    runs: Sequence[IngestRun],
    withdrawals: Sequence[Withdrawal],
    titles: Mapping[str, str],
    texts: Texts,
) -> str:
    """Return what was done to the archive, newest first.

    Args:
        runs: The last ingest runs.
        withdrawals: The last withdrawals.
        titles: Headlines of the withdrawn articles by id, of those that still have one.
        texts: Language of the labels.
    """
    entries = [(run.began, _run(run, texts)) for run in runs]
    entries += [
        (one.at, _withdrawal(one, titles.get(one.article_id, one.article_id), texts))
        for one in withdrawals
    ]
    entries.sort(key=lambda entry: entry[0], reverse=True)
    rows = "".join(
        f'<li><time datetime="{at.isoformat()}">{escape(texts.moment(at))}</time>{what}</li>'
        for at, what in entries
    )
    heading = _heading("log", texts)
    if not rows:
        return heading + paragraph(escape(texts("never")), "bf-quiet")
    return f'{heading}<ul class="bf-log">{rows}</ul>'


def _run(run: IngestRun, texts: Texts) -> str:
    counts = {name: int(run.figures.get(name) or 0) for name in ("new", "changed", "rejected")}
    words = texts("run", **{name: texts.number(count) for name, count in counts.items()})
    facts = [words if run.ended else texts("run_interrupted"), _starter(run, texts)]
    sources = [str(source) for source in run.figures.get("sources") or ()]
    facts += [source[:300] for source in sources if len(sources) == 1 and is_address(source)]
    return f'<div dir="auto">{escape_line(" · ".join(filter(None, facts)))}</div>'


def _starter(run: IngestRun, texts: Texts) -> str:
    """Return who or what started a run; runs of earlier versions don't say."""
    by = str(run.figures.get("by") or "")
    keys = {COMMAND: "by_command", SCHEDULE: "by_schedule"}
    return texts(keys[by]) if by in keys else by and texts("by_client", client=by[:100])


def _withdrawal(one: Withdrawal, title: str, texts: Texts) -> str:
    why = f"&#58; {escape_line(one.reason)}" if one.reason else ""
    words = escape(texts("erased_article" if one.erased else "removed_article"))
    return f'<div dir="auto">{words} <b>{escape_line(title)}</b>{why}</div>'


def coverage_html(counts: Mapping[str, Mapping[date, int]], texts: Texts) -> str:
    """Return the calendar of the archive's coverage, with a heading.

    Args:
        counts: Articles by publisher and day.
        texts: Language of the labels, dates and numbers.
    """
    calendar = calendar_html(counts, MOST_PUBLISHERS, texts)
    nothing = paragraph(escape(texts("empty_archive")), "bf-quiet")
    return f"{_heading('coverage', texts)}{calendar or nothing}"


def calendar_html(
    counts: Mapping[str, Mapping[date, int]], most_publishers: int, texts: Texts
) -> str:
    """Return a calendar: a row for each publisher, with a cell for each day or month.

    Args:
        counts: Articles by publisher and day.
        most_publishers: Number of rows, for the publishers with most articles.
        texts: Language of the labels, dates and numbers.
    """
    days = [day for of_publisher in counts.values() for day in of_publisher]
    if not days:
        return ""
    first, last = min(days), max(days)
    by_month = (last - first).days >= MOST_DAYS
    columns = _months(days) if by_month else _days(first, last)
    most = sorted(counts, key=lambda name: -sum(counts[name].values()))[:most_publishers]
    rows = "".join(
        _calendar_row(name, counts[name], columns, by_month, texts, is_first=name == most[0])
        for name in most
    )
    ends = "".join(
        f"<span>{escape(texts.month(day) if by_month else texts.short_day(day))}</span>"
        for day in (columns[0], columns[-1])
    )
    legend = escape(texts("coverage_by_month" if by_month else "coverage_by_day"))
    return (
        f"{paragraph(legend, 'bf-quiet')}"
        f'<div class="bf-calendar" role="grid" aria-readonly="true" '
        f'aria-label="{escape(texts("coverage"))}">{rows}</div>'
        f'<p class="bf-axis" aria-hidden="true">{ends}</p>'
        f'<p class="bf-cell" aria-hidden="true" dir="auto">{escape(texts("coverage_cell"))}</p>'
    )


def _calendar_row(
    name: str,
    counts: Mapping[date, int],
    columns: Sequence[date],
    by_month: bool,
    texts: Texts,
    *,
    is_first: bool,
) -> str:
    """Return a row; `page.js` moves the focus between cells, of which one is reached by Tab."""
    sums: dict[date, int] = dict.fromkeys(columns, 0)
    for day, count in counts.items():
        at = day.replace(day=1) if by_month else day
        if at in sums:
            sums[at] += count
    most = max(sums.values()) or 1
    label = escape_line(name or texts("no_publisher"))
    said = [
        f"{escape(texts.month(at) if by_month else texts.short_day(at))}&#58; "
        f"{escape(texts('articles', count=count))}"
        for at, count in sums.items()
    ]
    cells = "".join(
        f'<span role="gridcell" tabindex="{0 if is_first and place == 0 else -1}" '
        f'data-shade="{-(-SHADES * count // most)}" title="{words}" aria-label="{words}"></span>'
        for place, (count, words) in enumerate(zip(sums.values(), said, strict=True))
    )
    total = escape(texts.number(sum(counts.values())))
    return (
        f'<div role="row"><b role="rowheader" dir="auto">{label} <i>{total}</i></b>'
        f"<div>{cells}</div></div>"
    )


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _months(days: Iterable[date]) -> list[date]:
    """Return the first days of the months: at most the MOST_MONTHS on end with the most articles.

    So a date by mistake, such as 1970 or 2099, doesn't leave the calendar empty.
    """
    counted = Counter(day.year * 12 + day.month - 1 for day in days)
    first, last = min(counted), max(counted)
    if last - first >= MOST_MONTHS:
        sums = {
            month: sum(counted[other] for other in counted if month - MOST_MONTHS < other <= month)
            for month in counted
        }
        last = max(sums, key=lambda month: (sums[month], month))
        first = max(first, last - MOST_MONTHS + 1)
    return [date(month // 12, month % 12 + 1, 1) for month in range(first, last + 1)]
