"""Fetching models with the real client from a hub on the loopback address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models import hub as hub_module
from rag.models.hub import Hub, ask_hub, cached_folder, fetch_model, recorded_folder
from rag.models.model_lock import LOCK_NAME
from rag.models.weights import model_folder, model_state
from tests.support.fake_hub import FakeHub, serve_hub

NAME = "acme/tiny"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "1_Pooling/config.json": b'{"pooling_mode": "mean"}',
    "tokenizer.json": b'{"version": "1.0"}',
    "model.safetensors": bytes(range(256)) * 400,
    "pytorch_model.bin": b"a pickle",
    "modeling_tiny.py": b"raise SystemExit",
    "onnx/model.safetensors": b"for another library",
}
FETCHED = {"config.json", "1_Pooling/config.json", "tokenizer.json", "model.safetensors"}
PRESET_MODEL = "cross-encoder/ms-marco-MiniLM-L6-v2"
PINNED = "c5ee24cb16019beea0893ab7796b1df96625c6b8"


@pytest.fixture
def remote() -> Iterator[FakeHub]:
    with serve_hub() as hub:
        hub.add(NAME, FILES)
        yield hub


@pytest.fixture
def hub(remote: FakeHub, tmp_path: Path) -> Hub:
    return Hub(remote.address, tmp_path / "models")


def fetch(hub: Hub, name: str = NAME) -> Path:
    return fetch_model(ask_hub(name, hub=hub), hub=hub)


def one_line(action: Callable[[], object]) -> str:
    """Return what an action fails with, which is one line."""
    with pytest.raises(ModelError) as failed:
        action()
    said = str(failed.value)
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def commit_of(remote: FakeHub, files: dict[str, bytes], name: str = NAME) -> str:
    return remote.repositories[name].commit(files)


def test_an_offer_states_size_licence_and_revision(remote: FakeHub, hub: Hub) -> None:
    offer = ask_hub(NAME, hub=hub)
    assert (offer.name, offer.licence) == (NAME, "mit")
    assert offer.revision == remote.repositories[NAME].newest
    assert {file.path for file in offer.files} == FETCHED
    assert offer.size == sum(len(FILES[path]) for path in FETCHED)
    assert not hub.cache.exists()


def test_an_unstated_licence_is_unknown(remote: FakeHub, hub: Hub) -> None:
    remote.add("acme/plain", FILES, licence="")
    assert ask_hub("acme/plain", hub=hub).licence == "unknown"


def test_only_safetensors_and_their_descriptions_are_fetched(remote: FakeHub, hub: Hub) -> None:
    folder = fetch(hub)
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == FETCHED
    assert all((folder / path).read_bytes() == FILES[path] for path in FETCHED)
    assert not any(path.endswith((".bin", ".py")) for path in remote.fetched())
    assert recorded_folder(NAME, hub=hub) == folder
    assert model_folder(NAME, hub=hub) == folder


def test_a_model_with_pickles_only_is_refused(remote: FakeHub, hub: Hub) -> None:
    remote.add("acme/old", {"config.json": b"{}", "pytorch_model.bin": b"a pickle"})
    assert "no weights in safetensors" in one_line(lambda: ask_hub("acme/old", hub=hub))


def test_paths_outside_the_folder_are_not_fetched(remote: FakeHub, hub: Hub) -> None:
    remote.add("acme/evil", {**FILES, "../../escape.json": b"{}", "/etc/escape.json": b"{}"})
    assert {file.path for file in ask_hub("acme/evil", hub=hub).files} == FETCHED


def test_a_fetched_model_is_found_without_the_hub(remote: FakeHub, hub: Hub) -> None:
    folder = fetch(hub)
    asked = len(remote.requests)
    assert model_folder(NAME, hub=hub) == folder
    assert model_state(NAME, hub=hub) == "here"
    assert len(remote.requests) == asked


def test_the_lock_records_revision_and_hashes(remote: FakeHub, hub: Hub) -> None:
    fetch(hub)
    recorded = json.loads((hub.cache / LOCK_NAME).read_text())[NAME]
    assert recorded["revision"] == remote.repositories[NAME].newest
    assert set(recorded["files"]) == FETCHED
    assert all(len(file["sha256"]) == 64 for file in recorded["files"].values())


def test_a_broken_connection_is_tried_again(remote: FakeHub, hub: Hub) -> None:
    remote.cut["model.safetensors"] = [1000]
    folder = fetch(hub)
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


@pytest.mark.slow
def test_an_interrupted_download_goes_on_later(remote: FakeHub, hub: Hub) -> None:
    remote.cut["model.safetensors"] = [0] * 20
    offer = ask_hub(NAME, hub=hub)
    said = one_line(lambda: fetch_model(offer, hub=hub))
    assert "the connection broke" in said
    assert "run the same command again" in said
    assert recorded_folder(NAME, hub=hub) is None
    assert cached_folder(NAME, hub=hub) is None  # not all of it
    remote.cut.clear()
    remote.requests.clear()
    assert fetch(hub).is_dir()
    assert len(remote.fetched()) == 1  # the small files are there already


def test_a_file_changed_on_the_way_is_refused_and_deleted(remote: FakeHub, hub: Hub) -> None:
    weights = FILES["model.safetensors"]
    remote.changed["model.safetensors"] = weights[:-1] + b"?"
    offer = ask_hub(NAME, hub=hub)
    said = one_line(lambda: fetch_model(offer, hub=hub))
    assert "model.safetensors is not what the hub announced" in said
    assert recorded_folder(NAME, hub=hub) is None
    remote.changed.clear()
    assert (fetch(hub) / "model.safetensors").read_bytes() == weights


def test_content_changed_under_a_revision_is_refused(remote: FakeHub, hub: Hub) -> None:
    folder = fetch(hub)
    repository = remote.repositories[NAME]
    repository.commits[repository.newest]["tokenizer.json"] = b'{"version": "1.1"}'
    (folder / "tokenizer.json").resolve().unlink()
    said = one_line(lambda: fetch(hub))
    assert "has changed at the hub under the same revision" in said
    assert "--accept-changes" in said
    assert "has changed" in one_line(lambda: recorded_folder(NAME, hub=hub))
    offer = ask_hub(NAME, changes="accept", hub=hub)
    assert fetch_model(offer, changes="accept", hub=hub) == recorded_folder(NAME, hub=hub)


def test_a_newer_revision_is_only_taken_on_request(remote: FakeHub, hub: Hub) -> None:
    old = fetch(hub)
    newest = commit_of(remote, {**FILES, "config.json": b'{"model_type": "bert", "new": 1}'})
    assert fetch(hub) == old
    offer = ask_hub(NAME, changes="accept", hub=hub)
    assert offer.revision == newest
    new = fetch_model(offer, changes="accept", hub=hub)
    assert new != old
    assert model_folder(NAME, hub=hub) == new


def test_changed_weights_are_not_loaded_and_can_be_fetched_again(remote: FakeHub, hub: Hub) -> None:
    folder = fetch(hub)
    weights = folder / "model.safetensors"
    weights.write_bytes(FILES["model.safetensors"][:-1] + b"?")
    said = one_line(lambda: model_folder(NAME, hub=hub))
    assert "has changed since it was fetched" in said
    assert f"backfile models fetch {NAME}" in said
    assert model_state(NAME, hub=hub) == "changed"
    assert fetch(hub) == folder
    assert weights.read_bytes() == FILES["model.safetensors"]
    assert model_folder(NAME, hub=hub) == folder


def test_a_missing_file_is_named(hub: Hub) -> None:
    folder = fetch(hub)
    (folder / "tokenizer.json").unlink()
    said = one_line(lambda: model_folder(NAME, hub=hub))
    assert "tokenizer.json is missing" in said
    assert fetch(hub) == folder
    assert model_folder(NAME, hub=hub) == folder


def test_a_file_with_another_time_is_hashed_again(hub: Hub) -> None:
    folder = fetch(hub)
    weights = (folder / "model.safetensors").resolve()
    fetched = weights.stat().st_mtime_ns
    weights.touch()  # copied, say: the content is the same
    assert model_folder(NAME, hub=hub) == folder
    assert hub.lock.get(NAME).files["model.safetensors"].checked > fetched  # type: ignore[union-attr]
    weights.write_bytes(FILES["model.safetensors"][:-1] + b"?")
    assert model_state(NAME, hub=hub) == "changed"


def test_a_damaged_lock_is_reported(hub: Hub) -> None:
    fetch(hub)
    for text in ("{", '{"acme/tiny": 3}', '{"acme/tiny": {"revision": "a"}}'):
        (hub.cache / LOCK_NAME).write_text(text)
        assert "is damaged: delete it" in one_line(lambda: model_folder(NAME, hub=hub))


@pytest.mark.parametrize("leading_out", ["../../../../mine.txt", "ABSOLUTE"])
def test_a_lock_that_leads_out_of_the_models_deletes_nothing(
    hub: Hub, tmp_path: Path, leading_out: str
) -> None:
    folder = fetch(hub)
    mine = folder.joinpath("../../../../mine.txt").resolve()
    mine.write_text("keep me")
    path = str(mine) if leading_out == "ABSOLUTE" else leading_out
    lock = json.loads((hub.cache / LOCK_NAME).read_text())
    lock[NAME]["files"][path] = {"sha256": "0" * 64, "size": 7}
    (hub.cache / LOCK_NAME).write_text(json.dumps(lock))
    assert "is damaged: delete it" in one_line(lambda: fetch(hub))
    assert mine.read_text() == "keep me"


def test_a_link_out_of_the_cache_is_deleted_but_not_what_it_leads_to(
    hub: Hub, tmp_path: Path
) -> None:
    config = fetch(hub) / "config.json"
    mine = tmp_path / "mine.json"
    mine.write_text("{}")
    config.unlink()
    config.symlink_to(mine)
    fetch(hub)
    assert mine.read_text() == "{}"
    assert config.read_text() != "{}"


def test_a_model_of_no_preset_is_fetched_at_its_first_use(hub: Hub) -> None:
    folder = model_folder(NAME, hub=hub)
    assert (folder / "config.json").is_file()
    assert recorded_folder(NAME, hub=hub) == folder


def test_a_presets_model_is_only_fetched_on_request(remote: FakeHub, hub: Hub) -> None:
    remote.add(PRESET_MODEL, FILES, sha=PINNED)
    said = one_line(lambda: model_folder(PRESET_MODEL, hub=hub))
    assert "`backfile models fetch better`" in said
    assert not remote.requests
    folder = fetch(hub, PRESET_MODEL)
    assert folder.name == PINNED
    assert model_folder(PRESET_MODEL, hub=hub) == folder


def test_a_pinned_revision_is_fetched_although_there_is_a_newer_one(
    remote: FakeHub, hub: Hub
) -> None:
    remote.add(PRESET_MODEL, FILES, sha=PINNED)
    commit_of(remote, {**FILES, "config.json": b'{"model_type": "bert", "new": 1}'}, PRESET_MODEL)
    assert fetch(hub, PRESET_MODEL).name == PINNED


def test_another_revision_than_the_pinned_one_is_reported(remote: FakeHub, hub: Hub) -> None:
    other = "0" * 40
    remote.add(PRESET_MODEL, FILES, sha=PINNED)
    remote.repositories[PRESET_MODEL].commit(FILES, other)
    offer = ask_hub(PRESET_MODEL, hub=hub)
    assert offer.revision == PINNED
    fetch_model(
        hub_module.Offer(PRESET_MODEL, other, offer.licence, offer.files), hub=hub
    )  # as an earlier version would have fetched it
    said = one_line(lambda: ask_hub(PRESET_MODEL, hub=hub))
    assert PINNED[:12] in said
    assert "--accept-changes" in said
    assert ask_hub(PRESET_MODEL, changes="accept", hub=hub).revision == PINNED


def test_a_model_in_the_cache_of_another_program_is_recorded(remote: FakeHub, hub: Hub) -> None:
    from huggingface_hub import snapshot_download

    there = snapshot_download(NAME, cache_dir=hub.cache, endpoint=hub.endpoint)
    remote.requests.clear()
    assert model_folder(NAME, hub=hub) == Path(there)
    assert not remote.requests
    assert recorded_folder(NAME, hub=hub) == Path(there)


def test_shards_that_an_index_names_must_be_there(remote: FakeHub, hub: Hub) -> None:
    from huggingface_hub import snapshot_download

    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    sharded = {
        "config.json": b"{}",
        "model.safetensors.index.json": json.dumps(index).encode(),
        "model-1.safetensors": b"1",
        "model-2.safetensors": b"2",
    }
    remote.add("acme/large", sharded)
    snapshot_download(
        "acme/large", cache_dir=hub.cache, endpoint=hub.endpoint, ignore_patterns=["*-2.*"]
    )
    assert cached_folder("acme/large", hub=hub) is None
    assert fetch(hub, "acme/large") == recorded_folder("acme/large", hub=hub)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("unknown", "there is no model acme/absent"),
        ("gated", "accept them at"),
        ("removed", "is missing at"),
        ("refused", "answered with HTTP 500"),
        ("gone", "no longer at"),
    ],
)
def test_faults_of_the_hub_are_explained(remote: FakeHub, hub: Hub, fault: str, said: str) -> None:
    name = "acme/absent" if fault == "unknown" else NAME
    remote.repositories[NAME].gated = fault == "gated"
    if fault == "removed":
        remote.missing.add("tokenizer.json")
    if fault == "refused":
        remote.status = 500
    if fault == "gone":
        fetch(hub)
        remote.repositories[NAME].commits.clear()
    line = one_line(lambda: fetch(hub, name))
    assert said in line
    assert name in line


def test_an_unreachable_hub_is_explained(tmp_path: Path) -> None:
    hub = Hub("http://127.0.0.1:9", tmp_path)
    line = one_line(lambda: fetch(hub))
    assert "http://127.0.0.1:9 cannot be reached" in line
    assert "HF_ENDPOINT" in line
    line = one_line(lambda: model_folder(NAME, hub=hub))
    assert "give a folder's path, or all-MiniLM-L6-v2" in line


def test_a_folder_that_cannot_be_written_is_explained(remote: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    line = one_line(lambda: fetch(Hub(remote.address, tmp_path / "file")))
    assert str(tmp_path / "file") in line
