"""Options for reading and fetching sources, which `ingest` and `rejects` share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from rag.errors import SettingsError
from ui.cli.command import usage_error
from ui.cli.options import PathName, Run

if TYPE_CHECKING:
    from ingest.readers import ReaderOptions


MOST_WORKERS = 512


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """Options for reading and fetching sources.

    Attributes:
        map: Names of the fields in JSON and tables, as `title=headline,published=meta.date`.
        kind: Format of the files; detected if empty.
        summaries: Keep the text of feeds, and do not fetch their articles.
        allow_host: Hosts that are fetched from though their addresses are private.
        cookies: A cookies.txt file.
        headers: A file of HTTP headers.
        workers: Processes that prepare articles; 0 for as many as suit the machine.
        cluster: The address of a cluster that prepares them instead; "" for none.
    """

    map: str | None
    kind: str
    summaries: bool
    allow_host: tuple[str, ...]
    cookies: Path | None
    headers: Path | None
    workers: int = 0
    cluster: str = ""

    def reading(self) -> ReaderOptions:
        """Return the options of the readers.

        Raises:
            click.UsageError: `map` is malformed.
        """
        from ingest.readers import ReaderOptions
        from ingest.readers.field_map import NO_MAP, FieldMap

        try:
            field_map = FieldMap.parse(self.map) if self.map else NO_MAP
        except ValueError as error:
            raise usage_error(f"--map: {error}") from error
        return ReaderOptions(
            field_map=field_map,
            links="keep" if self.summaries else "follow",
            kind=self.kind,
            workers=os.cpu_count() or 1,  # folders of fewer than 64 pages are read in this process
        )


class Kind(click.ParamType[str]):
    """Format of a file; the readers are imported only if the option is used."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the format, or fail with the known ones."""
        from ingest.readers import KINDS

        if value and value not in KINDS:
            self.fail(f"{value!r} is not a format: choose one of {', '.join(KINDS)}", param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the names of the formats."""
        from ingest.readers import KINDS

        return [CompletionItem(kind) for kind in KINDS if kind.startswith(incomplete)]


def check_cluster(text: str) -> None:
    """Check the address of a cluster.

    Raises:
        click.UsageError: It isn't one.
    """
    from ingest.clusters import ClusterAddress

    try:
        ClusterAddress.parse(text)
    except SettingsError as error:
        raise usage_error(f"--cluster: {error}") from error


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--map",
        metavar="FIELD=KEY,...",
        help="Names of fields in JSON and tables: title=headline,published=meta.date",
    ),
    click.option(
        "--as",
        "kind",
        type=Kind(),
        default="",
        metavar="FORMAT",
        help="Format of the files, instead of detecting it: html, text, json, jsonl, csv, parquet, "
        "feed, sitemap, list, warc, iptc, iptc7901, mail or pdf.",
    ),
    click.option(
        "--summaries",
        is_flag=True,
        help="Keep the text of feeds as it is, instead of fetching the full articles.",
    ),
    click.option(
        "--allow-host",
        multiple=True,
        metavar="HOST",
        help="Fetch from this host even if its address is private. May be repeated.",
    ),
    click.option(
        "--cookies",
        type=PathName(),
        metavar="FILE",
        help="A cookies.txt; each cookie is sent only to the host it names.",
    ),
    click.option(
        "--headers",
        type=PathName(),
        metavar="FILE",
        help="HTTP headers, one `Name: value` a line, sent to the hosts of the URLs given. "
        "Headers after a line [HOST] are sent to that host only.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, MOST_WORKERS),
        metavar="N",
        help="Split and embed articles in N processes; 1 for none. By default, as many as there "
        "are processors, if there are more than about 300 new articles.",
    ),
    click.option(
        "--cluster",
        default="",
        metavar="ADDRESS",
        help="Split and embed articles on a cluster: dask://HOST:PORT, ray://HOST:PORT, or "
        "dask://local?workers=N for one of this ingest's own.",
    ),
)


def ingest_options(run: Run) -> Run:
    """Add the options; the command takes them as `options`."""

    @functools.wraps(run)
    def with_options(
        *args: Any,
        map: str | None,
        kind: str,
        summaries: bool,
        allow_host: tuple[str, ...],
        cookies: Path | None,
        headers: Path | None,
        workers: int | None,
        cluster: str,
        **kwargs: Any,
    ) -> Any:
        if cluster:
            check_cluster(cluster)
        if workers and cluster:
            raise usage_error("--workers is for this machine: give a cluster's as ?workers=N")
        options = IngestOptions(
            map, kind, summaries, allow_host, cookies, headers, workers or 0, cluster
        )
        return run(*args, options=options, **kwargs)

    decorated: Any = with_options
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
