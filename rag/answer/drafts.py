"""Sentences with their evidence, read from a chat model's output while it is written.

A sentence's evidence comes before it, on lines of its own: `> [2] "the words it rests on"`. A model
that ignores this and writes only sentences with [2] is read as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.citations import read_citations, tidy_markers
from rag.nlp.sentences import split_sentences
from rag.verify.statements import Evidence

LONGEST_SENTENCE = 1200  # characters; in a longer one, the model is looping or not writing prose
_EVIDENCE = re.compile(r"^[ \t]*>")
_GIVEN = re.compile(
    r"^[ \t]*>[ \t]*(?:\[|【)(?:passage )?(?P<number>\d{1,3})(?:\]|】)[ \t:–-]*+(?P<words>\S.*)$",
    re.IGNORECASE,
)

# A sentence that follows its evidence on the same line, and ends with a marker.
_BESIDE = re.compile(
    r"(?P<words>[\"“„«][^\"”“»]{1,600}[\"”“»])\s+(?P<sentence>\S.{0,1200}\[\d{1,3}\][.!?]?)"
)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t].*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence that a chat model wrote, with its markers and the evidence that it gives."""

    text: str
    evidence: tuple[Evidence, ...] = ()


class DraftReader(Protocol):
    """Incremental reader of drafts, however the output is split into pieces.

    Attributes:
        is_done: Whether the end of the format has been read; what follows doesn't count.
        is_other: Whether the output is not of this reader's format.
    """

    is_done: bool
    is_other: bool

    @property
    def is_endless(self) -> bool:
        """True if what isn't complete yet is too long to be a sentence."""

    def feed(self, piece: str) -> list[Draft]:
        """Return the drafts that are complete with the next piece of the output."""

    def finish(self) -> list[Draft]:
        """Return the drafts at the end of the output."""


class PlainDraftReader:
    """Reader of sentences with lines of evidence; any text is of this format, and none ends it."""

    is_done = False
    is_other = False

    def __init__(self) -> None:
        self._written, self._given = "", 0
        self._rest = ""

    @property
    def is_endless(self) -> bool:
        """True if the sentence that isn't complete yet is too long to be one."""
        return len(self._rest) > LONGEST_SENTENCE

    def feed(self, piece: str) -> list[Draft]:
        """Return the drafts that are complete with the next piece of the output."""
        self._written += piece
        complete, self._rest = read_drafts(self._written)
        new = complete[self._given :]
        self._given += len(new)
        return new

    def finish(self) -> list[Draft]:
        """Return the drafts at the end of the output."""
        return read_drafts(self._written + "\n>\n")[0][self._given :]


def read_drafts(raw: str) -> tuple[list[Draft], str]:
    """Return the complete sentences of a model's output with their evidence, and the rest.

    A line of evidence completes the sentences before it, and is of the first one after it.
    """
    drafts: list[Draft] = []
    evidence: list[Evidence] = []
    prose: list[str] = []
    *whole, last = raw.split("\n")
    for line in whole:
        if not _EVIDENCE.match(line):
            prose.append(line)
            continue
        drafts += _with_evidence(sentence_texts(tidy_markers("\n".join(prose))), evidence)
        prose = []
        given = _GIVEN.match(line)
        if given is not None:
            beside = _BESIDE.fullmatch(given["words"].strip())
            words = beside["words"] if beside else given["words"].strip()
            evidence.append(Evidence(int(given["number"]), words))
            prose += [beside["sentence"]] if beside else []
    if _EVIDENCE.match(last):  # not complete yet
        return drafts, last
    written = sentence_texts(tidy_markers("\n".join([*prose, last])))
    complete = _complete_sentences(written)
    rest = "".join(written[len(complete) :])
    return drafts + _with_evidence(complete, evidence), rest


def _with_evidence(sentences: Sequence[str], evidence: list[Evidence]) -> list[Draft]:
    """Return drafts, the first one with the evidence, which is used up."""
    drafts = [Draft(text) for text in sentences]
    if drafts and evidence:
        drafts[0] = Draft(drafts[0].text, tuple(evidence))
        evidence.clear()
    return drafts


def sentence_texts(text: str) -> list[str]:
    """Return the sentences of a model's output with their markers, without headings and bullets."""
    out: list[str] = []
    text = _HEADING.sub("", text)
    for span in split_sentences(text):
        piece = re.sub(r"^(?:[-*•]+|\d{1,2}[.)])\s+", "", text[span.start : span.end])
        piece = piece.replace("**", "").strip()
        if out and not read_citations(piece).text.strip(" .,;"):
            out[-1] += " " + piece
        elif piece:
            out.append(piece)
    return out


def _complete_sentences(pieces: list[str]) -> list[str]:
    """Return the sentences that are complete, that is, followed by another one.

    A last piece that may be the start of a citation marker is no further sentence.
    """
    if pieces and re.match(r"\A(?:[\[【［⁰¹²³⁴⁵⁶⁷⁸⁹(]|\W*+$)", pieces[-1]):
        pieces = pieces[:-1]
    return pieces[:-1]
