"""Login at an OpenID Connect provider, and what a lying one or a thief of its answers gets."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from rag.errors import SettingsError
from rag.rights import ALL_RIGHTS, Rights
from rag.settings import Settings
from tests.accounts.conftest import cookie_of
from tests.accounts.provider import CLIENT, SECRET, Provider, run_provider, shared_key
from tests.attacks.server import open_client, serve
from ui.accounts.accounts import Accounts
from ui.accounts.audit import AuditLog
from ui.accounts.oidc import OidcProvider, read_groups
from ui.accounts.opening import open_accounts
from ui.web import routes
from ui.web.app import Served
from ui.web.login import FLOW_COOKIE

pytestmark = pytest.mark.slow
GROUPS = """
[newsroom]
scopes = ["read"]
publishers = ["Orchard Gazette"]

[desk]
scopes = ["read", "ingest"]
access = "everything"
"""
_SOURCES = itertools.count(1)
Login = tuple[Served, Provider]


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    folder = tmp_path_factory.mktemp("oidc")
    groups = folder / "groups.toml"
    groups.write_text(GROUPS)
    with (
        run_provider() as provider,
        serve(
            folder,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            oidc_groups=str(groups),
        ) as served,
    ):
        yield served, provider


@pytest.fixture(autouse=True)
def honest(login: Login) -> None:
    _, provider = login
    provider.user = {"sub": "u1", "preferred_username": "Finn", "groups": ["newsroom"]}
    provider.changed, provider.algorithm, provider.refuses = {}, "RS256", False
    provider.key = provider.public


def browser_of(served: Served) -> httpx.Client:
    return open_client(served, source=f"127.0.3.{next(_SOURCES)}")


def accounts_of(served: Served) -> Accounts:
    return open_accounts(Settings(archive=served.archive.path))


def begin(browser: httpx.Client, target: str = "/") -> str:
    """Begin a login; return the address at which the provider sends the browser back."""
    sent = browser.get(routes.OIDC_START, params={"next": target})
    assert sent.status_code == 303, sent.text
    return str(httpx.get(sent.headers["location"]).headers["location"])


def test_login_at_a_provider_gives_the_rights_of_the_groups(login: Login) -> None:
    served, provider = login
    with browser_of(served) as browser:
        assert routes.OIDC_START in browser.get("/login").text
        back = begin(browser, "/?q=apples")
        answer = browser.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?q=apples")
        assert "HttpOnly" in answer.headers["set-cookie"]
        cookie_of(answer)
        assert browser.get("/config").status_code == 200
    user = accounts_of(served).store.user("finn")
    assert user.scopes == {"read"}
    assert user.rights.publishers == ("orchard gazette",)
    assert user.rights.access == ()
    assert not user.has_password
    asked = provider.asked[-1]
    assert len(asked["state"]) >= 32
    assert len(asked["nonce"]) >= 32


def test_groups_count_at_each_login(login: Login) -> None:
    served, provider = login
    for groups, scopes in ((["desk", "newsroom", "x"], {"read", "ingest"}), ("newsroom", {"read"})):
        provider.user["groups"] = groups
        with browser_of(served) as browser:
            assert browser.get(begin(browser)).status_code == 303
        assert accounts_of(served).store.user("finn").scopes == scopes


def test_groups_may_come_from_the_userinfo(login: Login) -> None:
    served, provider = login
    del provider.user["groups"]
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 303


@pytest.mark.parametrize(
    "user",
    [
        {"groups": ["strangers"]},
        {"groups": []},
        {"groups": {"newsroom": 1}},
        {"preferred_username": None},
        {"preferred_username": ""},
        {"preferred_username": ["a"]},
        {"preferred_username": "x" * 500},
    ],
)
def test_user_without_a_group_or_a_name_is_not_let_in(login: Login, user: dict[str, Any]) -> None:
    served, provider = login
    provider.user |= {"sub": "u9", **user}
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 403
        assert browser.get("/config").status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": None},
        {"nonce": "of another login"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
    ],
)
def test_wrong_id_token_is_refused(login: Login, changed: dict[str, Any]) -> None:
    served, provider = login
    provider.changed = changed
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 403
        assert browser.get("/config").status_code == 401


@pytest.mark.parametrize("forged", ["other key", "shared secret"])
def test_id_token_with_a_wrong_signature_is_refused(login: Login, forged: str) -> None:
    served, provider = login
    if forged == "other key":
        provider.key = RSAKey.generate_key(2048, {"kid": "1"})
    else:
        provider.key, provider.algorithm = shared_key(), "HS256"
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 403
        assert browser.get("/config").status_code == 401


def test_new_keys_of_the_provider_are_read(login: Login) -> None:
    served, provider = login
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 303
    provider.key = provider.public = RSAKey.generate_key(2048, {"kid": "1"})
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 303


def test_answer_counts_only_in_the_browser_that_began(login: Login) -> None:
    """Else an attacker could log a victim in as themselves, and read what they ask."""
    served, _ = login
    with browser_of(served) as attacker, browser_of(served) as victim:
        back = begin(attacker)
        assert victim.get(back).status_code == 403
        begin(victim)
        assert victim.get(back).status_code == 403
        assert victim.get("/config").status_code == 401


def test_answer_counts_once(login: Login) -> None:
    served, _ = login
    with browser_of(served) as browser:
        back = begin(browser)
        flow = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        assert browser.get(back).status_code == 303
    with browser_of(served) as again:
        assert again.get(back, headers={"Cookie": flow}).status_code == 403


@pytest.mark.parametrize("change", ["state", "code", "iss", "missing"])
def test_changed_answer_is_refused(login: Login, change: str) -> None:
    served, _ = login
    with browser_of(served) as browser:
        back = urlsplit(begin(browser))
        query = {name: values[0] for name, values in parse_qs(back.query).items()}
        if change == "missing":
            query = {}
        else:
            query[change] = "https://evil.example"
        assert browser.get(back.path, params=query).status_code == 403


def failures(served: Served) -> int:
    log = AuditLog(served.archive.path).read()
    return sum(entry["action"] == "login_failed" for entry in log)


def test_answers_to_no_login_are_slowed_down_and_not_logged(login: Login) -> None:
    """Else anybody could push other entries out of the audit log."""
    served, _ = login
    before = failures(served)
    forged = {"Cookie": f"{FLOW_COOKIE}=state%3Dforged"}
    with browser_of(served) as stranger:
        statuses = []
        for number in range(300):
            query = ({}, {"state": "x", "code": "y"}, {"state": "", "error": "z"})[number % 3]
            headers = forged if number % 2 else {}
            told = stranger.get(routes.OIDC_END, params=query, headers=headers)
            statuses.append(told.status_code)
            if told.status_code == 429:
                break
    assert set(statuses[:-1]) == {403}
    assert len(statuses) > 20
    assert statuses[-1] == 429
    assert int(told.headers["retry-after"]) > 0
    assert failures(served) == before
    with browser_of(served) as elsewhere:
        assert elsewhere.get(begin(elsewhere)).status_code == 303


def test_failed_login_at_a_provider_is_logged(login: Login) -> None:
    served, provider = login
    before = failures(served)
    provider.refuses = True
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 403
    assert failures(served) == before + 1


def test_made_up_answers_are_slowed_down(login: Login) -> None:
    """Somebody who sets the cookie, too, is a login that fails, at most 30 times a minute."""
    served, _ = login
    before = failures(served)
    with browser_of(served) as stranger:
        made_up = {"Cookie": f"{FLOW_COOKIE}=state%3Dx"}
        for _ in range(300):
            query = {"state": "x", "error": "y"}
            told = stranger.get(routes.OIDC_END, params=query, headers=made_up)
            if told.status_code == 429:
                break
    assert told.status_code == 429
    assert 0 < failures(served) - before < 300


@pytest.mark.parametrize(
    ("language", "refused", "stranger"),
    [
        (
            "en",
            "You could not be logged in. The provider refused the login.",
            "You are in no group that may use this archive.",
        ),
        (
            "de",
            "Die Anmeldung ist fehlgeschlagen. Der Anbieter hat die Anmeldung abgelehnt.",
            "Sie sind in keiner Gruppe, die dieses Archiv nutzen darf.",
        ),
    ],
)
def test_refused_login_says_why(login: Login, language: str, refused: str, stranger: str) -> None:
    served, provider = login
    accepting = {"Accept-Language": language}
    with browser_of(served) as browser:
        provider.user["groups"] = ["strangers"]
        assert stranger in browser.get(begin(browser), headers=accepting).text
        provider.refuses = True
        answer = browser.get(begin(browser), headers=accepting)
        assert answer.status_code == 403
        assert refused in answer.text


def test_login_leads_to_this_page_only(login: Login) -> None:
    served, _ = login
    with browser_of(served) as browser:
        assert browser.get(begin(browser, "//evil.example")).headers["location"] == "/"


def test_disabled_user_and_taken_name_are_not_let_in(login: Login) -> None:
    served, provider = login
    accounts = accounts_of(served)
    accounts.add_user("gus", "", ["read"])
    provider.user |= {"sub": "u2", "preferred_username": "GUS"}
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 403
    provider.user |= {"sub": "u3", "preferred_username": "hal"}
    with browser_of(served) as browser:
        assert browser.get(begin(browser)).status_code == 303
        accounts.store.set_disabled("hal", disabled=True)
        assert browser.get("/config").status_code == 401
        assert browser.get(begin(browser)).status_code == 403


@pytest.mark.parametrize(
    ("issuer", "groups"),
    [("http://id.example", "groups.toml"), ("ftp://id.example", "groups.toml"),
     ("https://", "groups.toml"), ("https://id.example", ""), ("https://id.example", "none.toml")],
)  # fmt: skip
def test_settings_of_a_provider_are_checked(tmp_path: Path, issuer: str, groups: str) -> None:
    (tmp_path / "groups.toml").write_text(GROUPS)
    path = str(tmp_path / groups) if groups else ""
    with pytest.raises(SettingsError, match="BACKFILE_OIDC"):
        OidcProvider.of(Settings(oidc_issuer=issuer, oidc_client_id="x", oidc_groups=path))


@pytest.mark.parametrize(
    "text",
    ["[a]\nscopes = ['root']", "[a]\npublishers = 'Courier'", "a = 1", "[a", "[a]\nscopes=[]"],
)
def test_malformed_groups_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "groups.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="OIDC_GROUPS"):
        read_groups(path)


@pytest.mark.parametrize("key", ["publisher", "section", "scope", "rights", "Access"])
def test_unknown_key_of_a_group_is_refused(tmp_path: Path, key: str) -> None:
    """A limit with a typing error must not grant everything."""
    path = tmp_path / "groups.toml"
    path.write_text(f"[newsroom]\naccess = ['board']\n{key} = ['Orchard Gazette']\n")
    with pytest.raises(SettingsError, match=f"{key}.*newsroom.*scopes, publishers, sections, acc"):
        read_groups(path)


@pytest.mark.parametrize("key", ["scopes", "publishers", "sections", "access"])
@pytest.mark.parametrize("value", ["true", "1", "'read'", "[1]", "['read', 2]", "{read = true}"])
def test_wrong_type_in_a_group_is_refused(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "groups.toml"
    path.write_text(f"[newsroom]\n{key} = {value}\n")
    with pytest.raises(SettingsError, match=f"OIDC_GROUPS.*{key}.*newsroom.*list of names"):
        read_groups(path)


def test_group_without_keys_reads_what_needs_no_right(tmp_path: Path) -> None:
    path = tmp_path / "groups.toml"
    path.write_text("[all]\n[board]\nscopes = ['read', 'ingest']\naccess = 'everything'\n")
    found = read_groups(path)
    assert (found["all"].scopes, found["all"].rights) == ({"read"}, Rights())
    assert (found["board"].scopes, found["board"].rights) == ({"read", "ingest"}, ALL_RIGHTS)
