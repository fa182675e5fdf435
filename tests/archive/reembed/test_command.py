"""`backfile reembed`, and what `backfile status` prints about it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.settings import Settings
from tests.archive.reembed.bridges import StoppedError, stop
from tests.support.commands import Result, run


def backfile(folder: Path, *words: str, **environ: str) -> Result:
    return run(*words, "--archive", folder, **environ)


def test_reembed_command_switches_the_model(folder: Path, models: tuple[str, str]) -> None:
    named = {"BACKFILE_EMBEDDING_MODEL": models[1]}  # alone, an error that says what to run
    refused = backfile(folder, "search", "bridge 5", **named)
    assert f"`backfile reembed --model {models[1]}`" in refused.stderr
    done = backfile(folder, "reembed", "--model", models[1], **named)
    assert done.code == 0, done.stderr
    assert re.fullmatch(
        rf"embedded with {re.escape(models[1])}: 700 passages in \d+ s; "
        r"the archive uses this model from now on\n",
        done.stdout,
    )
    assert backfile(folder, "search", "bridge 5", **named).code == 0
    again = backfile(folder, "reembed", "--model", models[1])
    assert (again.code, again.stdout) == (1, "")
    assert "is embedded with" in again.stderr


def test_status_shows_reembedding_and_abandon_ends_it(
    folder: Path, models: tuple[str, str]
) -> None:
    with Archive.open(folder, settings=Settings()) as archive, pytest.raises(StoppedError):
        archive.reembed(models[1], on_progress=stop)
    assert "512 of 700 passages" in backfile(folder, "status").stdout
    value = json.loads(backfile(folder, "status", "--json").stdout)
    assert value["reembedding"] == {"model": models[1], "done": 512, "of": 700}
    ended = backfile(folder, "reembed", "--abandon")
    assert ended.stdout == "deleted the new vectors of 512 passages\n"
    assert "512 of" not in backfile(folder, "status").stdout
