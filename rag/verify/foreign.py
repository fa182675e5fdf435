"""Claims in another language than their evidence: the figures still compare."""

from __future__ import annotations

import re

from rag.nlp.tokens import TOKEN

# Frequent words that English doesn't have, of languages in which a model may answer.
_FOREIGN = frozenset(
    """der die das und nicht ist sind wird mit den dem ein eine einer eines auf von für als auch
    bei nach über aus wurde wurden haben werden mehr sich zum zur
    le les des une dans est sont pour pas plus avec sur par qui que aux cette été selon du au
    el los las una por para con más del fue está según han su sus
    il gli della delle dei sono più nel nella che per alla stato
    het een niet van zijn voor met dat wordt naar
    não uma dos das foram mais pelo pela
    nie jest się że na do w z i
    och att som för inte av till på""".split()
)
_ENGLISH = frozenset(
    """the of and to is was were for that with by from has have had are been which their his her
    its this would will not but as at on an it who after said""".split()
)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[.  ]\d{3})+(?![\d.])")
_DECIMAL = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))")
_SCALES = (
    (re.compile(r"\b(?:Millionen|Million|Mio\.?|millones|millón|millions|milioni|milioen|miljoner|"
                r"milhões|milionów)(?![\w-])", re.IGNORECASE), "million"),
    (re.compile(r"\b(?:Milliarden|Milliarde|Mrd\.?|milliards?|miliardi|miljard|miljarder|bilhões|"
                r"miliardów)(?![\w-])", re.IGNORECASE), "billion"),
    (re.compile(r"\b(?:Tausend|mille|mil|mila|duizend|tusen|tysięcy)(?![\w-])", re.IGNORECASE),
     "thousand"),
    (re.compile(r"\b(?:Prozent|pour cent|por ciento|per cento|procent|por cento)\b",
                re.IGNORECASE), "percent"),
)  # fmt: skip


def is_foreign(claim: str, passage: str) -> bool:
    """Return whether a claim is in another language than its English passage.

    Args:
        claim: The claim.
        passage: The passage.
    """
    words = [word.lower() for word in TOKEN.findall(claim)]
    if not words:
        return False
    if sum(not _is_latin(word) for word in words) * 2 > len(words):
        return _is_latin(passage[:200])
    strange = sum(word in _FOREIGN for word in words)
    known = sum(word in _ENGLISH for word in words)
    theirs = [word.lower() for word in TOKEN.findall(passage[:2000])]
    is_english = sum(word in _ENGLISH for word in theirs) * 10 > len(theirs)
    return is_english and strange > known and strange >= 1


def _is_latin(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return not letters or sum(c < "\u0250" for c in letters) * 2 > len(letters)


def english_figures(text: str) -> str:
    """Return a text with its figures as English writes them: 1.100 and 3,5 Millionen."""
    text = _GROUPED.sub(lambda m: re.sub(r"[.  ]", ",", m[0]), text)
    text = _DECIMAL.sub(".", text)
    for pattern, word in _SCALES:
        text = pattern.sub(word, text)
    return text
