"""Text that is no statement, recognised by its shape: headings, captions, credits, teasers, notes.

A scraped page is full of it, and it often repeats the words of a question.
"""

from __future__ import annotations

import re

from rag.nlp.sentences import ends_sentence
from rag.nlp.tokens import STOP_WORDS

UNENDED_WORDS = 14  # with at least so many words, a text may be a sentence without its full stop
CAPITALISED = 0.7  # share of capitalised words from which a text without a full stop is a title
OPENING = 200  # characters of an article in which a place and a dash are a dateline

_NAME = r"[A-ZÀ-Þ][\w.’'-]{0,24}"
# "Tributes for a legend:Stars remember her": a teaser's label, its space lost in scraping.
_TEASER = re.compile(r"\W{0,3}[^.!?:\n]{2,70}:(?=[A-Z“‘\"'►])|More: ")
# "Ann Lee/Wire/Photos", "(Photo by Ann Lee)", "Hide Caption 3 of 18", "Photos: the flood".
_CREDIT = re.compile(
    rf"\b{_NAME}/[A-Z]\w{{1,20}}(?: [A-Z]\w{{1,20}})?(?:/[A-Z]\w{{1,20}}|\s(?:Images|Photos?)\b|$)"
    r"|\bGetty Images\b|\b(?:[Pp]hoto|[Ii]mage|[Pp]icture)s?(?: credit)?(?:: | by )[A-Z]"
    r"|\b[Cc]aption\b.{0,10}\b\d{1,3} of \d{1,3}\b|^(?:Photos?|Images?|Videos?|Captions?): "
)
# "How the flood came 02:14 - Source: Wire", and the labels of a player.
_VIDEO = re.compile(r"\b\d{1,2}:\d\d(?: - Source: .{1,40})?$|\b(?:JUST WATCHED|NOW PLAYING)\b")
_BYLINE = re.compile(
    rf"(?:By|Contributing|Contributors?|(?:Reporting|Editing|Writing) by)[: ]\s?{_NAME}"
)
# Orders and offers to the reader of a page.
_ORDER = re.compile(
    r"[^\w“\"‘']{0,4}(?:(?:to|please|want to|you can(?= [\w ]{1,20} (?:here|to our|our))) )?"
    r"(?:sign up|subscribe|click|tap|read more|read (?:the|our) (?:full|latest|whole)"
    r"|download (?:the|our)|follow (?:us|me|our)|see (?:also|more)|watch(?: (?:this|more|live)|:)"
    r"|contact|email|e-mail|join us|share this|have a (?:tip|story|question)"
    r"|get .{0,60}(?:newsletter|inbox))\b",
    re.IGNORECASE,
)
# What a page says about itself.
_NOTE = re.compile(
    r"[\W_]{0,3}(?:Editor(?:’s|'s|s’|s')? [Nn]ote\b|A version of this"
    r"|(?:Correction|Clarification)s?:"
    r"|(?:The|This) (?:story|article|post|column|essay|newsletter|page|live blog) "
    r"(?:is part|was (?:first|originally|updated|corrected|produced)|has been (?:updated|corrected)"
    r"|(?:first|originally) |contains|will be updated|may contain)"
    r"|The (?:views|opinions) expressed|Recommendations are|All rights reserved)"
)
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.\w|\bhttps?://|\bwww\.\w")
_DATE = r"(?:[A-Z][a-z]{2,8}\.? \d{1,2}(?:, \d{4})?|\d{1,2} [A-Z][a-z]{2,8}\.?)"
_PLACE = rf"{_NAME}(?:,? (?:and |de |of |the )?(?:{_DATE}|{_NAME})){{0,6}}"
_DASH = r"(?:[–—]|--?)"
# Place, day and agency before a report's first words: "VALENCIA, Oct 30 (Wire) -".
_DATELINE = re.compile(
    rf"(?:{_PLACE},? ?)?\([A-Z][\w .,/&’'-]{{1,40}}\) ?(?:{_DASH}\s*)?(?=[“\"‘'A-Z0-9À-Þ])"
    rf"|(?=[A-ZÀ-Þ][A-ZÀ-Þ’'-]{{2}}){_PLACE},? ?{_DASH}\s*(?=[“\"‘'A-Z0-9À-Þ])"
)
_BULLET = re.compile(r"[•►▪‣◦·*]\s*(?=\w)|👉\s*")
_PLACE_AND_DASH = re.compile(rf"{_PLACE},? ?{_DASH}\s+(?=[“\"‘'A-Z0-9À-Þ])")


def lead_in_end(line: str, *, start: int) -> int:
    """Return the length of a line's bullet or dateline ("VALENCIA, Oct 30 (Wire) -"); 0 for none.

    Args:
        line: The line.
        start: Its start in its article, in characters: elsewhere than in the opening, a place in
            small letters with a dash is part of the sentence.
    """
    match = _BULLET.match(line) or _DATELINE.match(line)
    if match is None and start < OPENING:
        match = _PLACE_AND_DASH.match(line)
    return match.end() if match else 0


_LEANS = re.compile(
    r"[“\"‘'(]?(?:(?:But|And|So|Yet|Then|Still|Now|Later|Instead|Meanwhile),? )?"
    r"(?:[Hh]e|[Ss]he|[Ii]t|[Tt]hey|[Tt]his|[Tt]hat|[Tt]hese|[Tt]hose|[Hh]is|[Hh]er|[Ii]ts|[Tt]heir"
    r"|[Tt]he (?:former|latter|two|pair|trio|couple|same|other))\b(?! who\b)"
)


def leans_on_previous(sentence: str) -> bool:
    """Return whether a sentence opens with a word that the one before explains: "He was 96"."""
    return _LEANS.match(sentence) is not None


def is_fragment(text: str, *, opens_line: bool = True) -> bool:
    """Return whether a text is no statement that can be quoted by itself.

    Args:
        text: A sentence or line of an article.
        opens_line: Whether it is the first of its line; a beheaded one starts in lower case there.
    """
    bare = text.strip()
    words = bare.split()
    if (opens_line and bare[:1].islower() and bare[1:2].islower()) or bare[:1] in "–—-":
        return True
    if any(p.match(bare) for p in (_ORDER, _NOTE, _TEASER)) or bare.isupper():
        return True
    if any(p.search(bare) for p in (_VIDEO, _CREDIT, _ADDRESS)):
        return True
    if ends_sentence(bare):
        return len(words) == 1 and bare.isascii()
    return len(words) < UNENDED_WORDS or _is_title(words) or _opens_byline(bare)


def _opens_byline(text: str) -> bool:
    return _BYLINE.match(text) is not None


def _is_title(words: list[str]) -> bool:
    """Return whether words are capitalised as in a title, or are a list of names."""
    long = [word for word in words if word[0].isalpha() and word.lower() not in STOP_WORDS]
    return sum(word[0].isupper() for word in long) >= CAPITALISED * len(long)
