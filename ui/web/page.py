"""Build the page, and put it behind the checks of its calls."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from fastapi import FastAPI
from gradio import themes

from rag.settings import Settings
from ui.web.archive_summary import SummaryCache
from ui.web.asset_files import read_asset
from ui.web.events import wire
from ui.web.gradio_calls import CallChecker, GradioEvents, page_functions
from ui.web.gradio_endpoints import add_endpoints
from ui.web.labels import i18n
from ui.web.layout import build_layout
from ui.web.quota import SESSIONS, Quota
from ui.web.reader_view import ReaderView
from ui.web.saved_counts import SavedCounts
from ui.web.updates import PageUpdates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gradio.routes import App

EXTRACTIVE_CONCURRENCY = 2  # questions answered at the same time; each uses every core
CHAT_MODEL_CONCURRENCY = 8  # most of the time is spent waiting for the chat model
UPLOAD_SECONDS = 3600  # unused uploads are deleted after this time
# Early versions stored conversations without a limit; a browser could not send those back.
CLEAR_OVERSIZED_STORAGE = """<script>
for (const key of Object.keys(localStorage)) {
  if (key.startsWith('backfile-') && localStorage[key].length > 1200000) {
    localStorage.removeItem(key);
  }
}
</script>"""
STYLE_SHEETS = (
    "theme.css",
    "frame.css",
    "answer.css",
    "modes.css",
    "sources.css",
    "phone.css",
    "reader.css",
    "archive.css",
    "check.css",
)
MAX_UPLOAD = "1gb"  # the command line has no limit


@dataclass(frozen=True, slots=True)
class Page:
    """Page that a server can show.

    Attributes:
        blocks: Gradio's description of the page.
        calls: ASGI layer that validates its calls.
        host: Application that Gradio's is mounted in.
        gradio: Gradio's application.
    """

    blocks: gr.Blocks
    calls: CallChecker
    host: FastAPI
    gradio: App

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer calls until the context ends."""
        async with self.host.router.lifespan_context(self.host):
            yield

    def end_streams(self) -> None:
        """End the event streams. Must be called in the server's event loop."""
        self.blocks._queue.close()  # type: ignore[no-untyped-call]
        self.blocks.is_running = False
        self.gradio.stop_event.set()


def open_page(view: ReaderView, settings: Settings) -> Page:
    """Return the page of an archive.

    Args:
        view: The archive and the chatbot, as each reader may use them.
        settings: The server's settings.
    """
    blocks = build_page(view, settings)
    host = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        host,
        blocks,
        "/",
        theme=theme(),
        js=read_asset("page.js"),
        head=f"<style>{style_sheet()}</style>{CLEAR_OVERSIZED_STORAGE}"
        f"<script>{read_asset('connection.js')}</script>",
        i18n=i18n,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        run_history=False,
        pwa=False,
        footer_links=[],
        show_error=False,
        max_file_size=MAX_UPLOAD if settings.write_access != "none" else "1kb",
    )
    gradio: App = host.routes[-1].app  # type: ignore[attr-defined]
    events = GradioEvents(blocks, gradio)
    calls = CallChecker(host, page_functions(blocks), events, Quota(events))
    return Page(blocks, calls, host, gradio)


def build_page(view: ReaderView, settings: Settings) -> gr.Blocks:
    """Build the page; conversations are kept in Gradio's sessions only."""
    archive, chatbot = view.whole_archive, view.whole_chatbot
    concurrency = CHAT_MODEL_CONCURRENCY if chatbot.chat_model else EXTRACTIVE_CONCURRENCY
    blocks = gr.Blocks(
        title="Backfile",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(900, UPLOAD_SECONDS),
    )
    with blocks:
        # First, since Gradio renames the second function of a name, private ones included.
        add_endpoints(view, concurrency)
        where = hashlib.sha256(str(archive.path.resolve()).encode()).hexdigest()[:12]
        page = PageUpdates(
            view, build_layout(f"backfile-{where}"), SummaryCache(archive), SavedCounts(archive)
        )
        wire(page, blocks, settings, concurrency)
    # No limit here: the quota limits each client, a queue limit would apply to all of them.
    blocks.queue(max_size=None, default_concurrency_limit=concurrency, api_open=False)
    blocks.state_session_capacity = SESSIONS
    # Gradio recomputes statistics of its last 10,000 events after each event.
    blocks._queue.ANALYTICS_MAX_EVENTS = 0
    return blocks


def theme() -> themes.Base:
    """Return the theme, with system fonts so that browsers download none."""
    return themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[themes.Font("system-ui"), themes.Font("sans-serif")],
        font_mono=[themes.Font("ui-monospace"), themes.Font("monospace")],
    )


def style_sheet() -> str:
    """Return the style sheets of the page as one; later ones win.

    They are put into the page itself: Gradio's parameter `css` adds its prefix after each comma,
    also within `:is(...)`, which changes what wins, and shows the page without them at first.
    """
    return "\n".join(map(read_asset, STYLE_SHEETS))
