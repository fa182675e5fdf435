"""The shipped Caddyfile: accepted by Caddy where that is installed, and like nginx.conf."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.nginx import NAME
from tests.docs.documents import ROOT

FOLDER = ROOT / "docs" / "deploy"


def in_force(name: str) -> str:
    """Return a configuration without its comments."""
    text = (FOLDER / name).read_text()
    return re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)


def found(pattern: str, text: str) -> list[str]:
    """Return what a pattern's group matches, at least once."""
    all_found = re.findall(pattern, text, re.MULTILINE)
    assert all_found, pattern
    return all_found


def test_caddy_accepts_the_file(tmp_path: Path) -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("no caddy: `apt-get install caddy` puts one in the path, on newer systems")
    copy = shutil.copy(FOLDER / "Caddyfile", tmp_path)
    checked = subprocess.run(
        [caddy, "validate", "--adapter", "caddyfile", "--config", copy],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path)},
        timeout=60,
    )
    assert checked.returncode == 0, checked.stderr


def test_braces_are_balanced() -> None:
    depth = 0
    for line in in_force("Caddyfile").splitlines():
        depth += line.endswith("{") - (line.strip() == "}")
        assert depth >= 0
    assert depth == 0


def test_caddy_and_nginx_serve_the_same() -> None:
    caddy, nginx = in_force("Caddyfile"), in_force("nginx.conf")
    assert found(r"^(\S+) \{$", caddy) == [NAME] == sorted(set(found(r"server_name (.+);", nginx)))
    servers = found(r"^\s+reverse_proxy (\S+) \{$", caddy)
    assert servers == found(r"^\s+server (\S+);$", nginx)
    (uploads,) = found(r"location ~ \^/\(\?:(.+)\)\$ \{", nginx)
    paths = [f"/{path}" for path in uploads.split("|")]
    assert found(r"@uploads path (.+)$", caddy)[0].split() == paths
    assert found(r"@others not path (.+)$", caddy)[0].split() == paths
    largest = sorted(int(size) for size in found(r"max_size (\d+)MB", caddy))
    assert largest == sorted(int(size) for size in found(r"client_max_body_size (\d+)m;", nginx))
    assert found(r"response_header_timeout (\d+s)", caddy) == found(
        r"proxy_read_timeout (\d+s);", nginx
    )
    (caddy_hsts,) = found(r'Strict-Transport-Security ("[^"]+")', caddy)
    assert found(r'Strict-Transport-Security ("[^"]+")', nginx) == [caddy_hsts]


def test_caddy_removes_the_same_headers_and_buffers_nothing() -> None:
    caddy, nginx = in_force("Caddyfile"), in_force("nginx.conf")
    removed = set(found(r'proxy_set_header (\S+) "";', nginx)) - {"Connection", "X-Forwarded-Host"}
    assert set(found(r"header_up -(\S+)$", caddy)) == removed
    assert found(r"flush_interval (\S+)", caddy) == ["-1"]
