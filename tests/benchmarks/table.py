"""The table of docs/benchmarks.md that `make bench` writes."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
COLUMNS = ("what", "median", "spread", "where the time goes", "day")
ALIGNED = "| --- | ---: | ---: | --- | --- |"
PACKAGES = ("torch", "onnxruntime", "chromadb", "tantivy", "numpy", "sentence-transformers")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; `what` is its key."""

    what: str
    median: str
    spread: str
    parts: str = ""

    def format(self, day: str) -> str:
        """Return the row in Markdown."""
        return f"| {self.what} | {self.median} | {self.spread} | {self.parts} | {day} |"


def replace_rows(page: str, rows: Sequence[Row], day: str, machine: str) -> str:
    """Return the page with these rows in its table, and the machine below it.

    Args:
        page: The page, which has the lines BEGIN and END.
        rows: Rows; those of the page that say the same are replaced.
        day: The day on which they were measured.
        machine: The machine.
    """
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    lines = old.splitlines()
    table = {
        line.split("|")[1].strip(): line
        for line in lines
        if line.startswith("| ") and not line.startswith(("| what ", "| --- "))
    }
    table |= {row.what: row.format(day) for row in rows}
    machines = {line[2:].split(":")[0]: line for line in lines if line.startswith("- ")}
    machines[day] = f"- {day}: {machine}."
    used = {line.rstrip(" |").rpartition("|")[2].strip() for line in table.values()}
    noted = [line for of, line in sorted(machines.items()) if of in used]
    head = f"| {' | '.join(COLUMNS)} |"
    parts = (BEGIN, "\n".join([head, ALIGNED, *table.values()]), "\n".join(noted), END)
    return before + "\n\n".join(parts) + after


def describe_machine() -> str:
    """Return the processor, its cores and memory, and the versions of what counts."""
    held = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for name in PACKAGES:
        try:
            held.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory()}, {platform.system()}; "
        f"{', '.join(held)}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text("utf-8") if info.exists() else ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = [flag for flag in ("amx_tile", "avx512_vnni", "avx2") if f" {flag} " in text]
    return f"{name[1] if name else platform.machine()} ({flags[0] if flags else 'no vectors'})"


def _memory() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{pages * size / 2**30:.0f} GB"
