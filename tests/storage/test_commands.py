"""`backfile ingest s3://...` and `backfile rejects --retry`, and what they leave behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.test_output import archive_option
from tests.ingest.test_pipeline import json_line
from tests.support.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from ui.cli import main


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BACKFILE_")]:
        monkeypatch.delenv(name)


@pytest.mark.model
def test_interrupted_source_is_continued_and_retried(
    s3: S3Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here = [*archive_option(tmp_path / "archive")]
    s3.put("press", "news/a:1.jsonl", json_line(1))
    s3.put("press", "news/b.jsonl", json_line(2))
    s3.before = lambda one: (403, "InvalidAccessKeyId") if one.key == "news/b.jsonl" else None
    assert main(["ingest", "s3://press/news/", *here]) == 3
    said = capfd.readouterr()
    assert said.out.startswith("1 new, 0 changed, 0 unchanged, 1 rejected;")
    assert "s3://press/news/b.jsonl" in said.err
    s3.before = lambda _: None
    assert main(["rejects", "--retry", *here]) == 0
    assert capfd.readouterr().out.startswith("1 new, 0 changed, 0 unchanged, 0 rejected;")
    assert main(["rejects", *here]) == 0
    assert capfd.readouterr().out == "No rejects.\n"
    assert main(["ingest", "s3://press/news/", *here]) == 0
    assert capfd.readouterr().out.startswith("0 new, 0 changed, 2 unchanged, 0 rejected;")
    stored = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())
    assert b"s3://press/news" in stored
    assert ACCESS_KEY.encode() not in stored
    assert SECRET_KEY.encode() not in stored


def test_unreachable_storage_is_one_plain_error(
    s3: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert main(["ingest", "s3://press/news/", "--dry-run", *archive_option(tmp_path / "a")]) == 1
    said = capfd.readouterr().err
    assert "the storage can't be reached" in said
    assert "Traceback" not in said
    assert SECRET_KEY not in said


def test_address_with_credentials_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = "s3://AKIDHARBOUR:courier-secret@press/news"
    assert main(["ingest", source, *archive_option(tmp_path / "a")]) == 1
    said = capfd.readouterr().err
    assert "contains credentials" in said
    assert "courier-secret" not in said
    assert not (tmp_path / "a").exists()


def test_file_url_is_a_path(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a b.jsonl").write_text(json_line(1) + "\n{broken\n")
    url = f"file://{tmp_path}/a%20b.jsonl"
    assert main(["ingest", url, "--dry-run", *archive_option(tmp_path / "a")]) == 3
    said = capfd.readouterr()
    assert "1 new" in said.out
    assert f"{tmp_path}/a b.jsonl:2" in said.err
