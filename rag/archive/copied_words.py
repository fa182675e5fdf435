"""Words that a reader has copied from an article, found in notes and names when it is erased."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

RUN = 6  # words in a row that are hardly the same by chance
SHORTEST_TITLE = 3  # words; shorter titles are anybody's words
_WORD = re.compile(r"\w+")


class CopiedWords:
    """Recognises texts that contain a run of words, or a whole title, of some articles alone."""

    def __init__(
        self,
        articles: Iterable[tuple[str, str]],
        titles: Sequence[str],
        is_of_others: Callable[[str], bool],
    ) -> None:
        """Prepare the runs of words.

        Args:
            articles: Titles and texts of the articles.
            titles: Those of the titles that no other article contains.
            is_of_others: Returns True if another article contains a text.
        """
        self._runs = {run for article in articles for text in article for run, _ in _runs(text)}
        words = (_folded(title) for title in titles)
        self._titles = {run for run in words if len(run) >= SHORTEST_TITLE}
        self._is_of_others = is_of_others

    def are_in(self, text: str) -> bool:
        """Return True if a text contains words that were copied from the articles."""
        for length in {len(title) for title in self._titles}:
            if any(run in self._titles for run, _ in _runs(text, length)):
                return True
        return any(run in self._runs and not self._is_of_others(raw) for run, raw in _runs(text))


def _folded(text: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in _WORD.findall(text))


def _runs(text: str, length: int = RUN) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each run of so many words, folded and as it is written."""
    found = list(_WORD.finditer(text))
    words = [match[0].casefold() for match in found]
    for i in range(len(found) - length + 1):
        raw = text[found[i].start() : found[i + length - 1].end()]
        yield tuple(words[i : i + length]), raw
