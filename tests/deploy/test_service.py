"""The shipped systemd unit: valid, hardened, and starting a command that exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from rag.settings import PREFIX, Settings
from tests.deploy.commands import settings_of, starts_server
from tests.docs.documents import ROOT

SHIPPED = ROOT / "docs" / "deploy" / "backfile.service"
INSTALLED = "/opt/backfile/bin/backfile"
MOST_EXPOSURE = 20  # of 100; a unit without hardening has 96


def options(section: str) -> dict[str, list[str]]:
    """Return the options of a section of the unit, each with its values."""
    text = SHIPPED.read_text()
    found = re.search(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, section
    lines = [line for line in found[1].splitlines() if line and not line.startswith("#")]
    named: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition("=")
        named.setdefault(name, []).append(value)
    return named


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists on this machine."""
    text = SHIPPED.read_text()
    assert text.count(INSTALLED) == 1
    copy = tmp_path / "backfile.service"
    copy.write_text(text.replace(INSTALLED, sys.executable))
    return copy


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze: `apt-get install systemd` puts one in the path")
    line = [program, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


def test_systemd_accepts_every_line(unit: Path) -> None:
    verify = ("verify", "--man=no", "--recursive-errors=no")
    accepted = analyze(*verify, unit)
    assert (accepted.returncode, accepted.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=sometimes"))
    assert "sometimes" in analyze(*verify, unit).stderr


def test_service_is_little_exposed(unit: Path) -> None:
    security = ("security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}")
    hardened = analyze(*security, unit)
    assert hardened.returncode == 0, hardened.stdout
    hardening = re.compile(r"^(?:Protect|Restrict|SystemCall|Cap).*\n", re.MULTILINE)
    unit.write_text(hardening.sub("", unit.read_text()))
    assert analyze(*security, unit).returncode != 0


def test_service_runs_the_server_of_its_archive() -> None:
    service = options("Service")
    (line,) = service["ExecStart"]
    program, *arguments = shlex.split(line)
    assert program == INSTALLED
    environment = dict(value.split("=", 1) for value in service["Environment"])
    settings = settings_of(environment)
    assert starts_server(arguments)
    # On the loopback address, behind the proxy, and where systemd lets it write.
    assert settings.host == "127.0.0.1"
    assert settings.archive == Path("/var/lib") / service["StateDirectory"][0] / "archive"
    assert environment["HF_HOME"] == f"/var/cache/{service['CacheDirectory'][0]}"


def test_service_has_no_rights_and_a_limit_of_memory() -> None:
    service = options("Service")
    assert service["User"] != ["root"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == [""]
    for name, value in {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "UMask": "0077",
        "StateDirectoryMode": "0700",
        "Restart": "on-failure",
    }.items():
        assert service[name] == [value]
    assert service["MemoryMax"]
    assert "MemoryDenyWriteExecute" not in service  # torch compiles code while it runs


def test_settings_in_comments_exist() -> None:
    names = {PREFIX + field.name.upper() for field in fields(Settings)}
    for name in ("backfile.service", "nginx.conf", "Caddyfile", "Dockerfile"):
        text = (SHIPPED.parent / name).read_text()
        found = set(re.findall(rf"\b{PREFIX}[A-Z_]+", text))
        assert found, name
        assert found <= names, name
