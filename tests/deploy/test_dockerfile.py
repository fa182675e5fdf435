"""The shipped Dockerfile, against what is in the repository and what the docs say."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

from tests.deploy.commands import settings_of, starts_server
from tests.deploy.conftest import Site
from tests.docs.documents import ROOT, blocks

SHIPPED = ROOT / "docs" / "deploy" / "Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the file, in order, each with its words on one line."""
    text = re.sub(r"\\\n\s*", "", SHIPPED.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, words) for name, _, words in (line.partition(" ") for line in lines)]


def only(name: str) -> str:
    (words,) = [words for found, words in instructions() if found == name]
    return words


def copied() -> list[str]:
    """Return what is copied into the image, from the repository's root."""
    copies = [words.split()[:-1] for name, words in instructions() if name == "COPY"]
    return [source for sources in copies for source in sources]


def test_copied_files_exist_and_are_all_that_is_installed() -> None:
    sources = copied()
    assert all((ROOT / source).exists() for source in sources)
    # What a build of the package reads, and the versions that the docs install.
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    project = PROJECT["project"]
    needed = [*packages, project["readme"], *project["license-files"]]
    assert set(sources) == {*needed, "pyproject.toml", "constraints.txt"}
    for name, words in instructions():  # a folder is copied into one of its name
        if name == "COPY" and len(words.split()) == 2:
            source, target = words.split()
            assert source == target


def test_context_has_what_is_copied_and_no_archive() -> None:
    ignored = SHIPPED.with_name("Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert kept == set(copied())
    assert not any(fnmatch.fnmatch("archive", rule) for rule in kept)


def test_commands_are_those_of_the_docs() -> None:
    page = ROOT / "docs" / "getting-started.md"
    lines = [line for block in blocks(page, "sh") for line in block.text.splitlines()]
    installs = [line for line in lines if line.startswith("pip install") and "[" not in line]
    runs = [words.replace(" --no-cache-dir", "") for name, words in instructions() if name == "RUN"]
    assert [line for line in runs if line.startswith("pip")] == installs
    assert "download.pytorch.org/whl/cpu" in installs[0]


def test_python_is_one_that_the_package_supports() -> None:
    found = re.fullmatch(r"python:(3\.\d+)-slim", only("FROM"))
    assert found
    supported = [c.rpartition(":: ")[2] for c in PROJECT["project"]["classifiers"]]
    assert found[1] in supported


def test_server_runs_as_a_user_who_owns_only_the_volume() -> None:
    names = [name for name, _ in instructions()]
    assert only("USER") not in ("root", "0")
    last_install = max(at for at, name in enumerate(names) if name in ("RUN", "COPY"))
    assert names.index("USER") > last_install  # the program is root's
    volume = only("VOLUME")
    assert any(
        name == "RUN" and "useradd" in words and f"--home-dir {volume}" in words
        for name, words in instructions()
    )
    environment = dict(part.split("=", 1) for part in shlex.split(only("ENV")))
    settings = settings_of(environment)
    assert str(settings.archive).startswith(f"{volume}/")
    assert environment["HF_HOME"].startswith(f"{volume}/")
    assert str(settings.port) == only("EXPOSE")


def test_container_starts_the_server() -> None:
    assert json.loads(only("ENTRYPOINT")) == list(PROJECT["project"]["scripts"])
    assert starts_server(json.loads(only("CMD")))


@pytest.mark.slow
def test_health_check_tells_a_running_server_from_none(site: Site) -> None:
    _, _, check = only("HEALTHCHECK").partition(" CMD ")
    program, *arguments = json.loads(check)
    assert program == "python"
    port = only("EXPOSE")
    assert f":{port}/" in arguments[-1]

    def is_healthy(port: int) -> bool:
        line = [argument.replace(f":{only('EXPOSE')}/", f":{port}/") for argument in arguments]
        return subprocess.run([sys.executable, *line], capture_output=True).returncode == 0

    assert is_healthy(site.port)
    assert not is_healthy(1)  # nothing listens there
