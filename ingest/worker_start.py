"""Start-up of worker processes: signals, threads, and the end of the process that started them.

Imports nothing large: what a process sets here counts for the packages that it imports afterwards.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait

# How numerical packages are told their number of threads, before they are imported.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


def start_worker() -> None:
    """Ignore SIGINT, and exit when the parent process dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asking = multiprocessing.parent_process()
    if asking is not None:
        threading.Thread(target=_exit_with_parent, args=(asking.sentinel,), daemon=True).start()


def use_one_thread() -> None:
    """Let packages that are imported from now on compute in one thread."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _exit_with_parent(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Start processes with SIGINT blocked, so they don't print tracebacks while importing.

    A SIGINT sent meanwhile is delivered to this process afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # unblocks SIGINT when it starts its own process
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
