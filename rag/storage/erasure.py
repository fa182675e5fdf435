"""Erasing withdrawn articles from every file of the archive: nothing stays but the withdrawal.

Deleting is not enough.  SQLite leaves deleted rows in its pages and its log, Tantivy in its
segments, and Chroma both text and vectors for good: so the record's file is written anew, and
the indexes are made again from it.  Cut short at any point, it is finished on the next opening.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.storage.indexes import Indexes
from rag.storage.record import Record
from rag.storage.withdrawals import Erasure, Withdrawals

LOGS = (".jsonl", ".log")
ERASED = b'{"erased": true}'
TELLING = 10  # characters of a title or a sentence by which its article is told
_SENTENCE = re.compile(r"[^.!?\n]+")


def erase(
    folder: Path, record: Record, indexes: Indexes, article_ids: Sequence[str], reason: str = ""
) -> bool:
    """Withdraw articles and erase them; return False where a reader kept the file's log open.

    It is then finished by the next writer, or by erasing the same articles again.
    """
    Withdrawals(record).withdraw(article_ids, reason, Erasure.BEGUN)
    return finish(folder, record, indexes)


def finish(folder: Path, record: Record, indexes: Indexes) -> bool:
    """Finish the erasures that were begun; return whether there is nothing left to do.

    Each step may be done again: what was erased already is not there.
    """
    withdrawals = Withdrawals(record)
    left = withdrawals.unfinished()
    if not left:
        return True
    words = withdrawals.words_of(left)
    _erase_from_logs(folder, [*words, *_sentences(record, left)])
    withdrawals.erase(left)
    indexes.renew()
    return withdrawals.finish(left)


def _sentences(record: Record, article_ids: Sequence[str]) -> Iterator[str]:
    rows = record.database.for_each(
        "SELECT t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "
        "WHERE r.article_id IN ({})",
        article_ids,
    )
    for (text,) in rows:
        yield from (found.group().strip() for found in _SENTENCE.finditer(text))


def _erase_from_logs(folder: Path, words: Sequence[str]) -> None:
    """Blank the lines of the archive's logs that speak of an article, where they stand.

    In place, for another process may be adding to the same file.
    """
    telling = {word for word in words if len(word) >= TELLING}
    needles = [
        spelled.encode()
        for word in telling
        for spelled in {word, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}
    ]
    for path in sorted(folder.iterdir()):
        if path.suffix in LOGS and path.is_file():
            _blank_lines(path, needles)


def _blank_lines(path: Path, needles: Sequence[bytes]) -> None:
    with path.open("r+b") as file:
        while True:
            start = file.tell()
            line = file.readline()
            if not line:
                return
            if any(needle in line for needle in needles):
                length = len(line.rstrip(b"\r\n"))
                file.seek(start)
                file.write((ERASED if length >= len(ERASED) else b"").ljust(length))
                file.seek(start + len(line))
