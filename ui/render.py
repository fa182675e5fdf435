"""Serialize values to JSON, and format names, dates and times as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rag.nlp.dates import MONTHS, format_date
from rag.retrieval.deduplicate import named_publishers
from rag.sanitize import article_line, single_line, strip_controls, web_address
from rag.schema import ArticleMetadata, Citation, Hit, Statement

if TYPE_CHECKING:
    from ingest.report import IngestReport
    from rag.archive.follower_state import FollowerState
    from rag.archive.stats import ArchiveStatus
    from rag.store.ingest_log import IngestRun

__all__ = ["single_line", "strip_controls", "web_address"]  # re-exports from rag.sanitize

# Legal in JSON, but terminals may interpret the controls, and JavaScript breaks lines at U+2028.
_RISKY_IN_JSON = re.compile(
    "[\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


# Dates


def iso_date(moment: datetime | None) -> str | None:
    """Return `moment` in ISO 8601 and UTC; without the time if it is midnight."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC)
    return moment.date().isoformat() if _is_midnight(moment) else moment.isoformat()


def format_datetime(moment: datetime | None) -> str:
    """Return `moment` as "24 October 2024, 15:30 UTC"; without the time if it is midnight."""
    if moment is None:
        return ""
    moment = moment.astimezone(UTC)
    return format_day(moment) + ("" if _is_midnight(moment) else f", {moment:%H:%M} UTC")


def format_day(moment: datetime | None) -> str:
    """Return the UTC day of `moment` as "24 October 2024"."""
    return format_date(moment.astimezone(UTC)) if moment else ""


def _is_midnight(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)


# Untrusted text: see rag.sanitize


def terminal_text(text: str) -> str:
    """Return a name, path or message on one line, without control characters."""
    return single_line(text)


def article_text(text: str) -> str:
    """Return text from an article on one line, with markers like "[1]" neutralised."""
    return article_line(text)


# JSON whose keys other programs rely on


def json_text(value: Any) -> str:
    """Return `value` as indented JSON that is safe to print on a terminal."""
    return _escape(json.dumps(value, ensure_ascii=False, indent=2))


def json_line(value: Any) -> str:
    """Return `value` as JSON on one line that is safe to print on a terminal."""
    return _escape(json.dumps(value, ensure_ascii=False))


def _escape(text: str) -> str:
    return _RISKY_IN_JSON.sub(lambda found: json.dumps(found.group())[1:-1], text)


def hit_value(hit: Hit) -> dict[str, Any]:
    """Return one hit as `search --json` prints it."""
    return {
        "article_id": hit.passage.article_id,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "text": hit.passage.text,
        "score": float(hit.score),
        **metadata_value(hit.metadata),
        "copies": [_copy_value(copy) for copy in hit.copies],
    }


def citation_value(citation: Citation) -> dict[str, Any]:
    """Return one citation as `ask --json` prints it."""
    return {
        "number": citation.number,
        "quote": citation.quote,
        "article_id": citation.passage.article_id,
        "start": citation.start,
        "end": citation.end,
        **metadata_value(citation.metadata),
        "copies": [_copy_value(copy) for copy in citation.copies],
    }


def report_value(report: IngestReport) -> dict[str, Any]:
    """Return the output of `ingest --json`."""
    return {
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "kept_out": report.kept_out,
        "rejected": report.rejected,
        "notices": report.notices,
        "passages": report.passages,
        "seconds": round(report.seconds, 3),
    }


def status_value(status: ArchiveStatus) -> dict[str, Any]:
    """Return the output of `status --json`."""
    return {
        "path": str(status.path),
        "articles": status.articles,
        "passages": status.passages,
        "publishers": [
            {
                "name": publisher.name,
                "articles": publisher.articles,
                "first": iso_date(publisher.first),
                "last": iso_date(publisher.last),
            }
            for publisher in status.publishers
        ],
        "first": iso_date(status.first),
        "last": iso_date(status.last),
        "last_ingest": iso_date(status.last_ingest),
        "bytes": status.bytes,
        "embedding_model": status.embedding_model,
        "sequence": status.sequence,
        "gaps": [
            {
                "publisher": gap.publisher,
                "first": gap.first.isoformat(),
                "last": gap.last.isoformat(),
                "days": gap.days,
                "usual_days": gap.usual,
                "goes_on": gap.goes_on,
            }
            for gap in status.gaps
        ],
        "last_run": _run_value(status.last_run),
        "reembedding": asdict(status.reembedding) if status.reembedding else None,
        "vector_server": asdict(status.vector_server) if status.vector_server else None,
        "stories_told_again": status.stories_told_again,
        "copies": status.copies,
        **({"record": record_value(status.record)} if status.record else {}),
    }


def record_value(state: FollowerState) -> dict[str, Any]:
    """Return how a folder stands to the shared record that it follows, as JSON."""
    return {
        "server": state.server,
        "reachable": state.reachable,
        "as_of": state.as_of.isoformat(timespec="seconds") if state.as_of else None,
        "lag_changes": state.lag_changes,
        "lag_seconds": round(state.lag_seconds, 1),
        "problem": state.problem,
    }


def _copy_value(copy: ArticleMetadata) -> dict[str, Any]:
    return {"article_id": copy.article_id, **metadata_value(copy)}


def metadata_value(head: ArticleMetadata) -> dict[str, Any]:
    """Return the metadata of an article as commands with `--json` print it."""
    return {
        "title": head.title,
        "publisher": head.publisher,
        "url": head.url,
        "published": iso_date(head.published),
        "correction": head.correction,
    }


# Names and times


def _run_value(run: IngestRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {"began": iso_date(run.began), "ended": iso_date(run.ended), **run.figures}


def format_period(first: datetime | None, last: datetime | None) -> str:
    """Return "3 to 24 October 2024" without repeating month or year; "" without dates."""
    if first is None or last is None:
        return ""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    end = format_day(last)
    if first.date() == last.date():
        return end
    start = str(first.day)
    if (first.year, first.month) != (last.year, last.month):
        start += f" {MONTHS[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} to {end}"


def article_reference(head: ArticleMetadata) -> str:
    """Return the known parts of "Headline, Publisher, 24 October 2024"."""
    parts = (head.title or head.article_id, head.publisher, format_day(head.published))
    return ", ".join(part for part in map(article_text, parts) if part)


def also_in(head: ArticleMetadata, copies: Sequence[ArticleMetadata]) -> str:
    """Return "also in Harbour Courier, Pellworth Tribune"; "" without near-duplicates."""
    names = [name for name in map(article_text, named_publishers(head, copies)) if name]
    return f"also in {', '.join(names)}" if names else ""


def first_hit_per_article(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the first hit of each article."""
    seen = set()
    for hit in hits:
        if hit.passage.article_id not in seen:
            seen.add(hit.passage.article_id)
            yield hit


def statement_line(statement: Statement, doubt: str = "") -> str:
    """Return a statement with its citation numbers, followed by `doubt` in parentheses."""
    numbers = dict.fromkeys(f"[{citation.number}]" for citation in statement.citations)
    return " ".join([article_text(statement.text), *numbers, *([f"({doubt})"] if doubt else [])])
