"""Notes on a period for a chat model: each stretch of it is read by itself, then written from.

More happens in a month than fits into a model's context. The passages of each stretch of days are
noted down by a call of its own (map), and the answer is written from the notes (reduce). Notes keep
the numbers of the passages, so that statements are checked against passages, never against notes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from langchain_core.language_models import BaseChatModel

from rag.answer.llm import SentenceStream
from rag.answer.prompts import build_note_messages, fit_to_context
from rag.answer.question_kind import classify_kind
from rag.citations import read_citations, renumber_markers
from rag.errors import ChatModelError
from rag.query.parser import ParsedQuery
from rag.retrieval.backend import SearchBackend
from rag.retrieval.hybrid import retrieve
from rag.schema import Filters, Hit, TimeRange, Usage

MOST_STRETCHES = 6  # calls of the model for one question
LEAST_STRETCH = timedelta(days=1)
PASSAGES_OF_A_STRETCH = 12
CALLS_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class PeriodNotes:
    """Notes on a period, stretch by stretch, and the passages that they number.

    Attributes:
        hits: The passages, numbered from 1 across all stretches.
        notes: Sentences with passage numbers, earliest stretch first.
        usage: The tokens of all calls.
        missed: How many stretches the model failed on.
    """

    hits: tuple[Hit, ...] = ()
    notes: tuple[str, ...] = ()
    usage: Usage = Usage()
    missed: int = 0
