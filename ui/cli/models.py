"""`backfile models`: the presets of models, and what is there of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from rag.settings import Settings
from ui.cli.command import Example, ExitCode, LazyGroup
from ui.cli.options import json_option

if TYPE_CHECKING:
    from rag.models.presets import ModelInfo
    from rag.models.writer_server import WriterServer

STATES = {
    "here": "here",
    "missing": "not here",
    "changed": "incomplete or changed: fetch it again",
    "installed": "installed with Backfile",
}


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    sections={"Commands": {"fetch": "ui.cli.models_fetch"}},
    notes=[
        (
            "Presets",
            "BACKFILE_MODELS chooses one: default, better, multilingual or best. Sizes and figures "
            "are published ones, figures the makers' own: docs/models.md has their sources, and "
            "says how to measure on your own archive.",
        )
    ],
    examples=[
        Example("List the presets", "backfile models"),
        Example("Fetch the models of one, after a question", "backfile models fetch better"),
        Example("Print them with the sources of all figures", "backfile models --json"),
    ],
)
@json_option
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> int:
    """List the presets of models, with sizes and licences, and fetch them.

    Says which models are in use, which ones are there, and whether the server of a local chat
    model answers.
    """
    if ctx.invoked_subcommand is not None:
        return ExitCode.DONE
    from ui import render

    settings = Settings.from_environment()
    value = _overview(settings)
    print(render.json_text(value) if as_json else "\n".join(_lines(value)))
    return ExitCode.DONE


def _overview(settings: Settings) -> dict[str, Any]:
    """Return the models in use and those of the presets, as values for JSON."""
    from rag.models.presets import MODELS, PRESETS, ROLES, entailment_model, model_for
    from rag.models.writer_server import ask_writer_server

    used: dict[str, str] = {role: model_for(settings, role) for role in ROLES}
    used["entailment"] = entailment_model(settings)
    server = ask_writer_server(settings)
    return {
        "preset": settings.models,
        "in_use": [
            {"role": role, "name": name, **_state(role, name, server)}
            for role, name in used.items()
            if name
        ],
        "presets": {
            preset: [_model(MODELS[model.name]) for model in chosen.models()]
            for preset, chosen in PRESETS.items()
        },
    }


def _model(model: ModelInfo) -> dict[str, Any]:
    """Return what is published of a preset's model, and whether it is there."""
    return {
        "role": model.role,
        "name": model.name,
        "licence": model.licence,
        "size": model.size,
        "size_source": model.size_source,
        "figure": model.figure,
        "figure_source": model.figure_source,
        "revision": model.revision,
        "revision_source": model.revision_source,
        **({} if model.role == "writer" else _state(model.role, model.name, None)),
    }


def _state(role: str, name: str, server: WriterServer | None) -> dict[str, Any]:
    """Return whether a model is there, or its server answers."""
    from rag.models.presets import MINILM
    from rag.models.weights import model_state

    if role != "writer":
        state = model_state(name)
        return {"state": "installed" if (state, name) == ("here", MINILM) else state}
    if server is None:
        return {}
    return {"server": server.address, "answers": server.answers, "has_model": server.has_model}


def _lines(value: dict[str, Any]) -> Iterator[str]:
    yield f"in use (BACKFILE_MODELS={value['preset']})"
    for model in value["in_use"]:
        yield _line(model, _state_text(model))
    for preset, models in value["presets"].items():
        yield f"\n{preset}"
        for model in models:
            yield _line(model, f"{size_text(model['size'])}, {model['licence']}, {_here(model)}")
            if model["figure"]:
                yield f"{'':14}maker's figure: {model['figure']}"


def _line(model: dict[str, Any], text: str) -> str:
    from ui.render import terminal_text

    return f"  {model['role']:12}{terminal_text(model['name'])}: {text}"


def _here(model: dict[str, Any]) -> str:
    if model["role"] == "writer":
        return f"`ollama pull {model['name'].partition(':')[2]}` fetches it"
    return STATES[model["state"]]


def _state_text(model: dict[str, Any]) -> str:
    """Return where a model in use is, in words."""
    if "state" in model:
        return STATES[model["state"]]
    if "server" not in model:
        return "served by its provider"
    return server_text(
        model["server"], model["name"], answers=model["answers"], has_model=model["has_model"]
    )


def server_text(address: str, name: str, *, answers: bool, has_model: bool) -> str:
    """Return the state of a chat model's server, and what to do about it."""
    from ui.render import terminal_text

    provider, _, model = name.partition(":")
    at = terminal_text(address)
    pull = f"`ollama pull {terminal_text(model)}`"
    if not answers:
        start = "install Ollama and start it, then " if provider == "ollama" else "start it"
        return f"the server at {at} does not answer: {start}{pull if 'Ollama' in start else ''}"
    if not has_model:
        fix = f": {pull} fetches it" if provider == "ollama" else ""
        return f"the server at {at} answers, but does not have it{fix}"
    return f"the server at {at} answers"


def size_text(size: int | None) -> str:
    """Return a size in bytes in words."""
    if size is None:
        return "size unknown"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
