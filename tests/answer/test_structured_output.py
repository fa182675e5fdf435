"""Structured output over HTTP: from the schema in the request to the statements shown."""

from __future__ import annotations

import json
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from langchain.chat_models import base
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.output_parsers import JsonOutputParser

from rag.answer.chatbot import Chatbot
from rag.answer.structured_output import bind_schema, is_supported, rejects_schema
from rag.schema import Answer, Notice
from rag.settings import Settings
from tests.support.chat_server import USAGE, ChatServer, Reply, asks_for_json, serve_chat
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive
from tests.support.fake_chat_model import ScriptedChatModel
from tests.support.http_chat_model import HttpChatModel

QUESTION = "How long does the ferry take?"
WORDS = "the crossing takes 25 minutes"
FIRST = "The crossing takes 25 minutes."
SECOND = "It carries 400 passengers."
OTHER = "two islands"
PLAIN = f'> [1] "{WORDS}"\n{FIRST} [1]\n> [1] "400 passengers"\n{SECOND} [1]\n'


def item(text: str, *evidence: tuple[int, str]) -> dict[str, Any]:
    given = [{"passage": number, "words": words} for number, words in evidence]
    return {"evidence": given, "text": text}


ITEMS = [item(FIRST, (1, WORDS)), item(SECOND, (1, "It carries 400 passengers"))]
JSON = json.dumps({"sentences": ITEMS})


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serve_chat() as server:
        yield server


@contextmanager
def http_model(server: ChatServer) -> Iterator[BaseChatModel]:
    yield HttpChatModel(address=server.address, profile={"structured_output": True})


@contextmanager
def openai_model(server: ChatServer) -> Iterator[BaseChatModel]:
    package = pytest.importorskip("langchain_openai")
    with pytest.importorskip("httpx").Client() as client:
        yield package.ChatOpenAI(
            model="gpt-5-mini",
            base_url=f"{server.address}/v1",
            api_key="of-this-machine",
            stream_usage=True,
            max_retries=0,
            http_client=client,
        )


@contextmanager
def ollama_model(server: ChatServer) -> Iterator[BaseChatModel]:
    package = pytest.importorskip("langchain_ollama")
    model = package.ChatOllama(model="tiny", base_url=server.address)
    yield model
    model._client.close()


MODELS = {"http": http_model, "openai": openai_model, "ollama": ollama_model}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, server: ChatServer) -> Iterator[BaseChatModel]:
    """A model of each kind; the packages of providers are not needed to run the tests."""
    with MODELS[request.param](server) as model:
        yield model


def chatbot(model: BaseChatModel, **options: Any) -> Chatbot:
    return Chatbot(FakeArchive(FERRY, TROOPS), model, grader="none", **options)


def texts(answer: Answer) -> list[str]:
    return [statement.text for statement in answer.statements]


def codes(answer: Answer) -> list[str]:
    return [notice.code for notice in answer.notices]


def pieces(text: str, size: int = 7) -> list[str | threading.Event]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def plain_unless_json(as_json: Reply) -> Any:
    return lambda request: as_json if asks_for_json(request) else Reply(pieces(PLAIN))


def test_sentences_come_with_their_evidence(server: ChatServer, model: BaseChatModel) -> None:
    server.answer = lambda _: Reply(pieces(JSON))
    answer = chatbot(model).ask(QUESTION)
    assert texts(answer) == [FIRST, SECOND]
    assert [s.citations[0].quote for s in answer.statements] == [WORDS, "It carries 400 passengers"]
    assert not answer.notices
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == USAGE
    assert server.schemas() == [True]


def test_request_has_the_schema_and_no_plain_rules(
    server: ChatServer, model: BaseChatModel
) -> None:
    server.answer = lambda _: Reply(pieces(JSON))
    chatbot(model).ask(QUESTION)
    (request,) = server.requests
    asked = request.get("format") or request["response_format"]["json_schema"]["schema"]
    sentence = asked["properties"]["sentences"]["items"]
    assert list(sentence["properties"]) == ["evidence", "text"]  # the evidence is written first
    assert sentence["required"] == ["evidence", "text"]
    rules = request["messages"][0]["content"]
    assert '{"sentences": [' in rules
    assert "\n> [1]" not in rules


def test_first_sentence_is_shown_before_the_second_is_written(
    server: ChatServer, model: BaseChatModel
) -> None:
    shown = threading.Event()
    at = JSON.index(json.dumps(ITEMS[1]))
    server.answer = lambda _: Reply([JSON[:at], shown, JSON[at:]])
    stages = chatbot(model).stream(QUESTION)
    assert texts(next(stages)) == [FIRST]
    shown.set()
    assert texts(list(stages)[-1]) == [FIRST, SECOND]
    assert not server.late


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "This response_format type is unavailable now"),
        (400, "unsupported parameter"),
        (422, "extra fields not permitted"),
        (500, "failed to parse grammar"),
    ],
)
def test_rejected_schema_is_replaced_for_good(
    server: ChatServer, model: BaseChatModel, status: int, error: str
) -> None:
    server.answer = plain_unless_json(Reply(status=status, error=error))
    bot = chatbot(model)
    for asked in ([True, False], [True, False, False]):
        answer = bot.ask(QUESTION)
        assert texts(answer) == [FIRST, SECOND]
        assert answer.statements[0].citations[0].quote == WORDS
        assert not answer.notices
        assert server.schemas() == asked
    assert "\n> [1]" in server.requests[1]["messages"][0]["content"]


