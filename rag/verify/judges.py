"""Protocols of the models that judge whether evidence supports a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from rag.schema import Grounding

# Maps pairs of (evidence, sentence) to probabilities of entailed, neutral and contradicted.
Entails = Callable[[Sequence[tuple[str, str]]], Sequence[tuple[float, float, float]]]


class GroundingModel(Protocol):
    """A model that marks the parts of a sentence that its evidence doesn't support.

    LettuceDetect and similar token classifiers are such models.
    """

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Grounding]:
        """Return a judgement of each pair.

        Args:
            pairs: Pairs of the evidence and the sentence.

        Returns:
            One judgement a pair, in order; its ranges are of the sentence's characters.
        """
        ...
