"""A worker process: receives drafts, and sends back what is prepared of them.

Imports nothing large before the number of threads is set.
"""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection

from ingest.worker_start import start_worker, use_one_thread


def run(connection: Connection) -> None:
    """Answer each list of drafts with their outcomes, or with the error of the model.

    The first message has the settings and the mapping function. The process ends when the other
    side of the connection is closed, or with its parent. A SIGTERM for the whole group doesn't
    concern it: its parent still needs what it is at.
    """
    start_worker()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    use_one_thread()
    from ingest.preparing import answer  # imports numpy

    try:
        settings, mapping = connection.recv()
        while True:
            _send(connection, answer(settings, connection.recv(), mapping))
    except (EOFError, OSError):  # nobody asks any more
        return


def _send(connection: Connection, answer: object) -> None:
    """Send outcomes or an error; an error that can't be sent, by its words."""
    try:
        connection.send(answer)
    except OSError:
        raise
    except Exception:
        connection.send(RuntimeError(f"{type(answer).__name__}: {answer}"))