@pytest.mark.parametrize("written", [PLAIN, "Sure! " + JSON, '{"answer": "It takes 25 minutes."}'])
def test_ignored_schema_is_replaced_for_good(
    server: ChatServer, model: BaseChatModel, written: str
) -> None:
    server.answer = plain_unless_json(Reply(pieces(written)))
    bot = chatbot(model)
    for asked in ([True, False], [True, False, False]):
        answer = bot.ask(QUESTION)
        assert texts(answer) == [FIRST, SECOND]
        assert not answer.notices
        assert server.schemas() == asked


def test_error_of_another_kind_is_not_the_schema(server: ChatServer, model: BaseChatModel) -> None:
    replies = iter([Reply(status=503, error="overloaded"), Reply(pieces(JSON))])
    server.answer = lambda _: next(replies, Reply(pieces(JSON)))
    bot = chatbot(model)
    for _ in range(2):
        assert texts(bot.ask(QUESTION)) == [FIRST, SECOND]
    assert server.schemas() == [True, True, True]


def test_rejection_of_both_formats_turns_nothing_off(
    server: ChatServer, model: BaseChatModel
) -> None:
    server.answer = lambda _: Reply(status=400, error="context length exceeded")
    bot = chatbot(model)
    assert SECOND not in texts(bot.ask(QUESTION))
    server.answer = lambda _: Reply(pieces(JSON))
    assert texts(bot.ask(QUESTION)) == [FIRST, SECOND]
    assert server.schemas() == [True, False, False, False, True]


@pytest.mark.parametrize("ending", ["cut", "broken", "length"])
def test_truncated_output_keeps_whole_sentences(
    server: ChatServer, model: BaseChatModel, ending: str
) -> None:
    cut = JSON.index(SECOND) + 5
    server.answer = lambda _: Reply(pieces(JSON[:cut]), ending=ending)
    answer = chatbot(model).ask(QUESTION)
    assert texts(answer) == [FIRST]
    assert codes(answer)[0] == "maybe_incomplete"
    assert codes(answer)[1] in ("chat_model_cut_off", "chat_model_failed")
    assert codes(answer)[1] == "chat_model_cut_off" or ending != "length"
    assert server.schemas() == [True]


def test_output_without_any_sentence_ends_in_the_plain_format(
    server: ChatServer, model: BaseChatModel
) -> None:
    server.answer = plain_unless_json(Reply(pieces('{"sentences": []}')))
    bot = chatbot(model)
    assert texts(bot.ask(QUESTION)) == [FIRST, SECOND]
    assert server.schemas() == [True, True, False]
    server.answer = lambda _: Reply(pieces(JSON))
    assert texts(bot.ask(QUESTION)) == [FIRST, SECOND]  # an empty list is no refusal of the schema
    assert server.schemas()[3:] == [True]


def test_endless_output_ends(server: ChatServer, model: BaseChatModel) -> None:
    server.answer = lambda _: Reply(pieces(JSON[:-2] + " " * 50_000, 100))
    answer = chatbot(model).ask(QUESTION)
    assert texts(answer) == [FIRST, SECOND]
    assert codes(answer) == ["maybe_incomplete", "chat_model_endless_sentence"]


def test_refusal_is_a_sentence_without_evidence(server: ChatServer, model: BaseChatModel) -> None:
    says_nothing = json.dumps({"sentences": [item("The archive does not say.")]})
    server.answer = lambda _: Reply(pieces(says_nothing))
    answer = chatbot(model).ask(QUESTION)
    assert answer.refused
    assert answer.refusal == Notice("chat_model_found_nothing")
    assert server.schemas() == [True]


def test_missing_words_are_asked_for_once_more(server: ChatServer, model: BaseChatModel) -> None:
    text = "A boat trip between the islands lasts less than half an hour."
    invented = json.dumps({"sentences": [item(text, (1, "the boat needs under thirty minutes"))]})
    repaired = f'1. [1] "{WORDS}"'
    server.answer = lambda request: Reply([invented if asks_for_json(request) else repaired])
    answer = chatbot(model).ask(QUESTION)
    assert [s.citations[0].quote for s in answer.statements] == [WORDS]
    again = server.requests[1]["messages"]
    assert [turn["content"] for turn in again[:2]] == [
        turn["content"] for turn in server.requests[0]["messages"]
    ]
    assert again[2]["content"] == invented


