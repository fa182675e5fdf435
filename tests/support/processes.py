"""Processes for tests, each started in milliseconds instead of seconds.

They are forked from a server that has imported their modules and opened nothing, since Chroma
doesn't survive a fork. `Process`, `Pipe` and `Barrier` are those of `multiprocessing`.
"""

from __future__ import annotations

import multiprocessing

PRELOADED = ["chromadb", "pytest", "tests.faults.random_writer", "tests.archive.reembed.bridges"]

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
CONTEXT = multiprocessing.get_context(_METHOD)
if _METHOD == "forkserver":
    CONTEXT.set_forkserver_preload(PRELOADED)

Process, Pipe, Barrier = CONTEXT.Process, CONTEXT.Pipe, CONTEXT.Barrier
