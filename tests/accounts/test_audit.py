"""The audit log: what is written, by whom, and that nobody can forge an entry."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from rag.rights import Rights
from rag.settings import Settings
from tests.accounts.conftest import Site, log_in
from ui.accounts.audit import FILE, KEPT, LONGEST, AuditLog
from ui.cli.main import main
from ui.readers import Reader

ADA = Reader("0123456789abcdef", frozenset({"read"}), Rights(), "ada")
HOSTILE = 'x"}\n{"at": "2024", "action": "login", "name": "eva"}\r\n\x1b[2J\u202e\x00\u2028'


def entries(folder: Path) -> list[dict[str, object]]:
    return list(AuditLog(folder).read())


def test_entry_says_who_did_what_and_where(tmp_path: Path) -> None:
    AuditLog(tmp_path).record(ADA, "export", client="192.0.2.1", what="answers", count=3)
    (entry,) = entries(tmp_path)
    assert entry.pop("at")
    assert entry == {
        "action": "export",
        "who": ADA.id,
        "name": "ada",
        "client": "192.0.2.1",
        "what": "answers",
        "count": 3,
    }
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(("mode", "is_kept"), [("on", False), ("questions", True)])
def test_question_is_kept_only_where_the_setting_says_so(
    tmp_path: Path, mode: str, is_kept: bool
) -> None:
    log = AuditLog.of(Settings(archive=tmp_path, audit=mode))  # type: ignore[arg-type]
    log.record(ADA, "ask", question="Who owns the mine?")
    assert ("Who owns the mine?" in (tmp_path / FILE).read_text()) == is_kept


def test_nothing_is_written_when_it_is_off(tmp_path: Path) -> None:
    AuditLog.of(Settings(archive=tmp_path, audit="off")).record(ADA, "ask")
    assert list(tmp_path.iterdir()) == []


def test_value_cannot_forge_an_entry_or_move_the_cursor(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, "questions")
    log.record(Reader("a", frozenset(), Rights(), HOSTILE), "ask", question=HOSTILE, what=HOSTILE)
    log.record(None, "login_failed", name=HOSTILE * 1000)
    raw = (tmp_path / FILE).read_bytes()
    assert raw.count(b"\n") == 2
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in raw)
    first, second = entries(tmp_path)
    assert first["action"] == "ask"
    for value in (*first.values(), *second.values()):
        assert not set(str(value)) & set("\x1b\x00\r\n\u202e\u2028")
    assert len(str(second["name"])) <= LONGEST


def test_log_is_rotated_by_size_and_limited(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, largest=1_000)
    for number in range(200):
        log.record(ADA, "read", number=number)
    files = sorted(path.name for path in tmp_path.glob("audit*.jsonl"))
    assert files == sorted([FILE, *(f"audit.{number}.jsonl" for number in range(1, KEPT + 1))])
    assert all((tmp_path / name).stat().st_size <= 1_000 for name in files)
    numbers = [entry["number"] for entry in entries(tmp_path)]
    assert numbers == list(range(200 - len(numbers), 200))


def write_many(folder: Path, who: str) -> None:
    log = AuditLog(folder, largest=5_000)
    for number in range(60):
        log.record(Reader(who, frozenset(), Rights()), "read", number=number)


def test_processes_share_a_log(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=write_many, args=(tmp_path, who)) for who in ("one", "two", "three")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    found = [(entry["who"], entry["number"]) for entry in entries(tmp_path)]
    assert len(found) == len(set(found)) == 180
    for who in ("one", "two", "three"):
        assert [number for name, number in found if name == who] == list(range(60))


def test_damaged_line_does_not_hide_the_others(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.record(ADA, "ask")
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"at": "2024\n[1]\n\xff\xfe\n{}\n')
    log.record(ADA, "read")
    assert [entry["action"] for entry in entries(tmp_path)] == ["ask", "read"]


def test_log_that_cannot_be_written_keeps_nobody_from_working(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FILE).mkdir()
    log = AuditLog(tmp_path)
    log.record(ADA, "ask")
    log.record(ADA, "ask")
    assert capsys.readouterr().err.count("audit log") == 1


def test_command_filters_by_time_and_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = AuditLog(tmp_path)
    log.record(ADA, "ask", client="192.0.2.1")
    log.record(None, "login_failed", name="eve")
    arguments = ["audit", "--archive", str(tmp_path)]
    assert main([*arguments, "--who", "ADA"]) == 0
    assert capsys.readouterr().out.split()[1:] == ["ask", "ada", "192.0.2.1"]
    assert main([*arguments, "--who", ADA.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "ada"
    assert main([*arguments, "--since", "2100-01-01"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_page_and_login_are_logged(site: Site) -> None:
    with site.client("127.0.2.1") as browser:
        log_in(browser, "nobody\x1b[2J")
        log_in(browser, "ada")
        body = {"data": ["Which bridge was closed?"]}
        browser.post("/gradio_api/call/search", json=body).raise_for_status()
        browser.post("/logout")
    wanted = {"login_failed", "login", "search", "logout"}
    found = [entry for entry in entries(site.folder) if entry.get("client") == "127.0.2.1"]
    assert {entry["action"] for entry in found} >= wanted
    for entry in found:
        assert "correct horse" not in json.dumps(entry)
        if entry["action"] == "search":
            assert (entry["name"], entry["question"]) == ("ada", "Which bridge was closed?")
        if entry["action"] == "login_failed":
            assert entry["name"] == "nobody"
