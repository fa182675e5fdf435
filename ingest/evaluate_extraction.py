"""Evaluate page extraction against gold: main text (next to trafilatura), title, day, authors.

The text measure is that of Zyte's article-extraction-benchmark: precision and recall of 4-word
shingles per page, their means, and the F1 of the means.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from ingest.boilerplate_rules import normalize_line
from ingest.cleaning import clean_line
from ingest.readers import Reject
from ingest.readers.html.body import plain_text
from ingest.readers.html.reader import read_html
from rag.evaluate.metrics import Evaluation, Metric, per_sample
from rag.schema import Article

Metadata = Literal["given", "withheld"]
SHINGLE = 4  # words
# Machine-readable metadata. The <title> stays, because every page has one.
_HIDDEN = re.compile(
    rb"(?is)<script\b[^<>]*ld\+json[^<>]*+>(?:[^<]|<(?!script\b))*?</script\s*>"
    rb"|<meta\b(?![^<>]*charset)[^<>]*+(?:<(?!meta\b|script\b)[^<>]*+)*+>"
)
_QUOTES = str.maketrans("‘’‚‛“”„«»–—−…", '\'\'\'\'"""""---.')


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its gold annotations; None where a field was not annotated."""

    name: str
    content: bytes
    url: str = ""
    body: str | None = None
    headlines: tuple[str, ...] | None = None
    days: tuple[str, ...] | None = None  # ISO dates; several if the time zone is ambiguous
    authors: tuple[str, ...] | None = None


def read_pages(folder: Path, gold: Path | None = None) -> Iterator[Page]:
    """Yield the pages of a folder laid out like Zyte's benchmark.

    The folder has `html/NAME.html.gz` (or `.html`) files and a `ground-truth.json` that maps NAME
    to `articleBody`, `url` and, optionally, `headline`, `datePublished` and `authors`. `headline`
    and `datePublished` may be lists of accepted values.

    Args:
        folder: The folder.
        gold: Another JSON file of the same form, which overrides the first.

    Yields:
        The pages, by name.

    Raises:
        ValueError: A JSON file has another structure.
        OSError: A file can't be read.
    """
    truth = _load_json(folder / "ground-truth.json")
    more = _load_json(gold) if gold else {}
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
            headlines=_as_list(known, "headline"),
            days=_as_list(known, "datePublished"),
            authors=_as_list(known, "authors"),
        )


def evaluate_extraction(
    pages: Iterable[Page],
    *,
    metadata: Metadata = "given",
    progress: Callable[[int], None] = lambda done: None,
) -> ExtractionEvaluation:
    """Read each page and score it against its gold.

    Args:
        pages: The pages.
        metadata: "withheld" removes JSON-LD and <meta> before reading.
        progress: Called with the number of pages done.
    """
    scores = []
    for done, page in enumerate(pages, 1):
        content = _HIDDEN.sub(b"", page.content) if metadata == "withheld" else page.content
        scores.append(score_pages(page, read_html(content, place=page.name, url=page.url), content))
        progress(done)
    return ExtractionEvaluation(tuple(scores))


def score_pages(page: Page, found: Article | Reject, content: bytes) -> PageScore:
    """Score the article read from one page against its gold.

    Args:
        page: The page with its gold.
        found: The result of reading it.
        content: The page's HTML as it was read, for trafilatura.
    """
    article = found if isinstance(found, Article) else None
    return PageScore(
        page.name,
        story=None if page.body is None else overlap(page.body, article.text if article else ""),
        plain=None if page.body is None else overlap(page.body, plain_text(content)),
        title=None
        if page.headlines is None
        else _plain_title(article.title if article else "") in map(_plain_title, page.headlines),
        day=None
        if page.days is None
        else bool(article and _days(article.published) & {*page.days}),
        authors=None
        if page.authors is None
        else _count_right_names(article.authors if article else (), page.authors),
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
    """Return a headline without case, kinds of quotes and dashes, and end marks."""
    return normalize_line(re.sub(r"\.{2,}", ".", clean_line(title).translate(_QUOTES)))


def _days(moment: datetime | None) -> set[str]:
    """Return the day in the stated zone and in UTC."""
    return (
        {moment.date().isoformat(), moment.astimezone(UTC).date().isoformat()} if moment else set()
    )


def _count_right_names(found: Sequence[str], wanted: Sequence[str]) -> tuple[int, int, int]:
    ours, gold = (
        {re.sub(r"\W", "", name.casefold()) for name in names} for names in (found, wanted)
    )
    return len(ours & gold), len(ours), len(gold)


def _load_json(path: Path) -> Mapping[str, Mapping[str, Any]]:
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict) or not all(isinstance(page, dict) for page in value.values()):
        raise ValueError(f"{path.name} is not an object of pages by name")
    return value


def _as_list(known: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    value = known.get(key)
    return None if value is None else (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Precision and recall of extracted text."""

    precision: float
    recall: float


WHOLE = 0.9  # minimum recall of a story that counts as whole
CLEAN = 0.85  # minimum precision of a story that counts as clean


