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
# What is addressed to a language model, wherever it stands in a sentence.
_TO_MODEL = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|skip)\b[^.!?\n]{0,40}?\b(?:previous|prior|above"
    r"|earlier|preceding|foregoing|all|any|your|other|system|these|those)\b[^.!?\n]{0,30}?"
    r"\b(?:instruction|rule|prompt|guideline|direction|command|order)s?\b"
    r"|\b(?:system|developer|hidden|initial) (?:prompt|message|instruction)s?\b"
    r"|\b(?:you are|act as|pretend to be|behave as)(?: now| no longer)? (?:an? )?(?:\w{1,20} )?"
    r"(?:ai|assistant|language model|chatbot|llm|agent|dan)\b"
    r"|\b(?:dear|attention|hey|note to(?: the)?) "
    r"(?:ai|assistant|language model|chatbot|llm|agent)\b"
    r"|\bnew instructions?:|\bdo not (?:tell|inform|mention|reveal)[^.!?\n]{0,40} (?:user|reader)\b"
    r"|\b(?:ignorier|missacht|vergiss|vergess)\w{0,4}\b[^.!?\n]{0,60}?"
    r"\b(?:anweisung|regel|vorgabe|befehl|instruktion)\w{0,3}\b"
    r"|\bignore[zr]?\b[^.!?\n]{0,40}?\b(?:instructions|consignes|instrucciones)\b"
    r"|<\|?(?:im_start|im_end|endoftext|system|user|assistant|eot_id|start_header_id)\b"
    r"|\[/?(?:INST|SYS|SYSTEM_PROMPT|TOOL_CALLS)\]|<<SYS>>"
    r"|^[ \t#>*]{0,8}(?:system|assistant|developer|instructions?)[ \t]{0,3}:",
    re.IGNORECASE | re.MULTILINE,
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


def is_instruction_like(text: str) -> bool:
    """Return whether a text tells the reader, or a language model, to do something.

    Unlike `instructs_reader`, which removes statements, it flags what an article says, and may be
    wrong: an article about such instructions quotes them.
    """
    return bool(_TO_MODEL.search(text)) or instructs_reader(text)
