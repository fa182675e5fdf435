"""Names of people, places and institutions in English news, found by capitalisation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

from rag.nlp.analyzers import stem
from rag.nlp.dates import CALENDAR_WORDS
from rag.nlp.tokens import STOP_WORDS

_PART = r"(?:[A-ZÀ-ÖØ-Þ][^\W\d_]*(?:[’'-][^\W\d_]+)*\.?)"
_LINK = r"(?:of|de|da|del|der|den|van|von|bin|al|el|la|le|the|for|&)"
NAME = re.compile(rf"\b{_PART}(?:(?: {_LINK}){{0,2}} {_PART})*")

TITLES = frozenset(
    """president prime minister secretary chancellor king queen prince princess pope mr mrs ms dr
    sir lord lady senator sen rep representative governor gov mayor judge justice general gen
    admiral colonel col captain sergeant lieutenant ambassador chairman chairwoman chief director
    leader head spokesman spokeswoman spokesperson professor prof reverend rev archbishop bishop
    attorney deputy vice foreign defense defence interior finance coach premier first commissioner
    former analyst author actor actress singer star ceo""".split()
)
_WITHIN = re.compile(r"(?<=[a-z,’] )\w\S*")
_COMPOUND = re.compile(r"\w+(?:[’'-]\w+)*")
_MARKS = 16  # word ends looked at per run of characters: O'Neil-Smith has three
_OPENERS = STOP_WORDS | frozenset(
    "yes no meanwhile moreover asked speaking according earlier".split()
)
# Endings of common words, rare in names: "Talks", but not "Tusk", may open a sentence.
_COMMON = re.compile(
    r"(?:ing|tion|ment|ous|ers|ies|ful|ive|ly|ed|ness)s?$|^(?:please|source|share)$"
)

# Names of a country: its people and, after the slash, its seat of government.
_COUNTRIES: dict[str, str] = {
    "united states": "america american americans us u.s usa / washington white-house pentagon",
    "united kingdom": "britain british uk u.k england english / london downing-street whitehall",
    "south korea": "south-korean south-koreans / seoul",
    "north korea": "north-korean north-koreans dprk / pyongyang",
    "russia": "russian russians / moscow kremlin",
    "ukraine": "ukrainian ukrainians / kyiv kiev",
    "china": "chinese / beijing",
    "japan": "japanese / tokyo",
    "france": "french / paris elysee",
    "germany": "german germans / berlin",
    "italy": "italian italians / rome",
    "spain": "spanish / madrid",
    "poland": "polish poles / warsaw",
    "israel": "israeli israelis / jerusalem",
    "iran": "iranian iranians / tehran",
    "turkey": "turkish turks türkiye / ankara",
    "netherlands": "dutch holland / hague",
    "denmark": "danish danes / copenhagen",
    "sweden": "swedish swedes / stockholm",
    "finland": "finnish finns / helsinki",
    "norway": "norwegian norwegians / oslo",
    "switzerland": "swiss / bern",
    "greece": "greek greeks / athens",
    "canada": "canadian canadians / ottawa",
    "mexico": "mexican mexicans",
    "brazil": "brazilian brazilians / brasilia",
    "australia": "australian australians / canberra",
    "new zealand": "new-zealander new-zealanders / wellington",
    "india": "indian indians / delhi new-delhi",
    "pakistan": "pakistani pakistanis / islamabad",
    "egypt": "egyptian egyptians / cairo",
    "syria": "syrian syrians / damascus",
    "saudi arabia": "saudi saudis / riyadh",
    "ireland": "irish / dublin",
    "scotland": "scottish scots / edinburgh holyrood",
    "wales": "welsh / cardiff",
    "hungary": "hungarian hungarians / budapest",
    "belgium": "belgian belgians",
    "european union": "eu e.u / brussels",
    "peru": "peruvian peruvians / lima",
    "philippines": "philippine filipino filipinos / manila",
    "vatican": "/ holy-see pope pontiff",
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name and its position in a text."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=2)
def _keys(seats: bool) -> dict[str, str]:
    keys = {}
    for country, others in _COUNTRIES.items():
        keys[country] = country
        peoples, _, seated = others.partition("/")
        for other in (peoples + seated if seats else peoples).split():
            keys[other.replace("-", " ")] = country
    return keys


def normalize_name(name: str, *, seats: bool = True) -> str:
    """Return a key that spellings of a name share: South Korean and South Korea are equal.

    Args:
        name: The name.
        seats: Map seats of government, such as Seoul and the Kremlin, to their country too.
    """
    low = re.sub(r"[’']s$", "", name.strip().rstrip(".")).lower().removeprefix("the ")
    return _keys(seats).get(low, low)


def is_country(name: str) -> bool:
    """Return True if `name` is a known country, its people or its seat of government."""
    return normalize_name(name) in _COUNTRIES


def find_names(text: str) -> list[Name]:
    """Return the capitalised names in a text, without words that only open a sentence.

    Titles (President, Mr), weekdays and months separate names, and belong to none.
    """
    found: list[Name] = []
    spelled = _Spellings(text)
    for match in NAME.finditer(text):
        run: list[re.Match[str]] = []
        for part in re.finditer(r"\S+", text[match.start() : match.end()]):
            if _separates_names(spelled, match.start(), part, not run):
                _add(found, text, match.start(), run)
                run = []
            else:
                run.append(part)
                if part[0].endswith(("’s", "'s")) or _ends_sentence(part[0]):
                    _add(found, text, match.start(), run)
                    run = []
        _add(found, text, match.start(), run)
    return found


def _add(found: list[Name], text: str, offset: int, run: list[re.Match[str]]) -> None:
    while run and run[0][0].islower():
        run = run[1:]
    while run and run[-1][0].islower():
        run = run[:-1]
    if run:
        start, end = offset + run[0].start(), offset + run[-1].end()
        name = re.sub(
            r"[’']s$|(?<!\b[A-Z])(?<!\bJr)(?<!\bSr)(?<!\bInc)(?<!Corp)(?<!Ltd)\.$",
            "",
            text[start:end],
        )
        found.append(Name(name, start, start + len(name)))


def _ends_sentence(part: str) -> bool:
    return part.endswith(".") and len(part) > 4


def _separates_names(spelled: _Spellings, offset: int, part: re.Match[str], opens: bool) -> bool:
    """Return True if a capitalised word belongs to no name: a title, a date, an opening word."""
    word, at = part[0], offset + part.start()
    low = re.sub(r"[’']s$", "", word).rstrip(".").lower()
    if low in TITLES or low in CALENDAR_WORDS:
        return True
    # "Do" and "An" are Korean names too, but not at the start of a run of capitals.
    if opens and word[0].isupper() and low in _OPENERS and not (word.isupper() and len(word) > 1):
        return True
    return _only_opens_sentence(spelled, word, at, offset + part.end())


def _only_opens_sentence(spelled: _Spellings, word: str, at: int, end: int) -> bool:
    """Return True if a word is capitalised only because it opens a sentence or quotation."""
    text, behind = spelled.text, at
    while behind and text[behind - 1] in " \t“\"‘'(":
        behind -= 1
    if behind and text[behind - 1] not in ".!?:\n—–" and text[at - 1 : at] not in ("“", '"'):
        return False
    if re.match(r" [A-Z]", text[end : end + 2]) or word.isupper():
        return False
    if word in spelled.within_sentences:
        return False
    return (
        word.islower() or word.lower() in spelled.words or _COMMON.search(word.lower()) is not None
    )


class _Spellings:
    """Spellings of the words in a text, collected once: one search per name would be quadratic."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def within_sentences(self) -> frozenset[str]:
        """Words after another word or a comma, complete and up to each mark in them."""
        found: set[str] = set()
        for token in _WITHIN.finditer(self.text):
            ends = islice(re.finditer(r"\b", token[0]), 1, _MARKS)
            found.update(token[0][: end.start()] for end in ends)
        return frozenset(found)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words, with compounds complete and in parts."""
        found = _COMPOUND.findall(self.text)
        return frozenset(part for word in found for part in (word, *re.findall(r"\w+", word)))


@lru_cache(maxsize=64)  # an article's names are looked up once for each of its speakers
def names_of(text: str) -> tuple[Name, ...]:
    """Return the names in a text, as `find_names` does, from a cache for texts read repeatedly."""
    return tuple(find_names(text))


def full_name(surname: str, text: str) -> str:
    """Return the one longer name in `text` that starts or ends with `surname`; "" if unclear.

    Korean and Chinese names start with the family name (Yoon Suk Yeol), most others end with it.
    """
    longer = {
        name.text
        for name in names_of(text)
        if name.text != surname
        and 1 < len(name.text.split()) <= 4
        and surname in (name.text.split()[0], name.text.split()[-1])
    }
    return longer.pop() if len(longer) == 1 else ""


def description_of(name: str, text: str, reach: int = 60) -> str:
    """Return the words around the first mention of a name, which describe its bearer.

    Args:
        name: The full name.
        text: The text.
        reach: Characters to look back.
    """
    at = text.find(name)
    if at < 0:
        return ""
    before = re.split(r"[.!?\n”]", text[max(0, at - reach) : at])[-1]
    after = re.match(r", ([^,.\n]{3,60})[,.]", text[at + len(name) :])
    return f"{before.strip()} {after[1] if after else ''}".strip()


def names_match(one: str, other: str) -> bool:
    """Return True if two names can mean the same: equal keys, or one's words within the other."""
    a, b = normalize_name(one), normalize_name(other)
    if a == b:
        return True
    short, long = sorted((a.split(), b.split()), key=len)
    return bool(short) and {stem(w) for w in short} <= {stem(w) for w in long}
