"""Note on an answer that quotes an instruction to its reader."""

from __future__ import annotations

from dataclasses import replace

from rag.schema import Answer, Notice
from rag.verify.reader_instructions import is_instruction_like

NOTE = Notice("instructions_quoted")


def add_instruction_note(answer: Answer) -> Answer:
    """Return an answer with a note if one of its quotations tells the reader to do something.

    It is what an article says: neither the program nor the chat model follows it, and the reader
    should not mistake it for advice.
    """
    quoted = any(
        is_instruction_like(citation.quote)
        for statement in answer.statements
        for citation in statement.citations
    )
    if not quoted or NOTE in answer.notices:
        return answer
    return replace(answer, notices=(*answer.notices, NOTE))
