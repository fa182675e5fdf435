"""Hybrid retrieval: parse the question, search the indexes, and rank what they find."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from rag.nlp.headlines import is_headline
from rag.notices import collect_remarks
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
from rag.retrieval.candidates import find_candidates, load_texts
from rag.retrieval.deduplicate import collapse_duplicates
from rag.retrieval.ranking import RERANKED, rerank
from rag.retrieval.sources import publisher_aliases, resolve_publishers
from rag.retrieval.spam import demote_spam
from rag.retrieval.spelling import correct_spelling
from rag.retrieval.stories import main_stories, nearest_days, newest_days, start_of_day
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

# With at least CROWDED spam candidates and fewer than FEWEST_CLEAR others, search WIDER times more.
CROWDED = 20
FEWEST_CLEAR = 20
WIDER = 5
REPORTED_WITHIN = timedelta(days=2)  # reports on a time range may appear this long after it
UNKNOWN = ""  # an article without a publisher may be the cited publisher's
PASSAGES_OF_AN_ARTICLE = 2  # more of an article come only after other articles' passages
HEADLINES = 40  # BM25 candidates whose headlines are compared with the question

# Reason why a constraint of the question was ignored.
Relaxed = Literal["", "headline", "named", "empty"]
NOTICES: dict[Relaxed, tuple[Notice, ...]] = {
    "": (),
    "headline": (Notice("headline_dates_ignored"),),
    "named": (Notice("headline_names_ignored"),),
    "empty": (Notice("nothing_in_time_range"),),
}


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Passages found for a parsed question, best first.

    Attributes:
        question: The parsed question.
        hits: The passages, within the question's time range.
        considered: How many candidates were ranked.
        outside: If nothing lies in the question's time range, the closest passages of other days.
            They may be offered to the reader but are no answer.
        relaxed: Which constraint of the question was ignored: "headline" or "named" if the question
            is an article's headline outside of its time range or of other publishers or authors;
            "empty" if nothing lies in its time range; "" if none was.
        remarks: Notices of the search itself, as of a vector server that doesn't answer.
    """

    question: ParsedQuery
    hits: tuple[Hit, ...]
    considered: int
    outside: tuple[Hit, ...] = ()
    relaxed: Relaxed = ""
    remarks: tuple[Notice, ...] = ()

    @property
    def nearest_hits(self) -> tuple[Hit, ...]:
        """The hits or, if there are none, the closest passages of other days."""
        return self.hits or self.outside

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Notices on how the question was read, of an ignored constraint, and of the search."""
        return (*self.question.notices, *NOTICES[self.relaxed], *self.remarks)


def understand_question(
    archive: SearchBackend,
    question: str,
    *,
    asked_on: date | None = None,
    history: Sequence[tuple[str, Answer] | str] = (),
    access: Access = (),
    without: Collection[str] = (),
) -> ParsedQuery:
    """Parse a question for an archive and resolve it if it is a follow-up.

    Args:
        archive: The archive whose publishers and authors are recognised in the question.
        question: The question, as asked.
        asked_on: The day of asking, now by default; a `date` or a naive datetime is UTC.
        history: The turns before the question, oldest first.
        access: The reader's rights, as in `Filters`.
        without: Constraints whose words are removed first; see `remove_constraints`.

    Returns:
        The parsed question, for `retrieve` and all later steps.

    Raises:
        InvalidValueError: `asked_on` is not a date, or out of range.
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    asked_on = validate_question_time(asked_on, "asked_on") or datetime.now(UTC)
    text = resolve_followup(question, history)
    authors = archive.authors(access=access) if asks_for_an_author(text) else ()
    publishers = archive.publishers(access=access)
    text = publisher_aliases(archive, text, access)
    if without:
        text = remove_constraints(
            text, without, asked_on=asked_on, publishers=publishers, authors=authors
        )
    asked = parse_question(text, asked_on=asked_on, publishers=publishers, authors=authors)
    if asked.intent != "question":
        return asked
    text, corrections = correct_spelling(archive, text, access=access, known=publishers)
    if not corrections:
        return asked
    asked = parse_question(text, asked_on=asked_on, publishers=publishers, authors=authors)
    notices = (Notice("did_you_mean", given=c.given, instead=c.instead) for c in corrections)
    return replace(asked, notices=(*asked.notices, *notices))


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
    """Return the `k` passages that answer a question best.

    A time range, publisher or author in the question narrows `filters` and never widens them. The
    parts of a compound question are searched separately, too.

    Args:
        archive: The archive to search.
        question: A question, or a parsed one, for which `asked_on` and `history` are ignored.
        k: The most passages to return.
        filters: The filters that the articles must pass.
        asked_on: The day of asking, now by default; a `date` or a naive datetime is UTC.
        history: The turns before the question, oldest first.
        evenly: Whether the ranking ignores publication dates; of equally good near-duplicates, the
            oldest one is shown.

    Raises:
        InvalidValueError: `asked_on` is not a date, or out of range.
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    with collect_remarks() as remarks:
        found = _retrieve(archive, question, k, filters, asked_on, history, evenly=evenly)
    return replace(found, remarks=tuple(remarks))


def _retrieve(
    archive: SearchBackend,
    question: str | ParsedQuery,
    k: int,
    filters: Filters,
    asked_on: date | None,
    history: Sequence[tuple[str, Answer] | str],
    *,
    evenly: bool,
) -> RetrievalResult:
    filters = resolve_publishers(archive, filters)
    asked = (
        question
        if isinstance(question, ParsedQuery)
        else understand_question(
            archive, question, asked_on=asked_on, history=history, access=filters.access
        )
    )
    if asked.intent == "period":
        return _retrieve_stories(archive, asked, k, filters)
    if asked.intent != "question":
        return RetrievalResult(asked, (), 0)
    if evenly:
        asked = without_time_weights(asked)
    relaxed: Relaxed = ""
    if k > 0:
        asked, relaxed = _match_headline(archive, asked, filters)
    ranked = _rank_passages(archive, asked, filters) if k > 0 else []
    if not ranked and k > 0 and asked.time_range is not None and asked.time_range.hard:
        of_other_days = _rank_passages(archive, relax_time_filter(asked), filters)
        outside = tuple(_select_hits(archive, of_other_days, k, filters))
        asked = _add_coverage(archive, asked, filters)
        return RetrievalResult(asked, (), 0, outside, "empty" if outside else "")
    return RetrievalResult(
        asked, tuple(_select_hits(archive, ranked, k, filters)), len(ranked), (), relaxed
    )


def _retrieve_stories(
    archive: SearchBackend, asked: ParsedQuery, k: int, filters: Filters
) -> RetrievalResult:
    """Return the main stories of a period; if it has none, those of the nearest days."""
    publishers = asked.publishers or filters.publishers
    of_sources = replace(filters, publishers=publishers, authors=filters.authors or asked.authors)
    days = asked.time_range
    if days is None or apply_query_constraints(filters, asked) is None:
        return RetrievalResult(asked, (), 0)
    stories, considered = main_stories(archive, days, k, filters=of_sources)
    if not stories and not days.hard:
        newest = newest_days(archive, of_sources, asked.asked_on)
        if newest is not None and newest.end is not None:
            stories, considered = main_stories(archive, newest, k, filters=of_sources)
            last = newest.end - timedelta(days=1)
            asked = replace(asked, notices=(*asked.notices, Notice("newest_articles", day=last)))
    hits = archive.load_hits(stories, access=filters.access)
    if stories:
        return RetrievalResult(asked, tuple(hits.values()), considered)
    around = [near for near in nearest_days(archive, days, of_sources) if near is not None]
    outside = [
        one
        for near in around
        for one in main_stories(archive, near, max(k // 2, 1), filters=of_sources)[0]
    ]
    asked = _add_coverage(archive, asked, filters)
    return RetrievalResult(
        asked, (), 0, tuple(archive.load_hits(outside, access=filters.access).values())
    )


def _add_coverage(archive: SearchBackend, asked: ParsedQuery, filters: Filters) -> ParsedQuery:
    """Return the question with a notice if its time range is before or after all articles."""
    days, readable = asked.time_range, Filters(access=filters.access)
    newest = archive.dated_articles(1, filters=readable)
    oldest = archive.dated_articles(1, filters=readable, order="oldest first")
    if days is None or not (newest and oldest):
        return asked
    first, last = oldest[0].metadata.published, newest[0].metadata.published
    if days.start and last and start_of_day(last) < days.start:
        return replace(
            asked, notices=(*asked.notices, Notice("archive_ends", day=last, month=last))
        )
    if days.end and first and first >= days.end:
        return replace(asked, notices=(*asked.notices, Notice("archive_begins", day=first)))
    return asked


def _match_headline(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters
) -> tuple[ParsedQuery, Relaxed]:
    """Return the question, searched with all of its words if it is an article's headline.

    "What to know about January 6" asks for the article of that title and not for articles of that
    day. The time range is dropped if no article of that headline lies in it, and so are the
    publishers and authors if none of those articles is theirs.
    """
    time_range = asked.time_range if asked.time_range and asked.time_range.hard else None
    if not time_range and not asked.publishers and not asked.authors:
        return asked, ""
    anytime = apply_query_constraints(
        filters, replace(asked, time_range=None, publishers=(), authors=())
    )
    if anytime is None:
        return asked, ""
    found = archive.bm25_candidates(asked.text, HEADLINES, filters=anytime)
    matches = [one.metadata for one in found if is_headline(asked.text, one.metadata.title)]
    if not matches:
        return asked, ""
    asked = replace(asked, query=asked.text, query_expected=asked.expected)
    theirs = [metadata for metadata in matches if _matches_named_sources(metadata, asked)]
    relaxed: Relaxed = ""
    if not theirs:
        asked, relaxed = replace(asked, publishers=(), authors=()), "named"
    if time_range and not any(
        _is_in_range(time_range, metadata.published) for metadata in theirs or matches
    ):
        asked, relaxed = replace(asked, time_range=None), "headline"
    return asked, relaxed


def _matches_named_sources(metadata: ArticleMetadata, asked: ParsedQuery) -> bool:
    """Return whether an article is by the publishers and authors that a question names, if any."""
    return all(
        not named or {name.casefold() for name in named} & {name.casefold() for name in theirs}
        for named, theirs in (
            (asked.publishers, (metadata.publisher,)),
            (asked.authors, metadata.authors),
        )
    )


def _is_in_range(time_range: TimeRange, published: datetime | None) -> bool:
    if published is None:
        return False
    late = published - REPORTED_WITHIN if _is_closed(time_range) else published
    return time_range.contains(published) or time_range.contains(late)


def _rank_passages(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters
) -> list[PassageCandidate]:
    """Return all candidates for a question that pass the filters, best first."""
    narrowed = apply_query_constraints(filters, asked)
    if narrowed is None:
        return []
    thinned = demote_spam(archive, _search_stories(archive, asked, narrowed), asked.query, filters)
    if thinned.clear < FEWEST_CLEAR and thinned.crowded >= CROWDED:
        more = _search_stories(archive, asked, narrowed, wider=WIDER)
        thinned = demote_spam(archive, more, asked.query, filters)
    ranked = thinned.ranked
    if archive.reranker is not None:
        texts = load_texts(archive, ranked[:RERANKED], filters)
        ranked = rerank(ranked, texts, asked, archive.reranker)
    return ranked


def _search_stories(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, *, wider: int = 1
) -> list[PassageCandidate]:
    """Return the candidates, best first, with near-duplicates collapsed."""
    found = find_candidates(archive, asked, filters, wider=wider)
    if asked.time_neutral:
        found.sort(key=lambda one: one.metadata.published or datetime.max.replace(tzinfo=UTC))
    ranked = sorted(found, key=lambda one: -one.score)
    return collapse_duplicates(archive, ranked, filters)


def apply_query_constraints(filters: Filters, asked: ParsedQuery) -> Filters | None:
    """Return the filters narrowed by the constraints of a parsed question.

    Args:
        filters: The filters of the search.
        asked: The parsed question.

    Returns:
        The narrowed filters; None if no article can pass both.
    """
    after, before = filters.after, filters.before
    if asked.time_range is not None and asked.time_range.hard:
        start, end = asked.time_range.start, asked.time_range.end
        late = shift(end, REPORTED_WITHIN) if end and _is_closed(asked.time_range) else end
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
    """Return the hits with adjacent passages of one article merged.

    A merged hit takes the place and the score of its best passage.

    Args:
        archive: The archive from which the texts in between are read.
        hits: Hits, best first.
        access: The reader's rights, as in `Filters`.
    """
    joined: list[Hit] = []
    for hit in hits:
        place = next((i for i, other in enumerate(joined) if _are_adjacent(other, hit)), None)
        article_id = hit.passage.article_id
        article = archive.article(article_id, access=access) if place is not None else None
        whole = (
            _merge_passages(joined[place], hit, article) if place is not None and article else None
        )
        if place is None or whole is None:
            joined.append(hit)
        else:
            joined[place] = whole
    return joined


def _is_closed(time_range: TimeRange) -> bool:
    """Return whether the range has two ends; only such a range allows for late reports."""
    return time_range.start is not None and time_range.end is not None


def _select_hits(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], k: int, filters: Filters
) -> list[Hit]:
    """Return the first `k` hits, without repeated texts, adjacent passages merged."""
    seen: set[str] = set()
    taken: dict[str, int] = {}
    first: list[Hit] = []
    crowded: list[Hit] = []
    for hit in _load_in_batches(archive, ranked, 2 * (k + PASSAGES_OF_AN_ARTICLE), filters):
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


def _load_in_batches(
    archive: SearchBackend, ranked: Sequence[PassageCandidate], size: int, filters: Filters
) -> Iterator[Hit]:
    """Yield the hits of candidates still in the archive, in order, loading `size` at a time."""
    for i in range(0, len(ranked), size):
        some = ranked[i : i + size]
        hits = archive.load_hits(some, access=filters.access)
        yield from (hits[one.number] for one in some if one.number in hits)


def _are_adjacent(one: Hit, other: Hit) -> bool:
    """Return whether two passages of one revision are adjacent or nearly so."""
    a, b = sorted((one.passage, other.passage), key=lambda passage: passage.start)
    same = (a.article_id, a.revision) == (b.article_id, b.revision)
    return same and -1 <= b.start - a.end <= len("\n\n\n")


def _merge_passages(one: Hit, other: Hit, article: Article) -> Hit | None:
    """Return two passages as one; None if the article has changed or words lie between them."""
    a, b = sorted((one.passage, other.passage), key=lambda passage: passage.start)
    if article.revision != a.revision or article.text[a.end : b.start].strip():
        return None
    text = article.text[a.start : b.end]
    passage = replace(a, end=b.end, text=text)
    return replace(one, passage=passage, score=max(one.score, other.score))
