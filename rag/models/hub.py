"""Fetch models from the Hugging Face Hub, verify them, and record what came.

Only weights in safetensors and the files that describe them are fetched: no pickles and no Python,
both of which would execute code when loaded.
"""

from __future__ import annotations

import errno
import fnmatch
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag.errors import BackfileError, ModelError
from rag.models.model_lock import (
    LockedFile,
    LockedModel,
    ModelLock,
    changed_files,
    hash_files,
    with_current_times,
)
from rag.models.presets import MODELS, UNKNOWN

FETCHED = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "LICENSE*"]
# Variants for other libraries.
NOT_FETCHED = ["onnx/*", "openvino/*", "*/onnx/*", "*/openvino/*"]
_WEIGHTS = ".safetensors"
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)

Progress = Literal["bars", "none"]
Changes = Literal["refuse", "accept"]


@dataclass(frozen=True, slots=True)
class Hub:
    """A model hub, and the folder where its models are kept.

    Attributes:
        endpoint: Its address; None for `HF_ENDPOINT`, or https://huggingface.co.
        folder: The folder; None for the hub's own cache, which `HF_HOME` moves.
    """

    endpoint: str | None = None
    folder: Path | None = None

    @property
    def address(self) -> str:
        """The address, without a slash at its end."""
        from huggingface_hub import constants  # .1 s: only for models on the hub

        return (self.endpoint or constants.ENDPOINT).rstrip("/")

    @property
    def cache(self) -> Path:
        """The folder where models are kept."""
        from huggingface_hub import constants

        return self.folder or Path(constants.HF_HUB_CACHE)

    @property
    def lock(self) -> ModelLock:
        """The lock file of the models in the folder."""
        return ModelLock(self.cache)

    def snapshot(self, name: str, revision: str) -> Path:
        """Return the folder of a model's revision, which need not exist."""
        return self.cache / f"models--{name.replace('/', '--')}" / "snapshots" / revision


