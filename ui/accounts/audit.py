"""Append-only log of who did what: a JSON line for each action, in audit.jsonl."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from rag.sanitize import single_line
from rag.settings import Audit, Settings
from rag.store.file_permissions import OWNER

if TYPE_CHECKING:
    from ui.readers import Reader

FILE = "audit.jsonl"  # in the archive's folder
LARGEST = 20_000_000  # bytes; a larger file becomes audit.1.jsonl, and that one audit.2.jsonl
KEPT = 9  # older files
LONGEST = 2_000  # characters of a value
MOST_NAMED = 20  # articles of an ingest
LOCK_SECONDS = 5.0  # an entry takes a millisecond

Action = Literal[
    "ask",
    "search",
    "read",
    "browse",
    "check",
    "export",
    "ingest",
    "withdraw",
    "reinstate",
    "erase",
    "login",
    "logout",
    "login_failed",
    "denied",
    "account",
]
Via = Literal["page", "endpoint", "command", "api", "openai", "mcp"]


@dataclass(frozen=True, slots=True)
class Activity:
    """Action of a program for its reader, as the audit log has it.

    Attributes:
        action: The kind of action.
        question: The text that is asked or searched for; written only with the mode "questions".
        details: What the action is done to, such as the id of an article.
    """

    action: Action
    question: str = ""
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditLog:
    """The audit log of an archive; threads and processes may share it.

    Attributes:
        folder: The archive's folder.
        mode: "on", "questions" to keep the texts of questions too, or "off".
        largest: Size in bytes from which a new file is begun.
    """

    folder: Path
    mode: Audit = "on"
    largest: int = LARGEST
    _failed: list[str] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> AuditLog:
        """Return the log of the settings."""
        return cls(settings.archive, settings.audit)

    @property
    def path(self) -> Path:
        """The file that is written to."""
        return self.folder / FILE

    def record(
        self,
        reader: Reader | None,
        action: Action,
        *,
        client: str = "",
        question: str = "",
        **details: str | int,
    ) -> None:
        """Append an entry; a full disk is reported once on stderr, and keeps nobody from working.

        Args:
            reader: Who did it; None if nobody is logged in.
            action: What they did.
            client: Their address.
            question: The text that they asked or searched for; written only with the mode
                "questions".
            **details: What it was done to, such as the id of an article.
        """
        if self.mode == "off" or not self.folder.is_dir():
            return
        entry: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "action": action,
            "who": reader.id if reader else "",
            "name": reader.name if reader else "",
            "client": client,
            **details,
        }
        if question and self.mode == "questions":
            entry["question"] = question
        try:
            self._append(_line(entry))
        except OSError as error:  # Timeout of the lock is one
            if not self._failed:
                self._failed.append(str(error))
                print(f"backfile: the audit log can't be written: {error}", file=sys.stderr)

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the entries, oldest first; what isn't one is left out."""
        for number in (*range(KEPT, 0, -1), 0):
            path = self._older(number) if number else self.path
            with suppress(FileNotFoundError), path.open("rb") as file:
                for line in file:
                    entry = None
                    with suppress(ValueError):
                        entry = json.loads(line)
                    if isinstance(entry, dict) and "at" in entry and "action" in entry:
                        yield entry

    @cached_property
    def _lock(self) -> FileLock:
        return FileLock(f"{self.path}.lock", timeout=LOCK_SECONDS, mode=OWNER, thread_local=True)

    def _append(self, line: bytes) -> None:
        with self._lock:
            with suppress(FileNotFoundError):
                if self.path.stat().st_size + len(line) > self.largest:
                    self._rotate()
            opened = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER)
            try:
                os.write(opened, line)
            finally:
                os.close(opened)

    def _rotate(self) -> None:
        for number in range(KEPT, 0, -1):
            newer = self._older(number - 1) if number > 1 else self.path
            with suppress(FileNotFoundError):
                newer.replace(self._older(number))

    def _older(self, number: int) -> Path:
        return self.path.with_name(f"audit.{number}.jsonl")  # `erase` looks at .jsonl files


OFF = AuditLog(Path(), "off")


@dataclass(frozen=True, slots=True)
class Sender:
    """Sender of a program's request, with the log of what they do.

    Attributes:
        log: The audit log.
        reader: The sender.
        client: Their address; "" on this machine.
        via: How the request came.
    """

    log: AuditLog
    reader: Reader
    client: str
    via: Via

    def record(self, activity: Activity) -> None:
        """Append what they did to the log; call it only once it is surely not refused."""
        self.log.record(
            self.reader,
            activity.action,
            client=self.client,
            question=activity.question,
            via=self.via,
            **activity.details,
        )


def name_articles(ids: Sequence[str], count: int) -> dict[str, str | int]:
    """Return the details of an entry about several articles: their number, and the first ids.

    Args:
        ids: The first ids.
        count: The number of articles.
    """
    named: list[str] = []
    for one in ids[:MOST_NAMED]:
        if len(" ".join((*named, one))) > LONGEST:
            break  # part of an id would name nothing, and erasing wouldn't find it
        named.append(one)
    return {"count": count, "articles": " ".join(named)}


def _line(entry: dict[str, Any]) -> bytes:
    """Return an entry as a line of ASCII: no value can end it or move a terminal's cursor."""
    clean = {
        name: single_line(value)[:LONGEST] if isinstance(value, str) else value
        for name, value in entry.items()
        if value != ""
    }
    return json.dumps(clean, ensure_ascii=True).encode() + b"\n"
