"""Conversations as a browser keeps them: what was said, and where in the archive it stands.

Passages are kept by place, not by text: what comes back from a browser is read from the archive
again, and what the archive no longer holds does not come back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rag.errors import InvalidValueError
from rag.schema import Answer, Article, ArticleMetadata, Citation, Hit, Notice, Passage, Statement
from ui.i18n import render
from ui.web import input_validation
from ui.web.ask_request import fields_from_request, request_from_fields
from ui.web.input_validation import (
    KeptCitation,
    KeptConversation,
    KeptNotice,
    KeptStatement,
    KeptTurn,
    StoredSession,
    Where,
)
from ui.web.state import KINDS, MOST_CONVERSATIONS, AskRequest, Conversation, Session, Turn, new_id
from ui.web.withdrawn import LOST

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader

LARGEST_KEPT = 400_000  # characters of JSON: it has to fit into a request
RESTORED_TEXT = 1_000_000  # characters of passages that are read again for one browser
_AN_ID = re.compile(r"[0-9a-f]{16}")


def to_browser(session: Session) -> dict[str, Any]:
    """Return what the browser keeps of `desk`: the conversations that have finished turns.

    Of more than it may send back, the oldest conversations are left out, and the oldest turns of
    the one in front.
    """
    room = LARGEST_KEPT
    kept: list[KeptConversation] = []
    for conversation in [c for c in session.conversations if c.turns][:MOST_CONVERSATIONS]:
        turns: list[KeptTurn] = []
        for turn in reversed([t for t in conversation.turns if not t.is_under_way]):
            one = _kept(turn)
            if one is None:
                continue
            room -= len(one.model_dump_json(exclude_defaults=True))
            if room < 0:
                break
            turns.insert(0, one)
        if turns or room >= 0:
            kept.append(KeptConversation(id=conversation.id, turns=turns))
        if room < 0:
            break
    return StoredSession(conversations=kept).model_dump(mode="json", exclude_defaults=True)


def from_browser(value: object, archive: ArchiveReader) -> tuple[Conversation, ...]:
    """Return the conversations that a browser kept; none where it holds something else."""
    listed = value.get("conversations") if isinstance(value, dict) else None
    found = listed[:MOST_CONVERSATIONS] if isinstance(listed, list) else []
    read = [input_validation.read(KeptConversation, one) for one in found]
    conversations = [c for c in read if c is not None and c.turns]
    copies = archive.near_duplicates(set(_articles_of(conversations)))
    reread = _Reread(archive, copies)
    return tuple(
        Conversation(_id(c.id), tuple(_turn(t, reread) for t in c.turns)) for c in conversations
    )


def _articles_of(conversations: Iterable[KeptConversation]) -> Iterator[str]:
    for turn in (turn for c in conversations for turn in c.turns):
        said = (*turn.statements, *turn.removed)
        cited = [citation.passage for statement in said for citation in statement.citations]
        yield from (where[0] for where in (*turn.hits, *turn.closest, *cited))


def _id(kept: str) -> str:
    """Return the id that was kept, or a new one in the place of what is none of ours."""
    return kept if _AN_ID.fullmatch(kept) else new_id()


def _kept(turn: Turn) -> KeptTurn | None:
    """Return what is kept of a turn; None if it wouldn't be believed when it comes back."""
    try:
        return _kept_turn(turn)
    except ValidationError:
        return None


def _kept_turn(turn: Turn) -> KeptTurn:
    asked, answer = turn.request, turn.answer
    return KeptTurn(
        id=turn.id,
        question=asked.question,
        alone=turn.standalone_question,
        asked_on=turn.asked_on,
        sequence=turn.sequence,
        progress="stopped" if turn.progress == "stopped" else "done",
        considered=answer.candidates_considered,
        mode=asked.mode,
        order=asked.order,
        fields={name: value for name, value in fields_from_request(asked).items() if value},
        struck=list(asked.removed_constraints),
        understood=list(turn.understood),
        outside=turn.out_of_coverage,
        statements=[_kept_statement(s) for s in answer.statements],
        removed=[_kept_statement(s) for s in answer.rejected_statements],
        hits=[_where(h.passage) for h in answer.hits],
        closest=[_where(h.passage) for h in answer.nearest_hits],
        as_of=answer.newest_source,
        refused=answer.refused,
        refusal=_kept_notice(answer.refusal),
        notices=[KeptNotice(**notice.to_dict()) for notice in answer.notices],
    )


def _kept_notice(notice: Notice | None) -> KeptNotice | None:
    return KeptNotice(**notice.to_dict()) if notice else None


