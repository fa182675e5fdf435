"""`backfile models`: what it lists, fetches and asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.models.presets import MODELS, PRESETS
from tests.support.commands import Result, run, run_process
from tests.support.fake_hub import FakeHub, serve_hub
from tests.support.fake_site import Page, serve_site

FILES = {"config.json": b"{}", "model.safetensors": b"w" * 1000, "tokenizer.json": b"{}"}


@pytest.fixture
def remote() -> Iterator[FakeHub]:
    with serve_hub() as hub:
        for model in MODELS.values():
            if model.is_on_hub:
                hub.add(model.name, FILES, sha=model.revision, licence=model.licence.lower())
        yield hub


def models(remote: FakeHub, folder: Path, *words: str, **settings: str) -> Result:
    """Run the command in a process of its own: the hub's library reads its variables once."""
    named = {"HF_ENDPOINT": remote.address, "HF_HOME": str(folder), **settings}
    return run_process("models", *words, **named)


def test_presets_are_listed_with_size_licence_and_figure(tmp_path: Path) -> None:
    done = run("models", BACKFILE_MODELS="better")
    assert done.code == 0
    for preset, chosen in PRESETS.items():
        assert f"\n{preset}\n" in done.stdout
        for model in chosen.models():
            assert f"{model.name}: " in done.stdout
            assert model.licence in done.stdout
            assert model.figure in done.stdout
    assert "in use (BACKFILE_MODELS=better)" in done.stdout
    assert "size unknown" in done.stdout
    assert "`ollama pull qwen3:4b-instruct` fetches it" in done.stdout


def test_the_list_is_json_with_sources() -> None:
    value = json.loads(run("models", "--json").stdout)
    assert value["preset"] == "default"
    assert value["in_use"] == [
        {"role": "embedding", "name": "all-MiniLM-L6-v2", "state": "installed"}
    ]
    for listed in value["presets"].values():
        for model in listed:
            assert set(model) >= {"role", "name", "licence", "size", "figure", "figure_source"}


def test_a_writers_server_is_asked() -> None:
    with serve_site() as site:
        named = {"BACKFILE_MODELS": "best", "BACKFILE_CHAT_BASE_URL": site.address}
        assert "does not answer: install Ollama and start it" in run("models", **named).stdout
        site.pages["/api/tags"] = Page(b'{"models": []}')
        assert "answers, but does not have it: `ollama pull" in run("models", **named).stdout
        site.pages["/api/tags"] = Page(b'{"models": [{"name": "qwen3:4b-instruct"}]}')
        value = json.loads(run("models", "--json", **named).stdout)
        (writer,) = (model for model in value["in_use"] if model["role"] == "writer")
        assert (writer["answers"], writer["has_model"]) == (True, True)


@pytest.mark.slow
def test_fetch_shows_size_and_licence_before_it_asks(remote: FakeHub, tmp_path: Path) -> None:
    done = models(remote, tmp_path, "fetch", "better")
    assert done.code == 2
    assert "give --yes to fetch without asking" in done.stderr
    for model in PRESETS["better"].models():
        assert f"{model.name}: 0 MB, licence {model.licence}, revision " in done.stderr
    assert not remote.fetched()


@pytest.mark.slow
def test_fetch_fetches_a_preset_once(remote: FakeHub, tmp_path: Path) -> None:
    done = models(remote, tmp_path, "fetch", "better", "--yes", "--json")
    assert done.code == 0, done.stderr
    fetched = json.loads(done.stdout)["fetched"]
    names = [model.name for model in PRESETS["better"].models()]
    assert [model["name"] for model in fetched] == names
    assert all((Path(model["folder"]) / "model.safetensors").is_file() for model in fetched)
    listed = json.loads(models(remote, tmp_path, "--json").stdout)["presets"]["better"]
    assert [model["state"] for model in listed] == ["here"] * 3
    remote.requests.clear()
    again = models(remote, tmp_path, "fetch", "better", "--yes")
    assert again.stdout == "Nothing to fetch: the models are there.\n"
    assert not remote.requests


@pytest.mark.slow
def test_fetch_takes_one_model_by_its_name(remote: FakeHub, tmp_path: Path) -> None:
    remote.add("acme/tiny", FILES, licence="")
    done = models(remote, tmp_path, "fetch", "acme/tiny", "-y")
    assert done.code == 0
    assert "acme/tiny: 0 MB, licence unknown, revision" in done.stderr
    assert "fetched acme/tiny to " in done.stdout


def test_fetch_of_the_default_has_nothing_to_fetch() -> None:
    done = run("models", "fetch", "default")
    assert (done.code, done.stdout) == (0, "Nothing to fetch: the models are there.\n")


def test_fetch_of_an_unknown_preset_is_wrong_usage() -> None:
    done = run("models", "fetch", "fastest")
    assert done.code == 2
    assert "'fastest' is not one of default, better, multilingual, best" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_failed_fetch_is_one_line(tmp_path: Path) -> None:
    named = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = run_process("models", "fetch", "better", "--yes", **named)
    assert done.code == 1
    assert done.stderr.count("\n") == 1
    assert "http://127.0.0.1:9 cannot be reached" in done.stderr
    offline = run_process("models", "fetch", "better", "--yes", HF_HUB_OFFLINE="1", **named)
    assert offline.stderr.count("\n") == 1
    assert "HF_HUB_OFFLINE is set" in offline.stderr
