"""The server of the page, in a thread of its own: uvicorn, with the guard before everything."""

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
LONGEST_HEADERS = 64 * 1024  # bytes; cookies of other programs on this machine are among them


class Server(uvicorn.Server):
    """Serves one application until it is closed.

    Gradio's own server believes `X-Forwarded-For` of whoever asks from this machine, and reads
    no absolute addresses; `h11` refuses doubled and missing Host headers.
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
                timeout_graceful_shutdown=CLOSE_SECONDS,
            )
        )
        self._listening = listening
        self._on_end = on_end
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="page")

    def start(self) -> None:
        """Serve, and return when requests are answered."""
        self._thread.start()
        if not self._is_ready.wait(START_SECONDS) or not self.started:
            self.close()
            raise BackfileError("the page did not start: see above")

    def close(self) -> None:
        """Stop, after what is being answered."""
        self.should_exit = True
        self._thread.join(timeout=2 * CLOSE_SECONDS)
        self._listening.close()

    def _run(self) -> None:
        try:
            self.run(sockets=[self._listening])
        finally:
            self._is_ready.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that requests are answered."""
        await super().startup(sockets)
        self._is_ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams that would stay open."""
        self._on_end()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one.

    Raises:
        BackfileError: The address is taken, or isn't this machine's.
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
            f"cannot listen on {host}:{port}: choose another with --port"
        ) from error
    listening.set_inheritable(True)
    return listening
