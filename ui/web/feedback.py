"""Feedback on answers, saved as JSON lines that `backfile evaluate` reads."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from rag.schema import Filters, Hit
from ui.web.state import Session

FILE = "feedback.jsonl"  # in the archive's folder
MAX_REASON = 2000
MAX_TEXT = 2000  # characters of a sentence or a passage
MOST_SENTENCES = 50
MOST_PASSAGES = 30
MAX_LINE = 100_000  # bytes; longer entries are saved without texts
MAX_FILE = 200_000_000
MAX_DAY = 20_000_000  # bytes saved per day


def make_feedback(
    session: Session, at: int, *, liked: bool, reason: str = ""
) -> dict[str, Any] | None:
    """Build the feedback entry for a thumb.

    Args:
        session: The session with the answer.
        at: Index of the turn in the current conversation.
        liked: True for a thumb up, False for a thumb down.
        reason: Reason given by the user.

    Returns:
        The entry, or None if there is no such turn. `question` is the standalone question, which
        can be asked again with `asked_on` and `filters`; `typed` is the question as typed. `gold`
        are the articles cited by a liked answer. Entries for the same turn have the same `id`; the
        last one counts.
    """
    if not 0 <= at < len(session.turns):
        return None
    turn = session.turns[at]
    answer, asked = turn.answer, turn.request
    cited = dict.fromkeys(citation.metadata.article_id for citation in answer.citations)
    asked_on = turn.asked_on or asked.asked_on or datetime.now(UTC)
    return {
        "id": turn.id,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "thumb": "up" if liked else "down",
        "reason": reason[:MAX_REASON],
        "question": turn.standalone_question or asked.question,
        "typed": asked.question,
        "filters": _filters(asked.filters),
        "asked_on": asked_on.isoformat(timespec="seconds"),
        "mode": asked.mode,
        "gold": list(cited) if liked else [],
        "refused": answer.refused,
        "said": [
            {
                "text": s.text[:MAX_TEXT],
                "support": s.support,
                "cites": [c.number for c in s.citations],
            }
            for s in answer.statements[:MOST_SENTENCES]
        ],
        "passages": [_place(hit) for hit in answer.hits[:MOST_PASSAGES]],
        "archive_sequence": turn.sequence,
    }


class DailyLimit:
    """Limit on the bytes of feedback per day (UTC).

    Args:
        most: Number of bytes.
    """

    def __init__(self, most: int = MAX_DAY) -> None:
        self._most = most
        self._day: date | None = None
        self._bytes = 0
        self._lock = Lock()

    def reserve(self, size: int) -> bool:
        """Count `size` bytes; return False, and count nothing, if they exceed the limit."""
        today = datetime.now(UTC).date()
        with self._lock:
            if self._day != today:
                self._day, self._bytes = today, 0
            if self._bytes + size > self._most:
                return False
            self._bytes += size
            return True


def save_feedback(folder: Path, feedback: dict[str, Any], limit: DailyLimit | None = None) -> bool:
    """Append an entry to the feedback file.

    Each entry is written in one call, so concurrent entries do not mix.

    Args:
        folder: Folder of the archive.
        feedback: The entry.
        limit: Limit for the day, if any.

    Returns:
        Whether it was saved; False if the file or the day's limit is full.

    Raises:
        OSError: The file is not writable.
    """
    line = _line(feedback)
    if limit is not None and not limit.reserve(len(line)):
        return False
    file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.fstat(file).st_size + len(line) > MAX_FILE:
            return False
        os.write(file, line)
    finally:
        os.close(file)
    return True


def _line(feedback: dict[str, Any]) -> bytes:
    line = json.dumps(feedback, ensure_ascii=False).encode(errors="replace") + b"\n"
    if len(line) <= MAX_LINE:
        return line
    places = [{k: v for k, v in one.items() if k != "text"} for one in feedback["passages"]]
    short = {**feedback, "passages": places, "filters": {}, "said": []}
    return json.dumps(short, ensure_ascii=False).encode(errors="replace") + b"\n"


def _filters(filters: Filters) -> dict[str, str | list[str]]:
    """Return the filters in the format of `read_questions`."""
    fields = {name: value for name, value in asdict(filters).items() if value}
    return {
        name: value.isoformat() if isinstance(value, datetime) else list(value)
        for name, value in fields.items()
    }


def _place(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "article_id": passage.article_id,
        "revision": passage.revision,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text[:MAX_TEXT],
    }
