"""Tokens and stop words, for comparing texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.nlp.analyzers import stem

TOKEN = re.compile(r"[^\W_]++(?:[.,:](?=\d)[^\W_]++|[’'&-][^\W_]++)*+")

# Words without a topic, in texts and in questions.
FUNCTION_WORDS = frozenset(
    """a about after again all also am an and any anything are as at be because been before being
    between but by can could did do does down during each for from further get give had has
    have he her here hers him his how i if in into is it its just like make many may me
    might mine more most much must my no not of off on once one only or other our out over
    really same she should since so some such than that the their them then there these they
    this those to too up us very was we well were what when where which while who whom whose
    why will with would you your""".split()
)
# Words without a topic in texts only: a question may be about two weeks, or about today.
STOP_WORDS = FUNCTION_WORDS | frozenset(
    """above according across against almost along already although always amid among another
    anyone around away back became become below both came cannot come doing done either else
    even ever every few given go going gone got having herself himself however instead
    itself last later least less made making myself near need neither never next nor now
    often onto others ours own per perhaps put quite rather recent recently see seen several
    shall still take theirs themselves though through thus today together toward towards two
    under until upon use used via went whatever whether within without yet yours yourself s
    t re ve ll d m don didn doesn isn wasn aren weren won wouldn couldn shouldn hasn haven
    hadn ain week month year day weeks months years days yesterday tomorrow
    latest following""".split()
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text with its position and stem."""

    text: str
    start: int
    end: int
    stem: str

    @property
    def capital(self) -> bool:
        """True if the word is capitalised."""
        return self.text[0].isupper()

    @property
    def is_stop_word(self) -> bool:
        """True if the word is a stop word."""
        return self.text.lower().split("’")[0].split("'")[0] in STOP_WORDS


def tokenize(text: str) -> list[Word]:
    """Return the words of a text in order, including stop words."""
    return [Word(m[0], m.start(), m.end(), stem(m[0])) for m in TOKEN.finditer(text)]


def content_words(text: str) -> list[Word]:
    """Return the words of a text in order, without stop words."""
    return [word for word in tokenize(text) if not word.is_stop_word]


@lru_cache(maxsize=8192)
def stem_words(text: str) -> frozenset[str]:
    """Return the stems of the content words of a text."""
    return frozenset(word.stem for word in content_words(text))


def word_overlap(one: str, other: str) -> float:
    """Return the share of the shorter text's words that both texts have."""
    a, b = stem_words(one), stem_words(other)
    return len(a & b) / max(1, min(len(a), len(b)))
