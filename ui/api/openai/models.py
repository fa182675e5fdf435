"""Models that a reader may name: Backfile with its chat model, without, and the chat model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ui.api.openai.errors import OpenAIRequestError

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from ui.api.services import Services
    from ui.readers import Reader

DEFAULT: Final = "backfile"  # with the configured chat model, if there is one
EXTRACTIVE: Final = "backfile-extractive"  # answers that quote the articles


def names(services: Services, reader: Reader) -> tuple[str, ...]:
    """Return the names of the models that a reader may use.

    Which chat model writes is the operator's matter: only administrators see its name.
    """
    writer = services.settings.chat_model
    shown = (writer,) if writer and reader.may("admin") else ()
    return (DEFAULT, EXTRACTIVE, *shown)


def chatbot_named(name: str, services: Services, reader: Reader) -> Chatbot:
    """Return the chatbot that a model's name stands for, as a reader may use it.

    Raises:
        OpenAIRequestError: There is no such model.
    """
    if name not in names(services, reader):
        raise OpenAIRequestError(
            f"The model {name!r} does not exist. Use {DEFAULT!r} or {EXTRACTIVE!r}.",
            param="model",
            code="model_not_found",
            status=404,
        )
    chatbot = services.chatbot_for(reader)
    return chatbot.without_chat_model() if name == EXTRACTIVE else chatbot


def model_value(name: str, created: int) -> dict[str, Any]:
    """Return a model as `/v1/models` lists it."""
    return {"id": name, "object": "model", "created": created, "owned_by": "backfile"}
