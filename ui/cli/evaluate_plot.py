"""Plot of `evaluate retrieval --plot`: measures as bars with their confidence intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BackfileError

if TYPE_CHECKING:
    from rag.evaluate.retrieval import RetrievalEvaluation

WIDE, HIGH = 9.0, 3.6  # inches
# Colours of bars and of the text on them, for this run and the earlier one.
COLOURS = (("#1f5fa8", "white"), ("#b9c9dc", "black"))
GAP = 0.4  # between the bars of two measures; a measure has a width of 1


def plot(path: Path, found: RetrievalEvaluation, before: RetrievalEvaluation | None) -> None:
    """Write the plot to a file.

    Args:
        path: The file; its name ends in .svg, .png or .pdf.
        found: The result.
        before: An earlier result, plotted beside it.

    Raises:
        BackfileError: matplotlib is not installed, or does not support this kind of file.
    """
    try:
        from matplotlib.figure import Figure  # .4 s; without pyplot, which looks for a screen
    except ImportError as error:
        raise BackfileError(
            "Cannot plot: matplotlib is missing. Run `pip install 'backfile[plots]'`."
        ) from error
    judged = [name for name in ("gold", "string") if found.n(name)]
    figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(judged), squeeze=False)[0], judged, strict=True):
        _draw(axes, name, [run for run in (found, before) if run is not None])
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise BackfileError(f"Cannot write {path}: {error}") from error


def _draw(axes: Any, judged: str, runs: list[RetrievalEvaluation]) -> None:
    from rag.evaluate.retrieval import MEASURES

    width = (1 - GAP) / len(runs)
    for i, (run, (colour, ink)) in enumerate(zip(runs, COLOURS, strict=False)):
        scores = [run.score(judged, measure) for measure in MEASURES]
        means = [score.mean for score in scores]
        below = [score.mean - score.low for score in scores]
        above = [score.high - score.mean for score in scores]
        places = [place + i * width for place in range(len(MEASURES))]
        label = "before" if i else "this run"
        axes.bar(places, means, width, yerr=(below, above), color=colour, capsize=2, label=label)
        for place, mean in zip(places, means, strict=True):
            shown = f"{mean:.2f}".removeprefix("0")
            axes.text(place, 0.02, shown, ha="center", fontsize=6, color=ink)
    middle = width * (len(runs) - 1) / 2
    axes.set_xticks([place + middle for place in range(len(MEASURES))], MEASURES, rotation=45)
    axes.set_ylim(0, 1)
    axes.set_title(f"{judged}, n = {runs[0].n(judged)}", fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    if len(runs) > 1:
        axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
