"""Direct quotations with their speakers: who said which words, or nobody if the text isn't clear.

A speaker is named only by a clause beside the quotation ("Cho said", "according to the ministry"),
by the clause of the quotation that it continues, or by a pronoun that can mean one person only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.nlp.entities import TITLES, find_names
from rag.nlp.people import person_name
from rag.nlp.quotations import Quotation, find_quotations, quotable_spans
from rag.nlp.sentences import split_sentences
from rag.nlp.speaker_clauses import (
    ADVERB,
    CARRIES,
    DEPARTMENT,
    LONGEST_CLAUSE,
    MARKS,
    PRONOUN,
    VERB,
    clause_after,
    clause_before,
    named_speaker,
)
from rag.schema import Span

LEAST_WORDS = 5  # shorter quotations are titles, nicknames and single words
LONGEST = 600  # characters of a quotation with those that continue it
LOOK_BACK = 6  # quotations before a part of an article that may name its speakers
PARAGRAPHS_BACK = (
    2  # paragraphs after a speaker's last words in which "she" still means the speaker
)
CAPITALISED = 0.6  # share of capitalised long words from which a quotation is a title
LONG_WORD = 4  # letters


@dataclass(frozen=True, slots=True)
class Speech:
    """Words that an article quotes directly.

    Attributes:
        span: The span to quote: the quotation with its marks and those that continue it, or the
            sentence around a quotation that is only part of a sentence.
        words: The quoted words, without the attributions between them.
        speaker: The speaker's name, in full if the article gives it, or the words for a speaker
            without a name ("a spokesman for the port"); "" if the text isn't clear.
        phrase: The speaker in the words of the article.
        is_complete: Whether the quotation is a sentence of its own.
    """

    span: Span
    words: str
    speaker: str
    phrase: str
    is_complete: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """A quotation, its speaker and the end of the clause that names the speaker."""

    quotation: Quotation
    speaker: str
    phrase: str
    end: int
    paragraph: int


def find_speech(text: str, within: Span | None = None) -> list[Speech]:
    """Return the direct quotations of an article with their speakers, in order.

    Args:
        text: The article's text.
        within: The part of it whose quotations are returned; all of it by default.
    """
    part = within or Span(0, len(text))
    quotations = find_quotations(text)
    first = next((i for i, q in enumerate(quotations) if q.end > part.start), len(quotations))
    needed = [q for q in quotations[max(0, first - LOOK_BACK) :] if q.start < part.end]
    found = _attribute(text, needed)
    speech: list[Speech] = []
    last: _Said | None = None
    for said in found:
        joined = _join(text, speech[-1], last, said) if speech and last else None
        if joined is not None:
            speech[-1] = joined
        else:
            speech.append(_speech(text, said))
        last = said
    return [
        one
        for one in speech
        if part.start <= one.span.start and one.span.end <= part.end and _is_speech(one)
    ]


def _attribute(text: str, quotations: Sequence[Quotation]) -> list[_Said]:
    """Return the quotations with their speakers; pronouns and continuations are resolved."""
    found: list[_Said] = []
    for i, quotation in enumerate(quotations):
        start = text.rfind("\n", 0, quotation.start) + 1
        before = found[-1] if found else None
        inside = before is not None and before.quotation.end > start
        floor = before.quotation.end if inside and before else start
        paragraph = text.count("\n", 0, start)
        ceiling = text.find("\n", quotation.end)
        ceiling = len(text) if ceiling < 0 else ceiling
        if i + 1 < len(quotations):
            ceiling = min(ceiling, quotations[i + 1].start)
        phrase, end = clause_after(text, quotation, ceiling)
        if not phrase and before is not None and _continues(text, before, quotation, inside):
            found.append(replace(before, quotation=quotation, paragraph=paragraph))
            continue
        if not phrase:
            phrase, end = clause_before(text[floor : quotation.start]), quotation.end
            rest = re.match(r"[^.!?]{0,300}", text[quotation.end : ceiling])
            if rest and CARRIES.search(rest[0]):
                phrase = ""  # "Lund said it was "bad", said Ash": two could have said it
        speaker = named_speaker(phrase, text)
        if speaker and PRONOUN.match(speaker):
            speaker = _resolve(text, start, quotation.start, before, paragraph)
        found.append(_Said(quotation, speaker, phrase, end, paragraph))
    return found


def _resolve(text: str, start: int, at: int, before: _Said | None, paragraph: int) -> str:
    """Return whom "he" or "she" means; "" if it could be several.

    That is the one person of the paragraph so far, else the one who speaks in the paragraph before,
    else the last speaker if nobody else is named since.
    """
    sentence = start + split_sentences(text[start:at])[-1].start if text[start:at].strip() else at
    is_part = text[sentence:at].strip() and not text[sentence:at].rstrip().endswith((":", ","))
    told = _people(text[sentence:at], text) if is_part else set()  # it's said about them
    here = _people(text[start : sentence if is_part else at], text) - told
    if here:
        return here.pop() if len(here) == 1 else ""
    above = text[text.rfind("\n", 0, max(0, len(text[:start].rstrip()))) + 1 : start]
    reported = _people(above, text)
    if len(reported) == 1 and not find_quotations(above):
        (who,) = reported
        speaks = re.search(rf"\b{re.escape(who.split()[-1])} {ADVERB}{VERB}\b", above)
        return who if speaks and who not in told else ""
    if before is None or not before.speaker or is_described(before.speaker):
        return ""
    if paragraph - before.paragraph > PARAGRAPHS_BACK * 2:  # paragraphs have an empty line between
        return ""
    others = {name for name in _people(text[before.end : start], text) if name != before.speaker}
    return before.speaker if not others and before.speaker not in told else ""


def is_described(speaker: str) -> bool:
    """Return whether a speaker has a description instead of a name: "the mayor of Lund"."""
    return not speaker[:1].isupper() or speaker.lower().startswith(("the ", "a ", "an "))


def _people(part: str, text: str) -> set[str]:
    """Return the persons that a part of an article names, outside of quotations."""
    bare = re.sub(r"[“\"][^”\"]{0,1500}+[”\"]", " ", part)
    named = {full for name in find_names(bare) if (full := person_name(name, text))}
    named = {DEPARTMENT.sub("", name) for name in named}
    return {name for name in named if not TITLES & set(name.lower().split())}


def _continues(text: str, before: _Said, quotation: Quotation, inside: bool) -> bool:
    """Return whether a quotation continues the one before it.

    It does if only the clause that names the speaker stands between them, or if the one before was
    left open at the end of its paragraph.
    """
    if not inside:
        between = text[before.quotation.end : quotation.start]
        is_open = text[before.quotation.end - 1 : before.quotation.end] not in tuple('”"»“')
        return is_open and not between.strip()
    between = text[before.quotation.end : quotation.start]
    if not between.strip(" ,"):
        return True
    if before.end <= before.quotation.end or len(between) > LONGEST_CLAUSE:
        return False
    rest = text[before.end : quotation.start]
    sentences = re.split(r"(?<=[.!?]) ", rest.strip())
    ended = rest.rstrip()[-1:] in (".", ",", ";", ":") or not rest.strip()
    return ended and len(sentences) == 1 and not CARRIES.search(rest)


def _join(text: str, one: Speech, last: _Said, said: _Said) -> Speech | None:
    """Return a quotation with the next one of its paragraph; None if they don't belong together."""
    between = text[one.span.end : said.quotation.start]
    if (
        not one.is_complete
        or "\n" in between
        or said.speaker != last.speaker
        or said.phrase != last.phrase
        or said.quotation.end - one.span.start > LONGEST
        or len(between) > LONGEST_CLAUSE
        or not _continues(text, last, said.quotation, inside=True)
    ):
        return None
    span = Span(one.span.start, said.quotation.end)
    return replace(one, span=span, words=f"{one.words} {said.quotation.text}")


