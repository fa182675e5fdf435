"""From a question to the passages that answer it: understand, search twice, fuse, weigh by time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from rag.nlp.headlines import is_headline
from rag.query.parser import (
    ParsedQuery,
    asks_for_an_author,
    parse_question,
    relax_time_filter,
    remove_constraints,
    resolve_followup,
    without_time_weights,
)
from rag.retrieval.backend import SearchBackend
from rag.retrieval.deduplicate import collapse_duplicates
from rag.retrieval.ranking import RERANKED, apply_boosts, diversify_by_publisher, rerank
from rag.retrieval.spam import demote_spam
from rag.schema import (
    Access,
    Answer,
    Article,
    ArticleMetadata,
    Filters,
    Hit,
    Notice,
    PassageCandidate,
    TimeRange,
)
from rag.valid_dates import shift
from rag.validation import validate_question_time

# Swept with the weights of `ranking`.
CANDIDATES = 100  # passages from each index, before they are fused
RECENT_CANDIDATES = 60  # and by words from the days before the question: gold in hand .90 -> .98
RECENT_DAYS = 30
# Where so many candidates are a crowd's and so few are not, so many times as many are looked at.
CROWDED = 20
FEWEST_CLEAR = 20
WIDER = 5
DENSE_SHARE = 0.5  # of a score; the rest is BM25's, each over its best.  Swept .2-.6
LEAD_WEIGHT = 0.12  # more for a story's opening, which says what it is about.  Swept 0-.25
REPORTED_WITHIN = timedelta(days=2)  # what happens in a window is in the papers until so much later
PART_WEIGHT = 0.7  # of the best score that a passage has for a part of the question.  Swept .5-1
UNKNOWN = ""  # an article's publisher that was not told: it may be the one that is cited
PASSAGES_OF_AN_ARTICLE = 2  # at the most, before other articles have had their turn
HEADLINES = 40  # best passages by words among whose headlines a query's own is looked for

# Why the time range in a question's words did not narrow the search.
Relaxed = Literal["", "headline", "named", "empty"]
NOTICES: dict[Relaxed, tuple[Notice, ...]] = {
    "": (),
    "headline": (Notice("headline_dates_ignored"),),
    "named": (Notice("headline_names_ignored"),),
    "empty": (Notice("nothing_in_time_range"),),
}


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """What a question was understood to ask, and the passages found for it, best first.

    Where there are none in the window that its words ask for, `outside` has the closest ones of
    other days: to be offered, never to be taken for an answer. `relaxed` says that, or that the
    window, or a name, was left aside because the question is the headline of another article.
    """

    question: ParsedQuery
    hits: tuple[Hit, ...]
    considered: int
    outside: tuple[Hit, ...] = ()
    relaxed: Relaxed = ""

    @property
    def nearest_hits(self) -> tuple[Hit, ...]:
        """The hits, or where there are none, the closest of other days."""
        return self.hits or self.outside

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The constraint of the question that was ignored, if one was."""
        return NOTICES[self.relaxed]


