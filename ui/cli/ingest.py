"""`backfile ingest`: add articles."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rag.errors import ReadError
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage, usage_error
from ui.cli.ingest_options import IngestOptions, ingest_options
from ui.cli.options import Duration, SourceName, archive_options

if TYPE_CHECKING:
    from ingest.report import IngestReport
    from ui.cli.ingest_session import IngestSession, Source


@click.command(
    cls=ManualPage,
    notes=[
        (
            "Formats",
            "JSON and JSON lines, CSV, TSV and Parquet; RSS, Atom and JSON Feed; sitemaps and "
            "lists of URLs; text and Markdown; HTML and MHTML pages; mail; PDF with text; web "
            "archives (WARC, ARC); NITF, NewsML-G2, ninjs and IPTC 7901. Files may be compressed "
            "or packed (gz, bz2, xz, zst, zip, tar).",
        ),
        (
            "Fetching",
            "URLs are fetched, and so are the articles that feeds, sitemaps and lists name. "
            "robots.txt is obeyed, and a host is asked at most once a second. "
            "Fetched content may only change articles of its own site: see `backfile sources`.",
        ),
        (
            "Storages",
            "s3://BUCKET/PATH, gs://BUCKET/PATH, abfs://CONTAINER/PATH and hdfs://HOST:PORT/PATH "
            "are read like files and folders, with the credentials of the environment. "
            "AWS_ENDPOINT_URL names another S3 server, such as MinIO.",
        ),
    ],
    examples=[
        Example("Ingest the sample archive into demo/", "backfile ingest --sample --archive demo"),
        Example("Ingest files and folders", "backfile ingest articles.jsonl pages/"),
        Example(
            "Ingest a table with columns of other names",
            "backfile ingest dump.csv --map title=hed,published=meta.date",
        ),
        Example(
            "Fetch a feed every 15 minutes",
            "backfile ingest https://courier.example/feed --every 15m",
        ),
        Example("Embed articles in four processes", "backfile ingest dump.jsonl --workers 4"),
        Example(
            "Embed articles on a Dask cluster",
            "backfile ingest dump.jsonl --cluster dask://scheduler:8786",
        ),
        Example("Ingest what is put into a folder", "backfile ingest incoming/ --watch"),
    ],
    exit_codes=[
        (ExitCode.DONE, "All articles were added, or were in the archive already."),
        (ExitCode.FAILED, "No article was found, or the ingest failed."),
        (ExitCode.INCOMPLETE, "Some articles were rejected: see `backfile rejects`."),
    ],
)
@click.argument(
    "names", nargs=-1, type=SourceName(), metavar="[SOURCE]...", help="Files, folders or URLs."
)
@click.option("--sample", is_flag=True, help="Ingest the sample archive that comes with Backfile.")
@ingest_options
@click.option(
    "--dry-run", is_flag=True, help="Show what would be added and changed, and write nothing."
)
@click.option(
    "--every", type=Duration(), metavar="TIME", help="Repeat at this interval: 90s, 15m, 6h or 1d."
)
@click.option("--watch", is_flag=True, help="Keep running, and ingest files as they change.")
@archive_options
def ingest(
    names: tuple[str, ...],
    sample: bool,
    options: IngestOptions,
    dry_run: bool,
    every: float | None,
    watch: bool,
    settings: Settings,
    as_json: bool,
) -> int:
    """Add new and changed articles to the archive.

    The archive is created if it does not exist. Ingesting the same input again changes nothing; a
    changed article becomes a new revision. Each rejected article is reported as one JSON line on
    stderr, with its location and the reason. Ctrl-C stops after the current batch; the same
    command continues from there.
    """
    from ui.cli import ingest_session

    sources = [*map(ingest_session.parse_source_argument, names)]
    sources += [ingest_session.sample_folder()] if sample else []
    if not sources:
        raise usage_error("SOURCE is missing: name files, folders or URLs, or use --sample")
    if dry_run and (every or watch):
        raise usage_error("--dry-run cannot be combined with --every or --watch")
    options.reading()  # reports a malformed --map before anything is opened
    ingest_session.check_sources(sources)
    with ingest_session.open_session(settings, options, sources) as session:
        if dry_run:
            return _dry_run(session, sources, as_json=as_json)
        if every or watch:
            from ui.cli import watch as rounds

            rounds.watch(session, sources, every=every, files=watch, as_json=as_json)
            return ExitCode.DONE
        return run_once(session, sources, as_json=as_json)


def run_once(session: IngestSession, sources: Sequence[Source], *, as_json: bool) -> ExitCode:
    """Ingest the sources and print the report.

    Returns:
        DONE, or INCOMPLETE if articles were rejected.

    Raises:
        ReadError: No article was found.
        KeyboardInterrupt: The ingest was stopped; the report is printed.
    """
    from ui import render
    from ui.cli import format as text

    report = session.run_with_progress(sources)
    print(render.json_text(render.report_value(report)) if as_json else text.report_text(report))
    if session.stop.is_set():
        print(
            "The articles added so far are kept; the same command continues from there.",
            file=sys.stderr,
        )
        raise KeyboardInterrupt
    return _exit_code(report, sources)


def _dry_run(session: IngestSession, sources: Sequence[Source], *, as_json: bool) -> ExitCode:
    from ui import render
    from ui.cli import format as text

    report, articles = session.dry_run(sources)
    if as_json:
        listed = [
            {"what": what, "id": head.article_id, "title": head.title} for what, head in articles
        ]
        print(render.json_text({**render.report_value(report), "articles": listed}))
    else:
        for what, head in articles:
            print(f"{what:8} {render.terminal_text(f'{head.article_id}: {head.title}')}")
        counts = text.report_text(report).partition(";")[0]  # without passages and seconds
        print(f"dry run, nothing written: {counts}")
    if session.stop.is_set():
        raise KeyboardInterrupt
    return _exit_code(report, sources)


def _exit_code(report: IngestReport, sources: Sequence[Source]) -> ExitCode:
    if not report.articles:
        raise ReadError(f"No articles in {', '.join(map(str, sources))}: nothing was added.")
    return ExitCode.INCOMPLETE if report.rejected else ExitCode.DONE
