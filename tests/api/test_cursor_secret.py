"""The secret of cursors: made once for an archive, private, and not needed to start."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from ui.api.cursor_secret import BYTES, FILE, open_secret


def test_servers_that_start_together_share_one_secret(tmp_path: Path) -> None:
    together = Barrier(8)

    def start(_: int) -> bytes:
        together.wait()
        return open_secret(tmp_path)

    with ThreadPoolExecutor(8) as threads:
        (secret,) = set(threads.map(start, range(8)))
    assert len(secret) == BYTES
    assert open_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_archives_have_different_secrets(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    assert len({open_secret(folder) for folder in folders}) == 2


@pytest.mark.parametrize("kind", ["damaged", "folder", "missing"])
def test_secret_that_cannot_be_kept_is_random(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "a"
    if kind != "missing":
        folder.mkdir()
    if kind == "damaged":
        (folder / FILE).write_bytes(b"not a database" * 100)
    if kind == "folder":
        (folder / FILE).mkdir()
    first, second = open_secret(folder), open_secret(folder)
    assert len(first) == len(second) == BYTES
    assert first != second
