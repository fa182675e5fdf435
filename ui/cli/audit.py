"""`backfile audit`: who did what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from rag.sanitize import single_line
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import DATES, Date, archive_options

FIRST = ("at", "action", "who", "name", "client")  # the other fields follow these


@click.command(
    cls=ManualPage,
    notes=[
        DATES,
        (
            "The log",
            "audit.jsonl in the archive's folder: a JSON line for each action, about 20 MB and "
            "nine older files of that size. BACKFILE_AUDIT is on, questions to keep the texts of "
            "questions too, or off.",
        ),
    ],
    examples=[
        Example("Show what was done since yesterday", "backfile audit --since yesterday"),
        Example("Show one user's actions as JSON", "backfile audit --who ada --json"),
    ],
)
@click.option("--since", type=Date(), metavar="DATE", help="Only entries of this time or later.")
@click.option("--who", metavar="NAME", help="Only entries of the user with this name or ID.")
@archive_options
def audit(since: datetime | None, who: str | None, settings: Settings, as_json: bool) -> int:
    """Print the audit log: who asked, searched, added, removed, exported and logged in.

    With --json, one object for each line.
    """
    from ui.accounts.audit import AuditLog
    from ui.render import json_line

    for entry in _matching(AuditLog.of(settings).read(), since, who):
        if as_json:
            print(json_line(entry))
        else:
            name = entry.get("name") or entry.get("who") or "nobody"
            details = [f"{key}={value}" for key, value in entry.items() if key not in FIRST]
            words = (entry["at"], entry["action"], name, entry.get("client", ""), *details)
            print(single_line(" ".join(str(word) for word in words if word)))
    return ExitCode.DONE


def _matching(
    entries: Iterator[dict[str, Any]], since: datetime | None, who: str | None
) -> Iterator[dict[str, Any]]:
    wanted = who.casefold() if who else None
    for entry in entries:
        if wanted and wanted not in (str(entry.get(key, "")).casefold() for key in ("name", "who")):
            continue
        if since and _moment(entry) < since:
            continue
        yield entry


def _moment(entry: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(str(entry["at"])).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
