"""Build the page and start its server."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hashlib
import signal
import threading
from typing import TYPE_CHECKING

import gradio as gr  # 2.5 s: only `backfile serve` imports the page
from fastapi import FastAPI
from gradio import themes

from rag.errors import SettingsError
from rag.settings import Settings
from ui import opening
from ui.accounts import passwords
from ui.accounts.audit import AuditLog
from ui.accounts.oidc import OidcProvider
from ui.accounts.opening import open_accounts
from ui.accounts.rates import Rates
from ui.accounts.throttle import LoginThrottle
from ui.api.app import begin_closing, close_api, create_api
from ui.api.services import Services
from ui.mcp.server import McpApp, create_server
from ui.web.archive_summary import SummaryCache
from ui.web.auth import WriteAccess
from ui.web.authentication import Authentication, is_loopback
from ui.web.events import wire
from ui.web.feed_route import FeedRoute
from ui.web.feed_schedule import FeedSchedule
from ui.web.gradio_calls import CallChecker, GradioEvents, page_functions
from ui.web.gradio_endpoints import add_endpoints
from ui.web.guard.guard import Guard
from ui.web.guard.hosts import WILDCARDS, AllowedHosts
from ui.web.labels import i18n
from ui.web.layout import build_layout
from ui.web.login import LoginRoutes
from ui.web.places import read_asset
from ui.web.program_routes import ProgramRoutes
from ui.web.quota import SESSIONS, Quota
from ui.web.reader_view import ReaderView
from ui.web.saved_counts import SavedCounts
from ui.web.server import Server, listen
from ui.web.updates import PageUpdates

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive
    from ui.accounts.accounts import Accounts

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
NAMES_ARE_MISSING = (
    "Requests from other machines are refused until BACKFILE_HOSTS has the names and addresses "
    "under which they reach this one: BACKFILE_HOSTS=archive.example."
)
MAX_UPLOAD = "1gb"  # the command line has no limit
M_ARENA_MAX = -8  # parameter of mallopt(3) in glibc
MALLOC_ARENAS = 2


def serve(settings: Settings) -> None:
    """Serve the page and the API until Ctrl-C or SIGTERM.

    Args:
        settings: The archive, the models, and the address to listen on.

    Raises:
        SettingsError: The token, a host or a proxy in the settings is invalid.
        BackfileError: The archive cannot be opened, or the port is in use.
    """
    limit_malloc_arenas()
    check_reachable(settings, open_accounts(settings))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: streams and jobs end
    create = settings.write_access != "none" and opening.is_unused(settings.archive)
    with opening.open_chatbot(settings, create=create) as (archive, chatbot):
        # A batch this large loads torch now; otherwise the first question would wait for it.
        archive.embed([f"warm {number} " * 100 for number in range(50)])
        archive.complete_names()  # else the first visitor who browses would hold the write lock
        archive.names(
            limit=1
        )  # reads them: 1.1 s for 110,000 passages, which the first page waits for
        served = start(archive, chatbot, settings)
        gc.collect()
        gc.freeze()  # what lasts as long as the server: docs/benchmarks.md#garbage-collection
        print(f"Backfile is running at {served.invitation} (press Ctrl-C to stop)", flush=True)
        if names_are_missing(settings):
            print(NAMES_ARE_MISSING, flush=True)
        if create:
            print(
                f"The archive at {settings.archive} is new: add articles on the page.", flush=True
            )
        with FeedSchedule(archive, settings):
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                served.close()  # Ctrl-C is the normal end


def names_are_missing(settings: Settings) -> bool:
    """Return whether other machines can connect, but no name is set that they may ask for."""
    return settings.host.strip("[]") in WILDCARDS and not settings.hosts.strip()


def check_reachable(settings: Settings, accounts: Accounts) -> None:
    """Check that other machines can't reach an archive without users.

    Raises:
        SettingsError: They could.
    """
    if is_loopback(settings.host) or accounts.has_users or settings.oidc_issuer:
        return
    raise SettingsError(
        f"Cannot serve at {settings.host}: other machines could reach an archive that has no "
        "users. Add one with `backfile user add NAME`, or leave out --host and BACKFILE_HOST to "
        "serve this machine only."
    )


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
        view: The archive and the chatbot, as each reader may use them.
        blocks: The page.
        settings: Host, port, allowed hosts and proxies.
        authentication: Who sends a request, and who may change the archive.

    Raises:
        BackfileError: The port is in use.
    """

    def __init__(
        self,
        blocks: gr.Blocks,
        settings: Settings,
        authentication: Authentication,
        view: ReaderView,
    ) -> None:
        self.blocks = blocks
        self.write_access = authentication.write_access
        self.archive = view.whole_archive
        self._authentication = authentication
        self._app = app = GuardedApp(blocks, settings, authentication, view)
        listening = listen(settings.host, settings.port)
        host = settings.host.strip("[]")
        shown_host = "localhost" if host in WILDCARDS else f"[{host}]" if ":" in host else host
        self.address = f"http://{shown_host}:{listening.getsockname()[1]}/"
        self.server = Server(app, listening, app.close_streams)
        self.server.start()

    @property
    def invitation(self) -> str:
        """The page's URL, with the token that allows changes to an archive without users."""
        token = "" if self._authentication.needs_login else self.write_access.token
        return f"{self.address}?token={token}" if token else self.address

    def close(self) -> None:
        """Stop the server."""
        self.server.close()
        self._app.finish_jobs()


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
    accounts = open_accounts(settings)
    check_reachable(settings, accounts)
    authentication = Authentication.of(settings, accounts, WriteAccess.of(settings))
    if authentication.needs_login:
        passwords.prepare()
    view = ReaderView(archive, chatbot, lambda: authentication.needs_login, AuditLog.of(settings))
    return Served(build_page(view, settings), settings, authentication, view)


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


class GuardedApp(Guard):
    """Gradio application behind the request guard."""

    def __init__(
        self,
        blocks: gr.Blocks,
        settings: Settings,
        authentication: Authentication,
        view: ReaderView,
    ) -> None:
        audit = view.audit or AuditLog.of(settings)
        services = Services(view.whole_archive, view.whole_chatbot, settings, audit)
        self._api = create_api(services)
        mcp = McpApp(create_server(services, work=self._api.state.work))
        # a mounted application's lifespan would not run
        outer = FastAPI(
            docs_url=None, redoc_url=None, openapi_url=None, lifespan=lambda _: mcp.running()
        )
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
        feeds = FeedRoute(calls, view.whole_archive, settings.base_url, authentication.feed_access)
        routes = ProgramRoutes(feeds, self._api, mcp)
        self._throttle = LoginThrottle(Rates.open(settings))
        login = LoginRoutes(authentication, audit, OidcProvider.of(settings), self._throttle)
        super().__init__(outer, routes, AllowedHosts.of(settings), login, settings.base_url)

    def close_streams(self) -> None:
        """Close all event streams. Must be called in the server's event loop."""
        begin_closing(self._api)
        self._blocks._queue.close()  # type: ignore[no-untyped-call]
        self._blocks.is_running = False
        self._gradio.stop_event.set()

    def finish_jobs(self) -> None:
        """Wait for the ingest in progress to stop, after the server has stopped."""
        close_api(self._api)
        self._throttle.close()


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
