"""Detect paywalls, login pages and soft 404s among fetched pages.

`ingest.wall_texts` recognises a wall in the text of any article.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from ingest.fetch.client import FetchResponse

# A page marked as not free with fewer words than this shows only a teaser; longer ones are open or
# were unlocked by the user's cookies.
WALL_WORDS = 250
_NOT_FREE = re.compile(rb"(?i)[\"']isAccessibleForFree[\"']\s*:\s*(?:false|[\"'](?:false|no)[\"'])")
_WALL = re.compile(
    r"(?i)\b(?:subscribe|sign (?:in|up)|log ?in|register|become a (?:member|subscriber))\b"
    r"[^.!?\n]{0,40}\bto (?:(?:continue|keep|finish) reading|(?:continue|read on|unlock)\b|"
    r"(?:read|view|access|see) (?:the (?:full|whole|rest)|this|more|our))"
    r"|\b(?:this|the full) (?:article|story|content) is (?:only |exclusively )?(?:available )?"
    r"(?:for|to) (?:our )?(?:subscribers|members|registered)\b"
    r"|already a subscriber\?|abonnez-vous pour (?:lire|continuer)|jetzt weiterlesen mit|"
    r"artikel (?:nur|exklusiv) für abonnent|suscríbe?te para (?:leer|seguir)"
)
_LOGIN_PATH = re.compile(
    r"(?i)/(?:(?:log|sign)-?_?in|login|signin|sso|auth|account/(?:login|register)|"
    r"subscri(?:be|ption)s?|register|paywall|consent|cookiewall|captcha)(?:[/.?]|\Z)"
)
_PASSWORD = re.compile(rb"(?i)<input[^<>]{0,300}\btype\s*=\s*[\"']?password")
_GONE = re.compile(
    r"(?i)\A\W*+(?:(?:(?:error|http|status)\W*+)?(?:404|410)\b|"
    r"(?:the |this |sorry,? )*(?:page|article|story|content)[^.]{0,30}"
    r"\b(?:not|cannot be|can[’']t be|could ?n[o’']t be|no longer)\b"
    r"[^.]{0,12}\b(?:found|available|exist)|not found\b|page introuvable|"
    r"seite (?:wurde )?nicht gefunden|"
    r"página no encontrada|страница не найдена|сторінку не знайдено)"
)
_STATUS_REASONS = {
    401: "requires a login: pass `--headers FILE` or `--cookies FILE`",
    402: "requires payment",
    403: "access denied",
    404: "not found",
    410: "permanently removed",
    451: "unavailable for legal reasons",
}
# No "<" within a tag: keeps matching linear on a page with a million unclosed "<".
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*+)[^<>]*+>")
_HIDDEN = frozenset({"script", "style", "template"})


def status_problem(fetched: FetchResponse) -> str:
    """Return why the HTTP status means there's no page; "" for status 200."""
    if fetched.status == 200:
        return ""
    if reason := _STATUS_REASONS.get(fetched.status):
        return f"{reason} ({fetched.status})"
    try:
        name = HTTPStatus(fetched.status).phrase
    except ValueError:
        name = "unknown status"
    return f"HTTP status {fetched.status}, {name}"


def redirect_problem(asked: str, fetched: FetchResponse) -> str:
    """Return why a redirect from `asked` doesn't lead to the article; "" if it may."""
    if fetched.url == asked:
        return ""
    path, asked_path = urlsplit(fetched.url).path, urlsplit(asked).path
    if _LOGIN_PATH.search(path) and not _LOGIN_PATH.search(asked_path):
        return f"redirects to a login or consent page: {fetched.url[:200]}"
    if path in ("", "/") and asked_path not in ("", "/"):
        return "redirects to the front page: the article is no longer online"
    return ""


def page_problem(content: bytes, text: str, title: str) -> str:
    """Return why a page isn't an article; "" if it is one.

    Only short pages are checked: a long article may be about paywalls, logins and missing pages.

    Args:
        content: The page's HTML.
        text: The article text that was extracted.
        title: The headline that was extracted.
    """
    words = len(text.split())
    if words >= WALL_WORDS:
        return ""
    if _GONE.match(title) or _GONE.match(text[:200]):
        return "page not found, although the server answered 200"
    if _NOT_FREE.search(content):
        return f"behind a paywall: only {words} words are shown"
    if _WALL.search(_visible_text(content)):
        return f"behind a paywall or login: only {words} words are shown"
    if _PASSWORD.search(content) and words < WALL_WORDS // 5:
        return "login page"
    return ""


def _visible_text(content: bytes) -> str:
    """Return a page's text without scripts and styles, in one pass even over unclosed tags."""
    pieces, hidden, at = [], "", 0
    text = content.decode("utf-8", "replace")
    for tag in _TAG.finditer(text):
        closing, name = tag.group(1), tag.group(2).casefold()
        if not hidden:
            pieces.append(text[at : tag.start()])
        if name in _HIDDEN:
            hidden = "" if closing and name == hidden else hidden or ("" if closing else name)
        at = tag.end()
    return " ".join([*pieces, "" if hidden else text[at:]])
