"""`backfile user` and `backfile token`, and what else reads the folder."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rag.archive.archive import Archive
from tests.accounts.conftest import PASSWORD
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings, small_archive
from ui import opening
from ui.accounts import audit, sql_store
from ui.cli.main import main


class Shell:
    """Runs commands on one archive."""

    def __init__(self, folder: Path, monkeypatch: Any, capsys: Any) -> None:
        self.folder = folder
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def run(self, *words: str, stdin: str = "", code: int = 0) -> str:
        """Run a command; return its output, with errors if it is to fail."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        assert main([*words, "--archive", str(self.folder)]) == code
        done = self._capsys.readouterr()
        return str(done.err if code else done.out)

    def json(self, *words: str, stdin: str = "") -> Any:
        """Run a command with --json; return the value."""
        return json.loads(self.run(*words, "--json", stdin=stdin))


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    return Shell(tmp_path / "archive", monkeypatch, capsys)


def test_user_gets_scopes_and_rights(shell: Shell) -> None:
    shell.run("user", "add", "ada", stdin=f"{PASSWORD}\n")
    words = ["--scope", "read", "--scope", "ingest", "--publisher", "Harbour Courier"]
    shell.run("user", "add", "ben", "--every-access", *words, stdin=f"{PASSWORD}\n")
    ada, ben = shell.json("user")["users"]
    assert (ada["scopes"], ada["rights"]["access"]) == (["read"], [])
    assert ada["rights"]["publishers"] == "everything"
    assert ben["scopes"] == ["ingest", "read"]
    assert ben["rights"] == {
        "publishers": ["harbour courier"],
        "sections": "everything",
        "access": "everything",
    }


