"""Evaluation of page extraction: the story's shingles, title, date and authors."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.evaluate_extraction import (
    ExtractionEvaluation,
    Page,
    evaluate_extraction,
    overlap,
    read_pages,
)
from rag.errors import ReadError
from rag.evaluate.metrics import compare
from tests.readers.test_html import BODY, LD, PARAGRAPHS, page
from ui import cli


def make_page_folder(path: Path) -> Path:
    truth = {
        "crane": {"articleBody": "\n".join(PARAGRAPHS), "url": "https://velsund.example/crane"}
    }
    (path / "html").mkdir()
    (path / "ground-truth.json").write_text(json.dumps(truth), encoding="utf-8")
    head = f'<script type="application/ld+json">{json.dumps(LD)}</script>'
    (path / "html" / "crane.html.gz").write_bytes(gzip.compress(page(head)))
    return path


def test_overlap_of_identical_texts_is_one() -> None:
    assert (overlap("one two three four five", "one two three four five").precision) == 1
    half = overlap("a b c d e f g h", "a b c d e")
    assert (half.precision, half.recall) == (1, 2 / 5)
    assert overlap("a b c d e f g h", "").recall == 0


@given(st.text(alphabet="ab ", max_size=30), st.text(alphabet="ab ", max_size=30))
def test_overlap_precision_and_recall_swap_with_arguments(one: str, other: str) -> None:
    there, back = overlap(one, other), overlap(other, one)
    assert (there.precision, there.recall) == (back.recall, back.precision)


def test_evaluate_extraction_compares_with_trafilatura(tmp_path: Path) -> None:
    folder = make_page_folder(tmp_path)
    gold = tmp_path / "gold.json"
    gold.write_text(
        json.dumps(
            {
                "crane": {
                    "headline": ["Crane falls in Velsund", "Crane falls"],
                    "datePublished": "2024-10-24",
                    "authors": ["Ida Lund", "Ola Str", "Bo Yun"],
                }
            }
        ),
        encoding="utf-8",
    )
    found = evaluate_extraction(read_pages(folder, gold))
    measures = {metric.name: metric.score().mean for metric in found.metrics()}
    assert measures["story F1"] == measures["title exact"] == measures["publication day"] == 1
    assert measures["authors F1"] == 0.8  # two right of two found and three wanted
    assert 0.5 < measures["trafilatura F1"] <= 1
    assert {metric.name for metric in evaluate_extraction(read_pages(folder)).metrics()} == {
        "story F1",
        "story precision",
        "story recall",
        "story whole",
        "story clean",
        "trafilatura F1",
        "above trafilatura",
    }


def test_evaluate_extraction_can_withhold_metadata() -> None:
    content = page('<meta property="article:published_time" content="2024-10-24">')
    asked = Page("crane", content, days=("2024-10-24",))
    assert evaluate_extraction([asked]).pages[0].day is True
    assert evaluate_extraction([asked], metadata="withheld").pages[0].day is False


def test_extraction_evaluation_is_saved_and_compared(tmp_path: Path) -> None:
    run = evaluate_extraction(read_pages(make_page_folder(tmp_path)))
    kept = ExtractionEvaluation.loads(run.dumps())
    assert kept == run
    assert {d.mean for d in compare(run, kept)} == {0.0}
    with pytest.raises(ValueError, match="not a saved evaluation"):
        ExtractionEvaluation.loads('[{"name": "x"}]')


def test_evaluate_extraction_command_prints_every_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_page_folder(tmp_path)
    kept = str(tmp_path / "run.json")
    assert cli.main(["evaluate", "extraction", str(folder), "--save", kept]) == 0
    assert "trafilatura F1" in capsys.readouterr().out
    assert cli.main(["evaluate", "extraction", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["story F1"]["n"] == 1
    assert cli.main(["evaluate", "extraction", str(folder), "--compare", kept]) == 0
    assert "difference from the saved result" in capsys.readouterr().out
    assert cli.main(["evaluate", "extraction", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_read_pages_rejects_folder_without_page_list() -> None:
    with pytest.raises((ReadError, OSError)):
        list(read_pages(Path("nowhere")))


def test_rejected_page_counts_as_nothing_found() -> None:
    empty = Page("empty", page(body=""), body="\n".join(PARAGRAPHS), authors=("Ida Lund",))
    score = evaluate_extraction([empty, Page("full", page(body=BODY))]).pages[0]
    assert score.story is not None
    assert score.story.recall == 0
    assert score.authors == (0, 0, 1)


def test_evaluation_lists_the_worst_pages_with_their_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_page_folder(tmp_path)
    head = '<meta name="author" content="Ida Lund"><meta property="og:title" content="Other">'
    (folder / "html" / "short.html").write_bytes(page(head, body=BODY[: BODY.index("The crane")]))
    truth = {
        "crane": {"articleBody": "\n".join(PARAGRAPHS), "datePublished": "2024-10-24"},
        "short": {"articleBody": "\n".join(PARAGRAPHS), "authors": ["Ola Str", "Ida Lund"]},
        "unknown": {"url": "https://velsund.example/unknown"},
    }
    (folder / "html" / "unknown.html").write_bytes(page())
    (folder / "ground-truth.json").write_text(json.dumps(truth), encoding="utf-8")
    assert cli.main(["evaluate", "extraction", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["story whole"]["mean"] == 0.5
    assert found["publication day"] == {"n": 1, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert [one["name"] for one in found["pages"]] == ["short", "crane"]
    assert 0.5 < found["pages"][0]["story recall"] < 0.8
    assert found["pages"][0]["story precision"] == 1
    assert found["pages"][0]["authors"] == {"right": 1, "found": 1, "wanted": 2}
    assert found["pages"][1]["publication day"] is True
    assert cli.main(["evaluate", "extraction", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.rstrip().endswith("1 of 2            short")
    assert "crane" not in printed
    assert cli.main(["evaluate", "extraction", str(folder), "--worst", "0"]) == 0
    assert "worst pages" not in capsys.readouterr().out
