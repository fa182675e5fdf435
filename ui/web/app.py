"""Build the page and serve it on this machine."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import threading
from importlib.resources import files
from typing import TYPE_CHECKING

import gradio as gr  # 2.5 s: only `backfile serve` imports the page
from fastapi import FastAPI
from gradio import themes

from rag.settings import Settings
from ui import opening
from ui.web.archive_summary import SummaryCache
from ui.web.auth import WriteAccess
from ui.web.events import wire
from ui.web.gradio_calls import CallChecker, GradioEvents, page_functions
from ui.web.gradio_endpoints import add_endpoints
from ui.web.labels import i18n
from ui.web.layout import build_layout
from ui.web.quota import SESSIONS, Quota
from ui.web.request_guard import WILDCARDS, AllowedHosts, Guard
from ui.web.server import Server, listen
from ui.web.updates import PageUpdates

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive

EXTRACTIVE_CONCURRENCY = 2  # questions answered at a time: each keeps every core busy
CHAT_MODEL_CONCURRENCY = 8  # with a chat model, most of the time is spent waiting for it
UPLOAD_SECONDS = 3600  # seconds for which a file that was dropped and not put in lies on the server
# A browser may hold more conversations than it may send, from before there was a bound to either.
CLEAR_OVERSIZED_STORAGE = """<script>
for (const key of Object.keys(localStorage)) {
  if (key.startsWith('backfile-') && localStorage[key].length > 1200000) {
    localStorage.removeItem(key);
  }
}
</script>"""
MAX_UPLOAD = "1gb"  # that is dropped on the page; the command line takes any
M_ARENA_MAX = -8  # of glibc's mallopt(3)
MALLOC_ARENAS = 2


def serve(settings: Settings) -> None:
    """Open the page on the archive of `settings` and keep it open until interrupted."""
    limit_malloc_arenas()
    with opening.open_chatbot(settings) as (archive, chatbot):
        # So many tokens load torch now: no question waits for it, and each is embedded faster.
        archive.embed(["warm " * 200] * 50)
        served = start(archive, chatbot, settings)
        print(f"Backfile is at {served.invitation} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            served.close()  # Ctrl-C is how it is meant to end


def limit_malloc_arenas() -> None:
    """Limit glibc to two heaps for all threads; elsewhere, do nothing.

    With a heap for each thread, what one has freed is no use to the others: with 32 clients memory
    grew by 13 % from the first minute to the second, and by 4 % with two heaps
    (`python -m tests.benchmarks.load`). Call it before there are threads.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MALLOC_ARENAS)


class Served:
    """A page that is being served."""

    def __init__(self, blocks: gr.Blocks, settings: Settings, write_access: WriteAccess) -> None:
        self.blocks = blocks
        self.write_access = write_access
        app = GuardedApp(blocks, settings, write_access)
        listening = listen(settings.host, settings.port)
        host = settings.host.strip("[]")
        shown_host = "localhost" if host in WILDCARDS else f"[{host}]" if ":" in host else host
        self.address = f"http://{shown_host}:{listening.getsockname()[1]}/"
        self.server = Server(app, listening, app.close_streams)
        self.server.start()

    @property
    def invitation(self) -> str:
        """The address, with the token for those who may change the archive."""
        token = self.write_access.token
        return f"{self.address}?token={token}" if token else self.address

    def close(self) -> None:
        """Stop serving."""
        self.server.close()


def start(archive: Archive, chatbot: Chatbot, settings: Settings) -> Served:
    """Serve the page of an archive, on this machine alone unless the settings say otherwise.

    Raises:
        SettingsError: A token, a host or a proxy of the settings is none.
        BackfileError: The port is taken.
    """
    return Served(build_page(archive, chatbot, settings), settings, WriteAccess.of(settings))


def build_page(archive: Archive, chatbot: Chatbot, settings: Settings) -> gr.Blocks:
    """Return the page; nothing of a conversation is kept outside its own session."""
    concurrency = CHAT_MODEL_CONCURRENCY if chatbot.chat_model else EXTRACTIVE_CONCURRENCY
    blocks = gr.Blocks(
        title="Backfile",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(900, UPLOAD_SECONDS),
    )
    with blocks:
        where = hashlib.sha256(str(archive.path.resolve()).encode()).hexdigest()[:12]
        page = PageUpdates(
            archive, chatbot, build_layout(f"backfile-{where}"), SummaryCache(archive)
        )
        wire(page, blocks, settings, concurrency)
        add_endpoints(archive, chatbot, concurrency)
    # Who may wait is the quota's affair: one queue's length would be everybody's.
    blocks.queue(max_size=None, default_concurrency_limit=concurrency, api_open=False)
    blocks.state_session_capacity = SESSIONS
    # Gradio would count its last 10,000 events anew after each one.
    blocks._queue.ANALYTICS_MAX_EVENTS = 0
    return blocks


class GuardedApp(Guard):
    """The page's application behind its guard; `end` ends what is open."""

    def __init__(self, blocks: gr.Blocks, settings: Settings, write_access: WriteAccess) -> None:
        outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        gr.mount_gradio_app(
            outer,
            blocks,
            "/",
            theme=theme(),
            css=read_asset("page.css"),
            js=read_asset("page.js"),
            head=CLEAR_OVERSIZED_STORAGE,
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
        self._blocks = blocks
        self._gradio = outer.routes[-1].app  # type: ignore[attr-defined]
        events = GradioEvents(blocks, self._gradio)
        calls = CallChecker(outer, page_functions(blocks), events, Quota(events))
        super().__init__(outer, calls, AllowedHosts.of(settings), write_access)

    def close_streams(self) -> None:
        """End the streams that stay open; called in the server's event loop."""
        self._blocks._queue.close()  # type: ignore[no-untyped-call]
        self._blocks.is_running = False
        self._gradio.stop_event.set()


def theme() -> themes.Base:
    """Return the page's theme; its fonts are those of the machine, so that none is fetched."""
    return themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[themes.Font("system-ui"), themes.Font("sans-serif")],
        font_mono=[themes.Font("ui-monospace"), themes.Font("monospace")],
    )


def read_asset(name: str) -> str:
    """Return one of the page's files that a browser reads: its style sheet, its script."""
    return (files("ui.web") / name).read_text(encoding="utf-8")
