"""Entailment models: label order is read from the config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models.loading import open_entailment_model
from rag.settings import Settings
from rag.verify.verifier import Verifier
from tests.models.test_models import save_bert
from tests.support.fake_archive import bag_of_words
from tests.verify.test_verifier import BOAT

pytestmark = pytest.mark.model


def settings_with_labels(folder: Path, labels: tuple[str, ...], certain: int) -> Settings:
    """Return settings with a small cross-encoder that gives every pair the label `certain`."""
    import torch
    from transformers import BertForSequenceClassification

    save_bert(folder, labels=len(labels))
    model = BertForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(
            torch.tensor([4.0 * (i == certain) for i in range(len(labels))])
        )
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: i for i, label in enumerate(labels)}
    model.save_pretrained(folder)
    return Settings(entailment_model=str(folder))


@pytest.mark.parametrize(
    ("labels", "certain", "place"),
    [
        (("contradiction", "entailment", "neutral"), 1, 0),  # as cross-encoder/nli-... orders them
        (("ENTAILMENT", "NEUTRAL", "CONTRADICTION"), 2, 2),
        (("entailment", "not_entailment"), 1, 1),
    ],
)
def test_label_order_follows_the_config(
    tmp_path: Path, labels: tuple[str, ...], certain: int, place: int
) -> None:
    model = open_entailment_model(settings_with_labels(tmp_path, labels, certain))
    assert model is not None
    (judged,) = model([("the ferry sails", "it sails")])
    assert judged[place] > 0.9
    assert sum(judged) == pytest.approx(1, abs=1e-5)
    assert model([]) == []


def test_verifier_uses_the_entailment_model(tmp_path: Path) -> None:
    claim = "The new ferry carries passengers."
    labels = ("contradiction", "entailment", "neutral")
    for certain, support in ((1, "supported"), (0, "contradicted"), (2, "not supported")):
        folder = tmp_path / support
        folder.mkdir()
        entails = open_entailment_model(settings_with_labels(folder, labels, certain))
        assert Verifier(bag_of_words, entails=entails).verify(claim, [BOAT]).support == support


def test_model_without_entailment_labels_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "good", "1": "bad"}}))
    with pytest.raises(ModelError, match="its labels are good, bad"):
        open_entailment_model(Settings(entailment_model=str(tmp_path)))


def test_unset_entailment_model_is_none() -> None:
    assert open_entailment_model(Settings()) is None
