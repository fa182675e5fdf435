"""File names of exports, made from a question or a name and valid on every file system."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 60  # characters before the suffix
LONGEST_BYTES = 120  # of them in UTF-8; file systems allow 255, and some programs lengthen names
# Names of devices, which Windows doesn't allow with any suffix.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)")
_APOSTROPHES = str.maketrans("", "", "'’ʼ`´")
# Latin letters that don't decompose into a base letter and an accent.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h"}
)


def file_name(text: str, suffix: str, *, fallback: str = "export") -> str:
    """Return a file name such as "what-did-south-korea-threaten.docx".

    Letters and digits of any script stay, Latin ones without accents; everything else becomes a
    hyphen. So the name has no character with a meaning to a shell, a path or an HTTP header's
    quotes.

    Args:
        text: A question, or a name.
        suffix: The suffix, without a dot.
        fallback: The name if the text has no letter and no digit.
    """
    words = _slug(text).split("-")
    kept = words[0][:LONGEST]
    for word in words[1:]:
        if len(kept) + len(word) >= LONGEST:
            break
        kept = f"{kept}-{word}"
    kept = kept.encode()[:LONGEST_BYTES].decode("utf-8", "ignore").strip("-") or fallback
    if _DEVICE.fullmatch(kept):
        kept = f"{fallback}-{kept}"
    return f"{kept}.{suffix}"


def _slug(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    letters: list[str] = []
    for character in folded.translate(_LETTERS):
        before = letters[-1] if letters else "-"
        if unicodedata.combining(character) and before.isascii():
            continue  # an accent of a Latin letter, or of none
        is_mark = unicodedata.category(character) in ("Mn", "Mc") and before != "-"
        letters.append(character if character.isalnum() or is_mark else "-")
    return "-".join(filter(None, unicodedata.normalize("NFC", "".join(letters)).split("-")))
