"""Server of the page: uvicorn in its own thread."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

from rag.errors import BackfileError

if TYPE_CHECKING:
    from collections.abc import Callable

START_SECONDS = 120.0
CLOSE_SECONDS = 10
# Longer than a proxy or a client keeps an idle connection (nginx 60 s), so that they close it: one
# that the server closes at that moment loses the request that is on its way.
KEEP_ALIVE_SECONDS = 75
LONGEST_HEADERS = 64 * 1024  # bytes; includes cookies of other local programs


class Server(uvicorn.Server):
    """Serves one application until it is closed.

    Replaces Gradio's server, which trusts `X-Forwarded-For` from local clients and does not read
    absolute URLs. `h11` rejects requests with no or several Host headers.

    Args:
        app: ASGI application.
        listening: Socket from `listen`.
        on_end: Called at shutdown, to close open streams.
    """

    def __init__(self, app: Any, listening: socket.socket, on_end: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="on",
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=LONGEST_HEADERS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=CLOSE_SECONDS,
            )
        )
        self._listening = listening
        self._on_end = on_end
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="page")

    def start(self) -> None:
        """Start the thread, and return when requests are answered.

        Raises:
            BackfileError: The server did not start.
        """
        self._thread.start()
        if not self._is_ready.wait(START_SECONDS) or not self.started:
            self.close()
            raise BackfileError(
                "Cannot start the page: see the error above. Fix it, then run the command again."
            )

    def close(self) -> None:
        """Stop after the requests in progress."""
        self.should_exit = True
        self._thread.join(timeout=2 * CLOSE_SECONDS)
        self._listening.close()

    def _run(self) -> None:
        try:
            self.run(sockets=[self._listening])
        finally:
            self._is_ready.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start up, and let `start` return."""
        await super().startup(sockets)
        self._is_ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close open streams, then shut down."""
        self._on_end()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: Address or name to listen on.
        port: Port; 0 for any free one.

    Raises:
        BackfileError: The address is in use, or does not belong to this machine.
    """
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise BackfileError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. "
            "Choose another port with --port."
        ) from error
    listening.set_inheritable(True)
    return listening
