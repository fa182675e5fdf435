"""Grounding model: which words of a sentence the passages don't support.

A token classifier of the kind of LettuceDetect (Kovács and Recski, 2025, arXiv 2502.17125): it
reads the prompt of a question and its passages, then the answer, and gives each token of the
answer the probability that the passages don't support it. The prompts are those of RAGTruth (Niu
et al., 2024, arXiv 2401.00396), which such models are trained and used with, as
github.com/KRLabsOrg/LettuceDetect documents them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.torch_backend import TokenClassifier
from rag.models.weights import read_json

# The longest input that such models are trained with (model list of LettuceDetect's docs).
MAX_TOKENS = 4096
# Tokens with at least this probability are unsupported: the more probable of two labels.
UNSUPPORTED_FROM = 0.5
# Special tokens around a prompt and an answer: [CLS] ... [SEP] ... [SEP], or four in RoBERTa.
SPECIAL_TOKENS = 4

_QUESTION = (
    "Briefly answer the following question:\n{question}\n"
    "Bear in mind that your response should be strictly based on the following {count} passages:\n"
    "{passages}\n"
    "In case the passages do not contain the necessary information to answer the question, please "
    'reply with: "Unable to answer based on given passages."\noutput:'
)
_SUMMARY = "Summarize the following text:\n{passages}\noutput:"

_UNSUPPORTED_LABELS = ("halluc", "unsupport", "not_support", "not support", "contradict")
_SUPPORTED_LABELS = ("support", "ground", "faithful", "correct")


class UnsupportedSpan(NamedTuple):
    """A part of a sentence that the passages don't support, and how probably."""

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Grounding:
    """How far passages support a sentence.

    Attributes:
        support: Probability that they support all of it: 1 less the highest of any token.
        unsupported: The parts that they don't support, in order.
    """

    support: float
    unsupported: tuple[UnsupportedSpan, ...] = ()


class GroundingModel:
    """Token classifier that judges sentences against passages. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Take the model in a folder; it is loaded on first use.

        Raises:
            ModelError: The config has no two labels of which one means unsupported.
        """
        self.folder = folder
        self._label = _unsupported_label(folder)
        self._max_tokens = _max_tokens(folder)
        self._model = TokenClassifier(folder)

    def judge(self, question: str, passages: Sequence[str], sentence: str) -> Grounding:
        """Judge a sentence against passages.

        Passages that are too long together are judged in groups, and the group that supports the
        sentence best counts.

        Args:
            question: The question; "" if there is none.
            passages: The texts of the passages.
            sentence: A sentence of the answer.
        """
        if not passages or not sentence.strip():
            return Grounding(0.0)
        judged = (
            self._judge_group(question, group, sentence)
            for group in self._groups(question, passages, sentence)
        )
        return max(judged, key=lambda one: one.support)

    def _judge_group(self, question: str, passages: Sequence[str], sentence: str) -> Grounding:
        places, rows = self._model.predict(
            prompt_for(question, passages), sentence, max_tokens=self._max_tokens
        )
        if not places:
            return Grounding(0.0)
        column = rows[:, self._label]
        return Grounding(1 - float(column.max()), _spans(places, column, sentence))

    def _groups(
        self, question: str, passages: Sequence[str], sentence: str
    ) -> Iterator[Sequence[str]]:
        """Yield consecutive passages that fit into one input with the sentence."""
        numbered = [_numbered(n, passage) for n, passage in enumerate(passages, 1)]
        frame, answer, *sizes = self._model.count_tokens(
            [prompt_for(question, [""]), sentence, *numbered]
        )
        room = self._max_tokens - SPECIAL_TOKENS - answer - frame
        group, taken = list[str](), 0
        for passage, size in zip(passages, sizes, strict=True):
            if group and taken + size + 1 > room:  # one for the line break
                yield group
                group, taken = [], 0
            group.append(passage)
            taken += size + 1
        yield group


def prompt_for(question: str, passages: Sequence[str]) -> str:
    """Return the prompt of RAGTruth for a question, or for a summary if there is none."""
    numbered = "\n".join(_numbered(n, passage) for n, passage in enumerate(passages, 1))
    if not question.strip():
        return _SUMMARY.format(passages=numbered)
    return _QUESTION.format(question=question, count=len(passages), passages=numbered)


def _numbered(number: int, passage: str) -> str:
    return f"passage {number}: {passage}"


def _spans(
    places: Sequence[tuple[int, int]], column: NDArray[np.float32], sentence: str
) -> tuple[UnsupportedSpan, ...]:
    """Return runs of unsupported tokens, without the spaces at their ends."""
    runs: list[UnsupportedSpan] = []
    open_run = False
    for (start, end), value in zip(places, column.tolist(), strict=True):
        if value < UNSUPPORTED_FROM:
            open_run = False
        elif open_run:
            last = runs[-1]
            runs[-1] = UnsupportedSpan(last.start, end, max(last.probability, value))
        else:
            runs.append(UnsupportedSpan(start, end, value))
            open_run = True
    trimmed = (_trim(run, sentence) for run in runs)
    return tuple(run for run in trimmed if run.start < run.end)


def _trim(run: UnsupportedSpan, sentence: str) -> UnsupportedSpan:
    text = sentence[run.start : run.end]
    start = run.start + len(text) - len(text.lstrip())
    return run._replace(start=start, end=run.end - (len(text) - len(text.rstrip())))


def _max_tokens(folder: Path) -> int:
    """Return the longest input of the model."""
    config = read_json(folder / "config.json")
    of_tokenizer = read_json(folder / "tokenizer_config.json").get("model_max_length")
    limits = (of_tokenizer, config.get("max_position_embeddings"), MAX_TOKENS)
    return int(min(limit for limit in limits if limit))


def _unsupported_label(folder: Path) -> int:
    """Return the position of the label for tokens without support.

    Models name it, or have the plain labels 0 and 1, of which 1 means unsupported.
    """
    config = read_json(folder / "config.json")
    labels = {int(place): str(name).lower() for place, name in _labels(config).items()}
    unsupported = [
        place for place, name in labels.items() if any(part in name for part in _UNSUPPORTED_LABELS)
    ]
    plain = all(name == f"label_{place}" for place, name in labels.items())
    others = [
        place
        for place, name in labels.items()
        if place not in unsupported and any(part in name for part in _SUPPORTED_LABELS)
    ]
    if len(labels) == 2 and plain:
        return 1
    if len(labels) == 2 and len(unsupported) == 1:
        return unsupported[0]
    if len(labels) == 2 and len(others) == 1:
        return 1 - others[0]
    named = ", ".join(labels.values()) or "none"
    raise ModelError(
        f"{folder} is not a grounding model: its labels are {named}, not supported and "
        "unsupported: set BACKFILE_GROUNDING_MODEL to another one"
    )


def _labels(config: dict[str, object]) -> dict[str, object]:
    """Return the labels of a config; without any, transformers means two plain ones."""
    labels = config.get("id2label") or {"0": "label_0", "1": "label_1"}
    assert isinstance(labels, dict)
    return labels
