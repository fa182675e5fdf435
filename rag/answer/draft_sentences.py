"""Sentences of a draft: what each of them claims, and what the ones before it say it is about."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.nlp.dates import MONTHS
from rag.nlp.entities import Name, find_names, normalize_name
from rag.nlp.fragments import leans_on_previous
from rag.nlp.numbers import find_dates, find_numbers
from rag.nlp.people import NOT_PEOPLE
from rag.nlp.quotations import ATTRIBUTED, find_speaker
from rag.nlp.sentences import ends_sentence, split_sentences
from rag.nlp.tokens import content_words
from rag.schema import Span
from rag.verify.reader_instructions import instructs_reader

UNENDED_WORDS = 14  # a line with fewer words and without a full stop is a heading
LISTED_WORDS = 5  # an item of a list with at least so many words claims something
LONGEST_NAME = 4  # words of a person's name
LEAST_WORDS = 2  # words and names without which a sentence claims nothing

_BULLET = re.compile(r"[ \t]{0,8}(?:[-*•▪–]|\d{1,2}[.)])[ \t]+(?=\S)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_MARKUP = re.compile(r"#{1,6}[ \t]+(?=\S)")
_GREETING = re.compile(
    r"(?:dear|hello|hi|hey|good (?:morning|afternoon|evening)|greetings|sehr geehrte[rs]?"
    r"|liebe[rs]?|hallo|guten (?:tag|morgen|abend)|thanks?|thank you|many thanks|danke|vielen dank"
    r"|(?:kind|best|warm) (?:regards|wishes)|yours (?:sincerely|faithfully|truly)|sincerely"
    r"|mit freundlichen grüßen|(?:viele|beste|herzliche) grüße|cheers|goodbye)\b",
    re.IGNORECASE,
)
_OWN_VIEW = re.compile(
    r"\b(?:in (?:my|our) (?:view|opinion|eyes|experience)|(?:i|we) (?:\w{2,12}ly )?(?:think|believe"
    r"|feel|hope|wish|doubt|suspect|guess|suppose|recommend|suggest|consider|find|love|hate|like)"
    r"|(?:ich|wir) (?:finde|finden|glaube|glauben|meine|meinen|denke|denken|hoffe|hoffen"
    r"|empfehle|empfehlen)|(?:meiner|unserer) (?:meinung|ansicht) nach)\b",
    re.IGNORECASE,
)
_JUDGEMENT = re.compile(
    r"\b(?:should|ought to|shouldn['’]t|had better|sollten?|müsste[n]?)\b"
    r"|^(?:un(?:fortunately|surprisingly)|sadly|hopefully|thankfully|luckily|leider|hoffentlich"
    r"|perhaps|maybe|vielleicht)\b"
    r"|^(?:it|this|that|what|how|es|das)(?:['’]s| is| was| ist| war)?(?: an?| eine?)?"
    r"(?: \w{2,12}ly)? (?:shame|pity|disgrace|scandal|outrage|wonderful|terrible|great|awful|sad"
    r"|beautiful|ridiculous|absurd|disappointing|encouraging|remarkable|surprising|schade"
    r"|wunderbar|schrecklich|traurig|mess|relief)\b",
    re.IGNORECASE,
)
_HE_OR_SHE = re.compile(r"\b(?P<who>He|She|he|she)\b")


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence of a draft.

    Attributes:
        text: The sentence, without the mark of a list or a heading.
        span: Its range in the draft, in characters.
        claim: What it claims, with a name in the place of "he" and a year beside a bare date; ""
            if it claims nothing that can be checked.
        about: Names that the sentences before it say it is about; an article that supports it must
            have them.
        context: The earlier sentence from which those names are, for the search; "" for none.
    """

    text: str
    span: Span
    claim: str = ""
    about: tuple[str, ...] = ()
    context: str = ""


def split_draft(draft: str) -> Iterator[DraftSentence]:
    """Yield the sentences of a draft, in order.

    Args:
        draft: Plain text, or Markdown.
    """
    before = _Before(draft)
    for span in split_sentences(draft):
        start, end = span.start, span.end
        marked = _BULLET.match(draft, start) or _MARKUP.match(draft, start)
        listed = _BULLET.match(draft, start) is not None
        start = marked.end() if marked and marked.end() < end else start
        text = draft[start:end]
        found = DraftSentence(text, Span(start, end))
        if _MARKUP.match(draft, span.start) or not _is_claim(text, listed=listed):
            yield found
            continue
        before.read_names(start)
        yield _complete(found, before)
        before.add(text)


