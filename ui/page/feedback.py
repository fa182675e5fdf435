"""What readers say of answers: thumbs and a reason, a JSON line each, for `backfile evaluate`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.schema import Filters, Hit
from ui.page.session import Desk

FILE = "feedback.jsonl"  # beside the record, in the archive's folder
LONGEST_REASON = 2000


def feedback_of(desk: Desk, at: int, *, liked: bool, reason: str = "") -> dict[str, Any] | None:
    """Return what is kept of a thumb at the turn `at`; None where the desk has no such turn.

    The `question` stands without those before it, and with `asked_on` and `filters` it can be
    asked again; `typed` are the words as they were typed. The articles that a liked answer cites
    are `gold`: those to be found again. The same turn has the same `id`, so that a later line
    stands for an earlier one.
    """
    if not 0 <= at < len(desk.turns):
        return None
    turn = desk.turns[at]
    answer, asked = turn.answer, turn.asked
    cited = dict.fromkeys(citation.head.article_id for citation in answer.citations)
    asked_on = turn.asked_on or asked.asked_on or datetime.now(UTC)
    return {
        "id": turn.id,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "thumb": "up" if liked else "down",
        "reason": reason[:LONGEST_REASON],
        "question": turn.alone or asked.question,
        "typed": asked.question,
        "filters": _filters(asked.filters),
        "asked_on": asked_on.isoformat(timespec="seconds"),
        "mode": asked.mode,
        "gold": list(cited) if liked else [],
        "refused": answer.refused,
        "said": [
            {"text": s.text, "support": s.support, "cites": [c.number for c in s.citations]}
            for s in answer.statements
        ],
        "passages": [_place(hit) for hit in answer.hits],
        "archive_sequence": turn.sequence,
    }


def keep(folder: Path, feedback: dict[str, Any]) -> None:
    """Add one line; lines of two readers at once do not mix, for each is written whole."""
    line = json.dumps(feedback, ensure_ascii=False) + "\n"
    file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def _filters(filters: Filters) -> dict[str, str | list[str]]:
    """Return what narrows, by the fields of `Filters`, for `read_questions`."""
    said = {name: value for name, value in asdict(filters).items() if value}
    return {
        name: value.isoformat() if isinstance(value, datetime) else list(value)
        for name, value in said.items()
    }


def _place(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "article_id": passage.article_id,
        "revision": passage.revision,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
    }
