"""The page's own style sheets and scripts."""

from __future__ import annotations

from importlib.resources import files


def read_asset(name: str) -> str:
    """Return the text of a style sheet or script."""
    return (files("ui.web") / "assets" / name).read_text(encoding="utf-8")
