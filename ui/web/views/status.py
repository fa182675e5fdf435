"""HTML of ingest reports and of the archive's status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ui.i18n import Texts
from ui.web.ingest_job import IngestResult
from ui.web.views.markup import escape, escape_line

if TYPE_CHECKING:
    from rag.archive.stats import ArchiveStatus, CoverageGap

MOST_GAPS = 20  # longest gaps shown


def ingest_html(result: IngestResult, texts: Texts) -> str:
    """Return the progress or the report of an ingest, with the rejected articles."""
    report = result.report
    parts = []
    if result.failed:
        parts.append(failure(texts("add_failed", why=result.failed)))
    elif result.is_done and report:
        text = texts(
            "added",
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
    if result.rejects:
        items = "".join(
            f'<li dir="auto"><b>{escape_line(place)}</b>&#58; {escape_line(reason)}</li>'
            for place, reason in result.rejects
        )
        heading = escape(texts("rejects"))
        parts.append(f"<details open><summary>{heading}</summary><ul>{items}</ul></details>")
    return "".join(parts)


def status_html(status: ArchiveStatus, texts: Texts) -> str:
    """Return counts and properties of the archive, and its longest gaps."""
    rows = {
        "articles": texts.number(status.articles),
        "passages": texts.number(status.passages),
        "copies": texts.number(status.copies),
        "last": texts.moment(status.last_ingest) or texts("never"),
        "size": f"{texts.number(round(status.bytes / 1e6, 1))} MB",
        "model": status.embedding_model,
        "sequence": str(status.sequence),
    }
    listed = "".join(
        f"<dt>{escape(texts(f'status_{name}'))}</dt><dd>{escape_line(value)}</dd>"
        for name, value in rows.items()
    )
    longest = sorted(status.gaps, key=lambda gap: -gap.days)[:MOST_GAPS]
    gaps = "".join(f'<li dir="auto">{escape_line(_gap(gap, texts))}</li>' for gap in longest)
    heading = escape(texts("status_gaps"))
    more = f"<details><summary>{heading}</summary><ul>{gaps}</ul></details>" if gaps else ""
    return f"<h2>{escape(texts('status'))}</h2><dl>{listed}</dl>{more}"


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
