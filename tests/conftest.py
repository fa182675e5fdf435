"""What every test may rely on."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# As the commands do: OpenBLAS' threads wait in circles where a browser wants the cores as well.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Started in the background, a shell's children ignore Ctrl-C, and so would every process that a
# test starts and stops with it; one with a handler of its own hands the default on.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair: it is shared, and no test is of time.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
