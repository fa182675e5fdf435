"""How well pages are read: the story by Zyte's measure, beside trafilatura; title, day, authors.

The story's measure is that of the article-extraction-benchmark: counts of 4-word shingles,
precision and recall of each page, their means, and F1 of the means.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ingest.boilerplate import bare
from ingest.cleaning import clean_line
from ingest.readers import Reject
from ingest.readers.html.body import plain_story
from ingest.readers.html.reader import read_html
from ingest.scores import ExtractionEvaluation, Overlap, PageScore
from rag.schema import Article

Metadata = Literal["given", "withheld"]
SHINGLE = 4  # words
# What a page says of itself where no reader sees it. Its <title> stays: every page has one.
_HIDDEN = re.compile(
    rb"(?is)<script\b[^<>]*ld\+json[^<>]*+>(?:[^<]|<(?!script\b))*?</script\s*>"
    rb"|<meta\b(?![^<>]*charset)[^<>]*+(?:<(?!meta\b|script\b)[^<>]*+)*+>"
)
_QUOTES = str.maketrans("‘’‚‛“”„«»–—−…", '\'\'\'\'"""""---.')


@dataclass(frozen=True, slots=True)
class Page:
    """A page with what a person found in it; None where nobody has said."""

    name: str
    content: bytes
    url: str = ""
    body: str | None = None
    headlines: tuple[str, ...] | None = None
    days: tuple[str, ...] | None = None  # ISO; more than one where zones make two of it
    authors: tuple[str, ...] | None = None


def read_pages(folder: Path, gold: Path | None = None) -> Iterator[Page]:
    """Yield the pages of a folder as Zyte's benchmark lays it out, with what is known of them.

    `html/NAME.html.gz` (or `.html`) beside `ground-truth.json`: NAME to `articleBody`, `url` and,
    if somebody wrote them down, `headline`, `datePublished`, `authors`; `gold` is another such
    file, which adds to the first. `headline` and `datePublished` may be lists of what is right.
    Raises ValueError or OSError where there is no such thing.
    """
    truth = _loaded(folder / "ground-truth.json")
    more = _loaded(gold) if gold else {}
    for name in sorted(truth):
        known = {**truth[name], **more.get(name, {})}
        packed = folder / "html" / f"{name}.html.gz"
        content = (
            gzip.decompress(packed.read_bytes())
            if packed.exists()
            else packed.with_suffix("").read_bytes()
        )
        yield Page(
            name=name,
            content=content,
            url=str(known.get("url") or ""),
            body=known.get("articleBody"),
            headlines=_listed(known, "headline"),
            days=_listed(known, "datePublished"),
            authors=_listed(known, "authors"),
        )


def evaluate_extraction(
    pages: Iterable[Page],
    *,
    metadata: Metadata = "given",
    progress: Callable[[int], None] = lambda done: None,
) -> ExtractionEvaluation:
    """Read each page and compare; `withheld` takes away JSON-LD and <meta> before it is read."""
    scores = []
    for done, page in enumerate(pages, 1):
        content = _HIDDEN.sub(b"", page.content) if metadata == "withheld" else page.content
        scores.append(scored(page, read_html(content, place=page.name, url=page.url), content))
        progress(done)
    return ExtractionEvaluation(tuple(scores))


def scored(page: Page, found: Article | Reject, content: bytes) -> PageScore:
    """Return how much of `page` is right in what was read."""
    article = found if isinstance(found, Article) else None
    return PageScore(
        page.name,
        story=None if page.body is None else overlap(page.body, article.text if article else ""),
        plain=None if page.body is None else overlap(page.body, plain_story(content)),
        title=None
        if page.headlines is None
        else _plain_title(article.title if article else "") in map(_plain_title, page.headlines),
        day=None
        if page.days is None
        else bool(article and _days(article.published) & {*page.days}),
        authors=None
        if page.authors is None
        else _names_right(article.authors if article else (), page.authors),
    )


def overlap(wanted: str, found: str) -> Overlap:
    """Return precision and recall of the shingles of `found` against those of `wanted`."""
    gold, ours = _shingles(wanted), _shingles(found)
    same = (gold & ours).total()
    if gold == ours:
        return Overlap(1.0, 1.0)
    return Overlap(same / (ours.total() or 1), same / (gold.total() or 1))


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1)))


def _plain_title(title: str) -> str:
    """Return a headline without regard to case, to kinds of quotes and dashes, to end marks."""
    return bare(re.sub(r"\.{2,}", ".", clean_line(title).translate(_QUOTES)))


def _days(moment: datetime | None) -> set[str]:
    """Return the day in the zone that is stated."""
    return (
        {moment.date().isoformat(), moment.astimezone(UTC).date().isoformat()} if moment else set()
    )


def _names_right(found: Sequence[str], wanted: Sequence[str]) -> tuple[int, int, int]:
    ours, gold = (
        {re.sub(r"\W", "", name.casefold()) for name in names} for names in (found, wanted)
    )
    return len(ours & gold), len(ours), len(gold)


def _loaded(path: Path) -> Mapping[str, Mapping[str, Any]]:
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict) or not all(isinstance(page, dict) for page in value.values()):
        raise ValueError(f"{path.name} is not an object of pages by name")
    return value


def _listed(known: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    value = known.get(key)
    return None if value is None else (value,) if isinstance(value, str) else tuple(value)
