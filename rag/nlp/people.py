"""People among the names of an article: which names are persons, and their full names."""

from __future__ import annotations

import re

from rag.nlp.entities import TITLES, Name, full_name, normalize_name
from rag.nlp.quotations import REPORTING_VERBS

_SAYING = "|".join(sorted(REPORTING_VERBS, key=len, reverse=True))
NOT_PEOPLE = frozenset(
    """university party house street city county state court company inc corp department ministry
    committee union league club team school college hospital church council agency bureau office
    airlines bank group institute association foundation center centre museum river island lake
    north south east west new united national royal american british""".split()
)


def full_person_name(surname: str, text: str) -> str:
    """Return the full name of a person if the article identifies one clearly; else ""."""
    full = full_name(surname, text)
    parts = full.split()
    if not full or len(parts) > 3 or any(p.lower().rstrip(".") in NOT_PEOPLE for p in parts):
        return ""
    if any(normalize_name(part) != part.lower() or re.search(r"-[a-z]", part) for part in parts):
        return ""  # avoids "[Musk-owned] Twitter"
    if parts[0] == surname:  # a family name that comes first is certain only after a title
        before = text[: text.index(full)].split()
        return full if before and before[-1].lower() in TITLES else ""
    speaks = re.search(
        rf"\b{re.escape(surname)} (?:{_SAYING})\b|\b(?:said|says) {re.escape(full)}", text
    )
    return full if speaks or _has_title(full, text) else ""


def _has_title(full: str, text: str) -> bool:
    before = text[: text.index(full)].split()
    return bool(before) and before[-1].lower().rstrip(".") in TITLES


def person_name(name: Name, text: str) -> str:
    """Return the full name if a name of an article is surely a person's; else "".

    Args:
        name: The name.
        text: The article's text.
    """
    if " " in name.text:
        parts = name.text.split()
        plain = not any(
            p.lower().rstrip(".") in NOT_PEOPLE or normalize_name(p) != p.lower() for p in parts
        )
        last = parts[-1]
        known = _has_title(name.text, text) or re.search(
            rf"\b{re.escape(last)} (?:{_SAYING}|is|was|has|had)\b", text
        )
        return (
            name.text if plain and known and normalize_name(name.text) == name.text.lower() else ""
        )
    full = full_person_name(name.text, text)
    if full or normalize_name(name.text) != name.text.lower():
        return full
    return name.text if re.search(rf"\b{re.escape(name.text)} (?:said|told)\b", text) else ""
