"""Tokenizer, stemmer and stop words per language.

Chinese, Japanese and Korean text, whose words spaces alone do not separate, becomes pairs of
characters, as in Lucene's CJK analyser. The language of a question is unknown, so it is stemmed by
the rules of every language in the index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import tantivy

ENGLISH = "english"  # also if the language is unknown
PLAIN = "plain"  # for languages without a stemmer
STEMMED = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": ENGLISH,
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
WITHOUT_STOP_WORDS = {
    "arabic",
    "greek",
    "romanian",
    "tamil",
    "turkish",
}  # Tantivy has no lists for these
LONGEST = 64  # bytes; longer terms are dropped
_CJK = re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]+")


def stemming_rules(language: str) -> str:
    """Return the name of the stemming rules for a language, given as a BCP 47 tag."""
    code = language.casefold().partition("-")[0]
    return STEMMED.get(code, PLAIN) if code else ENGLISH


def analyze(text: str, rule: str = ENGLISH) -> list[str]:
    """Return the terms of a text in order, by one language's rules."""
    return list(_analyser(rule).analyze(_CJK.sub(_pairs, text)))


def analyze_with(text: str, names: Iterable[str]) -> list[str]:
    """Return the distinct terms of a text by several languages' rules."""
    return list(dict.fromkeys(term for name in names for term in analyze(text, name)))


def _pairs(run: re.Match[str]) -> str:
    characters = run[0]
    pairs = (characters[i : i + 2] for i in range(max(len(characters) - 1, 1)))
    return f" {' '.join(pairs)} "


@cache
def _analyser(rule: str) -> tantivy.TextAnalyzer:
    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST))
        .filter(tantivy.Filter.lowercase())
    )
    if rule == ENGLISH:  # the English stemmer doesn't handle accents
        builder = builder.filter(tantivy.Filter.ascii_fold())
    if rule != PLAIN and rule not in WITHOUT_STOP_WORDS:
        builder = builder.filter(tantivy.Filter.stopword(rule))
    if rule != PLAIN:
        builder = builder.filter(tantivy.Filter.stemmer(rule))
    if rule != ENGLISH:
        builder = builder.filter(tantivy.Filter.ascii_fold())
    return builder.build()
