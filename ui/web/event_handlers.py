"""How the page's events reach the server: every one is private to it, none is an endpoint."""

from __future__ import annotations

from typing import Any

# Values come as the browser sends them: Gradio fails with a traceback on a choice that it doesn't
# know, which a page open across a restart of the server has. `ui.web.gradio_calls` has checked
# their shapes; the handlers check the rest.
_OURS: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "preprocess": False,
}

# Not in the queue of those who wait for an answer.
AT_ONCE: dict[str, Any] = {**_OURS, "queue": False}

# The same for what may have to tell something beside: that reaches the browser by the queue alone.
TELLING: dict[str, Any] = {**_OURS, "concurrency_limit": None}

# What begins an answer: refused where its client has enough of them under way.
BEGINNING: dict[str, Any] = {**TELLING, "concurrency_id": "begin"}

# What changes the archive: nobody who asks waits for it, nor it for them. It may read files.
MINDING: dict[str, Any] = {
    **TELLING,
    "concurrency_limit": 4,
    "concurrency_id": "minding",
    "preprocess": True,
}
