"""Commands, courtesies and small talk in a question: words that ask, but name no topic."""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re
from typing import Literal

SmallTalk = Literal["greeting", "thanks"]

_PIECES = (
    r"(?:articles?|stor(?:y|ies)|news|reports?|coverage|(?:main |key |most important )?(?:points|facts|details)"
    r"|information|info|updates?|everything|anything|something)"
)
_DIGEST = (
    r"(?:summary|overview|recap|rundown|run-down|digest|outline|timeline|chronology|list|briefing|account"
    r"|description|explanation|comparison|update|details|information|info|facts|background)"
)
_SIZE = r"(?:(?:short|brief|quick|full|detailed|complete|concise|one-paragraph|bulleted)\s+)?"
_VERBS = (
    r"(?:summari[sz]e|sum up|recap|outline|describe|enumerate|compare|contrast|list"
    r"|explain(?:\s+to\s+(?:me|us))?|name(?=\s+(?:the|all|some|any|every|each|an?|two|three|four|five)\b)"
    r"|(?:tell|inform|remind|brief|update|teach)\s+(?:me|us)(?:\s+(?:more|all|everything|something|anything|a bit|a little))?(?:\s+(?:about|of|on))?"
    rf"|(?:give|show|get|find|bring|write|make|send)\s+(?:me|us)(?:\s+(?:an?|the|some|any|all|all the))?(?:\s+{_SIZE}{_DIGEST}\s+(?:of|about|on|for))?"
    rf"|(?:give|write|make|provide|create|draw up)\s+(?:an?|the)\s+{_SIZE}{_DIGEST}\s+(?:of|about|on|for)"
    rf"|(?:find|search for|look for|look up|look into|list|show)\s+(?:(?:all|some|the|any)\s+){{0,2}}{_PIECES}\s+(?:about|on|regarding|concerning)"
    r"|(?:search for|look for|look up|look into)"
    r"|(?:fasse?|nenne?|vergleiche?|beschreibe?|erkläre?|liste|zeige?|gib|erzähle?|sage?)(?:\s+(?:mir|uns))?(?:\s+(?:über|von|auf))?)"
)
_ASKS_FOR = (  # questions that only ask for articles about what follows
    rf"(?:what\s+(?:do|can)\s+you\s+(?:know|have|tell me|say|find)\s+(?:about|on)"
    rf"|(?:do you (?:know|have)|is there|are there|have you got|got|any)\s+(?:(?:any|some)\s+)?{_PIECES}\s+(?:about|on|regarding|concerning)"
    rf"|(?:an?\s+|the\s+)?{_SIZE}(?:summary|overview|recap|rundown|digest|timeline|comparison)\s+(?:of|about)"
    r"|i\s+(?:want|would like|need)\s+to\s+know(?:\s+(?:more|all|everything))?(?:\s+about)?|i['’]d like to know(?:\s+(?:more|all|everything))?(?:\s+about)?"
    r"|do you know|was weißt du über|was wissen sie über)"
)
_POLITE = (
    r"(?:(?:can|could|would|will)\s+you(?:\s+please)?|i\s+(?:want|would like|need)\s+(?:you\s+)?to|i['’]d like\s+(?:you\s+)?to"
    r"|(?:können|könnten)\s+sie(?:\s+bitte)?|kannst\s+du(?:\s+bitte)?)"
)
_HELLO = (
    r"(?:hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|hallo|guten (?:morgen|tag|abend)"
    r"|moin|servus|grüß gott)"
)
_THANKS = r"(?:thanks|thank you|thank u|thx|cheers|many thanks|much appreciated|danke|danke schön|dankeschön|vielen dank)"
_MUCH = r"(?: (?:so much|very much|a lot|again|a million|for (?:that|this|your help|the (?:answer|help|info|information))|sehr|schön))?"
_CLOSING = r"(?:great|perfect|ok|okay|cool|nice|good|got it|i see|alright|all right|bye|goodbye|(?:that|this) (?:helped|helps)(?: a lot)?|that(?: was|[’']s) (?:helpful|all)|very helpful|see you|tschüss|auf wiedersehen)"
_NOTE = r"(?: (?:there|everyone|all|backfile|again|and welcome))?"
# About the chatbot: the reply to a greeting says what to ask.
_HELP = (
    r"(?:help|help me|who are you|what are you|what can you do|what can i ask(?: you)?|how (?:are you|do you work|does this work)"
    r"|how are you doing|how do i use (?:this|you)|are you there|test|hilfe|wer bist du|was kannst du)"
)

_GREETING = re.compile(
    rf"(?:{_HELLO}{_NOTE}(?:, how are you)?|(?:{_HELLO}{_NOTE}[,.!]* )?{_HELP})", re.I
)
_THANKING = re.compile(
    rf"(?:(?:{_CLOSING}[,.!]* )?{_THANKS}{_MUCH}(?:[,.!]* {_CLOSING})?|{_CLOSING}(?:[,.!]* {_CLOSING})?)",
    re.I,
)
_OPENING = re.compile(
    rf"^(?:(?:{_HELLO}{_NOTE}|{_CLOSING}|{_THANKS}{_MUCH})[,.!:;–—-]+\s+)?(?:(?:and|now|then|so),?\s+)?(?:(?:please|kindly|bitte),?\s+)?",
    re.I,
)
_COMMAND = re.compile(
    rf"(?:{_ASKS_FOR}|(?:{_POLITE}\s+)?{_VERBS})(?![\w’'-])"
    rf"(?:\s+(?:(?:all|some|the|any)\s+){{0,2}}{_PIECES}\s+(?:about|on|regarding|concerning|of(?!\s+the\s+(?:day|week|month|year)\b)))?",
    re.I,
)
_ENDING = re.compile(
    r"(?:,? (?:please|kindly|bitte|thanks|thank you|for me|for us|briefly|in short|in brief|in detail|zusammen"
    r"|in (?:a few|an?|one|two|three|four|five|\d{1,3}) (?:sentences?|words?|paragraphs?|lines?|bullet points?)"
    r"|as an? (?:list|table|timeline|summary)|in (?:bullet points|chronological order)))(?=[\s.?!]*+$)",
    re.I,
)
_ENDS = " \t.,!?…;:-–—\"'“”"


def small_talk(text: str) -> SmallTalk | None:
    """Return the kind of small talk that a whole message is; None if it asks something.

    Args:
        text: The message.
    """
    words = " ".join(text.split()).strip(_ENDS)
    if _GREETING.fullmatch(words):
        return "greeting"
    return "thanks" if _THANKING.fullmatch(words) else None


def command_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of the words of a question that only ask: "Summarize", "please".

    Args:
        text: The question, with normalised white space.
    """
    opening = _OPENING.match(text)
    start = opening.end() if opening else 0
    command = _COMMAND.match(text, start)
    end = command.end() if command else start
    spans = [(0, end)] if end else []
    endings: list[tuple[int, int]] = []
    rest = len(text)
    while ending := _ENDING.search(text, end, rest):
        rest = ending.start()
        endings.append(ending.span())
    return (*spans, *reversed(endings))
