"""Near-duplicate detection: shingles, MinHash, and the decision whether two articles match.

A wire story is reprinted under other headlines, with a paragraph or two cut and a few words
changed. An article that repeats a story's background under a new lead is news, not a copy, and so
is the next issue of a column that opens with the same words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.nlp.dates import CALENDAR_WORDS
from rag.schema import Article

Hashes = npt.NDArray[np.uint64]

SHINGLE = (
    4  # words; with 3, columns and templates come too close; with 5, light edits cost too much
)
OPENING = 120  # words: the lead and the text before background that many articles share
PERMUTATIONS = 128  # of MinHash: estimates the Jaccard similarity within .04
ROWS = 3  # per band: 42 bands find .999 of pairs that share .6 of their shingles, .94 at .4
BANDS = PERMUTATIONS // ROWS
LEAD = 40  # words; with its own sketch, because a brief may share only a long article's lead
LEAD_PERMUTATIONS = 32
LEAD_ROWS = 4

# All thresholds were chosen on 400 labelled pairs of 11,746 articles:
# `backfile evaluate duplicates` measures them again.
SAME_DAY = timedelta(days=1)
SAME_WEEK = timedelta(days=7)
CONTAINED_ON_THE_DAY = 0.70  # share of the shorter text's shingles in the longer
CONTAINED_LATER = 0.80  # a day later, columns and templates look alike
OPENS_ALIKE_ON_THE_DAY = 0.60  # share of the shorter text's opening anywhere in the longer
OPENS_ALIKE_LATER = 0.75
LEADS_ALIKE = (
    0.50  # share of the longer text's lead in a brief; with less, the brief is about something else
)
LEADS_ALIKE_IN_AN_UPDATE = (
    0.60  # share of a later, longer text's opening; with less, a new lead makes it news
)
HALF = 0.45  # share of the longer text's shingles; with less, half of it is new
ALL_OF_IT = 0.85  # share of a brief's shingles in the long article that starts with it
OTHER_FIGURES = (
    0.20  # share of the shorter text's figures that only it has; with more, it reports other facts
)
WORD_FOR_WORD = 0.95  # Jaccard similarity of the same text, at any distance in time
REPEATED = 0.60  # share of a passage's shingles in another text that makes it redundant
FEWEST_WORDS = 25  # shorter texts, such as captions and menus, are not compared

CHANGED_PLACES = (
    2  # positions with another figure or date, from which it is a template's next issue
)
# Days and months in the languages of the news: templates change them.
_NAMED_DAYS = CALENDAR_WORDS | frozenset(
    """montag dienstag mittwoch donnerstag freitag samstag sonntag
    lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes martes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì
    venerdì sabato domenica segunda terça quarta quinta sexta maandag dinsdag woensdag
    donderdag vrijdag zaterdag zondag mandag tirsdag onsdag torsdag fredag lørdag søndag måndag
    tisdag lördag söndag понедельник вторник среду среда четверг пятницу пятница субботу
    суббота воскресенье poniedziałek wtorek środę środa czwartek piątek sobotę sobota niedzielę
    niedziela pazartesi salı çarşamba perşembe cuma cumartesi pazar januar februar märz mai juni
    juli oktober dezember janvier février mars avril juin juillet août septembre octobre
    novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre octubre
    noviembre diciembre""".split()
)
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"  # Thai to Han
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+")
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")
_GROUPED = re.compile(r"(?<=\d)[.,:](?=\d)")  # 2,000 and 2000 are equal
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class TextSignature:
    """The features of an article that are compared: shingle hashes, figures and their places."""

    all: Hashes
    opening: Hashes
    lead: Hashes
    figures: frozenset[str]
    places: Mapping[tuple[str, str], frozenset[str]]
    words: int
    published: datetime | None


def text_signature(article: Article) -> TextSignature:
    """Return the signature of an article."""
    words = word_hashes(article.text)
    figures = frozenset(_FIGURE.findall(article.text))
    return TextSignature(
        all=shingle_hashes(words),
        opening=shingle_hashes(words[:OPENING]),
        lead=shingle_hashes(words[:LEAD]),
        figures=figures,
        places=_places(article.text),
        words=len(words),
        published=article.published,
    )


def is_same_story(one: TextSignature, other: TextSignature) -> bool:
    """Return True if one article is a reprint of the other: cut, edited or with a new headline.

    A later one with a new lead, or with half of its text new, isn't; neither is one with figures of
    its own, nor one more than a week apart, unless the texts are the same word for word.
    """
    short, long = sorted((one, other), key=_rank)
    if short.words < FEWEST_WORDS:
        return False
    shared = _count_shared(short.all, long.all)
    contained, of_long = shared / len(short.all), shared / len(long.all)
    if _has_own_figures(short, long) or _is_next_issue(short, long):
        return False
    if shared / (len(short.all) + len(long.all) - shared) >= WORD_FOR_WORD:
        return True
    apart = _time_between(short, long)
    if apart is not None and abs(apart) >= SAME_WEEK:
        return False
    on_the_day = apart is not None and abs(apart) < SAME_DAY
    if contained < (CONTAINED_ON_THE_DAY if on_the_day else CONTAINED_LATER):
        return False
    opens_alike = _share(short.opening, long.all)
    if opens_alike < (OPENS_ALIKE_ON_THE_DAY if on_the_day else OPENS_ALIKE_LATER):
        return False
    says_more = apart is not None and apart >= SAME_DAY  # the longer one is also the later one
    if of_long < HALF:  # a brief is shorter than an opening, so compare the lead
        leads_alike = _share(long.lead, short.all) >= LEADS_ALIKE
        return contained >= ALL_OF_IT and leads_alike and not says_more
    if says_more:
        return _share(long.opening, short.all) >= LEADS_ALIKE_IN_AN_UPDATE
    return True


class PassageCoverage:
    """Features of a text, computed once to compare it with several passages."""

    def __init__(self, text: str) -> None:
        """Compute the features of a text."""
        self._figures = frozenset(_FIGURE.findall(text))
        self._words = f" {' '.join(_words(text))} "
        self._runs = shingle_hashes(word_hashes(text))

    def covers(self, part: str) -> bool:
        """Return True if the text has most of the shingles of `part`, and all of its figures."""
        words = word_hashes(part)
        if not self._figures.issuperset(_FIGURE.findall(part)):
            return False
        if len(words) < SHINGLE:
            return f" {' '.join(_words(part))} " in self._words
        return _share(shingle_hashes(words), self._runs) >= REPEATED


def canonical_order(article: Article) -> tuple[float, bool, float, int, str]:
    """Return a sort key for the articles of a cluster: the lowest one is canonical.

    The earliest day comes first; within a day the agency that the texts credit, then the time.
    """
    moment = article.published.timestamp() if article.published else math.inf
    own_wire = not (article.publisher and f"({article.publisher})" in article.text[:300])
    day = moment if math.isinf(moment) else moment // 86_400
    return day, own_wire, moment, -len(article.text), article.id


def text_hash(text: str) -> bytes:
    """Return a hash of a text's words, independent of case and punctuation."""
    return blake2b(" ".join(_words(text)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def minhash(wording: TextSignature) -> bytes:
    """Return the MinHash sketches of a text and of its lead, for storage."""
    parts = [_minhash(wording.all, PERMUTATIONS), _minhash(wording.lead, LEAD_PERMUTATIONS)]
    return np.concatenate(parts).astype("<u4").tobytes()


def band_keys(signature: bytes) -> list[int]:
    """Return the keys of a sketch's bands; two texts that share one are compared."""
    if not signature:
        return []
    values = np.frombuffer(signature, "<u4")
    whole, lead = values[: BANDS * ROWS], values[PERMUTATIONS:]
    bands = [*whole.reshape(BANDS, ROWS), *lead.reshape(-1, LEAD_ROWS)]
    return [_key(number, band.tobytes()) for number, band in enumerate(bands)]


def _key(band: int, values: bytes) -> int:
    digest = blake2b(values, digest_size=8, salt=band.to_bytes(2, "little")).digest()
    return int.from_bytes(digest, "little", signed=True)


def _minhash(shingles: Hashes, permutations: int) -> npt.NDArray[np.uint32]:
    sketch = _empty(permutations).copy()
    sketch.update_batch((shingles >> np.uint64(32)).tolist())
    return np.asarray(sketch.hashvalues, np.uint32)


@cache
def _empty(permutations: int) -> Any:
    from datasketch import MinHash  # 1 s, with scipy: only for writing

    # Sketches are stored: scheme and seed must not follow a release's defaults.
    return MinHash(permutations, seed=1, hashfunc=int, scheme="affine32")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("’", "").replace("'", ""))


@lru_cache(maxsize=65_536)
def _hash(word: str) -> int:
    return int.from_bytes(
        blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


def word_hashes(text: str) -> Hashes:
    """Return the hashes of a text's words, in order."""
    return np.array([_hash(word) for word in _words(text)], np.uint64)


def shingle_hashes(words: Hashes) -> Hashes:
    """Return the distinct hashes of all runs of SHINGLE words, ascending."""
    mixed = np.zeros(max(0, len(words) - SHINGLE + 1), np.uint64)
    for i in range(SHINGLE):
        mixed = mixed * _MIX + words[i : i + len(mixed)]
    return np.unique((mixed ^ (mixed >> np.uint64(29))) * _MIX)


def _count_shared(one: Hashes, other: Hashes) -> int:
    return len(np.intersect1d(one, other, assume_unique=True))


def _share(part: Hashes, whole: Hashes) -> float:
    return _count_shared(part, whole) / max(1, len(part))


def _has_own_figures(short: TextSignature, long: TextSignature) -> bool:
    """Return True if the shorter text has its own figures, as a column's next issue does."""
    own = len(short.figures - long.figures)
    return own > 1 and own > OTHER_FIGURES * len(short.figures)


def _places(text: str) -> dict[tuple[str, str], frozenset[str]]:
    """Return the figures and dates of a text by the words before and after each.

    "A high of 14 degrees on Monday" has 14 at (of, degrees); a figure next to another is "#".
    """
    plain = _GROUPED.sub("", text)
    words = [_FIGURE.sub("#", word) for word in _words(plain)]
    values = _words(plain)
    found: dict[tuple[str, str], set[str]] = {}
    for i, value in enumerate(values):
        if words[i] == "#" or value in _NAMED_DAYS:
            before = words[i - 1] if i else ""
            behind = words[i + 1] if i + 1 < len(words) else ""
            found.setdefault((before, behind), set()).add(value)
    return {place: frozenset(held) for place, held in found.items()}


def _is_next_issue(short: TextSignature, long: TextSignature) -> bool:
    """Return True if two texts differ like issues of a template: in figures at the same places.

    A reprint keeps them; a shortened one loses some, but has no others in their places.
    """
    changed = 0
    for place, values in short.places.items():
        others = long.places.get(place, values)
        changed += bool(values - others and others - values)
    return changed >= CHANGED_PLACES


def _rank(wording: TextSignature) -> tuple[int, float, bytes]:
    """Return a sort key: shorter first, then later, so that arguments can be swapped."""
    moment = wording.published.timestamp() if wording.published else 0.0
    return len(wording.all), -moment, wording.opening.tobytes()


def _time_between(short: TextSignature, long: TextSignature) -> timedelta | None:
    """Return the time from the shorter to the longer text; None if a date is missing."""
    if short.published is None or long.published is None:
        return None
    return long.published - short.published
