"""Names of people, places and organisations by revision.

Each revision with a text has a row with the numbers of its names, written in the change that adds
it. So the names follow the record by itself: a revision's `since` and `until` decide what a reader
or a snapshot sees, and an interrupted change leaves no trace.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

from rag.nlp.analyzers import ENGLISH, stemming_rules
from rag.nlp.name_kinds import Kind
from rag.nlp.names import KINDS, find_typed_names
from rag.schema import Article
from rag.store.database import Database
from rag.store.rows import METADATA, METADATA_WIDTH, row_to_article

RULES = "2"  # raised when the rules for names change: all revisions are read again
META = "names"  # RULES once every revision has its row
REPAIRS = "names_repaired"  # times that names were written again
_UP_TO = f"{RULES} up to "
BATCH = 200  # revisions read and committed at a time: 2 s of work

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NameTable:
    """All names and where they occur, as arrays.

    Attributes:
        names: Each name, by its number; "" for numbers that are not in use.
        kinds: The position of each name's kind in KINDS, by the name's number.
        revisions: Row id of a revision, for each pair of a revision and a name in it.
        numbers: The name's number, for each pair.
    """

    names: tuple[str, ...]
    kinds: npt.NDArray[np.int8]
    revisions: Ids
    numbers: Ids


def names_of(article: Article) -> list[tuple[Kind, str]]:
    """Return the names in an article's headline and text, each once; English articles only.

    In other languages, capital letters mean something else.
    """
    if stemming_rules(article.language) != ENGLISH:
        return []
    found = find_typed_names(f"{article.title}\n\n{article.text}")
    return list(dict.fromkeys((one.kind, one.name) for one in found))


class NameStore:
    """The names of all revisions; only the holder of the write lock may change them."""

    def __init__(self, database: Database) -> None:
        """Read and write the names of a database."""
        self._database = database
        self._lock = Lock()
        # state, epoch and content of the last reading
        self._table: tuple[tuple[object, ...], tuple[object, ...], NameTable] | None = None

    def is_complete(self) -> bool:
        """Return whether every revision has its names, by the present rules."""
        return self._database.meta(META) == RULES

    # writing

    def write(self, revision_id: int, names: Sequence[tuple[Kind, str]]) -> None:
        """Write the names of a revision. Must run inside a change or transaction.

        Args:
            revision_id: The revision's row id.
            names: Its names, each once.
        """
        connection = self._database.connection
        numbers = self._numbers_of(names)
        held = np.sort(np.array(numbers, "<u4")).tobytes()
        connection.execute(
            "INSERT INTO mentions VALUES (?, ?, ?) ON CONFLICT (revision_id) DO UPDATE SET "
            "names = excluded.names, checksum = excluded.checksum",
            (revision_id, held, names_checksum(revision_id, sorted(names))),
        )

    def _numbers_of(self, names: Sequence[tuple[Kind, str]]) -> list[int]:
        """Return the numbers of names, new ones for new names."""
        known: dict[tuple[str, str], int] = {}
        for kind in dict.fromkeys(kind for kind, _ in names):
            rows = self._database.execute_for_each(
                f"SELECT name, number FROM names WHERE kind = '{kind}' AND name IN ({{}})",  # nosec B608 # constants of this code, values bound
                [name for of, name in names if of == kind],
            )
            known.update({(kind, name): number for name, number in rows})
        new = [pair for pair in names if pair not in known]
        numbers = self._database.next_numbers("names", len(new))
        self._database.connection.executemany(
            "INSERT INTO names (number, kind, name) VALUES (?, ?, ?)",
            [(number, *pair) for number, pair in zip(numbers, new, strict=True)],
        )
        known.update(zip(new, numbers, strict=True))
        return [known[pair] for pair in names]

    def catch_up(self, on_progress: Callable[[int], None] | None = None) -> None:
        """Read the revisions that have no names by the present rules.

        Each batch is committed, so an interrupted run resumes where it stopped.

        Args:
            on_progress: Called after each batch with the number of revisions read so far.
        """
        done = self._database.meta(META)
        if done == RULES:
            return
        after = int(done.removeprefix(_UP_TO)) if done.startswith(_UP_TO) else 0
        count = 0
        for batch in self._revisions(after):
            with self._database.transaction():
                for key, article in batch:
                    self.write(key, names_of(article))
                self._database.set_meta(META, f"{_UP_TO}{batch[-1][0]}")
            count += len(batch)
            if on_progress is not None:
                on_progress(count)
        with self._database.transaction():
            self.discard_unused()
            self._database.set_meta(META, RULES)
            self._count_repair()

    def rebuild(self) -> None:
        """Read all revisions again. Readers see the old names until a revision's turn."""
        self._database.set_meta(META, f"{_UP_TO}0")
        self.catch_up()

    def repair(self, revision_ids: Iterable[int]) -> None:
        """Write the names of these revisions again, and delete names that none has."""
        for key in revision_ids:
            article = self._article(key)
            with self._database.transaction():
                if article is None:
                    self._database.connection.execute(
                        "DELETE FROM mentions WHERE revision_id = ?", (key,)
                    )
                else:
                    self.write(key, names_of(article))
        with self._database.transaction():
            self.discard_unused()
            self._count_repair()

    def _count_repair(self) -> None:
        """Make readers read all names again."""
        self._database.set_meta(REPAIRS, str(int(self._database.meta(REPAIRS) or 0) + 1))

    def discard_unused(self) -> None:
        """Delete the names that no revision has: an erased article's must not remain."""
        rows = self._database.connection.execute("SELECT names FROM mentions").fetchall()
        used = set(_numbers([held for (held,) in rows]).tolist())
        known = [n for (n,) in self._database.connection.execute("SELECT number FROM names")]
        self._database.connection.executemany(
            "DELETE FROM names WHERE number = ?", [(n,) for n in known if n not in used]
        )

    def _revisions(self, after: int) -> Iterator[list[tuple[int, Article]]]:
        while rows := self._database.connection.execute(
            f"SELECT {METADATA}, t.text, r.id FROM revisions r "  # nosec B608 # constants of this code, values bound
            f"JOIN texts t ON t.revision_id = r.id WHERE r.id > ? ORDER BY r.id LIMIT {BATCH}",
            (after,),
        ).fetchall():
            after = int(rows[-1][METADATA_WIDTH + 1])
            yield [(int(row[METADATA_WIDTH + 1]), row_to_article(row)) for row in rows]

    def _article(self, revision_id: int) -> Article | None:
        row = self._database.connection.execute(
            f"SELECT {METADATA}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "  # nosec B608 # constants of this code, values bound
            "WHERE r.id = ?",
            (revision_id,),
        ).fetchone()
        return row_to_article(row) if row else None

    # reading

    def state(self) -> tuple[object, ...]:
        """Return a value that differs whenever the names do."""
        newest = self._database.connection.execute("SELECT max(revision_id) FROM mentions")
        progress, repairs = self._database.meta(META), self._database.meta(REPAIRS)
        return (self._database.sequence(), progress, repairs, newest.fetchone()[0])

    def table(self) -> NameTable:
        """Return all names, cached until the next change; 0.2 s for 100,000 passages.

        After a change that only adds, only what is new is read.
        """
        state, epoch = self.state(), self._epoch()
        with self._lock:
            if self._table is None or self._table[0] != state:
                known = self._table[2] if self._table and self._table[1] == epoch else None
                self._table = (state, epoch, self._read(known))
            return self._table[2]

    def _epoch(self) -> tuple[object, ...]:
        """Return a value that differs if rows that have been read may have changed since."""
        erased = self._database.connection.execute(
            "SELECT max(sequence) FROM changes WHERE action = 'erase'"
        )
        return self._database.meta(META), self._database.meta(REPAIRS), erased.fetchone()[0]

    def _read(self, known: NameTable | None) -> NameTable:
        """Read the names, only the new ones beside those that are known."""
        connection = self._database.connection
        names = list(known.names) if known else []
        kinds = known.kinds if known else np.empty(0, np.int8)
        after = int(known.revisions.max(initial=0)) if known else 0
        named = connection.execute(
            "SELECT number, kind, name FROM names WHERE number >= ? ORDER BY number", (len(names),)
        ).fetchall()
        size = 1 + max((number for number, _, _ in named), default=len(names) - 1)
        kinds = np.concatenate([kinds, np.zeros(size - len(kinds), np.int8)])
        names += [""] * (size - len(names))
        for number, kind, name in named:
            if kind in KINDS:
                names[number], kinds[number] = name, KINDS.index(kind)
        rows = connection.execute(
            "SELECT revision_id, names FROM mentions WHERE revision_id > ? ORDER BY revision_id",
            (after,),
        ).fetchall()
        rows = [(key, held) for key, held in rows if held and len(held) % 4 == 0]
        numbers = _numbers([held for _, held in rows])
        keys = np.fromiter((key for key, _ in rows), np.int64, len(rows))
        revisions = np.repeat(keys, [len(held) // 4 for _, held in rows])
        used = np.array([bool(name) for name in names])
        valid = numbers < size
        valid[valid] = used[numbers[valid]]
        revisions, numbers = revisions[valid], numbers[valid]
        if known is not None:
            revisions = np.concatenate([known.revisions, revisions])
            numbers = np.concatenate([known.numbers, numbers])
        return NameTable(tuple(names), kinds, revisions, numbers)


def _numbers(held: Sequence[bytes]) -> Ids:
    whole = b"".join(one for one in held if len(one) % 4 == 0)
    return np.frombuffer(whole, "<u4").astype(np.int64)


def names_checksum(revision_id: int, names: Sequence[tuple[str, str]]) -> int:
    """Return the checksum of a revision's names, sorted by kind and name."""
    text = "\x1f".join(f"{kind}\x1e{name}" for kind, name in names)
    return zlib.crc32(f"{revision_id}\x1d{text}".encode())


def faulty_revisions(database: Database) -> list[int]:
    """Return the row ids of revisions whose names are missing, altered or of no article.

    Names that are still being read for the first time are not missing.
    """
    connection = database.connection
    known = {
        n: (kind, name)
        for n, kind, name in connection.execute("SELECT number, kind, name FROM names")
    }
    faulty = list[int]()
    for key, held, checksum in connection.execute(
        "SELECT revision_id, names, checksum FROM mentions"
    ):
        numbers = _numbers([held]).tolist()
        names = sorted(known[number] for number in numbers if number in known)
        if len(held) % 4 or len(names) < len(numbers) or names_checksum(key, names) != checksum:
            faulty.append(key)
    orphans = (
        "SELECT revision_id FROM mentions WHERE revision_id NOT IN (SELECT revision_id FROM texts)"
    )
    faulty += [key for (key,) in connection.execute(orphans)]
    if database.meta(META) == RULES:
        missing = "SELECT revision_id FROM texts WHERE revision_id NOT IN "
        missing += (
            "(SELECT revision_id FROM mentions) AND revision_id IN (SELECT id FROM revisions)"
        )
        faulty += [key for (key,) in connection.execute(missing)]
    return sorted(set(faulty))
