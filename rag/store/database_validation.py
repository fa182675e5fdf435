"""Validation of a database of unknown origin: its schema, its pages and its values.

A backup may have been made by anybody. Its database is checked here before anything else opens it:
a trigger would run at the next ingest, and a value of the wrong type would fail every command that
reads it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import BackfileError
from rag.store.migrations import MIGRATIONS, expected_schema, foreign_objects, missing_objects
from rag.store.rows import METADATA, row_to_article
from rag.store.sqlite_database import Connection, open_untrusted
from rag.store.staged_vectors import GENERATION, TABLE

CHUNK = 1_000  # rows at a time
LARGEST = 2**53  # for numbers that are counted up from; SQLite's own limit is 2**63
_TYPES = {"TEXT": "text", "INTEGER": "integer", "BLOB": "blob"}
_UNBOUNDED = ("key", "published_at")  # hashes and seconds can be any integer
_MOMENTS = ("at", "began", "ended")  # columns of times with a time zone
_NUMBER = re.compile(r"\d{0,15}")


class InvalidStoreError(BackfileError):
    """The file is not a valid database; the message gives the reason as a clause."""


def validate_database(path: Path) -> int:
    """Check a database file that no process has open.

    Returns:
        The version of its schema.

    Raises:
        InvalidStoreError: The file is not a valid database.
    """
    try:
        with open_untrusted(path) as connection:
            version = check_schema(connection)
            check_pages(connection)
            _types(connection, version)
            _values(connection, version)
            return version
    except InvalidStoreError:
        raise
    except Exception as error:  # SQLite and row conversion raise many types for invalid content
        line = " ".join(str(error).split())[:200]
        raise InvalidStoreError(f"its content cannot be read ({line})") from error


def validate_schema(path: Path) -> None:
    """Check the schema alone, so that a backup of this database can be restored.

    Raises:
        InvalidStoreError: The schema is not Backfile's.
    """
    with open_untrusted(path) as connection:
        check_schema(connection)


def count_rows(path: Path) -> tuple[int, int, int, str]:
    """Return the numbers of articles and passages, the last change, and the embedding model."""
    with open_untrusted(path) as connection:
        articles, passages, sequence, model = connection.execute(
            "SELECT (SELECT count(*) FROM revisions WHERE until IS NULL), (SELECT count(*) "
            "FROM passages p JOIN revisions r ON r.id = p.revision_id WHERE r.until IS NULL), "
            "(SELECT ifnull(max(sequence), 0) FROM changes), "
            "ifnull((SELECT value FROM meta WHERE key = 'embedding_model'), '')"
        ).fetchone()
    return int(articles), int(passages), int(sequence), str(model)


def check_schema(connection: Connection, migrations: tuple[str, ...] = MIGRATIONS) -> int:
    """Return the version of a database's schema.

    Raises:
        InvalidStoreError: The schema is not the one that these migrations create.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if version > len(migrations):
        raise InvalidStoreError(
            f"it was made by a newer version of Backfile (schema {version}): upgrade to restore it"
        )
    (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    most = 2 * len(expected_schema(version, migrations)) + 2
    if version < 1 or application or count > most:
        raise InvalidStoreError("its database is not Backfile's")
    if foreign := foreign_objects(connection, version, migrations):
        raise InvalidStoreError(
            f"it contains the {_named(foreign)}, which no version of Backfile creates"
        )
    if missing := missing_objects(connection, version, migrations):
        raise InvalidStoreError(f"it lacks the {_named(missing)}")
    return int(version)


def _named(objects: list[tuple[str, str, str]]) -> str:
    kind, name, _ = objects[0]
    return f"{kind} {name[:60]!r}"


def check_pages(connection: Connection) -> None:
    """Check the pages of a database.

    Raises:
        InvalidStoreError: A page is damaged.
    """
    (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if result != "ok":
        raise InvalidStoreError(f"its pages are damaged ({' '.join(str(result).split())[:200]})")
    if connection.execute("PRAGMA foreign_key_check").fetchone():
        raise InvalidStoreError("its tables do not belong together")


def check_column_types(
    connection: Connection, version: int, migrations: tuple[str, ...] = MIGRATIONS
) -> None:
    """Check every value against its column's type: SQLite itself accepts any type anywhere.

    Raises:
        InvalidStoreError: A value has another type than its column.
    """
    for table in _tables(version, migrations):
        for name, declared, required, key in _columns(connection, table):
            allowed = f"'{_TYPES[declared]}'" + ("" if required or key else ", 'null'")
            wrong = f'typeof("{name}") NOT IN ({allowed})'
            if declared == "INTEGER" and name not in _UNBOUNDED:
                wrong += f' OR "{name}" NOT BETWEEN {-LARGEST} AND {LARGEST}'
            if connection.execute(f'SELECT 1 FROM "{table}" WHERE {wrong} LIMIT 1').fetchone():  # nosec B608 # conditions of this code, values bound
                raise InvalidStoreError(f"a value of {table}.{name} has the wrong type")


def _types(connection: Connection, version: int) -> None:
    check_column_types(connection, version)
    for _, last in connection.execute("SELECT name, seq FROM sqlite_sequence"):
        if not isinstance(last, int) or not 0 <= last <= LARGEST:
            raise InvalidStoreError("its passage numbers are too high")
    for table in ("vectors", TABLE):
        if table in _tables(version):
            lengths = connection.execute(
                f"SELECT DISTINCT length(vector) FROM {table} LIMIT 2"  # nosec B608 # names of our schema, values bound
            ).fetchall()
            if len(lengths) > 1 or any(not length or length % 4 for (length,) in lengths):
                raise InvalidStoreError(f"its {table} have different lengths")
            for chunk in _chunks(connection, f"SELECT vector FROM {table}"):  # nosec B608 # names of our schema, values bound
                if not np.isfinite(np.frombuffer(b"".join(v for (v,) in chunk), "<f4")).all():
                    raise InvalidStoreError(f"its {table} contain values that are not finite")


def _tables(version: int, migrations: tuple[str, ...] = MIGRATIONS) -> list[str]:
    tables = (name for kind, name, _ in expected_schema(version, migrations) if kind == "table")
    return sorted(name for name in tables if not name.startswith("sqlite_"))


def _columns(connection: Connection, table: str) -> list[tuple[str, str, bool, bool]]:
    rows = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    return [(name, declared, bool(req), bool(key)) for _, name, declared, req, _, key in rows]


def _values(connection: Connection, version: int) -> None:
    """Read every text, time and article once, as the commands will."""
    for table in _tables(version):
        columns = _columns(connection, table)
        texts = [name for name, declared, _, _ in columns if declared == "TEXT"]
        if not texts:
            continue
        names = ", ".join(f'"{name}"' for name in texts)
        times = [i for i, name in enumerate(texts) if name in _MOMENTS]
        for row in _rows(connection, f'SELECT {names} FROM "{table}"'):  # nosec B608 # names of our schema, values bound
            for value in (row[i] for i in times):
                _check_time(value, table)
    if version > 1:  # the metadata columns came with version 2
        for row in _rows(
            connection,
            f"SELECT {METADATA}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id",  # nosec B608 # constants of this code, values bound
        ):
            article = row_to_article(row)
            if not all(isinstance(author, str) for author in article.authors):
                raise InvalidStoreError(f"the authors of {article.id[:60]!r} are not text")
        for (figures,) in _rows(connection, "SELECT figures FROM runs"):
            if not isinstance(json.loads(figures), dict):
                raise InvalidStoreError("the figures of an ingest run are not an object")
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    done = re.sub(r"\d{0,9} up to ", "", meta.get("stories", ""))
    named = re.sub(r"\d{0,9} up to ", "", meta.get("names", ""))
    counters = (meta.get(GENERATION, ""), done, named, meta.get("names_repaired", ""))
    if not all(_NUMBER.fullmatch(number) for number in counters):
        raise InvalidStoreError("its counter of vectors, duplicates or names is not a number")


def _check_time(value: str | None, table: str) -> None:
    time = datetime.fromisoformat(value) if value is not None else None
    if time is not None and time.tzinfo is None:
        raise InvalidStoreError(f"a time in {table} has no time zone")
    if time is not None:
        time.astimezone(UTC)  # raises OverflowError for years outside the calendar


def _rows(connection: Connection, statement: str) -> Iterator[Any]:
    return itertools.chain.from_iterable(_chunks(connection, statement))


def _chunks(connection: Connection, statement: str) -> Iterator[list[Any]]:
    rows = connection.execute(statement)
    while chunk := rows.fetchmany(CHUNK):
        yield chunk
