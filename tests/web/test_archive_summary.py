"""The cached overview: who waits for the suggestions, and who gets earlier ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from rag.archive.archive import Archive
from rag.archive.restricted import RestrictedArchive
from rag.rights import Rights
from tests.support.fakes import ARTICLES, ORCHARD, WordEmbeddings, small_archive
from ui.web.archive_summary import SummaryCache
from ui.web.state import Suggestion


class SlowSuggestions:
    """Suggestions that name the archive's size, and wait for `go`."""

    def __init__(self) -> None:
        self.go, self.began, self.made = Event(), Event(), 0

    def __call__(self, archive: Any, status: Any) -> tuple[Suggestion, ...]:
        self.made += 1
        self.began.set()
        assert self.go.wait(30)
        return (Suggestion(f"What of these {status.articles} articles?"),)


def questions(cache: SummaryCache) -> list[str]:
    return [one.question for one in cache.current().suggestions]


def test_readers_get_earlier_suggestions_while_new_ones_are_made(tmp_path: Path) -> None:
    suggest = SlowSuggestions()
    suggest.go.set()
    with small_archive(tmp_path / "archive") as archive, ThreadPoolExecutor(2) as pool:
        cache = SummaryCache(archive, suggest)
        before = questions(cache)
        assert before == [f"What of these {len(ARTICLES)} articles?"]
        suggest.go.clear()
        suggest.began.clear()
        with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
            writer.withdraw([ORCHARD.id])
        first = pool.submit(questions, cache)
        assert suggest.began.wait(30)
        seen = pool.submit(cache.current).result(timeout=20)  # doesn't wait for the suggestions
        assert seen.status.articles == len(ARTICLES) - 1
        assert [one.question for one in seen.suggestions] == before
        assert not first.done()
        suggest.go.set()
        after = [f"What of these {len(ARTICLES) - 1} articles?"]
        assert first.result(timeout=30) == questions(cache) == after
    assert suggest.made == 2


def test_first_readers_wait_for_the_suggestions(tmp_path: Path) -> None:
    suggest = SlowSuggestions()
    with small_archive(tmp_path / "archive") as archive, ThreadPoolExecutor(3) as pool:
        cache = SummaryCache(archive, suggest)
        readers = [pool.submit(questions, cache) for _ in range(3)]
        assert suggest.began.wait(30)
        assert not any(one.done() for one in readers)
        suggest.go.set()
        assert {tuple(one.result(timeout=30)) for one in readers} == {
            (f"What of these {len(ARTICLES)} articles?",)
        }
    assert suggest.made == 1


def test_readers_with_other_rights_get_suggestions_of_their_own(tmp_path: Path) -> None:
    suggest = SlowSuggestions()
    suggest.go.set()
    few = Rights(publishers=(ORCHARD.publisher,))
    with small_archive(tmp_path / "archive") as archive:
        cache = SummaryCache(archive, suggest)
        theirs: Any = RestrictedArchive(archive, few)
        some = theirs.status().articles
        assert 0 < some < len(ARTICLES)
        for _ in range(2):
            assert questions(cache) == [f"What of these {len(ARTICLES)} articles?"]
            seen = cache.current(theirs, few)
            assert [one.question for one in seen.suggestions] == [f"What of these {some} articles?"]
            assert set(seen.days) == {ORCHARD.publisher}
    assert suggest.made == 2
