"""What a question asks for: its words, its window of time, its publishers, and what went before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rag.schema import Answer, Window

Wanted = Literal[
    "who",
    "when",
    "where",
    "how many",
    "yes or no",
    "list",
    "course of events",
    "two sides",
    "why",
    "what",
]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what was understood of it.

    `query` holds the words left for the index: those of the window and of an attribution
    ("according to The Week") are taken out; `excluded` are words the question rules out.
    """

    text: str
    query: str
    asked_on: datetime
    window: Window | None = None
    publishers: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    wants: Wanted = "what"

    def described(self) -> str:
        """One line for the reader: what was understood beside the words; empty for nothing."""
        said = []
        if self.window is not None:
            said.append(_described_window(self.window))
        if self.publishers:
            said.append("in " + " or ".join(self.publishers))
        if self.authors:
            said.append("by " + " or ".join(self.authors))
        said += [f"with the words “{phrase}”" for phrase in self.phrases]
        if self.excluded:
            said.append("without " + ", ".join(self.excluded))
        return "; ".join(said)


def understand(
    question: str,
    *,
    asked_on: datetime,
    publishers: Sequence[str] = (),
    authors: Sequence[str] = (),
) -> Question:
    """Return what `question`, asked at the aware time `asked_on`, asks for.

    `publishers` and `authors` are those the archive knows; only they are recognised.
    """
    text = " ".join(question.split())
    phrases = tuple(m for m in re.findall(r"[\"“]([^\"”“]+)[\"”]", text) if " " in m)
    return Question(text=text, query=text, asked_on=asked_on, phrases=phrases)


def stand_alone(question: str, history: Sequence[tuple[str, Answer] | str]) -> str:
    """Return `question` so that it can be asked without what went before it."""
    return question


def _described_window(window: Window) -> str:
    start = f"from {window.start:%-d %B %Y}" if window.start else ""
    end = f"before {window.end:%-d %B %Y}" if window.end else ""
    return ("" if window.hard else "preferably ") + " ".join(filter(None, (start, end)))
