"""A checked draft in words: its sentences, their outcomes, and the passages that decide them."""

from __future__ import annotations

from typing import Any

from rag.answer.check_text import OUTCOMES, CheckedSentence, Outcome, TextCheck
from rag.schema import Citation
from ui.i18n import Texts, render, texts_in
from ui.render import article_reference, article_text, terminal_text

# Message keys of the outcomes.
OUTCOME_KEYS: dict[Outcome, str] = {
    "supported": "check_supported",
    "partly": "check_partly",
    "contradicted": "check_contradicted",
    "not in the archive": "check_not_in_archive",
    "no claim": "check_no_claim",
    "not checked": "check_not_checked",
}


def check_value(check: TextCheck) -> dict[str, Any]:
    """Return a checked draft as a dict of JSON's types.

    Beside the fields of `TextCheck`, it has the number of each outcome, and each reason in English.
    """
    texts = texts_in("en")
    sentences = [
        {**one.to_dict(), "reason_text": reason_text(one, texts)} for one in check.sentences
    ]
    return {**check.to_dict(), "sentences": sentences, "counts": check.counts}


def reason_text(sentence: CheckedSentence, texts: Texts) -> str:
    """Return the reason for a sentence's outcome, on one line; "" without one."""
    return article_text(render(sentence.reason, texts)) if sentence.reason else ""


def outcome_text(sentence: CheckedSentence, texts: Texts) -> str:
    """Return the outcome for a sentence and the reason for it, on one line."""
    outcome = texts(OUTCOME_KEYS[sentence.outcome])
    why = reason_text(sentence, texts)
    return f"{outcome}: {why}" if why else outcome


def counts_text(check: TextCheck, texts: Texts) -> str:
    """Return how many sentences have each outcome, on one line; outcomes without one left out."""
    counts = check.counts
    return ", ".join(f"{texts(OUTCOME_KEYS[o])} {counts[o]}" for o in OUTCOMES if counts[o])


def plain(check: TextCheck, texts: Texts) -> str:
    """Return a checked draft as plain text: each sentence, its outcome, and what decides it."""
    blocks = ["\n".join(_lines(sentence, texts)) for sentence in check.sentences]
    return "\n\n".join([counts_text(check, texts), *blocks])


def _lines(sentence: CheckedSentence, texts: Texts) -> list[str]:
    lines = [terminal_text(sentence.text), f"    {outcome_text(sentence, texts)}"]
    for citation in sentence.citations:
        lines += _citation_lines(citation)
    return lines


def _citation_lines(citation: Citation) -> list[str]:
    return [
        f"    [{citation.number}] {article_reference(citation.metadata)}",
        f"        “{article_text(citation.quote)}”",
    ]
