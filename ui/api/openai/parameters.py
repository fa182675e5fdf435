"""Parameters of OpenAI's APIs: what is used, what is ignored, and what is answered with a 400.

docs/openai.md has the same tables; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ui.api.openai.errors import OpenAIRequestError

Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one API.

    Attributes:
        used: Those that have an effect.
        ignored: Those that a request may have and that change nothing.
        rejected: Those that would change what an answer is. Each has a test of the values that ask
            for nothing special, and are allowed.
    """

    used: frozenset[str]
    ignored: frozenset[str]
    rejected: Mapping[str, Check]

    def validate(self, given: Mapping[str, Any]) -> None:
        """Raise OpenAIRequestError if a parameter is unknown, or asks for what isn't offered."""
        for name, value in given.items():
            if name in self.used or name in self.ignored or value is None:
                continue
            check = self.rejected.get(name)
            if check is None:
                raise OpenAIRequestError(
                    f"Unknown parameter: {name!r}.", param=name, code="unknown_parameter"
                )
            if not check(value):
                raise OpenAIRequestError(
                    f"Unsupported parameter: {name!r} can't be set here. Leave it out; "
                    "docs/openai.md lists what is supported.",
                    param=name,
                    code="unsupported_parameter",
                )


def _is(*allowed: Any) -> Check:
    return lambda value: any(value == one and type(value) is type(one) for one in allowed)


def _is_plain_text(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type", "text") == "text"


def _has_plain_format(value: Any) -> bool:
    return isinstance(value, dict) and (
        value.get("format") is None or _is_plain_text(value["format"])
    )


_IGNORED_BY_BOTH = frozenset(
    """temperature top_p store metadata user safety_identifier service_tier prompt_cache_key
    prompt_cache_options prompt_cache_retention parallel_tool_calls tools""".split()
)
_NO_TOOL: Check = _is("auto", "none")

CHAT = Parameters(
    used=frozenset({"model", "messages", "stream", "stream_options", "backfile"}),
    ignored=_IGNORED_BY_BOTH
    | frozenset(
        """frequency_penalty presence_penalty seed max_tokens max_completion_tokens
        reasoning_effort verbosity functions prediction web_search_options""".split()
    ),
    rejected={
        "n": _is(1),
        "stop": _is([]),
        "logprobs": _is(False),
        "top_logprobs": _is(0),
        "logit_bias": _is({}),
        "response_format": _is_plain_text,
        "modalities": _is(["text"]),
        "audio": _is(),
        "tool_choice": _NO_TOOL,
        "function_call": _NO_TOOL,
        "moderation": _is(),
    },
)
RESPONSES = Parameters(
    used=frozenset({"model", "input", "stream", "stream_options", "backfile"}),
    ignored=_IGNORED_BY_BOTH
    | frozenset(
        """instructions max_output_tokens max_tool_calls reasoning truncation include
        context_management""".split()
    ),
    rejected={
        "previous_response_id": _is(),
        "conversation": _is(),
        "prompt": _is(),
        "background": _is(False),
        "background_options": _is(),
        "text": _has_plain_format,
        "top_logprobs": _is(0),
        "tool_choice": _NO_TOOL,
        "moderation": _is(),
        "image": _is(),
        "access_programs": _is(),
    },
)
