"""Tokenizer, stemmer and stop words per language.

Chinese, Japanese and Korean text, whose words spaces alone do not separate, becomes pairs of
characters, as in Lucene's CJK analyser. The language of a question is unknown, so it is stemmed by
the rules of every language in the index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

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


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a stem that inflected forms of an English word share, as in the text index.

    Irregular forms, and some nouns of verbs ("death", "decision"), have the stem of the verb.
    """
    low = word.lower().replace("’", "'").removesuffix("'s").strip("'")
    low = IRREGULAR.get(low, low)  # before the length check: "won" and "led" are short
    if not low.isalpha() or len(low) < 4:
        return low
    return "".join(_stemmer().analyze(low)) or low


@cache
def _stemmer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw())
    folded = builder.filter(tantivy.Filter.ascii_fold())
    return folded.filter(tantivy.Filter.stemmer(ENGLISH)).build()


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


IRREGULAR = {
    "said": "say", "says": "say", "told": "tell", "sent": "send", "won": "win", "wins": "win",
    "winning": "win", "winner": "win", "killed": "kill", "died": "die", "dying": "die",
    "death": "die", "dead": "die", "deaths": "die", "dies": "die", "began": "begin",
    "begun": "begin", "bought": "buy", "sold": "sell", "sale": "sell", "sales": "sell",
    "chose": "choose", "chosen": "choose", "fell": "fall", "fallen": "fall", "found": "find",
    "gave": "give", "held": "hold", "kept": "keep", "knew": "know", "known": "know", "led": "lead",
    "left": "leave", "lost": "lose", "loss": "lose", "met": "meet", "paid": "pay", "ran": "run",
    "rose": "rise", "risen": "rise", "sang": "sing", "shot": "shoot", "spoke": "speak",
    "spoken": "speak", "stood": "stand", "struck": "strike", "taught": "teach", "thought": "think",
    "threw": "throw", "took": "take", "taken": "take", "wore": "wear", "worn": "wear",
    "wrote": "write", "written": "write", "broke": "break", "broken": "break", "built": "build",
    "brought": "bring", "caught": "catch", "drew": "draw", "drove": "drive", "felt": "feel",
    "fought": "fight", "flew": "fly", "flown": "fly", "grew": "grow", "grown": "grow",
    "hid": "hide", "hidden": "hide", "men": "man", "women": "woman", "children": "child",
    "people": "person", "stole": "steal", "stolen": "steal", "beat": "beat", "beaten": "beat",
    "resignation": "resign", "decision": "decide", "signing": "sign", "signed": "sign",
    "arrival": "arrive", "growth": "grow", "height": "high", "elected": "elect",
    "married": "marry", "marriage": "marry", "wedding": "marry", "wed": "marry",
}  # fmt: skip
