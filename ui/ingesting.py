"""`backfile ingest` and `backfile rejects`: what they take, what they print, how they end."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rag.errors import ReadError
from rag.settings import Settings
from ui import holding

if TYPE_CHECKING:
    from ingest.readers import ReaderOptions
    from ingest.report import IngestReport
    from rag.store.ingest_log import RejectedInput
    from ui.feeding import Feeder, Source

ALL_IN, SOME_REJECTED = 0, 3
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_ingest_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile ingest` takes."""
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="a file, a folder, or a web address"
    )
    parser.add_argument("--sample", action="store_true", help="the sample that comes with Backfile")
    _add_reading_arguments(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be put in, and write nothing"
    )
    parser.add_argument(
        "--every", type=_duration, metavar="TIME", help="again and again: 90s, 15m, 6h, 1d"
    )
    parser.add_argument(
        "--watch", action="store_true", help="stay, and put in what changes in the files"
    )


def add_rejects_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile rejects` takes."""
    parser.add_argument(
        "--retry", action="store_true", help="try them again; those that go in are forgotten"
    )
    holding.add_held_arguments(parser)
    _add_reading_arguments(parser)


def _add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--map",
        metavar="FIELD=KEY,...",
        help="where JSON and tables have what: title=headline,published=meta.date",
    )
    parser.add_argument(
        "--as",
        dest="kind",
        default="",
        metavar="KIND",
        help="what the files are, whatever they look like: html, text, json, jsonl, csv, parquet, "
        "feed, sitemap, list, warc, iptc, iptc7901, mail or pdf",
    )
    parser.add_argument(
        "--summaries",
        action="store_true",
        help="keep the text of feeds as it is; do not fetch the pages behind it",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        metavar="HOST",
        help="fetch from this host though its address is private; may be repeated",
    )
    parser.add_argument(
        "--cookies", type=Path, metavar="FILE", help="a cookies.txt, sent to the hosts it names"
    )
    parser.add_argument(
        "--headers",
        type=Path,
        metavar="FILE",
        help="lines of `Name: value`, sent to the hosts of the addresses; [HOST] names others",
    )


def ingest(arguments: argparse.Namespace, settings: Settings) -> int:
    """Put articles in and report; each reject is one JSON line on stderr."""
    from ui import feeding

    sources: list[Source] = [*map(feeding.source, arguments.sources)]
    sources += [feeding.sample()] if arguments.sample else []
    if not sources:
        arguments.parser.error("say what to ingest: files, folders, addresses, or --sample")
    if arguments.dry_run and (arguments.every or arguments.watch):
        arguments.parser.error("--dry-run says what would happen once: not --every, not --watch")
    _reading(arguments)  # what is wrong with it is said first
    feeding.check_there(sources)
    with ExitStack() as stack:
        feeder = _feeder(arguments, settings, sources, stack)
        if arguments.dry_run:
            return _rehearsed(arguments, feeder, sources)
        if arguments.every or arguments.watch:
            from ui import polling

            polling.keep_on(feeder, sources, arguments)
            return ALL_IN
        return _fed(arguments, feeder, sources)


def rejects(arguments: argparse.Namespace, settings: Settings) -> int:
    """List what was refused and what is held, or try it again, or decide on what is held."""
    from rag.archive.archive import Archive
    from rag.store.held_changes import HeldChanges
    from rag.store.ingest_log import RejectLog
    from ui import render

    if arguments.show or arguments.accept or arguments.forget:
        return holding.decide(arguments, settings)
    with Archive.open(settings.archive, settings=settings) as archive:
        refused = RejectLog(archive.store.database).all()
        held = HeldChanges(archive.store.database).all()
    if arguments.retry and refused:
        return _retried(arguments, settings, list(dict.fromkeys(one.source for one in refused)))
    places = {change.place for change in held}
    refused = [one for one in refused if one.place not in places]  # each is listed once
    if arguments.json:
        listed = [_reject_value(one) for one in refused]
        print(render.json_text([*listed, *map(holding.held_value, held)]))
        return ALL_IN
    for one in refused:
        line = f"{one.place}: {one.reason} ({one.at:%Y-%m-%d %H:%M} UTC)"
        print(render.terminal_text(line))
    for change in held:
        print(render.terminal_text(holding.held_line(change)))
    counts = [f"{len(refused):,} rejected" if refused else ""]
    counts += [f"{len(held):,} held: `--accept ID` lets in, `--forget ID` drops" if held else ""]
    print(", ".join(filter(None, counts)) or "Nothing was rejected.")
    return ALL_IN


def _retried(arguments: argparse.Namespace, settings: Settings, refused: list[str]) -> int:
    """Read what was refused again, each source as it was read then, unless it is said how."""
    from ui import feeding, render

    gone = [
        one for one in refused if isinstance(at := feeding.source(one), Path) and not at.exists()
    ]
    groups = _by_reading(arguments, settings, refused, gone)
    for one in gone:
        print(render.terminal_text(f"{one}: is no longer there; forgotten"), file=sys.stderr)
    codes, failed = [ALL_IN], list[ReadError]()
    for how, names in groups:
        again = argparse.Namespace(**{**vars(arguments), **how})
        sources = [*map(feeding.source, names)]
        with ExitStack() as stack:
            try:
                codes.append(_fed(again, _feeder(again, settings, sources, stack), sources))
            except ReadError as error:  # of these sources; the others may do better
                failed.append(error)
    if failed and len(failed) == len(groups):
        raise failed[0]
    return max(*codes, SOME_REJECTED if failed else ALL_IN)


def _by_reading(
    arguments: argparse.Namespace, settings: Settings, refused: list[str], gone: list[str]
) -> list[tuple[dict[str, Any], list[str]]]:
    """Return how sources were read with those that were; forget the rejects of those `gone`."""
    from ingest.runner import last_reader_options
    from rag.archive.archive import Archive
    from rag.store.ingest_log import RejectLog

    told = bool(arguments.map or arguments.kind or arguments.summaries)
    groups: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    with Archive.open(settings.archive, settings=settings, mode="write" if gone else "read") as at:
        database = at.store.database
        if gone:
            RejectLog(database).remove(gone, before=datetime.now(UTC))
        for source in refused:
            if source not in gone:
                how = {} if told else last_reader_options(database, source)
                groups.setdefault(tuple(how.items()), []).append(source)
    return [(dict(how), sources) for how, sources in groups.items()]


def _fed(arguments: argparse.Namespace, feeder: Feeder, sources: Sequence[Source]) -> int:
    from ui import render, terminal

    report = feeder.feed(sources)
    text = render.json_text(render.report_value(report)) if arguments.json else ""
    print(text or terminal.report_text(report))
    if feeder.stop.is_set():
        print("what was put stays in; the same command goes on from there", file=sys.stderr)
        raise KeyboardInterrupt
    return _code(report, sources)


def _rehearsed(arguments: argparse.Namespace, feeder: Feeder, sources: Sequence[Source]) -> int:
    from ui import render, terminal

    report, articles = feeder.rehearse(sources)
    if arguments.json:
        listed = [
            {"what": what, "id": head.article_id, "title": head.title} for what, head in articles
        ]
        print(render.json_text({**render.report_value(report), "articles": listed}))
    else:
        for what, head in articles:
            print(f"{what:8} {render.terminal_text(f'{head.article_id}: {head.title}')}")
        figures = terminal.report_text(report).partition(";")[0]  # no passages, no seconds
        print(f"would be: {figures}")
    if feeder.stop.is_set():
        raise KeyboardInterrupt
    return _code(report, sources)


def _code(report: IngestReport, sources: Sequence[Source]) -> int:
    """Return how the command ends; raises ReadError where nothing could be done."""
    if not report.articles:
        raise ReadError(f"no article in {', '.join(map(str, sources))}: nothing was put in")
    return SOME_REJECTED if report.rejected else ALL_IN


def _feeder(
    arguments: argparse.Namespace, settings: Settings, sources: Sequence[Source], stack: ExitStack
) -> Feeder:
    """Return what puts articles in as the arguments say, open until `stack` is closed."""
    from ingest.fetch.auth import read_credentials
    from ingest.fetch.client import Client, Limits
    from ui.feeding import Feeder
    from ui.logs import logging_to
    from ui.stopping import stopping

    stack.enter_context(logging_to(settings))
    stop = stack.enter_context(stopping())
    named = [source for source in sources if isinstance(source, str)]
    allowed = [*(arguments.allow_host or ()), *settings.fetch_allow.split(",")]
    client = Client(
        Limits(settings.fetch_bytes, settings.fetch_seconds, settings.fetch_delay),
        agent=settings.fetch_agent,
        credentials=read_credentials(arguments.cookies, arguments.headers, urls=named),
        allowed=tuple(host.strip() for host in allowed if host.strip()),
        stop=stop,
    )
    stack.enter_context(client)
    return Feeder(settings, client, _reading(arguments), stop)


def _reading(arguments: argparse.Namespace) -> ReaderOptions:
    """Return how what is put in is to be read."""
    from ingest.readers import KINDS, ReaderOptions
    from ingest.readers.field_map import NO_MAP, FieldMap

    try:
        field_map = FieldMap.parse(arguments.map) if arguments.map else NO_MAP
    except ValueError as error:
        arguments.parser.error(f"--map: {error}")
    if arguments.kind and arguments.kind not in KINDS:
        arguments.parser.error(f"--as {arguments.kind}: known are {', '.join(KINDS)}")
    links: Literal["keep", "follow"] = "keep" if arguments.summaries else "follow"
    workers = os.cpu_count() or 1  # of a folder of pages; fewer than 64 are read by this process
    return ReaderOptions(field_map=field_map, links=links, kind=arguments.kind, workers=workers)


def _reject_value(refused: RejectedInput) -> dict[str, Any]:
    return {
        "place": refused.place,
        "reason": refused.reason,
        "source": refused.source,
        "at": refused.at.isoformat(timespec="seconds"),
        "id": None,  # what is held has one
    }


def _duration(text: str) -> float:
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not match or not int(match.group(1)):
        raise argparse.ArgumentTypeError(f"{text!r} is no stretch of time: 90s, 15m, 6h or 1d")
    return float(int(match.group(1)) * _SECONDS[match.group(2)])
