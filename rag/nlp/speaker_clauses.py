"""Clauses beside a quotation, and the speaker whom they name ("Cho said", "according to Cho")."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.nlp.dates import CALENDAR_WORDS
from rag.nlp.entities import TITLES, Name, find_names, full_name, normalize_name
from rag.nlp.people import full_person_name
from rag.nlp.quotations import Quotation
from rag.nlp.tokens import STOP_WORDS

LONGEST_CLAUSE = 160  # characters between two quotations that an attribution can take
LONGEST_PHRASE = 10  # words that describe a speaker without a name
VERB = (
    r"(?:said|says|told|added|adds|warned|warns|announced|stated|claimed|argued|insisted|explained"
    r"|replied|asked|wrote|writes|tweeted|posted|declared|vowed|promised|confirmed|noted|suggested"
    r"|predicted|acknowledged|admitted|joked|urged|recalled|continued|concluded|testified|revealed"
    r"|quipped|conceded|stressed|emphasized|emphasised|tells|recalls|notes|explains|argues|insists"
    r"|agreed|agrees|remarked|commented|lamented|exclaimed|answered|responded|reads|read|observed"
    r"|warns|asks|thundered|countered|shouted|yelled|cried|repeated|deadpanned|texted|pleaded|complained|cautioned|boasted|sang|quoted)"
)
_NO_ADVERB = r"(?!(?:family|assembly|supply|rally|ally|bully|monopoly|daily|weekly) )"
ADVERB = rf"(?:(?:also|later|then|once|has|had|have|first|{_NO_ADVERB}[a-z]{{3,12}}ly) ){{0,2}}"
CARRIES = re.compile(rf"\b{VERB}\b")
# "Mayor Ada Quill", "a spokesman for the port", "the ministry", "police", "she".
_WORD = r"[^\W_][\w.’'&-]{0,40}+"
_SUBJECT = rf"{_WORD}(?: {_WORD}){{0,9}}?"
_DESCRIPTION = r"(?:, [^,“”\"\n]{2,120}+(?:, [^,“”\"\n]{2,80}+)?,)?"
_AFTER = re.compile(
    rf",? ?(?P<who>{_SUBJECT}){_DESCRIPTION} {ADVERB}{VERB}\b"
    r"(?! (?:to|by|this|that|these|those|he|she|it|they|his|her|their|a|an|not)\b)"
)
_AFTER_TURNED = re.compile(
    rf",? ?{ADVERB}{VERB} (?P<who>{_WORD}(?: {_WORD}){{0,12}})"
    r"(?P<more>, [A-Z][^,.“”\"\n]{2,60})?"
)
_BOUNDARY = re.compile(r"^|[,;:—–] |\b(?:and|but|while|as|when|that) ")
_BEFORE = re.compile(
    rf"(?P<who>{_SUBJECT})(?:, (?!and |but |or )[^,“”\"\n]{{2,120}}+"
    rf"(?:, (?!and |but |or )[^,“”\"\n]{{2,80}}+)?)?,? {ADVERB}{VERB}\b"
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
PRONOUN = re.compile(r"(?:he|she)$", re.I)
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
DEPARTMENT = re.compile(
    r"^(?:State|Defense|Commerce|Energy|Education|Treasury|Labor|Health|Transportation|Interior)"
    r"(?= [A-Z]\S+ [A-Z]) "
)
_OPENERS = re.compile(
    r"^(?:but|and|so|yet|then|still|however|meanwhile|later|now|also|as|while|when|because),? ",
    re.I,
)
_NO_NAMES = (STOP_WORDS | CALENDAR_WORDS) - {"will", "may", "june", "april", "august"}
MARKS = "“”„«»\"’‘'"


def clause_after(text: str, quotation: Quotation, ceiling: int) -> tuple[str, int]:
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


def clause_before(before: str) -> str:
    """Return the speaker's phrase of a clause that leads to a quotation; "" if it isn't clear."""
    if before.rstrip()[-1:] in tuple(".!?"):
        return ""
    sentence = re.split(r"(?<=[.!?])[”\"’']? (?=[A-Z“\"])", before)[-1].strip()
    match = _ACCORDING_BEFORE.match(sentence)
    if match:
        return match["who"]
    verbs = list(CARRIES.finditer(sentence))
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


def named_speaker(phrase: str, text: str) -> str:
    """Return the speaker that a phrase names; "" if the phrase names nobody clearly."""
    phrase = _OPENERS.sub("", phrase.strip(f" ,.;:{MARKS}"))
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
    if PRONOUN.match(phrase):
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
        return DEPARTMENT.sub("", name)
    called = re.findall(rf"(?<!\w)([A-Z][\w’'-]{{0,30}}) {re.escape(name)}(?!\w)", text)
    others = {first for first in called if _is_plain(first) and first.lower() not in _NO_NAMES}
    if len(others) > 1:
        return name  # Will Smith or Jada Pinkett Smith
    full = full_person_name(name, text) or full_name(name, text)
    parts = full.split()
    return DEPARTMENT.sub("", full) if full and _is_plain(parts[0]) else name


def _is_plain(word: str) -> bool:
    return word.lower().rstrip(".") not in TITLES
