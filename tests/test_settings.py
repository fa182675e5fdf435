"""Settings and their ranges, the error hierarchy, and the version."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ingest.fetch.errors import FetchError
from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.errors import ArchiveNotFoundError, BackfileError, ChatModelError, SettingsError
from rag.index.chroma_files import DamagedIndexError
from rag.settings import RANGES, Settings
from tests.support.fakes import small_archive
from ui.cli import main

ROOT = Path(__file__).parent.parent
IMPOSSIBLE = [
    *[("TIMEOUT", bad) for bad in ("-5", "0", "nan", "inf", "-inf", "1e9", "soon")],
    *[("PORT", bad) for bad in ("99999", "-1", "80.5", "")],
    *[("FETCH_BYTES", bad) for bad in ("-1", "0", "1" + "0" * 40, "10MB")],
    *[("FETCH_SECONDS", bad) for bad in ("-1", "0", "nan")],
    *[("FETCH_DELAY", bad) for bad in ("-0.1", "nan", "inf")],
    *[("CHAT_PRICE_IN", bad) for bad in ("-1", "nan")],
    *[("CHAT_PRICE_OUT", bad) for bad in ("-1", "inf")],
    *[("CHAT_CONTEXT_TOKENS", bad) for bad in ("-1", "0")],
    *[
        ("FEEDING", "me"),
        ("FEEDING", "anyone"),
        ("WRITE_ACCESS", "everyone"),
        ("UNSUPPORTED", "lenient"),
        ("CHAT_EVIDENCE", "json"),
        ("EMBEDDING_PRECISION", "int8"),
        ("BASE_URL", "archive.paper.example"),
        ("BASE_URL", "javascript:alert(1)"),
        ("BASE_URL", "https://paper.example/?page=1"),
    ],
]


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_environment_rejects_an_invalid_setting(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({f"BACKFILE_{name}": value})
    said = str(refused.value)
    assert f"BACKFILE_{name}" in said
    assert "\n" not in said
    assert "choose from" in said or "it may be" in said or "not " in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("timeout", bad) for bad in (-5, 0.0, float("nan"), float("inf"), "60", True, None)],
        *[("port", bad) for bad in (99_999, -1, 80.0, "7860")],
        *[("fetch_bytes", bad) for bad in (-1, 0, 1.5)],
        *[("archive", 5), ("host", None), ("write_access", "me"), ("unsupported", None)],
    ],
)
def test_settings_reject_an_invalid_value(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"BACKFILE_{name.upper()}"):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("old", "current"), [("local", "local"), ("everyone", "anyone"), ("nobody", "none")]
)
def test_old_name_of_write_access_still_works(old: str, current: str) -> None:
    assert Settings.from_environment({"BACKFILE_FEEDING": old}).write_access == current
    both = {"BACKFILE_FEEDING": "everyone", "BACKFILE_WRITE_ACCESS": current}
    assert Settings.from_environment(both).write_access == current


@pytest.mark.parametrize("name", RANGES)
def test_ends_of_a_range_are_valid(name: str) -> None:
    kind = type(getattr(Settings(), name))
    for end in RANGES[name]:
        assert getattr(Settings(**{name: kind(end)}), name) == end


def test_settings_convert_paths_and_whole_numbers() -> None:
    settings = Settings(archive="here", timeout=3)  # type: ignore[arg-type]
    assert settings == Settings(archive=Path("here"), timeout=3.0)


def test_option_out_of_range_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", "99999"])
    assert ended.value.code == 2
    assert "0 to 65535" in capsys.readouterr().err


def test_command_names_the_invalid_setting_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BACKFILE_FETCH_BYTES", "-1")
    assert main(["status"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("backfile: BACKFILE_FETCH_BYTES is -1: choose from 1 to ")
    assert said.count("\n") == 1


CONTROL_FLOW = {  # none reaches a caller
    *("CredentialsError", "NotModifiedError", "ProblemError", "RejectedRequestError"),
    *("OpenAIError", "OpenAIRequestError", "StoppedError", "_TooLongError"),
}


def test_every_exception_is_a_backfile_error() -> None:
    bases: dict[str, list[str]] = {}
    for package in ("rag", "ingest", "ui"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    bases[node.name] = [ast.unparse(base) for base in node.bases]

    def is_error(name: str) -> bool:
        return bool(re.search(r"(Error|Exception)$", name)) or any(
            map(is_error, bases.get(name, []))
        )

    def is_ours(name: str) -> bool:
        return name == "BackfileError" or any(map(is_ours, bases.get(name, [])))

    errors = {name for name in bases if is_error(name)}
    assert {"FetchError", "DamagedIndexError", "BackfileError"} <= errors
    assert {name for name in errors if not is_ours(name)} == CONTROL_FLOW & errors
    assert issubclass(FetchError, BackfileError)
    assert issubclass(DamagedIndexError, BackfileError)


def test_version_matches_pyproject(capsys: pytest.CaptureFixture[str]) -> None:
    import rag

    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert rag.__version__ == version
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"backfile {version}\n"


def test_version_is_known_without_an_installation() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import rag; print(rag.__version__)"
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"\d+\.\d+\S*\n", found.stdout)


def test_chatbot_closes_the_archive_that_it_opened(tmp_path: Path) -> None:
    small_archive(tmp_path).close()
    settings = Settings(archive=tmp_path, embedding_model="words")
    with Chatbot.open(settings=settings) as chatbot:
        archive = chatbot.archive
        assert isinstance(archive, Archive)
        connection = archive.store.database.connection
        assert archive.count().articles
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    chatbot.close()  # again: nothing happens


def test_chatbot_leaves_a_given_archive_open(tmp_path: Path) -> None:
    with small_archive(tmp_path) as archive:
        with Chatbot(archive) as chatbot:
            assert chatbot.archive is archive
        assert archive.count().articles


def test_chatbot_that_fails_to_open_leaves_nothing_open(tmp_path: Path) -> None:
    small_archive(tmp_path).close()
    settings = Settings(archive=tmp_path, embedding_model="words", chat_model="no provider")
    with pytest.raises(ChatModelError):
        Chatbot.open(settings=settings)
    with pytest.raises(ArchiveNotFoundError):
        Chatbot.open(tmp_path / "elsewhere", settings=settings)
