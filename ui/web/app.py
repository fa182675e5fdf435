"""Build the page and start its server."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import threading
from typing import TYPE_CHECKING

import gradio as gr  # 2.5 s: only `backfile serve` imports the page
from fastapi import FastAPI
from gradio import themes

from rag.settings import Settings
from ui import opening
from ui.web.archive_summary import SummaryCache
from ui.web.auth import WriteAccess
from ui.web.events import wire
from ui.web.feed_route import FeedRoute
from ui.web.feed_schedule import FeedSchedule
from ui.web.gradio_calls import CallChecker, GradioEvents, page_functions
from ui.web.gradio_endpoints import add_endpoints
from ui.web.labels import i18n
from ui.web.layout import build_layout
from ui.web.places import read_asset
from ui.web.quota import SESSIONS, Quota
from ui.web.request_guard import WILDCARDS, AllowedHosts, Guard
from ui.web.saved_counts import SavedCounts
from ui.web.server import Server, listen
from ui.web.updates import PageUpdates

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive

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
)
MAX_UPLOAD = "1gb"  # the command line has no limit
M_ARENA_MAX = -8  # parameter of mallopt(3) in glibc
MALLOC_ARENAS = 2


def serve(settings: Settings) -> None:
    """Serve the page until Ctrl-C.

    Args:
        settings: The archive, the models, and the address to listen on.

    Raises:
        SettingsError: The token, a host or a proxy in the settings is invalid.
        BackfileError: The archive cannot be opened, or the port is in use.
    """
    limit_malloc_arenas()
    create = settings.write_access != "none" and opening.is_unused(settings.archive)
    with opening.open_chatbot(settings, create=create) as (archive, chatbot):
        # A batch this large loads torch now; otherwise the first question would wait for it.
        archive.embed([f"warm {number} " * 100 for number in range(50)])
        archive.complete_names()  # else the first visitor who browses would hold the write lock
        archive.names(
            limit=1
        )  # reads them: 1.1 s for 110,000 passages, which the first page waits for
        served = start(archive, chatbot, settings)
        print(f"Backfile is running at {served.invitation} (press Ctrl-C to stop)", flush=True)
        if create:
            print(
                f"The archive at {settings.archive} is new: add articles on the page.", flush=True
            )
        with FeedSchedule(archive, settings):
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                served.close()  # Ctrl-C is the normal end


def limit_malloc_arenas() -> None:
    """Limit glibc's malloc to two arenas; do nothing with other C libraries.

    Memory freed in one arena is not reused by threads of another. With 32 clients, memory grew by
    13 % from the first minute to the second with one arena per thread, and by 4 % with two
    (`python -m tests.benchmarks.load`). Must be called before the first thread starts.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MALLOC_ARENAS)


class Served:
    """Running server of a page.

    Args:
        archive: The archive, whose saved searches have feeds.
        blocks: The page.
        settings: Host, port, allowed hosts and proxies.
        write_access: Authorization of changes to the archive.

    Raises:
        BackfileError: The port is in use.
    """

    def __init__(
        self, blocks: gr.Blocks, settings: Settings, write_access: WriteAccess, archive: Archive
    ) -> None:
        self.blocks = blocks
        self.write_access = write_access
        app = GuardedApp(blocks, settings, write_access, archive)
        listening = listen(settings.host, settings.port)
        host = settings.host.strip("[]")
        shown_host = "localhost" if host in WILDCARDS else f"[{host}]" if ":" in host else host
        self.address = f"http://{shown_host}:{listening.getsockname()[1]}/"
        self.server = Server(app, listening, app.close_streams)
        self.server.start()

    @property
    def invitation(self) -> str:
        """The page's URL, with the token that allows changes to the archive."""
        token = self.write_access.token
        return f"{self.address}?token={token}" if token else self.address

    def close(self) -> None:
        """Stop the server."""
        self.server.close()


def start(archive: Archive, chatbot: Chatbot, settings: Settings) -> Served:
    """Start serving the page of an archive; return at once.

    Args:
        archive: The archive to answer from.
        chatbot: Answers the questions.
        settings: Address to listen on (this machine only by default), token, hosts and proxies.

    Returns:
        The running server. Close it with `close`.

    Raises:
        SettingsError: The token, a host or a proxy in the settings is invalid.
        BackfileError: The port is in use.
    """
    page = build_page(archive, chatbot, settings)
    return Served(page, settings, WriteAccess.of(settings), archive)


def build_page(archive: Archive, chatbot: Chatbot, settings: Settings) -> gr.Blocks:
    """Build the page; conversations are kept in Gradio's sessions only."""
    concurrency = CHAT_MODEL_CONCURRENCY if chatbot.chat_model else EXTRACTIVE_CONCURRENCY
    blocks = gr.Blocks(
        title="Backfile",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(900, UPLOAD_SECONDS),
    )
    with blocks:
        # First, since Gradio renames the second function of a name, private ones included.
        add_endpoints(archive, chatbot, concurrency)
        where = hashlib.sha256(str(archive.path.resolve()).encode()).hexdigest()[:12]
        page = PageUpdates(
            archive,
            chatbot,
            build_layout(f"backfile-{where}"),
            SummaryCache(archive),
            SavedCounts(archive),
        )
        wire(page, blocks, settings, concurrency)
    # No limit here: the quota limits each client, a queue limit would apply to all of them.
    blocks.queue(max_size=None, default_concurrency_limit=concurrency, api_open=False)
    blocks.state_session_capacity = SESSIONS
    # Gradio recomputes statistics of its last 10,000 events after each event.
    blocks._queue.ANALYTICS_MAX_EVENTS = 0
    return blocks


class GuardedApp(Guard):
    """Gradio application behind the request guard."""

    def __init__(
        self, blocks: gr.Blocks, settings: Settings, write_access: WriteAccess, archive: Archive
    ) -> None:
        outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        gr.mount_gradio_app(
            outer,
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
        self._blocks = blocks
        self._gradio = outer.routes[-1].app  # type: ignore[attr-defined]
        events = GradioEvents(blocks, self._gradio)
        calls = CallChecker(outer, page_functions(blocks), events, Quota(events))
        feeds = FeedRoute(calls, archive, settings.base_url)
        super().__init__(outer, feeds, AllowedHosts.of(settings), write_access)

    def close_streams(self) -> None:
        """Close all event streams. Must be called in the server's event loop."""
        self._blocks._queue.close()  # type: ignore[no-untyped-call]
        self._blocks.is_running = False
        self._gradio.stop_event.set()


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
