"""Integrity checks of the store; `repairs` repairs what they find."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rag.errors import ArchiveDamagedError, SettingsError
from rag.schema import Article, Span
from rag.store.articles import content_hash, embedding_text, text_digest
from rag.store.change_times import misdated_changes
from rag.store.database import COPY_MARK, Database
from rag.store.names import faulty_revisions
from rag.store.rows import METADATA, METADATA_WIDTH, row_to_article
from rag.store.staged_vectors import NEXT_MODEL, TABLE
from rag.valid_dates import parse_stored_date

Place = Literal[
    "store",
    "record",
    "copy",
    "text index (BM25)",
    "article index",
    "vector index",
    "compact vectors",
    "saved items",
]
# The repair: indexes are rebuilt from the database, names found again, lost vectors embedded
# again; orphaned rows, impossible dates and a vector server's foreign records deleted; lost or
# altered texts need a backup or the source, and lost changes are accepted if they can't be
# restored. Words of erased articles are erased. The triggers of a shared record are created again,
# and a folder copies all of the record again.
Fix = Literal[
    "index",
    "foreign",
    "names",
    "embed",
    "discard",
    "drop",
    "times",
    "undate",
    "erase",
    "restore",
    "give up",
    "triggers",
    "copy",
]
NORM_TOLERANCE = (
    1e-3  # float32 keeps a unit vector's length within 1e-6; bfloat16's are normalised again
)
CHUNK = 5_000  # rows at a time
DROPPED = ("trigger", "view")  # added by somebody else; the repair drops them
REPAIR = "run `backfile doctor --repair`"
RESTORE = "restore a backup with `backfile restore`, or ingest those articles again"
# Erased articles have no text on purpose.
_ERASED = "article_id IN (SELECT article_id FROM withdrawals WHERE erased > 0)"
# Orphaned rows: a table, a condition for its rows, and two parts of the description.
ORPHANS = (
    ("texts", "revision_id NOT IN (SELECT id FROM revisions)", "text", "without an article"),
    ("bylines", "revision_id NOT IN (SELECT id FROM revisions)", "author", "without an article"),
    ("passages", "revision_id NOT IN (SELECT id FROM revisions)", "passage", "without an article"),
    ("vectors", "number NOT IN (SELECT number FROM passages)", "vector", "without a passage"),
    (TABLE, "number NOT IN (SELECT number FROM passages)", "new vector", "without a passage"),
    (
        TABLE,
        f"NOT EXISTS (SELECT 1 FROM meta WHERE key = '{NEXT_MODEL}' AND value != '')",  # nosec B608 # constants of this code, values bound
        "new vector",
        "of no model",
    ),
    (
        "signatures",
        "article_id NOT IN (SELECT article_id FROM revisions)",
        "signature",
        "without an article",
    ),
    ("bands", "number NOT IN (SELECT number FROM signatures)", "band", "without a signature"),
    (
        "copies",
        "article_id NOT IN (SELECT article_id FROM revisions)",
        "reprint",
        "that is not here",
    ),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem: its description, fix and count.

    `numbers` are passage numbers, or row ids of revisions if the fix is "names".
    """

    place: Place
    description: str
    fix: Fix
    count: int = 1
    numbers: tuple[int, ...] = ()
    remedy: str = ""  # if it isn't the usual one of its fix
    whole_file: bool = False  # an unreadable file: nothing else can be checked

    def __str__(self) -> str:
        """Return the problem and its remedy in one line."""
        remedy = self.remedy or (RESTORE if self.fix == "restore" else REPAIR)
        return f"{self.place}: {self.description}: {remedy}"


def store_problems(database: Database) -> Iterator[Problem]:
    """Yield the problems of the database, all as of one moment."""
    find_damage = database.find_damage()
    if find_damage:
        what = f"the file is damaged ({find_damage[0]})"
        yield Problem("store", what, "restore", whole_file=True)
        return
    with database.snapshot():
        yield from _find_orphans(database)
        yield from _find_lost(database)
        yield from _find_foreign(database)
        yield from _check_numbering(database)
        yield from _check_times(database)
        yield from _check_names(database)
        yield from _check_texts(database)
        yield from _check_vectors(database)
        yield from _check_vectors(database, TABLE, "new vector", "discard")  # it is embedded again


def _find_orphans(database: Database) -> Iterator[Problem]:
    for table, which, noun, what in ORPHANS:
        count = _count(database, f"SELECT count(*) FROM {table} WHERE {which}")  # nosec B608 # conditions of this code, values bound
        if count:
            yield Problem("store", f"{format_count(count, noun)} {what}", "discard", count)


