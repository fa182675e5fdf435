"""State of a local chat model's server: does it answer, and have the model."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from rag.models.presets import model_for
from rag.settings import Settings

# Seconds to wait for a server, which is usually on the same machine.
TIMEOUT = 2.0
OLLAMA_ADDRESS = "http://127.0.0.1:11434"
_MOST_BYTES = 2**20  # of a list of models


@dataclass(frozen=True, slots=True)
class WriterServer:
    """The server of a chat model.

    Attributes:
        model: The model's name at the server.
        provider: LangChain's name of its provider.
        address: The server's address.
        answers: Whether it answered with a list of its models.
        has_model: Whether the model is in the list.
    """

    model: str
    provider: str
    address: str
    answers: bool = False
    has_model: bool = False


def ask_writer_server(settings: Settings) -> WriterServer | None:
    """Return the state of the server of the settings' chat model.

    None without a chat model, or if its provider serves it: only an Ollama server and one with
    an address in the settings are asked.
    """
    provider, _, model = model_for(settings, "writer").partition(":")
    is_ollama = provider == "ollama"
    address = settings.chat_base_url or (OLLAMA_ADDRESS if is_ollama else "")
    if not model or not address:
        return None
    server = WriterServer(model, provider, address.rstrip("/"))
    listed = _read(f"{server.address}/api/tags" if is_ollama else f"{server.address}/models")
    if listed is None:
        return server
    entries = listed.get("models" if is_ollama else "data")
    names = [str(entry.get("name" if is_ollama else "id", "")) for entry in _dicts(entries)]
    has = any(model in (name, name.removesuffix(":latest")) for name in names)
    return WriterServer(model, provider, server.address, answers=True, has_model=has)


def _read(url: str) -> dict[str, Any] | None:
    """Return the JSON object at an address; None if that fails."""
    if not url.startswith(("http://", "https://")):
        return None
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # nosec B310 # http or https, see above
            value = json.loads(answer.read(_MOST_BYTES))
    except (OSError, ValueError):  # URLError and TimeoutError are OSErrors
        return None
    return value if isinstance(value, dict) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
