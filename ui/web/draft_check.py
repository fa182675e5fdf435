"""Check of a draft on the page: begin, look up its sentences, stop. Functions keep no state."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Event
from typing import TYPE_CHECKING, Literal

from rag.answer.check_text import (
    LONGEST_TEXT,
    CheckedSentence,
    TextCheck,
    number_check,
)
from rag.errors import BackfileError
from rag.nlp.sentences import split_sentences
from rag.query.date_input import parse_date_input
from rag.schema import Notice, Span
from ui.i18n import Texts, error_text

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot

Progress = Literal["none", "waiting", "growing", "stopped", "done"]

SECONDS = 60.0  # of a check, without the time in the queue
REDRAW_SECONDS = 0.25  # a browser should not redraw a long draft more often
LONGEST_DAY = 40  # characters of the date field


@dataclass(frozen=True, slots=True)
class DraftCheck:
    """A draft, and what is known of its sentences so far. It is kept in memory only.

    Attributes:
        draft: The draft.
        written_on: Its day; None for now.
        spans: Ranges of all its sentences, in order.
        checked: Its first sentences, checked.
        progress: State of the check.
        problem: Why it ended early, in the reader's language; "" if it didn't.
        finished: Set when the check is complete or stopped; None before the first check.
    """

    draft: str = ""
    written_on: date | None = None
    spans: tuple[Span, ...] = ()
    checked: tuple[CheckedSentence, ...] = ()
    progress: Progress = "none"
    problem: str = ""
    finished: Event | None = field(default=None, compare=False, repr=False)

    @property
    def is_busy(self) -> bool:
        """Return whether the check waits or is in progress."""
        return self.progress in ("waiting", "growing")

    @property
    def result(self) -> TextCheck:
        """All sentences, numbered through; those that were not reached are "not checked"."""
        why = Notice("check_stopped")
        rest = (
            CheckedSentence(self.draft[s.start : s.end], s.start, s.end, "not checked", (), why)
            for s in self.spans[len(self.checked) :]
        )
        return number_check((*self.checked, *rest))


NO_CHECK = DraftCheck()


def begin_check(draft: str, written_on: date | None) -> DraftCheck:
    """Return the check of a draft, which waits for its turn."""
    spans = tuple(split_sentences(draft))
    return DraftCheck(draft, written_on, spans, progress="waiting", finished=Event())


def problem_of(draft: str, articles: int, texts: Texts) -> str:
    """Return why a draft can't be checked; "" if it can.

    Args:
        draft: The draft.
        articles: Number of articles that the reader may see.
        texts: The reader's language.
    """
    if not articles:
        return texts("check_archive_empty")
    if not draft.strip():
        return texts("check_empty")
    if len(draft) > LONGEST_TEXT:
        return texts("check_too_long", most=texts.number(LONGEST_TEXT))
    return ""


def read_day(text: str) -> date | None:
    """Return the day that is typed; None if the field is empty.

    Raises:
        ValueError: The text is no date.
    """
    if len(text) > LONGEST_DAY:
        raise ValueError("too long for a date")
    try:
        return parse_date_input(text).date() if text.strip() else None
    except OverflowError as error:
        raise ValueError("not a date") from error


def stop_check(check: DraftCheck) -> DraftCheck:
    """Stop a check and keep what there is; return the new state."""
    if not check.is_busy:
        return check
    if check.finished is not None:
        check.finished.set()
    return replace(check, progress="stopped")


def finish_check(check: DraftCheck) -> DraftCheck:
    """Stop a check that ended before it was complete; return the new state."""
    ended = check.finished is not None and check.finished.is_set()
    return stop_check(check) if ended else check


def run_check(chatbot: Chatbot, check: DraftCheck, texts: Texts) -> Iterator[DraftCheck]:
    """Look up the sentences of the draft that waits.

    Args:
        chatbot: Chatbot over the archive as the reader may see it.
        check: The check; nothing is done unless it waits.
        texts: Language of errors.

    Yields:
        The check so far, at most every `REDRAW_SECONDS`; the last one is done.
    """
    finished = check.finished
    if check.progress != "waiting" or finished is None:
        return
    try:
        check = replace(check, progress="growing")
        yield check
        drawn_at = time.monotonic()
        found = chatbot.stream_check(check.draft, written_on=check.written_on, seconds=SECONDS)
        for sentence in found:
            if finished.is_set():
                return
            check = replace(check, checked=(*check.checked, sentence))
            if time.monotonic() - drawn_at >= REDRAW_SECONDS:
                drawn_at = time.monotonic()
                yield check
        yield replace(check, progress="done")
    except BackfileError as error:
        yield replace(check, progress="stopped", problem=error_text(error, texts))
    finally:
        finished.set()


def articles_of(check: DraftCheck) -> set[str]:
    """Return the ids of the articles that a check cites, near-duplicates included."""
    cited = (citation for one in check.checked for citation in one.citations)
    return {head.article_id for one in cited for head in (one.metadata, *one.copies)}


def without_articles(check: DraftCheck, gone: Collection[str]) -> DraftCheck:
    """Return the check without the words of some articles; sentences that cite them lose theirs."""
    if not gone:
        return check
    return replace(check, checked=tuple(_without(one, gone) for one in check.checked))


def _without(sentence: CheckedSentence, gone: Collection[str]) -> CheckedSentence:
    if any(one.metadata.article_id in gone for one in sentence.citations):
        why = Notice("check_article_withdrawn")
        return replace(sentence, outcome="not checked", citations=(), reason=why)
    citations = (
        replace(one, copies=tuple(c for c in one.copies if c.article_id not in gone))
        for one in sentence.citations
    )
    return replace(sentence, citations=tuple(citations))
