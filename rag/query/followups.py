"""Rule-based follow-up resolution: what a follow-up leaves out is taken from earlier turns.

A follow-up that only names another thing ("And of Tarn?") replaces that part of the question before
it. Otherwise a pronoun is replaced by its name, and terms that the question needs are appended in
brackets, so the user's own words stay. Carrying the terms of the first and the last question is a
strong baseline on TREC CAsT.
"""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from rag.nlp.entities import is_country
from rag.nlp.tokens import FUNCTION_WORDS, stem_words
from rag.query.commands import command_spans, small_talk
from rag.query.length_limit import LONGEST_QUESTION, check_length
from rag.query.period import names_a_period
from rag.query.time_filter import find_time_filter
from rag.schema import Answer

CARRIED_WORDS = 8  # the most terms carried over from earlier turns
REMEMBERED = 6  # earlier turns that a follow-up may refer to

# Words that are never carried over: function words and conversational ones.
_STOP = FUNCTION_WORDS | frozenset(
    """yes tell know say said says think show find please explain describe ok okay thanks oh
    interesting mean let's let ones thing things something different important common main
    kind kinds type types sort happen happened happens summarize summarise list compare
    today yesterday else""".split()
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|such|one"
    r"|ones|the (?:latter|former|same|other|others|two|first|second|company|country|minister|president"
    r"|deal|law|case|report|group|man|woman|city|film|vote|war))\b",
    re.I,
)
_GOES_ON = re.compile(
    r"^\s*(?:and|but|so|or|then|also|what about|how about|why not|what else|who else|where else|how so"
    r"|what for|since when|really|how (?:many|much|long|often|so)\s*\?|(?:why|how|when|where|who|what)\s*\?)"
    r"(?:\b|\s|$)",
    re.I,
)
_NAME = re.compile(
    r"(?<![\w’'])(?:[A-Z](?=[\w’'-]{0,40}?[a-z\d])[\w’'-]++|[A-Z]{2,}+\d*+)"
    r"(?:\s++(?:(?:of|the|de|van|von|bin|al)\s*+)?(?:[A-Z][\w’'-]++|[A-Z]{2,}+))*+"
)
_OPENING = re.compile(
    r"^(?:Yesterday|Today|Tomorrow|Earlier|Later|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Meanwhile"
    r"|However|But|And|The|On|In|At|After|Before|When|While|As|For|Then|Since|Dr|Mr|Mrs|Ms|Prof)\.?\s+(?=[A-Z])"
)
_ASKED = r"(?:what|who|whom|whose|which|when|where|how|why)"
_AUXILIARY = r"(?:do|does|did|is|was|were|are|has|have|had|can|could|will|would|should|may)"
_PERSON = re.compile(
    r"\b(?P<subject>he|she|him)\b|\b(?P<owner>his|her)\b(?=(?P<next>\s+[\w’'-]+)?)", re.I
)
_BEFORE_VERB = re.compile(
    r"(?<!\s)\s+(?:in|on|at|by|for|with|from|to|and|or|after|before|when|as|about)\b", re.I
)
_ELLIPSIS = re.compile(
    r"^\s*+(?:(?:and|but|so|or|then|also)\b,?\s++)?(?:(?:what|how) (?:about|of)\s++)?(?P<rest>[^?!]{1,120}?)[\s?!.]*$",
    re.I,
)
_CLAUSE = re.compile(
    rf"^(?:{_ASKED}|{_AUXILIARY})\b(?!\s+(?:about|of)\b)|\b(?:did|does|do|is|was|were|are|has|have|had|will|would|can|could)\b",
    re.I,
)
_WHO_IS = re.compile(rf"^[Ww]ho (?:is|was|are|were) (?P<name>{_NAME.pattern})\s*\?*$")
_AT_A_PLACE = re.compile(r"\b(?:in|of|at|from|near|to|on|over|the)\s+$", re.I)
_PREPOSITIONS = r"(?:of|in|at|on|for|from|to|by|with|against|about|over|under|near|during|after|before|between|into|among|across|within)"
_WITH_PREPOSITION = re.compile(rf"^(?P<preposition>{_PREPOSITIONS})\s+(?P<object>\S.*)$", re.I)
_WH_ADVERB = re.compile(rf"^(?:when|where|why|how)\s+(?={_AUXILIARY}\b)|^(?={_AUXILIARY}\b)", re.I)
_ONLY_ADVERB = re.compile(r"^\s*+(?:and |but |so )?(?P<adverb>why|when|where|how)[\s?!.]*$", re.I)
# "And what did Moscow say?" takes over what follows the verb of "What did Seoul say about the bill?"
_FRAME = re.compile(
    rf"^(?:(?:and|but|so)\s+)?(?P<asks>{_ASKED}\s+(?:did|does|do|will|would|has|have))\s+(?P<subject>(?:\S+\s+){{1,5}}?)(?P<verb>[a-z]+)(?P<rest>\s+{_PREPOSITIONS}\b[^?]*)?\s*\?*$",
    re.I,
)
# A noun phrase after a determiner or a preposition, up to the next preposition.
_THING = re.compile(
    rf"\b(?:the|an?|{_PREPOSITIONS})\s+(?P<words>(?!(?:the|an?)\b)[\w’'-]++(?:\s+(?!{_PREPOSITIONS}\b|{_AUXILIARY}\b)[\w’'-]++){{0,2}})",
    re.I,
)
_ASKED_HEAD = re.compile(
    rf"^(?:(?:how (?:many|much)|which|what|whose)(?:\s+(?!(?:{_AUXILIARY})\b)[\w’'-]+){{0,3}}|{_ASKED})\s+(?={_AUXILIARY}\b|\w)",
    re.I,
)
# Nouns of something that happened: alone, they are those of the event that was talked about.
_OF_AN_EVENT = frozenset(
    """damage damages cause causes reason reasons victims victim dead deaths death toll injured wounded
    missing casualties survivors suspect suspects motive motives weapon winner winners loser losers
    runner-up result results outcome score verdict sentence charges price cost costs reaction
    reactions response responses consequences effects effect impact aftermath details background
    date location venue turnout opponents supporters critics alternatives symptoms
    benefits risks side-effects""".split()
)
_NOUN_PHRASE = re.compile(
    r"\b(?:the|an?|any)\s+(?P<words>[\w’'-]+(?:\s+(?!of\b)[\w’'-]+){0,2})", re.I
)
ALONE_WORDS = 3  # content words with which a question without a pronoun is self-contained

