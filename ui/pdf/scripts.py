"""Text as a PDF shows it: composed characters, Arabic letters joined, scripts named."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from rag.sanitize import strip_controls

CHARACTERS = 10_000  # whose properties are cached: a document asks for each of its letters
_FORMS = range(0xFB50, 0xFF00)  # the Arabic presentation forms of Unicode
_KINDS = ("<isolated>", "<final>", "<initial>", "<medial>")
_LAM = "ل"
_HIDDEN = ("Cc", "Cf", "Cs", "Cn", "Co")  # categories without a glyph of their own
_MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
_SPACES = re.compile(r"[^\S\n]+")


def plain_text(text: str) -> str:
    """Return a text without controls, composed, with plain spaces; line breaks stay."""
    seen = unicodedata.normalize("NFC", strip_controls(text.replace("\r\n", "\n")))
    seen = seen.replace("\x85", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _SPACES.sub(" ", "".join(c for c in seen if c == "\n" or not _is_hidden(c)))


def join_arabic(text: str) -> str:
    """Return a text with Arabic letters in the forms that they have beside one another.

    The forms are Unicode's own characters, so that a reader of the PDF finds and copies the words.
    A ligature of two letters replaces both.
    """
    forms = _arabic_forms()
    if not any(character in forms for character in text):
        return text
    joined: list[str] = []
    is_open = False  # whether the letter before joins the next one
    place = 0
    while place < len(text):
        pair = text[place : place + 2]
        letters = pair if text[place] == _LAM and pair in forms else text[place]
        place += len(letters)
        own = forms.get(letters)
        if own is None:
            joined.append(letters)
            is_open = is_open and is_mark(letters)
            continue
        following = forms.get(_next_letter(text, place), {})
        joins = "<initial>" in own and "<final>" in following
        after = "<final>" in own and is_open
        kind = ("<medial>" if joins else "<final>") if after else _FIRST[joins]
        joined.append(own.get(kind, letters))
        is_open = joins
    return "".join(joined)


_FIRST = {True: "<initial>", False: "<isolated>"}


def mirrored(text: str) -> str:
    """Return a text with brackets and quotation marks turned around, for right-to-left text."""
    return text.translate(_MIRRORED)


@lru_cache(CHARACTERS)
def is_mark(character: str) -> bool:
    """Return whether a character is set above, below or within the one before."""
    return unicodedata.combining(character) > 0 or unicodedata.category(character) in ("Mn", "Me")


def is_right_to_left(text: str) -> bool:
    """Return whether the first letter of a text is written from right to left."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((one in ("R", "AL") for one in directions if one in ("L", "R", "AL")), False)


def has_right_to_left(text: str) -> bool:
    """Return whether any part of a text is written from right to left."""
    return any(unicodedata.bidirectional(one) in ("R", "AL", "AN") for one in set(text))


def script_of(character: str) -> str:
    """Return the name of a character's script, such as "Tibetan"; its code if it has no name."""
    name = unicodedata.name(character, "")
    return name.split(" ")[0].capitalize() if name else f"U+{ord(character):04X}"


def _is_hidden(character: str) -> bool:
    if character in "\u200c\u200d":  # joiners, which shaping needs
        return False
    return unicodedata.category(character) in _HIDDEN or "\ufe00" <= character <= "\ufe0f"


def _next_letter(text: str, place: int) -> str:
    while place < len(text) and is_mark(text[place]):
        place += 1
    return text[place : place + 1]


@cache
def _arabic_forms() -> dict[str, dict[str, str]]:
    """Return the presentation forms of each Arabic letter, by kind."""
    forms: dict[str, dict[str, str]] = {}
    for code in _FORMS:
        kind, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        if kind in _KINDS and len(letters) <= 2:
            whole = "".join(chr(int(letter, 16)) for letter in letters)
            if len(whole) == 1 or (whole[0] == _LAM and whole[1] in "اأإآ"):
                forms.setdefault(whole, {})[kind] = chr(code)
    return forms
