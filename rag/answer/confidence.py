"""How often an answer like this one holds what was asked: measured, and said where it is seldom."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rag.answer.sentence_scoring import Candidate

# Logistic regression on whether the first three statements hold the known answer, word for word, of
# 461 questions over all 11,746 articles, by the score of the best sentence.  On the halves that it
# was not fitted on, three times over, what it says is off by .02 in the mean; again:
# `backfile evaluate answers QUESTIONS`, the rows of "calibration".
SLOPE = 0.8
MIDDLE = 8.8  # the score at which every other answer holds it
SELDOM = 0.25  # below it the reader is told: of 100 such answers 15 to 20 held it

MAY_NOT_ANSWER = "These are the closest sentences found; they may not be the answer."


def confidence(ranked: Sequence[Candidate]) -> float:
    """Return how probable it is, from 0 to 1, that the best of `ranked` hold what was asked."""
    if not ranked:
        return 0.0
    return 1 / (1 + math.exp(SLOPE * (MIDDLE - ranked[0].score)))


def in_words(probability: float) -> str:
    """Return what the reader is told of it; nothing where it is no less than usual."""
    return MAY_NOT_ANSWER if probability < SELDOM else ""
