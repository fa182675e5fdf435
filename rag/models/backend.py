"""Ways to embed passages on this machine, and the file that remembers the choice."""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, get_args

from rag.settings import EmbeddingBackend, Precision, available_threads, cache_folder

Library = Literal["torch", "onnxruntime", "openvino", "sentence-transformers"]
Width = Literal["float32", "bfloat16"]

# Releases of these may compute faster, slower or otherwise: they are part of what is remembered.
PACKAGES = ("torch", "onnxruntime", "openvino", "numpy")
FORMAT = 1  # of the file; another one is measured again
AGREEMENT = 0.999  # least mean cosine to the vectors in float32
OVERLAP = 0.97  # least share of the same ten nearest


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to compute the vectors of passages. Can be pickled and given to other processes.

    Attributes:
        library: The library.
        precision: Precision of its products.
        threads: Batches computed at once, each by one thread.
    """

    library: Library
    precision: Width
    threads: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A backend that was measured on this machine.

    Attributes:
        library: The library.
        precision: Precision of its products.
        rate: Tokens per second of processor time.
        cosine: Mean cosine of its vectors to those in float32.
        overlap: Share of the ten nearest sentences that are the same.
    """

    library: Library
    precision: Width
    rate: float
    cosine: float
    overlap: float

    @property
    def agrees(self) -> bool:
        """True if its vectors may stand beside those in float32."""
        return self.cosine >= AGREEMENT and self.overlap >= OVERLAP


@dataclass(frozen=True, slots=True)
class BackendReport:
    """The way to embed many passages of a model on this machine, and why.

    Attributes:
        backend: The backend; None if it isn't chosen yet.
        why: "set" by the settings, the fastest that was "measured", or "not measured" yet.
        measured: What was measured.
    """

    backend: Backend | None
    why: Literal["set", "measured", "not measured"]
    measured: tuple[Measured, ...] = ()


def choose(
    measured: tuple[Measured, ...], library: EmbeddingBackend, precision: Precision
) -> Measured | None:
    """Return the fastest backend that agrees and that the settings allow; None if none does."""
    allowed = [
        one
        for one in measured
        if one.agrees and library in ("auto", one.library) and precision in ("auto", one.precision)
    ]
    return max(allowed, key=lambda one: one.rate, default=None)


def read_measured(folder: Path) -> tuple[Measured, ...]:
    """Return what was measured on this machine for the model in `folder`; empty if nothing was."""
    try:
        content = json.loads(_file(folder).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return ()
        return tuple(_parse(one) for one in content["measured"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # missing or damaged
        return ()


def write_measured(folder: Path, measured: tuple[Measured, ...]) -> None:
    """Remember what was measured; where nothing can be written, it is measured again."""
    content = {"format": FORMAT, "measured": [asdict(one) for one in measured]}
    file = _file(folder)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, encoding="utf-8", suffix=".tmp", delete=False
        ) as written:
            json.dump(content, written)
        try:
            Path(written.name).replace(file)
        except OSError:
            Path(written.name).unlink(missing_ok=True)
            raise


def set_backend(library: EmbeddingBackend, precision: Precision) -> Backend | None:
    """Return the backend that the settings leave no choice of; None if it is to be measured."""
    if library == "auto" or (precision == "auto" and library != "onnxruntime"):
        return None
    width: Width = "bfloat16" if precision == "bfloat16" else "float32"
    width = "float32" if library == "onnxruntime" else width  # its operators have no other
    return Backend(library, width, available_threads())


def report_backend(folder: Path, library: EmbeddingBackend, precision: Precision) -> BackendReport:
    """Return what embeds many passages of the model in `folder`, without measuring.

    Args:
        folder: The model's folder.
        library: The setting.
        precision: The setting.
    """
    if fixed := set_backend(library, precision):
        return BackendReport(fixed, "set")
    measured = read_measured(folder)
    if found := choose(measured, library, precision):
        backend = Backend(found.library, found.precision, available_threads())
        return BackendReport(backend, "measured", measured)
    return BackendReport(None, "not measured", measured)


def forget_measured(folder: Path) -> None:
    """Have the next ingest measure again."""
    with suppress(OSError):
        _file(folder).unlink(missing_ok=True)


def _parse(value: dict[str, Any]) -> Measured:
    found = Measured(**value)
    if found.library not in get_args(Library) or found.precision not in get_args(Width):
        raise ValueError(found)
    if not all(isinstance(n, float) for n in (found.rate, found.cosine, found.overlap)):
        raise TypeError(found)
    return found


def _file(folder: Path) -> Path:
    # OMP_NUM_THREADS doesn't count: one thread is measured, and workers have one each
    key = [_processor(), str(available_threads({})), _digest(folder), *map(_version, PACKAGES)]
    name = hashlib.sha256("\n".join(key).encode()).hexdigest()[:32]
    return cache_folder() / f"embedding-{name}.json"


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} none"


@cache
def _processor() -> str:
    """Return the processor's name and instructions."""
    said = [platform.machine(), platform.processor()]
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = ("model name", "flags", "Features", "CPU part")
        said += sorted({line for line in lines if line.startswith(wanted)})
    return "\n".join(said)


@cache
def _digest(folder: Path) -> str:
    """Return a digest of a model's configuration and weights; "" if they can't be read."""
    found = hashlib.sha256()
    try:
        for name in ("config.json", "model.safetensors"):
            with (folder / name).open("rb") as file:  # 70 ms for 90 MB
                found.update(hashlib.file_digest(file, "sha256").digest())
    except OSError:
        return ""
    return found.hexdigest()
