"""Erase withdrawn articles from every file of an archive; only the withdrawal remains.

Deleting is not enough: SQLite leaves deleted rows in its pages and its log, Tantivy in its
segments, and Chroma never deletes text and vectors. So the database file is rewritten and the
indexes are rebuilt from it. An interrupted erasure is finished when the archive is opened next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from rag.archive.copied_words import CopiedWords
from rag.index.search import Indexes
from rag.store.articles import ArticleStore
from rag.store.ingest_jobs import IngestJobs
from rag.store.saved_database import SavedDatabase
from rag.store.saved_erasure import erase_from_saved
from rag.store.side_file import SideHome
from rag.store.withdrawals import Erasure, Withdrawals

LOGS = (".jsonl", ".log")
ERASED = b'{"erased": true}'
MIN_CHARACTERS = 10  # characters; shorter titles and sentences don't identify an article
Follow = Callable[[], bool]
_SENTENCE = re.compile(r"[^.!?\n]+")


def erase_articles(
    home: SideHome,
    store: ArticleStore,
    indexes: Indexes,
    article_ids: Sequence[str],
    reason: str = "",
    follow: Follow | None = None,
) -> bool:
    """Withdraw and erase articles.

    Args:
        home: Where the archive's saved items and jobs are.
        store: Its store, writable.
        indexes: Its indexes, writable.
        article_ids: The articles to erase.
        reason: The reason, for the log of withdrawals.
        follow: See `finish_erasure`.

    Returns:
        False if a reader kept the database's log open; the next writer, or erasing the same
        articles again, then finishes the erasure.
    """
    Withdrawals(store).withdraw(article_ids, reason, Erasure.BEGUN)
    return finish_erasure(home, store, indexes, follow)


def finish_erasure(
    home: SideHome, store: ArticleStore, indexes: Indexes, follow: Follow | None = None
) -> bool:
    """Finish all erasures that were begun. Each step can be repeated safely.

    Args:
        home: Where the archive's saved items and jobs are.
        store: Its store, writable.
        indexes: Its indexes, writable.
        follow: Brings the folder's copy of a shared record up to date, and rewrites it and the
            indexes; returns False if another process has to.

    Returns:
        True if no erasure is left unfinished.
    """
    withdrawals = Withdrawals(store)
    left = withdrawals.unfinished()
    if not left:
        return True
    names = withdrawals.names_of(left)
    titles = [title for title in withdrawals.titles_of(left) if not withdrawals.is_of_others(title)]
    sentences = dict.fromkeys(_sentences(store, left))
    matcher = MentionMatcher([*names, *titles], sentences, withdrawals.is_of_others)
    _erase_from_logs(home.folder, matcher)
    copied = CopiedWords(_titles_and_texts(store, left), titles, withdrawals.is_of_others)
    erase_from_saved(
        SavedDatabase(home),
        left,
        lambda text: matcher.matches(text.encode()) or copied.are_in(text),
        frozenset(names),
    )
    IngestJobs(home).forget_rejects()
    indexes.forget_vectors(store.passages.numbers_of(left), store.database)
    withdrawals.erase(left, [*names, *titles])
    if follow is not None:
        rewritten = follow()
        clean = indexes.has_forgotten_vectors()
        return withdrawals.finish(left) and rewritten and clean
    clean = indexes.rebuild_without_erased()
    return withdrawals.finish(left) and clean


def erase_from_logs(folder: Path, store: ArticleStore, revision_ids: Sequence[int]) -> None:
    """Blank the lines of a folder's logs that mention articles, before a copy loses their texts.

    Args:
        folder: The folder of a copy of a shared record.
        store: The copy, which still has the texts.
        revision_ids: The row ids of the revisions whose texts are deleted.
    """
    rows = store.database.execute_for_each(
        "SELECT DISTINCT article_id FROM revisions WHERE id IN ({})", revision_ids
    )
    ids = list(dict.fromkeys(article_id for (article_id,) in rows))

    def is_of_others(words: str) -> bool:
        found = store.database.connection.execute(
            "SELECT DISTINCT r.article_id FROM revisions r JOIN texts t ON t.revision_id = r.id "
            "WHERE instr(t.text, ?) > 0 OR instr(r.title, ?) > 0 LIMIT ?",
            (words, words, len(ids) + 1),
        )
        return not set(ids).issuperset(article_id for (article_id,) in found)

    withdrawals = Withdrawals(store)
    titles = [title for title in withdrawals.titles_of(ids) if not is_of_others(title)]
    names = [*withdrawals.names_of(ids), *titles]
    sentences = dict.fromkeys(_sentences(store, ids))
    _erase_from_logs(folder, MentionMatcher(names, sentences, is_of_others))


def _titles_and_texts(store: ArticleStore, article_ids: Sequence[str]) -> list[tuple[str, str]]:
    rows = store.database.execute_for_each(
        "SELECT r.title, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "
        "WHERE r.article_id IN ({})",
        article_ids,
    )
    return [(title, text) for title, text in rows]


def _sentences(store: ArticleStore, article_ids: Sequence[str]) -> Iterator[str]:
    for _, text in _titles_and_texts(store, article_ids):
        yield from (found.group().strip() for found in _SENTENCE.finditer(text))


class MentionMatcher:
    """Recognises log lines that mention articles: by their names, or by sentences of theirs alone.

    Sentences that other articles contain too ("All rights reserved.") don't count; they are looked
    up only when a line contains them.
    """

    def __init__(
        self, names: Iterable[str], sentences: Iterable[str], is_of_others: Callable[[str], bool]
    ) -> None:
        """Prepare the matcher.

        Args:
            names: Ids, URLs and titles of the articles.
            sentences: Their sentences.
            is_of_others: Returns True if another article contains a sentence.
        """
        self._names = [spelled for name in names for spelled in _spellings(name)]
        self._sentences = [
            (said, sentence) for sentence in sentences for said in _spellings(sentence)
        ]
        self._is_of_others = cache(is_of_others)

    def matches(self, line: bytes) -> bool:
        """Return True if the line mentions one of the articles."""
        return any(name in line for name in self._names) or any(
            said in line and not self._is_of_others(sentence) for said, sentence in self._sentences
        )


def _spellings(words: str) -> set[bytes]:
    """Return the forms of a text in a log, plain or in JSON; none if it is too short."""
    if len(words) < MIN_CHARACTERS:
        return set()
    in_json = (json.dumps(words, ensure_ascii=ascii)[1:-1] for ascii in (True, False))
    return {spelled.encode() for spelled in (words, *in_json)}


def _erase_from_logs(folder: Path, matcher: MentionMatcher) -> None:
    """Blank the lines of the archive's logs that mention an article.

    In place, because another process may be appending to the same file.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix in LOGS and path.is_file():
            _blank_lines(path, matcher)


def _blank_lines(path: Path, matcher: MentionMatcher) -> None:
    with path.open("r+b") as file:
        while True:
            start = file.tell()
            line = file.readline()
            if not line:
                return
            if matcher.matches(line):
                length = len(line.rstrip(b"\r\n"))
                file.seek(start)
                file.write((ERASED if length >= len(ERASED) else b"").ljust(length))
                file.seek(start + len(line))
