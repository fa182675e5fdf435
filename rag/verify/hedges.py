"""Hedges and direct answers: the parts of a sentence that say nothing of what the passages say."""

from __future__ import annotations

import re

_DIRECT = re.compile(
    r"^(?:yes|no|nein|ja|oui|non|correct|right|indeed)\b(?:[.,;:!–—-]+\s*|\s*$)", re.I
)
_SOURCES = (
    r"(?:the |these |those |none of the |no )?(?:given |provided |available |cited )?"
    r"(?:passages?|articles?|archive|sources?|texts?|reports?|context|documents?|information)"
)
_VERBS = (
    r"(?:say|mention|contain|provide|give|answer|state|specify|include|tell|explain|name|"
    r"describe|offer|reveal|indicate|report|confirm|address|disclose|have)s?"
)
_HEDGE = re.compile(
    rf"^{_SOURCES}(?: here| found| above| shown)? (?:(?:do|does|did)(?: not|n't|n’t) {_VERBS}|"
    rf"{_VERBS} (?:no|nothing|neither)\b|{_VERBS}\b)",
    re.IGNORECASE,
)
# Where a hedge ends and something else begins.
_TURN = re.compile(
    r"[,;:]\s+(?:but|although|though|however|yet|while|only that|and|which|who|whose|where)\b,?\s*"
    r"|(?<!\s)\s+(?:but|although|though|however)\s+|[;:–—]\s+",
    re.IGNORECASE,
)


def strip_direct_answer(text: str) -> str:
    """Return a text without a "yes" or "no" at its start."""
    return _DIRECT.sub("", text.strip())


def split_hedge(text: str) -> tuple[str, str]:
    """Return a hedge such as "The articles give no figure", and what else a sentence says.

    Args:
        text: The sentence.

    Returns:
        The hedge, "" without one, and the rest; for a sentence without a hedge, all of it.
    """
    found = _HEDGE.match(text)
    negates = found is not None and re.search(
        r"\b(?:not|no|nothing|neither|none)\b|n['’]t\b", text[: found.end()], re.IGNORECASE
    )
    if found is None or not negates:
        return "", text
    turn = _TURN.search(text, found.end())
    if turn is None:
        return text, ""
    return text[: turn.start()], text[turn.end() :]
