"""Store conversations in the browser, and restore them.

Passages are stored as locations, without their text. On restore, the text is read from the archive
again; passages that are no longer in the archive are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rag.errors import InvalidValueError
from rag.schema import Answer, Article, ArticleMetadata, Citation, Hit, Notice, Passage, Statement
from ui.i18n import render
from ui.web import input_validation
from ui.web.ask_request import fields_from_request, request_from_fields
from ui.web.input_validation import (
    PassageLocation,
    StoredCitation,
    StoredConversation,
    StoredNotice,
    StoredSession,
    StoredStatement,
    StoredTurn,
    StoredVersion,
)
from ui.web.state import KINDS, MOST_CONVERSATIONS, AskRequest, Conversation, Session, Turn, new_id
from ui.web.withdrawn import LOST

if TYPE_CHECKING:
    from rag.archive.reader import ArchiveReader

MAX_STORED = 400_000  # characters of JSON; it must fit into a request
MAX_RESTORED_TEXT = 1_000_000  # characters of passages restored for one browser
_ID = re.compile(r"[0-9a-f]{16}")


def to_browser(session: Session, owner: str = "") -> dict[str, Any]:
    """Return the JSON value that the browser stores for a session of a reader.

    Turns that are still being answered are skipped. Beyond `MAX_STORED`, the oldest conversations
    are dropped, then the oldest turns of the current one.
    """
    room = MAX_STORED
    stored: list[StoredConversation] = []
    for conversation in [c for c in session.conversations if c.turns][:MOST_CONVERSATIONS]:
        turns: list[StoredTurn] = []
        for turn in reversed([t for t in conversation.turns if not t.is_under_way]):
            one = _stored_turn_or_none(turn)
            if one is None:
                continue
            room -= len(one.model_dump_json(exclude_defaults=True))
            if room < 0:
                break
            turns.insert(0, one)
        if turns or room >= 0:
            kept = StoredConversation(
                id=conversation.id,
                name=conversation.name,
                started=conversation.started,
                turns=turns,
            )
            stored.append(kept)
        if room < 0:
            break
    kept_session = StoredSession(conversations=stored, owner=owner)
    return kept_session.model_dump(mode="json", exclude_defaults=True)


def from_browser(
    value: object, archive: ArchiveReader, owner: str = ""
) -> tuple[Conversation, ...]:
    """Restore conversations from the value that a browser stored.

    Args:
        value: The stored value; untrusted.
        archive: Archive to read the passages from.
        owner: The reader; somebody else may have used the browser before.

    Returns:
        The conversations; none if the value is malformed, or another reader's.
    """
    if isinstance(value, dict) and value.get("owner", "") != owner:
        return ()
    listed = value.get("conversations") if isinstance(value, dict) else None
    found = listed[:MOST_CONVERSATIONS] if isinstance(listed, list) else []
    read = [input_validation.read(StoredConversation, one) for one in found]
    conversations = [c for c in read if c is not None and c.turns]
    copies = archive.near_duplicates(set(_articles_of(conversations)))
    cache = _ArchiveCache(archive, copies)
    return tuple(
        Conversation(
            _id(c.id),
            tuple(_restore_turn(t, cache) for t in c.turns),
            " ".join(c.name.split()),
            c.started or _first_asked(c),
        )
        for c in conversations
    )


def _first_asked(conversation: StoredConversation) -> datetime:
    """Return a time for a conversation that an earlier version stored without one."""
    return conversation.turns[0].asked_on or datetime.now(UTC)


def _articles_of(conversations: Iterable[StoredConversation]) -> Iterator[str]:
    turns = [turn for c in conversations for turn in c.turns]
    for version in (version for turn in turns for version in (turn, *turn.others)):
        statements = (*version.statements, *version.removed)
        cited = [citation.passage for statement in statements for citation in statement.citations]
        yield from (location[0] for location in (*version.hits, *version.closest, *cited))


def _id(stored: str) -> str:
    """Return the stored id, or a new one if it is malformed."""
    return stored if _ID.fullmatch(stored) else new_id()


def _stored_turn_or_none(turn: Turn) -> StoredTurn | None:
    """Return the turn to store; None if it would fail validation on restore."""
    try:
        shown = _store_version(turn).model_dump()
        others = [_store_version(other) for other in turn.others]
        return StoredTurn(**shown, others=others, version=turn.version)
    except ValidationError:
        return None


def _store_version(turn: Turn) -> StoredVersion:
    asked, answer = turn.request, turn.answer
    return StoredVersion(
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
        statements=[_store_statement(s) for s in answer.statements],
        removed=[_store_statement(s) for s in answer.rejected_statements],
        hits=[_location(h.passage) for h in answer.hits],
        closest=[_location(h.passage) for h in answer.nearest_hits],
        followups=list(turn.followups),
        as_of=answer.newest_source,
        refused=answer.refused,
        refusal=_store_notice(answer.refusal),
        notices=[StoredNotice(**notice.to_dict()) for notice in answer.notices],
    )


def _store_notice(notice: Notice | None) -> StoredNotice | None:
    return StoredNotice(**notice.to_dict()) if notice else None


def _store_statement(statement: Statement) -> StoredStatement:
    return StoredStatement(
        text=statement.text,
        support=statement.support,
        reason=_store_notice(statement.reason),
        label=_store_notice(statement.label),
        citations=[
            StoredCitation(number=c.number, start=c.start, end=c.end, passage=_location(c.passage))
            for c in statement.citations
        ],
    )


def _location(passage: Passage) -> PassageLocation:
    return passage.article_id, passage.revision, passage.start, passage.end


@dataclass
class _ArchiveCache:
    """Cache of the articles and passages read while conversations are restored.

    Attributes:
        archive: Archive to read from.
        copies: Near-duplicates by article id.
        seen: Articles by id and revision; None for articles that are no longer there.
        found: Hits by location.
        room: Characters of passage text that may still be restored.
    """

    archive: ArchiveReader
    copies: Mapping[str, tuple[ArticleMetadata, ...]]
    seen: dict[tuple[str, int], Article | None] = field(default_factory=dict)
    found: dict[PassageLocation, Hit] = field(default_factory=dict)
    room: int = MAX_RESTORED_TEXT

    def article(self, article_id: str, revision: int) -> Article | None:
        key = article_id, revision
        if key not in self.seen:
            here = self.archive.article(article_id) is not None
            self.seen[key] = self.archive.article(article_id, revision) if here else None
        return self.seen[key]

    def hit(self, location: PassageLocation) -> Hit | None:
        if location in self.found:
            return self.found[location]
        article_id, revision, start, end = location
        article = self.article(article_id, revision)
        if article is None or not 0 <= start < end <= len(article.text):
            return None
        self.room -= end - start
        if self.room < 0:
            return None
        passage = Passage(article_id, revision, start, end, article.text[start:end])
        hit = Hit(passage, article.metadata, 0.0, self.copies.get(article_id, ()))
        self.found[location] = hit
        return hit

    def hits(self, places: Iterable[PassageLocation]) -> tuple[Hit, ...]:
        return tuple(hit for hit in map(self.hit, places) if hit is not None)

    def statement(self, stored: StoredStatement) -> Statement | None:
        citations = []
        for c in stored.citations:
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
        reason, label = _restore_notice(stored.reason), _restore_notice(stored.label)
        return Statement(stored.text, tuple(citations), stored.support, reason, label)

    def statements(self, stored: Sequence[StoredStatement]) -> tuple[Statement, ...]:
        return tuple(s for s in map(self.statement, stored) if s is not None)


def _restore_notice(stored: StoredNotice | str | None) -> Notice | None:
    """Return a stored notice; None if it is missing or cannot be rendered."""
    if not stored:
        return None
    if isinstance(stored, str):
        return Notice("message", text=stored)
    try:
        notice = Notice.from_dict(stored.model_dump())
        render(notice)  # fails on invalid parameters, such as dates
    except (InvalidValueError, ValueError, TypeError):
        return None
    return notice


def _restore_turn(stored: StoredTurn, archive: _ArchiveCache) -> Turn:
    others = tuple(_restore_version(other, archive) for other in stored.others)
    shown = _restore_version(stored, archive)
    return replace(shown, others=others, version=min(stored.version, len(others)))


def _restore_version(stored: StoredVersion, archive: _ArchiveCache) -> Turn:
    asked, _ = request_from_fields(stored.question, stored.mode, stored.order, stored.fields)
    statements = archive.statements(stored.statements)
    removed = archive.statements(stored.removed)
    hits, closest = archive.hits(stored.hits), archive.hits(stored.closest)
    has_lost = (len(statements), len(removed), len(hits), len(closest)) < (
        *(len(stored.statements), len(stored.removed)),
        *(len(stored.hits), len(stored.closest)),
    )
    notices: list[StoredNotice | str] = [*stored.notices, *filter(None, [stored.notice])]
    answer = Answer(
        stored.question,
        statements=statements,
        hits=hits,
        newest_source=stored.as_of,
        refused=stored.refused,
        # A refusal may name the closest article.
        refusal=None if has_lost else _restore_notice(stored.refusal or stored.reason),
        nearest_hits=closest,
        rejected_statements=removed,
        notices=(LOST,) if has_lost else tuple(filter(None, map(_restore_notice, notices))),
        candidates_considered=stored.considered,
    )
    removed_constraints = tuple(kind for kind in stored.struck if kind in KINDS)
    return Turn(
        AskRequest(
            stored.question,
            asked.filters,
            asked.asked_on,
            stored.mode,
            stored.order,
            removed_constraints,
        ),
        answer,
        stored.progress,
        tuple(stored.understood),
        stored.outside,
        standalone_question=stored.alone,
        asked_on=stored.asked_on,
        sequence=stored.sequence,
        followups=() if has_lost else tuple(stored.followups),
        id=_id(stored.id),
    )
