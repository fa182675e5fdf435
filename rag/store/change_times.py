"""Times of the record's changes: in the order of their numbers, and repaired where they are not.

A change is stamped no earlier than the one before it, even when the clock has been set back (see
`Database.change`).  Older versions stamped whatever the clock said: then an article "came in" after
it ended, and the archive as of a day held what came later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime

from rag.store.database import Database


def misdated_changes(database: Database) -> dict[int, str]:
    """Return the time that each misdated change should have, by its sequence number."""
    rows = database.connection.execute("SELECT sequence, at FROM changes ORDER BY sequence")
    changes = [(int(sequence), str(at)) for sequence, at in rows]
    dated = [
        (i, moment) for i, (_, at) in enumerate(changes) if (moment := _moment(at)) is not None
    ]
    kept = {dated[place][0] for place in _longest_in_order([moment for _, moment in dated])}
    right = changes[min(kept)][1] if kept else datetime.now(UTC).isoformat()
    found: dict[int, str] = {}
    for i, (sequence, at) in enumerate(changes):
        if i in kept:
            right = at
        else:
            found[sequence] = right
    return found


def repair_change_times(database: Database) -> int:
    """Give the misdated changes, and the withdrawals made in them, a time in order.

    Returns how many changes were misdated.
    """
    with database.transaction():
        misdated = misdated_changes(database)
        pairs = [(at, sequence) for sequence, at in misdated.items()]
        for table in ("changes", "withdrawals"):
            database.connection.executemany(f"UPDATE {table} SET at = ? WHERE sequence = ?", pairs)
    return len(misdated)


def _moment(at: str) -> float | None:
    try:
        return datetime.fromisoformat(at).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _longest_in_order(moments: Sequence[float]) -> list[int]:
    """Return the places of the most moments that don't go backwards; the earlier ones of two such.

    What is outside is taken for the clock's mistake: a day set wrongly for one ingest, ahead or
    back, moves only that ingest.  Patience sorting (Fredman, 1975), from the end.
    """
    ends: list[float] = []  # by length - 1: minus the best first moment of a run so long
    at: list[int] = []  # where that is
    following = [-1] * len(moments)
    for i in range(len(moments) - 1, -1, -1):
        length = bisect_right(ends, -moments[i])
        following[i] = at[length - 1] if length else -1
        if length == len(ends):
            ends.append(-moments[i])
            at.append(i)
        else:
            ends[length], at[length] = -moments[i], i
    found, i = [], at[-1] if at else -1
    while i >= 0:
        found.append(i)
        i = following[i]
    return found
