"""Decomposition of a compound question into sub-questions that are searched separately.

"Did The Week report a rise while CNN reported a fall?" needs two searches: in a single search, the
terms of one part would outweigh those of the other.
"""

from __future__ import annotations

import re

WORDS_OF_A_PART = 3  # words of more than three letters: fewer are too little to search for

_VERB = r"(?:do|does|did|is|was|were|are|has|have|had|can|could|will|would|should)"
_ASKS = r"(?:what|who|whom|whose|which|when|where|how|why|whether)"
_PIECE = r"(?:articles?|reports?|stor(?:y|ies)|pieces?|coverage|columns?|reporting)"
_COMPARED = (
    r"(?:(?<!\s)\s+)?+(?:,\s*+)?+\b(?:while(?!\s+\w+ing\b)|whereas"
    r"|compared (?:to|with)|in contrast to|as opposed to"
    r"|versus|vs\.?|(?:in )?(?:a )?(?:similar(?:ly)?|identical(?:ly)?)(?: way)? to(?: how)?"
    r"|in the same way (?:that|as)|than (?:how|what|when|where))\b\s*"
)
_NEXT = (
    rf"(?:,|(?<!\s))\s++(?:and|but|or)\s++(?:also\s++)?(?={_VERB}\s+(?!not\b)|{_ASKS}\b"
    rf"|(?:the|an?|another|its|their)\s++(?:\S++\s++){{0,5}}?{_PIECE}\b"
    rf"|(?:\S++\s++){{0,4}}?\S+['’]s?\s++{_PIECE}\b)"
)
_QUESTIONS = r"(?<=\?)\s+(?=\S)"
_SIDES = re.compile(rf"(?i:{_COMPARED}|{_NEXT})|{_QUESTIONS}")
# If a question cites several publishers, each clause may be about another one's article.
_CLAUSES = re.compile(
    rf"(?i:{_COMPARED}|{_NEXT}|,\s++(?:and\s++|as well as\s++)?"
    rf"(?={_VERB}\b|\w+ed\b|who\b|which\b|as\s+(?:reported|discussed)))"
    rf"|{_QUESTIONS}"
)


# "Compare the fares of 2023 and 2024": each side is searched with what they share.
_SIDE = r"(?:[A-Z][\w’'-]*+(?:\s[A-Z][\w’'-]*+){0,3}+|\d{4}\b)"
_COMPARISON = re.compile(
    r"^(?:[Cc]ompare|[Cc]ontrast"
    r"|(?:[Ww]hat (?:is|are|was|were) )?(?:the )?[Dd]ifferences? between)\s+"
    r"(?P<frame>(?:[\w’'-]++\s){1,8}?(?:of|in|for|by|from|on|at)\s(?:the\s)?)"
    rf"(?P<one>{_SIDE})\s(?:and|with|to|versus|vs\.?)\s(?:the\s|those\s(?:of|in)\s)?"
    rf"(?P<other>{_SIDE})[\s?.!]*$"
)


def split_question(question: str, *, cited: int = 0) -> tuple[str, ...]:
    """Return the sub-questions of a compound question; none if it is a single question.

    Args:
        question: The question, as asked.
        cited: How many publishers it cites; if there are several, it is split at each clause.
    """
    compared = _COMPARISON.match(question)
    if compared:
        return tuple(f"{compared['frame']}{compared[side]}" for side in ("one", "other"))
    pattern = _CLAUSES if cited > 1 else _SIDES
    parts = [part.strip(" ,?") for part in pattern.split(question)]
    kept = [part for part in parts if _says_enough(part)]
    return tuple(kept) if len(kept) > 1 else ()


def _says_enough(part: str) -> bool:
    words = re.findall(r"\w[\w’'-]*", part)
    return sum(len(word) > len("the") for word in words) >= WORDS_OF_A_PART
