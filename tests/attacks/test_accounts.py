"""Users against each other: conversations, restricted articles, scopes, feeds and saved items."""

from __future__ import annotations

import json

import httpx
import pytest

from rag.rights import ALL_RIGHTS, Rights
from tests.accounts.conftest import SECRET, Site
from tests.attacks.server import Visit
from tests.support.fakes import HARBOUR, ORCHARD
from ui.readers import LOCAL_ADMINISTRATOR, Reader
from ui.web.gradio_calls import own_session

pytestmark = pytest.mark.slow

HIDDEN = ("vermilion", "vera milion", "six piers", "board.example")


def visit(site: Site, name: str) -> Visit:
    """Return a page that a user has open."""
    return Visit(site.served, site.as_(name))


def hides_secret(text: str) -> bool:
    return not any(word in text.lower() for word in HIDDEN)


def as_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def asked(opened: Visit, question: str) -> str:
    """Ask on the page; return all that it sends."""
    loaded = opened.load()
    assert loaded.status_code == 200, loaded.text
    return loaded.text + as_text(opened.ask(question))


def test_page_answers_with_the_rights_of_its_reader(site: Site) -> None:
    question = "What does the vermilion report say about the harbour bridge?"
    everything = asked(visit(site, "eva"), question)
    assert "six piers" in everything
    for name in ("ada", "ben"):
        opened = visit(site, name)
        loaded = opened.load().text
        shown = as_text(opened.ask(question))
        assert hides_secret(loaded)
        assert "six piers" not in shown
        assert "board.example" not in shown.lower()
    assert HARBOUR.publisher not in visit(site, "ben").load().text
    assert ORCHARD.publisher in visit(site, "ben").load().text


def test_endpoints_answer_with_the_rights_of_their_caller(site: Site) -> None:
    for name, sees in (("eva", True), ("ada", False)):
        with site.client(Authorization=f"Bearer {site.token(name)}") as program:
            for endpoint in ("ask", "search"):
                body = {"data": ["vermilion report harbour bridge piers"]}
                called = program.post(f"/gradio_api/call/{endpoint}", json=body)
                event = called.raise_for_status().json()["event_id"]
                answer = program.get(f"/gradio_api/call/{endpoint}/{event}").text
                assert "event: complete" in answer
                assert ("six piers" in answer) == sees


def test_result_of_a_call_is_its_callers(site: Site) -> None:
    eva, ada = site.token("eva"), site.token("ada")
    with site.client(Authorization=f"Bearer {eva}") as caller:
        body = {"data": ["vermilion report"]}
        event = caller.post("/gradio_api/call/search", json=body).json()["event_id"]
        with site.client(Authorization=f"Bearer {ada}") as thief:
            assert thief.get(f"/gradio_api/call/search/{event}").status_code == 404
        assert "six piers" in caller.get(f"/gradio_api/call/search/{event}").text


def test_name_of_a_session_does_not_open_another_readers_conversation(site: Site) -> None:
    own = visit(site, "eva")
    asked(own, "What does the vermilion report say?")
    thief = visit(site, "ada")
    thief.session = own.session
    loaded = thief.load()
    assert loaded.status_code == 200
    assert hides_secret(loaded.text)
    with site.as_("ada") as browser:
        stream = f"/gradio_api/queue/data?session_hash={own.session}"
        assert browser.get(stream).status_code == 404
    copied = thief.call(thief.index("copy"), [None], event_data={"turn": 1})
    assert hides_secret(as_text(copied))


def test_conversation_is_lost_with_the_rights_that_it_was_made_with() -> None:
    one = Reader("ada", frozenset({"read"}), ALL_RIGHTS)
    for other in (
        Reader("ben", one.scopes, one.rights),
        Reader("ada", one.scopes, Rights()),
        Reader("ada", frozenset({"read", "ingest"}), one.rights),
    ):
        assert own_session(one, "abc") != own_session(other, "abc")
    assert own_session(one, "abc") == own_session(one, "abc")
    assert own_session(LOCAL_ADMINISTRATOR, "abc") == "abc"


def test_conversations_that_a_browser_kept_are_their_readers(site: Site) -> None:
    own = visit(site, "ada")
    asked(own, "Which bridge was closed after the storm?")
    shown = as_text(own.load().json())
    assert "Which bridge was closed" in shown
    kept = next(
        value
        for value in own.load().json()["data"]
        if isinstance(value, dict) and "conversations" in value
    )
    assert "Which bridge was closed" in as_text(kept)
    again, other = visit(site, "ada"), visit(site, "eva")
    assert "Which bridge was closed" in again.load(kept).text
    assert "Which bridge was closed" not in other.load(kept).text
    unowned = {**kept, "owner": ""}
    assert "Which bridge was closed" not in other.load(unowned).text


@pytest.mark.parametrize(
    ("function", "data"),
    [
        ("act", [None]),
        ("find_names", [None]),
        ("open_view", [None, None]),
    ],
)
def test_browsing_hides_what_the_reader_may_not_see(
    site: Site, function: str, data: list[object]
) -> None:
    opened = visit(site, "ada")
    opened.load()
    for index, fn in site.served.blocks.fns.items():
        if fn.name != function or fn.concurrency_id in ("admin", "own"):
            continue
        values = [None] * opened.inputs(index)
        for event in (
            {"prefix": "v"},
            {"query": "?view=browse&q=vermilion"},
            {"action": "name", "value": "Vera Milion", "kind": "person"},
        ):
            found = opened.run(index, values, event_data=event)
            assert found.status_code in (200, 500), found.text
            assert "six piers" not in found.text  # the other words are in the request
            assert "board.example" not in found.text
            assert SECRET.title not in found.text