Turn = tuple[str, Answer] | str


def resolve_followup(question: str, history: Sequence[Turn]) -> str:
    """Return a follow-up question with the terms it needs from the conversation.

    Args:
        question: The question, as asked.
        history: The turns before it, oldest first; only the beginning of a very long one is read.

    Returns:
        The question as it would be asked without the conversation: with another part of the
        question before it, or with carried terms in brackets.

    Raises:
        QuestionTooLongError: The question is longer than LONGEST_QUESTION.
    """
    check_length(question)
    turns = [turn for turn in history if small_talk(_question_of(turn)) is None]
    asked: list[str] = []
    answer: Answer | None = None
    for turn in turns[-REMEMBERED:]:
        asked.append(_resolve(_question_of(turn), asked, answer))
        answer = None if isinstance(turn, str) else turn[1]
    if turns[:-REMEMBERED]:
        asked.insert(0, _question_of(turns[0]))
    return _resolve(question, asked, answer)


def _question_of(turn: Turn) -> str:
    return (turn if isinstance(turn, str) else turn[0])[:LONGEST_QUESTION]


def _resolve(question: str, asked: Sequence[str], answer: Answer | None) -> str:
    """Return a question with what it needs of the resolved questions before it."""
    if not asked or not _depends(question, asked, answer):
        return question
    replaced = _replace_part(question, asked[-1])
    if replaced and len(replaced) <= LONGEST_QUESTION:
        return replaced
    named = _name_person(question, asked[-1], answer)
    if len(named) > LONGEST_QUESTION:
        named = question
    whole, words = named, list[str]()
    for word in carried_over_terms(question, asked, answer):
        if word.casefold() in named.casefold():
            continue
        longer = with_carried_terms(named, [*words, word])
        if len(longer) <= LONGEST_QUESTION:  # a later, shorter term may still fit
            words, whole = [*words, word], longer
    return whole


