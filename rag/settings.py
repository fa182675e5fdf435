"""Settings and their defaults; no other module reads the environment."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from rag.errors import SettingsError
from rag.sanitize import web_address

PREFIX = "BACKFILE_"
Precision = Literal["auto", "float32", "bfloat16"]
EmbeddingBackend = Literal["auto", "torch", "onnxruntime", "openvino", "sentence-transformers"]
Models = Literal["default", "better", "multilingual", "best"]
Unsupported = Literal["strict", "mark"]
Grader = Literal["chat", "none"]
ChatEvidence = Literal["auto", "structured", "plain"]
Audit = Literal["on", "questions", "off"]
Writers = Literal["local", "anyone", "none"]
# Variables of earlier versions: the current name, and the current names of their values.
OLD_NAMES = {
    "BACKFILE_FEEDING": (
        "BACKFILE_WRITE_ACCESS",
        {"local": "local", "everyone": "anyone", "nobody": "none"},
    ),
}

DAY = 86_400  # seconds
# Minimum and maximum of each number; waiting times must be positive.
RANGES: dict[str, tuple[float, float]] = {
    "timeout": (0.001, DAY),
    "chat_context_tokens": (1, 10**9),
    "chat_price_in": (0, 10**9),
    "chat_price_out": (0, 10**9),
    "fetch_bytes": (1, 2**40),
    "fetch_seconds": (0.001, DAY),
    "fetch_delay": (0, DAY),
    "port": (0, 65_535),
    "chroma_seconds": (0.05, 600),
    "chroma_results": (10, 10**6),
    "chroma_batch": (1, 5_000),
    "chroma_records": (100, 10**9),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; each is read from the environment variable `BACKFILE_<NAME>`.

    Attributes:
        archive: The archive's folder.
        record: The PostgreSQL database that several machines share as their record,
            `postgresql://USER:PASSWORD@HOST/DATABASE`; the folder then follows it. "" for an
            archive in its folder alone.
        models: The preset of models (`rag.models.presets`); the settings of single models override
            it, and "none" leaves one out.
        chroma: The address of a Chroma server for the vector index, such as
            `http://localhost:8000`; "" for the archive's folder.
        chroma_token: Sent to it as a bearer token, for a proxy in front of it; "" for none.
        chroma_tenant: The tenant, of a hosted Chroma.
        chroma_database: The tenant's database.
        chroma_seconds: The longest time that a search waits for it, in seconds.
        chroma_results: The most records that it returns for one request.
        chroma_batch: The most records that it accepts in one write.
        chroma_records: The most records of one collection.
        embedding_model: A sentence-transformers model: `all-MiniLM-L6-v2` (installed with the
            package), the path of a folder, or a name on the Hugging Face Hub; "" for the preset's.
        embedding_precision: "float32", "bfloat16", or "auto" for bfloat16 on processors that are
            faster with it; the reranker's, too.
        embedding_backend: The library that embeds many passages; "auto" measures once on a machine
            which is the fastest. "openvino" needs the extra `fast`.
        reranker: A cross-encoder, named likewise; "" for the preset's.
        entailment_model: A cross-encoder trained on entailment, named likewise; it replaces the
            preset's grounding model.
        grounding_model: A model that marks the tokens of a sentence that passages don't support,
            named likewise; "" for the preset's.
        chat_model: LangChain's `provider:model`; "" for the preset's. Without one, answers are
            extractive.
        chat_base_url: The address of an OpenAI-compatible server, or of Ollama.
        chat_context_tokens: The most tokens of passages that the chat model is given.
        chat_evidence: How the chat model gives the words that its sentences rest on: "structured",
            by a JSON schema; "plain", in lines of text; "auto", by the schema if the model is known
            to support it.
        chat_price_in: The price of a million tokens given to the chat model.
        chat_price_out: The price of a million tokens written by it.
        timeout: How long to wait for the chat model, in seconds.
        unsupported: "strict" removes statements that are judged unsupported, "mark" shows them
            marked.
        grader: "chat" has the chat model judge, in a call of its own, what exact comparison leaves
            open, unless there is an entailment model; "none" leaves it unverified.
        fetch_bytes: The largest page to fetch, in bytes.
        fetch_seconds: The longest time for one page, in seconds.
        fetch_delay: The least time between two requests to a host, in seconds.
        fetch_allow: Hosts that may have private addresses, separated by commas.
        fetch_agent: The user agent of requests.
        log: A file to which each ingest appends a line of JSON; "" for none.
        write_access: Who may add and remove articles in the page: users on the "local" machine,
            "anyone", or "none". All of them need the `token`.
        token: The token for write access; "" for a new one at each start.
        hosts: Host names, besides `localhost` and its addresses, that the page answers to,
            separated by commas.
        proxies: Addresses or networks of proxies whose `X-Forwarded-For` is trusted, separated by
            commas.
        proxy_from: Addresses or networks of proxies that say who sends a request, in the header
            `proxy_header`, separated by commas.
        proxy_header: The header with a user's name that such a proxy sets; it is removed from
            everybody else's requests.
        oidc_issuer: The address of an OpenID Connect provider, at which readers log in.
        oidc_client_id: The name by which the provider knows this server.
        oidc_client_secret: The secret that goes with it.
        oidc_name_claim: The claim with the user's name.
        oidc_groups_claim: The claim with the names of the user's groups.
        oidc_groups: A TOML file with the scopes and rights of each group.
        audit: "on" logs who did what, "questions" the texts of questions too, "off" nothing.
        base_url: The address at which readers reach the page, such as
            `https://archive.paper.example`; exports and feeds link to articles there.
        host: The address at which the page is served.
        port: Its port.
        search_rate: How many searches and look-ups a reader may send to the API: "25/second", or
            several rates separated by ";"; "" for no limit.
        ask_rate: How many questions, likewise.
        write_rate: How many ingests and removals, likewise.

    Raises:
        SettingsError: A value is of the wrong type, not one of the choices, or out of range.
    """

    archive: Path = Path("archive")
    record: str = field(default="", repr=False)
    chroma: str = ""
    chroma_token: str = ""
    chroma_tenant: str = "default_tenant"
    chroma_database: str = "default_database"
    chroma_seconds: float = 2.0
    chroma_results: int = 300
    chroma_batch: int = 300
    chroma_records: int = 5_000_000
    models: Models = "default"
    embedding_model: str = ""
    embedding_precision: Precision = "auto"
    embedding_backend: EmbeddingBackend = "auto"
    reranker: str = ""
    entailment_model: str = ""
    grounding_model: str = ""
    chat_model: str = ""
    chat_base_url: str = ""
    chat_context_tokens: int = 12_000
    chat_evidence: ChatEvidence = "auto"
    chat_price_in: float = 0.0
    chat_price_out: float = 0.0
    timeout: float = 60.0
    unsupported: Unsupported = "strict"
    grader: Grader = "chat"
    fetch_bytes: int = 16 * 2**20
    fetch_seconds: float = 30.0
    fetch_delay: float = 1.0
    fetch_allow: str = ""
    fetch_agent: str = "Backfile/0.1"
    log: str = ""
    write_access: Writers = "local"
    token: str = ""
    hosts: str = ""
    proxies: str = ""
    proxy_from: str = ""
    proxy_header: str = "X-Remote-User"
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    oidc_groups: str = ""
    audit: Audit = "on"
    base_url: str = ""
    host: str = "127.0.0.1"
    port: int = 7860
    search_rate: str = "25/second"
    ask_rate: str = "10/second;300/minute"
    write_rate: str = "60/minute"

    def __post_init__(self) -> None:
        """Validate the settings; raises SettingsError."""
        for name, hint in _hints().items():
            object.__setattr__(self, name, _check(name, getattr(self, name), hint))
        if self.base_url and not _is_base(self.base_url):
            raise SettingsError(
                f"{PREFIX}BASE_URL is {self.base_url!r}: not an address such as "
                "https://archive.paper.example, without ? and #"
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
        """Return the settings of the environment.

        Args:
            environ: The environment's variables; those without the prefix are ignored.
            **given: Settings that override it, unless they are None.

        Returns:
            The settings.

        Raises:
            SettingsError: A `BACKFILE_` variable is unknown, or a value is impossible.
        """
        hints = _hints()
        known = {PREFIX + f.name.upper(): f.name for f in fields(cls)}
        environ = _rename_variables(environ)
        values: dict[str, Any] = {}
        for variable in sorted(v for v in environ if v.startswith(PREFIX)):
            if variable not in known:
                raise SettingsError(
                    f"unknown setting {variable}: known are {', '.join(sorted(known))}"
                )
            name = known[variable]
            values[name] = _parse(variable, environ[variable], hints[name])
        values.update({name: value for name, value in given.items() if value is not None})
        return cls(**values)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's folder of what can be computed again."""
    if sys.platform == "win32":
        place = environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        place = "~/Library/Caches"
    else:
        place = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(place).expanduser() / "backfile"


def available_threads(environ: Mapping[str, str] = os.environ) -> int:
    """Return the threads to compute with: `OMP_NUM_THREADS`, or the processors of this process."""
    given = environ.get("OMP_NUM_THREADS", "")
    affinity = getattr(os, "sched_getaffinity", None)
    here = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(int(given), here) if given.isdecimal() and int(given) else here


def _rename_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with old names of variables and their values replaced.

    If both names are set, the current one counts.
    """
    found = dict(environ)
    for variable, (current, values) in OLD_NAMES.items():
        if variable in found:
            old = found.pop(variable)
            if old not in values:
                raise SettingsError(f"{variable} is {old!r}: it may be {', '.join(values)}")
            found.setdefault(current, values[old])
    return found


def _is_base(address: str) -> bool:
    return web_address(address) == address and not set(address) & set("?#")


@cache
def _hints() -> dict[str, Any]:
    """Return the type of each setting, by name."""
    return get_type_hints(Settings)


def _check(name: str, value: Any, hint: Any) -> Any:
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
        if not low <= value <= high:  # rejects nan, too
            shown = f"{value:g}" if math.isfinite(value) and abs(value) < 1e15 else str(value)
            raise SettingsError(f"{variable} is {shown}: choose from {low:,g} to {high:,}")
    return value


def _parse(variable: str, text: str, hint: Any) -> Any:
    choices = get_args(hint)
    if choices:
        if text not in choices:
            raise SettingsError(f"{variable} is {text!r}: it may be {', '.join(choices)}")
        return text
    try:
        return hint(text)
    except ValueError as error:
        raise SettingsError(f"{variable} is {text!r}: not {hint.__name__}") from error
