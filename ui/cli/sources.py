"""`backfile sources`: hosts whose fetched content may change articles of other hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from rag.errors import SettingsError
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualGroup
from ui.cli.options import archive_options

if TYPE_CHECKING:
    from ingest.trusted_sources import TrustedSource


@click.group(
    cls=ManualGroup,
    invoke_without_command=True,
    examples=[
        Example("List the trusted sources", "backfile sources"),
        Example(
            "Trust a publisher whose feed is on another host, and obey its kill notices",
            'backfile sources add "Harbour Courier" --host harbour-courier.example '
            "--host feeds.example/courier --may-kill",
        ),
        Example("Remove it", 'backfile sources remove "Harbour Courier"'),
    ],
)
@archive_options
@click.pass_context
def sources(context: click.Context, settings: Settings, as_json: bool) -> int:
    """List, add or remove trusted sources.

    Fetched content may add and change articles of its own site only. A trusted source is a
    publisher with several hosts, such as its site and the host of its feeds, that may change each
    other's articles. With `--may-kill`, its kill notices (a publisher's orders to take an article
    down) also withdraw its articles.

    The list is the file sources.toml in the archive's folder. A backup doesn't include it.
    """
    if context.invoked_subcommand is None:
        return _list(settings, as_json=as_json)
    return ExitCode.DONE


@sources.command(name="list", examples=[Example("List as JSON", "backfile sources list --json")])
@archive_options
def list_sources(settings: Settings, as_json: bool) -> int:
    """List the trusted sources."""
    return _list(settings, as_json=as_json)


@sources.command(
    examples=[
        Example(
            "Add a source with two hosts",
            'backfile sources add "Harbour Courier" --host harbour-courier.example '
            "--host feeds.example/courier",
        )
    ]
)
@click.argument("publisher", help="Name of the source.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="A host, with its subdomains; may have a path. May be repeated.",
)
@click.option("--may-kill", is_flag=True, help="Let its kill notices withdraw its own articles.")
@archive_options
def add(
    publisher: str, hosts: tuple[str, ...], may_kill: bool, settings: Settings, as_json: bool
) -> int:
    """Trust a source, or add hosts to a trusted one."""
    from ingest.trusted_sources import parse_source, read_trusted_sources, write_trusted_sources

    trust = read_trusted_sources(settings.archive)
    known = trust.by_publisher(publisher)
    every = [*(known.hosts if known else ()), *hosts]
    try:
        source = parse_source(publisher, every, may_kill=may_kill or bool(known and known.may_kill))
    except ValueError as error:
        raise SettingsError(str(error)) from error
    write_trusted_sources(settings.archive, trust.with_source(source))
    _print([source], "trusted: ", as_json=as_json)
    return ExitCode.DONE


@sources.command(examples=[Example("Remove a source", 'backfile sources remove "Harbour Courier"')])
@click.argument("publisher", help="Name of the source.")
@archive_options
def remove(publisher: str, settings: Settings, as_json: bool) -> int:
    """Remove a trusted source."""
    from ingest.trusted_sources import read_trusted_sources, write_trusted_sources

    trust = read_trusted_sources(settings.archive)
    known = trust.by_publisher(publisher)
    if known is None:
        raise SettingsError(f"No trusted source {publisher!r}: `backfile sources` lists them.")
    write_trusted_sources(settings.archive, trust.without(known.publisher))
    _print([known], "removed: ", as_json=as_json)
    return ExitCode.DONE


def _list(settings: Settings, *, as_json: bool) -> ExitCode:
    from ingest.trusted_sources import read_trusted_sources

    _print(read_trusted_sources(settings.archive).sources, as_json=as_json)
    return ExitCode.DONE


def _print(sources: Sequence[TrustedSource], done: str = "", *, as_json: bool) -> None:
    from ui import render

    if as_json:
        print(render.json_text([_value(source) for source in sources]))
        return
    for source in sources:
        kills = ", may kill" if source.may_kill else ""
        line = f"{done}{source.publisher}: {', '.join(source.hosts)}{kills}"
        print(render.terminal_text(line))
    if not sources:
        print("No trusted sources: fetched content may only change articles of its own site.")


def _value(source: TrustedSource) -> dict[str, Any]:
    return {**asdict(source), "hosts": list(source.hosts)}