HUB = Hub()


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file that a hub offers; `sha256` is "" if the hub doesn't say."""

    path: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A hub's offer under a model's name: the files that would be fetched.

    Attributes:
        name: The model's name.
        revision: The commit.
        licence: The licence that the model's page states; "unknown" if none.
        files: The files.
    """

    name: str
    revision: str
    licence: str
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def ask_hub(name: str, *, changes: Changes = "refuse", hub: Hub = HUB) -> Offer:
    """Return what the hub offers for a model, without fetching it.

    The revision is the recorded one, else the preset's, else the newest. With changes accepted, it
    is the preset's, else the newest.

    Args:
        name: The model's name.
        changes: What to do if the model has changed since it was fetched.
        hub: The hub.

    Raises:
        ModelError: The hub can't be reached, has no such model, or has no safetensors of it.
    """
    known = hub.lock.get(name)
    pinned = MODELS[name].revision if name in MODELS else ""
    if known and pinned and known.revision != pinned and changes == "refuse":
        raise ModelError(
            f"the model {name} was fetched at revision {known.revision[:12]}, and its preset is of "
            f"revision {pinned[:12]}: to change to it, fetch it with --accept-changes"
        )
    revision = known.revision if known and changes == "refuse" else pinned
    from huggingface_hub import HfApi  # 1 s: only to fetch a model

    with _plain_errors(name, hub):
        found = HfApi(endpoint=hub.endpoint).model_info(
            name, revision=revision or None, files_metadata=True
        )
    files = tuple(_hub_file(each) for each in found.siblings or () if _is_fetched(each.rfilename))
    if not any(file.path.endswith(_WEIGHTS) for file in files):
        raise ModelError(
            f"the model {name} has no weights in safetensors at {hub.address}, and others are not "
            "loaded, because they can execute code: choose another model"
        )
    return Offer(name, str(found.sha), _licence(found), files)


def fetch_model(
    offer: Offer,
    *,
    changes: Changes = "refuse",
    progress: Progress = "none",
    hub: Hub = HUB,
) -> Path:
    """Fetch the files of an offer, verify them and record them; return the model's folder.

    What is there already is not fetched again, and an interrupted download is continued.

    Args:
        offer: What to fetch.
        changes: "refuse" files that differ from what is recorded of the model, or "accept" them.
        progress: Whether to show bars on stderr.
        hub: The hub.

    Raises:
        ModelError: The download failed, or what came is not what was recorded or announced.
    """
    folder = hub.snapshot(offer.name, offer.revision)
    known = hub.lock.get(offer.name)
    same = known if known and known.revision == offer.revision else None
    if same:  # what has changed here is fetched again
        wrong = [name for name, now in changed_files(folder, same).items() if now]
        _delete(folder, wrong, hub)
    _download(offer, progress, hub)
    if missing := [file.path for file in offer.files if not (folder / file.path).is_file()]:
        raise ModelError(
            f"the model {offer.name} did not arrive whole: {_some(missing)} missing. Run the same "
            "command again"
        )
    found = hash_files(folder, [file.path for file in offer.files])
    _check_announced(offer, folder, found, hub)
    if same and changes == "refuse":
        _check_recorded(offer.name, same, found)
    hub.lock.record(offer.name, LockedModel(offer.revision, found))
    return folder


def recorded_folder(name: str, *, hub: Hub = HUB) -> Path | None:
    """Return the folder of a model that was fetched; None if it never was.

    Raises:
        ModelError: A file is missing, or isn't the one that was fetched.
    """
    known = hub.lock.get(name)
    if known is None:
        return None
    folder = hub.snapshot(name, known.revision)
    changed = changed_files(folder, known)
    missing = sorted(file for file, now in changed.items() if now is None)
    if missing:
        raise ModelError(
            f"the model {name} is not complete: {_some(missing)} missing in {folder}. Fetch it "
            f"again with `backfile models fetch {name}`"
        )
    for file, now in changed.items():
        assert now is not None
        raise ModelError(
            f"the model {name} has changed since it was fetched: {folder / file} has the SHA-256 "
            f"{now.sha256}, and {known.files[file].sha256} was recorded. Fetch it again with "
            f"`backfile models fetch {name}`, or name a folder of your own to use another model"
        )
    current = with_current_times(folder, known)
    if current != known:
        _record_if_possible(hub, name, current)
    return folder


def cached_folder(name: str, *, hub: Hub = HUB) -> Path | None:
    """Return the folder of a model in the cache that this package didn't fetch; record its files.

    None if the cache has no model of this name, or not all of it.
    """
    root = hub.snapshot(name, "")
    pinned = MODELS[name].revision if name in MODELS else ""
    try:
        revision = pinned or (root.parent / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    folder = hub.snapshot(name, revision)
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    fetched = [path for path in paths if _is_fetched(path)]
    if not _is_complete(folder, fetched):
        return None
    _record_if_possible(hub, name, LockedModel(revision, hash_files(folder, fetched)))
    return folder


def _is_complete(folder: Path, paths: Sequence[str]) -> bool:
    """Return True if a folder has a config and all the weights that its index names."""
    weights = {path for path in paths if path.endswith(_WEIGHTS)}
    named: set[str] = set()
    for path in paths:
        if path.endswith(f"{_WEIGHTS}.index.json"):
            beside = Path(path).parent
            index = json.loads((folder / path).read_text(encoding="utf-8"))
            named |= {str(beside / shard) for shard in index.get("weight_map", {}).values()}
    described = {"config.json", "modules.json"} & set(paths)
    return bool(described and weights and named <= weights)


def _record_if_possible(hub: Hub, name: str, model: LockedModel) -> None:
    """Record a model unless the folder can't be written: it may be shared and read-only."""
    try:
        hub.lock.record(name, model)
    except ModelError:
        return


def _is_fetched(path: str) -> bool:
    parts = Path(path).parts
    if ".." in parts or Path(path).is_absolute():
        return False
    return any(fnmatch.fnmatch(path, pattern) for pattern in FETCHED) and not any(
        fnmatch.fnmatch(path, pattern) for pattern in NOT_FETCHED
    )


def _hub_file(sibling: Any) -> HubFile:
    lfs = sibling.lfs
    return HubFile(sibling.rfilename, int(sibling.size or 0), str(lfs.sha256) if lfs else "")


def _licence(found: Any) -> str:
    stated = getattr(found.card_data, "license", None) if found.card_data else None
    tags = [tag.partition(":")[2] for tag in found.tags or () if tag.startswith("license:")]
    return str(stated or next(iter(tags), "") or UNKNOWN)


