"""Remove withdrawn articles from the sessions of open pages.

A session contains the passages that its answers cite. It is checked whenever part of it is shown,
restored, exported or saved as feedback, so that a withdrawn article disappears from open pages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.schema import Answer, ArticleMetadata, Hit, Notice, Statement
from ui.web.state import Session, Turn

if TYPE_CHECKING:
    from rag.archive.archive import Archive
    from rag.archive.reader import ArchiveReader


LOST = Notice("articles_withdrawn")  # replaces the notices of an answer


def without_withdrawn(session: Session, archive: Archive) -> Session:
    """Return the session without the text of withdrawn articles.

    Args:
        session: The session.
        archive: Archive that knows the withdrawals.

    Returns:
        The new session; the same session if nothing in it was withdrawn.
    """
    return _without(session, archive.withdrawals(_articles(session)))


def without_hidden(session: Session, archive: ArchiveReader) -> Session:
    """Return the session without the text of articles that the reader may not see any more.

    Args:
        session: The session.
        archive: The archive as the reader may see it.

    Returns:
        The new session; the same session if all of it may be seen.
    """
    articles = _articles(session)
    return _without(session, articles - set(archive.readable_ids(articles)))


def _articles(session: Session) -> set[str]:
    turns = (turn for conversation in session.conversations for turn in conversation.turns)
    return {head.article_id for turn in turns for head in _metadata(turn)}


def _without(session: Session, withdrawn: Collection[str]) -> Session:
    if not withdrawn:
        return session
    return replace(
        session,
        conversations=tuple(
            replace(c, turns=tuple(_strip_turn(turn, withdrawn) for turn in c.turns))
            for c in session.conversations
        ),
    )


def _metadata(turn: Turn) -> Iterator[ArticleMetadata]:
    """Yield the metadata of each article in all versions of a turn."""
    for version in (turn, *turn.others):
        yield from _answer_metadata(version.answer)


def _answer_metadata(answer: Answer) -> Iterator[ArticleMetadata]:
    for hit in (*answer.hits, *answer.nearest_hits):
        yield from (hit.metadata, *hit.copies)
    for statement in (*answer.statements, *answer.rejected_statements):
        for citation in statement.citations:
            yield from (citation.metadata, *citation.copies)


def _strip_turn(turn: Turn, withdrawn: Collection[str]) -> Turn:
    others = tuple(_strip_turn(other, withdrawn) for other in turn.others)
    answer = turn.answer
    if not any(head.article_id in withdrawn for head in _answer_metadata(answer)):
        return replace(turn, others=others)
    return replace(
        turn,
        others=others,
        followups=(),  # may come from a withdrawn article
        answer=replace(
            answer,
            statements=_statements(answer.statements, withdrawn),
            rejected_statements=_statements(answer.rejected_statements, withdrawn),
            hits=_hits(answer.hits, withdrawn),
            nearest_hits=_hits(answer.nearest_hits, withdrawn),
            refusal=None,  # may name or quote a withdrawn article
            notices=(LOST,),
        ),
    )


def _statements(
    statements: Iterable[Statement], withdrawn: Collection[str]
) -> tuple[Statement, ...]:
    return tuple(
        replace(
            statement,
            citations=tuple(
                replace(c, copies=_copies(c.copies, withdrawn)) for c in statement.citations
            ),
        )
        for statement in statements
        if not any(c.metadata.article_id in withdrawn for c in statement.citations)
    )


def _hits(hits: Iterable[Hit], withdrawn: Collection[str]) -> tuple[Hit, ...]:
    return tuple(
        replace(hit, copies=_copies(hit.copies, withdrawn))
        for hit in hits
        if hit.metadata.article_id not in withdrawn
    )


def _copies(
    copies: Iterable[ArticleMetadata], withdrawn: Collection[str]
) -> tuple[ArticleMetadata, ...]:
    return tuple(head for head in copies if head.article_id not in withdrawn)
