"""Every option and its default; this module alone reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from rag.errors import SettingsError

PREFIX = "BACKFILE_"
Precision = Literal["auto", "float32", "bfloat16"]
Unsupported = Literal["strict", "mark"]
Feeding = Literal["local", "everyone", "nobody"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, each by `BACKFILE_<NAME>` in the environment.

    `embedding_model` is `all-MiniLM-L6-v2` (the one that comes with pip), the path of a folder,
    or a name on the hub; `reranker` and `entailment_model` likewise, and empty for none.
    `chat_model` is LangChain's `provider:model`, empty for extractive answers; `chat_base_url`
    the address of an OpenAI-compatible server; `chat_price_in` and `chat_price_out` what a million
    tokens cost that it is given and that it writes.
    `unsupported` says what becomes of statements that no passage
    bears out: `strict` takes them out, `mark` shows them marked.  `timeout` is in seconds.

    Of pages that are fetched, `fetch_bytes` and `fetch_seconds` say how long each may be and
    take, `fetch_delay` the seconds between two requests to a host, `fetch_allow` the hosts, with
    commas between, that may have private addresses, and `fetch_agent` who says to be asking.
    `log` is a file to which each ingest adds a line of JSON.
    `feeding` says who may put articles in, and take them out, on the page: who sits at the
    machine that serves it (`local`), `everyone` whom it lets in, or `nobody`.
    """

    archive: Path = Path("archive")
    embedding_model: str = "all-MiniLM-L6-v2"
    embedding_precision: Precision = "auto"
    reranker: str = ""
    entailment_model: str = ""
    chat_model: str = ""
    chat_base_url: str = ""
    chat_context_tokens: int = 6000
    chat_price_in: float = 0.0
    chat_price_out: float = 0.0
    timeout: float = 60.0
    unsupported: Unsupported = "strict"
    fetch_bytes: int = 16 * 2**20
    fetch_seconds: float = 30.0
    fetch_delay: float = 1.0
    fetch_allow: str = ""
    fetch_agent: str = "Backfile/0.1"
    log: str = ""
    feeding: Feeding = "local"
    host: str = "127.0.0.1"
    port: int = 7860

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
        """Return the settings of the environment, with what is `given` (and not None) over them.

        Raises SettingsError for a name it does not know and for a value that does not fit.
        """
        hints = get_type_hints(cls)
        known = {PREFIX + f.name.upper(): f.name for f in fields(cls)}
        values: dict[str, Any] = {}
        for variable in sorted(v for v in environ if v.startswith(PREFIX)):
            if variable not in known:
                raise SettingsError(
                    f"unknown setting {variable}: known are {', '.join(sorted(known))}"
                )
            name = known[variable]
            values[name] = _parsed(variable, environ[variable], hints[name])
        values.update({name: value for name, value in given.items() if value is not None})
        return cls(**values)


def _parsed(variable: str, text: str, hint: Any) -> Any:
    choices = get_args(hint)
    if choices:
        if text not in choices:
            raise SettingsError(f"{variable} is {text!r}: it may be {', '.join(choices)}")
        return text
    try:
        return hint(text)
    except ValueError as error:
        raise SettingsError(f"{variable} is {text!r}: not {hint.__name__}") from error
