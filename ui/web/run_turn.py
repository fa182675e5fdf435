"""Run the turns of a session: begin, stream the answer, stop. Functions keep no state."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, get_args

from rag.answer.modes import LAYOUTS
from rag.errors import BackfileError
from rag.query.parser import (
    LONGEST_QUESTION,
    ParsedQuery,
)
from rag.retrieval.backend import Order
from rag.retrieval.hybrid import apply_query_constraints, retrieve, understand_question
from rag.schema import Answer, Filters, Notice
from ui.i18n import Texts, error_text, render, texts_in
from ui.web.state import AskRequest, Kind, Session, Turn

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive

HISTORY_TURNS = 6  # turns that a follow-up question may refer to
REDRAW_SECONDS = 0.1  # a chat model writes faster than a browser should redraw
PASSAGES_K = 20  # passages shown in the mode "passages"
_KINDS: dict[str, Kind] = {  # by notice code; all other codes are about dates
    "from_publishers": "publishers",
    "by_authors": "authors",
    "with_phrases": "phrases",
    "without_words": "excluded",
}


def begin_turn(session: Session, asked: AskRequest, at: int | None = None) -> Session:
    """Add a turn that waits for its answer.

    Args:
        session: The session.
        asked: The request.
        at: Index of a turn that is asked again. The last one gets another version; any other
            question is asked at the end, since later ones may build on its answer.

    Returns:
        The new session; the same session if the question is empty or an answer is in progress.
    """
    # `read_question` rejects longer questions, which only forged requests have.
    question = " ".join(asked.question.split())[: LONGEST_QUESTION + 1]
    if not question or session.is_busy:
        return session
    turn = Turn(replace(asked, question=question), Answer(question), "waiting")
    if at is not None and at == len(session.turns) - 1:
        return session.with_last_turn(session.turns[at].ask_again(turn))
    return session.with_turns((*session.turns, turn))


def stop_turn(session: Session) -> Session:
    """Stop the answer in progress and keep what there is; return the new session."""
    if not session.is_busy:
        return session
    session.turns[-1].finished.set()
    return session.with_last_turn(replace(session.turns[-1], progress="stopped"))


def finish_turn(session: Session) -> Session:
    """Stop a turn whose answer ended before it was complete; return the new session."""
    return (
        stop_turn(session) if session.is_busy and session.turns[-1].finished.is_set() else session
    )


def run_turn(archive: Archive, chatbot: Chatbot, session: Session) -> Iterator[Session]:
    """Answer the turn that waits.

    Args:
        archive: The archive to search.
        chatbot: Answers questions in the mode "answer".
        session: The session; its last turn is answered if it is waiting.

    Yields:
        The session with the answer so far, at most every `REDRAW_SECONDS`.
    """
    if not session.turns or session.turns[-1].progress != "waiting":
        return
    finished = session.turns[-1].finished
    drawn_at = 0.0
    try:
        for turn in _stream_turn(archive, chatbot, session):
            if finished.is_set():
                return
            if turn.progress == "done" or time.monotonic() - drawn_at >= REDRAW_SECONDS:
                if turn.answer.statements:  # show the first statement at once
                    drawn_at = time.monotonic()
                yield session.with_last_turn(turn)
    finally:
        finished.set()


def _stream_turn(archive: Archive, chatbot: Chatbot, session: Session) -> Iterator[Turn]:
    """Yield the turn with the answer so far; the last one is done."""
    history = session.current.history[-HISTORY_TURNS:]
    turn = session.turns[-1]
    asked_on = turn.request.asked_on or datetime.now(UTC)
    try:
        turn = replace(turn, progress="growing", asked_on=asked_on, sequence=archive.version)
        yield turn
        question = read_question(archive, turn, history)
        understood = describe_constraints(turn.request, question, texts_in(session.language))
        turn = replace(
            turn, understood=understood, standalone_question=question.text, parsed=question
        )
        yield turn
        for answer in _answers(archive, chatbot, turn, question, history):
            turn = replace(turn, answer=replace(answer, question=turn.request.question))
            yield turn
        turn = replace(
            turn,
            out_of_coverage=_is_out_of_coverage(archive, turn.request, question),
            followups=_followups(archive, turn, history),
        )
    except BackfileError as error:
        told = error_text(error, texts_in(session.language))
        failed = Notice("error", message=told)
        turn = replace(turn, answer=Answer(turn.request.question, refused=True, refusal=failed))
    yield replace(turn, progress="done")


def _followups(
    archive: Archive, turn: Turn, history: Sequence[tuple[str, Answer]]
) -> tuple[str, ...]:
    """Return questions that go on from an answer; none while the reader has stopped it."""
    if turn.request.mode != "answer" or turn.answer.refused or turn.finished.is_set():
        return ()
    from rag.answer.suggest import followup_questions

    return followup_questions(
        archive,
        turn.answer,
        asked_on=turn.asked_on,
        asked_before=[question for question, _ in history],
    )


def read_question(archive: Archive, turn: Turn, history: list[tuple[str, Answer]]) -> ParsedQuery:
    """Parse the question of a turn, without the constraints that the user removed."""
    asked = turn.request
    return understand_question(
        archive,
        asked.question,
        asked_on=turn.asked_on or asked.asked_on,
        history=history,
        access=asked.filters.access,
        without=asked.removed_constraints,
    )


def _answers(
    archive: Archive,
    chatbot: Chatbot,
    turn: Turn,
    question: ParsedQuery,
    history: list[tuple[str, Answer]],
) -> Iterator[Answer]:
    asked = turn.request
    if asked.mode == "passages":
        found = retrieve(archive, question, PASSAGES_K, filters=asked.filters)
        hits = list(found.nearest_hits)
        if asked.order == "date":
            oldest = datetime.min.replace(tzinfo=UTC)
            hits.sort(key=lambda hit: hit.metadata.published or oldest, reverse=True)
        yield Answer(asked.question, hits=tuple(hits), notices=found.notices)
    elif asked.mode != "answer":
        yield LAYOUTS[asked.mode](archive, question, filters=asked.filters)
    else:
        from rag.answer.followups_llm import needs_rewriting

        # A chat model rewrites follow-ups itself, but cannot remove constraints from them.
        by_model = (
            chatbot.chat_model is not None
            and not asked.removed_constraints
            and needs_rewriting(asked.question, history)
        )
        yield from chatbot.stream(
            asked.question if by_model else question,
            filters=asked.filters,
            asked_on=turn.asked_on,
            history=history if by_model else (),
        )


def describe_constraints(
    asked: AskRequest, question: ParsedQuery, texts: Texts
) -> tuple[tuple[str, str], ...]:
    """Describe the constraints of a question, from its filters and its words.

    Args:
        asked: The request with its filters.
        question: The parsed question.
        texts: Language of the descriptions.

    Returns:
        Pairs of kind and description.
    """
    constraints: list[tuple[str, str]] = []
    if asked.filters:
        constraints.append(("filters", _describe_filters(asked, texts)))
    for notice in question.describe():
        constraints.append((_KINDS.get(notice.code, "window"), render(notice, texts)))
    return tuple(constraints)


def _describe_filters(asked: AskRequest, texts: Texts) -> str:
    filters = asked.filters
    last = filters.before - timedelta(days=1) if filters.before else None
    if filters.after and last:
        days = texts.period(filters.after, last)
    else:
        key = "since" if filters.after else "until"
        days = texts(key, day=texts.day(filters.after or last)) if filters.after or last else ""
    excluded = [texts("without_publisher", name=name) for name in filters.excluded_publishers]
    names = (*filters.publishers, *filters.authors, *filters.sections, *filters.languages)
    names = (*names, *excluded)
    return texts("active_filters", filters=", ".join(filter(None, (days, *names))))


def _is_out_of_coverage(archive: Archive, asked: AskRequest, question: ParsedQuery) -> bool:
    """Return whether the requested dates are before or after all articles of the archive."""
    filters = apply_query_constraints(asked.filters, question)
    if filters is None or not (filters.after or filters.before):
        return False
    # Not `status`, which also looks for gaps and measures files.
    every, ends = Filters(access=asked.filters.access), []
    for order in get_args(Order):
        ends += archive.dated_articles(1, filters=every, order=order)
    hits = archive.load_hits(ends, access=every.access).values()
    days = [hit.metadata.published for hit in hits if hit.metadata.published]
    if not days:
        return True
    return bool(
        (filters.after and filters.after > max(days))
        or (filters.before and filters.before <= min(days))
    )