def _find_lost(database: Database) -> Iterator[Problem]:
    lost = _ids(
        database,
        "SELECT article_id FROM revisions WHERE id NOT IN (SELECT revision_id FROM texts) "  # nosec B608 # constants of this code, values bound
        f"AND NOT {_ERASED}",
    )
    if lost:
        yield Problem("store", _format_some(lost, "revision", "without a text"), "restore")
    numbers = _ids(
        database,
        "SELECT p.number FROM passages p JOIN texts t ON t.revision_id = p.revision_id "
        "WHERE p.number NOT IN (SELECT number FROM vectors)",
    )
    if numbers:
        what = _format_some(numbers, "passage", "without a vector")
        yield Problem("store", what, "embed", len(numbers), tuple(map(int, numbers)))


def _check_numbering(database: Database) -> Iterator[Problem]:
    gaps = _count(database, "SELECT coalesce(max(sequence), 0) - count(*) FROM changes")
    if gaps:
        yield Problem(
            "store", f"{format_count(gaps, 'change')} missing from the sequence", "restore", gaps
        )
    for which, what in (
        (
            "since NOT IN (SELECT sequence FROM changes) "
            "OR until NOT IN (SELECT sequence FROM changes)",
            "of an unknown change",
        ),
        ("until <= since", "ended before its beginning"),
        (
            "EXISTS (SELECT 1 FROM revisions n WHERE n.article_id = r.article_id "
            "AND n.revision > r.revision AND (r.until IS NULL OR n.since < r.until))",
            "still current beside a later one",
        ),
    ):
        ids = _ids(database, f"SELECT article_id FROM revisions r WHERE {which}")  # nosec B608 # conditions of this code, values bound
        if ids:
            yield Problem("store", _format_some(ids, "revision", what), "restore", len(ids))


def _find_foreign(database: Database) -> Iterator[Problem]:
    """Yield triggers and views, which Backfile doesn't create: a trigger alters what is added."""
    for kind, name in database.foreign_objects():
        if kind in DROPPED:
            yield Problem("store", f"the {kind} {name!r} is not Backfile's", "drop")


def _check_times(database: Database) -> Iterator[Problem]:
    if misdated := misdated_changes(database):
        first = min(misdated)
        what = f"{format_count(len(misdated), 'change')} dated out of order (the first: {first})"
        yield Problem("store", what, "times", len(misdated))


def _check_names(database: Database) -> Iterator[Problem]:
    faulty = faulty_revisions(database)
    if faulty:
        what = _format_some(faulty, "revision", "with missing or altered names")
        yield Problem("store", what, "names", len(faulty), tuple(faulty))


def _check_texts(database: Database) -> Iterator[Problem]:
    """Check dates, content hashes, the passages' spans, and the texts that were embedded."""
    altered, misplaced, foreign = list[str](), list[int](), list[int]()
    undated = impossible_dates(database)
    if undated:
        ids = [article_id for _, article_id, *_ in undated]
        yield Problem(
            "store", _format_some(ids, "revision", "with an impossible date"), "undate", len(ids)
        )
    wrong_dates = {key for key, *_ in undated}
    for key, article, fingerprint, passages in _revisions(database):
        if key in wrong_dates:  # its hash covers the date as well
            continue
        if content_hash(article) != fingerprint:
            altered.append(article.id)
            continue
        for (number, span, digest), wrong in zip(
            passages, _find_misplaced(article, passages), strict=True
        ):
            if wrong:
                misplaced.append(number)
            elif digest != text_digest(embedding_text(article.metadata, _words(article, span))):
                foreign.append(number)
    if altered:
        what = _format_some(altered, "revision", "altered since it was put")
        yield Problem("store", what, "restore", len(altered))
    if misplaced:
        what = _format_some(misplaced, "passage", "out of place in the text")
        yield Problem("store", what, "restore", len(misplaced))
    if foreign:
        what = _format_some(foreign, "passage", "with a vector of other words")
        yield Problem("store", what, "embed", len(foreign), tuple(foreign))


def impossible_dates(database: Database) -> list[tuple[int, str, str | None, str | None]]:
    """Return the revisions that have a date outside the range of valid dates.

    Returns:
        Row id, article id, publication date and update date; a date to delete is None.
    """
    rows = database.connection.execute(
        "SELECT id, article_id, published, updated FROM revisions "
        "WHERE published IS NOT NULL OR updated IS NOT NULL"
    )
    found = []
    for key, article_id, *dates in rows:
        valid = [date if date and parse_stored_date(date) else None for date in dates]
        if valid != [date or None for date in dates]:
            found.append((int(key), str(article_id), valid[0], valid[1]))
    return found


