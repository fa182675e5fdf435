"""Quality on small sets with the real model; lower a floor only on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ui import cli

pytestmark = pytest.mark.model

HERE = Path(__file__).parent
FLOORS = json.loads((HERE / "floors.json").read_text(encoding="utf-8"))


def test_retrieval_on_the_sample_stays_above_floors(
    sample_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = ["--archive", str(sample_archive)]
    questions = str(HERE / "sample_questions.jsonl")
    assert cli.main(["evaluate", "retrieval", questions, "--json", *archive]) == 0
    reached = json.loads(capsys.readouterr().out)
    for judged, floors in FLOORS["retrieval of the sample archive"].items():
        for measure, floor in floors.items():
            assert reached[judged][measure] >= floor, f"{judged} {measure}"


def test_evaluation_is_compared_with_a_saved_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "questions.jsonl"
    asked = {"question": "Who runs the ferry?", "answer": "Dunmore"}
    questions.write_text(json.dumps(asked), encoding="utf-8")
    article = {"title": "Ferry", "text": "Ann Dunmore runs the ferry to the island.", "id": "ferry"}
    (tmp_path / "one.jsonl").write_text(json.dumps(article), encoding="utf-8")
    archive = ["--archive", str(tmp_path / "archive")]
    assert cli.main(["ingest", str(tmp_path / "one.jsonl"), *archive]) == 0
    kept = str(tmp_path / "run.json")
    command = ["evaluate", "retrieval", str(questions), *archive]
    assert cli.main([*command, "--save", kept]) == 0
    assert cli.main([*command, "--compare", kept]) == 0
    assert "hit@1     +0.000  [+0.000, +0.000]" in capsys.readouterr().out


def test_unreadable_questions_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.jsonl").write_text("{", encoding="utf-8")
    assert cli.main(["evaluate", "retrieval", str(tmp_path / "broken.jsonl")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_answers_from_the_sample_stay_above_floors(
    sample_archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = ["--archive", str(sample_archive)]
    questions = str(HERE / "sample_questions.jsonl")
    command = ["evaluate", "answers", questions, "--altered", "60", "--json", *archive]
    assert cli.main(command) == 0
    measures = json.loads(capsys.readouterr().out)["measures"]
    reached = {f"{m['set']}, {m['measure']}": m["mean"] for m in measures}
    for measure, floor in FLOORS["answers from the sample archive"].items():
        assert reached[measure] >= floor, measure


def test_nothing_to_measure_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    article = {"title": "Ferry", "text": "Ann Dunmore runs the ferry to the island.", "id": "ferry"}
    (tmp_path / "one.jsonl").write_text(json.dumps(article), encoding="utf-8")
    archive = ["--archive", str(tmp_path / "archive")]
    assert cli.main(["ingest", str(tmp_path / "one.jsonl"), *archive]) == 0
    assert cli.main(["evaluate", "answers", *archive]) == 1
    assert "Nothing to measure" in capsys.readouterr().err