def test_address_of_a_hidden_article_looks_like_that_of_none(site: Site) -> None:
    def opened_at(name: str, address: str) -> httpx.Response:
        opened = visit(site, name)
        opened.load()
        index = opened.index("open_")
        return opened.run(index, [None], event_data={"address": address})

    hidden = as_text(opened_at("ada", f"a/{SECRET.id}").json()["data"])
    missing = as_text(opened_at("ada", "a/board.example/nothing").json()["data"])
    assert "six piers" not in hidden
    assert hidden.replace("vermilion", "nothing") == missing
    assert "six piers" in opened_at("eva", f"a/{SECRET.id}").text


@pytest.mark.parametrize("name", ["ada", "cid"])
def test_view_of_the_archive_needs_ingest_and_all_rights(site: Site, name: str) -> None:
    opened = visit(site, name)
    loaded = opened.load().text
    assert 'data-view=\\"archive\\"' not in loaded
    assert 'data-view=\\"saved\\"' in loaded
    for index, fn in site.served.blocks.fns.items():
        if fn.concurrency_id == "admin":
            assert opened.join(index).status_code == 403
    with site.as_(name) as browser:
        given = browser.post("/gradio_api/upload", files={"files": ("a.txt", b"x")})
        assert given.status_code == 403


def test_view_of_the_archive_opens_for_its_editors(site: Site) -> None:
    assert 'data-view=\\"archive\\"' in visit(site, "eva").load().text


def test_saved_items_are_their_owners(site: Site) -> None:
    eva, ada = (site.accounts.store.user(name).id for name in ("eva", "ada"))
    archive = site.served.archive
    made = archive.saved.of(eva).searches.add("Vermilion things", "vermilion")
    kept = archive.saved.of(ada).searches.add("Bridges", "harbour bridge")
    opened = visit(site, "ada")
    rail = opened.load().text
    assert "Bridges" in rail
    assert "Vermilion things" not in rail
    act = next(
        index
        for index, fn in site.served.blocks.fns.items()
        if fn.name == "act" and fn.concurrency_id == "own"
    )
    for action in ("delete-search", "rename-search"):
        event = {"action": action, "id": made.id, "value": "stolen"}
        opened.call(act, [None, ""], event_data=event)
    assert archive.saved.of(eva).searches.get("Vermilion things").id == made.id
    opened.call(act, [None, ""], event_data={"action": "delete-search", "id": kept.id})
    assert archive.saved.of(ada).searches.list() == ()


def test_feed_has_the_rights_of_its_owner(site: Site) -> None:
    archive = site.served.archive
    ids = {name: site.accounts.store.user(name).id for name in ("eva", "ben")}
    addresses = {}
    for name, owner in ids.items():
        searches = archive.saved.of(owner).searches
        made = searches.add("Harbour feed", "harbour")
        addresses[name] = f"/feed/{made.id}/{searches.feed_token(made.id)}"
    with site.client() as anybody:  # feed readers can't log in
        assert "vermilion" in anybody.get(addresses["eva"]).text.lower()
        of_ben = anybody.get(addresses["ben"])
        assert of_ben.status_code == 200
        assert HARBOUR.title not in of_ben.text
        assert hides_secret(of_ben.text)
        assert anybody.get(f"{addresses['eva']}x").status_code == 404
        site.accounts.store.set_disabled("ben", disabled=True)
        try:
            assert anybody.get(addresses["ben"]).status_code == 404
        finally:
            site.accounts.store.set_disabled("ben", disabled=False)


def test_disabled_user_is_out_at_once(site: Site) -> None:
    site.accounts.add_user("fay", "", ["read"])
    secret = site.token("fay")
    with site.client(Authorization=f"Bearer {secret}") as program:
        assert program.get("/config").status_code == 200
        site.accounts.store.set_disabled("fay", disabled=True)
        assert program.get("/config").status_code == 401


def test_start_token_is_worth_nothing_with_users(site: Site) -> None:
    access = site.served.write_access
    assert "token" not in site.served.invitation
    cookie = f"{access.cookie_name}={access.cookie_value}"
    for headers in ({"Cookie": cookie}, {"Authorization": f"Bearer {access.token}"}):
        with site.client("127.0.0.1", **headers) as browser:
            assert browser.get("/config").status_code == 401
            assert browser.post("/gradio_api/upload").status_code == 401


def test_token_with_one_scope_cannot_do_what_another_is_for(site: Site) -> None:
    only_ingest, only_read = (site.token("eva", scopes=[scope]) for scope in ("ingest", "read"))
    with site.client(Authorization=f"Bearer {only_ingest}") as program:
        assert program.post("/v1/search", json={"query": "harbour"}).status_code == 403
        assert program.get("/config").status_code == 403
    with site.client(Authorization=f"Bearer {only_read}") as program:
        assert program.post("/gradio_api/upload").status_code == 403
        assert program.get("/config").status_code == 200


def test_restricted_search_of_the_api_finds_nothing_hidden(site: Site) -> None:
    for name, sees in (("eva", True), ("ada", False)):
        with site.client(Authorization=f"Bearer {site.token(name)}") as program:
            found = program.post("/v1/search", json={"query": "vermilion report piers"})
            assert found.status_code == 200
            assert ("six piers" in found.text) == sees


def test_token_in_an_address_is_no_login(site: Site) -> None:
    secret = site.token("eva")
    with site.client() as browser:
        for name in ("token", "access_token", "api_key"):
            answer = browser.get("/", params={name: secret})
            assert answer.status_code == 303
            assert secret not in answer.headers["location"] or name != "token"
            assert browser.get("/config", params={name: secret}).status_code == 401
