"""Notes on a period for a chat model: each stretch of it is read by itself, then written from.

More happens in a month than fits into a model's context. The passages of each stretch of days are
noted down by a call of its own (map), and the answer is written from the notes (reduce). Notes keep
the numbers of the passages, so that statements are checked against passages, never against notes.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from langchain_core.language_models import BaseChatModel

from rag.answer.llm import Draft, SentenceStream
from rag.answer.prompts import build_note_messages, fit_to_context
from rag.answer.question_kind import classify_kind
from rag.answer.refusal import is_refusal
from rag.citations import read_citations
from rag.errors import ChatModelError
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import retrieve
from rag.schema import Filters, Hit, Notice, TimeRange, Usage

MOST_STRETCHES = 6  # calls of the model for one question
LEAST_PERIOD = timedelta(days=2)
PASSAGES_OF_A_STRETCH = 12
CALLS_AT_ONCE = 3  # more run into the limits of small accounts


@dataclass(frozen=True, slots=True)
class PeriodNotes:
    """Notes on a period and the passages that they number.

    Attributes:
        hits: The passages, numbered from 1 across all stretches.
        texts: Each a sentence with the words and the numbers of its passages, earliest first.
        usage: The tokens of all calls.
        notices: Notices for the reader.
    """

    hits: tuple[Hit, ...]
    texts: tuple[str, ...]
    usage: Usage
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stretch:
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
    chat_model: BaseChatModel,
    *,
    timeout: float,
    context_tokens: int,
    prices: tuple[float, float] = (0.0, 0.0),
) -> PeriodNotes:
    """Have a chat model take notes on each stretch of a question's period.

    Args:
        archive: The archive.
        asked: The parsed question, with a closed time range.
        filters: The filters that the articles must pass.
        chat_model: The chat model, which may be called by several threads.
        timeout: Its longest pause, in seconds.
        context_tokens: The most tokens of passages for one call.
        prices: The prices of a million input tokens and a million output tokens.

    Returns:
        The notes; a stretch for which the model failed is missing from them.

    Raises:
        ChatModelError: The model failed for every stretch.
    """
    stretches = _find_stretches(archive, asked, filters, context_tokens)

    def note_down(stretch: _Stretch) -> tuple[list[Draft], Usage, ChatModelError | None]:
        stream = SentenceStream(chat_model, timeout=timeout, prices=prices)
        messages = build_note_messages(stretch.asked, stretch.hits, stretch.first)
        try:
            return list(stream.drafts(messages)), stream.usage, None
        except ChatModelError as error:
            return [], stream.usage, error

    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="notes") as pool:
        results = list(pool.map(note_down, stretches))
    errors = [error for _, _, error in results if error is not None]
    if errors and len(errors) == len(results):
        raise errors[0]
    missed = Notice("period_partly_read", missed=len(errors), parts=len(results))
    return PeriodNotes(
        hits=tuple(hit for stretch in stretches for hit in stretch.hits),
        texts=tuple(
            note
            for stretch, (drafts, _, _) in zip(stretches, results, strict=True)
            for draft in drafts
            if (note := _format_note(draft, stretch))
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


def _find_stretches(
    archive: SearchBackend, asked: ParsedQuery, filters: Filters, context_tokens: int
) -> list[_Stretch]:
    """Return the stretches of the period in which anything is found, each with its passages."""
    period = _period(asked)
    assert period is not None
    stretches: list[_Stretch] = []
    first = 1
    for time_range in split_period(*period):
        part = replace(asked, time_range=time_range, parts=())
        found = retrieve(archive, part, PASSAGES_OF_A_STRETCH, filters=filters).hits
        # a report may appear after its day: it belongs to the stretch in which it was published
        inside = [hit for hit in found if _is_of(time_range, hit, last=time_range.end == period[1])]
        hits = tuple(fit_to_context(inside, asked.text, context_tokens))
        if hits:
            stretches.append(_Stretch(part, hits, first))
            first += len(hits)
    return stretches


def _is_of(time_range: TimeRange, hit: Hit, *, last: bool) -> bool:
    published = hit.metadata.published
    if published is None:
        return False
    return time_range.contains(published) or (last and published >= (time_range.end or published))


def split_period(start: datetime, end: datetime) -> list[TimeRange]:
    """Return at most MOST_STRETCHES time ranges of whole days that cover a period without gaps.

    Args:
        start: The start of the period.
        end: Its end, exclusive.
    """
    days = max(1, math.ceil((end - start) / timedelta(days=1)))
    step = timedelta(days=math.ceil(days / MOST_STRETCHES))
    starts = [start + i * step for i in range(math.ceil((end - start) / step))]
    return [TimeRange(each, min(each + step, end)) for each in starts]


def _format_note(draft: Draft, stretch: _Stretch) -> str:
    """Return a note for the prompt; "" if it rests on no passage of its stretch."""
    numbers = range(stretch.first, stretch.first + len(stretch.hits))
    evidence = [each for each in draft.evidence if each.number in numbers]
    cited = [n for n in read_citations(draft.text).numbers if n in numbers]
    cited = cited or list(dict.fromkeys(each.number for each in evidence))
    if is_refusal(draft.text) or not cited:
        return ""
    markers = "".join(f"[{number}]" for number in cited)
    quoted = [f"> [{each.number}] {each.words}" for each in evidence]
    return "\n".join([*quoted, f"{read_citations(draft.text).text} {markers}"])
