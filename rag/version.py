"""The version of Backfile: of the installed package, else of the source tree."""

from __future__ import annotations

from pathlib import Path

PACKAGE = "backfile"
UNKNOWN = "unknown"


def version() -> str:
    """Return the version of the package's metadata; where not installed, of pyproject.toml."""
    from importlib import metadata  # 20 ms, and only to print a version

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
