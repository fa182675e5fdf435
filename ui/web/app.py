"""Start the server: of programs at once, and of the page as soon as it is built."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from rag.errors import BackfileError, SettingsError
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
from ui.web.auth import WriteAccess
from ui.web.authentication import Authentication, is_loopback
from ui.web.feed_route import FeedRoute
from ui.web.feed_schedule import FeedSchedule
from ui.web.gradio_stubs import skip_stub_files
from ui.web.guard.guard import Guard
from ui.web.guard.hosts import WILDCARDS, AllowedHosts
from ui.web.login import LoginRoutes
from ui.web.page_host import PageHost
from ui.web.program_routes import ProgramRoutes
from ui.web.reader_view import ReaderView
from ui.web.server import Server, listen
from ui.web.stop_signal import StopSignal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import gradio as gr

    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive
    from ui.accounts.accounts import Accounts

NAMES_ARE_MISSING = (
    "Requests from other machines are refused until BACKFILE_HOSTS has the names and addresses "
    "under which they reach this one: BACKFILE_HOSTS=archive.example."
)
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
    stop = StopSignal()
    create = settings.write_access != "none" and opening.is_unused(settings.archive)
    with opening.open_chatbot(settings, create=create) as (archive, chatbot):
        archive.indexes.scan_vectors()  # opening the index takes longer: `warm` does
        archive.complete_names()  # else the first visitor who browses would hold the write lock
        served = start_programs(archive, chatbot, settings)
        try:
            warm_search(archive)
            served.open_page()
            stop.check()
        except BaseException:
            served.close()
            raise
        print(f"Backfile is running at {served.invitation} (press Ctrl-C to stop)", flush=True)
        if names_are_missing(settings):
            print(NAMES_ARE_MISSING, flush=True)
        if create:
            print(
                f"The archive at {settings.archive} is new: add articles on the page.", flush=True
            )
        with FeedSchedule(archive, settings):
            try:
                warm(archive)
                gc.enable()
                gc.collect()
                gc.freeze()  # what lasts for good: docs/benchmarks.md#garbage-collection
                stop.wait()
            except KeyboardInterrupt:
                pass  # Ctrl-C is the normal end
            finally:
                served.close()


def warm_search(archive: Archive) -> None:
    """Read what a search needs, so that the first one doesn't wait for it.

    Raises:
        ModelError: The embedding model can't be loaded.
    """
    archive.embed(["news"])
    with contextlib.suppress(BackfileError):  # the reader who searches is told
        archive.search("articles about news", k=1)


def warm(archive: Archive) -> None:
    """Read what searches do without until then, and what rarer requests need.

    Raises:
        ModelError: The embedding model can't be loaded.
    """
    with contextlib.suppress(BackfileError):
        archive.indexes.stop_scanning()
    archive.names(limit=1)  # 1.1 s for 110,000 passages
    # A batch this large loads torch now; otherwise the first long answer would wait for it.
    archive.embed([f"warm {number} " * 100 for number in range(50)])


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
    """Running server, which answers programs at once, and shows the page once it is open.

    Args:
        settings: Host, port, allowed hosts and proxies.
        authentication: Who sends a request, and who may change the archive.
        view: The archive and the chatbot, as each reader may use them.

    Raises:
        BackfileError: The port is in use.
    """

    blocks: gr.Blocks  # the page, once it is open

    def __init__(
        self, settings: Settings, authentication: Authentication, view: ReaderView
    ) -> None:
        self.write_access = authentication.write_access
        self.archive = view.whole_archive
        self._settings, self._authentication, self._view = settings, authentication, view
        self._app = app = GuardedApp(settings, authentication, view)
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

    def open_page(self) -> None:
        """Build the page and show it."""
        skip_stub_files()
        from ui.web.page import open_page  # 2 s with Gradio

        page = open_page(self._view, self._settings)
        self.blocks = page.blocks
        self._app.page.open(page)

    def close(self) -> None:
        """Stop the server."""
        self.server.close()
        self._app.finish_jobs()


def start(archive: Archive, chatbot: Chatbot, settings: Settings) -> Served:
    """Start serving an archive; return once its page is shown.

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
    served = start_programs(archive, chatbot, settings)
    try:
        served.open_page()
    except BaseException:
        served.close()
        raise
    return served


def start_programs(archive: Archive, chatbot: Chatbot, settings: Settings) -> Served:
    """Start answering `/v1` and `/mcp`; a browser waits until `open_page`. See `start`."""
    accounts = open_accounts(settings)
    check_reachable(settings, accounts)
    authentication = Authentication.of(settings, accounts, WriteAccess.of(settings))
    if authentication.needs_login:
        passwords.prepare()
    view = ReaderView(archive, chatbot, lambda: authentication.needs_login, AuditLog.of(settings))
    return Served(settings, authentication, view)


class GuardedApp(Guard):
    """The applications of programs and the place of the page, behind the request guard."""

    def __init__(
        self, settings: Settings, authentication: Authentication, view: ReaderView
    ) -> None:
        audit = view.audit or AuditLog.of(settings)
        services = Services(view.whole_archive, view.whole_chatbot, settings, audit)
        self.page = PageHost()
        self._api = create_api(services, is_ready=lambda: self.page.is_open)
        self._mcp = McpApp(create_server(services, work=self._api.state.work))
        feeds = FeedRoute(
            self.page, view.whole_archive, settings.base_url, authentication.feed_access
        )
        routes = ProgramRoutes(feeds, self._api, self._mcp)
        self._throttle = LoginThrottle(Rates.open(settings))
        login = LoginRoutes(authentication, audit, OidcProvider.of(settings), self._throttle)
        lifespan = Starlette(lifespan=self._running)
        super().__init__(lifespan, routes, AllowedHosts.of(settings), login, settings.base_url)

    def close_streams(self) -> None:
        """Close all event streams. Must be called in the server's event loop."""
        begin_closing(self._api)
        self.page.end_streams()

    def finish_jobs(self) -> None:
        """Wait for the ingest in progress to stop, after the server has stopped."""
        close_api(self._api)
        self._throttle.close()

    @asynccontextmanager
    async def _running(self, _: Starlette) -> AsyncIterator[None]:
        # a mounted application's lifespan would not run
        async with self._mcp.running(), self.page.running():
            yield
