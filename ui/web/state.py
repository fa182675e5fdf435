"""What one browser has before it: conversations, their turns, how each was asked; all frozen."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Literal, get_args

from rag.schema import Answer, Citation, Filters, Hit
from ui.render import first_hit_per_article

if TYPE_CHECKING:
    from rag.query.parser import ParsedQuery

Mode = Literal["answer", "timeline", "passages"]
Order = Literal["relevance", "date"]
Progress = Literal["waiting", "growing", "stopped", "done"]
Kind = Literal["window", "publishers", "authors", "phrases", "excluded"]

KINDS: tuple[Kind, ...] = get_args(Kind)  # of what is read from a question's words

MOST_CONVERSATIONS = 20  # kept in a browser: its storage holds 5 MB for a page
MOST_TURNS = 40
MAX_SESSION_CHARACTERS = (
    1_000_000  # characters of one browser's conversations that the server keeps
)


def new_id() -> str:
    """Return an id that nobody else has."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question, and all that says how it is to be answered.

    `struck` names what was understood from its words and is to be left aside.
    """

    question: str
    filters: Filters = Filters()
    asked_on: datetime | None = None
    mode: Mode = "answer"
    order: Order = "relevance"
    removed_constraints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer so far; `understood` is what was read from its words, by kind.

    `alone` is the question as it stands without those before it, less what was struck out;
    `asked_on` and `sequence` are the moment at which, and the state of the archive in which, it
    was answered. `over` is set when it is answered, or no answer is wanted any more. `parsed` is
    the question as it was answered; None of one that a browser kept.
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

    @property
    def is_under_way(self) -> bool:
        """Whether its answer is still to come, or growing."""
        return self.progress in ("waiting", "growing")

    @property
    def card_hits(self) -> tuple[Hit, ...]:
        """The hits that have a card of their own: passages asked for, or closest articles."""
        if self.request.mode == "passages":
            return self.answer.hits
        return tuple(first_hit_per_article(self.answer.nearest_hits)) if self.answer.refused else ()

    @property
    def size(self) -> int:
        """About how many characters it holds, each passage once."""
        answer = self.answer
        statements = (*answer.statements, *answer.rejected_statements)
        cited = [citation for statement in statements for citation in statement.citations]
        found = [hit.passage for hit in (*answer.hits, *answer.nearest_hits)]
        passages = {id(one): one for one in (*found, *(citation.passage for citation in cited))}
        return (
            len(self.request.question)
            + sum(len(passage.text) + 200 for passage in passages.values())
            + sum(len(statement.text) for statement in statements)
            + sum(len(citation.quote) + 200 for citation in cited)
        )

    def citations(self, number: int) -> list[Citation]:
        """Return the citations on one card: all that have its number."""
        return [c for c in self.answer.citations if c.number == number]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Questions and answers that follow on each other."""

    id: str = field(default_factory=new_id)
    turns: tuple[Turn, ...] = ()

    @property
    def title(self) -> str:
        return self.turns[0].request.question if self.turns else ""

    @property
    def history(self) -> list[tuple[str, Answer]]:
        """Its finished questions, for one that follows on them."""
        return [(t.request.question, t.answer) for t in self.turns if t.progress == "done"]


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that one browser has open; `current` is the first of its conversations.

    `is_loaded` is false for a page that the server doesn't know: it was not opened, or forgotten.
    """

    conversations: tuple[Conversation, ...] = field(default_factory=lambda: (Conversation(),))
    language: str = "en"
    is_loaded: bool = False

    @property
    def current(self) -> Conversation:
        return self.conversations[0]

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self.current.turns

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way."""
        return bool(self.turns) and self.turns[-1].is_under_way

    def turn_at(self, index: int | tuple[int, int]) -> int | None:
        """Return which turn the chat's message `index` belongs to; two make a turn."""
        at = (index if isinstance(index, int) else index[0]) // 2
        return at if 0 <= at < len(self.turns) else None

    def trim(self, size: int = MAX_SESSION_CHARACTERS) -> Session:
        """Return the desk without its oldest conversations and turns beyond `size` characters.

        The last turn stays, whatever its size.
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
        """Return the desk with other turns in the current conversation."""
        changed = replace(self.current, turns=tuple(turns)[-MOST_TURNS:])
        return replace(self, conversations=(changed, *self.conversations[1:]))

    def with_last_turn(self, turn: Turn) -> Session:
        """Return the desk with the last turn changed."""
        return self.with_turns((*self.turns[:-1], turn))

    def start_conversation(self) -> Session:
        """Return the desk with a new conversation, empty, in front of those that have turns."""
        others = [c for c in self.conversations if c.turns]
        return replace(self, conversations=(Conversation(), *others)[:MOST_CONVERSATIONS])

    def open_conversation(self, conversation_id: str) -> Session:
        """Return the desk with that conversation in front; as it is where it has none such."""
        wanted = [c for c in self.conversations if c.id == conversation_id]
        others = [c for c in self.conversations if c.id != conversation_id and c.turns]
        return replace(self, conversations=(*wanted, *others)) if wanted else self

    def without_current(self) -> Session:
        """Return the desk without the conversation in front."""
        others = [c for c in self.conversations[1:] if c.turns]
        return replace(self, conversations=tuple(others) or (Conversation(),))
