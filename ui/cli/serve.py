"""`backfile serve`: the page in the browser."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import Number, settings_option


@click.command(
    cls=ManualPage,
    examples=[
        Example("Serve the archive in demo/", "backfile serve --archive demo"),
        Example(
            "Allow users on other machines to log in; see `backfile user add`",
            "backfile serve --host 0.0.0.0 --port 8000",
        ),
    ],
)
@click.option(
    "--host",
    metavar="ADDRESS",
    help="Address to listen on.  [default: $BACKFILE_HOST, or 127.0.0.1]",
)
@click.option(
    "--port",
    type=Number(0, 65535),
    metavar="PORT",
    help="Port to listen on.  [default: $BACKFILE_PORT, or 7860]",
)
@settings_option
def serve(settings: Settings, host: str | None, port: int | None) -> int:
    """Serve a page for asking the archive in the browser, until Ctrl-C.

    With users (see `backfile user`), everybody has to log in. On an address that other machines can
    reach, there must be users.

    Without users, it prints the page's address with a token. Anyone who opens that address on this
    machine can also add and withdraw articles. BACKFILE_WRITE_ACCESS sets who else can, or that
    nobody can. Without the token, the page only answers questions.

    A missing or empty folder becomes an empty archive, unless nobody may add articles to it.
    """
    gc.disable()  # until all is loaded, which is .8 s sooner without collections: none finds much
    try:
        return _serve(settings, host, port)
    finally:
        gc.enable()


def _serve(settings: Settings, host: str | None, port: int | None) -> int:
    from ui.cli.logs import log_to_file
    from ui.web.app import serve as serve_page

    given: dict[str, Any] = {"host": host, "port": port}
    settings = replace(settings, **{n: value for n, value in given.items() if value is not None})
    with log_to_file(settings):
        serve_page(settings)
    return ExitCode.DONE
