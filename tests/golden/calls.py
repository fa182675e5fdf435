"""Calls of the project, with their results as plain values: the only module here that imports it.

Each result is a pair of facts and words. After a rename in the project, or when words move from a
value to `ui`, change this module and not the expected outputs.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from rag import ALL_RIGHTS, Answer, Archive, Chatbot, Citation, Filters, Hit, Statement
from rag.answer.timeline import build_timeline
from rag.retrieval.histogram import date_histogram
from rag.retrieval.hybrid import retrieve
from tests.golden.cases import (
    ANSWERS,
    COMMANDS,
    FIRST_INGEST,
    HELP,
    HISTOGRAMS,
    SEARCHES,
    SECOND_INGEST,
    TIMELINES,
    Case,
)
from tests.support.fake_chat_model import ScriptedChatModel
from ui.cli import main
from ui.i18n import (
    notices_text,
    refusal_text,
    render,
    render_all,
    statement_text,
    understood_text,
)

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "ingest" / "sample"
QUALITY = ROOT / "tests" / "quality"
QUESTIONS = QUALITY / "sample_questions.jsonl"
DIGITS = 4
# Values of JSON that differ from run to run.
VOLATILE = {
    "path",
    "last_ingest",
    "last_run",
    "bytes",
    "seconds",
    "ms",
    "first_statement_ms",
    "embedding",
}
WORDS = {"notice", "reason", "understood"}
NAMES_OF_MEASURES = {"set", "measure", "kind"}

Both = tuple[Any, Any]  # facts and words


# The archive


@contextlib.contextmanager
def plain_environment() -> Iterator[None]:
    """Unset the project's variables; compute in float32, and print lines of 80 characters."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("BACKFILE_")}
    fixed = {
        "BACKFILE_EMBEDDING_BACKEND": "torch",
        "BACKFILE_EMBEDDING_PRECISION": "float32",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    with mock.patch.dict(os.environ, kept | fixed, clear=True):
        yield


def ingest_sample(folder: Path) -> Both:
    """Make the sample archive in `folder` in two runs, dated apart; return what both print."""
    runs = [[SAMPLE / "articles.jsonl", SAMPLE / "notes", SAMPLE / "pages"]]
    runs += [[SAMPLE / "updates.jsonl"]]
    reports, last = [], []
    database = folder / "archive.sqlite"
    for paths in runs:
        printed = run_command(["ingest", *map(str, paths), "--json"], folder)[1]
        reports.append(without_volatile(json.loads(printed)))
        with contextlib.closing(sqlite3.connect(database)) as connection:
            last += connection.execute("SELECT max(sequence) FROM changes").fetchone()
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE changes SET at = ?", (SECOND_INGEST,))
        connection.execute("UPDATE changes SET at = ? WHERE sequence <= ?", (FIRST_INGEST, last[0]))
    return reports, {}


def open_archive(folder: Path) -> Archive:
    return Archive.open(folder)


# Answers and searches


def answers(archive: Archive) -> Both:
    """Return every answer; the words are keyed like the facts."""
    asked: dict[str, Answer] = {}
    for name, case in ANSWERS.items():
        asked[name] = _ask(archive, case, asked)
    return _split_answers(asked)


def timelines(archive: Archive) -> Both:
    return _split_answers({name: _timeline(archive, case) for name, case in TIMELINES.items()})


def searches(archive: Archive) -> Both:
    """Return what each question is understood to ask, and the passages found for it."""
    facts, words = {}, {}
    for name, case in SEARCHES.items():
        found = retrieve(
            archive.as_of(_day(case.as_of)) if case.as_of else archive,
            case.question,
            case.k,
            filters=_filters(case),
            asked_on=_day(case.asked_on or case.as_of),
            history=_history(archive, case),
        )
        asked = found.question
        facts[name] = {
            "question": case.question,
            "query": asked.query,
            "window": _window(asked.time_range),
            "publishers": list(asked.publishers),
            "authors": list(asked.authors),
            "phrases": list(asked.phrases),
            "excluded": list(asked.excluded),
            "years": list(asked.years),
            "parts": [part.query for part in asked.parts],
            "considered": found.considered,
            "relaxed": bool(found.relaxed),
            "hits": _hits(found.hits),
            "outside": _hits(found.outside),
        }
        words[name] = _drop_empty(
            understood=understood_text(asked.describe()),
            notice=render_all(found.notices),
        )
    return facts, words


def windows(archive: Archive) -> Both:
    """Return the time range found in each question of the quality sets, and how many are right."""
    facts: dict[str, Any] = {}
    for name in ("windows", "windows_held_out"):
        right, found = 0, {}
        rows = _rows(QUALITY / f"{name}.jsonl")
        for row in rows:
            asked_on = _day(row["asked_on"]).replace(hour=15)
            # No passages are asked for: nothing is searched, the question is only parsed.
            asked = retrieve(archive, row["question"], 0, asked_on=asked_on).question
            window = _window(asked.time_range)
            found[f"{row['asked_on']} {row['question']}"] = window
            right += window == row["window"]
        facts[name] = {"right": right, "questions": len(rows), "found": found}
    return facts, {}


def histograms(archive: Archive) -> Both:
    """Return the articles per day, week or month."""
    facts = {}
    for name, case in HISTOGRAMS.items():
        before = [answer for _, answer in _history(archive, case)]
        cited = [c.metadata.article_id for answer in before for c in answer.citations]
        found = date_histogram(archive, case.question, filters=_filters(case), cited=cited)
        bars = {bar.start.date().isoformat(): [bar.articles, bar.cited] for bar in found.bars}
        facts[name] = {"step": found.step, "bars": {day: n for day, n in bars.items() if n[0]}}
    return facts, {}


def _ask(archive: Archive, case: Case, asked: Mapping[str, Answer]) -> Answer:
    model = ScriptedChatModel(scripts=[case.script]) if case.script else None
    chatbot = Chatbot(archive, model, unsupported=case.unsupported)  # type: ignore[arg-type]
    return chatbot.ask(
        case.question,
        filters=_filters(case),
        asked_on=_day(case.asked_on),
        as_of=_day(case.as_of),
        history=[(ANSWERS[name].question, asked[name]) for name in case.history],
        k=case.k,
    )


def _timeline(archive: Archive, case: Case) -> Answer:
    filters, asked_on = _filters(case), _day(case.asked_on)
    return build_timeline(archive, case.question, filters=filters, asked_on=asked_on)


def _history(archive: Archive, case: Case) -> list[tuple[str, Answer]]:
    earlier = {name: ANSWERS[name] for name in case.history}
    return [(one.question, _ask(archive, one, {})) for one in earlier.values()]


def _filters(case: Case) -> Filters:
    return Filters(
        after=_day(case.after),
        before=_day(case.before),
        publishers=case.publishers,
        access=ALL_RIGHTS,
    )


def _day(text: str | None) -> Any:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


# Values as JSON


def _split_answers(asked: Mapping[str, Answer]) -> Both:
    facts = {name: _answer_facts(answer) for name, answer in asked.items()}
    return facts, {name: _answer_words(answer) for name, answer in asked.items()}


def _answer_facts(answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question,
        "refused": answer.refused,
        "statements": [_statement(one) for one in answer.statements],
        "removed": [_statement(one) for one in answer.rejected_statements],
        "as_of": answer.newest_source and answer.newest_source.isoformat(),
        "considered": answer.candidates_considered,
        "confidence": answer.confidence and round(answer.confidence, DIGITS),
        "tokens": [answer.usage.input_tokens, answer.usage.output_tokens],
        "hits": _hits(answer.hits),
        "closest": _hits(answer.nearest_hits),
    }


def _answer_words(answer: Answer) -> dict[str, Any]:
    return _drop_empty(
        understood=understood_text(answer.understood),
        notice=notices_text(answer),
        reason=refusal_text(answer),
        statements=_reasons(answer.statements),
        removed=_reasons(answer.rejected_statements),
    )


def _reasons(statements: Sequence[Statement]) -> dict[str, Any]:
    return _drop_empty(**{str(i): render(one.reason) for i, one in enumerate(statements)})


def _drop_empty(**words: Any) -> dict[str, Any]:
    return {name: said for name, said in words.items() if said}


def _statement(statement: Statement) -> dict[str, Any]:
    cited = [_citation(citation) for citation in statement.citations]
    return {
        "text": statement_text(statement),
        "support": statement.support,
        "citations": cited,
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "article": citation.passage.article_id,
        "revision": citation.passage.revision,
        "start": citation.start,
        "end": citation.end,
        "passage": [citation.passage.start, citation.passage.end],
        "copies": [head.article_id for head in citation.copies],
    }


def _hits(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    return [
        {
            "article": hit.passage.article_id,
            "revision": hit.passage.revision,
            "start": hit.passage.start,
            "end": hit.passage.end,
            "score": round(float(hit.score), DIGITS),
            "copies": [head.article_id for head in hit.copies],
        }
        for hit in hits
    ]


def _window(window: Any) -> dict[str, Any] | None:
    if window is None:
        return None
    start, end = (moment and moment.date().isoformat() for moment in (window.start, window.end))
    return {"start": start, "end": end, "hard": window.hard}


# Commands


def commands(folder: Path) -> Both:
    """Return the exit code and the JSON of each command; what it prints in words apart."""
    facts: dict[str, Any] = {}
    words: dict[str, Any] = {}
    for name, arguments in COMMANDS.items():
        code, out, err = run_command(arguments, folder)
        facts[name] = {"arguments": arguments, "exit": code}
        said = {"stderr": err}
        if "--json" in arguments:
            facts[name]["json"], said["json"] = split(without_volatile(json.loads(out)), WORDS)
        else:
            said["stdout"] = out
        words[name] = _drop_empty(**said)
    return facts, words


def help_pages() -> dict[str, str]:
    """Return the page of `--help` of each command, by its name."""
    pages = {}
    for name in HELP:
        code, out, err = run_command([*name.split(), "--help"])
        assert (code, err) == (0, ""), name
        pages[name] = out
    return pages


def command_names(page: str) -> list[str]:
    """Return the commands that a page of help lists: indented names with a summary behind."""
    return re.findall(r"^ {2,4}([a-z][a-z-]*)(?: {2,}\S|$)", page, re.MULTILINE)


def run_command(arguments: Sequence[str], folder: Path | None = None) -> tuple[Any, str, str]:
    """Run one command in this process; return its exit code and what it printed on each stream."""
    out, err = io.StringIO(), io.StringIO()
    where = ["--archive", str(folder)] if folder and arguments else []
    with (
        plain_environment(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("sys.stdin", io.StringIO()),
    ):
        try:
            code: Any = main([*arguments, *where])
        except SystemExit as ended:
            code = ended.code
    named = [text.getvalue().replace(str(folder), "ARCHIVE") for text in (out, err)]
    return code, named[0], named[1]


# Figures


def figures(folder: Path) -> Both:
    """Return the figures of `evaluate` that need no answers."""
    return _run_evaluations(
        {
            "retrieval": ["retrieval", str(QUESTIONS)],
            "retrieval, day withheld": ["retrieval", str(QUESTIONS), "--asked-on", "withheld"],
            "duplicates": ["duplicates", str(SAMPLE / "articles.jsonl"), "--each", "40"],
        },
        folder,
    )


def answer_figures(folder: Path) -> Both:
    """Return the figures of `evaluate answers`: 180 answers, and 120 statements checked."""
    return _run_evaluations(
        {
            "answers": ["answers", str(QUESTIONS), "--altered", "60"],
            "refusal": ["answers", str(QUESTIONS), "--until", "2024-10-25"],
            "premises": ["answers", "--premises", str(QUALITY / "premises.jsonl")],
        },
        folder,
    )


def _run_evaluations(sets: Mapping[str, Sequence[str]], folder: Path) -> Both:
    facts, words = {}, {}
    for name, arguments in sets.items():
        code, out, err = run_command(["evaluate", *arguments, "--json"], folder)
        assert code == 0, err
        facts[name], words[name] = split(without_volatile(json.loads(out)), NAMES_OF_MEASURES)
    return facts, words


# JSON


def split(value: Any, keys: set[str]) -> Both:
    """Return `value` without the texts under `keys`, and those texts by their paths."""
    words: dict[str, str] = {}
    return _without_words(value, keys, "", words), words


def _without_words(value: Any, keys: set[str], path: str, words: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_without_words(one, keys, f"{path}[{i}]", words) for i, one in enumerate(value)]
    if not isinstance(value, dict):
        return round(value, DIGITS) if isinstance(value, float) else value
    if value.get("refused"):
        keys = keys | {"text"}  # repeats the reason
    kept = {}
    for key, one in value.items():
        at = f"{path}.{key}" if path else key
        if key in keys and isinstance(one, str):
            words |= {at: one} if one else {}
        else:
            kept[key] = _without_words(one, keys, at, words)
    return kept


def without_volatile(value: Any) -> Any:
    """Return `value` without what differs from run to run."""
    if isinstance(value, list):
        return [without_volatile(one) for one in value]
    if isinstance(value, dict):
        return {k: without_volatile(one) for k, one in value.items() if k not in VOLATILE}
    return value


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
