"""The version of Backfile, of the installed package or of the source tree."""

from __future__ import annotations

from pathlib import Path

PACKAGE = "backfile"
UNKNOWN = "unknown"


def version() -> str:
    """Return the version of the installed package, else that in pyproject.toml."""
    from importlib import metadata  # 20 ms: only to print a version

    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return _in_source_tree()


def _in_source_tree() -> str:
    import tomllib

    try:
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
        return str(project["project"]["version"])
    except (OSError, ValueError, KeyError):
        return UNKNOWN