def _kept_statement(statement: Statement) -> KeptStatement:
    return KeptStatement(
        text=statement.text,
        support=statement.support,
        reason=_kept_notice(statement.reason),
        label=_kept_notice(statement.label),
        citations=[
            KeptCitation(number=c.number, start=c.start, end=c.end, passage=_where(c.passage))
            for c in statement.citations
        ],
    )


def _where(passage: Passage) -> Where:
    return passage.article_id, passage.revision, passage.start, passage.end


@dataclass
class _Reread:
    """The archive's articles, each read once, and who else printed them."""

    archive: ArchiveReader
    copies: Mapping[str, tuple[ArticleMetadata, ...]]
    seen: dict[tuple[str, int], Article | None] = field(default_factory=dict)
    found: dict[Where, Hit] = field(default_factory=dict)
    room: int = RESTORED_TEXT

    def article(self, article_id: str, revision: int) -> Article | None:
        key = article_id, revision
        if key not in self.seen:
            here = self.archive.article(article_id) is not None
            self.seen[key] = self.archive.article(article_id, revision) if here else None
        return self.seen[key]

    def hit(self, where: Where) -> Hit | None:
        if where in self.found:
            return self.found[where]
        article_id, revision, start, end = where
        article = self.article(article_id, revision)
        if article is None or not 0 <= start < end <= len(article.text):
            return None
        self.room -= end - start
        if self.room < 0:
            return None
        passage = Passage(article_id, revision, start, end, article.text[start:end])
        hit = Hit(passage, article.metadata, 0.0, self.copies.get(article_id, ()))
        self.found[where] = hit
        return hit

    def hits(self, places: Iterable[Where]) -> tuple[Hit, ...]:
        return tuple(hit for hit in map(self.hit, places) if hit is not None)

    def statement(self, kept: KeptStatement) -> Statement | None:
        citations = []
        for c in kept.citations:
            hit = self.hit(c.passage)
            if hit is None or not hit.passage.start <= c.start < c.end <= hit.passage.end:
                return None
            at = hit.passage.start
            self.room -= c.end - c.start
            if self.room < 0:
                return None
            quote = hit.passage.text[c.start - at : c.end - at]
            citations.append(
                Citation(c.number, quote, c.start, c.end, hit.passage, hit.metadata, hit.copies)
            )
        reason, label = _notice(kept.reason), _notice(kept.label)
        return Statement(kept.text, tuple(citations), kept.support, reason, label)

    def statements(self, kept: Sequence[KeptStatement]) -> tuple[Statement, ...]:
        return tuple(s for s in map(self.statement, kept) if s is not None)


def _notice(kept: KeptNotice | str | None) -> Notice | None:
    """Return a notice that a browser kept; None for none, and for one that nothing can render."""
    if not kept:
        return None
    if isinstance(kept, str):
        return Notice("message", text=kept)
    try:
        notice = Notice.from_dict(kept.model_dump())
        render(notice)  # a day may be no day
    except (InvalidValueError, ValueError, TypeError):
        return None
    return notice


def _turn(kept: KeptTurn, archive: _Reread) -> Turn:
    asked, _ = request_from_fields(kept.question, kept.mode, kept.order, kept.fields)
    statements = archive.statements(kept.statements)
    removed = archive.statements(kept.removed)
    hits, closest = archive.hits(kept.hits), archive.hits(kept.closest)
    gone = (len(statements), len(removed), len(hits), len(closest)) < (
        *(len(kept.statements), len(kept.removed)),
        *(len(kept.hits), len(kept.closest)),
    )
    notices: list[KeptNotice | str] = [*kept.notices, *filter(None, [kept.notice])]
    answer = Answer(
        kept.question,
        statements=statements,
        hits=hits,
        newest_source=kept.as_of,
        refused=kept.refused,
        refusal=None if gone else _notice(kept.refusal or kept.reason),  # may name the closest
        nearest_hits=closest,
        rejected_statements=removed,
        notices=(LOST,) if gone else tuple(filter(None, map(_notice, notices))),
        candidates_considered=kept.considered,
    )
    struck = tuple(kind for kind in kept.struck if kind in KINDS)
    return Turn(
        AskRequest(kept.question, asked.filters, asked.asked_on, kept.mode, kept.order, struck),
        answer,
        kept.progress,
        tuple(kept.understood),
        kept.outside,
        standalone_question=kept.alone,
        asked_on=kept.asked_on,
        sequence=kept.sequence,
        id=_id(kept.id),
    )
