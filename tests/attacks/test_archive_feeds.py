"""Feeds and the table of articles over HTTP: nobody without write access lists or changes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.feed_reading import feeds_of
from rag.settings import Settings
from tests.attacks.server import Visit, open_client, serve
from tests.support.fakes import HARBOUR, small_archive
from ui.ingest_job import withdraw_articles
from ui.web.app import Served

pytestmark = pytest.mark.slow

URL = "https://203.0.113.9/secret-feed"
HANDLERS = (
    *("FeedHandlers.add", "FeedHandlers.preview", "FeedHandlers.read", "FeedHandlers.act"),
    *("TableHandlers.search", "TableHandlers.change", "TableHandlers.reinstate"),
    *("_confirm_selected", "_withdraw.", "wire_archive."),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Served]:
    with serve(folder, fetch_allow="203.0.113.9") as found:
        feeds_of(folder / "archive").add(URL, every=3600, creator="command")
        yield found


def indexes(server: Served) -> dict[int, str]:
    """Return the functions of the view of the archive, by index."""
    found = {}
    for index, fn in server.blocks.fns.items():
        name = getattr(fn.fn, "__qualname__", "")
        if any(name.startswith(one) for one in HANDLERS):
            found[index] = name
    return found


def test_functions_of_the_view_are_found(server: Served) -> None:
    names = set(indexes(server).values())
    assert all(any(name.startswith(one) for name in names) for one in HANDLERS)


@pytest.mark.parametrize("event_data", [None, {"action": "remove", "id": "f" * 16, "ids": ["x"]}])
def test_visitor_calls_none_of_them(
    server: Served, folder: Path, event_data: dict[str, object] | None
) -> None:
    before = feeds_of(folder / "archive").all()
    with open_client(server) as asking:
        visit = Visit(server, asking)
        visit.load()
        for index, name in indexes(server).items():
            for told in (
                visit.join(index, event_data=event_data),
                visit.run(index, event_data=event_data),
            ):
                assert told.status_code in (403, 404), name  # 404: not by this route
                assert URL not in told.text
            assert visit.join(index, event_data=event_data).status_code == 403, name
    assert feeds_of(folder / "archive").all() == before


def test_visitor_sees_no_feed_and_no_table(server: Served) -> None:
    with open_client(server) as asking:
        visit = Visit(server, asking)
        shown = [asking.get(path).text for path in ("/", "/config", "/?view=archive")]
        shown.append(visit.load().text)
    assert all(URL not in text and "secret-feed" not in text for text in shown)


def test_state_in_a_call_is_ignored(tmp_path: Path) -> None:
    """What may be undone is the server's to know: a forged state brings nothing back."""
    archive = small_archive(tmp_path / "archive")
    with serve(tmp_path, archive=archive) as server, open_client(server, token=True) as asking:
        withdraw_articles(archive, Settings(), [HARBOUR.id], "a ruling")
        visit = Visit(server, asking)
        visit.load()
        index = next(i for i, name in indexes(server).items() if name.endswith("reinstate"))
        forged = [None, {"undoable": [HARBOUR.id]}]
        assert visit.call(index, forged, event_data={"ids": []})["success"]
        assert archive.article(HARBOUR.id) is None


def test_editor_cannot_fetch_private_addresses(server: Served, folder: Path) -> None:
    with open_client(server, token=True) as asking:
        visit = Visit(server, asking)
        visit.load()
        index = next(i for i, name in indexes(server).items() if name == "FeedHandlers.add")
        for url in ("http://169.254.169.254/latest", "http://127.0.0.1:22/", "file:///etc/passwd"):
            assert visit.call(index, [None, url, "3600"])["success"]
    assert [one.url for one in feeds_of(folder / "archive").all()] == [URL]


@pytest.mark.parametrize("ids", [["x"] * 26, ["x" * 5000], [1], "x", {"a": 1}])
def test_forged_selection_opens_no_dialog(server: Served, ids: object) -> None:
    with open_client(server, token=True) as asking:
        visit = Visit(server, asking)
        visit.load()
        told = visit.call(visit.index("confirm_selected"), event_data={"ids": ids})
        assert "bf-sure" not in str(told["output"]["data"])
