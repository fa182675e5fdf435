"""Topics of passages: the events, persons and other names that questions can be made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.answer.events import ends_sentence
from rag.nlp.entities import find_names, is_country, names_match, names_of, normalize_name
from rag.nlp.fates import FATES
from rag.nlp.name_lists import GIVEN_NAMES
from rag.nlp.name_spans import is_common
from rag.nlp.numbers import find_numbers
from rag.nlp.people import NOT_PEOPLE, person_name
from rag.nlp.quotations import find_speaker, quotable_spans
from rag.nlp.speakers import find_speech, is_described
from rag.nlp.tokens import tokenize
from rag.schema import Hit, Span

LONGEST_NAME = 4  # words
FEWEST_QUOTED = 6  # words of a quotation that is worth asking for
NEAR_WORDS = 200  # characters around quoted words in which their topic is named
FATE_REACH = 40  # characters between a figure and what befell those it counts
SHORTEST = 3  # letters of a name
LEAST_HITS = 2  # hits that name a thing which is worth asking about
WELL_KNOWN = 4  # mentions in the hits from which nobody need be told who a person is

_EVENTS = (
    "earthquake|shooting|flood|floods|flooding|landslide|crash|collision|attack|bombing|explosion"
    "|fire|wildfire|blaze|storm|tornado|typhoon|cyclone|eruption|outbreak|strike|protests?|election"
    "|referendum|coup|summit|trial|merger|takeover|derailment|stampede|massacre|siege|hijacking"
    "|robbery|verdict|funeral|coronation|ceasefire|treaty|sanctions"
)
_MODIFIER = (
    r"(?:[A-Z][\w’'-]{1,20}|school|mass|train|plane|bus|nightclub|football|crowd|car|mine|dam"
    r"|bridge|presidential|general|parliamentary|nuclear)"
)
# An event by a name: "the Club Q shooting", "Hurricane Ian".
_EVENT = re.compile(
    rf"\b(?P<storm>(?:Hurricane|Typhoon|Cyclone|Tropical Storm) [A-Z][a-z]{{2,20}}\b)"
    rf"|(?<![\w’'-])(?:[Tt]he )?(?P<event>(?!The |An? )[A-Z][\w’'-]{{1,20}}+"
    rf"(?: {_MODIFIER}){{0,3}} (?:{_EVENTS}))\b"
)
# Events in which nobody dies as a rule.
_HARMLESS = re.compile(
    r"\b(?:funeral|election|referendum|summit|trial|merger|takeover|verdict|coronation|ceasefire"
    r"|treaty|sanctions|strike|robbery|outbreak)$"
)
_WITHIN = re.compile(r"(?<=[a-z,;’'] )[A-Z][\w-]*+")  # capitals that open no sentence
_DEAD = next(words for name, words in FATES.items() if name == "dead")
_NO_TOPIC = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday congress parliament senate english
    twitter facebook instagram youtube reuters associated press news today live updates photos video
    opinion analysis guide review explained first what how why who when here the this that these
    everything ever there now new more most watch read see editor""".split()
)
# Last words of names that are written with "the".
_INSTITUTIONS = frozenset(
    """service council agency force forces board commission authority ministry department
    committee union league party court bureau association foundation institute senate pentagon
    kremlin""".split()
)
_NO_PERSON = (
    NOT_PEOPLE
    | _NO_TOPIC
    | _INSTITUTIONS
    | frozenset(
        "government palace administration metropolitan capitol police times journal".split()
    )
)
_NO_SURNAMES = frozenset("cup final finals prize award awards trophy open league".split())
_SAID = re.compile(r"\b(?:said|says|told|warned|announced|added|wrote|promised|vowed)\b")
_AFTER_A_NAME = (
    r"(?=[,.;:)]| (?:is|was|has|had|said|will|would|and|in|on|of|to|for|by|at|with|from)\b)"
)


@dataclass(frozen=True, slots=True)
class Toll:
    """An event with a number of dead, and the hit that gives it."""

    event: str
    hit: Hit


def named_events(text: str, context: str = "") -> list[str]:
    """Return the events that a text calls by a name, without repetitions: "the Varn landslide".

    Args:
        text: A title, sentence or passage.
        context: The text around it, which shows whether a word that opens the title is a name.
    """
    whole = f"{context}\n{text}"
    known = set(_WITHIN.findall(whole))
    known |= {word for n in names_of(context) if " " in n.text for word in n.text.split()}
    found = []
    for match in _EVENT.finditer(text):
        event = match["storm"] or match["event"]
        first = re.sub(r"[’']s$", "", event.split()[0])
        after_the = match[0].lower().startswith("the ")
        if match["storm"]:
            found.append(event)
        elif (first in known or after_the) and first.lower() not in _NO_TOPIC:
            found.append(event if re.search(r"[’']s ", event) else f"the {event}")
    return list(dict.fromkeys(found))


