"""Grounding models: tiny token classifiers that mark what the tests taught them to mark."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rag.answer.chatbot import Chatbot
from rag.errors import ModelError
from rag.models.grounding import TokenGrounding, prompt_for
from rag.models.loading import open_grounding_model
from rag.schema import Span
from rag.settings import Settings
from rag.verify.judges import GroundingModel
from rag.verify.verifier import Verifier
from tests.support.fake_archive import bag_of_words
from tests.support.fakes import small_archive
from tests.support.tiny_transformers import ARCHITECTURES, Architecture, save_token_classifier
from tests.verify.test_verifier import BOAT

pytestmark = pytest.mark.model

EVIDENCE = "The ferry sailed on Monday with 90 people."
CLAIM = "The ferry sailed with 95 people on Monday."


def marking(folder: Path, marked: str, **config: object) -> Path:
    """Save a classifier without attention that marks these characters and no others."""
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    save_token_classifier(folder, "bert", **config)
    model = AutoModelForTokenClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(marked, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        for layer in model.bert.encoder.layer:
            for part in (layer.attention.output.dense, layer.output.dense):
                part.weight.zero_()
                part.bias.zero_()
        embeddings = model.bert.embeddings
        embeddings.position_embeddings.weight.zero_()
        embeddings.token_type_embeddings.weight.zero_()
        words = embeddings.word_embeddings.weight
        words.zero_()
        words[:, 0], words[:, 1] = 1, -1
        words[ids, 0], words[ids, 1] = -1, 1
        model.classifier.weight.zero_()
        model.classifier.bias.zero_()
        model.classifier.weight[1, 1] = 2  # the second label follows the second dimension
        model.classifier.weight[0, 0] = 2
    model.save_pretrained(folder)
    return folder


def test_unsupported_spans_are_ranges_of_the_sentence(tmp_path: Path) -> None:
    model = TokenGrounding(marking(tmp_path, "5"))
    (judged,) = model.judge([(EVIDENCE, CLAIM)])
    assert [CLAIM[span.start : span.end] for span in judged.unsupported] == ["5"]
    assert judged.probability < 0.5
    (clean,) = model.judge([(EVIDENCE, EVIDENCE)])
    assert clean.unsupported == ()
    assert clean.probability > 0.5


def test_spans_have_no_spaces_at_their_ends(tmp_path: Path) -> None:
    (judged,) = TokenGrounding(marking(tmp_path, " 95")).judge([(EVIDENCE, "Naïve: 95 ü sailed.")])
    assert [span for span in judged.unsupported if "Naïve: 95 ü sailed."[span.start] != " "]
    assert judged.unsupported == (Span(7, 9),)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_probabilities_equal_those_of_transformers(tmp_path: Path, kind: Architecture) -> None:
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    folder = save_token_classifier(tmp_path, kind)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    itself = AutoModelForTokenClassification.from_pretrained(folder).eval()
    encoded = tokenizer(prompt_for(EVIDENCE), CLAIM, return_tensors="pt")
    with torch.no_grad():
        rows = torch.softmax(itself(**encoded).logits[0], dim=-1)[:, 1].numpy()
    of_claim = [n for n, part in enumerate(encoded.sequence_ids(0)) if part == 1]
    (judged,) = TokenGrounding(folder).judge([(EVIDENCE, CLAIM)])
    np.testing.assert_allclose(judged.probability, 1 - rows[of_claim].max(), atol=1e-5)
    starts = [span.start for span in judged.unsupported]
    assert starts == sorted(starts)
    assert all(0 <= span.start < span.end <= len(CLAIM) for span in judged.unsupported)


def test_the_prompt_is_the_one_that_the_models_are_trained_with() -> None:
    assert prompt_for("A.\nB.") == "Summarize the following text:\npassage 1: A.\nB.\noutput:"


def test_long_evidence_is_judged_in_parts_and_the_best_counts(tmp_path: Path) -> None:
    folder = save_token_classifier(tmp_path)
    model = TokenGrounding(folder)
    lines = [f"Line {n} says that the harbour was closed at noon." for n in range(12)]
    (judged,) = model.judge([("\n".join(lines), CLAIM)])
    parts = list(model._parts("\n".join(lines), CLAIM))
    assert len(parts) > 1
    assert "\n".join(parts).split("\n") == lines
    alone = model.judge([(part, CLAIM) for part in parts])
    assert judged.probability == pytest.approx(max(one.probability for one in alone))


def test_a_line_longer_than_the_model_reads_is_truncated(tmp_path: Path) -> None:
    (judged,) = TokenGrounding(save_token_classifier(tmp_path)).judge([("ferry " * 200, CLAIM)])
    assert 0 <= judged.probability <= 1


def test_nothing_supports_a_sentence_without_evidence(tmp_path: Path) -> None:
    model = TokenGrounding(save_token_classifier(tmp_path))
    assert [one.probability for one in model.judge([("", CLAIM), (EVIDENCE, " ")])] == [0.0, 0.0]
    assert model.judge([]) == []


@pytest.mark.parametrize(
    ("labels", "marked"),
    [
        (("supported", "hallucinated"), "second"),
        (("hallucination", "faithful"), "first"),
        (("SUPPORTED", "NOT_SUPPORTED"), "second"),
        (("other", "supported"), "first"),
        (("LABEL_0", "LABEL_1"), "second"),
    ],
)
def test_the_label_is_read_from_the_config(
    tmp_path: Path, labels: tuple[str, str], marked: str
) -> None:
    folder = marking(tmp_path, "5", id2label=dict(enumerate(labels)))
    (judged,) = TokenGrounding(folder).judge([(EVIDENCE, "95")])
    texts = ["95"[span.start : span.end] for span in judged.unsupported]
    assert texts == (["5"] if marked == "second" else ["9"])


def test_model_with_other_labels_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "B-PER", "1": "O"}}))
    with pytest.raises(ModelError, match="its labels are B-PER, O, not supported"):
        open_grounding_model(Settings(grounding_model=str(tmp_path)))


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    import torch

    folder = save_token_classifier(tmp_path)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        TokenGrounding(folder).judge([(EVIDENCE, CLAIM)])


def test_settings_choose_the_grounding_model(tmp_path: Path) -> None:
    assert open_grounding_model(Settings()) is None
    assert open_grounding_model(Settings(models="better", grounding_model="none")) is None
    folder = save_token_classifier(tmp_path)
    model: GroundingModel | None = open_grounding_model(
        Settings(models="better", grounding_model=str(folder))
    )
    assert model is not None
    with pytest.raises(ModelError, match="backfile models fetch better"):
        open_grounding_model(Settings(models="better"))


def test_verifier_shows_the_words_that_the_model_marks(tmp_path: Path) -> None:
    model = TokenGrounding(marking(tmp_path, "q"))
    claim = "The new ferry carries quiet passengers."
    verdict = Verifier(bag_of_words, grounding=model).verify(claim, [BOAT])
    assert verdict.support == "not supported"
    assert [claim[s.start : s.end] for s in verdict.unsupported] == ["q"]
    fine = Verifier(bag_of_words, grounding=model).verify(
        "The new ferry carries passengers.", [BOAT]
    )
    assert fine.support == "supported"


def test_quotations_need_no_grounding_model(tmp_path: Path) -> None:
    with small_archive(tmp_path) as archive:
        settings = Settings(models="better", embedding_model="words")  # nothing is fetched
        assert Chatbot.over(archive, settings).grounding is None
