"""How the page looks: Gradio's own theme with the machine's own fonts, and its style sheet."""

from __future__ import annotations

from importlib.resources import files

from gradio import themes


def theme() -> themes.Base:
    """Return the page's theme; its fonts are those of the machine, so that none is fetched."""
    return themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[themes.Font("system-ui"), themes.Font("sans-serif")],
        font_mono=[themes.Font("ui-monospace"), themes.Font("monospace")],
    )


def part(name: str) -> str:
    """Return one of the page's files that a browser reads: its style sheet, its script."""
    return (files("ui.web") / name).read_text(encoding="utf-8")
