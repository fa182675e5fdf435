"""A real `backfile serve` with users and a chat model, and the shipped nginx.conf before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rag.rights import ALL_RIGHTS
from rag.settings import Settings
from tests.accounts.conftest import PASSWORD
from tests.browser.conftest import free_port, serve
from tests.deploy.nginx import NAME, SHIPPED, Proxy, logs_in, run_nginx
from tests.support.chat_server import ChatServer, serve_chat
from tests.support.commands import command, run
from tests.support.fakes import ARTICLES, as_json
from ui.accounts.accounts import Accounts
from ui.accounts.opening import open_accounts
from ui.readers import SCOPES

PROXY_PASSWORDS = {"ada": "ada's at the proxy", "eva": "eva's at the proxy"}
UPSTREAM = "127.0.0.1:7860"


@dataclass(frozen=True)
class Site:
    """A server that believes the proxy at 127.0.0.1: its port, users, chat model and archive."""

    port: int
    accounts: Accounts
    chat: ChatServer
    tokens: dict[str, str]
    folder: Path

    def client(self, source: str, **headers: str) -> httpx.Client:
        """Return a client at an address, which reaches the server itself."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=headers,
            timeout=60,
            transport=httpx.HTTPTransport(local_address=source),
        )


@pytest.fixture(scope="package")
def site(real_model: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("deployed")
    dump, archive = folder / "articles.jsonl", folder / "archive"
    dump.write_text("".join(json.dumps(as_json(article)) + "\n" for article in ARTICLES))
    assert run("ingest", dump, "--archive", archive).code == 0
    accounts = open_accounts(Settings(archive=archive))
    accounts.add_user("ada", PASSWORD, ["read"])
    accounts.add_user("eva", PASSWORD, SCOPES, ALL_RIGHTS)
    tokens = {name: accounts.make_token(name, "of a program")[1] for name in ("ada", "eva")}
    port = free_port()
    with serve_chat() as chat:
        settings = {
            "BACKFILE_HOSTS": NAME,
            "BACKFILE_PROXIES": "127.0.0.1",
            "BACKFILE_PROXY_FROM": "127.0.0.1",
            "BACKFILE_BASE_URL": f"https://{NAME}",
            "BACKFILE_CHAT_MODEL": "openai:gpt-5-mini",
            "BACKFILE_CHAT_BASE_URL": f"{chat.address}/v1",
            "BACKFILE_GRADER": "none",
            "OPENAI_API_KEY": "of-this-machine",
        }
        with serve(command("serve", "--port", port, "--archive", archive), **settings):
            yield Site(port, accounts, chat, tokens, archive)


@pytest.fixture(scope="package")
def proxy(site: Site) -> Iterator[Proxy]:
    """The shipped nginx.conf as it is: readers log in on the page."""
    with run_nginx(SHIPPED.read_text(), {UPSTREAM: site.port}) as running:
        yield running


@pytest.fixture(scope="package")
def checking_proxy(site: Site) -> Iterator[Proxy]:
    """The shipped nginx.conf with the lines in force by which nginx checks passwords."""
    text = logs_in(SHIPPED.read_text())
    with run_nginx(text, {UPSTREAM: site.port}, PROXY_PASSWORDS) as running:
        yield running


@pytest.fixture
def deploy_folder() -> Path:
    return SHIPPED.parent
