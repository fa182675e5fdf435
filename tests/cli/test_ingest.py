"""`backfile ingest` of addresses, `--dry-run`, `--every`, and `backfile rejects`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_output import archive_option
from tests.fetch.test_crawler import feed, page
from tests.support.commands import command, environment
from tests.support.fake_site import FakeSite, serve_site
from tests.support.fakes import HARBOUR, as_json
from ui.cli import main


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    for name in [name for name in os.environ if name.startswith("BACKFILE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BACKFILE_FETCH_DELAY", "0")
    with serve_site() as found:
        yield found


@pytest.mark.model
def test_rejects_are_listed_and_retried(
    site: FakeSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.pages |= {
        "/feed": feed(("Crane falls", site.url("/crane")), ("Fire", site.url("/fire"))),
        "/crane": page("Crane falls"),
    }
    here = [*archive_option(tmp_path / "archive")]
    allowed = ["--allow-host", "127.0.0.1", *here]
    assert main(["ingest", site.url("/feed"), *allowed]) == 3
    said = capsys.readouterr()
    assert said.out.startswith("1 new, 0 changed, 0 unchanged, 1 rejected;")
    told = {"place": site.url("/fire"), "reason": "not found (404)"}
    assert [json.loads(line) for line in said.err.splitlines()] == [told]

    assert main(["rejects", "--json", *here]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert {key: listed[key] for key in told} == told
    assert main(["rejects", *here]) == 0
    assert f"{site.url('/fire')}: not found (404)" in capsys.readouterr().out

    assert main(["rejects", "--retry", *allowed]) == 1  # still rejected
    site.pages["/fire"] = page("Fire in the harbour")
    assert main(["rejects", "--retry", *allowed]) == 0
    capsys.readouterr()
    assert main(["rejects", *here]) == 0
    assert capsys.readouterr().out == "No rejects.\n"
    # The feed is unchanged, so its entries aren't requested.
    assert main(["ingest", site.url("/feed"), *allowed]) == 0
    assert "0 new, 0 changed, 1 unchanged" in capsys.readouterr().out


@pytest.mark.model
def test_rejects_are_retried_with_their_options(
    site: FakeSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = [*archive_option(tmp_path / "archive")]
    path = tmp_path / "a.jsonl"
    mapped = {"hed": "Crane falls", "inner": {"copy": "It fell on the pier. Nobody was hurt."}}
    path.write_text(json.dumps(mapped) + "\n{broken\n")
    (tmp_path / "b.jsonl").write_text("{broken\n")
    fields = "title=hed,text=inner.copy"
    assert main(["ingest", str(path), "--map", fields, *here]) == 3
    assert main(["ingest", str(tmp_path / "b.jsonl"), *here]) == 1
    path.write_text(json.dumps(mapped) + "\n" + json.dumps(mapped).replace("pier", "deck"))
    (tmp_path / "b.jsonl").unlink()
    capsys.readouterr()
    assert main(["rejects", "--retry", *here]) == 0
    said = capsys.readouterr()
    assert "1 new, 0 changed, 1 unchanged, 0 rejected" in said.out
    assert "b.jsonl: no longer exists; removed from the list" in said.err
    assert main(["rejects", *here]) == 0
    assert capsys.readouterr().out == "No rejects.\n"


def test_private_address_is_rejected_unless_allowed(
    site: FakeSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.pages["/crane"] = page("Crane falls")
    words = ["ingest", site.url("/crane"), "--dry-run", *archive_option(tmp_path / "archive")]
    assert main(words) == 1
    reject, closing = capsys.readouterr().err.splitlines()
    assert "`--allow-host 127.0.0.1` permits it" in json.loads(reject)["reason"]
    assert closing.startswith("backfile: No articles in http://127.0.0.1")
    assert site.requests == []
    assert main([*words, "--allow-host", "127.0.0.1"]) == 0


def test_dry_run_lists_changes_and_writes_nothing(
    site: FakeSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(as_json(HARBOUR)) + "\n{broken\n")
    words = ["ingest", str(path), "--dry-run", *archive_option(tmp_path / "archive")]
    assert main(words) == 3
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"new      {HARBOUR.id}: {HARBOUR.title}"
    assert out[1] == "dry run, nothing written: 1 new, 0 changed, 0 unchanged, 1 rejected"
    assert main([*words, "--json"]) == 3
    listed = json.loads(capsys.readouterr().out)["articles"]
    assert listed == [{"what": "new", "id": HARBOUR.id, "title": HARBOUR.title}]
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize(
    "words", [["--every", "0m"], ["--every", "15"], ["--every", "1m", "--dry-run"]]
)
def test_wrong_interval_is_a_usage_error(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ingest", "https://v.example/", *words])
    assert ended.value.code == 2


@pytest.mark.model
def test_polling_stops_on_a_signal(site: FakeSite, tmp_path: Path) -> None:
    site.pages |= {
        "/feed": feed(("Crane falls", site.url("/crane"))),
        "/crane": page("Crane falls"),
    }
    log = tmp_path / "log.jsonl"
    process = subprocess.Popen(
        command(
            *("ingest", site.url("/feed"), "--every", "1s"),
            *("--json", "--allow-host", "127.0.0.1", *archive_option(tmp_path / "archive")),
        ),
        env=environment(BACKFILE_FETCH_DELAY="0", BACKFILE_LOG=str(log)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    rounds = [json.loads(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert [(r["new"], r["unchanged"]) for r in rounds] == [(1, 0), (0, 1)]
    assert [json.loads(line)["new"] for line in log.read_text().splitlines()][:2] == [1, 0]
