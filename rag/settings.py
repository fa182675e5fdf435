"""Every option and its default; this module alone reads the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from rag.errors import SettingsError

PREFIX = "BACKFILE_"
Precision = Literal["auto", "float32", "bfloat16"]
Unsupported = Literal["strict", "mark"]
Feeding = Literal["local", "everyone", "nobody"]


DAY = 86_400  # seconds
# The least and the most that a number may be; a time to wait is more than nothing.
RANGES: dict[str, tuple[float, float]] = {
    "timeout": (0.001, DAY),
    "chat_context_tokens": (1, 10**9),
    "chat_price_in": (0, 10**9),
    "chat_price_out": (0, 10**9),
    "fetch_bytes": (1, 2**40),
    "fetch_seconds": (0.001, DAY),
    "fetch_delay": (0, DAY),
    "port": (0, 65_535),
}


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
    machine that serves it (`local`), `everyone` whom it lets in, or `nobody`. Both need `token`,
    which is a new one at each start unless it is set.
    `hosts` are the names, besides `localhost` and its addresses, that the page answers to, and
    `proxies` the addresses or networks of proxies whose `X-Forwarded-For` is believed; both with
    commas between.

    Raises:
        SettingsError: A value is of the wrong type, not one of the choices, or out of range.
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
    token: str = ""
    hosts: str = ""
    proxies: str = ""
    host: str = "127.0.0.1"
    port: int = 7860

    def __post_init__(self) -> None:
        for name, hint in _hints().items():
            object.__setattr__(self, name, _checked(name, getattr(self, name), hint))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
        """Return the settings of the environment, with what is `given` (and not None) over them.

        Raises SettingsError for a name it does not know and for a value that does not fit.
        """
        hints = _hints()
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


@cache
def _hints() -> dict[str, Any]:
    """Return the type of each setting, by name."""
    return get_type_hints(Settings)


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return a setting's value, of its type and within its range; else raise SettingsError."""
    variable = PREFIX + name.upper()
    if hint is Path and isinstance(value, str | os.PathLike):
        return Path(value)
    if get_args(hint):
        if value not in get_args(hint):
            raise SettingsError(f"{variable} is {value!r}: it may be {', '.join(get_args(hint))}")
        return value
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint and not (hint is str and isinstance(value, str)):
        raise SettingsError(f"{variable} is {value!r}: not {hint.__name__}")
    if name in RANGES:
        low, high = RANGES[name]
        if not low <= value <= high:  # nan is in no range
            shown = f"{value:g}" if math.isfinite(value) and abs(value) < 1e15 else str(value)
            raise SettingsError(f"{variable} is {shown}: choose from {low:,g} to {high:,}")
    return value


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