def needs_history(question: str, history: Sequence[Turn] = ()) -> bool:
    """Return whether a question depends on earlier turns.

    It does if it has an unresolved pronoun ("he", "there"), begins as a continuation ("and ...") or
    has too few content words, unless these are about something else than the last answer.

    Args:
        question: The question, as asked.
        history: The turns before it, oldest first; without them, only the question is looked at.
    """
    answer = next((turn[1] for turn in history[-1:] if not isinstance(turn, str)), None)
    return _depends(question, [_question_of(turn) for turn in history], answer)


def _depends(question: str, asked: Sequence[str], answer: Answer | None) -> bool:
    if small_talk(question) is not None:
        return False
    if _is_time(question):  # "And in 2023?"
        return True
    if not _GOES_ON.search(question) and names_a_period(question, datetime.now(UTC)):
        return False
    names = [m for m in _NAME.finditer(question) if m.start() > 0]
    content = _content_terms(question)
    points_back = _POINTS_BACK.search(question) and not _is_self_contained(question)
    if points_back:
        return True
    if _GOES_ON.search(question):
        alone = len(content) >= ALONE_WORDS and _CLAUSE.search(question)
        return not (alone and _is_new_topic(question, asked, answer))
    if names or len(content) >= ALONE_WORDS:
        return False
    return not _is_new_topic(question, asked, answer)


def _is_time(question: str) -> bool:
    """Return whether a question is only a time, as in "And in 2023?"."""
    ellipsis = _ELLIPSIS.match(question)
    return ellipsis is not None and _replace_time(ellipsis["rest"].strip(), "What happened?") != ""


def _is_new_topic(question: str, asked: Sequence[str], answer: Answer | None) -> bool:
    """Return whether a question is about something that the last answer's articles don't mention.

    Only the passages that share a term with the last question count: the others are chance hits.
    """
    if answer is None or not asked or not (answer.hits or answer.citations):
        return False
    own = [word for word in _content_terms(question) if word.casefold() not in _OF_AN_EVENT]
    phrase = _NOUN_PHRASE.search(question)
    nouns = [w for w in own if phrase and w in phrase["words"].split()] or own
    if not nouns:
        return False
    subject = stem_words(" ".join(_content_terms(asked[-1])))
    passages = [(hit.metadata.title, hit.passage.text) for hit in answer.hits]
    passages += [(c.metadata.title, c.passage.text) for c in answer.citations]
    said = [stem_words(f"{title} {text}") for title, text in passages]
    enough = min(2, len(subject))
    talked_of = frozenset().union(*(words for words in said if len(words & subject) >= enough))
    return not any(stem_words(word) & talked_of for word in nouns)


def _replace_part(question: str, last: str) -> str:
    """Return the last question with the part replaced that a follow-up names; "" if none is."""
    adverb = _ONLY_ADVERB.match(question)
    if adverb:
        rest = _WH_ADVERB.sub("", last, count=1)
        whole = f"{adverb['adverb'].capitalize()} {rest[:1].lower()}{rest[1:]}"
        return whole if _WH_ADVERB.match(last) else ""
    frame, before = _FRAME.match(question), _FRAME.match(last)
    if (
        frame
        and before
        and not frame["rest"]
        and before["rest"]
        and not _is_pronoun(frame["subject"])
    ):
        return f"{question.rstrip(' ?')}{before['rest'].rstrip()}?"
    ellipsis = _ELLIPSIS.match(question)
    rest = ellipsis["rest"].strip() if ellipsis else ""
    timed = _replace_time(rest, last) if rest else ""
    if timed or not rest or not _GOES_ON.search(question):
        return timed
    if _CLAUSE.search(rest) or _POINTS_BACK.search(rest):
        return ""
    return _replace_name(rest, last)