def test_wrong_figures_are_removed_as_in_the_plain_format(
    server: ChatServer, model: BaseChatModel
) -> None:
    wrong = "The crossing takes 95 minutes."
    written = json.dumps({"sentences": [item(wrong, (1, WORDS)), ITEMS[1]]})
    server.answer = lambda _: Reply(pieces(written))
    answer = chatbot(model).ask(QUESTION)
    assert texts(answer) == [SECOND]
    assert [s.text for s in answer.rejected_statements] == [wrong]


def test_setting_decides(server: ChatServer) -> None:
    server.answer = lambda request: Reply([JSON if asks_for_json(request) else PLAIN])
    known = HttpChatModel(address=server.address, profile={"structured_output": True})
    unknown = HttpChatModel(address=server.address)
    for model, evidence in ((known, "plain"), (unknown, "auto"), (unknown, "structured")):
        answer = chatbot(model, evidence=evidence).ask(QUESTION)
        assert texts(answer) == [FIRST, SECOND]
    assert server.schemas() == [False, False, True]


@pytest.mark.parametrize(
    ("evidence", "asks_for_json"), [("auto", True), ("structured", True), ("plain", False)]
)
def test_setting_of_the_environment_is_used(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, evidence: str, asks_for_json: bool
) -> None:
    class ChatFireworks(HttpChatModel):
        """What a provider's package has."""

        def __init__(self, *, base_url: str, **_: Any) -> None:
            super().__init__(address=base_url, profile={"structured_output": True})

    package: Any = types.ModuleType("langchain_fireworks")
    package.ChatFireworks = ChatFireworks
    monkeypatch.setitem(sys.modules, "langchain_fireworks", package)
    settings = Settings.from_environment(
        {
            "BACKFILE_CHAT_MODEL": "fireworks:tiny",
            "BACKFILE_CHAT_BASE_URL": server.address,
            "BACKFILE_CHAT_EVIDENCE": evidence,
            "BACKFILE_GRADER": "none",
        }
    )
    server.answer = plain_unless_json(Reply(pieces(JSON)))
    archive: Any = FakeArchive(FERRY, TROOPS)
    try:
        assert texts(Chatbot.over(archive, settings).ask(QUESTION)) == [FIRST, SECOND]
    finally:
        base._get_chat_model_creator.cache_clear()  # or it would remember this package
    assert server.schemas() == [asks_for_json]


def test_answers_of_the_past_share_what_was_rejected(server: ChatServer) -> None:
    server.answer = plain_unless_json(Reply(status=400, error="response_format"))
    known = HttpChatModel(address=server.address, profile={"structured_output": True})
    archive = FakeArchive(FERRY, TROOPS)
    archive.as_of = lambda _: archive  # type: ignore[attr-defined]
    bot = Chatbot(archive, known, grader="none")
    for asked in (bot, bot.as_of(date(2024, 11, 1)), bot):
        assert texts(asked.ask(QUESTION)) == [FIRST, SECOND]
    assert server.schemas() == [True, False, False, False]


def test_profile_comes_before_the_class() -> None:
    class ChatOllama(FakeListChatModel):
        """Has the name of a class that is known."""

    class Derived(ChatOllama):
        """Inherits from it."""

    assert is_supported(ChatOllama(responses=[]))
    assert is_supported(Derived(responses=[]))
    assert not is_supported(ChatOllama(responses=[], profile={"structured_output": False}))
    assert not is_supported(FakeListChatModel(responses=[]))
    assert is_supported(FakeListChatModel(responses=[], profile={"structured_output": True}))


def test_model_without_schemas_is_asked_in_the_plain_format() -> None:
    class CallsTools(ScriptedChatModel):
        """Offers structured output by calls of a tool only."""

        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            return self.bind(tools=tools, **kwargs)

    assert bind_schema(ScriptedChatModel(scripts=[PLAIN])) is None
    assert bind_schema(CallsTools(scripts=[PLAIN])) is None
    for model in (ScriptedChatModel(scripts=[PLAIN]), CallsTools(scripts=[PLAIN])):
        assert texts(chatbot(model, evidence="structured").ask(QUESTION)) == [FIRST, SECOND]


def test_model_without_strict_schemas_is_bound_without() -> None:
    class NotStrict(ScriptedChatModel):
        """Takes a schema, but no `strict`."""

        def with_structured_output(self, schema: Any, *, method: str) -> Any:  # type: ignore[override]
            return self.bind(response_schema=schema) | JsonOutputParser()

    bound = bind_schema(NotStrict(scripts=[JSON]))
    assert bound is not None
    assert list(bound.kwargs) == ["response_schema"]  # type: ignore[attr-defined]
    answer = chatbot(NotStrict(scripts=[JSON]), evidence="structured").ask(QUESTION)
    assert texts(answer) == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TypeError("unexpected keyword argument 'format'"), True),
        (NotImplementedError(), True),
        (ValueError("json_schema is not supported"), True),
        (ValueError("busy"), False),
        (TimeoutError(), False),
        (None, False),
    ],
)
def test_rejects_schema_reads_errors(error: BaseException | None, expected: bool) -> None:
    assert rejects_schema(error) is expected
