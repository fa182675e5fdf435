"""A server with users: what each may do and see, and clients that are logged in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from rag.answer.chatbot import Chatbot
from rag.rights import ALL_RIGHTS, Rights
from rag.schema import Article
from rag.settings import Settings
from tests.attacks.server import serve
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, small_archive
from ui.accounts.accounts import Accounts
from ui.accounts.opening import open_accounts
from ui.readers import SCOPES
from ui.web.app import Served

PASSWORD = "correct horse battery"
PROXY = "127.0.0.9"  # the address of the trusted proxy
SECRET = Article(
    id="board.example/vermilion",
    title="Vermilion report on the harbour bridge",
    text=(
        "The vermilion report says that the harbour bridge has cracks in six piers. "
        "It was kept from the council for a year."
    ),
    publisher="Vermilion Board",
    section="Vermilion",
    authors=("Vera Milion",),
    access="board",
    published=datetime(2024, 10, 24, tzinfo=UTC),
)
_ADDRESSES = itertools.count(10)


@dataclass
class Site:
    """A running page, its accounts, and the cookies of users who logged in."""

    served: Served
    accounts: Accounts
    folder: Path
    cookies: dict[str, str] = field(default_factory=dict)

    def client(self, source: str | None = None, **headers: str) -> httpx.Client:
        """Return a client at an address that nobody else has."""
        source = source or f"127.0.1.{next(_ADDRESSES) % 250}"
        return httpx.Client(
            base_url=self.served.address,
            headers=headers,
            timeout=60,
            transport=httpx.HTTPTransport(
                local_address=source, limits=httpx.Limits(max_keepalive_connections=0)
            ),
        )

    def session(self, name: str) -> str:
        """Return the cookie of a user, who logs in once."""
        if name not in self.cookies:
            with self.client() as browser:
                entered = log_in(browser, name)
                assert entered.status_code == 303, entered.text
                self.cookies[name] = cookie_of(entered)
        return self.cookies[name]

    def as_(self, name: str) -> httpx.Client:
        """Return the browser of a user who is logged in."""
        return self.client(Cookie=self.session(name))

    def token(self, user: str, **given: object) -> str:
        """Return a new token of a user."""
        number = len(self.accounts.store.tokens())
        return self.accounts.make_token(user, f"token {number}", **given)[1]  # type: ignore[arg-type]


def form_secret(page: str) -> str:
    """Return the secret of a login page's form."""
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found, page
    return found[1]


def log_in(
    browser: httpx.Client, name: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    """Fill in and send the login form."""
    page = browser.get("/login")
    form = {"name": name, "password": password, "form": form_secret(page.text), **more}
    return browser.post("/login", data=form)


def cookie_of(response: httpx.Response, name: str = "backfile-session") -> str:
    """Return a cookie that a response sets, as a request sends it."""
    (found,) = [
        value for value in response.headers.get_list("set-cookie") if value.startswith(name)
    ]
    return found.partition(";")[0]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    archive = small_archive(folder / "archive", (*ARTICLES, SECRET))
    accounts = open_accounts(Settings(archive=archive.path))
    accounts.add_user("ada", PASSWORD, ["read"])
    accounts.add_user("ben", PASSWORD, ["read"], Rights(publishers=(ORCHARD.publisher,)))
    accounts.add_user("cid", PASSWORD, ["read", "ingest"], Rights(publishers=(HARBOUR.publisher,)))
    accounts.add_user("dan", PASSWORD, ["read"])
    accounts.add_user("eva", PASSWORD, SCOPES, ALL_RIGHTS)
    accounts.add_user("bot", PASSWORD, ["ingest"], ALL_RIGHTS)
    with serve(
        folder, Chatbot, archive=archive, token="", audit="questions", proxy_from=PROXY
    ) as served:
        yield Site(served, accounts, archive.path)


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return open_accounts(Settings(archive=tmp_path))
