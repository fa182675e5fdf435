"""The pre-commit hooks and `make lint` run the same checks."""

from __future__ import annotations

import re
from pathlib import Path

from pre_commit.clientlib import load_config

ROOT = Path(__file__).parents[1]


def test_pre_commit_runs_what_make_lint_runs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = re.search(r"^lint:.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    assert lint
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in lint[1].splitlines()]
    (local,) = load_config(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == commands
    for hook in local["hooks"]:
        assert hook["language"] in ("system", "unsupported")  # two names of one: fetches nothing
        assert hook["always_run"]
        assert not hook["pass_filenames"]  # the whole tree, as `make lint`
