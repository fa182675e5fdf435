"""State of a folder's copy of the shared record that it follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FollowerState:
    """State of a folder's copy of the record.

    Attributes:
        server: The record's server and database; "" for a reader who may not know it.
        reachable: True if the last look at the record succeeded.
        as_of: When the copy last had all of the record's changes; None if never.
        lag_changes: Changes of the record that the copy lacks, as of the last look.
        lag_seconds: Age of the oldest of them; while the record can't be reached, of the copy.
        problem: Why the copy isn't brought up to date; "" if it is.
    """

    server: str
    reachable: bool
    as_of: datetime | None
    lag_changes: int
    lag_seconds: float
    problem: str = ""
