"""What kind of answer a question wants: a person, a date, a number, a yes or no."""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re
from typing import Literal

Wanted = Literal[
    "who",
    "when",
    "where",
    "how many",
    "yes or no",
    "list",
    "course of events",
    "two sides",
    "why",
    "what",
]

# In order: the first that matches is what is wanted.
_PATTERNS: tuple[tuple[Wanted, str], ...] = (
    (
        "two sides",
        r"\b(?:both sides|compare|versus|vs\.?|differ(?:s|ed|ence|ences)?|disagree\w*|contradict\w*"
        r"|supporters and (?:critics|opponents)|one side|each side|while (?:the )?.{1,300} (?:article|report))\b",
    ),
    (
        "course of events",
        r"\b(?:timeline|course of events|chronology|sequence of events|how did .{1,300} (?:unfold|begin|start"
        r"|develop|come about|end up)|step by step|what led (?:up )?to)\b",
    ),
    (
        "yes or no",
        r"^(?:true or false|(?:and |so |but )?(?:did|does|do|is|are|was|were|has|have|had|can"
        r"|could|will|would|should|isn['’]t|didn['’]t|wasn['’]t)\b)",
    ),
    (
        "how many",
        r"\bhow (?:many|much|long|old|far|high|often|big|large|tall|fast|deep|heavy|hot|cold)\b"
        r"|\b(?:what|which) (?:percentage|percent|share|number|proportion|amount|price|age|score|sum)\b",
    ),
    ("why", r"\b(?:why|how come|for what reason|what (?:caused|prompted))\b"),
    (
        "when",
        r"^(?:and |so |but )?(?:since |until )?when\b|\b(?:what|which|in what|in which|on what|on which)"
        r" (?:day|date|month|year|century|decade|time)\b",
    ),
    (
        "list",
        r"^(?:list|name)\b|\b(?:which|what) (?:two|three|four|five|other)\b|\bwhat are (?:the|all)\b"
        r"|\b(?:which|what) (?:countries|companies|people|ministers|states|cities|films|books|teams"
        r"|parties|products|laws|reasons|things)\b",
    ),
    (
        "where",
        r"\bwhere\b|\b(?:what|which) (?:country|city|town|state|county|village|island|nation|continent"
        r"|place|region|venue|airport|province)\b",
    ),
    (
        "who",
        r"\bwho(?:m|se|['’]s)?\b|\b(?:what|which)(?: [\w-]+){0,4} (?:person|politician|singer|actor|actress"
        r"|minister|president|author|player|artist|star|leader|mp|senator|judge|king|queen|chancellor"
        r"|secretary|director|coach|candidate|woman|man)\b",
    ),
)
_WANTED = [(wanted, re.compile(pattern, re.I)) for wanted, pattern in _PATTERNS]


def wanted_answer(question: str) -> Wanted:
    """Return the kind of answer that `question` wants; "what" where nothing says more."""
    return next((wanted for wanted, pattern in _WANTED if pattern.search(question)), "what")
