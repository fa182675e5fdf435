"""Language of an article as an ISO 639-1 code."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

# Characters to classify; 1,500 gave the same answers at a third of the whole reading time.
_SAMPLE = 600
_NAMES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "français": "fr",
    "spanish": "es", "español": "es", "russian": "ru", "русский": "ru", "ukrainian": "uk",
    "українська": "uk", "korean": "ko", "한국어": "ko", "chinese": "zh", "中文": "zh",
    "arabic": "ar", "العربية": "ar", "japanese": "ja", "portuguese": "pt", "italian": "it",
    "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "rus": "ru",
    "ukr": "uk", "kor": "ko", "zho": "zh", "chi": "zh", "ara": "ar",
}  # fmt: skip


# Site templates declare "en" above any text, so a declared language must fit the script.
_LATIN = re.compile(r"[a-zA-ZÀ-ɏẀ-ỿ]")
_IN_LATIN = frozenset(
    "en de fr es it pt nl pl cs sk sv da no nb fi tr ro hu vi id ca et lt lv".split()
)
_IN_OTHERS = frozenset("ru uk bg be mk el ko zh ja ar fa ur he hi bn ta te th ka hy".split())
_FITS = 0.3  # share of letters in the language's script; texts contain foreign names


def language_of(text: str, declared: str = "") -> str:
    """Return the declared language if the script fits it, otherwise the detected one.

    Args:
        text: The article's text.
        declared: The language its source declares, as a code, a tag or a name.

    Returns:
        An ISO 639-1 code; "" if the text has no letters.
    """
    declared = declared.strip().casefold()
    code = _NAMES.get(declared) or re.split(r"[-_]", declared)[0]
    if re.fullmatch(r"[a-z]{2}", code) and _fits_script(code, text[:_SAMPLE]):
        return code
    if not any(char.isalpha() for char in text[:_SAMPLE]):
        return ""
    return str(_classifier()(text[:_SAMPLE])[0])


def _fits_script(code: str, text: str) -> bool:
    """Return whether the script of a text is compatible with a language."""
    letters = sum(map(str.isalpha, text))
    latin = len(_LATIN.findall(text)) / letters if letters else _FITS
    return latin >= _FITS if code in _IN_LATIN else latin <= 1 - _FITS or code not in _IN_OTHERS


@cache
def _classifier() -> Any:
    import py3langid  # 0.5 s, and 1 s for its model; only if no language is declared

    return py3langid.classify
