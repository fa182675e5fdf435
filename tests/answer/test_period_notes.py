"""Questions about a period with more passages than fit: notes of each part, then the answer."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from rag.answer.chatbot import Chatbot
from rag.answer.period_notes import MOST_PARTS, split_period
from rag.schema import Answer, Article, Notice
from tests.support.fake_archive import FakeArchive

QUESTION = "What happened with the strike at the port in October 2024?"
ASKED_ON = datetime(2024, 11, 5, tzinfo=UTC)
PASSAGE = re.compile(r"<passage number=(\d+)>\n[^\n]*\n(.*?)\n</passage>", re.DOTALL)
NOTE = re.compile(r"^> \[(\d+)\] (.*)\n(.*) \[\d+\]$", re.MULTILINE)


class CopyingModel(BaseChatModel):
    """Notes down the first sentence of each passage, and answers with all notes it is given.

    It fails on prompts that contain `fails_on`.
    """

    fails_on: str = "\0"
    _prompts: list[str] = PrivateAttr(default_factory=list)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def prompts(self) -> list[str]:
        return self._prompts

    @property
    def _llm_type(self) -> str:
        return "copying"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def _stream(
        self, messages: list[BaseMessage], *_: Any, **__: Any
    ) -> Iterator[ChatGenerationChunk]:
        prompt = "\n".join(str(message.content) for message in messages)
        with self._lock:
            self._prompts.append(prompt)
        if self.fails_on in prompt:
            raise ValueError("overloaded")
        notes = prompt.partition("<notes>")[2].partition("</notes>")[0].strip()
        passages = [(n, text.split(". ")[0].rstrip(".")) for n, text in PASSAGE.findall(prompt)]
        lines = [f'> [{n}] "{said}"\n{said}. [{n}]' for n, said in passages]
        usage = UsageMetadata(input_tokens=90, output_tokens=10, total_tokens=100)
        text = notes or "\n".join(lines)
        yield ChatGenerationChunk(message=AIMessageChunk(content=text, usage_metadata=usage))


class StructuredCopyingModel(CopyingModel):
    """Does the same as JSON, if it is asked with a schema."""

    def with_structured_output(self, schema: Any, **_: Any) -> Any:
        return self.bind(format=schema) | JsonOutputParser()

    def _stream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        chunks = list(super()._stream(messages))
        assert "format" in kwargs
        given = [
            {"evidence": [{"passage": int(number), "words": words}], "text": sentence}
            for number, words, sentence in NOTE.findall(str(chunks[0].message.content))
        ]
        chunks[0].message.content = json.dumps({"sentences": given})
        yield from chunks


def month() -> list[Article]:
    """Return a story a day of October 2024, and one of September."""
    days = [datetime(2024, 9, 20, 12, tzinfo=UTC) + timedelta(days=i) for i in (0, *range(11, 42))]
    return [
        Article(
            id=f"d{day:%m%d}",
            title=f"Strike at the port, {day:%d %B}",
            text=f"On {day:%d %B} the strike at the port cost {100 + i} crowns. Ships waited.",
            publisher="Courier",
            published=day,
        )
        for i, day in enumerate(days)
    ]


def ask(model: BaseChatModel, question: str = QUESTION, **options: Any) -> Answer:
    chatbot = Chatbot(FakeArchive(*month()), model, grader="none", **options)
    return chatbot.ask(question, asked_on=ASKED_ON)


@pytest.mark.parametrize(
    "model", [CopyingModel(), StructuredCopyingModel(profile={"structured_output": True})]
)
def test_a_month_is_read_in_parts_and_every_statement_cites_its_passage(
    model: CopyingModel,
) -> None:
    answer = ask(model)
    assert len(model.prompts) == MOST_PARTS + 1
    assert "<notes>" in model.prompts[-1]
    assert "<passage number" not in model.prompts[-1]
    cited = [c.metadata.article_id for s in answer.statements for c in s.citations]
    assert len(cited) >= 10
    assert all(s.support == "supported" for s in answer.statements)
    for statement in answer.statements:
        (citation,) = statement.citations
        assert statement.text.rstrip(".") in citation.quote
    assert "d0920" not in {hit.passage.article_id for hit in answer.hits}
    assert answer.usage.input_tokens == 90 * (MOST_PARTS + 1)


def test_parts_are_noted_in_order_whatever_call_ends_first() -> None:
    model = CopyingModel()
    ask(model)
    numbers = [int(n) for n in re.findall(r"^> \[(\d+)\]", model.prompts[-1], re.MULTILINE)]
    noted = numbers[1:]  # the first one is the example of the instructions
    assert noted == sorted(noted)
    assert len(noted) > 24


def test_a_part_that_fails_is_left_out_and_said() -> None:
    answer = ask(CopyingModel(fails_on="On 02 October"))
    assert Notice("period_partly_read", missed=1, parts=MOST_PARTS) in answer.notices
    cited = {c.metadata.article_id for c in answer.citations}
    assert cited
    assert "d1002" not in cited


def test_a_model_that_always_fails_leaves_quotations() -> None:
    answer = ask(CopyingModel(fails_on="strike"))
    assert [n.code for n in answer.notices][:2] == ["chat_model_failed", "quotations_instead"]
    assert answer.statements


@pytest.mark.parametrize(
    "question",
    [
        "How much did the strike at the port cost on 3 October 2024?",  # a fact
        "What happened with the strike at the port?",  # no period
        "What happened with the strike at the port on 3 October 2024?",  # one day
    ],
)
def test_other_questions_take_one_call(question: str) -> None:
    model = CopyingModel()
    ask(model, question)
    assert len(model.prompts) == 1


def test_notes_on_passages_of_other_parts_are_dropped() -> None:
    class Inventing(CopyingModel):
        def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Any:
            for chunk in super()._stream(messages):
                if "<passage number=1>" in self.prompts[-1]:
                    chunk.message.content = f"The port burned down. [70]\n{chunk.message.content}"
                yield chunk

    model = Inventing()
    answer = ask(model)
    assert "burned" not in model.prompts[-1]
    assert "burned" not in answer.text


@given(
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=2000)),
)
def test_parts_cover_a_period_without_gaps(day: date, length: timedelta) -> None:
    start = datetime.combine(day, time(12), UTC)
    parts = split_period(start, start + length)
    assert 1 <= len(parts) <= MOST_PARTS
    assert parts[0].start == start
    assert parts[-1].end == start + length
    for one, other in pairwise(parts):
        assert one.end == other.start
