"""The `curl` blocks of the README and docs/http.md, run against a real `backfile serve`."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.browser.conftest import free_port, serve
from tests.docs.documents import ROOT, Block, all_blocks, blocks
from tests.support.commands import command

PAGE = ROOT / "docs" / "http.md"
SAMPLE = ROOT / "ingest" / "sample"
TOKEN = "a-secret-of-16-characters-or-more"
ADDRESS = "http://localhost:7860"


@pytest.fixture(scope="module")
def address(sample_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    archive = shutil.copytree(sample_archive, tmp_path_factory.mktemp("http") / "demo")
    started = command("serve", "--port", free_port(), "--archive", archive)
    with serve(started, BACKFILE_TOKEN=TOKEN) as printed:
        yield printed.partition("/?")[0]


@pytest.mark.parametrize("block", all_blocks("bash"), ids=lambda block: block.place)
def test_curl_block_is_answered(block: Block, address: str) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text.replace(ADDRESS, address)],
        env={**os.environ, "BACKFILE_TOKEN": TOKEN, "no_proxy": "*"},
        cwd=SAMPLE,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    if "Accept:" not in block.text and "metrics" not in block.text:
        decoder, rest = json.JSONDecoder(), done.stdout
        while rest:
            value, end = decoder.raw_decode(rest)
            assert value
            rest = rest[end:]


def test_python_block_prints_answers(address: str) -> None:
    (block,) = blocks(PAGE, "python")
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(block.text.replace(ADDRESS, address), block.place, "exec"), {})
    assert "1 statements so far" in printed.getvalue()
    assert "3 documents" in printed.getvalue()
