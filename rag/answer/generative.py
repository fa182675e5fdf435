"""An answer written by the chat model, sentence by sentence, each verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rag.answer.corrections import cites_retracted
from rag.answer.drafts import Draft
from rag.answer.extractive import append_statement
from rag.answer.grading import grade_statements, repair_evidence
from rag.answer.llm import SentenceStream
from rag.answer.prompts import WriterPrompt
from rag.answer.refusal import is_refusal
from rag.citations import read_citations
from rag.schema import Answer, Hit, Notice
from rag.settings import Grader, Unsupported
from rag.verify.statements import VerifiedStatement, verify_statement
from rag.verify.verifier import Verifier


class GeneratedAnswer:
    """An answer as it is written, with every sentence verified.

    Attributes:
        found_nothing: Whether the model wrote that the passages don't answer the question.
    """

    def __init__(
        self,
        hits: Sequence[Hit],
        articles: Mapping[str, str],
        stream: SentenceStream,
        verifier: Verifier,
        *,
        unsupported: Unsupported,
        grader: Grader,
    ) -> None:
        """Create an empty answer.

        Args:
            hits: The passages shown to the model, in the order of their numbers.
            articles: Full texts by article id.
            stream: The chat model.
            verifier: The verifier.
            unsupported: What becomes of statements judged unsupported.
            grader: Who judges what exact comparison leaves open, if the verifier has no model.
        """
        self._hits, self._articles = hits, articles
        self._stream, self._verifier = stream, verifier
        self._unsupported = unsupported
        self._grades = grader == "chat" and not verifier.has_model
        self._drafts: list[Draft] = []
        self._checked: list[VerifiedStatement] = []
        self.found_nothing = False

    def write(self, answer: Answer, prompt: WriterPrompt) -> Iterator[Answer]:
        """Yield the answer as it grows; statements still to be graded are "unverified" until then.

        Args:
            answer: The answer without statements.
            prompt: The prompt.

        Yields:
            Answers; the last one, if there is any statement, is final.

        Raises:
            ChatModelError: No sentence came.
        """
        for draft in self._stream.drafts(prompt):
            if is_refusal(draft.text):
                self.found_nothing = True  # a refusal, unless the model says anything else
                continue
            if read_citations(draft.text).text.endswith(":"):  # "Here is what happened:"
                continue
            checked = self._verify(draft)
            if not checked.statement.text:
                continue
            self._drafts.append(draft)
            self._checked.append(checked)
            if self._is_shown(checked):
                yield self.compose(answer, pending=self._grades)
        self._repair()
        self._grade()

    def _verify(self, draft: Draft) -> VerifiedStatement:
        checked = verify_statement(
            draft.text,
            self._hits,
            self._verifier,
            articles=self._articles,
            evidence=draft.evidence,
        )
        if cites_retracted(checked.statement):
            retracted = replace(
                checked.statement, support="not supported", reason=Notice("retracted")
            )
            return replace(checked, statement=retracted, is_exact=True)
        return checked

    def _is_shown(self, checked: VerifiedStatement) -> bool:
        if checked.is_removed:
            return False
        return checked.statement.support != "not supported" or self._unsupported == "mark"

    def compose(self, answer: Answer, *, pending: bool = False) -> Answer:
        """Return the answer with the statements so far, shown and rejected ones.

        Args:
            answer: The answer without statements.
            pending: Whether statements that exact comparison didn't decide are still to be graded.
        """
        rejected = []
        for checked in self._checked:
            statement = checked.statement
            if not self._is_shown(checked):
                rejected.append(statement)
                continue
            if pending and not checked.is_exact:
                statement = replace(
                    statement, support="unverified", reason=Notice("being_verified")
                )
            answer = append_statement(answer, statement)
        return replace(answer, rejected_statements=(*answer.rejected_statements, *rejected))

    def _repair(self) -> None:
        """Ask once more for words that were in no passage; without them, the setting decides."""
        lacking = [i for i, each in enumerate(self._checked) if self._needs_evidence(each)]
        if not lacking:
            return
        sentences = [self._checked[i].statement.text for i in lacking]
        given = repair_evidence(sentences, self._stream)
        for i, evidence in zip(lacking, given, strict=True):
            if evidence:
                self._checked[i] = self._verify(replace(self._drafts[i], evidence=evidence))
            if self._needs_evidence(self._checked[i]):
                statement = replace(
                    self._checked[i].statement,
                    support="unverified" if self._unsupported == "mark" else "not supported",
                    reason=Notice("evidence_missing"),
                )
                self._checked[i] = replace(self._checked[i], statement=statement)

    def _needs_evidence(self, checked: VerifiedStatement) -> bool:
        return checked.lacks_evidence and self._is_shown(checked)

    def _grade(self) -> None:
        """Have the chat model judge, in one call, what exact comparison left open."""
        if not self._grades:
            return
        open_ = [
            i for i, each in enumerate(self._checked) if self._is_shown(each) and not each.is_exact
        ]
        judged = grade_statements([self._checked[i].statement for i in open_], self._stream)
        for i, verdict in zip(open_, judged, strict=True):
            if verdict is not None:
                support, reason = verdict
                statement = replace(self._checked[i].statement, support=support, reason=reason)
                self._checked[i] = replace(self._checked[i], statement=statement)
