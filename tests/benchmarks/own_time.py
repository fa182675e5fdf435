"""Run a command, and print at last the processor seconds of its process and of those it started.

python -m tests.benchmarks.own_time ingest ...
"""

from __future__ import annotations

import json
import os
import sys

from ui.cli import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    spent = os.times()
    processor = [spent.user + spent.system, spent.children_user + spent.children_system]
    print(json.dumps({"processor": processor}), file=sys.stderr)
    sys.exit(code)
