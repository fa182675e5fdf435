"""Plain text for the terminal: answers, passages, the status, the report of an ingest."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag.schema import Answer, ArticleMetadata, Citation, Hit, Statement
from ui.i18n import notices_text, refusal_text, render, render_all, statement_text, understood_text
from ui.render import (
    also_in,
    article_reference,
    article_text,
    first_hit_per_article,
    format_datetime,
    format_day,
    format_period,
    statement_line,
    terminal_text,
    web_address,
)

if TYPE_CHECKING:
    from ingest.report import IngestReport
    from rag.archive.browse import BrowsePage
    from rag.archive.name_quotations import NameQuotation
    from rag.archive.names import NameCount, NamePage
    from rag.archive.stats import ArchiveStatus, CoverageGap
    from rag.models.backend import BackendReport, Measured
    from rag.retrieval.hybrid import RetrievalResult


FACET_VALUES = 8  # values of a facet that are printed
MAX_WIDTH = 96  # columns; longer lines are hard to read
COUNTS = {  # figures of an ingest, and what they are called
    "new": "new",
    "changed": "changed",
    "unchanged": "unchanged",
    "removed": "withdrawn",
    "kept_out": "withdrawn earlier",
    "rejected": "rejected",
}


def terminal_width() -> int:
    """Return the number of columns to fill."""
    return max(20, min(shutil.get_terminal_size((88, 24)).columns, MAX_WIDTH))


def answer_text(answer: Answer, width: int = 88) -> str:
    """Return an answer: its statements, their sources, the newest source's date, and notices."""
    if answer.refused:
        blocks = [*_refusal(answer, width)]
    else:
        blocks = [_fill(_statement(s), width) for s in answer.statements]
        blocks += [_sources(answer.citations, width)]
    if answer.newest_source and not answer.refused:
        blocks.append(f"As of {format_day(answer.newest_source)}.")
    remarks = (notices_text(answer), understood_text(answer.understood))
    blocks += [_fill(article_text(text), width) for text in remarks if text]
    return "\n\n".join(block for block in blocks if block)


def hits_text(hits: Sequence[Hit], width: int = 88) -> str:
    """Return the hits, best first, each with headline, publisher, date, URL and passage."""
    return "\n\n".join(
        "\n".join(
            [
                *_reference_lines(f"{number}.", hit.metadata, width, hit.copies),
                _fill(article_text(hit.passage.text), width, indent=" " * 4),
            ]
        )
        for number, hit in enumerate(hits, start=1)
    )


def retrieval_text(found: RetrievalResult, width: int = 88) -> str:
    """Return the hits of a search with how its question was understood, or the nearest hits."""
    understood = understood_text(found.question.describe())
    blocks = [f"({terminal_text(understood)})" if understood else ""]
    if found.hits:
        notices = render_all(found.notices)
        blocks += [_fill(article_text(notices), width), hits_text(found.hits, width)]
    elif found.outside:
        blocks += [
            "No passages found. The closest from other dates:",
            hits_text(found.outside, width),
        ]
    else:
        blocks.append("No passages found.")
    return "\n\n".join(filter(None, blocks))


def browse_text(page: BrowsePage, width: int = 88) -> str:
    """Return a page of articles, their number, and the counts by publisher, month and so on."""
    articles = ["\n".join(_reference_lines("-", metadata, width)) for metadata in page.articles]
    shown = f", {len(page.articles):,} shown" if len(page.articles) < page.total else ""
    lines = [f"{page.total:,} article{'' if page.total == 1 else 's'}{shown}"]
    for facet in page.facets:
        if facet.name != "day" and facet.values:
            few = [f"{article_text(v.value)} {v.articles:,}" for v in facet.values[:FACET_VALUES]]
            more = len(facet.values) - len(few)
            few += [f"{more:,} more"] if more > 0 else []
            lines.append(_fill(", ".join(few), width, indent=" " * 11, first=f"{facet.name:<10} "))
    if page.cursor:
        lines.append(f"next page  --cursor {page.cursor}")
    return "\n\n".join(["\n".join(lines), "\n".join(articles)]).rstrip()


def names_text(names: Sequence[NameCount]) -> str:
    """Return names with their kinds and numbers of articles, one on each line."""
    if not names:
        return "No names found."
    return "\n".join(f"{one.articles:>8,}  {article_text(one.name)}, {one.kind}" for one in names)


