"""RemoteArchive's drafts and takedowns, by the API over a small archive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from rag import InvalidValueError, RemoteArchive, RemoteError
from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.schema import Filters
from rag.settings import Settings
from tests.api.conftest import Client
from tests.archive.test_archive import WordEmbeddings
from ui.api.services import Services
from ui.readers import LOCAL_ADMINISTRATOR, LOCAL_VISITOR, Reader

pytestmark = pytest.mark.slow

BRIDGE = "courier.example/bridge"


@pytest.fixture
def services(archive: Archive) -> Iterator[Services]:
    """The archive, open for reading, so that the endpoints may write."""
    archive.close()
    with Archive.open(archive.path, embeddings=WordEmbeddings()) as reader:
        yield Services(reader, Chatbot(reader), Settings(archive=archive.path))


def _remote(client_of: Client, reader: Reader) -> RemoteArchive:
    return RemoteArchive("http://testserver", transport=client_of(reader)._transport)


def test_check_returns_what_the_chatbot_does(client_of: Client, services: Services) -> None:
    remote, local = _remote(client_of, LOCAL_ADMINISTRATOR), services.chatbot
    draft = "The bridge of Osterholt reopened on Monday. The moon is made of cheese."
    options: dict[str, Any] = {
        "written_on": date(2024, 3, 6),
        "filters": Filters(publishers=("Harbour Courier",)),
    }
    checked = remote.check(draft, **options)
    assert checked == local.check(draft, **options)
    assert len(checked.sentences) == 2
    with pytest.raises(InvalidValueError):
        remote.check("")


def test_withdrawn_article_is_gone_until_reinstated(client_of: Client, services: Services) -> None:
    remote = _remote(client_of, LOCAL_ADMINISTRATOR)
    assert remote.withdraw([BRIDGE, BRIDGE, "elsewhere.example/none", ""], reason="a mistake") == 1
    services.archive.refresh()
    assert services.archive.withdrawals([BRIDGE])[BRIDGE].reason == "a mistake"
    assert remote.article(BRIDGE) is None
    assert remote.reinstate(BRIDGE) == 1
    assert remote.reinstate(BRIDGE) == 0
    assert remote.article(BRIDGE) is not None


def test_visitor_may_not_withdraw(client_of: Client) -> None:
    with pytest.raises(RemoteError, match="403"):
        _remote(client_of, LOCAL_VISITOR).withdraw(BRIDGE)


def test_search_for_no_passages_finds_none(client_of: Client) -> None:
    remote = _remote(client_of, LOCAL_VISITOR)
    assert remote.search("bridge", 0) == []
    with pytest.raises(InvalidValueError):
        remote.search("bridge", 0, asked_on="yesterday")  # type: ignore[arg-type]
