"""`backfile browse` and `backfile names`."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.schema import Article
from tests.support.fakes import WordEmbeddings
from ui.cli import main

FERRY = Article(
    id="ferry",
    title="Ferry \x1b[31mruns",
    text="Ada Quillon opened the pier in Oslo. “We have waited a long time,” Quillon said.",
    publisher="Courier",
    authors=("Noor Haan",),
    published=datetime(2024, 10, 21, tzinfo=UTC),
    section="Local",
)
FORMULA = Article(
    id="formula",
    title='=HYPERLINK("https://evil.example","x")',
    text="The ferry is late, Milo Brandt said.",
    publisher="@Gazette",
    published=datetime(2024, 11, 2, tzinfo=UTC),
    access="desk",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browse") / "archive"
    with Archive.open(path, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([FERRY, FORMULA])
    return path


@pytest.fixture(autouse=True)
def _settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILE_EMBEDDING_MODEL", "words")
    monkeypatch.setenv("BACKFILE_ARCHIVE", str(folder))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    try:
        code = main(words)
    except SystemExit as end:  # the command was used wrongly
        code = int(end.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_browse_prints_articles_with_counts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "browse", "ferry")
    assert code == 0
    assert out.startswith("2 articles\npublisher  @Gazette 1, Courier 1\n")
    assert "month      2024-11 1, 2024-10 1" in out
    assert out.index("=HYPERLINK") < out.index("runs, Courier, 21 October 2024")
    assert "\x1b" not in out


def test_browse_limits_and_continues(capsys: pytest.CaptureFixture[str]) -> None:
    first = json.loads(run(capsys, "browse", "--limit", "1", "--json")[1])
    assert (first["total"], first["articles"][0]["article_id"]) == (2, "formula")
    command = ["browse", "--limit", "1", "--cursor", first["cursor"], "--json"]
    second = json.loads(run(capsys, *command)[1])
    assert (second["articles"][0]["article_id"], second["cursor"]) == ("ferry", "")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--publisher", "courier"], ["ferry"]),
        (["--author", "Noor Haan"], ["ferry"]),
        (["--section", "local"], ["ferry"]),
        (["--after", "2024-11-01"], ["formula"]),
        (["--before", "2024-11-01"], ["ferry"]),
        (["--genre", "opinion"], []),
        (["ferry", "NOT", "pier"], ["formula"]),
        (["ferry", "--order", "relevance", "--before", "2024-11-01"], ["ferry"]),
    ],
)
def test_browse_passes_filters(
    capsys: pytest.CaptureFixture[str], options: list[str], found: list[str]
) -> None:
    page = json.loads(run(capsys, "browse", *options, "--json")[1])
    assert [one["article_id"] for one in page["articles"]] == found


def test_browse_exports_csv_that_no_spreadsheet_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "articles.csv"
    assert run(capsys, "browse", "ferry", "--export", str(file))[1] == "exported: 2 articles\n"
    with file.open(encoding="utf-8-sig", newline="") as opened:
        formula, ferry = csv.DictReader(opened)
    assert formula["title"] == "'" + FORMULA.title
    assert formula["publisher"] == "'@Gazette"
    assert (ferry["id"], ferry["text"]) == ("ferry", FERRY.text)
    assert ferry["published"] == "2024-10-21T00:00:00+00:00"
    code, _, err = run(capsys, "browse", "--export", str(file))
    assert (code, "exists already" in err) == (1, True)


def test_browse_exports_json_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = run(capsys, "browse", "pier", "--export", "-")[1].splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["ferry"]
    code, _, err = run(capsys, "browse", "--export", str(tmp_path / "articles.docx"))
    assert (code, "must end in .csv, .jsonl, .parquet" in err) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cursor", "x"], "cursor is 'x'"),
        (["--publisher", "Nobody"], "No publisher 'Nobody'"),
        (["--after", "2024-11-01", "--before", "2024-10-01"], "--after must be earlier"),
    ],
)
def test_browse_explains_wrong_options(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    code, _, err = run(capsys, "browse", *options)
    assert code in (1, 2)
    assert said in err


def test_names_prints_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "names")[1].splitlines() == [
        "       1  Ada Quillon, person",
        "       1  Oslo, place",
        "       1  Milo Brandt, person",
    ]
    found = json.loads(run(capsys, "names", "--kind", "place", "--json")[1])
    assert found == [{"name": "Oslo", "kind": "place", "articles": 1}]
    assert run(capsys, "names", "--prefix", "zz")[1] == "No names found.\n"


def test_names_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "names", "ada", "quillon")[1]
    assert out.startswith("Ada Quillon, person: 1 article\npublished  21 October 2024; most in")
    assert "-   “We have waited a long time,” Quillon said. (Ferry" in out
    page = json.loads(run(capsys, "names", "quillon", "--json")[1])
    assert page["quotations_by"][0]["metadata"]["article_id"] == "ferry"
    assert run(capsys, "names", "Nobody")[1] == "No articles name Nobody.\n"
    assert run(capsys, "names", "Oslo", "--as-of", "2020-01-01")[1] == "No articles name Oslo.\n"
