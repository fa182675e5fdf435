"""Sentences with their evidence, read from JSON while a chat model writes it.

The shape is `{"sentences": [{"evidence": [{"passage": 2, "words": "..."}], "text": "..."}]}`. Only
complete objects of the list are parsed, so a truncated output gives the sentences before its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rag.answer.drafts import LONGEST_SENTENCE, Draft, read_drafts
from rag.citations import read_citations
from rag.sanitize import strip_controls
from rag.verify.statements import Evidence

LONGEST_OBJECT = 4000  # characters, a sentence with its evidence; in a longer one, it is looping
LONGEST_WORDS = 1200  # characters of a passage given as evidence
MOST_EVIDENCE = 8  # of a sentence
LONGEST_KEY = 40  # characters
_FENCE = "```json"
_THINKING = ("<think>", "</think>")  # some servers leave a reasoning model's thoughts in its output


class JsonDraftReader:
    """Incremental reader of JSON with sentences and their evidence.

    Attributes:
        is_done: Whether the JSON is complete.
        is_other: Whether the output is something else: prose, or JSON without sentences.
    """

    def __init__(self) -> None:
        self._opening: str | None = ""  # until the JSON begins
        self._depth = 0
        self._in_string = self._escaped = False
        self._string = ""  # the last one directly in the root object: a key, or a value
        self._in_sentences = self._has_sentences = False
        self._object: list[str] | None = None  # the characters of a sentence's object
        self._unread = 0  # characters since the last sentence
        self.is_done = self.is_other = False

    @property
    def is_endless(self) -> bool:
        """True if the object that isn't complete yet is too long to be a sentence."""
        return self._unread > LONGEST_OBJECT

    def feed(self, piece: str) -> list[Draft]:
        """Return the drafts that are complete with the next piece of the output."""
        if self._opening is not None:
            self._opening += piece
            start = _find_json(self._opening)
            if start is None:
                return []
            if start < 0:
                self.is_other = True
                return []
            piece, self._opening = self._opening[start:], None
        return [draft for character in piece for draft in self._read(character)]

    def finish(self) -> list[Draft]:
        """Return the drafts at the end of the output: none, as each was complete before."""
        return []

    def _read(self, character: str) -> Iterator[Draft]:
        if self.is_done or self.is_endless:
            return
        self._unread += 1
        if self._object is not None:
            self._object.append(character)
        if self._in_string:
            self._read_string(character)
        elif character == '"':
            self._in_string, self._string = True, "" if self._depth == 1 else self._string
        elif character in "{[":
            self._open(character)
        elif character in "}]":
            yield from self._close()

    def _read_string(self, character: str) -> None:
        if self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            self._in_string = False
        elif self._depth == 1 and len(self._string) < LONGEST_KEY:
            self._string += character

    def _open(self, character: str) -> None:
        if self._depth == 1 and character == "[":
            self._in_sentences = self._string == "sentences"
            self._has_sentences |= self._in_sentences
        elif self._depth == 2 and character == "{" and self._in_sentences:
            self._object = [character]
        self._depth += 1

    def _close(self) -> Iterator[Draft]:
        self._depth -= 1
        if self._depth == 2 and self._object is not None:
            yield from _parse_sentence("".join(self._object))
            self._object, self._unread = None, 0
        elif self._depth == 1:
            self._in_sentences = False
        elif self._depth == 0:
            self.is_done, self.is_other = True, not self._has_sentences


def _find_json(text: str) -> int | None:
    """Return where the JSON begins; None if that isn't certain yet, -1 if it is something else."""
    rest = text.lstrip("\ufeff \t\r\n")
    if rest.startswith(_THINKING[0]):
        rest = rest.partition(_THINKING[1])[2].lstrip()
    elif _THINKING[0].startswith(rest):
        return None
    if _FENCE.startswith(rest):
        return None
    rest = rest.removeprefix("```").removeprefix("json").lstrip() if rest[0] == "`" else rest
    if not rest:
        return None
    return len(text) - len(rest) if rest[0] == "{" else -1


def _parse_sentence(text: str) -> Iterator[Draft]:
    """Yield the sentences of an object, each with all of its evidence; none if it is malformed."""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):  # also of numbers with too many digits
        return
    written = value.get("text")
    if not isinstance(written, str):
        return
    evidence = tuple(_parse_evidence(value.get("evidence")))
    for draft in read_drafts(_clean(written) + "\n>\n")[0]:
        if len(draft.text) <= LONGEST_SENTENCE:
            given = (*evidence, *draft.evidence)
            yield Draft(_with_markers(draft.text, evidence), tuple(dict.fromkeys(given)))


def _parse_evidence(value: Any) -> Iterator[Evidence]:
    for item in value[:MOST_EVIDENCE] if isinstance(value, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("words"), str):
            continue
        words = " ".join(_clean(item["words"]).split())
        number = _parse_number(item.get("passage"))
        if number and words and len(words) <= LONGEST_WORDS:
            yield Evidence(number, words)


def _parse_number(value: Any) -> int | None:
    """Return a passage's number, which may be written 2, "2" or "[2]"."""
    if isinstance(value, str):
        bare = value.strip("[] ")
        value = int(bare) if bare.isdecimal() and len(bare) <= 3 else None
    return value if type(value) is int and 0 < value < 1000 else None


def _clean(text: str) -> str:
    """Return a text without controls and halves of surrogate pairs, which JSON can spell."""
    return strip_controls(text.encode("utf-8", "replace").decode("utf-8"))


def _with_markers(text: str, evidence: tuple[Evidence, ...]) -> str:
    """Return a sentence with the numbers of its evidence as markers, unless it has markers."""
    if read_citations(text).numbers or not evidence:
        return text
    return text + " " + "".join(f"[{n}]" for n in dict.fromkeys(each.number for each in evidence))
