"""Detect keyword stuffing: repeated keywords, keyword lists, and repeated questions.

Rules over word counts, calibrated on the passages of 11,746 real articles, so that tables, price
lists and glossaries, which repeat their labels, stay below the limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from rag.nlp.analyzers import stem
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


def is_stuffed(text: str, asked: Collection[str] = ()) -> bool:
    """Return True if a passage repeats words as no prose does.

    Args:
        text: The passage.
        asked: Stems of the question's content words; without them only the text itself counts.
    """
    tokens = [match[0].casefold() for match in TOKEN.finditer(text)]
    if len(tokens) < SHORTEST:
        return False
    meaning = Counter(t for t in tokens if t not in STOP_WORDS and not t.isdigit())
    repeated = sum(max(0, n - 2) for _, n in meaning.most_common(8))
    if repeated >= MOST_REPEATED * len(tokens):
        return True
    runs = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    if len(runs) - len(set(runs)) >= MOST_RUNS_REPEATED * len(runs):
        return True
    return len(asked) > 1 and _says_the_question(tokens, meaning, asked)


def is_stuffed_title(title: str) -> bool:
    """Return True if a title repeats its words, or is too long for a headline."""
    tokens = [match[0].casefold() for match in TOKEN.finditer(title)]
    meaning = Counter(t for t in tokens if t not in STOP_WORDS)
    again = sum(max(0, n - 2) for n in meaning.values())
    return len(tokens) > LONGEST_TITLE or again >= max(3, 0.2 * len(tokens))


def _says_the_question(
    tokens: Sequence[str], meaning: Counter[str], asked: Collection[str]
) -> bool:
    counts = dict.fromkeys(asked, 0)
    for token, n in meaning.items():
        stemmed = stem(token)
        if stemmed in counts:
            counts[stemmed] += n
    often = [n - TOLD_OFTEN for n in counts.values() if n > TOLD_OFTEN]
    if 2 * len(often) >= max(4, len(asked)) and sum(often) >= QUESTION_REPEATED * len(tokens):
        return True
    function_words = sum(token in STOP_WORDS for token in tokens)
    return (
        len(tokens) >= SHORTEST_LIST
        and function_words < FEWEST_FUNCTION_WORDS * len(tokens)
        and sum(counts.values()) >= QUESTION_SHARE * len(tokens)
        and sum(n > 0 for n in counts.values()) > 2
    )
