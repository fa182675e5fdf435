"""Forged requests to the API and MCP: credentials, addresses, methods, headers and bodies."""

from __future__ import annotations

import gzip
import json
import statistics
import time
from typing import Any

import pytest

from tests.attacks.program_site import BOARD, PUBLIC, ProgramSite
from tests.attacks.server import send_raw

pytestmark = pytest.mark.slow

SECONDS = 10.0  # for an answer; the machine may be busy
READ = f"/v1/articles/{BOARD.id}"


def raw(
    site: ProgramSite, line: str, *headers: str, body: bytes = b"", host: str = ""
) -> tuple[int, str]:
    """Send a request whose head is written out."""
    host = host or site.served.address.removeprefix("http://").rstrip("/")
    length = (f"Content-Length: {len(body)}",) if body else ()
    head = "\n".join((f"{line} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, *length))
    return send_raw(site.served, head, body, hang_up=False)


def bearer(site: ProgramSite, user: str) -> str:
    return f"Authorization: Bearer {site.token(user)}"


def cookie(site: ProgramSite, user: str) -> str:
    secret = site.accounts.open_session(site.accounts.store.user(user))
    return f"Cookie: {site.served._authentication.session_cookie(secure=False)}={secret}"


# credentials


def test_several_credentials_give_the_rights_of_one(programs: ProgramSite) -> None:
    eva, ada = programs.token("eva"), programs.token("ada")
    wrong = f"bf_{'A' * 43}"
    session = cookie(programs, "eva")
    for headers, status in (
        ((bearer(programs, "eva"),), 200),
        ((f"X-Api-Key: {eva}",), 200),
        ((session,), 200),
        ((bearer(programs, "ada"), bearer(programs, "eva")), 401),
        ((bearer(programs, "eva"), bearer(programs, "ada")), 401),
        ((f"X-Api-Key: {ada}", f"X-Api-Key: {eva}"), 401),
        ((f"Authorization: Bearer {ada}, Bearer {eva}",), 401),
        ((f"Authorization: Bearer {ada} {eva}",), 401),
        ((bearer(programs, "ada"), f"X-Api-Key: {eva}"), 404),
        ((bearer(programs, "ada"), session), 404),
        ((f"X-Api-Key: {ada}", session), 404),
        ((f"X-Api-Key: {wrong}", session), 401),
        ((f"Authorization: Bearer {wrong}", session), 401),
        ((f"Authorization: Bearer {wrong}", f"X-Api-Key: {eva}"), 401),
        ((session, session.replace("=", "=x")), 401),
    ):
        assert raw(programs, f"GET {READ}", *headers)[0] == status, headers


@pytest.mark.parametrize(
    "change",
    [str.upper, str.lower, str.swapcase, lambda t: t[:-1], lambda t: f"{t}A", lambda t: t[3:],
     lambda t: f"{t}\t{t}", lambda t: t.replace("bf_", "bf-"), lambda t: f"{t}%00", lambda t: "*",
     lambda t: "bf_" + "_" * 43, lambda t: "' OR 1=1 --", lambda t: f"{t[:20]}%"],
)  # fmt: skip
def test_altered_token_is_no_token(programs: ProgramSite, change: Any) -> None:
    secret = programs.new_token("eva")
    with programs.client(change(secret)) as client:
        assert client.get("/v1/status").status_code in (401, 429)


def test_time_of_a_refusal_tells_nothing_of_a_token(programs: ProgramSite) -> None:
    """A token that is right but for its end takes as long as one that is wrong from its start."""
    secret = programs.token("eva")
    near = secret[:-6] + ("A" * 6 if not secret.endswith("A" * 6) else "B" * 6)
    tokens = {"near": near, "far": f"bf_{'A' * 43}"}
    times: dict[str, list[float]] = {name: [] for name in tokens}
    accounts = programs.accounts
    for number in range(400):
        for name, token in tokens.items():
            began = time.perf_counter()
            assert accounts.reader_of_token(token) is None
            if number >= 50:
                times[name].append(time.perf_counter() - began)
    medians = [statistics.median(taken) for taken in times.values()]
    assert max(medians) < 1.3 * min(medians)


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1",
     "X-Remote-User: eva", "X_Remote_User: eva", "Remote-User: eva", "X-Forwarded-User: eva",
     "X-Forwarded-Host: localhost", "X-Original-URL: /v1/livez", "X-Rewrite-URL: /v1/livez",
     "X-Forwarded-Prefix: /v1/livez", "X-HTTP-Method-Override: GET", "X-Reader: eva",
     "Authorization: Basic ZXZhOg==", "Authorization: Bearer", "X-Api-Key:", "Cookie: reader=eva"],
)  # fmt: skip
def test_header_lets_nobody_in(programs: ProgramSite, header: str) -> None:
    for path in ("/v1/status", READ, "/mcp", "/config"):
        status, text = raw(programs, f"GET {path}", header)
        assert status == 401, text
        assert "vermilion" not in text.lower()


