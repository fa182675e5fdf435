"""Answer modes: ways of laying out what an archive says on a question, apart from an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from rag.answer.compare import compare_sources
from rag.answer.quotes import find_quotes
from rag.answer.timeline import build_timeline
from rag.schema import Answer

LayoutMode = Literal["timeline", "quotes", "compare"]

# Each takes the archive, a question or a parsed one, and `filters`, `asked_on` and `history`.
LAYOUTS: Final[Mapping[LayoutMode, Callable[..., Answer]]] = {
    "timeline": build_timeline,
    "quotes": find_quotes,
    "compare": compare_sources,
}