def _words(article: Article, span: Span) -> str:
    return article.text[span.start : span.end]


Placed = list[tuple[int, Span, bytes]]  # the passages of a revision: number, span, digest


def _find_misplaced(article: Article, passages: Placed) -> Iterator[bool]:
    before = -1
    for _, span, _ in passages:
        yield not (before < span.start < span.end <= len(article.text))
        before = span.start


def _revisions(database: Database) -> Iterator[tuple[int, Article, str, Placed]]:
    """Yield each revision's row id, article, content hash and passages; those with a text."""
    after = 0
    while True:
        rows = database.connection.execute(
            f"SELECT {METADATA}, t.text, r.fingerprint, r.id FROM revisions r "  # nosec B608 # constants of this code, values bound
            f"JOIN texts t ON t.revision_id = r.id WHERE r.id > ? ORDER BY r.id LIMIT {CHUNK}",
            (after,),
        ).fetchall()
        if not rows:
            return
        passages: dict[int, Placed] = {}
        for owner, number, start, end, digest in database.connection.execute(
            'SELECT revision_id, number, start, "end", digest FROM passages '
            "WHERE revision_id > ? AND revision_id <= ? ORDER BY number",
            (after, rows[-1][-1]),
        ):
            passages.setdefault(owner, []).append((number, Span(start, end), digest))
        for row in rows:
            fingerprint, key = row[METADATA_WIDTH + 1 :]
            yield int(key), row_to_article(row), fingerprint, passages.get(key, [])
        after = rows[-1][-1]


def _check_vectors(
    database: Database, table: str = "vectors", noun: str = "vector", cure: Fix = "embed"
) -> Iterator[Problem]:
    """Check that all vectors have the same length, are finite, and have norm one."""
    lengths = Counter[int]()
    by_length: dict[int, list[int]] = {}
    wrong = list[int]()
    rows = database.connection.execute(f"SELECT number, vector FROM {table}")  # nosec B608 # names of our schema, values bound
    while chunk := rows.fetchmany(CHUNK):
        for length, group in itertools.groupby(chunk, key=lambda row: len(row[1])):
            of_one = list(group)
            lengths[length] += len(of_one)
            by_length.setdefault(length, []).extend(number for number, _ in of_one)
            if length % 4 == 0 and length:
                matrix = np.frombuffer(b"".join(v for _, v in of_one), "<f4")
                with np.errstate(invalid="ignore", over="ignore"):
                    norms = np.linalg.norm(matrix.reshape(len(of_one), -1), axis=1)
                    bad = ~(np.abs(norms - 1) < NORM_TOLERANCE)
                wrong += [of_one[i][0] for i in np.flatnonzero(bad)]
    usual = lengths.most_common(1)[0][0] if lengths else 0
    odd = [number for length, ns in by_length.items() if length != usual for number in ns]
    if odd:
        what = _format_some(odd, noun, "of another length")
        yield Problem("store", what, cure, len(odd), tuple(odd))
    if left := sorted(set(wrong) - set(odd)):
        what = _format_some(left, noun, "not finite or not of length one")
        yield Problem("store", what, cure, len(left), tuple(left))


def _count(database: Database, statement: str) -> int:
    return int(database.connection.execute(statement).fetchone()[0])


def _ids(database: Database, statement: str) -> list[str]:
    return [row[0] for row in database.connection.execute(statement)]


def _format_some(found: list[str] | list[int], noun: str, what: str) -> str:
    return f"{format_count(len(found), noun)} {what} (the first: {found[0]})"


def format_count(count: int, noun: str) -> str:
    """Return "1 passage", "3 passages"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def refuse_copy(folder: Path, database: Database) -> None:
    """Refuse to write to the copy of a shared record: the next change would undo it.

    Raises:
        SettingsError: The database is a copy.
    """
    if database.meta(COPY_MARK):
        raise SettingsError(
            f"the archive at {folder} is the copy of a shared record: set BACKFILE_RECORD to write "
            "to it"
        )


def refuse_triggers(folder: Path, database: Database) -> None:
    """Refuse a database with triggers: they would run at each write.

    Raises:
        ArchiveDamagedError: The database has a trigger.
    """
    triggers = [name for kind, name in database.foreign_objects() if kind == "trigger"]
    if triggers:
        raise ArchiveDamagedError(
            f"the archive at {folder} cannot be written to: it has the trigger {triggers[0]!r}, "
            "which Backfile did not create and which could alter articles; "
            "`backfile doctor --repair` drops it"
        )
