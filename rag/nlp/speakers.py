"""Direct quotations with their speakers: who said which words, or nobody if the text isn't clear.

A speaker is named only by a clause beside the quotation ("Cho said", "according to the ministry"),
by the clause of the quotation that it continues, or by a pronoun that can mean one person only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.nlp.dates import CALENDAR_WORDS
from rag.nlp.entities import TITLES, Name, find_names, full_name, normalize_name
from rag.nlp.people import full_person_name, person_name
from rag.nlp.quotations import Quotation, find_quotations, quotable_spans
from rag.nlp.sentences import split_sentences
from rag.nlp.tokens import STOP_WORDS
from rag.schema import Span

LEAST_WORDS = 5  # shorter quotations are titles, nicknames and single words
LONGEST = 600  # characters of a quotation with those that continue it
LONGEST_CLAUSE = 160  # characters between two quotations that an attribution can take
LOOK_BACK = 6  # quotations before a part of an article that may name its speakers
PARAGRAPHS_BACK = (
    2  # paragraphs after a speaker's last words in which "she" still means the speaker
)
LONGEST_PHRASE = 10  # words that describe a speaker without a name
CAPITALISED = 0.6  # share of capitalised long words from which a quotation is a title
LONG_WORD = 4  # letters

_VERB = (
    r"(?:said|says|told|added|adds|warned|warns|announced|stated|claimed|argued|insisted|explained"
    r"|replied|asked|wrote|writes|tweeted|posted|declared|vowed|promised|confirmed|noted|suggested"
    r"|predicted|acknowledged|admitted|joked|urged|recalled|continued|concluded|testified|revealed"
    r"|quipped|conceded|stressed|emphasized|emphasised|tells|recalls|notes|explains|argues|insists"
    r"|agreed|agrees|remarked|commented|lamented|exclaimed|answered|responded|reads|read|observed"
    r"|warns|asks|thundered|countered|shouted|yelled|cried|repeated|deadpanned|texted|pleaded|complained|cautioned|boasted|sang|quoted)"
)
_NO_ADVERB = r"(?!(?:family|assembly|supply|rally|ally|bully|monopoly|daily|weekly) )"
_ADVERB = rf"(?:(?:also|later|then|once|has|had|have|first|{_NO_ADVERB}[a-z]{{3,12}}ly) ){{0,2}}"
_CARRIES = re.compile(rf"\b{_VERB}\b")
# "Mayor Ada Quill", "a spokesman for the port", "the ministry", "police", "she".
_WORD = r"[^\W_][\w.’'&-]{0,40}+"
_SUBJECT = rf"{_WORD}(?: {_WORD}){{0,9}}?"
_DESCRIPTION = r"(?:, [^,“”\"\n]{2,120}+(?:, [^,“”\"\n]{2,80}+)?,)?"
_AFTER = re.compile(
    rf",? ?(?P<who>{_SUBJECT}){_DESCRIPTION} {_ADVERB}{_VERB}\b"
    r"(?! (?:to|by|this|that|these|those|he|she|it|they|his|her|their|a|an|not)\b)"
)
_AFTER_TURNED = re.compile(
    rf",? ?{_ADVERB}{_VERB} (?P<who>{_WORD}(?: {_WORD}){{0,12}})"
    r"(?P<more>, [A-Z][^,.“”\"\n]{2,60})?"
)
_BOUNDARY = re.compile(r"^|[,;:—–] |\b(?:and|but|while|as|when|that) ")
_BEFORE = re.compile(
    rf"(?P<who>{_SUBJECT})(?:, (?!and |but |or )[^,“”\"\n]{{2,120}}+"
    rf"(?:, (?!and |but |or )[^,“”\"\n]{{2,80}}+)?)?,? {_ADVERB}{_VERB}\b"
    r"(?P<rest>[^“”\"\n]{0,120}+)$"
)
_ACCORDING_AFTER = re.compile(rf",? ?according to (?P<who>{_WORD}(?: {_WORD}){{0,12}})", re.I)
_ACCORDING_BEFORE = re.compile(
    rf"^[Aa]ccording to (?P<who>{_WORD}(?: {_WORD}){{0,12}}){_DESCRIPTION},[^“”\"\n]{{0,80}}+$"
)
# Where the phrase of a speaker ends: "said Tom Peck | in The Independent".
_PHRASE_END = re.compile(
    r" (?:in|on|at|during|after|before|when|while|as|who|whose|which|that|about|to|by|via|because"
    r"|issued|provided|released|published|last|this|yesterday|today|following|adding|referring|speaking|Monday|Tuesday|Wednesday"
    r"|Thursday|Friday|Saturday|Sunday)\b"
)
_RELATION = re.compile(r"\b(?:of|for|with|from|at|in|to|on|by)\b")
_OFFICE = re.compile(r"\b((?:[Ss]ecretary|[Mm]inister|[Dd]irector)) of [A-Z]\w+(?= [A-Z])")
_TITLE = re.compile(r"\b(?:Mrs?|Ms|Dr|Gov|Sen|Rep|Gen|Lt|Col|Sgt|Capt|St|Prof|Rev|Jr|[A-Z])\. ")
_STOP = re.compile(r"(?<!\w)(?P<word>\w++)(?P<stop>\.) ")
_PRONOUN = re.compile(r"(?:he|she)$", re.I)
_UNCLEAR = frozenset(
    """it they we i you who whom which that this these those there one others some many both all
    someone everyone nobody another he’s she’s what people another several most critics""".split()
)
# What opens a phrase that is no speaker: "After the verdict, ...", "got together and said".
_NOBODY = re.compile(
    r"(?:after|before|despite|during|with|without|in|on|at|to|for|from|since|amid|under|over|by|of"
    r"|if|when|while|as|because|although|though|even|not|then|there|here|how|why|what|asked|speaking"
    r"|got|had|was|were|is|are|has|have|\d)\b|\d",
    re.I,
)
_DETERMINED = re.compile(
    r"(?:the|an?|his|her|its|their|one|two|three|another"
    r"|(?<!\w)\w++[’']s?) \w",
    re.I,
)
_DEPARTMENT = re.compile(
    r"^(?:State|Defense|Commerce|Energy|Education|Treasury|Labor|Health|Transportation|Interior)"
    r"(?= [A-Z]\S+ [A-Z]) "
)
_OPENERS = re.compile(
    r"^(?:but|and|so|yet|then|still|however|meanwhile|later|now|also|as|while|when|because),? ",
    re.I,
)
_NO_NAMES = (STOP_WORDS | CALENDAR_WORDS) - {"will", "may", "june", "april", "august"}
_MARKS = "“”„«»\"’‘'"


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
        phrase, end = _clause_after(text, quotation, ceiling)
        if not phrase and before is not None and _continues(text, before, quotation, inside):
            found.append(replace(before, quotation=quotation, paragraph=paragraph))
            continue
        if not phrase:
            phrase, end = _clause_before(text[floor : quotation.start]), quotation.end
            rest = re.match(r"[^.!?]{0,300}", text[quotation.end : ceiling])
            if rest and _CARRIES.search(rest[0]):
                phrase = ""  # "Lund said it was "bad", said Ash": two could have said it
        speaker = _name(phrase, text)
        if speaker and _PRONOUN.match(speaker):
            speaker = _resolve(text, start, quotation.start, before, paragraph)
        found.append(_Said(quotation, speaker, phrase, end, paragraph))
    return found


def _clause_after(text: str, quotation: Quotation, ceiling: int) -> tuple[str, int]:
    """Return the speaker's phrase of a clause right after a quotation, and the clause's end."""
    after = text[quotation.end : ceiling]
    ended = quotation.text.rstrip()[-1:] == "." and not after.startswith(",")
    if ended and ceiling < len(text) and text[ceiling] not in "\n" and after.rstrip()[-1:] == ":":
        return "", quotation.end  # "Ada Quill wrote:" leads to the next quotation
    for pattern in (_ACCORDING_AFTER, _AFTER_TURNED, _AFTER):
        match = pattern.match(after)
        if match is None:
            continue
        sentence = re.match(r"[^.!?]{0,160}", after[match.end() :])
        rest = len(sentence[0]) if sentence else 0
        if ended and (match.end() + rest > LONGEST_CLAUSE // 2 or _is_new_sentence(after, rest)):
            continue  # a sentence of its own after a complete quotation tells something else
        who = match["who"]
        if pattern is _AFTER_TURNED and match["more"] and not _ends_in_name(_cut(who)):
            who = match["more"].removeprefix(", ")  # "the paper's editor, Julia Berg"
        elif pattern is not _AFTER:
            who = _cut(who)
        return who, quotation.end + match.end()
    return "", quotation.end


def _is_new_sentence(after: str, rest: int) -> bool:
    return rest > 0 and bool(re.search(r"\b(?:that|he|she|they|it|the)\b", after[-rest:]))


def _clause_before(before: str) -> str:
    """Return the speaker's phrase of a clause that leads to a quotation; "" if it isn't clear."""
    if before.rstrip()[-1:] in tuple(".!?"):
        return ""
    sentence = re.split(r"(?<=[.!?])[”\"’']? (?=[A-Z“\"])", before)[-1].strip()
    match = _ACCORDING_BEFORE.match(sentence)
    if match:
        return match["who"]
    verbs = list(_CARRIES.finditer(sentence))
    if not verbs:
        return ""
    near = sentence[verbs[-1].end() :].strip(" ,:")
    if len(verbs) > 1 and len(near) > 25:
        return ""  # "Ash said that Lund told him that ...": two could have said it
    found = [
        match["who"]
        for boundary in _BOUNDARY.finditer(sentence)
        if (match := _BEFORE.match(sentence, boundary.end()))
        and not _NOBODY.match(_OPENERS.sub("", match["who"]))
    ]
    return next((who for who in found if _ends_in_name(who)), next(iter(found), ""))


def _cut(phrase: str) -> str:
    """Return a phrase without what follows the speaker: "Tom Peck in The Independent"."""
    stops = (
        m.start("stop") for m in _STOP.finditer(phrase) if not _TITLE.match(phrase, m.start("word"))
    )
    phrase = phrase[: next(stops, len(phrase))]
    match = _PHRASE_END.search(phrase)
    phrase = phrase[: match.start()] if match else phrase
    for article in re.finditer(r" (?:a|an|the) ", phrase):
        if _ends_in_name(phrase[: article.start()]):  # "said Ada Quill the owner of the mill"
            return phrase[: article.start()]
    return phrase


def _ends_in_name(phrase: str) -> bool:
    names = find_names(f"of {phrase}")
    return bool(names) and f"of {phrase}".rstrip(".").endswith(names[-1].text.rstrip("."))


def _name(phrase: str, text: str) -> str:
    """Return the speaker that a phrase names; "" if the phrase names nobody clearly."""
    phrase = _OPENERS.sub("", phrase.strip(f" ,.;:{_MARKS}"))
    phrase = _OFFICE.sub(r"\1", phrase)
    low = phrase.lower()
    if (
        not phrase
        or low in _UNCLEAR
        or low.split()[0] in _UNCLEAR
        or ". " in _TITLE.sub("", phrase)
    ):
        return ""
    if _NOBODY.match(phrase) or low.endswith((" and", " or")):
        return ""
    if _PRONOUN.match(phrase):
        return phrase
    whole = f"of {phrase}"
    names = find_names(whole)
    if not names:
        nouns = len(low.split()) < 4 and (low.endswith("s") or low == "police")
        if not _DETERMINED.match(phrase) and not nouns:
            return ""
        return (
            phrase
            if len(phrase.split()) <= LONGEST_PHRASE and low.split()[-1] not in _UNCLEAR
            else ""
        )
    relation = next(
        (m.start() for m in _RELATION.finditer(whole, 2) if not _is_within(m, names)), None
    )
    if relation is not None:
        before = whole[:relation].rstrip()
        named = find_names(before)
        if not named or not before.endswith(named[-1].text):
            return phrase if len(phrase.split()) <= LONGEST_PHRASE else ""
        return _in_full(named[-1].text, text)
    if _ends_in_name(phrase):
        return phrase if " and " in phrase and len(names) > 1 else _in_full(names[-1].text, text)
    return phrase if len(phrase.split()) <= LONGEST_PHRASE else ""


def _is_within(relation: re.Match[str], names: Sequence[Name]) -> bool:
    """Return whether "of" is part of a name: "Bank of Lund", but not "Ada Quill of the Union"."""
    at = relation.start()
    found = next((name for name in names if name.start <= at < name.end), None)
    if found is None:
        return False
    first = found.text[: at - found.start].split()
    return not (len(first) > 1 and relation.string.startswith(" the ", relation.end()))


def _in_full(name: str, text: str) -> str:
    """Return a person's full name if the article gives one; else the name as it stands."""
    if " " in name or normalize_name(name) != name.lower():
        return _DEPARTMENT.sub("", name)
    called = re.findall(rf"(?<!\w)([A-Z][\w’'-]{{0,30}}) {re.escape(name)}(?!\w)", text)
    others = {first for first in called if _is_plain(first) and first.lower() not in _NO_NAMES}
    if len(others) > 1:
        return name  # Will Smith or Jada Pinkett Smith
    full = full_person_name(name, text) or full_name(name, text)
    parts = full.split()
    return _DEPARTMENT.sub("", full) if full and _is_plain(parts[0]) else name


def _is_plain(word: str) -> bool:
    return word.lower().rstrip(".") not in TITLES


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
        speaks = re.search(rf"\b{re.escape(who.split()[-1])} {_ADVERB}{_VERB}\b", above)
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
    named = {_DEPARTMENT.sub("", name) for name in named}
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
    return ended and len(sentences) == 1 and not _CARRIES.search(rest)


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
    if not (words[:1].isupper() or words[:1].isdigit() or words[:1] in _MARKS):
        return False
    before = text[max(0, said.quotation.start - 2) : said.quotation.start]
    opens = not before.strip() or before.rstrip()[-1:] in '.!?:,\n”"' or before.endswith("\n")
    ends = words.rstrip(_MARKS)[-1:] in ".!?,…—–-" or said.end > said.quotation.end
    return opens and ends


def _is_speech(one: Speech) -> bool:
    words = one.words.split()
    if len(words) < LEAST_WORDS or (not one.is_complete and not one.speaker):
        return False
    long = [word for word in words if len(word) >= LONG_WORD and word[0].isalpha()]
    titled = sum(word[0].isupper() for word in long) >= CAPITALISED * len(long) and len(words) < 12
    return not (titled and long) and one.span.end - one.span.start <= LONGEST * 2
