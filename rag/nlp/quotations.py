"""Quotations in news, their speakers, and spans that can be quoted alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.nlp.entities import find_names
from rag.nlp.sentences import split_sentences
from rag.schema import Span

REPORTING_VERBS = frozenset(
    """say says said saying tell tells told add adds added warn warns warned announce announces
    announced state states stated claim claims claimed argue argues argued insist insists insisted
    explain explains explained reply replies replied ask asks asked write writes wrote tweet tweets
    tweeted post posted call calls called describe describes described declare declares declared
    vow vows vowed promise promises promised threaten threatens threatened deny denies denied
    accuse accuses accused confirm confirms confirmed note notes noted suggest suggests suggested
    predict predicts predicted acknowledge acknowledges acknowledged admit admits admitted joke
    joked urge urges urged demand demands demanded pledge pledges pledged report reports reported
    allege alleges alleged estimate estimates estimated believe believes believed think thinks
    thought recall recalled continue continued conclude concluded testify testified reveal revealed
    tells quip quipped concede conceded stress stressed emphasize emphasized""".split()
)
_VERB = "|".join(sorted(REPORTING_VERBS, key=len, reverse=True))
# Verbs that name a quotation's speaker; "called" and "reported" name things too often.
_CARRIERS = (
    "said|says|told|added|adds|warned|warns|announced|stated|claimed|argued|insisted|explained|"
    "replied|asked|wrote|writes|tweeted|posted|declared|vowed|promised|confirmed|noted|suggested|"
    "predicted|acknowledged|admitted|joked|urged|recalled|continued|concluded|testified|revealed|"
    "quipped|conceded|stressed|emphasized|tells|recalls|notes|explains|argues|insists"
)
ATTRIBUTED = re.compile(
    rf"\b(?:{_CARRIERS}|according to|accused|alleged(?:ly)?|reportedly|claims?|says|"
    rf"in a (?:statement|tweet|post|speech|letter|interview))\b",
    re.IGNORECASE,
)
# A word of a speaker's name or role; unlimited words would make the match quadratic.
_WORD_ON = r"[\w.’'-]{0,40}+"
_WORD = r"[\w.’'-]{1,40}+"
_CLAUSE = re.compile(
    rf"^\W*(?:(?:he|she|they|it|[A-Z][\w.’'-]*)(?: [\w.’'-]+){{0,6}}? (?:{_CARRIERS})\b"
    rf"|(?:{_CARRIERS}) (?:[A-Z][\w.’'-]*|the|a|an)\b)"
)
_SPEAKER_AFTER = re.compile(
    rf"[”\"’',]\s*+(?P<a>(?:[A-Z]{_WORD_ON}|[Hh]e|[Ss]he|[Tt]hey)(?: {_WORD}){{0,7}}?) "
    rf"(?:also |later |then )?(?:{_CARRIERS})\b"
    rf"|[”\"’',]\s*+(?:{_CARRIERS}) (?P<b>(?:the |a )?(?:[\w’'-]++ ){{0,6}}?"
    rf"[A-Z][\w’'-]*+(?: [A-Z][\w’'-]*+)*+)"
)
_SPEAKER_BEFORE = re.compile(
    rf"(?<!\w)(?P<c>(?:[A-Z]{_WORD_ON}|[Hh]e|[Ss]he|[Tt]hey|The|A)(?: {_WORD}){{0,8}}?),?"
    rf"(?: [^,.“\"]{{3,60}}+,)? "
    rf"(?:also |later |then |has |had )?(?:{_VERB})\b"
)
_SPOKEN = re.compile(r"“[^”]{0,1500}+”|\"[^\"]{0,1500}+\"")
_ACCORDING = re.compile(r"[Aa]ccording to (?P<d>[^,.“”\"]+?)(?=[,.“”\"]|$)")

LONGEST_UNIT = 700  # characters; longer quotations are quoted sentence by sentence


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quotation; `start` and `end` include the quotation marks, `text` doesn't."""

    text: str
    start: int
    end: int


def find_quotations(text: str) -> list[Quotation]:
    """Return the text in double quotation marks, each within its paragraph.

    A quotation left open ends with the paragraph, as news prints speech that continues in the next
    one.
    """
    found = []
    for paragraph in re.finditer(r"[^\n]+", text):
        opened = -1
        for mark in re.finditer(r"[“”„«»\"]", paragraph[0]):
            at = paragraph.start() + mark.start()
            before = text[at - 1] if at > paragraph.start() else " "
            # A straight mark opens after a space or a bracket; scrapers also write “…“.
            opens = mark[0] in "“„«" if opened < 0 else False
            opens = opens or (mark[0] == '"' and opened < 0 and not before.isalnum())
            if opens:
                opened = at
            elif opened >= 0:
                found.append(Quotation(text[opened + 1 : at], opened, at + 1))
                opened = -1
        if opened >= 0 and paragraph.end() - opened > 20:
            found.append(Quotation(text[opened + 1 : paragraph.end()], opened, paragraph.end()))
    return [q for q in found if q.text.strip()]


def quotable_spans(text: str) -> list[Span]:
    """Return the spans of a text that can be quoted alone, in order.

    A span is a sentence, or the sentences of one quotation with the clause that names its
    speaker; no quotation is split, and none loses its speaker.
    """
    spans = split_sentences(text)
    joined = _join(spans, find_quotations(text))
    out: list[Span] = []
    for span in joined:
        orphan = _CLAUSE.match(text[span.start : span.end]) and text[span.start] in "”\"’'"
        if out and (orphan or _is_attribution_of(text, out[-1], span)):
            out[-1] = Span(out[-1].start, span.end)
        else:
            out.append(span)
    return out


def _join(spans: list[Span], quoted: list[Quotation]) -> list[Span]:
    out: list[Span] = []
    for span in spans:
        torn = out and any(q.start < out[-1].end < q.end and q.end > span.start for q in quoted)
        if torn and span.end - out[-1].start <= LONGEST_UNIT:
            out[-1] = Span(out[-1].start, span.end)
        else:
            out.append(span)
    return out


def _is_attribution_of(text: str, last: Span, span: Span) -> bool:
    """Return True if `span` is only "Cho said." after a quotation without a speaker."""
    quoted, clause = text[last.start : last.end], text[span.start : span.end]
    return (
        quoted[-1] in "”\"’'"
        and "\n" not in text[last.end : span.start]
        and len(clause) < 120
        and not re.search(r"[“\"]", clause)
        and bool(_CLAUSE.match(clause))
        and not ATTRIBUTED.search(re.sub(r"[“\"][^”\"]{0,1500}+[”\"]", "", quoted))
    )


@lru_cache(maxsize=1024)  # a claim is compared with the same sentences many times
def find_speaker(text: str) -> str:
    """Return the speaker that a text names, in its words; "" if there is no speaker."""
    bare = _SPOKEN.sub(lambda m: "“" + "_" * (len(m[0]) - 2) + "”", text)
    for pattern in (_ACCORDING, _SPEAKER_AFTER, _SPEAKER_BEFORE):
        match = pattern.search(bare)
        if match:
            said_by = next(part for part in match.groups() if part)
            return said_by.strip(' ,“”"')
    return ""


def speaker_name(text: str) -> str:
    """Return the name of the speaker: the last one found, as titles and countries come first."""
    who = find_speaker(text)
    found = find_names(who)
    return found[-1].text if found else who