def understand_question(
    archive: SearchBackend,
    question: str,
    *,
    asked_on: date | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
    access: Access = (),
    without: Collection[str] = (),
) -> ParsedQuery:
    """Parse a question that is asked of an archive, as of `asked_on` (now if not given).

    Args:
        archive: Its publishers and authors are recognised in the question.
        question: The question as asked; a follow-up is resolved with `history`, oldest first.
        asked_on: A datetime; a `date` or a naive datetime is UTC.
        history: The turns before the question.
        access: The rights with which it is asked.
        without: Kinds of constraints whose words are removed first: see `remove_constraints`.

    Returns:
        The one parsed query, to be passed to `retrieve` and what follows it.

    Raises:
        InvalidValueError: `asked_on` is no moment, or out of range.
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    asked_on = validate_question_time(asked_on, "asked_on") or datetime.now(UTC)
    text = resolve_followup(question, history)
    authors = archive.authors(access=access) if asks_for_an_author(text) else ()
    publishers = archive.publishers(access=access)
    if without:
        text = remove_constraints(
            text, without, asked_on=asked_on, publishers=publishers, authors=authors
        )
    return parse_question(text, asked_on=asked_on, publishers=publishers, authors=authors)


def retrieve(
    archive: SearchBackend,
    question: str | ParsedQuery,
    k: int = 8,
    *,
    filters: Filters = Filters(),
    asked_on: date | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
    evenly: bool = False,
) -> RetrievalResult:
    """Return the `k` passages that answer `question` best, as of `asked_on` (now if not given).

    A window, a publisher or an author in the words narrows `filters`, never widens them; of a
    question of several parts each part is searched for as well.  `evenly`, no day counts more
    than another within them, and of tellings as good as each other the first comes first.

    A question that was parsed is searched for as it is, without regard to `asked_on` and `history`.
    `asked_on` may be a `date` (midnight UTC) or a naive datetime (UTC). Raises InvalidValueError
    for anything else.
    """
    asked = (
        question
        if isinstance(question, ParsedQuery)
        else understand_question(
            archive, question, asked_on=asked_on, history=history, access=filters.access
        )
    )
    if evenly:
        asked = without_time_weights(asked)
    relaxed: Relaxed = ""
    if k > 0:
        asked, relaxed = _as_headline(archive, asked, filters)
    ranked = _ranked(archive, asked, filters) if k > 0 else []
    if not ranked and k > 0 and asked.time_range is not None and asked.time_range.hard:
        of_other_days = _ranked(archive, relax_time_filter(asked), filters)
        outside = tuple(_shown(archive, of_other_days, k, filters))
        return RetrievalResult(asked, (), 0, outside, "empty" if outside else "")
    return RetrievalResult(
        asked, tuple(_shown(archive, ranked, k, filters)), len(ranked), (), relaxed
    )


def _as_headline(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters
) -> tuple[ParsedQuery, Relaxed]:
    """Return the question, searched for by all its words where it is an article's headline.

    "What to know about January 6" asks for that article, not for what was published on that day:
    its window is left aside where no article of that headline lies in it, and so are the publishers
    and authors that it names where none of those articles is theirs.
    """
    window = asked.time_range if asked.time_range and asked.time_range.hard else None
    if not window and not asked.publishers and not asked.authors:
        return asked, ""
    anytime = apply_query_constraints(
        filters, replace(asked, time_range=None, publishers=(), authors=())
    )
    if anytime is None:
        return asked, ""
    found = archive.bm25_candidates(asked.text, HEADLINES, filters=anytime)
    heads = [one.metadata for one in found if is_headline(asked.text, one.metadata.title)]
    if not heads:
        return asked, ""
    asked = replace(asked, query=asked.text, query_expected=asked.expected)
    theirs = [head for head in heads if _is_of_the_named(head, asked)]
    relaxed: Relaxed = ""
    if not theirs:
        asked, relaxed = replace(asked, publishers=(), authors=()), "named"
    if window and not any(_lies_in(window, head.published) for head in theirs or heads):
        asked, relaxed = replace(asked, time_range=None), "headline"
    return asked, relaxed


def _is_of_the_named(head: ArticleMetadata, asked: ParsedQuery) -> bool:
    """Return whether an article is of a publisher, and an author, that a question names."""
    return all(
        not named or {name.casefold() for name in named} & {name.casefold() for name in theirs}
        for named, theirs in ((asked.publishers, (head.publisher,)), (asked.authors, head.authors))
    )


def _lies_in(window: TimeRange, published: datetime | None) -> bool:
    if published is None:
        return False
    late = published - REPORTED_WITHIN if _closed(window) else published
    return window.contains(published) or window.contains(late)


def _ranked(archive: SearchBackend, asked: ParsedQuery, filters: Filters) -> list[PassageCandidate]:
    """Return all that is found for a question within the filters, best first."""
    narrowed = apply_query_constraints(filters, asked)
    if narrowed is None:
        return []
    thinned = demote_spam(archive, _of_stories(archive, asked, narrowed), asked.query, filters)
    if thinned.clear < FEWEST_CLEAR and thinned.crowded >= CROWDED:
        more = _of_stories(archive, asked, narrowed, wider=WIDER)
        thinned = demote_spam(archive, more, asked.query, filters)
    ranked = thinned.ranked
    if archive.reranker is not None:
        texts = _texts(archive, ranked[:RERANKED], filters)
        ranked = rerank(ranked, texts, asked, archive.reranker)
    return diversify_by_publisher(ranked)


def _of_stories(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, *, wider: int = 1
) -> list[PassageCandidate]:
    """Return what is found, best first, each story once."""
    found = _found(archive, asked, filters, wider)
    if asked.time_neutral:
        found.sort(key=lambda one: one.metadata.published or datetime.max.replace(tzinfo=UTC))
    ranked = sorted(found, key=lambda one: -one.score)
    return collapse_duplicates(archive, ranked, filters)


def apply_query_constraints(filters: Filters, asked: ParsedQuery) -> Filters | None:
    """Return `filters` with what the question's words ask for; None where nothing can pass both."""
    after, before = filters.after, filters.before
    if asked.time_range is not None and asked.time_range.hard:
        start, end = asked.time_range.start, asked.time_range.end
        late = shift(end, REPORTED_WITHIN) if end and _closed(asked.time_range) else end
        after = max(filter(None, (after, start)), default=None)
        before = min(filter(None, (before, late)), default=None)
        if after and before and after >= before:
            return None
    publishers = filters.publishers
    if len(asked.publishers) == 1 and not asked.parts:
        wanted = asked.publishers[0].casefold()
        if publishers and wanted not in [name.casefold() for name in publishers]:
            return None
        publishers = asked.publishers if publishers else (*asked.publishers, UNKNOWN)
    authors = filters.authors or asked.authors
    return replace(filters, after=after, before=before, publishers=publishers, authors=authors)