def name_text(page: NamePage, width: int = 88) -> str:
    """Return what an archive has about a name."""
    title = article_text(page.name)
    if not page.articles:
        return f"No articles name {title}."
    count = f"{page.articles:,} article{'' if page.articles == 1 else 's'}"
    blocks = [f"{title}, {page.kind}: {count}"]
    if page.variants:
        blocks[0] += f"\nalso       {', '.join(map(article_text, page.variants))}"
    bars = [bar for bar in page.histogram.bars if bar.articles]
    if bars:
        busiest = max(bars, key=lambda bar: bar.articles)
        period = format_period(bars[0].start, bars[-1].start)
        blocks[0] += f"\npublished  {period}; most in the {page.histogram.step} of "
        blocks[0] += f"{format_day(busiest.start)}: {busiest.articles:,}"
    if page.beside:
        beside = ", ".join(f"{article_text(one.name)} {one.articles:,}" for one in page.beside)
        blocks.append(_fill(f"Beside it: {beside}", width, indent=" " * 4))
    for heading, quotations in (
        ("Quotations", page.quotations_by),
        ("Quoted about", page.quotations_about),
    ):
        if quotations:
            blocks.append("\n".join([heading, *(_quotation(one, width) for one in quotations)]))
    newest = [line for one in page.newest for line in _reference_lines("-", one, width)]
    return "\n\n".join([*blocks, "\n".join(["Newest articles", *newest])])


def _quotation(one: NameQuotation, width: int) -> str:
    printed = f", printed {one.printed} times" if one.printed > 1 else ""
    source = f"({article_reference(one.metadata)}{printed})"
    return _fill(f"{article_text(one.text)} {source}", width, indent=" " * 4, first="-   ")


def status_text(status: ArchiveStatus, backend: BackendReport | None = None) -> str:
    """Return the overview of an archive, with its publishers and their gaps.

    Args:
        status: The archive's status.
        backend: What embeds passages on this machine; None to leave it out.
    """
    lines = [
        f"archive          {terminal_text(str(status.path))}",
        f"articles         {status.articles:,}",
        f"passages         {status.passages:,}",
        f"near-duplicates  {_near_duplicates(status)}",
        f"dates            {format_period(status.first, status.last) or 'none'}",
        f"gaps             {f'{len(status.gaps)}, listed below' if status.gaps else 'none'}",
        f"last ingest      {_last_ingest(status)}",
        f"size             {status.bytes / 1e6:,.1f} MB",
        f"embedding model  {terminal_text(status.embedding_model)}",
        *_reembedding(status),
        *(_embedding(backend) if backend else []),
        *_vector_server(status),
        f"sequence         {status.sequence}",
        *_record(status),
    ]
    for publisher in status.publishers:
        name = article_text(publisher.name) or "(no publisher)"
        when = format_period(publisher.first, publisher.last)
        lines.append(f"  {publisher.articles:>8,}  {name}{f', {when}' if when else ''}")
        lines += [_gap(gap) for gap in status.gaps if gap.publisher == publisher.name]
    return "\n".join(lines)


def _embedding(report: BackendReport) -> list[str]:
    """Return how passages are embedded, and the rates of all that was measured."""
    if (chosen := report.backend) is None:
        return ["embedding with   measured at the next large ingest, or by --measure"]
    threads = "1 thread" if chosen.threads == 1 else f"{chosen.threads} threads"
    why = "as set" if report.why == "set" else "the fastest here, in tokens/s and thread:"
    return [f"embedding with   {chosen.library} in {chosen.precision}, {threads}, {why}"] + [
        f"  {one.rate:>8,.0f}  {one.library} in {one.precision}{_disagreement(one)}"
        for one in sorted(report.measured, key=lambda one: -one.rate)
    ]


def _disagreement(one: Measured) -> str:
    return "" if one.agrees else f", not used: cosine to float32 {one.cosine:.4f}"


def _last_ingest(status: ArchiveStatus) -> str:
    run = status.last_run
    if run is None:  # ingested by a version without a log of runs
        return format_datetime(status.last_ingest) or "never"
    figures = run.figures
    counts = [
        f"{figures[name]:,} {label}"
        for name, label in COUNTS.items()
        if figures.get(name) or (name in ("new", "changed", "unchanged") and name in figures)
    ]
    if "error" in figures:
        counts = [terminal_text(str(figures["error"]))]
    elif run.ended is None:
        counts = ["running, or interrupted"]
    stopped = ["stopped early"] if figures.get("stopped") else []
    return f"{format_datetime(run.began)}: {', '.join([*counts, *stopped])}"


