"""The `backfile` command: what it prints, to which stream, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.errors import ArchiveNotFoundError
from tests.support.commands import command, environment, run, run_process
from tests.support.fakes import ARTICLES, HARBOUR, ORCHARD, as_json
from tests.ui.pdf_reader import read_pdf
from ui.cli import main

HEAVY = [
    "torch",
    "chromadb",
    "gradio",
    "langchain",
    "langchain_core",
    "numpy",
    "dateparser",
    "rich",
]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BACKFILE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dump") / "articles.jsonl"
    path.write_text("".join(json.dumps(as_json(article)) + "\n" for article in ARTICLES))
    return path


@pytest.fixture(scope="module")
def folder(real_model: None, tmp_path_factory: pytest.TempPathFactory, dump: Path) -> Path:
    """An archive filled by the command."""
    archive = tmp_path_factory.mktemp("cli") / "archive"
    done = run("ingest", dump, "--archive", archive, "--json")
    assert done.code == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report) == [
        "new", "changed", "unchanged", "removed", "kept_out", "rejected", "notices",
        "passages", "seconds",
    ]  # fmt: skip
    assert (report["new"], report["rejected"]) == (len(ARTICLES), 0)
    return archive


# Without an archive


def test_help_takes_half_a_second_at_most() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_process("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.code == 0
    assert all(name in done.stdout for name in ("ask", "search", "ingest", "serve", "status"))
    # Processor time: other processes don't lengthen it, and it includes no waiting.
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 0.5


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom ui.cli import main\n"
        "try: main(['ask', '--help'])\n"
        "except SystemExit: pass\n"
        f"sys.exit(', '.join(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.stderr.strip() == ""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor has one thread anyway")
@pytest.mark.parametrize(("said", "threads"), [(None, 1), ("2", 2)])
def test_command_uses_one_blas_thread_by_default(
    said: str | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)  # the tests' own
    code = """
from ui.cli import main
main(["status", "--archive", "none"])
import numpy, threadpoolctl
pools = threadpoolctl.threadpool_info()
print([pool["num_threads"] for pool in pools if pool["internal_api"] == "openblas"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(**({"OPENBLAS_NUM_THREADS": said} if said else {})),
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() in (f"[{threads}]", "[]")  # another library than OpenBLAS: a Mac's


def test_before_help_says_its_day_is_excluded() -> None:
    assert "before this day (not on it)" in " ".join(run("search", "--help").stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["unknown"],
        ["search"],
        ["search", "x", "-k", "0"],
        ["search", "x", "--after", "no date"],
        ["search", "x", "--after", "10/11/2024"],
        ["search", "x", "--after", "2024-10-24", "--before", "2024-10-24"],
        ["ask", "x", "--asked-on", "2024-13-01"],
        ["serve", "--port", "70000"],
        ["ingest"],
    ],
)
def test_usage_error_exits_2_with_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("backfile")
    assert line.endswith("--help`.")


@pytest.mark.parametrize("words", [["ask", "Who?"], ["search", "who"], ["status"], ["serve"]])
def test_missing_archive_is_one_line_that_says_what_to_run(
    words: list[str], tmp_path: Path
) -> None:
    # Nobody may add articles on the page: else `serve` would create the archive for them.
    done = run(*words, "--archive", tmp_path / "none", BACKFILE_WRITE_ACCESS="none")
    assert (done.code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("backfile: ")
    assert "backfile ingest" in line
    assert not (tmp_path / "none").exists()


def test_archive_is_read_from_the_environment(tmp_path: Path) -> None:
    done = run("status", BACKFILE_ARCHIVE=str(tmp_path / "elsewhere"))
    assert "elsewhere" in done.stderr


def test_unknown_setting_is_rejected_by_name() -> None:
    done = run("status", BACKFILE_ARCHIV="x")
    assert done.code == 1
    assert "BACKFILE_ARCHIV:" in done.stderr


@pytest.mark.slow
def test_ctrl_c_ends_without_a_traceback(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("search", "-", "--archive", str(tmp_path)),
        env=environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.5)  # by then it waits for the question
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "backfile: stopped\n")


# With an archive


def test_ask_prints_the_answer_then_its_sources(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["ask", "How long will repairs of the harbour bridge take?", *archive_option(folder)])
        == 0
    )
    out = capsys.readouterr().out
    assert "repairs would take six weeks" in " ".join(out.split())
    assert "[1] Harbour bridge closed after storm, The Harbour Courier, 21 October 2024" in out
    assert "https://courier.example/harbour" in out
    assert "As of 21 October 2024." in out


