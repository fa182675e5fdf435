"""Coreference in quotations: bracketed names for bare surnames and pronouns."""

from __future__ import annotations

import re

from rag.nlp.entities import find_names, normalize_name
from rag.nlp.people import full_person_name, person_name
from rag.nlp.quotations import REPORTING_VERBS
from rag.schema import Span

_BRACKETED = re.compile(r"\s?\[[^\[\]]*\]\s?")
_SAYING = "|".join(sorted(REPORTING_VERBS, key=len, reverse=True))
_PRONOUN = re.compile(
    rf"(?:^|[.!?”\"] |[,”\"] )(?P<p>[Hh]e|[Ss]he)(?= (?:\w+ly )?(?:{_SAYING})\b)|^(?P<q>He|She)\b"
)
# Surnames that are also common words: a wrong name in brackets is worse than a bare surname.
_COMMON_WORDS = frozenset(
    """white black brown green gray grey gold silver young old long short little small strong king
    prince duke bishop pope price love hope rich poor west east north south may june april august
    england france ireland holland israel jordan chad georgia paris london church day summer winter
    power best fox wolf bush stone wood hill lake rivers banks field law judge case page""".split()
)
# What may follow a surname that stands for a person: punctuation, a verb, a preposition, no noun.
_STANDS_ALONE = re.compile(
    rf"$|['’]s?\b|[,.;:!?)”\"—–]| (?:—|–|{_SAYING}|is|are|was|were|has|have|had|will|would|can"
    r"|could|may|might|must|did|does|do|also|who|whose|then|later|first|to|in|at|on|for|of|from|with|by"
    r"|as|after|before|during|made|took|gave|went|came|became|left|met|won|lost|filed|wrote|called"
    r"|asked)\b"
)


def resolve_references(text: str, unit: Span) -> str:
    """Return a quotation with full names in brackets beside surnames and pronouns that are certain.

    Args:
        text: The article's text, in which full names are looked up.
        unit: The span of the quotation.
    """
    sentence = text[unit.start : unit.end]
    inserts = _complete_surnames(sentence, text) or _resolve_pronoun(sentence, text, unit)
    for at, words in sorted(inserts, reverse=True):
        sentence = sentence[:at] + words + sentence[at:]
    return sentence


def is_verbatim_text(statement: str, quote: str) -> bool:
    """Return whether a statement, without its bracketed additions, equals a quotation.

    Args:
        statement: The statement's text.
        quote: The text of its citation, which may contain brackets of its own.
    """
    if statement == quote:
        return True
    own = re.split(r"(\[[^\[\]]*\])", quote)
    for bracketed in own[1::2]:  # brackets in the article's own text
        statement = statement.replace(bracketed, bracketed.replace("[", "").replace("]", ""))
        quote = quote.replace(bracketed, bracketed.replace("[", "").replace("]", ""))
    return _strip_spaces(_BRACKETED.sub(" ", statement)) == _strip_spaces(quote)


def _strip_spaces(text: str) -> str:
    return "".join(text.split())


def _complete_surnames(sentence: str, text: str) -> list[tuple[int, str]]:
    inserts, seen = [], set()
    present = find_names(sentence)
    for name in present:
        if " " in name.text or name.text in seen or normalize_name(name.text) != name.text.lower():
            continue
        seen.add(name.text)
        if name.text.lower() in _COMMON_WORDS or not _STANDS_ALONE.match(sentence, name.end):
            continue
        if any(name.text in other.text.split() for other in present if other.text != name.text):
            continue
        full = full_person_name(name.text, text)
        if full.endswith(" " + name.text):
            inserts.append((name.start, f"[{full[: -len(name.text)].strip()}] "))
        elif full.startswith(name.text + " "):
            inserts.append((name.end, f" [{full[len(name.text) :].strip()}]"))
    return inserts


def _resolve_pronoun(sentence: str, text: str, unit: Span) -> list[tuple[int, str]]:
    """Return the name for a "he" or "she" if the preceding text names one person only."""
    match = _PRONOUN.search(sentence)
    if match is None:
        return []
    group = "p" if match["p"] else "q"
    at = match.end(group)
    if any(person_name(n, text) for n in find_names(sentence[:at])):
        return []
    before = text[max(0, unit.start - 500) : unit.start]
    before = before[before.rfind("\n\n", 0, max(0, before.rfind("\n\n"))) + 1 :]
    people = {full for n in find_names(before) if (full := person_name(n, text))}
    if len(people) != 1:
        return []
    return [(at, f" [{people.pop()}]")]
