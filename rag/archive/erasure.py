"""Erasing withdrawn articles from every file of the archive: nothing stays but the withdrawal.

Deleting is not enough.  SQLite leaves deleted rows in its pages and its log, Tantivy in its
segments, and Chroma both text and vectors for good: so the record's file is written anew, and
the indexes are made again from it.  Cut short at any point, it is finished on the next opening.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from rag.index.index_pair import IndexPair
from rag.store.articles import ArticleStore
from rag.store.withdrawals import Erasure, Withdrawals

LOGS = (".jsonl", ".log")
ERASED = b'{"erased": true}'
TELLING = 10  # characters of a title or a sentence by which its article is told
_SENTENCE = re.compile(r"[^.!?\n]+")


def erase_articles(
    folder: Path,
    record: ArticleStore,
    indexes: IndexPair,
    article_ids: Sequence[str],
    reason: str = "",
) -> bool:
    """Withdraw articles and erase them; return False where a reader kept the file's log open.

    It is then finished by the next writer, or by erasing the same articles again.
    """
    Withdrawals(record).withdraw(article_ids, reason, Erasure.BEGUN)
    return finish_erasure(folder, record, indexes)


def finish_erasure(folder: Path, record: ArticleStore, indexes: IndexPair) -> bool:
    """Finish the erasures that were begun; return whether there is nothing left to do.

    Each step may be done again: what was erased already is not there.
    """
    withdrawals = Withdrawals(record)
    left = withdrawals.unfinished()
    if not left:
        return True
    names = withdrawals.names_of(left)
    titles = [title for title in withdrawals.titles_of(left) if not withdrawals.is_of_others(title)]
    sentences = dict.fromkeys(_sentences(record, left))
    _erase_from_logs(folder, MentionMatcher([*names, *titles], sentences, withdrawals.is_of_others))
    withdrawals.erase(left, [*names, *titles])
    indexes.rebuild()
    return withdrawals.finish(left)


def _sentences(record: ArticleStore, article_ids: Sequence[str]) -> Iterator[str]:
    rows = record.database.execute_for_each(
        "SELECT t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "
        "WHERE r.article_id IN ({})",
        article_ids,
    )
    for (text,) in rows:
        yield from (found.group().strip() for found in _SENTENCE.finditer(text))


class MentionMatcher:
    """By what a line is known to speak of articles: their names, and sentences of theirs alone.

    What other articles say too ("All rights reserved.") tells nothing; it is looked for among
    them only where a line has it.
    """

    def __init__(
        self, names: Iterable[str], sentences: Iterable[str], is_of_others: Callable[[str], bool]
    ) -> None:
        self._names = [spelled for name in names for spelled in _spellings(name)]
        self._sentences = [
            (said, sentence) for sentence in sentences for said in _spellings(sentence)
        ]
        self._is_of_others = cache(is_of_others)

    def of(self, line: bytes) -> bool:
        """Return whether the line speaks of them."""
        return any(name in line for name in self._names) or any(
            said in line and not self._is_of_others(sentence) for said, sentence in self._sentences
        )


def _spellings(words: str) -> set[bytes]:
    """Return how words may stand in a log: as they are, or in JSON; none of what is too short."""
    if len(words) < TELLING:
        return set()
    in_json = (json.dumps(words, ensure_ascii=ascii)[1:-1] for ascii in (True, False))
    return {spelled.encode() for spelled in (words, *in_json)}


def _erase_from_logs(folder: Path, telling: MentionMatcher) -> None:
    """Blank the lines of the archive's logs that speak of an article, where they stand.

    In place, for another process may be adding to the same file.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix in LOGS and path.is_file():
            _blank_lines(path, telling)


def _blank_lines(path: Path, telling: MentionMatcher) -> None:
    with path.open("r+b") as file:
        while True:
            start = file.tell()
            line = file.readline()
            if not line:
                return
            if telling.of(line):
                length = len(line.rstrip(b"\r\n"))
                file.seek(start)
                file.write((ERASED if length >= len(ERASED) else b"").ljust(length))
                file.seek(start + len(line))
