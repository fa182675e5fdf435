"""Detect keyword stuffing: repeated keywords, keyword lists, and repeated questions.

Rules over word counts, calibrated on the passages of 11,746 real articles, so that tables, price
lists and glossaries, which repeat their labels, stay below the limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rag.nlp.analyzers import IRREGULAR, stem
from rag.nlp.tokens import STOP_WORDS, TOKEN

SHORTEST = 12  # words; shorter texts are never stuffed
TOLD_OFTEN = 3  # occurrences of a word that are normal in a passage
# Share of the eight most frequent words beyond their second use; at most .46 in real passages.
MOST_REPEATED = 0.55
# Share of repeated trigrams; at most .54 in real passages, in galleries of captions.
MOST_RUNS_REPEATED = 0.65
# The same for the question's words alone: few real passages repeat two of them so often.
QUESTION_REPEATED = 0.18
# A keyword list: few function words, and a large share of the question's words.
FEWEST_FUNCTION_WORDS = 0.12
QUESTION_SHARE = 0.3
SHORTEST_LIST = 15  # words
LONGEST_TITLE = 60  # words; no headline is longer
LAST_ASCII = "\x7f"


@dataclass(frozen=True, slots=True)
class Wording:
    """Words of a text, counted.

    Attributes:
        length: Number of words.
        counts: How often each word occurs, casefolded.
        run_count: Number of runs of three words.
        runs: Hashes of the different runs; they differ from process to process.
    """

    length: int
    counts: Mapping[str, int]
    run_count: int
    runs: frozenset[int]


@lru_cache(maxsize=4096)
def count_words(text: str) -> Wording:
    """Count the words of a text; the passages read last, some 9 kB each, are remembered."""
    words = list(map(str.casefold, TOKEN.findall(text)))
    runs = frozenset(map(hash, zip(words, words[1:], words[2:], strict=False)))
    return Wording(len(words), Counter(words), max(0, len(words) - 2), runs)


def is_stuffed(wording: Wording, asked: Collection[str] = ()) -> bool:
    """Return True if a passage repeats words as no prose does.

    Args:
        wording: The passage's words.
        asked: Stems of the question's content words; without them only the text itself counts.
    """
    if wording.length < SHORTEST:
        return False
    # Counting what is repeated is slow, so it is done only where so many words are repeated at all.
    if wording.length - len(wording.counts) >= MOST_REPEATED * wording.length:
        meaning = Counter({t: n for t, n in wording.counts.items() if _has_meaning(t)})
        repeated = sum(max(0, n - 2) for _, n in meaning.most_common(8))
        if repeated >= MOST_REPEATED * wording.length:
            return True
    if wording.run_count - len(wording.runs) >= MOST_RUNS_REPEATED * wording.run_count:
        return True
    return len(asked) > 1 and _says_the_question(wording, asked)


@lru_cache(maxsize=8192)
def is_stuffed_title(title: str) -> bool:
    """Return True if a title repeats its words, or is too long for a headline."""
    words = [word.casefold() for word in TOKEN.findall(title)]
    again = sum(n - 2 for t, n in Counter(words).items() if n > 2 and t not in STOP_WORDS)
    return len(words) > LONGEST_TITLE or again >= max(3, 0.2 * len(words))


def _has_meaning(word: str) -> bool:
    return word not in STOP_WORDS and not word.isdigit()


@lru_cache(maxsize=64)
def _initials(stems: frozenset[str]) -> frozenset[str]:
    """Return the first letters that ASCII words of these stems can have.

    Stemming keeps the first letter of a word, but for those of irregular forms.
    """
    forms = {form for form in IRREGULAR if stem(form) in stems}
    return frozenset(word[:1] for word in stems | forms)


def _says_the_question(wording: Wording, asked: Collection[str]) -> bool:
    counts, initials = dict.fromkeys(asked, 0), _initials(frozenset(asked))
    for token, n in wording.counts.items():
        if token[0] in initials or token[0] > LAST_ASCII:
            stemmed = stem(token)
            if stemmed in counts and _has_meaning(token):
                counts[stemmed] += n
    length = wording.length
    often = [n - TOLD_OFTEN for n in counts.values() if n > TOLD_OFTEN]
    if 2 * len(often) >= max(4, len(asked)) and sum(often) >= QUESTION_REPEATED * length:
        return True
    if length < SHORTEST_LIST or sum(counts.values()) < QUESTION_SHARE * length:
        return False
    function_words = sum(n for token, n in wording.counts.items() if token in STOP_WORDS)
    return function_words < FEWEST_FUNCTION_WORDS * length and sum(map(bool, counts.values())) > 2
