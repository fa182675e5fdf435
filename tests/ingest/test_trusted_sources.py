"""Trusted sources and held changes, as an operator manages them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.trusted_sources import (
    FILE,
    TrustedSource,
    TrustedSources,
    read_trusted_sources,
    write_trusted_sources,
)
from rag.errors import SettingsError
from tests.attacks.test_sources import COURIER, LIES, forged_record
from tests.fetch.test_crawler import STORY
from tests.support.fake_site import FakeSite, Page, serve_site
from ui.cli import main


@pytest.fixture
def evil_site() -> Iterator[FakeSite]:
    with serve_site() as found:
        yield found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[source]]\npublisher = "A"\nhosts = ["a.example"]\nmay-kil = true\n', "'may-kil'"),
        ("[sauce]\n", "'sauce'"),
        ('[[source]]\npublisher = "A"\nhosts = "a.example"\n', "list of strings"),
        ('[[source]]\npublisher = "A"\nhosts = ["a b"]\n', "not a host"),
        ("[[source]\n", "not valid TOML"),
    ],
)
def test_mistake_in_trusted_sources_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_trusted_sources(tmp_path)


def test_path_of_a_host_is_trusted_alone(tmp_path: Path) -> None:
    source = TrustedSource("Courier", ("feeds.example/courier", "courier.example"))
    write_trusted_sources(tmp_path, TrustedSources((source,)))
    trust = read_trusted_sources(tmp_path)
    assert trust == TrustedSources((source,))
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    ours = "https://courier.example/x"
    assert trust.share_a_source("https://feeds.example/courier/rss", ours)
    assert trust.share_a_source("https://feeds.example/courier", "www.courier.example")
    for other in ("courier/../evil", "courier/%2e%2e/evil", "courierevil", "evil", ""):
        assert not trust.share_a_source(f"https://feeds.example/{other}", ours)
    assert not trust.share_a_source("https://notcourier.example/", ours)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BACKFILE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BACKFILE_FETCH_DELAY", "0")


@pytest.mark.usefixtures("command")
@pytest.mark.model
def test_operator_accepts_held_changes_on_the_command_line(
    evil_site: FakeSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ["--archive", str(tmp_path / "archive")]
    own, other = {"id": "own", "text": STORY[0]}, forged_record(url=COURIER.url)
    evil_site.pages["/a.jsonl"] = Page("\n".join(map(json.dumps, (own, other))).encode())
    words = ["ingest", evil_site.url("/a.jsonl"), "--allow-host", "127.0.0.1", *here]
    assert main([*words, "--dry-run"]) == main(words) == main(words) == 3
    capsys.readouterr()
    assert main(["rejects", "--json", *here]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["action"], listed["article_id"]) == ("put", COURIER.id)
    held = listed["id"]
    assert main(["rejects", *here]) == main(["rejects", "--show", held, *here]) == 0
    said = capsys.readouterr().out
    assert f"held {held}: {evil_site.url('/a.jsonl')}!{COURIER.url}: " in said
    assert LIES in " ".join(said.split())
    assert main(["rejects", "--forget", held, *here]) == 0
    assert main(["rejects", "--accept", held, *here]) == 3
    assert f"no held change {held}" in capsys.readouterr().err
    assert main(words) == 3
    assert main(["rejects", "--accept", held, *here]) == 0
    assert f"new: {COURIER.id}" in capsys.readouterr().out
    assert main(["rejects", *here]) == 0
    assert "No rejects." in capsys.readouterr().out


@pytest.mark.usefixtures("command")
def test_sources_command_adds_lists_and_removes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ["--archive", str(tmp_path / "archive")]
    words = ["Harbour Courier", "--host", "https://www.harbour-courier.example/", "--may-kill"]
    assert main(["sources", *here]) == main(["sources", "add", *words, *here]) == 0
    assert main(["sources", "add", "harbour courier", "--host", "feeds.example", *here]) == 0
    capsys.readouterr()
    assert main(["sources", "--json", *here]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["hosts"] == ["harbour-courier.example", "feeds.example"]
    assert listed["may_kill"] is True
    assert main(["sources", "add", "X", "--host", "a b", *here]) == 1
    assert main(["sources", "remove", "Harbour Courier", *here]) == 0
    assert main(["sources", "remove", "Harbour Courier", *here]) == 1
    assert read_trusted_sources(tmp_path / "archive") == TrustedSources()
