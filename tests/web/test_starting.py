"""The start of a server: programs are answered first, and a browser waits for the page."""

from __future__ import annotations

import ast
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.settings import Settings
from tests.support.commands import start
from tests.support.fakes import HARBOUR, QuotingChatbot, small_archive
from ui.cli.command import ExitCode
from ui.web.app import Served, start_programs
from ui.web.gradio_stubs import FUNCTION, MODULE
from ui.web.stop_signal import StopSignal

IMPORTS = """
import sys
read = []
sys.addaudithook(lambda event, given: event == "open" and read.append(str(given[0])))
import ui.web.app
heavy = {"gradio", "pandas", "torch", "transformers", "chromadb", "langsmith"}
print(sorted(heavy & set(sys.modules)))
ui.web.app.skip_stub_files()
import gradio.component_meta
print([name for name in read if name.endswith(".pyi")])
print(gradio.component_meta.create_or_modify_pyi.__module__)
print(type(gradio.component_meta.__loader__).__module__, hasattr(gradio.Textbox, "submit"))
"""


@contextmanager
def start_without_page(folder: Path) -> Iterator[tuple[Served, httpx.Client]]:
    """Run a server whose page isn't open until the block ends."""
    with small_archive(folder / "archive") as archive:
        chatbot: Any = QuotingChatbot(archive)
        served = start_programs(archive, chatbot, Settings(archive=archive.path, port=0))
        try:
            with httpx.Client(base_url=served.address, trust_env=False) as client:
                yield served, client
        finally:
            served.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with start_without_page(tmp_path_factory.mktemp("starting")) as (_, opened):
        yield opened


@pytest.fixture
def signals() -> Iterator[None]:
    """Handlers are as before after the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_starting_imports_neither_the_page_nor_its_stub_files() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "[]",
        "[]",
        "ui.web.gradio_stubs",
        "_frozen_importlib_external True",
    ]


def test_function_that_is_skipped_only_writes_stub_files() -> None:
    spec = find_spec("gradio")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).with_name(f"{MODULE.rpartition('.')[2]}.py")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    [skipped] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == FUNCTION
    ]
    assert {ast.unparse(node) for node in ast.walk(skipped) if isinstance(node, ast.Return)} <= {
        "return"
    }
    assert not [node for node in ast.walk(skipped) if isinstance(node, ast.Global | ast.Nonlocal)]
    stored = {
        type(node)
        for node in ast.walk(skipped)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        and isinstance(node.ctx, ast.Store)
    }
    assert stored == {ast.Name}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Expr | ast.Call)]
    texts = [ast.unparse(node) for node in calls if ast.unparse(node).startswith(f"{FUNCTION}(")]
    # the call, as an expression and as a statement that uses no value
    assert texts == [f"{FUNCTION}(component_class, name, events)"] * 2


def test_programs_are_answered_before_the_page(client: httpx.Client) -> None:
    assert client.get("/v1/livez").status_code == 200
    found = client.post("/v1/search", json={"query": HARBOUR.title}).raise_for_status().json()
    assert found["hits"]
    ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    told = client.post("/mcp", json=ping, headers={"Accept": "application/json, text/event-stream"})
    assert "search_archive" in told.text
    ready = client.get("/v1/readyz")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
    assert ready.json()["type"] == "urn:backfile:problem:starting"


def test_browser_gets_a_page_that_reloads_itself(client: httpx.Client) -> None:
    shown = client.get("/?article=x", headers={"Accept-Language": "de"})
    assert (shown.status_code, shown.headers["retry-after"]) == (503, "1")
    assert shown.headers["cache-control"] == "no-store"
    assert '<html lang="de">' in shown.text
    assert '<meta http-equiv="refresh" content="1">' in shown.text
    assert "Die Seite startet." in shown.text
    head = client.head("/")
    assert (head.status_code, head.content) == (503, b"")


@pytest.mark.parametrize("path", ["/config", "/gradio_api/app_id", "/gradio_api/heartbeat/abc"])
def test_parts_of_the_page_are_unavailable(client: httpx.Client, path: str) -> None:
    got = client.get(path)
    assert (got.status_code, got.headers["retry-after"]) == (503, "1")
    assert "The page is starting." in got.text


def test_checks_come_before_the_page(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 421
    assert client.get("/monitoring").status_code == 404


def test_page_is_shown_once_it_is_open(tmp_path: Path) -> None:
    with start_without_page(tmp_path) as (served, client):
        assert client.get("/").status_code == 503
        served.open_page()
        assert client.get("/").status_code == 200
        assert client.get("/config").json()["components"]
        assert client.get("/v1/readyz").json() == {"status": "ok"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(served.address, trust_env=False)


def test_signal_whose_exception_is_dropped_is_remembered(signals: None) -> None:
    stop = StopSignal()
    stop.check()
    dropped: list[Any] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda told: dropped.append(told.exc_type)
    try:
        referenced = set()  # type: ignore[var-annotated]
        watched = weakref.ref(referenced, lambda _: signal.raise_signal(signal.SIGTERM))
        del referenced  # Python drops what the callback raises
    finally:
        sys.unraisablehook = hook
    assert (watched(), dropped) == (None, [KeyboardInterrupt])
    for end in (stop.check, stop.wait):
        with pytest.raises(KeyboardInterrupt):
            end()


def test_ignored_interrupt_stays_ignored(signals: None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    StopSignal()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.slow
def test_sigterm_before_the_page_ends_the_server(tmp_path: Path) -> None:
    small_archive(tmp_path / "archive").close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    given = ("serve", "--archive", tmp_path / "archive", "--port", port)
    with start(*given, **pipes) as server:
        address = f"http://127.0.0.1:{port}/v1/livez"
        while server.poll() is None:
            with suppress(httpx.TransportError):
                httpx.get(address, trust_env=False).raise_for_status()
                break
            time.sleep(0.02)
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=60)
    assert (server.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert err == "backfile: stopped\n"
