"""Whose words a question for quotations asks for, and whether a quotation is by that speaker."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.nlp.entities import find_names, is_country, names_match
from rag.nlp.speakers import Speech
from rag.nlp.tokens import stem_words
from rag.query.parser import ParsedQuery

DESCRIBED_WITHIN = 60  # characters before a name in which words describe its bearer
_ABOUT = r"(?:on|about|regarding|concerning|after|over|of|to|zu|zum|zur|über|in)"
_SAY = r"(?:say|said|says|saying|think|tell|told|write|comment|react|respond|reply|replied|call)"
# "quotes by Ada Quill about the bridge", "Ada Quill quotes on the bridge", "Was sagte X zu Y".
_QUOTES_BY = re.compile(
    r"^(?:(?:show|give|find|list) (?:me )?)?(?:all |the |some |any |best )*"
    r"(?:quotes?|quotations?|statements?|comments?|remarks?|words|reactions?|responses?|zitate?)"
    rf" (?:by|of|from|von) (?P<who>\S.{{0,60}}?)(?: {_ABOUT} (?P<topic>\S.{{0,200}}))?$",
    re.IGNORECASE,
)
_QUOTES_OF = re.compile(
    r"^(?P<who>[A-Z][\w.’'-]{0,30}+(?: [A-Z][\w.’'-]{0,30}+){0,4})[’']?s? (?:quotes?|quotations?"
    rf"|statements?|comments?|remarks?|words)(?: {_ABOUT} (?P<topic>\S.{{0,200}}))?$"
)
_SAID_BY = re.compile(
    rf"^(?:what|how) (?:did|does|do|has|have|had|is|are|was|were) (?P<who>\S.{{0,60}}?) {_SAY}\b"
    rf"(?: {_ABOUT})?(?: (?P<topic>\S.{{0,200}}))?$",
    re.IGNORECASE,
)
_GERMAN = re.compile(
    r"^was (?:sagte|sagt|sagten|sagen|meinte|meint) (?P<who>\S.{0,60}?)"
    rf"(?: {_ABOUT} (?P<topic>\S.{{0,200}}))?$|^was (?:hat|haben) (?P<who2>\S.{{0,60}}?)"
    rf" {_ABOUT} (?P<topic2>\S.{{0,200}}) gesagt$",
    re.IGNORECASE,
)
# Words that ask for quotations and say nothing of the topic.
_LAYOUT = re.compile(
    r"^(?:(?:show|give|find|list) (?:me )?)?(?:all |the |some |any |best )*"
    r"(?:quotes?|quotations?|statements?|comments?|remarks?|reactions?|zitate?)"
    rf" {_ABOUT} |^(?:who|what) (?:has |have )?(?:said|says|is saying|was said|is said|wrote)"
    rf"(?: what)?(?: (?:about|on|of|over))? "
    r"|^who (?:has |have )?(?:critici[sz]ed|praised|welcomed|condemned|defended|supported|attacked"
    r"|reacted to|responded to|commented on|spoke about) ",
    re.IGNORECASE,
)
# Speakers that nobody is in particular: "What do people say about ...?"
_ANYBODY = frozenset(
    """people they critics experts everyone everybody anyone anybody others reactions someone we you
    supporters opponents politicians analysts leaders fans observers readers sources articles papers
    newspapers media press reports publishers leute experten kritiker man""".split()
)
_VOICE = re.compile(
    r"\b(?:spokes\w+|officials?|representatives?|statement|ministry|ministers?|government|embassy"
    r"|press secretary|authorities|post|report|filing|lawsuit|chair\w{0,6}|president|director"
    r"|leader|premier|chancellor|king|queen|news agency|secretary|chief|CEO|governor|head"
    r"|commissioner|ambassador)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AskedSpeaker:
    """A question for quotations.

    Attributes:
        name: Whose words are asked for, as the question calls them; "" for anybody's.
        topic: What they are about, in the question's words; "" for anything.
        query: The terms to search for.
    """

    name: str
    topic: str
    query: str

    @property
    def is_named(self) -> bool:
        """True if the speaker has a name: "Ada Quill" and "the Lund Bank", not "scientists"."""
        return bool(find_names(f"of {self.name}"))


def asked_speaker(asked: ParsedQuery) -> AskedSpeaker:
    """Return whose words a question asks for, and about what.

    Args:
        asked: The parsed question.
    """
    words = asked.query.strip(" ?!.")
    for pattern in (_QUOTES_BY, _QUOTES_OF, _SAID_BY, _GERMAN):
        match = pattern.match(words)
        if match is None:
            continue
        found = match.groupdict()
        who = (found.get("who") or found.get("who2") or "").strip()
        topic = (found.get("topic") or found.get("topic2") or "").strip()
        if _is_anybody(who):
            return AskedSpeaker("", topic or words, topic or words)
        return AskedSpeaker(who, topic, f"{who} {topic}".strip())
    if asked.expected.whose and not asked.expected.sides and not _is_anybody(asked.expected.whose):
        who = asked.expected.whose
        topic = " ".join(re.sub(re.escape(who), " ", words).split())
        return AskedSpeaker(who, topic, words)
    topic = _LAYOUT.sub("", words) or words
    return AskedSpeaker("", topic, topic)


def _is_anybody(who: str) -> bool:
    words = re.sub(r"^(?:the|other|some|many|die|der) ", "", who.lower()).split()
    return not words or (words[-1] in _ANYBODY and not find_names(f"of {who}"))


def is_by(wanted: AskedSpeaker, speech: Speech, article: str) -> bool:
    """Return whether a quotation is by the speaker that a question asks for, or speaks for them.

    A minister or spokesman speaks for a country or a company; a lawyer or a friend doesn't speak
    for a person.

    Args:
        wanted: The question.
        speech: The quotation.
        article: The text of its article, in which the speaker is described.
    """
    if not speech.speaker:
        return False
    names = [name.text for name in find_names(f"of {wanted.name}")]
    if not names:
        around = f"{speech.phrase} {speech.speaker} {_description(speech.speaker, article)}"
        return bool(stem_words(wanted.name) & stem_words(around))
    described = speech.speaker[:1].islower() or speech.speaker.lower().startswith("the ")
    own = [name.text for name in find_names(f"of {speech.speaker}")]
    if not described:
        if any(names_match(speech.speaker, name) for name in names):
            return True
        around = f"{speech.phrase} {_description(speech.speaker, article)}"
        is_body = wanted.name.lower().startswith("the ") or len(names[0].split()) == 1
        return any((is_body or is_country(name)) and _speaks_for(around, name) for name in names)
    return any(
        names_match(name, other) and not _is_owned(speech.speaker, other)
        for name in names
        for other in own
        if _VOICE.search(speech.speaker) or len(own) == 1
    )


def _description(name: str, article: str) -> str:
    """Return the words that describe a speaker where the article first names them.

    These are the words right before the name, up to a comma, and what stands after it in commas.
    """
    at = article.find(name)
    if at < 0:
        return ""
    before = re.split(r"[,;:.!?\n”\"]", article[max(0, at - DESCRIBED_WITHIN) : at])[-1]
    after = re.match(r", ([^,.\n]{3,90})[,.]", article[at + len(name) :])
    return f"{before.strip()} {after[1] if after else ''}".strip()


def _speaks_for(around: str, name: str) -> bool:
    """Return whether a speaker, as described, is an official voice of a country or institution."""
    others = [other.text for other in find_names(f"of {around}")]
    return _VOICE.search(around) is not None and any(names_match(name, other) for other in others)


def _is_owned(phrase: str, name: str) -> bool:
    at = phrase.find(name)
    after = phrase[at + len(name) :]
    return bool(re.match(r"[’']s? (?!spokes|press)", after))