def test_ask_json_is_the_whole_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(
        [
            "ask",
            "How long will repairs of the harbour bridge take?",
            "--json",
            *archive_option(folder),
        ]
    )
    answer = json.loads(capsys.readouterr().out)
    cited = answer["statements"][0]["citations"][0]
    assert cited["quote"] == HARBOUR.text[cited["start"] : cited["end"]]
    assert answer["as_of"] == cited["published"] == "2024-10-21"


@pytest.mark.parametrize(
    ("mode", "label"),
    [
        ("timeline", "[21 October 2024:] The harbour bridge"),
        ("compare", "[The Harbour Courier, 21 October 2024:] The harbour bridge"),
        ("quotes", "The passages found quote nobody on this."),
    ],
)
def test_ask_lays_out_the_answer_by_mode(
    folder: Path, capsys: pytest.CaptureFixture[str], mode: str, label: str
) -> None:
    question = "What happened to the harbour bridge?"
    assert main(["ask", question, "--mode", mode, *archive_option(folder)]) == 0
    assert label in " ".join(capsys.readouterr().out.split())
    assert main(["ask", question, "--mode", mode, "--json", *archive_option(folder)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["refused"] is (mode == "quotes")
    assert answer["question"] == question


@pytest.mark.parametrize("name", ["answer.pdf", "answer.DOCX", "answer.md", "answer.json"])
def test_ask_exports_to_a_new_file_in_the_format_of_its_name(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    question = "How long will repairs of the harbour bridge take?"
    command = ["ask", question, "--export", str(tmp_path / name), *archive_option(folder)]
    assert main(command) == 0
    assert capsys.readouterr().out == f"exported: {tmp_path / name}\n"
    content = (tmp_path / name).read_bytes()
    if name == "answer.pdf":
        read = read_pdf(content)
        assert "repairs would take six weeks" in read.text
        assert HARBOUR.url in read.links
        assert read.properties["Title"] == question
    assert content[:2] == {"answer.pdf": b"%P", "answer.DOCX": b"PK", "answer.md": b"##"}.get(
        name, b"[\n"
    )
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert main(command) == 1
    assert "exists already" in capsys.readouterr().err


def test_ask_exports_layouts_and_json_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = tmp_path / "answer.html"
    asked = ["ask", "What happened to the harbour bridge?", "--mode", "timeline", "--json"]
    assert main([*asked, "--export", str(made), *archive_option(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["statements"]
    assert "21 October 2024:" in made.read_text()


@pytest.mark.parametrize("name", ["answer.txt", "answer", ""])
def test_ask_names_the_formats_that_it_exports(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        main(["ask", "Who?", "--export", name, *archive_option(folder)])
    assert "FILE must end in .docx, .pdf, .md, .html, .ris or .json" in capsys.readouterr().err


def test_ask_rejects_an_unknown_mode(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ask", "Who?", "--mode", "poem", *archive_option(folder)])
    assert "poem" in capsys.readouterr().err


def test_ask_reads_the_question_from_stdin(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Why is the apple harvest small?\n"))
    assert main(["ask", "--json", *archive_option(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["question"] == "Why is the apple harvest small?"


def test_refusal_exits_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["ask", "Who won the chess olympiad in Budapest?", "--json", *archive_option(folder)])
        == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert answer["refused"]
    assert answer["text"] == answer["reason"] != ""


def test_search_prints_the_best_passages_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "apple", "harvest", "-k", "2", *archive_option(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1.  Orchards expect a small apple harvest, Orchard Gazette")
    assert "\n2.  " in out


def test_search_offers_closest_passages_of_other_dates(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "apple harvest in May 2011", *archive_option(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("(published 1 May 2011 to 31 May 2011)")
    assert "No passages found. The closest from other dates:" in out
    assert "Orchards expect a small apple harvest" in out


def test_search_json_is_a_list_of_passages(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["search", "apple harvest", "--json", *archive_option(folder)])
    hits = json.loads(capsys.readouterr().out)
    assert hits[0]["article_id"] == ORCHARD.id
    assert hits[0]["text"] == ORCHARD.text[hits[0]["start"] : hits[0]["end"]]
    assert [hit["score"] for hit in hits] == sorted((h["score"] for h in hits), reverse=True)


@pytest.mark.parametrize(
    ("limits", "days"),
    [
        (["--after", "2024-10-23"], {"23", "24"}),
        (["--before", "2024-10-22"], {"21"}),
        (["--after", "22 October 2024", "--before", "2024-10-23"], {"22"}),
        (["--publisher", "orchard gazette"], {"23"}),
        (["--publisher", "Orchard Gazette", "--publisher", "The Harbour Courier"], {"21", "23"}),
    ],
)
def test_search_filters_by_date_and_publisher(
    folder: Path, capsys: pytest.CaptureFixture[str], limits: list[str], days: set[str]
) -> None:
    main(["search", "harbour lighthouse apple", "--json", *limits, *archive_option(folder)])
    hits = json.loads(capsys.readouterr().out)
    assert {hit["published"][8:10] for hit in hits} == days


def test_unknown_publisher_gets_suggestions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "x", "--publisher", "Orchard Gazet", *archive_option(folder)]) == 1
    assert "Orchard Gazette" in capsys.readouterr().err


def test_search_prints_article_markup_verbatim(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["search", "lighthouse keeper", "-k", "1", *archive_option(folder)])
    assert "<script>window.pwned=1</script>" in capsys.readouterr().out


def test_status_prints_contents(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json", *archive_option(folder)]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["articles"] == len(ARTICLES)
    assert (status["first"], status["last"]) == ("2024-10-21", "2024-10-24")
    assert {"name": "Orchard Gazette", "articles": 1}.items() <= status["publishers"][1].items()
    assert main(["status", *archive_option(folder)]) == 0
    assert "21 to 24 October 2024" in capsys.readouterr().out


def test_closed_pipe_ends_quietly(folder: Path) -> None:
    process = subprocess.Popen(
        command("status", *archive_option(folder)),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), said) == (141, b"")


def test_ask_on_a_terminal_takes_question_after_question(folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("ask", *archive_option(folder)),
        env=environment(TERM="xterm", COLUMNS="80"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    )
    os.close(theirs)
    try:
        read_until(ours, "> ")
        os.write(ours, b"How long will repairs of the harbour bridge take?\n")
        said = read_until(ours, "As of 21 October 2024.\r\n\r\n> ")
        assert "repairs would take six weeks" in said
        os.write(ours, b"\x04")
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, words: str) -> str:
    """Return what a terminal prints up to `words`."""
    shown = ""
    while words not in shown:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"waited for {words!r} and saw {shown!r}"
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


# Ingest


def test_ingesting_again_changes_nothing(
    folder: Path, dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", str(dump), *archive_option(folder)]) == 0
    assert re.match(r"0 new, 0 changed, 4 unchanged, 0 rejected; ", capsys.readouterr().out)


@pytest.mark.model
def test_reject_is_a_json_line_on_stderr(tmp_path: Path, dump: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(dump.read_text() + '{"title": "broken\n')
    done = run_process("ingest", mixed, *archive_option(tmp_path / "archive"), "--json")
    assert done.code == 3, done.stderr
    assert json.loads(done.stdout)["new"] == len(ARTICLES)
    (line,) = done.stderr.splitlines()
    reject = json.loads(line)
    assert list(reject) == ["place", "reason"]
    assert "mixed.jsonl" in reject["place"]


@pytest.mark.model
def test_interrupted_ingest_keeps_what_it_added(tmp_path: Path) -> None:
    dump = tmp_path / "many.jsonl"
    lines = ({**as_json(HARBOUR), "id": f"id-{n}", "url": ""} for n in range(20_000))
    dump.write_text("".join(json.dumps(line) + "\n" for line in lines))
    archive = tmp_path / "archive"
    process = subprocess.Popen(
        command("ingest", str(dump), *archive_option(archive)),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    while count_articles(archive) == 0:
        assert process.poll() is None
        time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "backfile: stopped"
    assert "Traceback" not in said
    assert 0 < count_articles(archive) < 20_000


def count_articles(folder: Path) -> int:
    try:
        with Archive.open(folder) as archive:
            return archive.status().articles
    except ArchiveNotFoundError:
        return 0


@pytest.mark.parametrize("kind", ["missing", "empty file", "empty folder"])
def test_nothing_to_ingest_exits_1_with_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "input"
    if kind == "empty file":
        path.write_text("")
    elif kind == "empty folder":
        path.mkdir()
    done = run("ingest", path, *archive_option(tmp_path / "archive"))
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("backfile: ")


def archive_option(folder: Path) -> list[str]:
    return ["--archive", str(folder)]


def test_search_imports_neither_chroma_nor_langchain(sample_archive: Path) -> None:
    heavy = (*HEAVY, "chromadb", "langchain_core", "pydantic", "httpx", "opentelemetry")
    code = (
        "import sys\nfrom ui.cli import main\n"
        f"code = main(['search', 'soldiers', '--archive', {str(sample_archive)!r}])\n"
        f"sys.exit(code or ', '.join(set(sys.modules) & set({heavy!r}) - {{'numpy', 'tantivy'}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.stderr.strip() == ""
    assert done.stdout.strip()
