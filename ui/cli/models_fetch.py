"""`backfile models fetch`: fetch the models of a preset from the Hugging Face Hub."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, get_args

import click
from click.shell_completion import CompletionItem

from rag.errors import ModelError
from rag.settings import Models, Settings
from ui.cli.command import Example, ExitCode, ManualPage, usage_error
from ui.cli.models import server_text, size_text
from ui.cli.options import json_option

if TYPE_CHECKING:
    from rag.models.hub import Changes, Offer, Progress


class PresetName(click.ParamType[str]):
    """Name of a preset, or of a model on the hub; kept as written."""

    name = "preset"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete the presets."""
        return [CompletionItem(name) for name in get_args(Models) if name.startswith(incomplete)]


@click.command(
    cls=ManualPage,
    notes=[
        (
            "What is checked",
            "Only weights in safetensors are fetched, never pickles or Python. A preset's revision "
            "is pinned where a published one is known. The revision and the SHA-256 of each file "
            "are recorded beside the models (backfile-models.json), and a model that has changed "
            "since is refused.",
        ),
        (
            "Environment",
            "HF_ENDPOINT is the address of a mirror of the hub, HF_HOME the folder of its cache, "
            "and HF_TOKEN a token for models that need one.",
        ),
    ],
    examples=[
        Example("Fetch a preset's models, after a question", "backfile models fetch better"),
        Example("Fetch them in a script", "backfile models fetch multilingual --yes"),
        Example(
            "Fetch one model by its name",
            "backfile models fetch cross-encoder/nli-deberta-v3-base",
        ),
    ],
)
@click.argument(
    "what",
    type=PresetName(),
    metavar="PRESET",
    help="A preset, or the name of one model on the Hugging Face Hub.",
)
@click.option("--yes", "-y", is_flag=True, help="Fetch without asking.")
@click.option(
    "--accept-changes",
    is_flag=True,
    help="Take a model as it is now, and record that, if it has changed since it was fetched.",
)
@json_option
def fetch(what: str, yes: bool, accept_changes: bool, as_json: bool) -> int:
    """Fetch the models of a preset.

    Shows the size and the licence of each model that isn't there yet, and asks before it fetches.
    If it is interrupted, the same command continues where it stopped.
    """
    from ui import render

    changes: Changes = "accept" if accept_changes else "refuse"
    names, writer = _names(what)
    offers = _offers(names, changes)
    for offer in offers:
        print(_offer_text(offer), file=sys.stderr)
    if offers and not (yes or _confirmed(offers)):
        print("Nothing was fetched.", file=sys.stderr)
        return ExitCode.DONE
    fetched = [_fetch(offer, changes) for offer in offers]
    state = _writer_state(writer) if writer else ""
    if as_json:
        print(render.json_text({"fetched": fetched, "writer": state}))
        return ExitCode.DONE
    if not fetched:
        print("Nothing to fetch: the models are there.")
    for model in fetched:
        print(f"fetched {model['name']} to {render.terminal_text(model['folder'])}")
    if state:
        print(state)
    return ExitCode.DONE


def _names(what: str) -> tuple[list[str], str]:
    """Return the models to fetch for a preset or a name, and the preset's writer or ""."""
    from rag.models.presets import PRESETS

    for preset, chosen in PRESETS.items():
        if preset == what:
            return [model.name for model in chosen.models() if model.is_on_hub], chosen.writer
    if what.count("/") != 1:
        raise usage_error(
            f"PRESET: {what!r} is not one of {', '.join(PRESETS)}, or a name such as "
            "cross-encoder/nli-deberta-v3-base"
        )
    return [what], ""


def _offers(names: list[str], changes: Changes) -> list[Offer]:
    """Return what the hub offers for the models that aren't there as they were recorded."""
    from rag.models.hub import ask_hub
    from rag.models.weights import model_state

    return [
        ask_hub(name, changes=changes)
        for name in names
        if changes == "accept" or model_state(name) != "here"
    ]


def _offer_text(offer: Offer) -> str:
    """Return a model's size, licence and revision in a line."""
    from rag.models.presets import MODELS, UNKNOWN
    from ui.render import terminal_text

    published = MODELS[offer.name].licence if offer.name in MODELS else UNKNOWN
    licence = offer.licence if published == UNKNOWN else published
    if UNKNOWN not in (published, offer.licence) and published.lower() != offer.licence.lower():
        licence = f"{published}, or by its page {offer.licence}"
    return terminal_text(
        f"{offer.name}: {size_text(offer.size)}, licence {licence}, revision {offer.revision[:12]}"
    )


def _confirmed(offers: list[Offer]) -> bool:
    """Ask whether to fetch; raise a usage error where nobody can answer."""
    if not sys.stdin.isatty():
        raise usage_error("standard input is no terminal: give --yes to fetch without asking")
    total = size_text(sum(offer.size for offer in offers))
    try:
        return click.confirm(f"Fetch {total}?", err=True)
    except click.Abort:  # Ctrl-C, or the end of the input
        raise KeyboardInterrupt from None


def _fetch(offer: Offer, changes: Changes) -> dict[str, Any]:
    from rag.models.hub import fetch_model

    progress: Progress = "bars" if sys.stderr.isatty() else "none"
    folder = fetch_model(offer, changes=changes, progress=progress)
    return {"name": offer.name, "revision": offer.revision, "folder": str(folder)}


def _writer_state(writer: str) -> str:
    """Return how to get a preset's chat model, or that its server has it."""
    from rag.models.writer_server import ask_writer_server

    settings = Settings.from_environment(chat_model=writer)
    server = ask_writer_server(settings)
    if server is None:
        raise ModelError(f"the chat model {writer} has no server")
    said = server_text(server.address, writer, answers=server.answers, has_model=server.has_model)
    return f"{writer}: {said}"
