"""Text that is written to be found: keywords repeated, keyword lists, a question said again.

Rules over counts of words. They are calibrated on the passages of 11,746 real articles, so that
tables, price lists and glossaries, which repeat their labels, stay below the limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from rag.nlp.tokens import STOP_WORDS, TOKEN, stem

SHORTEST = 12  # words of a text that is judged
TOLD_OFTEN = 3  # times that prose of a passage's length says a word without being stuffed with it
# Of the words of a passage: what the eight most frequent ones say beyond twice. Real: at most .46.
MOST_REPEATED = 0.55
# Of the runs of three words: those said before. Real: at most .54, in galleries of captions.
MOST_RUNS_REPEATED = 0.65
# The same of the question's words alone: of these, few real passages say two so often.
QUESTION_REPEATED = 0.18
# A list of keywords: hardly a function word, and so much of it the question's.
FEWEST_FUNCTION_WORDS = 0.12
QUESTION_SHARE = 0.3
SHORTEST_LIST = 15  # words
LONGEST_TITLE = 60  # words: no headline runs on so


def is_stuffed(text: str, asked: Collection[str] = ()) -> bool:
    """Return whether a passage repeats words, or those of a question, as no prose does.

    Args:
        text: The passage.
        asked: The stems of the question's content words; without them only the text is judged.
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
    """Return whether a title repeats its words, or runs on, as no headline does."""
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
