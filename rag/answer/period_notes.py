"""Notes on a period for a chat model: each part of it is read by itself, then written from.

More happens in a month than fits into a model's context. The passages of each part are noted
down by a call of its own (map), and the answer is written from the notes (reduce). Notes keep
the numbers of the passages, so that statements are checked against passages, never against notes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rag.answer.drafts import Draft
from rag.answer.llm import SentenceStream
from rag.answer.prompts import build_note_prompt, fit_to_context
from rag.answer.question_kind import classify_kind
from rag.answer.refusal import is_refusal
from rag.citations import read_citations
from rag.errors import ChatModelError
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import retrieve
from rag.schema import Filters, Hit, Notice, TimeRange, Usage

MOST_PARTS = 6  # calls of the model for one question
LEAST_PERIOD = timedelta(days=2)
PASSAGES_OF_A_PART = 12
CALLS_AT_ONCE = 3  # more run into the limits of small accounts


@dataclass(frozen=True, slots=True)
class PeriodNotes:
    """Notes on a period and the passages that they number.

    Attributes:
        hits: The passages, numbered from 1 across all parts.
        texts: Each a sentence with the words and the numbers of its passages, earliest first.
        usage: The tokens of all calls.
        notices: Notices for the reader.
    """

    hits: tuple[Hit, ...]
    texts: tuple[str, ...]
    usage: Usage
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _PeriodPart:
    """A part of the period with its passages, the first of which has the number `first`."""

    asked: ParsedQuery
    hits: tuple[Hit, ...]
    first: int


def needs_notes(asked: ParsedQuery, found: int, most: int) -> bool:
    """Return whether a question is about more than one prompt can hold.

    Args:
        asked: The parsed question.
        found: How many passages the search returned.
        most: How many it was asked for; fewer than that fit into one prompt.
    """
    period = _period(asked)
    if period is None or classify_kind(asked) not in ("summary", "events"):
        return False
    return found >= most and period[1] - period[0] >= LEAST_PERIOD


def take_notes(
    archive: SearchBackend,
    asked: ParsedQuery,
    filters: Filters,
    new_stream: Callable[[], SentenceStream],
    *,
    context_tokens: int,
) -> PeriodNotes:
    """Have a chat model take notes on each part of a question's period.

    Args:
        archive: The archive.
        asked: The parsed question, with a closed time range.
        filters: The filters that the articles must pass.
        new_stream: Returns a new stream of the chat model, which several threads may call.
        context_tokens: The most tokens of passages for one call.

    Returns:
        The notes; a part for which the model failed is missing from them.

    Raises:
        ChatModelError: The model failed for every part.
    """
    parts = _find_parts(archive, asked, filters, context_tokens)

    def note_down(part: _PeriodPart) -> tuple[list[Draft], Usage, ChatModelError | None]:
        stream = new_stream()
        prompt = build_note_prompt(part.asked, part.hits, part.first)
        try:
            return list(stream.drafts(prompt)), stream.usage, None
        except ChatModelError as error:
            return [], stream.usage, error

    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="notes") as pool:
        results = list(pool.map(note_down, parts))
    errors = [error for _, _, error in results if error is not None]
    if errors and len(errors) == len(results):
        raise errors[0]
    missed = Notice("period_partly_read", missed=len(errors), parts=len(results))
    return PeriodNotes(
        hits=tuple(hit for part in parts for hit in part.hits),
        texts=tuple(
            note
            for part, (drafts, _, _) in zip(parts, results, strict=True)
            for draft in drafts
            if (note := _format_note(draft, part))
        ),
        usage=sum((usage for _, usage, _ in results), Usage()),
        notices=(missed,) if errors else (),
    )


def _period(asked: ParsedQuery) -> tuple[datetime, datetime] | None:
    """Return the start and the end of the question's closed time range; None without one."""
    found = asked.time_range
    if found is None or not found.hard or found.start is None or found.end is None:
        return None
    return found.start, found.end


def _find_parts(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, context_tokens: int
) -> list[_PeriodPart]:
    """Return the parts of the period in which anything is found, each with its passages."""
    period = _period(asked)
    assert period is not None
    parts: list[_PeriodPart] = []
    first = 1
    for time_range in split_period(*period):
        part = replace(asked, time_range=time_range, parts=())
        found = retrieve(archive, part, PASSAGES_OF_A_PART, filters=filters).hits
        # a report may appear after its day: it belongs to the part in which it was published
        inside = [hit for hit in found if _is_of(time_range, hit, last=time_range.end == period[1])]
        hits = tuple(fit_to_context(inside, asked.text, context_tokens))
        if hits:
            parts.append(_PeriodPart(part, hits, first))
            first += len(hits)
    return parts


def _is_of(time_range: TimeRange, hit: Hit, *, last: bool) -> bool:
    published = hit.metadata.published
    if published is None:
        return False
    return time_range.contains(published) or (last and published >= (time_range.end or published))


def split_period(start: datetime, end: datetime) -> list[TimeRange]:
    """Return at most MOST_PARTS time ranges of whole days that cover a period without gaps.

    Args:
        start: The start of the period.
        end: Its end, exclusive.
    """
    days = max(1, math.ceil((end - start) / timedelta(days=1)))
    step = timedelta(days=math.ceil(days / MOST_PARTS))
    starts = [start + i * step for i in range(math.ceil((end - start) / step))]
    return [TimeRange(each, min(each + step, end)) for each in starts]


def _format_note(draft: Draft, part: _PeriodPart) -> str:
    """Return a note for the prompt; "" if it rests on no passage of its part."""
    numbers = range(part.first, part.first + len(part.hits))
    evidence = [each for each in draft.evidence if each.number in numbers]
    cited = [n for n in read_citations(draft.text).numbers if n in numbers]
    cited = cited or list(dict.fromkeys(each.number for each in evidence))
    if is_refusal(draft.text) or not cited:
        return ""
    markers = "".join(f"[{number}]" for number in cited)
    quoted = [f"> [{each.number}] {each.words}" for each in evidence]
    return "\n".join([*quoted, f"{read_citations(draft.text).text} {markers}"])
