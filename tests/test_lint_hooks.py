"""The pre-commit hooks and `make lint` run the same checks."""

from __future__ import annotations

import re
from pathlib import Path

from pre_commit.clientlib import load_config

ROOT = Path(__file__).parents[1]


def test_pre_commit_runs_what_make_lint_runs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [made] = re.findall(r"^lint:.*\n\t(.+)\n", makefile, re.MULTILINE)
    commands = []
    for target in re.findall(r"lint-\w+", made):
        [recipe] = re.findall(rf"^{target}:.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
        commands += [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    (local,) = load_config(ROOT / ".pre-commit-config.yaml")["repos"]
    assert sorted(hook["entry"] for hook in local["hooks"]) == sorted(commands)
    for hook in local["hooks"]:
        assert hook["language"] in ("system", "unsupported")  # two names of one: fetches nothing
        assert hook["always_run"]
        assert not hook["pass_filenames"]  # the whole tree, as `make lint`
