"""`backfile mcp`: an MCP server over standard input and output."""

from __future__ import annotations

from dataclasses import replace

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import settings_option


@click.command(
    cls=ManualPage,
    examples=[
        Example("Serve the archive in demo/ to an agent", "backfile mcp --archive demo"),
        Example("Let the agent add and remove articles, too", "backfile mcp --write"),
    ],
)
@click.option(
    "--write",
    is_flag=True,
    help="Offer the tools that add and remove articles as well.",
)
@settings_option
def mcp(settings: Settings, write: bool) -> int:
    """Serve the archive to an agent, by the Model Context Protocol on stdin and stdout.

    An agent starts this command itself: see docs/mcp.md. `backfile serve` offers the same tools at
    /mcp.
    """
    import anyio

    from ui import opening
    from ui.api.services import Services
    from ui.cli.operator import audit_log, operator
    from ui.mcp.server import create_server
    from ui.readers import Scope

    scopes: set[Scope] = {"read", "ingest"} if write else {"read"}
    # Users of the command line operate the archive, and may read all of it.
    reader = replace(operator(), scopes=frozenset(scopes))
    with opening.open_chatbot(settings) as (archive, chatbot):
        services = Services(archive, chatbot, settings, audit_log(settings))
        server = create_server(services, reader=reader)
        anyio.run(server.run_stdio_async)
    return ExitCode.DONE