@pytest.mark.parametrize(
    "header",
    ["X-Remote-User: eva", "X_Remote_User: eva", "X-HTTP-Method-Override: DELETE",
     "X-Forwarded-User: eva", "X-Method-Override: DELETE"],
)  # fmt: skip
def test_header_changes_no_readers_rights(programs: ProgramSite, header: str) -> None:
    own = bearer(programs, "ada")
    assert raw(programs, f"GET {READ}", own, header)[0] == 404
    assert raw(programs, f"GET /v1/articles/{PUBLIC.id}", own, header)[0] == 200


# addresses and methods


@pytest.mark.parametrize(
    "path",
    ["//v1/status", "/v1//status", "/v1/../v1/status", "/v1/./status", "/v1/livez/../status",
     "/v1/livez/..%2fstatus", "/v1/livez%2f..%2fstatus", "/v1%2fstatus", "/%76%31/status",
     "/v1/%2e%2e/v1/status", "/V1/status", "/v1/status/", "/v1/livez/", "/v1/livez;/status",
     "/v1/livez?/../status", "/v1/livez%00/status", "/v1/livez%0d%0astatus", "/v1\\status",
     "/a/../v1/status", "/login/../v1/status", "/feed/../v1/status", "/static/../v1/status",
     "/static/..%2f..%2fv1/status", "/gradio_api/../v1/status", "/mcp/../v1/status", "/mcp//"],
)  # fmt: skip
def test_odd_path_opens_nothing(programs: ProgramSite, path: str) -> None:
    """Without credentials no path shows the archive; with those of another it shows their view."""
    status, text = raw(programs, f"GET {path}")
    assert status < 500
    assert '"articles"' not in text
    for user in ("ada", "cid"):
        status, text = raw(programs, f"GET {path}", bearer(programs, user))
        assert status < 500
        assert "vermilion" not in text.lower()


@pytest.mark.parametrize(
    "target",
    ["http://evil.example/v1/status", "https://evil.example:443/v1/status", "evil.example:443",
     "http://localhost/v1/status", "*", "v1/status", "?/v1/status", "http:///v1/status",
     "//evil.example/v1/status", "http://x@localhost/v1/status"],
)  # fmt: skip
def test_target_of_a_proxy_is_refused(programs: ProgramSite, target: str) -> None:
    for method in ("GET", "CONNECT", "OPTIONS"):
        status, text = raw(programs, f"{method} {target}", bearer(programs, "eva"))
        assert 400 <= status < 500, text
        assert '"articles"' not in text


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PUT", "PATCH", "PROPFIND", "GETT", "get"]
)
@pytest.mark.parametrize("path", ["/v1/status", READ, "/v1/search", "/mcp"])
def test_odd_method_does_nothing(programs: ProgramSite, method: str, path: str) -> None:
    status, text = raw(programs, f"{method} {path}", "X-Secret: echoed")
    assert status in (400, 401, 403, 404, 405)
    status, text = raw(programs, f"{method} {path}", bearer(programs, "ada"), "X-Secret: echoed")
    assert 400 <= status < 500, text
    assert "echoed" not in text
    assert "access-control" not in text.lower()


# other sites


@pytest.mark.parametrize(
    "headers",
    [("Origin: https://evil.example",), ("Origin: null",), ("Sec-Fetch-Site: cross-site",),
     ("Sec-Fetch-Site: same-site",), ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
     ("Origin: http://localhost.evil.example",), ("Origin: http://127.0.0.1",),
     ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Content-Type: text/plain")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("line", "body"),
    [("POST /v1/search", b'{"query": "bridge"}'), (f"DELETE /v1/articles/{PUBLIC.id}", b""),
     ("POST /v1/ingest", b'{"articles": [{"id": "x", "text": "x"}]}'), ("POST /mcp", b"{}"),
     ("GET /v1/status", b""), ("POST /logout", b"")],
)  # fmt: skip
def test_session_of_a_victim_serves_no_other_site(
    programs: ProgramSite, headers: tuple[str, ...], line: str, body: bytes
) -> None:
    status, text = raw(programs, line, cookie(programs, "eva"), *headers, body=body)
    assert status == 403
    assert "access-control-allow" not in text.lower()
    with programs.as_("eva") as client:
        assert client.get(f"/v1/articles/{PUBLIC.id}").status_code == 200


@pytest.mark.parametrize("path", ["/v1/status", "/v1/none", "/mcp", "/login", "/", "/v1/livez"])
def test_no_answer_can_be_framed_or_sniffed(programs: ProgramSite, path: str) -> None:
    for credentials in ((), (bearer(programs, "eva"),)):
        head = raw(programs, f"GET {path}", *credentials)[1].partition("\r\n\r\n")[0].lower()
        assert "x-frame-options: deny" in head
        assert "frame-ancestors 'none'" in head
        assert "x-content-type-options: nosniff" in head


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "169.254.169.254"]
)
@pytest.mark.parametrize("path", ["/v1/status", "/mcp", "/login", "/v1/livez"])
def test_rebound_name_is_not_answered(programs: ProgramSite, host: str, path: str) -> None:
    for credentials in ((), (bearer(programs, "eva"),), (cookie(programs, "eva"),)):
        assert raw(programs, f"GET {path}", *credentials, host=host)[0] == 421