def merge_adjacent(archive: SearchBackend, hits: Sequence[Hit], access: Access = ()) -> list[Hit]:
    """Return the hits with passages of one article that follow on each other made one.

    A joined hit stands at the place, and has the score, of its best passage.
    """
    joined: list[Hit] = []
    for hit in hits:
        place = next((i for i, other in enumerate(joined) if _near(other, hit)), None)
        article_id = hit.passage.article_id
        article = archive.article(article_id, access=access) if place is not None else None
        whole = _across(joined[place], hit, article) if place is not None and article else None
        if place is None or whole is None:
            joined.append(hit)
        else:
            joined[place] = whole
    return joined


def _closed(window: TimeRange) -> bool:
    """Whether the window has two ends: "before 5 May" means before, "on 5 May" until reported."""
    return window.start is not None and window.end is not None


def _found(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, wider: int
) -> list[PassageCandidate]:
    """Return the passages found for the question and for its parts, with their weighed scores."""
    found = {one.number: one for one in _searched(archive, asked, filters, wider)}
    if not asked.parts:
        return list(found.values())
    for_parts: dict[int, float] = {}
    for part in asked.parts:
        for one in _searched(archive, part, filters, wider):
            found.setdefault(one.number, one.with_score(0.0))
            for_parts[one.number] = max(one.score, for_parts.get(one.number, 0.0))
    return [
        one.with_score(one.score + PART_WEIGHT * for_parts.get(number, 0.0))
        for number, one in found.items()
    ]


def _searched(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, wider: int
) -> list[PassageCandidate]:
    candidates = _candidates(archive, asked, filters, wider)
    texts = _texts(archive, candidates, filters) if asked.excluded else {}
    return [apply_boosts(one, asked, texts.get(one.number, "")) for one in candidates]


def _texts(
    archive: SearchBackend, found: Iterable[PassageCandidate], filters: Filters
) -> dict[int, str]:
    """Return the words of the passages that are still here, by their numbers."""
    hits = archive.load_hits(found, access=filters.access)
    return {number: hit.passage.text for number, hit in hits.items()}