class _Before:
    """Sentences and names of a draft so far, read once: looking back each time is quadratic."""

    def __init__(self, draft: str) -> None:
        self.sentences: list[str] = []
        self.with_names = ""  # the last sentence that names somebody or something
        self.years: tuple[str, ...] = ()  # of the last sentence that has any
        self._names = deque(find_names(draft))
        self._longer: dict[str, set[str]] = {}  # names of several words by the first and the last

    def add(self, text: str) -> None:
        """Take in a sentence."""
        self.sentences.append(text)
        self.years = tuple(dict.fromkeys(_YEAR.findall(text))) or self.years
        if _names_of(text):
            self.with_names = text

    def read_names(self, end: int) -> None:
        """Take in the names before a position of the draft."""
        while self._names and self._names[0].end <= end:
            name = self._names.popleft().text
            parts = name.split()
            if 1 < len(parts) <= LONGEST_NAME:
                for part in (parts[0], parts[-1]):
                    self._longer.setdefault(part, set()).add(name)

    def full_name(self, surname: str) -> str:
        """Return the one longer name that starts or ends with a surname; "" if unclear."""
        longer = self._longer.get(surname, set())
        return next(iter(longer)) if len(longer) == 1 else ""


def _is_claim(text: str, *, listed: bool) -> bool:
    """Return whether a sentence claims something that an archive could confirm or deny."""
    bare = text.strip(" \t\"'“”‘’*_()")
    if not bare or bare.rstrip("\"'”’)").endswith(("?", "？", "؟")) or _GREETING.match(bare):
        return False
    if instructs_reader(text) or _is_own_view(bare):
        return False
    words = bare.split()
    if not ends_sentence(text.strip()):
        least = LISTED_WORDS if listed else UNENDED_WORDS
        if len(words) < least:
            return False
    if bare.isupper() and len(words) < UNENDED_WORDS:
        return False
    marks = len(content_words(bare)) + len(find_numbers(bare)) + len(find_dates(bare))
    return marks >= LEAST_WORDS


def _is_own_view(text: str) -> bool:
    """Return whether the draft's author judges, and not somebody who is named."""
    if _OWN_VIEW.search(_unquoted(text)):
        return True
    if ATTRIBUTED.search(text) or find_speaker(text):
        return False
    return bool(_JUDGEMENT.search(text)) or text.endswith("!")


def _unquoted(text: str) -> str:
    return re.sub(r"“[^”]{0,1500}+”|\"[^\"]{0,1500}+\"|„[^“]{0,1500}+“", "“”", text)


def _complete(found: DraftSentence, before: _Before) -> DraftSentence:
    """Return a sentence with its claim and what it is about."""
    claim, about, context = found.text, list[str](), ""
    own = _names_of(claim)
    for name in own:
        if " " not in name:  # a surname: of the person whom the draft has named in full
            whole = before.full_name(name)
            if whole:
                about.append(whole)
    person = _last_person(before.sentences) if _HE_OR_SHE.search(claim) else ""
    if person and not any(" " in name for name in own):
        claim = _HE_OR_SHE.sub(lambda _: person, claim, count=1)
        about.append(person)
    if leans_on_previous(found.text) or not own:
        context = before.with_names
        about += _names_of(context)[:1]
        context = context or (before.sentences[-1] if before.sentences else "")
    claim = _with_year(claim, before.years)
    return DraftSentence(found.text, found.span, claim, tuple(dict.fromkeys(about)), context)


def _names_of(text: str) -> list[str]:
    return [name.text for name in find_names(text) if not _opens_only(text, name)]


def _opens_only(text: str, name: Name) -> bool:
    """Return whether a word may be capitalised only because it opens the sentence."""
    opens = not text[: name.start].strip(" “\"'(")
    return opens and " " not in name.text and not name.text.isupper() and _is_common(name.text)


def _is_common(word: str) -> bool:
    return normalize_name(word) == word.lower() and bool(re.search(r"(?:ing|ed|ly|s)$", word))


def _last_person(earlier: Sequence[str]) -> str:
    """Return the one person whom the nearest sentence with a person names; "" if it isn't clear."""
    for text in reversed(earlier[-3:]):
        people = [
            name
            for name in _names_of(text)
            if 2 <= len(name.split()) <= 3
            and normalize_name(name) == name.lower()
            and not any(part.lower().rstrip(".") in NOT_PEOPLE for part in name.split())
        ]
        if len(people) == 1:
            return people[0]
        if people:
            return ""
    return ""


def _with_year(claim: str, years: Sequence[str]) -> str:
    """Return a claim whose first bare day or month has the year that the draft gave last."""
    bare = next((d for d in find_dates(claim) if d.month and not d.year), None)
    if bare is None or len(years) != 1 or _YEAR.search(claim):
        return claim
    day = f"{bare.day} {MONTHS[bare.month - 1]}" if bare.day else MONTHS[bare.month - 1]
    return f"{claim[: bare.start]}{day} {years[0]}{claim[bare.end :]}"