def named_things(hits: Sequence[Hit]) -> list[str]:
    """Return the institutions, works and agreements that several hits name, with their article.

    Those are names that are written with "the", and abbreviations of headlines; persons, places,
    countries and the hits' publishers are none.

    Args:
        hits: The hits.
    """
    counts, titled = Counter[str](), Counter[str]()
    publishers = {re.sub(r"\W", "", hit.metadata.publisher).casefold() for hit in hits}
    for hit in hits:
        counts.update(set(_topic_names(hit.passage.text)))
        titled.update(set(_topic_names(hit.metadata.title)))
    found = []
    for name in sorted(counts, key=lambda name: (-(2 * titled[name] + counts[name]), -len(name))):
        bare = re.sub(r"\W", "", name).casefold()
        if counts[name] < LEAST_HITS or any(p.startswith(bare) for p in publishers if bare):
            continue
        called = with_article(name, hits)
        whole = " ".join(hit.passage.text for hit in hits)
        alone = len(re.findall(rf"(?<!\w){re.escape(name)}{_AFTER_A_NAME}", whole))
        is_short = name.isupper() and " " not in name and 2 * alone >= whole.count(name)
        if called != name or (is_short and titled[name]):
            found.append(called)
    return _without_parts(found)


def headline_names(hits: Sequence[Hit]) -> list[str]:
    """Return the names in the hits' headlines that their texts have, too, the most frequent first.

    Args:
        hits: The hits.
    """
    counts = Counter[str]()
    for hit in hits:
        there = hit.passage.text
        named = {name for name in _topic_names(hit.metadata.title) if name in there}
        counts.update({name: there.count(name) for name in named})
    return _without_parts([name for name, _ in counts.most_common()])


def _topic_names(text: str) -> Iterable[str]:
    for name in names_of(text):
        words = name.text.split()
        single = len(words) == 1 and not (words[0].isupper() and len(words[0]) >= SHORTEST)
        if (
            len(name.text) < SHORTEST
            or len(words) > LONGEST_NAME
            or single
            or is_country(name.text)
            or normalize_name(name.text) != name.text.lower()
            or {word.lower() for word in words} & _NO_TOPIC
            or re.search(r"[’'.,]| of ", name.text)
        ):
            continue
        yield name.text


def _without_parts(names: Sequence[str]) -> list[str]:
    """Return the names that are no part of an earlier one and have none as a part."""
    kept: list[str] = []
    for name in names:
        if not any(names_match(name, other) for other in kept):
            kept.append(name)
    return kept


def sayings(
    hits: Sequence[Hit],
    texts: Mapping[str, str],
    topic: str = "",
    *,
    only_quoted: bool = False,
) -> list[tuple[str, str]]:
    """Return persons with what the hits quote or report them on, the most frequent first.

    Args:
        hits: The hits, best first.
        texts: Texts of their articles by id.
        topic: What a conversation is about: preferred to the other names in a person's words.
        only_quoted: Whether to leave out words that are reported, not quoted.

    Returns:
        Pairs of a person's full name and of a topic, which stands in or beside the words.
    """
    counts = Counter[tuple[str, str]]()
    for hit in hits:
        text = texts.get(hit.passage.article_id, "")
        for speaker, words in _statements_by_people(hit, text, only_quoted) if text else ():
            about = _topic_of_words(words, speaker, topic, hits)
            if about:
                counts[speaker, about] += 1
    pairs = sorted(counts, key=lambda pair: (pair[1] != topic, -counts[pair]))
    best = dict(reversed(pairs))
    return [(speaker, about) for speaker, about in pairs if best[speaker] == about]


def _statements_by_people(hit: Hit, text: str, only_quoted: bool) -> Iterable[tuple[str, str]]:
    """Yield the persons whom a passage quotes or reports, with their words."""
    passage = hit.passage
    for speech in find_speech(text, Span(passage.start, passage.end)):
        if len(speech.words.split()) >= FEWEST_QUOTED and is_person(speech.speaker):
            near = text[max(0, speech.span.start - NEAR_WORDS) : speech.span.end + NEAR_WORDS]
            yield speech.speaker, near
    for span in () if only_quoted else quotable_spans(passage.text):
        sentence = passage.text[span.start : span.end]
        names = find_names(f"of {find_speaker(sentence)}") if _SAID.search(sentence) else []
        if names and is_person(names[-1].text):
            yield names[-1].text, sentence


