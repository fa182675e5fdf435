"""`backfile rejects`: inputs that were not added, and changes held for approval."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.errors import ReadError
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage, usage_error
from ui.cli.ingest_options import IngestOptions, ingest_options
from ui.cli.options import archive_options

if TYPE_CHECKING:
    from rag.store.held_changes import HeldChange
    from rag.store.ingest_log import RejectedInput


@click.command(
    cls=ManualPage,
    notes=[
        (
            "Held changes",
            "Fetched content may only change articles of its own site. Anything else is held: "
            "another site's article in a feed, a kill notice (a publisher's order to take an "
            "article down) of a source that is not trusted, a page that names another site's "
            "article as its URL. A held change has an ID. To let a source make such changes, use "
            "`backfile sources`.",
        )
    ],
    examples=[
        Example("List rejects and held changes", "backfile rejects"),
        Example("Try the rejected inputs again", "backfile rejects --retry"),
        Example("Look at a held change", "backfile rejects --show 3f9a2b"),
        Example("Apply two held changes", "backfile rejects --accept 3f9a2b 77c01d"),
    ],
    exit_codes=[
        (ExitCode.DONE, "Done, or there is nothing to list."),
        (ExitCode.INCOMPLETE, "Some inputs were rejected again, or some IDs are unknown."),
    ],
)
@click.argument("more_ids", nargs=-1, metavar="")
@click.option(
    "--retry",
    is_flag=True,
    help="Try the rejected inputs again; those added are removed from the list.",
)
@click.option("--show", metavar="ID", help="Show a held change as it would be applied.")
@click.option(
    "--accept", multiple=True, metavar="ID...", help="Apply the held changes with these IDs."
)
@click.option(
    "--forget", multiple=True, metavar="ID...", help="Discard the held changes with these IDs."
)
@ingest_options
@archive_options
def rejects(
    more_ids: tuple[str, ...],
    retry: bool,
    show: str | None,
    accept: tuple[str, ...],
    forget: tuple[str, ...],
    options: IngestOptions,
    settings: Settings,
    as_json: bool,
) -> int:
    """List rejected inputs, and changes held for approval.

    With `--retry`, each rejected input is read again with the `--map`, `--as` and `--summaries` of
    the ingest that rejected it, unless one of these options is given.
    """
    if sum(map(bool, (show, accept, forget))) > 1:
        raise usage_error("--show, --accept and --forget cannot be combined")
    if more_ids and not (accept or forget):
        raise usage_error(f"unexpected argument {more_ids[0]!r}")
    if show:
        return _show(settings, show, as_json=as_json)
    if accept:
        return _accept(settings, [*accept, *more_ids], as_json=as_json)
    if forget:
        return _forget(settings, [*forget, *more_ids], as_json=as_json)
    rejected, held = _all(settings)
    if retry and rejected:
        names = list(dict.fromkeys(one.source for one in rejected))
        return _retry(settings, options, names, as_json=as_json)
    _list(rejected, held, as_json=as_json)
    return ExitCode.DONE


# List


def _all(settings: Settings) -> tuple[Sequence[RejectedInput], Sequence[HeldChange]]:
    from rag.archive.archive import Archive
    from rag.store.held_changes import HeldChanges
    from rag.store.ingest_log import RejectLog

    with Archive.open(settings.archive, settings=settings) as archive:
        database = archive.store.database
        return RejectLog(database).all(), HeldChanges(database).all()


def _list(rejected: Sequence[RejectedInput], held: Sequence[HeldChange], *, as_json: bool) -> None:
    from ui import render

    places = {change.place for change in held}
    rejected = [one for one in rejected if one.place not in places]  # each is listed once
    if as_json:
        listed = [_reject_value(one) for one in rejected]
        print(render.json_text([*listed, *map(_held_value, held)]))
        return
    for one in rejected:
        line = f"{one.place}: {one.reason} ({one.at:%Y-%m-%d %H:%M} UTC)"
        print(render.terminal_text(line))
    for change in held:
        print(render.terminal_text(_held_line(change)))
    counts = [f"{len(rejected):,} rejected" if rejected else ""]
    counts += [
        f"{len(held):,} held: add with --accept ID, discard with --forget ID" if held else ""
    ]
    print(", ".join(filter(None, counts)) or "No rejects.")


def _reject_value(rejected: RejectedInput) -> dict[str, Any]:
    return {
        "place": rejected.place,
        "reason": rejected.reason,
        "source": rejected.source,
        "at": rejected.at.isoformat(timespec="seconds"),
        "id": None,  # only held changes have one
    }


def _held_value(change: HeldChange) -> dict[str, Any]:
    return {
        "place": change.place,
        "reason": change.reason,
        "source": change.source,
        "at": change.at.isoformat(timespec="seconds"),
        "id": change.id,
        "action": change.action,
        "article_id": change.article_id,
    }


def _held_line(change: HeldChange) -> str:
    what = "" if change.action == "put" else "withdrawal: "
    return (
        f"held {change.id}: {change.place}: {what}{change.reason} ({change.at:%Y-%m-%d %H:%M} UTC)"
    )


# Retry


def _retry(
    settings: Settings, options: IngestOptions, names: Sequence[str], *, as_json: bool
) -> ExitCode:
    """Ingest rejected sources again, each with the options it was ingested with."""
    from ui.cli.ingest import run_once
    from ui.cli.ingest_session import open_session, parse_source_argument

    groups = _group_by_options(settings, options, _without_missing(settings, names))
    codes, failed = [ExitCode.DONE], list[ReadError]()
    for as_before, group in groups:
        sources = [*map(parse_source_argument, group)]
        try:
            with open_session(settings, as_before, sources) as session:
                codes.append(run_once(session, sources, as_json=as_json))
        except ReadError as error:  # of these sources; others may succeed
            failed.append(error)
    if failed and len(failed) == len(groups):
        raise failed[0]
    return max(*codes, ExitCode.INCOMPLETE if failed else ExitCode.DONE)


def _without_missing(settings: Settings, names: Sequence[str]) -> list[str]:
    """Return the sources that exist; drop the rejects of the others, and name those on stderr."""
    from rag.archive.archive import Archive
    from rag.sanitize import single_line
    from rag.store.ingest_log import RejectLog
    from ui.cli.ingest_session import parse_source_argument

    missing, unreadable = [], []
    for one in names:
        try:
            at = parse_source_argument(one)
        except ReadError as error:  # a storage has names that no address can have
            unreadable.append(one)
            print(single_line(f"{one}: not read again: {error}"), file=sys.stderr)
        else:
            missing += [one] if isinstance(at, Path) and not at.exists() else []
    if missing:
        with Archive.open(settings.archive, settings=settings, mode="write") as archive:
            RejectLog(archive.store.database).remove(missing, before=datetime.now(UTC))
    for name in missing:
        print(single_line(f"{name}: no longer exists; removed from the list"), file=sys.stderr)
    return [name for name in names if name not in missing and name not in unreadable]


def _group_by_options(
    settings: Settings, options: IngestOptions, names: Sequence[str]
) -> list[tuple[IngestOptions, list[str]]]:
    """Group the sources by the options they were last ingested with, unless new ones are given."""
    from ingest.runner import last_reader_options
    from rag.archive.archive import Archive

    if options.map or options.kind or options.summaries:
        return [(options, [*names])] if names else []
    groups: dict[IngestOptions, list[str]] = {}
    with Archive.open(settings.archive, settings=settings) as archive:
        for name in names:
            as_before = replace(options, **last_reader_options(archive.store.database, name))
            groups.setdefault(as_before, []).append(name)
    return list(groups.items())


# Held changes


def _show(settings: Settings, held_id: str, *, as_json: bool) -> ExitCode:
    from rag.archive.archive import Archive
    from rag.store.held_changes import HeldChanges
    from ui import render

    with Archive.open(settings.archive, settings=settings) as archive:
        change = HeldChanges(archive.store.database).get(held_id)
    if change is None:
        return _report_unknown([held_id])
    article = json.loads(change.content) if change.action == "put" else None
    if as_json:
        print(render.json_text({**_held_value(change), "article": article}))
        return ExitCode.DONE
    print(render.terminal_text(_held_line(change)), end="\n\n")
    if article is None:
        print(render.terminal_text(change.content))
        return ExitCode.DONE
    for name in ("title", "publisher", "authors", "published", "url", "text"):
        value = article.get(name) or ""
        lines = value if isinstance(value, list) else str(value).split("\n")
        shown = [line for line in map(render.article_text, lines) if line]
        if shown:
            print(f"{name}: " + ("\n\n" if name == "text" else ", ").join(shown))
    return ExitCode.DONE


def _accept(settings: Settings, held_ids: Sequence[str], *, as_json: bool) -> ExitCode:
    from ingest.change_policy import accept_held_change
    from rag.archive.archive import Archive
    from rag.sanitize import single_line
    from rag.store.held_changes import ArticleOrigins, HeldChanges
    from ui import render

    accepted, unknown, failed = list[dict[str, str]](), list[str](), list[str]()
    with Archive.open(settings.archive, mode="write", settings=settings, create=False) as archive:
        changes, origins = (
            HeldChanges(archive.store.database),
            ArticleOrigins(archive.store.database),
        )
        for held_id in dict.fromkeys(held_ids):
            change = changes.get(held_id)
            if change is None:
                unknown.append(held_id)
                continue
            try:
                became = accept_held_change(archive, changes, change, origins)
            except (ReadError, ValueError) as error:
                failed.append(f"{held_id}: cannot be added: {error}")
                continue
            accepted.append({"id": held_id, "article_id": change.article_id, "became": became})
    if as_json:
        print(render.json_text({"accepted": accepted, "unknown": unknown, "failed": failed}))
    else:
        for one in accepted:
            print(single_line(f"{one['became']}: {one['article_id']}"))
    for line in failed:
        print(single_line(line), file=sys.stderr)
    return max(_report_unknown(unknown), ExitCode.INCOMPLETE if failed else ExitCode.DONE)


def _forget(settings: Settings, held_ids: Sequence[str], *, as_json: bool) -> ExitCode:
    from rag.archive.archive import Archive
    from rag.sanitize import single_line
    from rag.store.held_changes import HeldChanges
    from ui import render

    with Archive.open(settings.archive, mode="write", settings=settings, create=False) as archive:
        changes = HeldChanges(archive.store.database)
        unknown = [held_id for held_id in held_ids if changes.get(held_id) is None]
        forgotten = [held_id for held_id in held_ids if held_id not in unknown]
        changes.drop(forgotten)
    if as_json:
        print(render.json_text({"forgotten": forgotten, "unknown": unknown}))
    else:
        for held_id in forgotten:
            print(single_line(f"discarded: {held_id}"))
    return _report_unknown(unknown)


def _report_unknown(unknown: Sequence[str]) -> ExitCode:
    from rag.sanitize import single_line

    for held_id in unknown:
        line = f"no held change {held_id}: `backfile rejects` lists them"
        print(single_line(line), file=sys.stderr)
    return ExitCode.INCOMPLETE if unknown else ExitCode.DONE
