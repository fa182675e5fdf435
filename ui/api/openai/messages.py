"""Messages of a request: the question, and the earlier turns as history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.citations import read_citations
from rag.schema import Answer, Statement
from ui.api.openai.errors import OpenAIRequestError

MOST_MESSAGES = 500
LONGEST_MESSAGE = 100_000  # characters; the question itself is limited by the chatbot

# Messages that tell a model how to answer, or what its tools returned: there is nothing to tell.
_IGNORED_ROLES = frozenset({"system", "developer", "tool", "function"})
_IGNORED_ITEMS = frozenset(
    """function_call function_call_output reasoning web_search_call file_search_call
    computer_call computer_call_output mcp_call mcp_list_tools item_reference custom_tool_call
    custom_tool_call_output""".split()
)
_TEXT_PARTS = frozenset({"text", "input_text", "output_text", "refusal"})

Turn = tuple[str, Answer] | str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question and the turns before it, oldest first."""

    question: str
    history: tuple[Turn, ...] = ()


def read_input(given: str | Sequence[Mapping[str, Any]]) -> Conversation:
    """Return the conversation of a request to Responses.

    Raises:
        OpenAIRequestError: There is no question at its end, or a part of it isn't text.
    """
    if isinstance(given, str):
        return read_messages([{"role": "user", "content": given}], param="input")
    messages = [item for item in given if item.get("type", "message") not in _IGNORED_ITEMS]
    for item in messages:
        if item.get("type", "message") != "message":
            raise _unsupported(f"input items of the type {item['type']!r}", "input")
    return read_messages(messages, param="input")


def read_messages(messages: Sequence[Mapping[str, Any]], *, param: str) -> Conversation:
    """Return the conversation of messages: the last one, of the user, is the question.

    Args:
        messages: Messages with a role and a content.
        param: The parameter that they are the value of.

    Raises:
        OpenAIRequestError: There is no question at their end, or a part of one isn't text.
    """
    if len(messages) > MOST_MESSAGES:
        raise OpenAIRequestError(
            f"Too many messages: at most {MOST_MESSAGES} are read. Send the last ones.",
            param=param,
            code="array_above_max_length",
        )
    spoken = list(_spoken(messages, param))
    if not spoken or spoken[-1][0] != "user" or not spoken[-1][1].strip():
        raise OpenAIRequestError(
            f"{param!r} must end with a message of the user: the question.",
            param=param,
            code="invalid_value",
        )
    return Conversation(spoken[-1][1].strip(), tuple(_turns(spoken[:-1])))


def _spoken(messages: Sequence[Mapping[str, Any]], param: str) -> Iterable[tuple[str, str]]:
    for number, message in enumerate(messages):
        role = message.get("role")
        place = f"{param}[{number}]"
        if role in _IGNORED_ROLES:
            continue
        if role not in ("user", "assistant"):
            raise OpenAIRequestError(
                f"Invalid value: {role!r} is no role. Use 'user' or 'assistant'.",
                param=f"{place}.role",
                code="invalid_value",
            )
        text = _text(message.get("content"), f"{place}.content")
        if len(text) > LONGEST_MESSAGE:
            raise OpenAIRequestError(
                f"A message has {len(text):,} characters; at most {LONGEST_MESSAGE:,} are allowed.",
                param=f"{place}.content",
                code="string_above_max_length",
            )
        if not _is_encodable(text):
            raise OpenAIRequestError(
                f"Invalid value for '{place}.content': half a surrogate pair.",
                param=f"{place}.content",
                code="invalid_value",
            )
        yield str(role), text


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(content: Any, place: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise OpenAIRequestError(
            f"Invalid value for {place!r}: neither text nor a list of parts.",
            param=place,
            code="invalid_value",
        )
    texts = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind not in _TEXT_PARTS:
            raise _unsupported(f"parts of the type {kind!r}", place)
        text = part.get("text", part.get("refusal", ""))
        if not isinstance(text, str):
            raise OpenAIRequestError(
                f"Invalid value for {place!r}: a part's text is no text.",
                param=place,
                code="invalid_value",
            )
        texts.append(text)
    return "\n".join(texts)


def _unsupported(what: str, place: str) -> OpenAIRequestError:
    return OpenAIRequestError(
        f"Unsupported value: {what} can't be read here. Send text.",
        param=place,
        code="unsupported_value",
    )


def _turns(spoken: Sequence[tuple[str, str]]) -> Iterable[Turn]:
    """Yield the questions, each with the answer that follows it, if one does."""
    for number, (role, text) in enumerate(spoken):
        if role != "user" or not text.strip():
            continue
        after = spoken[number + 1] if number + 1 < len(spoken) else ("", "")
        if after[0] == "assistant" and after[1].strip():
            yield text, Answer(text, (Statement(read_citations(after[1]).text),))
        else:
            yield text