def _speech(text: str, said: _Said) -> Speech:
    quotation = said.quotation
    complete = _is_complete(text, said)
    span = Span(quotation.start, quotation.end)
    if not complete:
        start = text.rfind("\n", 0, quotation.start) + 1
        end = text.find("\n", quotation.end)
        paragraph = text[start : len(text) if end < 0 else end]
        around = (
            s for s in quotable_spans(paragraph) if s.start <= quotation.start - start < s.end
        )
        sentence = next(around, None)
        if sentence is not None:
            span = Span(start + sentence.start, max(start + sentence.end, quotation.end))
    return Speech(span, quotation.text, said.speaker, said.phrase, complete)


def _is_complete(text: str, said: _Said) -> bool:
    """Return whether a quotation is a sentence of its own, not part of the writer's."""
    words = said.quotation.text.strip()
    if not (words[:1].isupper() or words[:1].isdigit() or words[:1] in MARKS):
        return False
    before = text[max(0, said.quotation.start - 2) : said.quotation.start]
    opens = not before.strip() or before.rstrip()[-1:] in '.!?:,\n”"' or before.endswith("\n")
    ends = words.rstrip(MARKS)[-1:] in ".!?,…—–-" or said.end > said.quotation.end
    return opens and ends


def _is_speech(one: Speech) -> bool:
    words = one.words.split()
    if len(words) < LEAST_WORDS or (not one.is_complete and not one.speaker):
        return False
    long = [word for word in words if len(word) >= LONG_WORD and word[0].isalpha()]
    titled = sum(word[0].isupper() for word in long) >= CAPITALISED * len(long) and len(words) < 12
    return not (titled and long) and one.span.end - one.span.start <= LONGEST * 2
