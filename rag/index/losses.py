"""Whether the record has lost changes that were acknowledged: its indexes remember more of them.

Every change is in the record before the indexes follow it, and on the disk.  An index that is
ahead has outlived a part of the record: archive.sqlite-wal was deleted or damaged after the writer
was killed, or a file was put back from an earlier day by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rag.index.chroma_index import followed_to
from rag.nlp.dates import in_words
from rag.store.database import Database


@dataclass(frozen=True, slots=True)
class Loss:
    """The changes that are lost, from `first` to `last`; the one before was made at `since`."""

    first: int
    last: int
    since: datetime | None

    @property
    def what(self) -> str:
        one = self.first == self.last
        which = f"change {self.first} is" if one else f"changes {self.first} to {self.last} are"
        return f"{which} lost, which its indexes have followed"

    @property
    def way_out(self) -> str:
        since = f"since {in_words(self.since)}" if self.since else "from the beginning"
        return (
            "put archive.sqlite-wal back, or a backup; to go on without, run "
            f"`backfile doctor --repair` and ingest again what came in {since}"
        )


def loss_of(folder: Path, database: Database) -> Loss | None:
    """Return which changes the record has lost; None where it has all that was acknowledged."""
    reached = followed_to(folder)  # first: a writer may go on meanwhile
    sequence = database.sequence()
    if reached <= sequence:
        return None
    row = database.connection.execute(
        "SELECT at FROM changes ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    return Loss(sequence + 1, reached, datetime.fromisoformat(row[0]) if row else None)
