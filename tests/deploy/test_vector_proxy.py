"""The proxy of the docs in front of a Chroma server: a bearer token over https."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.schema import ALL_RIGHTS
from rag.settings import Settings
from tests.deploy.nginx import find_nginx, make_certificate, start_nginx
from tests.docs.documents import ROOT
from tests.support.chroma_server import ChromaProcess
from tests.support.ports import free_port
from tests.support.vectors import add, open_archive, problems, server_settings, storm
from ui.cli.format import status_text

pytestmark = pytest.mark.slow

TOKEN = "T0ken.of-the_test~17"
PATHS = "/etc/letsencrypt/live/vectors.example"


@pytest.fixture
def proxied(chroma_server: ChromaProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an archive whose vectors are behind the proxy."""
    program, port = find_nginx(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    for shipped, ours in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        f"{PATHS}/fullchain.pem": f"{folder}/certificate.pem",
        f"{PATHS}/privkey.pem": f"{folder}/key.pem",
        "REPLACE-BY-A-LONG-RANDOM-TOKEN": TOKEN,
        "http://127.0.0.1:8000": chroma_server.url,
    }.items():
        assert text.count(shipped) == 1
        text = text.replace(shipped, ours)
    try:
        make_certificate(folder)
        with start_nginx(program, text, folder, port):
            monkeypatch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
            yield server_settings(f"https://127.0.0.1:{port}", chroma_token=TOKEN)
    finally:
        shutil.rmtree(folder)


def test_vectors_go_through_a_proxy_that_checks_a_token(proxied: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    add(folder, proxied, [storm(n, 2018 + n % 2) for n in range(8)])
    with open_archive(folder, proxied) as archive:
        assert archive.indexes.vectors.reached == archive.version
        assert archive.indexes.vectors.count() == 8
    assert problems(folder, proxied) == []


@pytest.mark.parametrize("wrong", ["", "another"])
def test_wrong_token_is_told_without_it(proxied: Settings, tmp_path: Path, wrong: str) -> None:
    folder, settings = tmp_path / "archive", replace(proxied, chroma_token=wrong)
    add(folder, settings, [storm(1)])
    with open_archive(folder, settings) as archive:
        assert archive.search("number1", 1)
        told = status_text(archive.status(access=ALL_RIGHTS))
    assert "check BACKFILE_CHROMA_TOKEN" in told
    assert wrong == "" or wrong not in told


def test_unknown_certificate_is_refused(
    proxied: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    add(tmp_path / "archive", proxied, [storm(1)])
    with open_archive(tmp_path / "archive", proxied) as archive:
        told = status_text(archive.status(access=ALL_RIGHTS))
    assert "CERTIFICATE_VERIFY_FAILED" in told
    assert TOKEN not in told