def _reembedding(status: ArchiveStatus) -> list[str]:
    begun = status.reembedding
    if begun is None:
        return []
    return [
        f"  changing to    {terminal_text(begun.model)}, {begun.done:,} of {begun.of:,} passages"
    ]


def _record(status: ArchiveStatus) -> list[str]:
    state = status.record
    if state is None:
        return []
    as_of = f"as of {format_datetime(state.as_of)}" if state.as_of else "never copied"
    if state.problem:
        return [f"record           {as_of}: {terminal_text(state.problem)}"]
    behind = f"{state.lag_changes:,} change{'' if state.lag_changes == 1 else 's'} behind"
    lag = f"{behind}, by {state.lag_seconds:,.0f} s" if state.lag_changes else "up to date"
    return [f"record           {terminal_text(state.server)}: {lag}, {as_of}"]


def _vector_server(status: ArchiveStatus) -> list[str]:
    server = status.vector_server
    if server is None:
        return []
    years = "1 collection" if server.collections == 1 else f"{server.collections:,} collections"
    behind = "1 change" if server.lag == 1 else f"{server.lag:,} changes"
    state = f"{behind} behind" if server.lag else "up to date"
    lines = [f"vector server    {terminal_text(server.url)}: {years}, {state}"]
    return [*lines, f"  can't be used  {terminal_text(server.error)}"] if server.error else lines


def _gap(gap: CoverageGap) -> str:
    first, last = (datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (gap.first, gap.last))
    if gap.goes_on:
        return f"            no articles since {format_day(first)}: {gap.days} days"
    dates = format_period(first, last)
    when = f"on {dates}" if first == last else f"from {dates}"
    return f"            no articles {when}: {gap.days} days"


def _near_duplicates(status: ArchiveStatus) -> str:
    if not status.copies:
        return "none"
    stories = (
        "1 story" if status.stories_told_again == 1 else f"{status.stories_told_again:,} stories"
    )
    return f"{status.copies:,} of {stories}"


def report_text(report: IngestReport) -> str:
    """Return the report of an ingest, on one line."""
    withdrawn = f"{report.removed:,} withdrawn, " if report.removed else ""
    withdrawn += f"{report.kept_out:,} withdrawn earlier, " if report.kept_out else ""
    unread = "date or time zone" if report.notices == 1 else "dates or time zones"
    notices = f", {report.notices:,} {unread} could not be read" if report.notices else ""
    return (
        f"{report.new:,} new, {report.changed:,} changed, {report.unchanged:,} unchanged, "
        f"{withdrawn}{report.rejected:,} rejected{notices}; "
        f"{report.passages:,} passages in {report.seconds:.1f} seconds"
    )


def _refusal(answer: Answer, width: int) -> Iterator[str]:
    yield _fill(article_text(refusal_text(answer)), width)
    closest = list(first_hit_per_article(answer.nearest_hits))
    if closest:
        lines = [
            line
            for hit in closest
            for line in _reference_lines("-", hit.metadata, width, hit.copies)
        ]
        yield "\n".join(["Closest articles", *lines])


def _statement(statement: Statement) -> str:
    doubt = ""
    if statement.support == "unverified":
        doubt = "not verified"
    elif statement.support != "supported":
        doubt = ": ".join(filter(None, (statement.support, render(statement.reason))))
    return statement_line(replace(statement, text=statement_text(statement)), doubt)


def _sources(citations: Sequence[Citation], width: int) -> str:
    cited = {citation.number: citation for citation in citations}
    lines = [
        line
        for n, c in cited.items()
        for line in _reference_lines(f"[{n}]", c.metadata, width, c.copies)
    ]
    return "\n".join(["Sources", *lines]) if lines else ""


def _reference_lines(
    mark: str, head: ArticleMetadata, width: int, copies: Sequence[ArticleMetadata] = ()
) -> list[str]:
    indent = " " * 4
    lines = [_fill(article_reference(head), width, indent=indent, first=f"{mark:<3} ")]
    if address := web_address(head.url):
        lines.append(indent + address)
    if also_in(head, copies):
        lines.append(_fill(also_in(head, copies), width, indent=indent))
    if head.correction:
        lines.append(_fill(f"Corrected: {article_text(head.correction)}", width, indent=indent))
    return lines


def _fill(text: str, width: int, *, indent: str = "", first: str | None = None) -> str:
    return textwrap.fill(
        terminal_text(text),
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