@dataclass(frozen=True, slots=True)
class PageScore:
    """Scores of one page; None where there is no gold."""

    name: str
    story: Overlap | None
    plain: Overlap | None  # trafilatura's own text
    title: bool | None
    day: bool | None
    authors: tuple[int, int, int] | None  # right, found, wanted

    @property
    def quality(self) -> float | None:
        """Mean of story F1, title, day and authors F1; None if none is known."""
        parts = [
            None if self.story is None else _f1([self.story]),
            None if self.title is None else float(self.title),
            None if self.day is None else float(self.day),
            None if self.authors is None else _f1_of_names([self]),
        ]
        known = [part for part in parts if part is not None]
        return sum(known) / len(known) if known else None

    def as_json(self) -> dict[str, Any]:
        """Return the known scores, for `evaluate extraction --json`."""
        found: dict[str, Any] = {"name": self.name}
        if self.story is not None:
            found |= {f"story {key}": round(value, 4) for key, value in asdict(self.story).items()}
        if self.authors is not None:
            counted = zip(("right", "found", "wanted"), self.authors, strict=True)
            found["authors"] = dict(counted)
        known = {"title exact": self.title, "publication day": self.day}
        return found | {name: right for name, right in known.items() if right is not None}


@dataclass(frozen=True, slots=True)
class ExtractionEvaluation(Evaluation):
    """Scores of all pages, and metrics over them."""

    kind: ClassVar[str] = " of extraction"
    pages: tuple[PageScore, ...]

    def metrics(self) -> list[Metric[PageScore]]:
        """Return the metrics that the pages allow, in printing order."""
        return [
            Metric("pages", name, found, per_sample(name, measure))
            for name, (allows, measure) in MEASURES.items()
            if (found := {page.name: page for page in self.pages if allows(page)})
        ]

    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate extraction --json` prints."""
        measures: dict[str, Any] = {
            metric.name: {"n": metric.n}
            | {key: round(value, 4) for key, value in asdict(metric.score()).items()}
            for metric in self.metrics()
        }
        return measures | {"pages": [page.as_json() for page in self.worst(len(self.pages))]}

    def worst(self, count: int) -> list[PageScore]:
        """Return up to `count` pages with any gold, worst first."""
        known = [(quality, page) for page in self.pages if (quality := page.quality) is not None]
        return [page for _, page in sorted(known, key=lambda one: one[0])[:count]]

    def to_saved(self) -> list[dict[str, Any]]:
        """Return the scores of the pages as a JSON value, for `from_saved`."""
        return [asdict(page) for page in self.pages]

    @classmethod
    def from_saved(cls, value: Iterable[Mapping[str, Any]]) -> Self:
        """Return the evaluation that `to_saved` gave."""
        return cls(tuple(map(_load_score, value)))


def _f1(overlaps: Sequence[Overlap | None]) -> float:
    precision, recall = _mean(overlaps, "precision"), _mean(overlaps, "recall")
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _mean(overlaps: Sequence[Overlap | None], of: Literal["precision", "recall"]) -> float:
    values: list[float] = [getattr(one, of) for one in overlaps]
    return sum(values) / len(values)


def _f1_of_names(pages: Sequence[PageScore]) -> float:
    right, found, wanted = (
        sum(column) for column in zip(*(page.authors or (0, 0, 0) for page in pages), strict=True)
    )
    return 2 * right / (found + wanted) if found + wanted else 1.0


def _share_of(values: Iterable[bool | None]) -> float:
    right = [bool(value) for value in values]
    return sum(right) / len(right)


def _stories(pages: Sequence[PageScore]) -> list[Overlap | None]:
    return [page.story for page in pages]


def _plain(pages: Sequence[PageScore]) -> list[Overlap | None]:
    return [page.plain for page in pages]


_Measure = tuple[Callable[[PageScore], bool], Callable[[Sequence[PageScore]], float]]
MEASURES: dict[str, _Measure] = {
    "story F1": (lambda page: page.story is not None, lambda pages: _f1(_stories(pages))),
    "story precision": (
        lambda page: page.story is not None,
        lambda pages: _mean(_stories(pages), "precision"),
    ),
    "story recall": (
        lambda page: page.story is not None,
        lambda pages: _mean(_stories(pages), "recall"),
    ),
    "story whole": (
        lambda page: page.story is not None,
        lambda pages: _share_of(one is not None and one.recall >= WHOLE for one in _stories(pages)),
    ),
    "story clean": (
        lambda page: page.story is not None,
        lambda pages: _share_of(
            one is not None and one.precision >= CLEAN for one in _stories(pages)
        ),
    ),
    "trafilatura F1": (lambda page: page.plain is not None, lambda pages: _f1(_plain(pages))),
    "above trafilatura": (
        lambda page: page.story is not None,
        lambda pages: _f1(_stories(pages)) - _f1(_plain(pages)),
    ),
    "title exact": (
        lambda page: page.title is not None,
        lambda pages: _share_of(page.title for page in pages),
    ),
    "publication day": (
        lambda page: page.day is not None,
        lambda pages: _share_of(page.day for page in pages),
    ),
    "authors F1": (lambda page: page.authors is not None, _f1_of_names),
}


def _load_score(fields: Mapping[str, Any]) -> PageScore:
    overlaps = {
        name: None if fields[name] is None else Overlap(**fields[name])
        for name in ("story", "plain")
    }
    named = fields["authors"]
    authors = None if named is None else (int(named[0]), int(named[1]), int(named[2]))
    return PageScore(**{**fields, **overlaps, "authors": authors})
