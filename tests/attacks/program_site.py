"""A server with users over articles of which some may see a part, as programs reach it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.rights import ALL_RIGHTS, Rights
from rag.schema import Article, Span
from rag.settings import Settings
from tests.attacks.server import serve
from tests.support.fakes import WordEmbeddings
from ui.accounts.accounts import Accounts
from ui.accounts.opening import open_accounts
from ui.readers import SCOPES
from ui.web.app import Served

DAY = datetime(2024, 10, 21, tzinfo=UTC)
STORY = (
    "The harbour bridge inspectors found cracks in two piers of the bridge on Monday. "
    "They asked the council to close the bridge at once, before the storm of the weekend. "
    "The council will speak about the bridge and the cracks in an open meeting on Friday."
)
PUBLIC = Article(
    "courier.example/bridge", "Bridge inspectors find cracks", STORY, "Harbour Courier",
    "https://courier.example/bridge", ("Noor Haan",), DAY, language="en", section="Town",
)  # fmt: skip
INLAND = Article(
    "inland.example/mine", "Mine of Velmora closes",
    "The mine of Velmora closed on Friday. About 300 miners lost their work.", "Inland Post",
    "https://inland.example/mine", ("Ida Roth",), DAY + timedelta(days=2), section="Money",
)  # fmt: skip
# "vermilion" is in hidden articles only, in every field
COPY = PUBLIC.replace(
    id="vermilion.example/bridge", title="Vermilion: bridge", publisher="Vermilion Wire",
    url="https://vermilion.example/bridge", authors=("Vermilion Reporter",), access="wire",
)  # fmt: skip
BOARD = Article(
    "vermilion.example/secret", "Vermilion report on the harbour bridge",
    "The vermilion report of the harbour bridge inspectors found that six piers must be replaced. "
    '"The vermilion piers were hidden from the council," said engineer Odile Quist. '
    "Odile Quist left the harbour council in November.",
    "Vermilion Board", "https://vermilion.example/secret", ("Vermilion Author",),
    DAY + timedelta(days=400), language="en", section="Vermilion section", access="board",
)  # fmt: skip
ONCE_PUBLIC = Article(
    "courier.example/once", "Ferry to run at night",
    "The ferry will run at night, the vermilion company said of the harbour.", "Harbour Courier",
    "", (), DAY,
)  # fmt: skip
CLOSED = ONCE_PUBLIC.replace(title="Ferry to run at night, vermilion", access="board")
HIDDEN = (COPY.id, BOARD.id, CLOSED.id)
MISSING = "vermilion.example/nothing"


@dataclass
class ProgramSite:
    """A running server, its accounts, and tokens of users."""

    served: Served
    accounts: Accounts
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)
    made: Iterator[int] = field(default_factory=itertools.count)

    def token(self, user: str) -> str:
        """Return the token of a user, made once."""
        if user not in self.tokens:
            self.tokens[user] = self.new_token(user)
        return self.tokens[user]

    def new_token(self, user: str, **given: Any) -> str:
        """Return a new token of a user."""
        return self.accounts.make_token(user, f"token {next(self.made)}", **given)[1]

    def client(self, token: str = "", *, source: str = "", **headers: str) -> httpx.Client:
        """Return a client that sends a token, from an address of this machine."""
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=self.served.address,
            headers={**sent, **headers},
            timeout=60,
            transport=httpx.HTTPTransport(local_address=source or None),
        )

    def as_(self, user: str) -> httpx.Client:
        """Return a client with the token of a user."""
        return self.client(self.token(user))

    def mcp(self, user: str, method: str, *given: Any, **named: Any) -> Any:
        """Call a method of the MCP SDK's client as a user."""

        async def run() -> Any:
            headers = {"Authorization": f"Bearer {self.token(user)}"}
            async with httpx.AsyncClient(headers=headers, timeout=60) as http:
                address = f"{self.served.address}mcp"
                async with Client(streamable_http_client(address, http_client=http)) as client:
                    return await getattr(client, method)(*given, **named)

        return asyncio.run(run())


@contextmanager
def serve_site(folder: Path, **given: Any) -> Iterator[ProgramSite]:
    """Serve the articles to ada (public ones), ben (one publisher), cid (his editor) and eva."""
    with Archive.open(folder / "archive", mode="write", embeddings=WordEmbeddings()) as writer:
        for articles in ((PUBLIC, INLAND, COPY, BOARD, ONCE_PUBLIC), (CLOSED,)):
            writer.add((one, [Span(0, len(one.text))]) for one in articles)
        writer.complete_names()
    archive = Archive.open(folder / "archive", embeddings=WordEmbeddings())
    accounts = open_accounts(Settings(archive=archive.path))
    inland = Rights(publishers=(INLAND.publisher,))
    accounts.add_user("ada", "", ["read"])
    accounts.add_user("ben", "", ["read"], inland)
    accounts.add_user("cid", "", ["read", "ingest"], inland)
    accounts.add_user("eva", "", SCOPES, ALL_RIGHTS)
    rates = {"search_rate": "", "ask_rate": "", "write_rate": ""}
    settings = {"archive": archive, "token": "", **rates, **given}
    with serve(folder, lambda one: Chatbot(one, grader="none"), **settings) as served:
        yield ProgramSite(served, accounts, folder / "archive")


def encoded(text: str) -> str:
    """Return a text percent-encoded."""
    return quote(text, safe="")


def without(text: str, sent: object) -> str:
    """Return an answer in lower case without the strings that the request had sent."""
    shown = text.casefold()
    for word in sorted(_strings(sent), key=len, reverse=True):
        for form in (word, json.dumps(word)[1:-1], encoded(word)):
            if form:
                shown = shown.replace(form.casefold(), "")
    return shown


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from value.split()
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)
