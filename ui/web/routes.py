"""Routes that the page and its endpoints need; all other routes of Gradio are blocked.

The list contains what Chromium, `gradio_client` and `curl` request in the tests. Gradio's other
routes write files (`component_server`, `process_recording`), fetch URLs (`proxy=`), or expose
activity (`monitoring`, `runs`).
"""

from __future__ import annotations

import re
from typing import Literal

from ui.article_address import PREFIX

API = "/gradio_api/"
ARTICLE = f"/{PREFIX}"
ENDPOINTS = ("ask", "search")
OIDC_START, OIDC_END = "/login/provider", "/login/provider/return"
Kind = Literal["page", "article", "part", "stream", "feed", "login", "call", "upload", "api"]

_SESSION = r"[A-Za-z0-9_-]{1,64}"
_NAMED = "|".join(ENDPOINTS)
_READ: dict[Kind, str] = {
    "page": r"/",
    # The guard answers these itself; an ID may contain anything but control characters.
    "article": rf"{ARTICLE}[^\x00-\x1f\x7f]+",
    "part": (
        r"/(?:config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json)"
        r"|/(?:assets|static)/[A-Za-z0-9_./-]+"
        r"|/gradio_api/(?:info/?|app_id/?|login_check/?|theme\.css|upload_progress)"
    ),
    "stream": (rf"/gradio_api/(?:queue/data|heartbeat/{_SESSION}|call/(?:{_NAMED})/{_SESSION})"),
    "feed": rf"/feed/{_SESSION}/{_SESSION}",
    "login": rf"/login|{OIDC_START}|{OIDC_END}",
}
_WRITE: dict[Kind, str] = {
    "call": rf"/gradio_api/(?:queue/join|run/predict|call/(?:{_NAMED})|cancel|reset)/?",
    "upload": r"/gradio_api/upload/?",
    "login": r"/login|/logout",
}
_PROGRAMS = re.compile(r"/(?:v1|mcp)(?:/.*)?", re.DOTALL)
_BY_METHOD = {
    method: [(kind, re.compile(pattern)) for kind, pattern in patterns.items()]
    for method, patterns in (("GET", _READ), ("HEAD", _READ), ("POST", _WRITE))
}


def route_kind(method: str, path: str) -> Kind | None:
    """Return the kind of a route; None if it is blocked."""
    if _PROGRAMS.fullmatch(path):
        return "api"  # whose application answers wrong methods and addresses itself
    for kind, pattern in _BY_METHOD.get(method, ()):
        if pattern.fullmatch(path):
            return kind
    return None
