"""Kind of a question by what a written answer to it needs: length, order, and its own searches."""

from __future__ import annotations

import re
from typing import Literal

from rag.query.parser import ParsedQuery

QuestionKind = Literal["fact", "speech", "events", "comparison", "summary"]

_SUMMARY = re.compile(
    r"^(?:(?:please|can you|could you)\s+)?(?:summari[sz]e|sum up|recap|outline"
    r"|give (?:me |us )?an? (?:\w+ )?(?:summary|overview|round-?up)|overview of|summary of)\b"
    r"|^what(?: has| have| is| was|['’]s)? (?:happen(?:ed|ing|s)|been happening)\b"
    r"|^what(?: is|['’]s) new\b"
    r"|\b(?:main|biggest|top|most important) (?:stories|news|events|developments)\b"
    r"|\b(?:latest|developments?) (?:on|in|about|with)\b|\bthe news (?:of|from|about|on)\b",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\b(?:compar(?:e|ed|ing|ison)|differ(?:s|ed|ence|ences)?|versus|vs\.?|contrast"
    r"|(?:bigger|larger|smaller|higher|lower|older|younger|longer|shorter|cheaper|better|worse|more"
    r"|fewer|less|faster|slower|richer)\b.{0,120}?\b(?:or|than))\b",
    re.IGNORECASE,
)


def classify_kind(asked: ParsedQuery) -> QuestionKind:
    """Return the kind of a question.

    Args:
        asked: The parsed question.
    """
    text = asked.text.strip()
    if asked.expected.layout == "by side" or _COMPARISON.search(text):
        return "comparison"
    if asked.expected.layout == "by date":
        return "events"
    if _SUMMARY.search(text):
        return "summary"
    return "speech" if asked.expected.type == "speech" else "fact"
