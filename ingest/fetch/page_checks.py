"""Whether a page that came is the one that was wanted: not a wall, a login, or a polite absence."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from ingest.fetch.client import Fetched

# Below this many words, a page that says it is not free shows its first lines alone; above, it
# shows the article to whoever asks, or the cookies that were given open it.
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
_SAID = {
    401: "asks for a password: `--headers FILE` or `--cookies FILE` can hold one",
    402: "asks for money",
    403: "refuses to show it",
    404: "is not there",
    410: "is gone for good",
    451: "may not be shown, for legal reasons",
}
# No "<" within a tag: looked for from each of a million of them, an end would take for ever.
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*+)[^<>]*+>")
_HIDDEN = frozenset({"script", "style", "template"})


def status_problem(fetched: Fetched) -> str:
    """Return why an answer without a page is none; nothing for one with a page."""
    if fetched.status == 200:
        return ""
    if said := _SAID.get(fetched.status):
        return f"{said} ({fetched.status})"
    try:
        name = HTTPStatus(fetched.status).phrase
    except ValueError:
        name = "a status that does not exist"
    return f"answers {fetched.status}, {name}"


def redirect_problem(asked: str, fetched: Fetched) -> str:
    """Return why the page that `asked` led to is not the article; nothing where it may be."""
    if fetched.url == asked:
        return ""
    path, asked_path = urlsplit(fetched.url).path, urlsplit(asked).path
    if _LOGIN_PATH.search(path) and not _LOGIN_PATH.search(asked_path):
        return f"leads to {fetched.url[:200]}, which wants a login or a consent"
    if path in ("", "/") and asked_path not in ("", "/"):
        return "leads to the front page: the article is not there any more"
    return ""


def page_problem(content: bytes, text: str, title: str) -> str:
    """Return why a page is no article though it came; `text` and `title` are what was read of it.

    Short ones alone are doubted: an article may be about walls, logins and pages not found.
    """
    words = len(text.split())
    if words >= WALL_WORDS:
        return ""
    if _GONE.match(title) or _GONE.match(text[:200]):
        return "says that it is not there, though the server says it is"
    if _NOT_FREE.search(content):
        return f"is behind a paywall: {words} words of it are shown"
    if _WALL.search(_visible(content)):
        return f"is behind a paywall or a login: {words} words of it are shown"
    if _PASSWORD.search(content) and words < WALL_WORDS // 5:
        return "is a login"
    return ""


def _visible(content: bytes) -> str:
    """Return a page's text, scripts left out; in one pass, whatever is left open in it."""
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
