"""`backfile sources`: whose fetched content may change whose articles."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rag.errors import SettingsError
from rag.settings import Settings

if TYPE_CHECKING:
    from ingest.trusted_sources import TrustedSource

DONE = 0
EPILOG = """\
Fetched content may add and change articles of its own site. A trusted source names the hosts
that speak for one another, such as a publisher's site and the host of its feeds; a host may have
a path (feeds.example/courier), and stands for its subdomains. The list is sources.toml in the
archive's folder; a backup doesn't hold it.
"""


def add_sources_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `backfile sources` takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "add", "remove"),
        default="list",
        help="list the trusted sources, add one or hosts to it, or remove one (%(default)s)",
    )
    parser.add_argument("publisher", nargs="?", metavar="PUBLISHER", help="the source's name")
    parser.add_argument(
        "--host",
        dest="hosts",  # `host` is where the page is served
        action="append",
        default=[],
        metavar="HOST",
        help="one of its hosts; may be repeated",
    )
    parser.add_argument(
        "--may-kill", action="store_true", help="obey its kill notices for its own articles"
    )


def sources(arguments: argparse.Namespace, settings: Settings) -> int:
    """List, add or remove the sources that the archive trusts."""
    from ingest.trusted_sources import read_trusted_sources, write_trusted_sources

    trust = read_trusted_sources(settings.archive)
    if arguments.action == "list":
        if arguments.publisher or arguments.hosts or arguments.may_kill:
            arguments.parser.error("to trust a source: sources add PUBLISHER --host HOST")
        _print(arguments, [*trust.sources])
        return DONE
    if not arguments.publisher:
        arguments.parser.error(f"say which publisher to {arguments.action}")
    known = trust.by_publisher(arguments.publisher)
    if arguments.action == "remove":
        if arguments.hosts or arguments.may_kill:
            arguments.parser.error("remove takes a publisher alone; add it again with other hosts")
        if known is None:
            raise SettingsError(
                f"no trusted source {arguments.publisher!r}: `backfile sources` lists them"
            )
        write_trusted_sources(settings.archive, trust.without(known.publisher))
        _print(arguments, [known], "removed: ")
        return DONE
    source = _added(arguments, known)
    write_trusted_sources(settings.archive, trust.with_source(source))
    _print(arguments, [source], "trusted: ")
    return DONE


def _added(arguments: argparse.Namespace, known: TrustedSource | None) -> TrustedSource:
    from ingest.trusted_sources import parse_source

    hosts = [*(known.hosts if known else ()), *arguments.hosts]
    may_kill = arguments.may_kill or (known.may_kill if known else False)
    try:
        return parse_source(arguments.publisher, hosts, may_kill=may_kill)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _print(arguments: argparse.Namespace, listed: list[TrustedSource], done: str = "") -> None:
    from ui import render

    if arguments.json:
        print(render.json_text([_value(source) for source in listed]))
        return
    for source in listed:
        kills = ", may kill" if source.may_kill else ""
        said = f"{done}{source.publisher}: {', '.join(source.hosts)}{kills}"
        print(render.terminal_text(said))
    if not listed:
        print("No source is trusted: fetched content may change articles of its own site alone.")


def _value(source: TrustedSource) -> dict[str, Any]:
    return {**asdict(source), "hosts": list(source.hosts)}