def _topic_of_words(words: str, speaker: str, topic: str, hits: Sequence[Hit]) -> str:
    """Return what words are about: the topic, else the first country or institution in them."""
    if topic and re.search(rf"(?<!\w){re.escape(topic.removeprefix('the '))}(?!\w)", words):
        return "" if names_match(topic, speaker) else topic
    for name in find_names(words):
        if names_match(name.text, speaker) or "’" in name.text or "'" in name.text:
            continue
        if is_country(name.text) and normalize_name(name.text, seats=False) == name.text.lower():
            return with_article(name.text, hits)
        called = with_article(name.text, hits)
        if called != name.text and not {w.lower() for w in name.text.split()} & _NO_TOPIC:
            return called
    return ""


def is_person(speaker: str) -> bool:
    """Return whether a speaker is a person by a full name: nothing else is asked for by name."""
    words = speaker.split()
    return (
        2 <= len(words) <= LONGEST_NAME
        and not is_described(speaker)
        and all(word[:1].isupper() and not word.isupper() for word in words)
        and not words[0].endswith(".")
        and not any(word.lower().rstrip(".") in _NO_PERSON for word in words)
        and normalize_name(speaker) == speaker.lower()
        and not re.search(r"[’'“”,]s?(?: |$)", speaker)
    )


def is_known_person(name: str) -> bool:
    """Return whether a full name has a given name, or no common word: not "Restaurant Brands".

    Args:
        name: A name of two words or more.
    """
    words = name.lower().split()
    if not is_person(name) or words[-1] in _NO_SURNAMES:
        return False
    return words[0] in GIVEN_NAMES or not any(is_common(word) for word in words)


def tolls(hits: Sequence[Hit]) -> list[Toll]:
    """Return the named events of whose dead the hits give a number, the first of each event.

    The event must be named in the sentence with the number or in its headline.

    Args:
        hits: The hits, best first.
    """
    found: dict[str, Toll] = {}
    for hit in hits:
        of_title = named_events(hit.metadata.title, hit.passage.text)
        for sentence in re.split(r"(?<=[.!?])\s", hit.passage.text):
            if not ends_sentence(sentence) or not _counts_the_dead(sentence):
                continue
            for event in named_events(sentence, hit.passage.text) or of_title:
                if _HARMLESS.search(event):
                    continue
                found.setdefault(event, Toll(event, hit))
    return list(found.values())


def _counts_the_dead(sentence: str) -> bool:
    dead = [word.start for word in tokenize(sentence) if word.stem in _DEAD]
    return any(
        number.value > 1 and not number.unit and abs(at - number.end) <= FATE_REACH
        for number in find_numbers(sentence)
        for at in dead
    )


def described_people(hits: Sequence[Hit], texts: Mapping[str, str]) -> list[str]:
    """Return the persons whom the hits describe: "Ada Quill, the mayor of Lund".

    Args:
        hits: The hits, best first.
        texts: Texts of their articles by id.
    """
    found: dict[str, None] = {}
    whole = " ".join(hit.passage.text for hit in hits)
    for hit in hits:
        text = texts.get(hit.passage.article_id, "")
        for name in names_of(hit.passage.text) if text else ():
            described = re.match(r", (?:the|an?) [^,.]{4,80}[,.]", hit.passage.text[name.end :])
            person = person_name(name, text) if described else ""
            if person and is_person(person) and whole.count(person.split()[-1]) < WELL_KNOWN:
                found[person] = None
    return list(found)


def with_article(name: str, hits: Sequence[Hit]) -> str:
    """Return a name with "the" if it needs one: "the Supreme Court", "the World Series".

    Args:
        name: The name.
        hits: Hits that show how it is written.
    """
    if name.split()[-1].lower() in _INSTITUTIONS:
        return f"the {name}"
    pattern = re.compile(rf"(?P<the>\b[Tt]he )?(?<!\w){re.escape(name)}{_AFTER_A_NAME}")
    found = [match for hit in hits for match in pattern.finditer(hit.passage.text)]
    with_the = sum(match["the"] is not None for match in found)
    return f"the {name}" if found and with_the * 2 > len(found) else name
