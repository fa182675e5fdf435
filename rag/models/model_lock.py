"""Lock file of fetched models: the revision and the SHA-256 of every file, enforced from then on.

It stands beside the models, in the cache of the Hugging Face Hub. A file whose size and time are
those of its last check isn't hashed again: six gigabytes of weights take seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from filelock import FileLock

from rag.errors import ModelError

LOCK_NAME = "backfile-models.json"


@dataclass(frozen=True, slots=True)
class LockedFile:
    """A file as it was fetched.

    Attributes:
        sha256: Its SHA-256.
        size: Its bytes.
        checked: Its modification time, in nanoseconds, when it was last hashed.
    """

    sha256: str
    size: int
    checked: int = 0


@dataclass(frozen=True, slots=True)
class LockedModel:
    """A fetched model: its revision, and its files by their paths inside the model."""

    revision: str
    files: Mapping[str, LockedFile] = field(default_factory=dict)


class ModelLock:
    """The lock file in a folder of models."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the models; neither it nor the file need exist."""
        self.path = folder / LOCK_NAME

    def get(self, name: str) -> LockedModel | None:
        """Return what is recorded of a model; None if it was never fetched.

        Raises:
            ModelError: The lock file can't be read.
        """
        return self._read().get(name)

    def record(self, name: str, model: LockedModel) -> None:
        """Record a model in the place of what was recorded of it.

        Raises:
            ModelError: The lock file can't be read or written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                models = {**self._read(), name: model}
                text = json.dumps({key: asdict(models[key]) for key in sorted(models)}, indent=1)
                new = self.path.with_suffix(".new")
                new.write_text(text + "\n", encoding="utf-8")
                new.replace(self.path)
        except OSError as error:
            raise ModelError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def _read(self) -> dict[str, LockedModel]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ModelError(f"{self.path} cannot be read: {error.strerror or error}") from error
        try:
            return {name: _model(value) for name, value in json.loads(text).items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(
                f"{self.path} is damaged: delete it, and fetch the models again with "
                "`backfile models fetch`"
            ) from error


def hash_files(folder: Path, names: list[str]) -> dict[str, LockedFile]:
    """Return the files of these names in a folder as they are now."""
    return {name: _locked(folder / name) for name in names}


def changed_files(folder: Path, model: LockedModel) -> dict[str, LockedFile | None]:
    """Return the files that aren't as they were recorded, as they are now; None if missing.

    Args:
        folder: The model's folder.
        model: What is recorded of it.
    """
    changed: dict[str, LockedFile | None] = {}
    for name, recorded in model.files.items():
        path = folder / name
        if not path.is_file():
            changed[name] = None
            continue
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (recorded.size, recorded.checked):
            continue
        found = _locked(path)
        if found.sha256 != recorded.sha256:
            changed[name] = found
    return changed


def with_current_times(folder: Path, model: LockedModel) -> LockedModel:
    """Return an unchanged model with the times that its files have now."""
    return replace(
        model,
        files={
            name: replace(recorded, checked=(folder / name).stat().st_mtime_ns)
            for name, recorded in model.files.items()
        },
    )


def _locked(path: Path) -> LockedFile:
    stat = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return LockedFile(digest, stat.st_size, stat.st_mtime_ns)


def _model(value: Any) -> LockedModel:
    """Return a recorded model; raises ValueError if a path leads out of the model's folder.

    What differs from its record is deleted before it is fetched again, and others may write to a
    shared cache.
    """
    files = {name: LockedFile(**file) for name, file in value["files"].items()}
    revision = str(value["revision"])
    if not all(map(_stays_inside, (revision, *files))):
        raise ValueError("a path leads out of the model's folder")
    return LockedModel(revision, files)


def _stays_inside(path: str) -> bool:
    return bool(path) and not PurePath(path).is_absolute() and ".." not in PurePath(path).parts
