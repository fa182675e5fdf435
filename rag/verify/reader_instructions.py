"""Addresses and instructions to the reader, which no statement of an answer may have."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"\bhttps?:|\bwww\.|\b[\w.+-]{1,64}@[\w-]{1,63}\.[a-z]"  # links and e-mail
    r"|\b\d{3}[ .-]\d{4}\b|\b1-8\d\d-|\(\d{3}\) ?\d{3}|\+\d{1,3}[ (-]?\d{2,4}[ )-]"  # telephones
    r"|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b",
    re.IGNORECASE,
)
# A bare domain. "Amazon.com" is a company's name where nobody is told to go there.
_DOMAIN = re.compile(
    r"\b(?P<host>[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\."
    r"(?:com|org|net|info|biz|io|co|gov|edu|example|test|ru|cn|de|uk|fr|eu|us|me|tv|app|xyz|site|"
    r"online|shop|top|link|click))\b(?P<path>/\S)?"
)
_GO = re.compile(r"\b(?:visit|go to|log ?(?:in|on)|at|on|see|to|via|through)\s+$", re.IGNORECASE)
_VERBS = (
    "click|call|visit|ignore|disregard|forget|contact|send|e-?mail|follow|subscribe|sign up|"
    "download|install|transfer|pay|text|dial|go to|log in|log on|enter|reply|forward|donate|"
    "register|scan|open|share|type|tell|write|obey|repeat|reveal|buy|order|vote|join|check|read|"
    "remember|answer|print|output|say|act|pretend|respond|stop"
)
_OBJECTS = (
    "the|this|that|these|those|our|your|us|me|all|any|here|now|at|on|to|in|into|for|with|via|up|"
    "previous|earlier|above|everything|money|https?|\\d|it|him|her|them|my|and|only|as|no|out|today"
)
# At the start of a sentence, or of a clause after "please", "to help,", "and then".
_ORDER = re.compile(
    rf"(?:^|[.!?;:]\s+|\bplease,?\s+|\b(?:to|for)\s[^,.;]{{2,60}},\s+|^then,?\s+|,\s+then\s+)"
    rf"(?:please\s+|just\s+|now\s+|simply\s+)?(?:do not |don't |never |always )?"
    rf"(?:{_VERBS})\s+(?:{_OBJECTS}|[\w-]+\.\w)",
    re.IGNORECASE,
)
_TO_READER = re.compile(
    r"\b(?:you|readers?) (?:must|should|need to|have to|can|may|are (?:asked|urged|told) to)\s+"
    rf"(?:also |now |please )?(?:{_VERBS})\b|\byour (?:account|password|details|bank|card|payment|"
    r"credit card|instructions|system prompt)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“[^”]{0,1500}+”|\"[^\"]{0,1500}+\"|„[^“]{0,1500}+“")


def has_address(text: str) -> bool:
    """Return whether a text has a link, a domain, an e-mail address or a telephone number."""
    if _ADDRESS.search(text):
        return True
    for found in _DOMAIN.finditer(text):
        is_name = found["host"][0].isupper() and not found["path"]
        if not is_name or _GO.search(text[: found.start()]):
            return True
    return False


def instructs_reader(text: str) -> bool:
    """Return whether a text tells the reader to do something; what is quoted doesn't count."""
    bare = _QUOTED.sub("“”", text.strip().lstrip("*-•> "))
    return bool(_ORDER.search(bare) or _TO_READER.search(bare))