def _is_pronoun(words: str) -> bool:
    return _POINTS_BACK.fullmatch(words.strip()) is not None


def _replace_time(rest: str, last: str) -> str:
    """Return the last question with another time; "" if `rest` is no time."""
    now = datetime.now(UTC)
    own = find_time_filter(rest, now, reading="lenient")
    if own is None or _CLAUSE.search(rest):
        return ""
    left = rest
    for start, end in reversed(own.spans):
        left = left[:start] + left[end:]
    if _content_terms(left):
        return ""
    theirs = find_time_filter(last, now) or find_time_filter(last, now, reading="lenient")
    if theirs is None:
        return _append(last, rest)
    if re.match(
        r"(?:Last|This|In|On|Since|Until|Yesterday|Today|The|Earlier|Before|After)\b", rest
    ):
        rest = f"{rest[:1].lower()}{rest[1:]}"
    start, end = theirs.spans[0][0], theirs.spans[-1][1]
    led = _WITH_PREPOSITION.match(last[start:end])
    if led and re.match(r"\d", rest):  # "And 2023?" after "in 2024"
        rest = f"{led['preposition']} {rest}"
    return _tidy(f"{last[:start]} {rest} {last[end:]}")


def _replace_name(rest: str, last: str) -> str:
    """Return the last question with another name, or with another object of its preposition."""
    led = _WITH_PREPOSITION.match(rest)
    new = led["object"] if led else rest
    if not _NAME.search(new):
        return _append(last, rest) if led else ""
    names = [m for m in _NAME.finditer(last) if m.start() > 0]
    if not names:
        return _append(last, rest) if led else ""
    if led:
        word = led["preposition"].lower()
        same = [
            m
            for m in names
            if last[: m.start()].lower().rstrip().removesuffix(" the").endswith(f" {word}")
        ]
        if not same and len(names) > 1:
            return _append(last, rest)
        chosen = (same or names)[-1]
    else:
        long = len(new.split()) > 1
        alike = [m for m in names if (len(m[0].split()) > 1) == long]
        chosen = (alike or names)[-1]
    if chosen[0].casefold() == new.casefold():
        return ""
    if last[: chosen.start()].lower().endswith("the "):
        new = re.sub(r"^the\s+", "", new, flags=re.I)
    return _tidy(
        f"{last[: chosen.start()]}{new}{last[chosen.end() :].removeprefix('’s').removeprefix(chr(39) + 's')}"
    )


def _append(last: str, words: str) -> str:
    return f"{last.rstrip(' ?.!')} {words}?"


def _tidy(text: str) -> str:
    return re.sub(r" (?=[?.,!])", "", " ".join(text.split()))


def _name_person(question: str, last: str, answer: Answer | None) -> str:
    """Return the question with the first "he" or "her" replaced by the person's name."""
    pronoun = _PERSON.search(question)
    name = _person(last, answer) if pronoun else ""
    if pronoun is None or not name:
        return question
    owns = pronoun["owner"] and pronoun["next"] and not _BEFORE_VERB.match(pronoun["next"])
    return f"{question[: pronoun.start()]}{name}{'’s' if owns else ''}{question[pronoun.end() :]}"


def _person(last: str, answer: Answer | None) -> str:
    """Return the person who was talked about: the one asked about, or else the one answered."""
    identity = _WHO_IS.match(last)
    if identity:
        return identity["name"]
    if not re.match(r"(?i)who|which|name\b", last):
        asked = [
            m[0]
            for m in _NAME.finditer(last)
            if m.start() > 0 and not _AT_A_PLACE.search(last[: m.start()]) and not is_country(m[0])
        ]
        if asked:
            return max(asked, key=lambda name: " " in name)
    if answer is None or not answer.statements:
        return ""
    said = _names(answer.statements[0].text[:LONGEST_QUESTION])
    return said[0] if said else ""


