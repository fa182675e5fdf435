"""How the page's events reach the server: every one is private to it, none is an endpoint."""

from __future__ import annotations

from typing import Any

# Not in the queue of those who wait for an answer.
AT_ONCE: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}

# The same for what may have to tell something beside: that reaches the browser by the queue alone.
TELLING: dict[str, Any] = {
    "api_visibility": "private",
    "concurrency_limit": None,
    "show_progress": "hidden",
}

# What begins an answer: refused where its client has enough of them under way.
BEGINNING: dict[str, Any] = {**TELLING, "concurrency_id": "begin"}

# What changes the archive: nobody who asks waits for it, nor it for them.
MINDING: dict[str, Any] = {**TELLING, "concurrency_limit": 4, "concurrency_id": "minding"}
