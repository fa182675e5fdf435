"""Count which of a chat model's sentences the check shows, marks and removes.

    python -m tests.benchmarks.checks [--archive DIR] [--show] [--evidence FORMAT]

`../shared/data/checks` has questions with good and wrong sentences, and the ids of the articles
that they are about. A scripted chat model answers each question with its sentences. As a real one
would, it cites the passages that have most of a sentence's words, among those it was given, and
gives the words it rests on. There is no grader: the figures are those of the signals alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from ingest.pipeline import ingest
from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.nlp.sentences import split_sentences
from rag.nlp.tokens import stem_words
from rag.schema import Answer
from rag.settings import ChatEvidence, Settings

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MOST_CITED = 2  # passages cited for a sentence
EVIDENCE = ("plain", "structured", "none")  # lines before a sentence, JSON, or only its markers
MOST_OF_AN_ANSWER = 6  # sentences of one answer
_PASSAGE = re.compile(r"<passage number=(\d+)>\n[^\n]*\n(.*?)\n</passage>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence as a chat model writes it, and whether the articles support it."""

    question: str
    sentence: str
    good: bool
    kind: str


class CitingChatModel(BaseChatModel):
    """Writes given sentences, each with the passages that have most of its words."""

    sentences: list[str]
    evidence: str = "plain"  # one of EVIDENCE

    @property
    def _llm_type(self) -> str:
        return "citing"

    def with_structured_output(self, schema: Any, **_: Any) -> Runnable[Any, Any]:
        return self.bind(format=schema) | JsonOutputParser()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self._text(messages)))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(content=self._text(messages)))

    def _text(self, messages: Sequence[BaseMessage]) -> str:
        prompt = "\n".join(str(message.content) for message in messages)
        passages = {int(n): text for n, text in _PASSAGE.findall(prompt)}
        cited = {sentence: find_words(sentence, passages) for sentence in self.sentences}
        if self.evidence != "structured":
            plain = [cite(*each, markers_only=self.evidence == "none") for each in cited.items()]
            return "\n".join(plain)
        return json.dumps(
            {
                "sentences": [
                    {"evidence": [{"passage": n, "words": said} for n, said in words], "text": text}
                    for text, words in cited.items()
                ]
            }
        )


def find_words(sentence: str, passages: dict[int, str]) -> list[tuple[int, str]]:
    """Return the words that a sentence rests on, with the numbers of their passages."""
    left, words = set(stem_words(sentence)), list[tuple[int, str]]()
    while left and len(words) < MOST_CITED:
        found = [
            (len(left & stem_words(text[s.start : s.end])), -number, text[s.start : s.end])
            for number, text in passages.items()
            for s in split_sentences(text)
        ]
        if not found:
            break
        shared, number, evidence = max(found)
        if not shared or (words and shared < 2):
            break
        words.append((-number, evidence))
        left -= stem_words(evidence)
    return words


def cite(sentence: str, words: Sequence[tuple[int, str]], *, markers_only: bool) -> str:
    """Return a sentence with the numbers of its passages and the words that it rests on."""
    markers = "".join(f"[{number}]" for number in dict.fromkeys(number for number, _ in words))
    cited = f"{sentence} {markers}".strip()
    given = [] if markers_only else [f'> [{number}] "{evidence}"' for number, evidence in words]
    return "\n".join([*given, cited])


def read_written(path: Path) -> list[Written]:
    """Return the sentences of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Written(**json.loads(line)) for line in lines if line.strip()]


def group(written: Sequence[Written]) -> Iterator[tuple[str, list[Written]]]:
    """Yield the answers: a question and some of its sentences, in order."""
    of: dict[tuple[str, bool], list[Written]] = defaultdict(list)
    for each in written:
        of[each.question, each.kind == "literal"].append(each)
    for (question, _), every in of.items():
        for start in range(0, len(every), MOST_OF_AN_ANSWER):
            yield question, every[start : start + MOST_OF_AN_ANSWER]


def measure(
    archive: Archive, written: Sequence[Written], *, evidence: str, show: bool
) -> Counter[str]:
    """Ask every question, and count what became of the sentences."""
    seen: Counter[str] = Counter()
    for question, sentences in group(written):
        model = CitingChatModel(sentences=[each.sentence for each in sentences], evidence=evidence)
        form: ChatEvidence = "structured" if evidence == "structured" else "plain"
        answer = Chatbot(archive, model, grader="none", evidence=form).ask(question)
        shown = 0
        for each in sentences:
            outcome, reason = find_outcome(each.sentence, answer)
            shown += outcome != "removed"
            seen[f"{'good' if each.good else 'wrong'} {outcome}"] += 1
            if show:
                print(f"{'good ' if each.good else 'WRONG'} {outcome:9} {each.sentence}  {reason}")
        seen["answers"] += 1
        seen["answers lost"] += not shown and any(each.good for each in sentences)
    return seen


def find_outcome(sentence: str, answer: Answer) -> tuple[str, str]:
    """Return what became of a sentence, "shown", "marked" or "removed", and the reason."""
    for statement in answer.statements:
        if statement.text == sentence:
            outcome = "shown" if statement.support == "supported" else "marked"
            return outcome, f"({statement.support}: {statement.reason})"
    for statement in answer.rejected_statements:
        if statement.text == sentence:
            return "removed", f"({statement.support}: {statement.reason})"
    return "removed", f"(not listed; {answer.refusal})"


def report(seen: Counter[str]) -> None:
    """Print the counts and shares."""
    good = sum(seen[f"good {what}"] for what in ("shown", "marked", "removed"))
    wrong = sum(seen[f"wrong {what}"] for what in ("shown", "marked", "removed"))
    visible = seen["good shown"] + seen["good marked"]
    for what, count, of in (
        ("good sentences shown", visible, good),
        ("of these, marked", seen["good marked"], visible),
        ("wrong sentences shown", seen["wrong shown"] + seen["wrong marked"], wrong),
        ("wrong sentences shown without a mark", seen["wrong shown"], wrong),
        ("answers wholly lost", seen["answers lost"], seen["answers"]),
    ):
        print(f"{what:40}{count:4} of {of:3}  {count / max(1, of):.2f}")


def build(folder: Path) -> None:
    """Make an archive of exactly the articles that the sentences are about."""
    wanted = set(json.loads((DATA / "checks" / "article_ids.json").read_text(encoding="utf-8")))
    with TemporaryDirectory() as temporary:
        chosen = Path(temporary) / "articles.jsonl"
        with gzip.open(DATA / "articles.jsonl.gz", "rt", encoding="utf-8") as lines:
            text = "".join(line for line in lines if json.loads(line)["id"] in wanted)
        chosen.write_text(text, encoding="utf-8")
        with Archive.open(folder, mode="write") as archive:
            ingest(archive, [chosen])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.checks")
    parser.add_argument("--archive", type=Path, help="an archive of the articles, made if missing")
    parser.add_argument("--claims", type=Path, default=DATA / "checks" / "claims.jsonl")
    parser.add_argument("--evidence", choices=EVIDENCE, default="plain", help="how it is given")
    parser.add_argument("--show", action="store_true", help="print each sentence")
    options = parser.parse_args()
    if not options.claims.exists():
        print(f"skipped: {options.claims} is not there")
        return 0
    with TemporaryDirectory() as temporary:
        folder = options.archive or Path(temporary) / "archive"
        if not folder.exists():
            build(folder)
        with Archive.open(folder, settings=Settings(archive=folder)) as archive:
            written = read_written(options.claims)
            report(measure(archive, written, evidence=options.evidence, show=options.show))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