def carried_over_terms(question: str, asked: Sequence[str], answer: Answer | None) -> list[str]:
    """Return the terms that a follow-up takes over from earlier turns.

    Args:
        question: The follow-up.
        asked: The earlier questions, oldest first.
        answer: The answer to the last one, if any.

    Returns:
        Names and terms of the first and last question and of the answer that `question` lacks; only
        those of the event if the question asks for something else about it.
    """
    have = {word.casefold() for word in re.findall(r"\w+", question)}
    words = _carry_over_time(question, asked[-1])
    unnamed = _ONLY_ADVERB.match(question) and re.match(r"(?i)who\b", asked[-1])
    if answer is not None and (_PERSON.search(question) or unnamed):
        first = " ".join(s.text[:LONGEST_QUESTION] for s in answer.statements[:1])
        words += _names(first)[:1]
    sources = list(dict.fromkeys([asked[-1], asked[0]]))
    if _asks_anew(question) and not (_FRAME.match(question) and _FRAME.match(asked[-1])):
        sources = [_event_of(asked[-1])]
    for text in sources:
        words += [
            w for w in _content_terms(text) if not any(w in carried.split() for carried in words)
        ]
    fresh = dict.fromkeys(w for w in words if not {p.casefold() for p in w.split()} <= have)
    return list(fresh)[:CARRIED_WORDS]


def _asks_anew(question: str) -> bool:
    """Return whether a follow-up asks for another thing in words of its own: "the damage"."""
    terms = _content_terms(question)
    if not terms or _POINTS_BACK.search(question):
        return False
    of_event = any(word.casefold() in _OF_AN_EVENT for word in terms)
    return of_event or _CLAUSE.search(question) is not None


def _event_of(last: str) -> str:
    """Return the words of a question that say of what it asks something: "the flood in Tarn"."""
    bracketed = re.search(r"\(([^()]*)\)\s*$", last)
    kept = [m.span() for m in _NAME.finditer(last) if m.start() > 0]
    kept += [m.span("words") for m in _THING.finditer(last, _end_of_head(last))]
    words = [m[0] for m in re.finditer(r"\w[\w’'-]*", last) if _lies_in(m.span(), kept)]
    found = " ".join([*words, bracketed[1] if bracketed else ""]).strip()
    return found or last[_end_of_head(last) :]


def _end_of_head(last: str) -> int:
    head = _ASKED_HEAD.match(last)
    return head.end() if head else 0


def _lies_in(span: tuple[int, int], kept: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in kept)


def with_carried_terms(question: str, words: Sequence[str]) -> str:
    """Return the question with carried terms appended in brackets."""
    return f"{question} ({' '.join(words)})" if words else question


def _carry_over_time(question: str, last: str) -> list[str]:
    """Return the time expression of the last question if this question has none."""
    now = datetime.now(UTC)
    window = find_time_filter(last, now)
    if window is None or find_time_filter(question, now) is not None:
        return []
    return [last[start:end] for start, end in window.spans]


def _is_self_contained(question: str) -> bool:
    """Return whether a name comes before the pronoun in the question itself."""
    pronoun = _POINTS_BACK.search(question)
    return pronoun is not None and any(
        0 < m.start() < pronoun.start() for m in _NAME.finditer(question)
    )


def _names(text: str) -> list[str]:
    """Return the names in a text, those of several words first, except a sentence's first word."""
    found = [_OPENING.sub("", m[0]) for m in _NAME.finditer(text)]
    return sorted((n for n in found if n.casefold() not in _STOP), key=lambda n: " " not in n)


def _content_terms(text: str) -> list[str]:
    """Return the words of a text that name a topic."""
    for start, end in reversed(command_spans(text)):
        text = f"{text[:start]} {text[end:]}"
    words = re.findall(r"[\w][\w’'-]*", text)
    return [w for w in words if w.casefold() not in _STOP and len(w) > 1]
