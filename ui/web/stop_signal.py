"""Ctrl-C or SIGTERM, which end a server."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType


class StopSignal:
    """Turns Ctrl-C and SIGTERM into KeyboardInterrupt, and remembers them.

    Python drops an exception that a handler raises within a callback, such as those of the import
    system, and a server imports for seconds while it starts. Create it in the main thread.
    """

    def __init__(self) -> None:
        self._is_received = False
        for number in (signal.SIGINT, signal.SIGTERM):
            if (
                signal.getsignal(number) is not signal.SIG_IGN
            ):  # as in `backfile serve &` of a script
                signal.signal(number, self._receive)

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came."""
        if self._is_received:
            raise KeyboardInterrupt

    def wait(self) -> None:
        """Wait for a signal; raise KeyboardInterrupt."""
        self.check()
        Event().wait()

    def _receive(self, _: int, __: FrameType | None) -> None:
        self._is_received = True
        raise KeyboardInterrupt
