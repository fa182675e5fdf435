"""Per-browser session state: conversations, turns and requests, as frozen dataclasses."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Literal, get_args

from rag.schema import Answer, Citation, Filters, Hit
from ui.render import first_hit_per_article

if TYPE_CHECKING:
    from rag.query.parser import ParsedQuery

Mode = Literal["answer", "timeline", "compare", "quotes", "passages"]
Order = Literal["relevance", "date"]
Progress = Literal["waiting", "growing", "stopped", "done"]
Kind = Literal["window", "publishers", "authors", "phrases", "excluded"]

MODES: tuple[Mode, ...] = get_args(Mode)
KINDS: tuple[Kind, ...] = get_args(Kind)  # of constraints found in a question

MOST_CONVERSATIONS = 20  # stored in the browser, which limits a page to 5 MB
MOST_TURNS = 40
MOST_VERSIONS = 6  # of an answer; the oldest are dropped
MAX_SESSION_CHARACTERS = 1_000_000  # of one browser, kept by the server


def new_id() -> str:
    """Return a random id."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Question that the page suggests, and how to answer it."""

    question: str
    mode: Mode = "answer"


@dataclass(frozen=True, slots=True)
class AskRequest:
    """Question, and how to answer it.

    Attributes:
        question: The question.
        filters: Filters set by the user.
        asked_on: Time of the question; None for now.
        mode: Answer, timeline or passages.
        order: Order of passages in the mode "passages".
        removed_constraints: Kinds of constraints in the question's words to ignore.
    """

    question: str
    filters: Filters = Filters()
    asked_on: datetime | None = None
    mode: Mode = "answer"
    order: Order = "relevance"
    removed_constraints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """Question and its answer so far.

    Attributes:
        request: The request.
        answer: The answer so far.
        progress: State of the answer.
        understood: Kinds and descriptions of the question's constraints.
        out_of_coverage: Whether the requested dates are outside the archive's.
        standalone_question: The question resolved with the history, without removed constraints.
        asked_on: Time of the question.
        sequence: Sequence number of the archive when the question was answered.
        id: Random id.
        finished: Set when the answer is complete or stopped.
        parsed: The parsed question; None if the turn was restored from a browser.
        followups: Questions that its sources can answer next.
        others: Other versions of the answer, oldest first: asked again, with other filters or in
            another mode.
        version: Place of this version among all of them, from 0.
    """

    request: AskRequest
    answer: Answer
    progress: Progress = "done"
    understood: tuple[tuple[str, str], ...] = ()
    out_of_coverage: bool = False
    standalone_question: str = ""
    asked_on: datetime | None = None
    sequence: int = 0
    id: str = field(default_factory=new_id)
    finished: Event = field(default_factory=Event, compare=False, repr=False)
    parsed: ParsedQuery | None = field(default=None, compare=False, repr=False)
    followups: tuple[str, ...] = ()
    others: tuple[Turn, ...] = ()
    version: int = 0

    @property
    def versions(self) -> tuple[Turn, ...]:
        """All versions of the answer, oldest first; none knows the others."""
        alone = replace(self, others=(), version=0)
        return (*self.others[: self.version], alone, *self.others[self.version :])

    def show_version(self, version: int) -> Turn:
        """Return another version of the answer, which knows this one and the others."""
        every = self.versions
        if not 0 <= version < len(every):
            return self
        others = (*every[:version], *every[version + 1 :])
        return replace(every[version], others=others, version=version)

    def ask_again(self, turn: Turn) -> Turn:
        """Return a new version of this turn, shown before the earlier ones."""
        others = self.versions[-(MOST_VERSIONS - 1) :]
        return replace(turn, others=others, version=len(others))

    @property
    def removable(self) -> tuple[tuple[str, str], ...]:
        """The constraints in the question's words; the filters have chips of their own."""
        return tuple(one for one in self.understood if one[0] != "filters")

    @property
    def is_under_way(self) -> bool:
        """True until the answer is complete or stopped."""
        return self.progress in ("waiting", "growing")

    @property
    def card_hits(self) -> tuple[Hit, ...]:
        """Hits shown as cards: the passages asked for, or the closest articles of a refusal."""
        if self.request.mode == "passages":
            return self.answer.hits
        return tuple(first_hit_per_article(self.answer.nearest_hits)) if self.answer.refused else ()

    @property
    def size(self) -> int:
        """Approximate number of characters, counting each passage once."""
        answer = self.answer
        statements = (*answer.statements, *answer.rejected_statements)
        cited = [citation for statement in statements for citation in statement.citations]
        found = [hit.passage for hit in (*answer.hits, *answer.nearest_hits)]
        passages = {id(one): one for one in (*found, *(citation.passage for citation in cited))}
        return (
            sum(other.size for other in self.others)
            + len(self.request.question)
            + sum(len(passage.text) + 200 for passage in passages.values())
            + sum(len(statement.text) for statement in statements)
            + sum(len(citation.quote) + 200 for citation in cited)
        )

    def citations(self, number: int) -> list[Citation]:
        """Return the citations with this number, which share a card."""
        return [c for c in self.answer.citations if c.number == number]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns that share a history.

    Attributes:
        id: Random id.
        turns: The turns, oldest first.
        name: Name given by the reader; "" for the first question.
        started: Time of its first question.
    """

    id: str = field(default_factory=new_id)
    turns: tuple[Turn, ...] = ()
    name: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def title(self) -> str:
        """The given name, or the first question."""
        return self.name or (self.turns[0].request.question if self.turns else "")

    @property
    def history(self) -> list[tuple[str, Answer]]:
        """Completed questions with their answers, for follow-up questions."""
        return [(t.request.question, t.answer) for t in self.turns if t.progress == "done"]


@dataclass(frozen=True, slots=True)
class Session:
    """Conversations of one browser.

    Attributes:
        conversations: The conversations, current one first.
        language: Language code of the page.
        is_loaded: False if the server does not know the page: not loaded yet, or dropped.
        deleted: The conversation deleted last, for undoing, with its place; None after any other
            change of the list.
    """

    conversations: tuple[Conversation, ...] = field(default_factory=lambda: (Conversation(),))
    language: str = "en"
    is_loaded: bool = False
    deleted: tuple[int, Conversation] | None = None

    @property
    def current(self) -> Conversation:
        """The conversation in front."""
        return self.conversations[0]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns of the current conversation."""
        return self.current.turns

    @property
    def is_busy(self) -> bool:
        """True while an answer is in progress."""
        return bool(self.turns) and self.turns[-1].is_under_way

    def trim(self, size: int = MAX_SESSION_CHARACTERS) -> Session:
        """Drop the oldest conversations and turns beyond `size` characters.

        Args:
            size: Limit in characters.

        Returns:
            The new session, which always keeps the last turn.
        """
        kept = []
        for at, conversation in enumerate(self.conversations[:MOST_CONVERSATIONS]):
            turns: list[Turn] = []
            for turn in reversed(conversation.turns):
                size -= turn.size
                if size < 0 and (turns or at):
                    break
                turns.insert(0, turn)
            if turns or not conversation.turns:
                kept.append(replace(conversation, turns=tuple(turns)))
        return (
            self if tuple(kept) == self.conversations else replace(self, conversations=tuple(kept))
        )

    def with_turns(self, turns: Sequence[Turn]) -> Session:
        """Return a copy with other turns in the current conversation."""
        changed = replace(self.current, turns=tuple(turns)[-MOST_TURNS:])
        return replace(self, conversations=(changed, *self.conversations[1:]))

    def with_last_turn(self, turn: Turn) -> Session:
        """Return a copy with another last turn."""
        return self.with_turns((*self.turns[:-1], turn))

    def start_conversation(self) -> Session:
        """Return a copy with a new, empty conversation in front."""
        others = [c for c in self.conversations if c.turns]
        kept = (Conversation(), *others)[:MOST_CONVERSATIONS]
        return replace(self, conversations=kept, deleted=None)

    def open_conversation(self, conversation_id: str) -> Session:
        """Return a copy with this conversation in front; the same session if the id is unknown."""
        wanted = [c for c in self.conversations if c.id == conversation_id]
        others = [c for c in self.conversations if c.id != conversation_id and c.turns]
        if not wanted:
            return self
        return replace(self, conversations=(*wanted, *others), deleted=None)

    def rename(self, conversation_id: str, name: str) -> Session:
        """Return a copy in which a conversation has another name."""
        renamed = (
            replace(c, name=name) if c.id == conversation_id else c for c in self.conversations
        )
        return replace(self, conversations=tuple(renamed))

    def delete(self, conversation_id: str) -> Session:
        """Return a copy without a conversation; `undelete` brings it back."""
        for place, one in enumerate(self.conversations):
            if one.id == conversation_id:
                left = (*self.conversations[:place], *self.conversations[place + 1 :])
                shown = left if place else (Conversation(), *left)
                return replace(self, conversations=shown, deleted=(place, one))
        return self

    def undelete(self) -> Session:
        """Return a copy with the conversation that was deleted last, open if it was."""
        if self.deleted is None:
            return self
        place, one = self.deleted
        kept = self.conversations if place else tuple(c for c in self.conversations if c.turns)
        return replace(self, conversations=(*kept[:place], one, *kept[place:]), deleted=None)
