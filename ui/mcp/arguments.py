"""Arguments that a tool refuses, explained in sentences that an agent can act on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

MOST_NAMED = 5  # errors
LONGEST_NAME = 100  # characters
NEARNESS = 0.6  # of difflib


def explain_arguments(
    errors: Iterable[Any], given: Iterable[str], taken: Sequence[str], item_fields: Sequence[str]
) -> str:
    """Return what is wrong with the arguments of a call, in sentences.

    Args:
        errors: The errors as pydantic lists them.
        given: The names of the call's arguments.
        taken: The arguments that the tool takes.
        item_fields: The fields of the objects in its lists.
    """
    sentences = dict.fromkeys(_sentence(one, item_fields) for one in errors)
    unknown = [_quoted(name) for name in given if name not in taken]
    said = list(sentences)[:MOST_NAMED]
    if len(sentences) > MOST_NAMED:
        said.append(f"{len(sentences) - MOST_NAMED} more.")
    if unknown:
        listed = ", ".join(unknown[:MOST_NAMED])
        said.append(f"The tool takes {', '.join(taken)}, not {listed}.")
    return " ".join(said)


def _sentence(error: Any, item_fields: Sequence[str]) -> str:
    kind, place = str(error["type"]), [str(part) for part in error["loc"]]
    if kind.startswith("date"):
        if place[-1] in ("date", "datetime"):  # of the two, which pydantic names
            place.pop()
        return f"{_quoted('.'.join(place))} is not a day: write it as 2024-11-15."
    name = _quoted(".".join(place))
    if kind == "missing":
        return f"{name} is missing."
    if kind == "extra_forbidden":
        near = get_close_matches(place[-1][:LONGEST_NAME], item_fields, n=1, cutoff=NEARNESS)
        instead = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(item_fields)}."
        return f"{name} is unknown. {instead}"
    message = str(error["msg"])
    return f"{name} is wrong: {message[:1].lower()}{message[1:]}."


def _quoted(name: str) -> str:
    return ascii(name[:LONGEST_NAME])