def _candidates(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, wider: int
) -> list[PassageCandidate]:
    """Return the passages that either index finds, each once, their scores fused: 0 to 1."""
    query, phrases = asked.query, asked.phrases
    words = archive.bm25_candidates(query, wider * CANDIDATES, filters=filters, phrases=phrases)
    if asked.time_range is None or not asked.time_range.hard:
        recent = _recent(filters, asked.asked_on)
        if recent is not None:
            words = words + archive.bm25_candidates(
                query, wider * RECENT_CANDIDATES, filters=recent, phrases=phrases
            )
    dense = archive.vector_candidates(query, wider * CANDIDATES, filters=filters)
    meaning = {one.number: one.score for one in dense}
    only_words = {one.number: one for one in words if one.number not in meaning}
    nearness = archive.similarities(query, list(only_words.values()))
    meaning.update(zip(only_words, nearness, strict=True))
    by_words: dict[int, float] = {}
    for one in words:
        by_words[one.number] = max(one.score, by_words.get(one.number, 0.0))
    lexical, semantic = _min_max_normalize(by_words, floor=0.0), _min_max_normalize(meaning)
    candidates = {one.number: one for one in (*words, *dense)}
    return [
        one.with_score(
            (1 - DENSE_SHARE) * lexical.get(number, 0.0)
            + DENSE_SHARE * semantic.get(number, 0.0)
            + (LEAD_WEIGHT if one.start == 0 else 0.0)
        )
        for number, one in candidates.items()
    ]


def _recent(filters: Filters, asked_on: datetime) -> Filters | None:
    """The filters for the days before the question; None where they let none of them pass."""
    after, before = (
        shift(asked_on, -timedelta(days=RECENT_DAYS)),
        shift(asked_on, timedelta(days=1)),
    )
    after = max(filter(None, (filters.after, after)))
    before = min(filter(None, (filters.before, before)))
    return replace(filters, after=after, before=before) if after < before else None


def _min_max_normalize(
    scores: Mapping[int, float], *, floor: float | None = None
) -> dict[int, float]:
    """Each score's place between the floor, else the least of them, (0) and the best (1)."""
    low = min(scores.values(), default=0.0) if floor is None else floor
    span = max(scores.values(), default=0.0) - low
    return {key: (score - low) / span if span > 0 else 1.0 for key, score in scores.items()}


def _shown(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], k: int, filters: Filters
) -> list[Hit]:
    """The first `k`: a text once, few passages of an article, those that adjoin joined."""
    seen: set[str] = set()
    taken: dict[str, int] = {}
    first: list[Hit] = []
    crowded: list[Hit] = []
    for hit in _read(archive, ranked, 2 * (k + PASSAGES_OF_AN_ARTICLE), filters):
        text = " ".join(hit.passage.text.casefold().split())
        if text in seen:
            continue
        seen.add(text)
        article_id = hit.passage.article_id
        taken[article_id] = taken.get(article_id, 0) + 1
        (first if taken[article_id] <= PASSAGES_OF_AN_ARTICLE else crowded).append(hit)
        if len(first) >= k + PASSAGES_OF_AN_ARTICLE:
            break
    kept = (first + crowded)[: k + PASSAGES_OF_AN_ARTICLE]
    return merge_adjacent(archive, kept, filters.access)[:k]


def _read(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], size: int, filters: Filters
) -> Iterator[Hit]:
    """Yield the hits of what is still here, in order, reading so many texts at a time."""
    for i in range(0, len(ranked), size):
        some = ranked[i : i + size]
        hits = archive.load_hits(some, access=filters.access)
        yield from (hits[one.number] for one in some if one.number in hits)


def _near(one: Hit, other: Hit) -> bool:
    """Whether two passages of one revision follow on each other with next to nothing between."""
    a, b = sorted((one.passage, other.passage), key=lambda passage: passage.start)
    same = (a.article_id, a.revision) == (b.article_id, b.revision)
    return same and -1 <= b.start - a.end <= len("\n\n\n")


def _across(one: Hit, other: Hit, article: Article) -> Hit | None:
    """The two as one passage; None where the article has changed or words lie between."""
    a, b = sorted((one.passage, other.passage), key=lambda passage: passage.start)
    if article.revision != a.revision or article.text[a.end : b.start].strip():
        return None
    text = article.text[a.start : b.end]
    passage = replace(a, end=b.end, text=text)
    return replace(one, passage=passage, score=max(one.score, other.score))
