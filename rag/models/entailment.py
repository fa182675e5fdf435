"""Entailment model: how probably a passage entails or contradicts a claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.errors import ModelError
from rag.models.torch_backend import CrossEncoder
from rag.models.weights import read_json

Probabilities = tuple[float, float, float]  # entailed, neutral, contradicted
_JUDGEMENTS = ("entail", "neutral", "contradict")
_NEITHER = ("not_entail", "not-entail", "non_entail", "non-entail")


class EntailmentModel:
    """Cross-encoder trained on entailment.

    The order of its outputs differs between models; it is read from `id2label`.
    """

    def __init__(self, folder: Path) -> None:
        """Take the model in a folder; it is loaded on first use.

        Raises:
            ModelError: The config has no label for entailment.
        """
        self.folder = folder
        self._places = _places(folder)
        self._model = CrossEncoder(folder)

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[Probabilities]:
        """Return the probabilities of each pair of (passage, claim)."""
        if not pairs:
            return []
        rows = self._model.predict(pairs, apply_softmax=True)
        entailed, neutral, contradicted = (
            rows[:, place].sum(axis=1).tolist() for place in self._places
        )
        return list(zip(entailed, neutral, contradicted, strict=True))


def _places(folder: Path) -> tuple[list[int], list[int], list[int]]:
    """Return the output positions of the labels entailed, neutral and contradicted.

    A model with two labels only separates entailed from the rest, which counts as neutral.
    """
    labels = read_json(folder / "config.json").get("id2label") or {}
    places: tuple[list[int], list[int], list[int]] = ([], [], [])
    for place, label in labels.items():
        judged = str(label).lower().replace(" ", "_")
        if judged.startswith(_NEITHER):
            places[1].append(int(place))
            continue
        for known, listed in zip(_JUDGEMENTS, places, strict=True):
            if judged.startswith(known):
                listed.append(int(place))
    if len(places[0]) != 1 or sum(map(len, places)) != len(labels):
        named = ", ".join(map(str, labels.values())) or "none"
        raise ModelError(
            f"{folder} is not an entailment model: its labels are {named}, not entailment, "
            "neutral and contradiction: set BACKFILE_ENTAILMENT_MODEL to another one"
        )
    return places
