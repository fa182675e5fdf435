"""Measure the time to the first statement of an answer, and to check one statement.

    python -m tests.benchmarks.answering [--archive DIR]

Over the sample archive and its questions, extractive, one process, the models loaded; to reach: a
first statement in 300 ms, a check in 50 ms.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from ingest.pipeline import ingest
from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.evaluate.retrieval import EvaluationQuestion, read_questions
from rag.settings import Settings
from rag.verify.verifier import Verifier
from ui.cli.ingest_session import sample_folder

QUESTIONS = Path(__file__).parents[1] / "quality" / "sample_questions.jsonl"
ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.answering")
    parser.add_argument("--archive", type=Path, help="an archive of the sample, else it is made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(archive=options.archive or Path(folder) / "sample")
        if options.archive is None:
            with Archive.open(settings.archive, mode="write", settings=settings) as archive:
                ingest(archive, [sample_folder()])
        with Archive.open(settings.archive, settings=settings) as archive:
            questions = read_questions(QUESTIONS.read_text(encoding="utf-8").splitlines())
            print_times("first statement", *first_statements(archive, questions))
            print_times("check of a statement", *checks(archive, questions))
    return 0


def first_statements(
    archive: Archive, questions: list[EvaluationQuestion]
) -> tuple[list[float], list[float]]:
    """Return the wall and the processor milliseconds until each first statement."""
    bot = Chatbot(archive)
    bot.ask(questions[0].question)  # loads the model
    wall, processor = [], []
    for _ in range(ROUNDS):
        for question in questions:
            begun, worked = time.perf_counter(), time.process_time()
            next(bot.stream(question.question, asked_on=question.asked_on))
            wall.append(1000 * (time.perf_counter() - begun))
            processor.append(1000 * (time.process_time() - worked))
    return wall, processor


def checks(
    archive: Archive, questions: list[EvaluationQuestion]
) -> tuple[list[float], list[float]]:
    """Return the milliseconds to check paraphrased sentences against passages."""
    bot = Chatbot(archive)
    wall, processor = [], []
    for question in questions:
        answer = bot.ask(question.question, asked_on=question.asked_on)
        verifier = Verifier(archive.embed)
        for statement in answer.statements:
            for citation in statement.citations:
                claim = " ".join(reversed(citation.quote.lower().split(", ")))
                hits = [hit for hit in answer.hits if hit.passage == citation.passage]
                begun, worked = time.perf_counter(), time.process_time()
                verifier.verify(claim, hits)
                wall.append(1000 * (time.perf_counter() - begun))
                processor.append(1000 * (time.process_time() - worked))
    return wall, processor


def print_times(what: str, wall: list[float], processor: list[float]) -> None:
    tenth = statistics.quantiles(wall, n=20)[-1] if len(wall) > 1 else wall[0]
    print(
        f"{what}: median {statistics.median(wall):.0f} ms, in 5 of 100 over {tenth:.0f} ms "
        f"(processor {statistics.median(processor):.0f} ms), {len(wall)} times"
    )


if __name__ == "__main__":
    raise SystemExit(main())
