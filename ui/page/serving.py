"""The page is put together, and served on this machine."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gradio as gr  # 2.5 s: only `backfile serve` imports the page
from starlette.middleware import Middleware

from rag.errors import BackfileError
from rag.settings import Settings
from ui import opening
from ui.page.endpoints import add_endpoints
from ui.page.labels import say
from ui.page.layout import lay_out
from ui.page.overview import Overview
from ui.page.permission import OnlyFeedersUpload
from ui.page.showing import Page
from ui.page.style import part, theme
from ui.page.wiring import wire

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.chatbot import Chatbot

QUOTING_AT_ONCE = 2  # questions answered at a time: each keeps every core busy
WRITING_AT_ONCE = 8  # with a chat model, most of the time is spent waiting for it
DROPPED = 3600  # seconds for which a file that was dropped and not put in lies on the server
LARGEST_FILE = "1gb"  # that is dropped on the page; the command line takes any
WAITING = 64  # questions that may wait; who comes later is told that it is full


def serve(settings: Settings) -> None:
    """Open the page on the archive of `settings` and keep it open until interrupted."""
    with opening.open_chatbot(settings) as (archive, chatbot):
        # So many tokens load torch now: no question waits for it, and each is embedded faster.
        archive.embed(["warm " * 200] * 50)
        page = build_page(archive, chatbot, settings)
        _, address, _ = launch(page, settings)
        print(f"Backfile is at {address} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            page.close(verbose=False)  # Ctrl-C is how it is meant to end


def build_page(archive: Archive, chatbot: Chatbot, settings: Settings) -> gr.Blocks:
    """Return the page; nothing of a conversation is kept outside its own session."""
    at_once = WRITING_AT_ONCE if chatbot.chat_model else QUOTING_AT_ONCE
    blocks = gr.Blocks(
        title="Backfile", analytics_enabled=False, fill_width=True, delete_cache=(900, DROPPED)
    )
    with blocks:
        where = hashlib.sha256(str(archive.path.resolve()).encode()).hexdigest()[:12]
        page = Page(archive, chatbot, lay_out(f"backfile-{where}"), Overview(archive))
        wire(page, blocks, settings, at_once)
        add_endpoints(archive, chatbot, at_once)
    blocks.queue(max_size=WAITING, default_concurrency_limit=at_once)
    return blocks


def launch(page: gr.Blocks, settings: Settings) -> tuple[Any, str, str]:
    """Start serving `page`, on this machine alone unless the settings say otherwise."""
    try:
        with past_any_proxy():
            return page.launch(
                server_name=settings.host,
                server_port=settings.port or None,
                theme=theme(),
                css=part("page.css"),
                js=part("page.js"),
                i18n=say,
                share=False,
                ssr_mode=False,
                mcp_server=False,
                enable_monitoring=False,
                footer_links=[],
                # Gradio's upload route is there in any case: who may not feed is kept from it.
                max_file_size=LARGEST_FILE if settings.feeding != "nobody" else "1kb",
                app_kwargs={
                    "middleware": [Middleware(OnlyFeedersUpload, feeding=settings.feeding)]
                },
                show_error=False,
                prevent_thread_lock=True,
                quiet=True,
                # Gradio 6.31 reads this in one place: else it asks for its own page once it
                # listens, and ends with an error about sharing where that takes 3 s, as it does
                # on a busy machine.
                _frontend=False,
            )
    except OSError as error:
        raise BackfileError(
            f"cannot listen on {settings.host}:{settings.port}: choose another with --port"
        ) from error


@contextmanager
def past_any_proxy() -> Iterator[None]:
    """Ask this machine itself: Gradio starts by a request to its own server, which no proxy knows.

    It takes no other word for it than the environment's.
    """
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before