LIMITED = {"publishers": ["harbour courier"], "sections": ["town"], "access": ["board"]}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["--scope", "ingest"], {}),
        (["--publisher", "A", "--publisher", "b"], {"publishers": ["a", "b"]}),
        (["--section", "Sport"], {"sections": ["sport"]}),
        (["--access", "staff"], {"access": ["staff"]}),
        (["--every-publisher"], {"publishers": "everything"}),
        (["--every-section"], {"sections": "everything"}),
        (["--every-access"], {"access": "everything"}),
        (["--no-access"], {"access": []}),
        (["--every-section", "--no-access"], {"sections": "everything", "access": []}),
    ],
)
def test_change_keeps_what_is_not_named(
    shell: Shell, words: list[str], changed: dict[str, Any]
) -> None:
    given = ["--publisher", "Harbour Courier", "--section", "Town", "--access", "board"]
    shell.run("user", "add", "ben", "--no-password", *given)
    shell.run("user", "change", "ben", *words)
    (ben,) = shell.json("user")["users"]
    assert ben["rights"] == {**LIMITED, **changed}
    assert ben["scopes"] == (["ingest"] if "--scope" in words else ["read"])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--publisher", "a", "--every-publisher"],
        ["--section", "a", "--every-section"],
        ["--access", "a", "--no-access"],
        ["--every-access", "--no-access"],
    ],
)
def test_unclear_change_is_refused(
    shell: Shell, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    shell.run("user", "add", "ben", "--no-password", "--publisher", "Harbour Courier")
    before = shell.json("user")
    with pytest.raises(SystemExit):
        shell.run("user", "change", "ben", *words)
    told = capsys.readouterr().err
    assert all(word in told for word in words if word.startswith("--"))
    assert shell.json("user") == before


def test_publisher_named_everything_is_a_publisher(shell: Shell) -> None:
    shell.run("user", "add", "ada", "--no-password", "--publisher", "everything")
    assert shell.json("user")["users"][0]["rights"]["publishers"] == ["everything"]


def test_password_is_no_argument(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--password", PASSWORD], [PASSWORD]):
        with pytest.raises(SystemExit):
            main(["user", "add", "ada", *words, "--archive", str(shell.folder)])
    with pytest.raises(SystemExit):
        shell.run("user", "add", "ada", stdin="")
    capsys.readouterr()
    assert "10" in shell.run("user", "add", "ada", stdin="short\n", code=1)
    assert shell.json("user")["users"] == []


def test_commands_change_a_user(shell: Shell) -> None:
    shell.run("user", "add", "ada", stdin=f"{PASSWORD}\n")
    shell.run("user", "passwd", "ADA", stdin="another password\n")
    shell.run("user", "disable", "ada")
    assert shell.json("user")["users"][0]["disabled"] is not None
    shell.run("user", "enable", "ada")
    shell.run("user", "change", "ada", "--section", "Town")
    (ada,) = shell.json("user")["users"]
    assert (ada["disabled"], ada["scopes"]) == (None, ["read"])
    assert ada["rights"]["sections"] == ["town"]
    assert "no user named" in shell.run("user", "disable", "eve", code=1)
    log = audit.AuditLog(shell.folder).read()
    assert [entry["what"] for entry in log] == [
        "added ada",
        "set the password of ada",
        "disabled ada",
        "enabled ada",
        "changed ada",
    ]


def test_token_is_shown_once_and_revoked_by_its_id(shell: Shell) -> None:
    shell.run("user", "add", "ada", "--no-password")
    secret = shell.run("token", "add", "ada", "nightly", "--expires", "2100-01-01").strip()
    assert secret.startswith("bf_")
    (listed,) = shell.json("token")["tokens"]
    assert listed["expires"].startswith("2100-01-01")
    for command in (["token"], ["token", "list"], ["user"], ["audit"]):
        assert secret not in shell.run(*command)
        assert secret[3:] not in shell.run(*command)
    with pytest.raises(SystemExit):
        shell.run("token", "revoke", secret)
    shell.run("token", "revoke", listed["id"])
    assert shell.json("token")["tokens"] == []
    assert "can't have more" in shell.run(
        "token", "add", "ada", "greedy", "--scope", "admin", code=1
    )


def test_names_are_shown_without_terminal_controls(shell: Shell) -> None:
    shell.run("user", "add", "ada\x1b[2J\nroot", "--no-password")
    assert "\x1b" not in shell.run("user")
    assert len(shell.run("user").splitlines()) == 1


def test_removals_and_exports_are_logged(shell: Shell, tmp_path: Path) -> None:
    small_archive(shell.folder).close()
    shell.run("withdraw", HARBOUR.id, "--reason", "legal")
    shell.run("reinstate", HARBOUR.id)
    shell.run("export", str(tmp_path / "articles.jsonl"))
    log = list(audit.AuditLog(shell.folder).read())
    assert [entry["action"] for entry in log] == ["withdraw", "reinstate", "export"]
    assert {entry.get("articles") for entry in log[:2]} == {HARBOUR.id}


def test_erasing_an_article_erases_it_from_the_log(shell: Shell) -> None:
    small_archive(shell.folder).close()
    log = audit.AuditLog(shell.folder, "questions", largest=300)
    for number in range(8):
        log.record(None, "ask", question=f"{number}: {HARBOUR.title}")
        log.record(None, "read", article=ORCHARD.id, number=number)
    assert len(list(shell.folder.glob("audit.*.jsonl"))) >= 3
    shell.run("withdraw", HARBOUR.id, "--erase", "--reason", "legal")
    for path in shell.folder.glob("audit*"):
        assert HARBOUR.title.encode() not in path.read_bytes()
        assert HARBOUR.id.encode() not in path.read_bytes()
    left = list(log.read())
    assert left[-1]["action"] == "erase"
    assert {entry["action"] for entry in left[:-1]} == {"read"}


# the folder


def test_users_may_be_added_before_the_first_article(shell: Shell) -> None:
    shell.run("user", "add", "ada", "--no-password")
    assert opening.is_unused(shell.folder)
    Archive.open(shell.folder, mode="write", embeddings=WordEmbeddings()).close()
    assert not opening.is_unused(shell.folder)
    assert len(shell.json("user")["users"]) == 1


def test_backup_and_export_have_no_accounts(shell: Shell, tmp_path: Path) -> None:
    small_archive(shell.folder).close()
    shell.run("user", "add", "ada", "--no-password")
    secret = shell.run("token", "add", "ada", "nightly").strip()
    backup, exported = tmp_path / "made.backup", tmp_path / "articles.jsonl"
    shell.run("backup", str(backup))
    shell.run("export", str(exported))
    with zipfile.ZipFile(backup) as packed:
        assert not any("users" in name or "audit" in name for name in packed.namelist())
        inside = b"".join(packed.read(name) for name in packed.namelist())
    user_id = shell.json("user")["users"][0]["id"]
    for content in (inside, exported.read_bytes()):
        assert secret.encode() not in content
        assert user_id.encode() not in content


@pytest.mark.parametrize("name", [sql_store.FILE, audit.FILE])
def test_files_of_accounts_lose_other_users_permissions(shell: Shell, name: str) -> None:
    small_archive(shell.folder).close()
    shell.run("user", "add", "ada", "--no-password")
    (shell.folder / name).chmod(0o644)
    Archive.open(shell.folder, mode="write", embeddings=WordEmbeddings()).close()
    assert (shell.folder / name).stat().st_mode & 0o077 == 0


def test_serve_refuses_other_machines_without_users(shell: Shell) -> None:
    small_archive(shell.folder).close()
    told = shell.run("serve", "--host", "0.0.0.0", "--port", "0", code=1)
    assert "backfile user add NAME" in told


def test_unknown_names_in_rights_are_warned_of(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    def warned(*words: str) -> str:
        assert main([*words, "--archive", str(shell.folder)]) == 0
        return str(capsys.readouterr().err)

    assert warned("user", "add", "ann", "--no-password", "--publisher", "Harbor Courier") == ""
    small_archive(shell.folder).close()
    near = ("user", "add", "ben", "--no-password", "--publisher", "Harbor Courier")
    assert f"Did you mean {HARBOUR.publisher!r}?" in warned(*near)
    assert warned("user", "change", "ben", "--publisher", HARBOUR.publisher.upper()) == ""
    changed = warned("user", "change", "ben", "--section", "nowhere")
    assert "no article has the section 'nowhere'" in changed
    assert "publisher" not in changed  # what they had already isn't looked at
    shell.run("user", "change", "ben", "--every-publisher", "--every-section", "--every-access")
    made = warned("token", "add", "ben", "report", "--publisher", "Zzz", "--access", "press")
    assert "no article has the publisher 'zzz'. There are " in made
    assert "no article has the access value 'press'." in made
    assert len(shell.json("user")["users"]) == 2
