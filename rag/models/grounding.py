"""Grounding model: the words of a sentence that its evidence doesn't support.

A token classifier of the kind of LettuceDetect (Kovács and Recski, 2025, arXiv 2502.17125): it
reads a prompt with the evidence, then the sentence, and gives each token of the sentence the
probability that the evidence doesn't support it. The prompt is RAGTruth's for a text without a
question (Niu et al., 2024, arXiv 2401.00396): such models are trained with it, and LettuceDetect
uses it where it gets no question (github.com/KRLabsOrg/LettuceDetect, prompts and detectors).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.torch_backend import TokenClassifier
from rag.models.weights import longest_input, read_json
from rag.schema import Grounding, Span

# The longest input that such models are trained with (LettuceDetect's list of models).
MAX_TOKENS = 4096
# Tokens with at least this probability are unsupported: the more probable of two labels.
UNSUPPORTED_FROM = 0.5
# Special tokens around the two texts: three in BERT's format, four in RoBERTa's.
SPECIAL_TOKENS = 4
# A token count of a part may be one less than in the whole, where two tokens are merged.
SPARE_TOKENS = 2

_UNSUPPORTED = ("halluc", "unsupport", "not_support", "not support", "ungrounded", "contradict")
_SUPPORTED = ("support", "grounded", "faithful", "consistent")


class TokenGrounding:
    """Token classifier that judges sentences against evidence. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Take the model in a folder; it is loaded on first use.

        Raises:
            ModelError: The config doesn't have two labels of which one means unsupported.
        """
        self.folder = folder
        self._label = _unsupported_label(folder)
        self._max_tokens = longest_input(folder, most=MAX_TOKENS)
        self._model = TokenClassifier(folder)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Grounding]:
        """Return a judgement of each pair of (evidence, sentence), in order.

        The probability of a sentence is 1 less the highest of its tokens. Evidence that is too long
        for the model is judged in parts, and the part that supports the sentence best counts.

        Raises:
            ModelError: The model can't be loaded.
        """
        return [self._judge(evidence, sentence) for evidence, sentence in pairs]

    def _judge(self, evidence: str, sentence: str) -> Grounding:
        if not evidence.strip() or not sentence.strip():
            return Grounding(0.0)
        parts = self._parts(evidence, sentence)
        return max((self._judge_part(part, sentence) for part in parts), key=_probability)

    def _judge_part(self, evidence: str, sentence: str) -> Grounding:
        places, rows = self._model.predict(
            prompt_for(evidence), sentence, max_tokens=self._max_tokens
        )
        if not places:
            return Grounding(0.0)
        unsupported = rows[:, self._label]
        return Grounding(1 - float(unsupported.max()), _spans(places, unsupported, sentence))

    def _parts(self, evidence: str, sentence: str) -> Iterator[str]:
        """Yield the evidence, or parts of it with whole lines if it is too long together."""
        frame, answer, whole = self._model.count_tokens([prompt_for(""), sentence, evidence])
        room = self._max_tokens - SPECIAL_TOKENS - SPARE_TOKENS - answer - frame
        if whole <= room:
            yield evidence
            return
        lines = [line for line in evidence.splitlines() if line.strip()]
        part, taken = list[str](), 0
        for line, size in zip(lines, self._model.count_tokens(lines), strict=True):
            if part and taken + size + 1 > room:  # one for the line break
                yield "\n".join(part)
                part, taken = [], 0
            part.append(line)
            taken += size + 1
        yield "\n".join(part)


def prompt_for(evidence: str) -> str:
    """Return the prompt that the sentence follows, as if it were a summary of the evidence."""
    return f"Summarize the following text:\npassage 1: {evidence}\noutput:"


def _probability(one: Grounding) -> float:
    return one.probability


def _spans(
    places: Sequence[tuple[int, int]], unsupported: NDArray[np.float32], sentence: str
) -> tuple[Span, ...]:
    """Return runs of unsupported tokens, without the spaces at their ends."""
    runs: list[tuple[int, int]] = []
    goes_on = False
    for (start, end), value in zip(places, unsupported.tolist(), strict=True):
        if value < UNSUPPORTED_FROM:
            goes_on = False
        elif goes_on:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
            goes_on = True
    trimmed = (_trim(start, end, sentence) for start, end in runs)
    return tuple(Span(start, end) for start, end in trimmed if start < end)


def _trim(start: int, end: int, sentence: str) -> tuple[int, int]:
    text = sentence[start:end]
    return start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())


def _unsupported_label(folder: Path) -> int:
    """Return the position of the label for tokens without support.

    Models name it, or have the plain labels 0 and 1, of which 1 means unsupported.
    """
    config: dict[str, Any] = read_json(folder / "config.json")
    named = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}  # transformers' default
    labels = {int(place): str(name).lower() for place, name in named.items()}
    against = [n for n, label in labels.items() if any(part in label for part in _UNSUPPORTED)]
    for_it = [
        n
        for n, label in labels.items()
        if n not in against and any(part in label for part in _SUPPORTED)
    ]
    if labels == {0: "label_0", 1: "label_1"} or labels == {0: "0", 1: "1"}:
        return 1
    if len(labels) == 2 and len(against) == 1:
        return against[0]
    if len(labels) == 2 and not against and len(for_it) == 1:
        return 1 - for_it[0]
    shown = ", ".join(str(label) for label in named.values())
    raise ModelError(
        f"{folder} is not a grounding model: its labels are {shown}, not supported and "
        "unsupported: set BACKFILE_GROUNDING_MODEL to another one"
    )