# bodies


def _nested(depth: int) -> bytes:
    return b'{"query": ' + b"[" * depth + b"]" * depth + b"}"


BODIES: dict[str, bytes] = {
    "NUL": b'{"query": "bridge\\u0000vermilion"}',
    "raw NUL": b'{"query": "bridge\x00"}',
    "lone surrogate": b'{"query": "bridge \\ud800 \\udfff"}',
    "lone surrogate in a name": b'{"query": "bridge", "\\ud800": 1}',
    "lone surrogate in a filter": b'{"query": "x", "filters": {"publishers": ["\\ud800"]}}',
    "not UTF-8": b'{"query": "\xff\xfe"}',
    "UTF-16": '{"query": "bridge"}'.encode("utf-16"),
    "nested": _nested(100_000),
    "nested objects": b'{"query": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "unclosed": b'{"query": ' + b"[" * 400_000,
    "infinite": b'{"query": "bridge", "k": 1e400}',
    "NaN": b'{"query": "bridge", "k": NaN}',
    "Infinity": b'{"query": "bridge", "k": -Infinity}',
    "huge number": b'{"query": "bridge", "k": ' + b"9" * 5000 + b"}",
    "longer number": b'{"query": "bridge", "k": ' + b"9" * 500_000 + b"}",
    "negative": b'{"query": "bridge", "k": -1}',
    "boolean": b'{"query": "bridge", "k": true}',
    "fields": json.dumps({"query": "bridge"} | {f"f{n}": n for n in range(50_000)}).encode(),
    "same field": b'{"query": "bridge", "query": ["x"], "query": {"a": 1}}',
    "list": b"[" + b'{"query": "bridge"},' * 1000 + b"null]",
    "prototype": b'{"query": "bridge", "__proto__": {"admin": true}, "__class__": "Reader"}',
    "empty": b"",
    "null": b"null",
    "day": b'{"query": "bridge", "asked_on": "9999-12-31"}',
    "first day": b'{"query": "last week bridge", "asked_on": "0001-01-01"}',
    "odd day": b'{"query": "bridge", "as_of": "0001-01-01T00:00:00+23:59"}',
    "operators": json.dumps({"query": '"' * 999 + " OR NOT (" * 50}).encode(),
    "controls": json.dumps({"query": "\u202e\u0007\u001b[31m bridge \U000e0041"}).encode(),
}
PLACES = ("/v1/search", "/v1/ask", "/v1/check", "/v1/responses", "/v1/chat/completions", "/mcp")


@pytest.mark.parametrize("name", BODIES)
def test_forged_body_is_refused_or_answered(programs: ProgramSite, name: str) -> None:
    for path in PLACES:
        body = BODIES[name]
        if path != "/v1/search":
            word = {"/v1/ask": b"question", "/v1/check": b"text"}.get(path, b"input")
            body = body.replace(b'"query"', b'"' + word + b'"')
        began = time.monotonic()
        status, text = raw(
            programs, f"POST {path}", bearer(programs, "ada"), "Content-Type: application/json",
            "Accept: application/json, text/event-stream", body=body,
        )  # fmt: skip
        assert status < 500, (path, text)
        assert "Traceback" not in text
        assert "vermilion" not in text.lower().replace("u0000vermilion", "").replace(
            "\\x00vermilion", ""
        )
        assert time.monotonic() - began < SECONDS


def test_compressed_body_is_not_unpacked(programs: ProgramSite) -> None:
    bomb = gzip.compress(b'{"query": "' + b"a" * 50_000_000 + b'"}')
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
        for path in (*PLACES, "/v1/ingest"):
            status, text = raw(
                programs, f"POST {path}", bearer(programs, "eva"),
                "Content-Type: application/json", f"Content-Encoding: {encoding}", body=bomb,
            )  # fmt: skip
            assert 400 <= status < 500, (path, text)


@pytest.mark.parametrize("path", ["/v1/search", "/v1/ask", "/v1/responses", "/v1/check"])
def test_chunked_body_beyond_the_limit_is_cut(programs: ProgramSite, path: str) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with programs.as_("ada") as client:
        sent = client.post(path, content=iter([b" " * 65536] * 32))
    assert sent.status_code == 413
    for length in ("-1", "1e3", "0x10", "99999999999999999999", "+5", "5, 6"):
        status, _ = send_raw(
            programs.served,
            f"POST {path} HTTP/1.1\nHost: localhost\n{bearer(programs, 'ada')}\n"
            f"Content-Length: {length}\nConnection: close",
            chunk,
            hang_up=False,
        )
        assert 400 <= status < 500
