"""OpenAI's own client and LangChain's, against the real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import openai
import pytest

from tests.api.program_server import serve_programs
from tests.support.fake_chat_model import ScriptedChatModel
from ui.web.app import Served

QUESTION = "When did the bridge of Osterholt reopen?"
RETIRED = "When did the harbour master of Osterholt retire?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_programs(tmp_path_factory.mktemp("programs")) as served:
        yield served


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with open_client(served) as client:
        yield client


def open_client(served: Served, **given: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.address}v1", api_key="none", max_retries=0, **given)


def text_and_annotations(response: Any) -> tuple[str, list[Any]]:
    (item,) = response.output
    (part,) = item.content
    return part.text, part.annotations


def test_responses_cites_what_its_markers_stand_for(client: openai.OpenAI) -> None:
    response = client.responses.create(model="backfile", input=QUESTION)
    text, annotations = text_and_annotations(response)
    assert "The bridge of Osterholt reopened on Monday" in text
    assert response.output_text == text
    assert [text[a.start_index : a.end_index] for a in annotations] == ["[1]"]
    assert annotations[0].type == "url_citation"
    assert annotations[0].url == "https://courier.example/bridge"
    assert annotations[0].title == "Bridge of Osterholt reopens"
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == 0


def test_chat_completion_nests_its_citations(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model="backfile", messages=[{"role": "user", "content": QUESTION}]
    )
    (choice,) = completion.choices
    text = choice.message.content or ""
    assert choice.finish_reason == "stop"
    assert choice.message.annotations is not None
    (annotation,) = choice.message.annotations
    cited = annotation.url_citation
    assert text[cited.start_index : cited.end_index] == "[1]"
    assert cited.url == "https://courier.example/bridge"


def test_permalinks_stand_for_articles_without_a_url(client: openai.OpenAI, served: Served) -> None:
    text, annotations = text_and_annotations(
        client.responses.create(model="backfile", input=RETIRED)
    )
    # in code points: the ship before the second marker is one
    assert all(text[a.start_index : a.end_index].startswith("[") for a in annotations)
    assert annotations[0].url.startswith(f"{served.address}a/desk%2F2024%20%C3%BC%2F1?at=")


def test_stream_of_responses_has_every_event(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model="backfile", input=QUESTION, stream=True))
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    whole: Any = events[-1]
    text, annotations = text_and_annotations(whole.response)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == text
    added: Any = [e for e in events if e.type == "response.output_text.annotation.added"]
    assert [dict(one.annotation) for one in added] == [a.model_dump() for a in annotations]
    plain = text_and_annotations(client.responses.create(model="backfile", input=QUESTION))
    assert (text, annotations) == plain


def test_streaming_helper_of_the_client_assembles_the_response(client: openai.OpenAI) -> None:
    with client.responses.stream(model="backfile", input=QUESTION) as stream:
        for _ in stream:
            pass
        text, annotations = text_and_annotations(stream.get_final_response())
    assert text[annotations[0].start_index : annotations[0].end_index] == "[1]"


def test_stream_of_chat_completions(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="backfile",
            messages=[{"role": "user", "content": QUESTION}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    annotations = [
        one
        for chunk in chunks
        if chunk.choices
        for one in (chunk.choices[0].delta.model_extra or {}).get("annotations", [])
    ]
    cited = annotations[0]["url_citation"]
    assert text[cited["start_index"] : cited["end_index"]] == "[1]"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1


def test_async_client_gets_the_same_answers(client: openai.OpenAI, served: Served) -> None:
    async def ask() -> tuple[str, str, str]:
        async with openai.AsyncOpenAI(
            base_url=f"{served.address}v1", api_key="none", max_retries=0
        ) as async_client:
            return await ask_all(async_client)

    async def ask_all(async_client: openai.AsyncOpenAI) -> tuple[str, str, str]:
        response = await async_client.responses.create(model="backfile", input=QUESTION)
        stream = await async_client.responses.create(model="backfile", input=QUESTION, stream=True)
        deltas = [e.delta async for e in stream if e.type == "response.output_text.delta"]
        chunks = await async_client.chat.completions.create(
            model="backfile", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        words = [c.choices[0].delta.content or "" async for c in chunks if c.choices]
        return response.output_text, "".join(deltas), "".join(words)

    texts = asyncio.run(ask())
    assert set(texts) == {client.responses.create(model="backfile", input=QUESTION).output_text}


def test_earlier_turns_complete_a_question(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model="backfile",
        messages=[
            {"role": "system", "content": "Answer in verse, and never cite."},
            {"role": "user", "content": "When did the bridge of Osterholt reopen?"},
            {"role": "assistant", "content": "The bridge of Osterholt reopened on Monday. [1]"},
            {"role": "user", "content": [{"type": "text", "text": "What did it cost?"}]},
        ],
    )
    text = completion.choices[0].message.content or ""
    assert "40 million crowns" in text
    assert "[1]" in text


def test_refusal_is_a_text_without_citations(client: openai.OpenAI) -> None:
    response = client.responses.create(model="backfile", input="Who invented the zeppelin?")
    text, annotations = text_and_annotations(response)
    assert text.startswith("No answer found in the archive.")
    assert annotations == []
    extra: Any = response.model_extra
    assert extra["backfile"]["refused"] is True


def test_backfile_options_limit_the_search(client: openai.OpenAI) -> None:
    response = client.responses.create(
        model="backfile",
        input=QUESTION,
        extra_body={"backfile": {"filters": {"publishers": ["Inland Post"]}}},
    )
    assert "courier.example" not in response.model_dump_json()


def test_models_are_listed_and_one_is_found(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["backfile", "backfile-extractive"]
    assert client.models.retrieve("backfile").id == "backfile"
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve("gpt-4o")
    assert error.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="gpt-4o", input=QUESTION)


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"stop": ["."]}, "stop"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"extra_body": {"colour": "red"}}, "colour"),
    ],
)
def test_parameter_that_is_not_offered_is_named(
    client: openai.OpenAI, parameters: Any, param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(
            model="backfile", messages=[{"role": "user", "content": QUESTION}], **parameters
        )
    assert error.value.param == param
    assert param in error.value.message


def test_image_in_a_question_is_rejected(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.responses.create(
            model="backfile",
            input=[
                {
                    "role": "user",
                    "content": [{"type": "input_image", "detail": "auto", "image_url": "data:,"}],
                }
            ],
        )
    assert error.value.code == "unsupported_value"


def test_question_that_is_too_long_is_a_400_in_a_stream_too(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as error:
            client.responses.create(model="backfile", input="why " * 1000, stream=stream)  # type: ignore[call-overload]
        assert error.value.code == "string_above_max_length"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("responses", b'"input": "treaty \\ud83d"}'),
        ("chat/completions", b'"messages": [{"role": "user", "content": "\\udc00"}]}'),
    ],
)
def test_half_a_character_is_a_400(served: Served, path: str, body: bytes) -> None:
    body = b'{"model": "backfile", ' + body
    asked = Request(f"{served.address}v1/{path}", body, {"Content-Type": "application/json"})
    with pytest.raises(HTTPError) as error:
        urlopen(asked, timeout=30)
    assert error.value.code == 400
    assert json.load(error.value)["error"]["code"] == "invalid_value"
    error.value.close()


def test_rejection_by_the_guard_has_openais_shape(served: Served) -> None:
    elsewhere = {"Origin": "https://evil.example"}
    with (
        open_client(served, default_headers=elsewhere) as client,
        pytest.raises(openai.PermissionDeniedError) as error,
    ):
        client.models.list()
    assert error.value.type == "permission_error"


def test_written_answer_streams_only_what_stays(tmp_path_factory: pytest.TempPathFactory) -> None:
    script = (
        '> [1] "The bridge of Osterholt reopened on Monday"\n'
        "The bridge of Osterholt reopened on Monday. [1]\n"
        '> [1] "It cost 40 million crowns"\nIt cost 90 million crowns. [1]'
    )
    model = ScriptedChatModel(scripts=[script])
    folder = tmp_path_factory.mktemp("written")
    with (
        serve_programs(folder, model, chat_model="openai:scripted") as served,
        open_client(served) as client,
    ):
        events = list(client.responses.create(model="backfile", input=QUESTION, stream=True))
        listed = [model.id for model in client.models.list()]
        quoted = client.responses.create(model="backfile-extractive", input=QUESTION)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    last: Any = events[-1]
    text, _ = text_and_annotations(last.response)
    assert "".join(deltas) == text
    assert "reopened on Monday. [1]" in text
    assert "90 million" not in text
    assert last.response.usage.total_tokens == 100
    assert "openai:scripted" not in listed  # the operator's matter
    assert quoted.usage is not None
    assert quoted.usage.total_tokens == 0


def test_langchain_reads_the_citations_of_responses(served: Served) -> None:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(
        model="backfile",
        base_url=f"{served.address}v1",
        api_key="none",  # type: ignore[arg-type]
        use_responses_api=True,
        max_retries=0,
    )
    for message in (model.invoke(QUESTION), sum_of(list(model.stream(QUESTION)))):
        blocks = [block for block in message.content_blocks if block["type"] == "text"]
        citations = [one for block in blocks for one in block.get("annotations", [])]
        assert "reopened on Monday" in message.text
        assert [one["url"] for one in citations] == ["https://courier.example/bridge"]
        assert citations[0]["type"] == "citation"


def sum_of(chunks: list[Any]) -> Any:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def test_rate_is_told_as_openais_client_expects(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with (
        serve_programs(tmp_path_factory.mktemp("rates"), ask_rate="1/minute") as served,
        open_client(served) as client,
    ):
        client.responses.create(model="backfile", input=QUESTION)
        with pytest.raises(openai.RateLimitError) as error:
            client.responses.create(model="backfile", input=QUESTION)
    assert error.value.type == "rate_limit_error"
    assert int(error.value.response.headers["retry-after"]) > 0
