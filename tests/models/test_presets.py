"""Presets of models, and the settings that override them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from rag.archive.archive import Archive
from rag.errors import EmbeddingMismatchError, SettingsError
from rag.models.archive_model import ArchiveModel, settings_for_archive
from rag.models.presets import (
    MINILM,
    MODELS,
    PRESETS,
    ROLES,
    SETTING_OF,
    entailment_model,
    model_for,
    presets_of,
)
from rag.settings import Models, Settings
from tests.support.fakes import small_archive

BETTER = "ibm-granite/granite-embedding-small-english-r2"


@pytest.mark.parametrize("preset", get_args(Models))
def test_every_preset_names_known_models_of_its_roles(preset: Models) -> None:
    found = list(PRESETS[preset].models())
    assert found[0].role == "embedding"
    for model in found:
        assert getattr(PRESETS[preset], model.role) == model.name
        assert preset in presets_of(model.name)


def test_every_model_is_part_of_a_preset() -> None:
    assert all(presets_of(name) for name in MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_published_values_have_their_sources(name: str) -> None:
    model = MODELS[name]
    assert bool(model.size) == bool(model.size_source)
    assert bool(model.figure) == bool(model.figure_source)
    assert bool(model.revision) == bool(model.revision_source)
    assert re.fullmatch(r"([0-9a-f]{40})?", model.revision)
    assert model.licence


def test_the_default_preset_needs_no_download() -> None:
    assert [model.name for model in PRESETS["default"].models()] == [MINILM]
    assert [model_for(Settings(), role) for role in ROLES] == [MINILM, "", "", ""]


def test_a_preset_sets_every_role() -> None:
    best = Settings(models="best")
    assert [model_for(best, role) for role in ROLES] == [
        "Alibaba-NLP/gte-modernbert-base",
        "mixedbread-ai/mxbai-rerank-large-v2",
        "KRLabsOrg/lettucedect-large-modernbert-en-v1",
        "ollama:qwen3:4b-instruct",
    ]


@pytest.mark.parametrize("role", ROLES)
def test_a_setting_of_its_own_overrides_the_preset(role: str) -> None:
    for value, expected in (("mine", "mine"), ("none", "")):
        settings = Settings(models="best", **{SETTING_OF[role]: value})  # type: ignore[index,arg-type]
        assert model_for(settings, role) == expected  # type: ignore[arg-type]
        others = [other for other in ROLES if other != role]
        assert all(model_for(settings, other) for other in others)


def test_the_default_model_can_be_kept_beside_a_preset() -> None:
    named = {"BACKFILE_MODELS": "better", "BACKFILE_EMBEDDING_MODEL": MINILM}
    settings = Settings.from_environment(named)
    assert model_for(settings, "embedding") == MINILM
    assert model_for(settings, "reranker") == PRESETS["better"].reranker


def test_an_entailment_model_replaces_the_presets_grounding_model() -> None:
    settings = Settings(models="better", entailment_model="mine")
    assert (entailment_model(settings), model_for(settings, "grounding")) == ("mine", "")
    both = Settings(models="better", entailment_model="mine", grounding_model="other")
    assert (entailment_model(both), model_for(both, "grounding")) == ("mine", "other")
    assert entailment_model(Settings(entailment_model="none")) == ""


def test_an_unknown_preset_is_rejected() -> None:
    with pytest.raises(SettingsError, match="it may be default, better, multilingual, best"):
        Settings.from_environment({"BACKFILE_MODELS": "fastest"})


def test_an_archive_keeps_its_model_without_a_preset() -> None:
    assert settings_for_archive(Settings(), BETTER).embedding_model == BETTER
    assert ArchiveModel(None, Settings(), BETTER).name == BETTER


def test_another_preset_than_the_archives_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingMismatchError) as refused:
        ArchiveModel(None, Settings(models="better"), MINILM)
    said = str(refused.value)
    assert f"built with the embedding model {MINILM}" in said
    assert f"{BETTER} (of BACKFILE_MODELS=better)" in said
    assert f"set BACKFILE_EMBEDDING_MODEL={MINILM}" in said
    assert f"`backfile reembed --model {BETTER}`" in said
    small_archive(tmp_path).close()
    with pytest.raises(EmbeddingMismatchError, match="BACKFILE_MODELS=multilingual"):
        Archive.open(tmp_path, settings=Settings(models="multilingual"))


def test_a_model_named_by_itself_is_not_said_to_be_a_presets() -> None:
    with pytest.raises(EmbeddingMismatchError) as refused:
        ArchiveModel(None, Settings(models="better", embedding_model="mine"), MINILM)
    assert "BACKFILE_MODELS" not in str(refused.value)