def _download(offer: Offer, progress: Progress, hub: Hub) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    if progress == "none":
        disable_progress_bars()
    try:
        with _plain_errors(offer.name, hub):
            snapshot_download(
                offer.name,
                revision=offer.revision,
                cache_dir=hub.cache,
                endpoint=hub.endpoint,
                allow_patterns=[file.path for file in offer.files],
            )
    finally:
        if progress == "none":
            enable_progress_bars()


def _check_announced(offer: Offer, folder: Path, found: dict[str, LockedFile], hub: Hub) -> None:
    """Check the files against the hub's own sizes and hashes; delete those that differ."""
    wrong = [
        file.path
        for file in offer.files
        if (file.sha256 and found[file.path].sha256 != file.sha256)
        or (file.size and found[file.path].size != file.size)
    ]
    if wrong:
        _delete(folder, wrong, hub)
        raise ModelError(
            f"the model {offer.name} did not arrive whole: {_some(wrong)} not what the hub "
            "announced. It was deleted; run the same command again"
        )


def _check_recorded(name: str, known: LockedModel, found: dict[str, LockedFile]) -> None:
    wrong = [
        path
        for path, file in found.items()
        if path not in known.files or known.files[path].sha256 != file.sha256
    ]
    if wrong:
        raise ModelError(
            f"the model {name} has changed at the hub under the same revision "
            f"{known.revision[:12]}: {_some(wrong)} not what was recorded when it was first "
            "fetched. If its maker says so, too, fetch it with --accept-changes"
        )


def _delete(folder: Path, names: Sequence[str], hub: Hub) -> None:
    """Delete files of a snapshot, and the contents in the cache that they are links to."""
    for name in names:
        path = folder / name
        content = path.resolve()
        if content.is_relative_to(hub.cache.resolve()):
            content.unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _some(names: Sequence[str]) -> str:
    """Return one name, or a name and how many more, with its verb."""
    more = len(names) - 1
    return f"{names[0]} is" if not more else f"{names[0]} and {more} more are"


@contextmanager
def _plain_errors(name: str, hub: Hub) -> Iterator[None]:
    """Raise what the hub's library raises in the block as ModelError, in plain words."""
    try:
        yield
    except BackfileError:
        raise
    except Exception as error:  # httpx and the library have a type for each kind of failure
        raise ModelError(_explain(error, name, hub)) from error


def _explain(error: Exception, name: str, hub: Hub) -> str:
    """Return what went wrong while a model was fetched, and how to fix it, in one line."""
    from huggingface_hub import errors

    at = hub.address
    for kind, text in (  # subclasses first
        (errors.HFValidationError, f"no model at {name}: give a folder, or a name on the hub"),
        (
            errors.OfflineModeIsEnabled,
            f"the model {name} cannot be fetched: HF_HUB_OFFLINE is set. Unset it to fetch",
        ),
        (
            errors.RevisionNotFoundError,
            f"the model {name} is no longer at {at} in the wanted revision: to take another one, "
            "fetch it with --accept-changes",
        ),
        (
            errors.GatedRepoError,
            f"the model {name} is only for users who accepted its terms: accept them at "
            f"{at}/{name}, and set HF_TOKEN",
        ),
        (
            errors.RepositoryNotFoundError,
            f"there is no model {name} at {at}, or it is private: check the name",
        ),
        (
            errors.RemoteEntryNotFoundError,
            f"a file of the model {name} is missing at {at}: try again later, or choose another "
            "model",
        ),
    ):
        if isinstance(error, kind):
            return text
    if isinstance(error, errors.HfHubHTTPError):
        return (
            f"the model {name} could not be fetched: {at} answered with HTTP "
            f"{error.response.status_code}. Run the same command again later; what has arrived "
            "is kept"
        )
    if isinstance(error, OSError) and error.errno in _DISK:
        return f"the model {name} could not be stored in {hub.cache}: {error.strerror}"
    return (
        f"the model {name} could not be fetched: {at} cannot be reached, or the connection broke. "
        "Check it, or set HF_ENDPOINT to a mirror, and run the same command again; what has "
        "arrived is kept"
    )
