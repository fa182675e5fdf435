"""Run bandit on the code, and check that each finding that is left out says why.

python -m tests.lint.security
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("rag", "ingest", "ui")
COMMAND = ("bandit", "-c", "pyproject.toml", "-r", *PACKAGES, "-q")
# Bandit warns of each string of a line that isn't the one that it would have reported.
NOISE = re.compile(r"\[tester\]\tWARNING\tnosec encountered \(\w+\), but no failed test ")
_LEFT_OUT = re.compile(r"#\s*nosec\b.*")
_EXPLAINED = re.compile(r"# nosec B\d{3} # \S.{5,}")


def unexplained(text: str) -> Iterator[int]:
    """Yield the lines with a comment that leaves out a finding and gives no test or no reason."""
    for number, line in enumerate(text.splitlines(), 1):
        found = _LEFT_OUT.search(line)
        if found and not _EXPLAINED.fullmatch(found[0]):
            yield number


def main() -> int:
    """Print the findings; return the exit code."""
    failed = False
    for path in (path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))):
        for number in unexplained(path.read_text(encoding="utf-8")):
            failed = True
            print(f"{path.relative_to(ROOT)}:{number}: write `# nosec B000 # the reason`")
    done = subprocess.run(
        [sys.executable, "-m", *COMMAND], cwd=ROOT, capture_output=True, text=True
    )
    print(done.stdout, end="")
    for line in done.stderr.splitlines():
        if not NOISE.match(line):
            failed = True
            print(line, file=sys.stderr)
    return int(failed or done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
