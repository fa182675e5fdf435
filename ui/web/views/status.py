"""HTML of ingest reports and of the archive's status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag.schema import ArticleMetadata
from ui.i18n import Texts
from ui.ingest_job import IngestResult
from ui.web.views.markup import escape, escape_line

if TYPE_CHECKING:
    from rag.archive.follower_state import FollowerState
    from rag.archive.stats import ArchiveStatus, CoverageGap

MOST_GAPS = 20  # longest gaps shown


def ingest_html(result: IngestResult, texts: Texts, *, preview: bool = False) -> str:
    """Return the progress or the report of an ingest or its preview, a row for each source."""
    report = result.report
    parts = []
    if result.failed:
        parts.append(failure(texts("add_failed", why=result.failed)))
    elif result.is_done and report:
        text = texts(
            "would_add" if preview else "added",
            count=report.new,
            changed=texts.number(report.changed),
            unchanged=texts.number(report.unchanged),
            rejected=texts.number(report.rejected),
            passages=texts.number(report.passages),
            seconds=texts.number(round(report.seconds, 1)),
        )
        parts.append(note(text))
    else:
        share = round(100 * result.share)
        new, changed = (report.new, report.changed) if report else (0, 0)
        text = texts("adding", share=share, new=texts.number(new), changed=texts.number(changed))
        parts.append(f'<progress max="100" value="{share}" aria-hidden="true"></progress>')
        parts.append(note(text))
    parts += [_sources(result, texts), _previewed(result, texts)]
    if result.rejects:
        items = "".join(
            f'<li dir="auto"><b>{escape_line(place)}</b>&#58; {escape_line(reason)}</li>'
            for place, reason in result.rejects
        )
        heading = escape(texts("rejects"))
        parts.append(f"<details open><summary>{heading}</summary><ul>{items}</ul></details>")
    return "".join(parts)


def _sources(result: IngestResult, texts: Texts) -> str:
    """Return a table with a row for each file, and one for the addresses."""
    if not result.sources:
        return ""
    keys = ("new", "changed", "unchanged", "rejected")
    heads = "".join(f'<th scope="col">{escape(texts(f"count_{key}"))}</th>' for key in keys)
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{escape_line(one.name or texts("addresses_row"))}</th>'
        + "".join(f"<td>{escape(texts.number(getattr(one.report, key)))}</td>" for key in keys)
        + "</tr>"
        for one in result.sources
    )
    name = escape(texts("source"))
    return (
        f'<table><thead><tr><th scope="col">{name}</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _previewed(result: IngestResult, texts: Texts) -> str:
    items = "".join(
        f'<li dir="auto">{escape(texts("count_new" if one.is_new else "count_changed"))}&#58; '
        f"<b>{escape_line(one.metadata.title or one.metadata.article_id)}</b> "
        f"{escape_line(', '.join(filter(None, _source_facts(one.metadata, texts))))}</li>"
        for one in result.previewed
    )
    heading = escape(texts("would_be_added"))
    return f"<details open><summary>{heading}</summary><ul>{items}</ul></details>" if items else ""


def _source_facts(head: ArticleMetadata, texts: Texts) -> tuple[str, str]:
    return head.publisher, texts.day(head.published)


def status_html(status: ArchiveStatus, texts: Texts) -> str:
    """Return counts and properties of the archive, and its longest gaps."""
    rows = {
        "articles": texts.number(status.articles),
        "passages": texts.number(status.passages),
        "copies": texts.number(status.copies),
        "model": status.embedding_model,
    }
    if status.bytes:  # unknown to a reader who doesn't see everything
        rows |= {
            "last": texts.moment(status.last_ingest) or texts("never"),
            "size": f"{texts.number(round(status.bytes / 1e6, 1))} MB",
            "sequence": str(status.sequence),
        }
    if status.record is not None:
        rows["record"] = _record(status.record, texts)
    listed = "".join(
        f"<dt>{escape(texts(f'status_{name}'))}</dt><dd>{escape_line(value)}</dd>"
        for name, value in rows.items()
    )
    longest = sorted(status.gaps, key=lambda gap: -gap.days)[:MOST_GAPS]
    gaps = "".join(f'<li dir="auto">{escape_line(_gap(gap, texts))}</li>' for gap in longest)
    heading = escape(texts("status_gaps"))
    more = f"<details><summary>{heading}</summary><ul>{gaps}</ul></details>" if gaps else ""
    return f"<h2>{escape(texts('status'))}</h2><dl>{listed}</dl>{more}"


def _record(state: FollowerState, texts: Texts) -> str:
    """Return how old the server's copy of a shared record is."""
    moment = texts.moment(state.as_of) or texts("never")
    if not state.reachable:
        return texts("record_unreachable", moment=moment)
    if state.problem:
        return f"{texts('record_not_followed', moment=moment)}: {state.problem}"
    if not state.lag_changes:
        return texts("record_current", moment=moment)
    seconds = texts.number(round(state.lag_seconds))
    return texts("record_behind", count=state.lag_changes, seconds=seconds, moment=moment)


def _gap(gap: CoverageGap, texts: Texts) -> str:
    return texts(
        "gap_until_now" if gap.goes_on else "gap",
        publisher=gap.publisher or texts("no_publisher"),
        first=texts.day(datetime(*gap.first.timetuple()[:3], tzinfo=UTC)),
        last=texts.day(datetime(*gap.last.timetuple()[:3], tzinfo=UTC)),
        count=gap.days,
    )


def note(text: str) -> str:
    """Return a note that screen readers announce when idle."""
    return f'<p class="bf-note" role="status" dir="auto">{escape_line(text)}</p>'


def failure(text: str) -> str:
    """Return an error that screen readers announce at once."""
    return f'<p class="bf-note bf-notice" role="alert" dir="auto">{escape_line(text)}</p>'
