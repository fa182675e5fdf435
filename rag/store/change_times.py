"""Times of changes: detect those out of order, and repair them.

A change is never stamped earlier than the one before it, even when the clock has been set back (see
`Database.change`). Older versions used the clock as it was, so an article could be added after its
end, and a snapshot could contain later articles.
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
    in_order = {dated[place][0] for place in _longest_in_order([moment for _, moment in dated])}
    last_good = changes[min(in_order)][1] if in_order else datetime.now(UTC).isoformat()
    found: dict[int, str] = {}
    for i, (sequence, at) in enumerate(changes):
        if i in in_order:
            last_good = at
        else:
            found[sequence] = last_good
    return found


def repair_change_times(database: Database) -> int:
    """Put the times of misdated changes, and of the withdrawals made in them, in order.

    Returns:
        The number of misdated changes.
    """
    with database.transaction():
        misdated = misdated_changes(database)
        pairs = [(at, sequence) for sequence, at in misdated.items()]
        for table in ("changes", "withdrawals"):
            database.connection.executemany(f"UPDATE {table} SET at = ? WHERE sequence = ?", pairs)  # nosec B608 # names of our schema, values bound
    return len(misdated)


def _moment(at: str) -> float | None:
    try:
        return datetime.fromisoformat(at).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _longest_in_order(moments: Sequence[float]) -> list[int]:
    """Return the positions of the longest non-decreasing subsequence; the earlier of two.

    Times outside it are attributed to a wrong clock, so one ingest under a wrong date moves only
    itself. Patience sorting (Fredman, 1975), from the end.
    """
    ends: list[float] = []  # by length - 1: the best first time of a run of that length, negated
    at: list[int] = []  # its position
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
