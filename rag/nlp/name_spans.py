"""Runs of capitalised words in news text, split at titles, adjectives and opening words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.nlp.name_lists import GIVEN_NAMES, PLACES, STATE_ABBREVIATIONS
from rag.nlp.organisation_lists import (
    ADJECTIVES,
    AGENCIES,
    FOR_HEADS,
    JOINED,
    KNOWN_ORGANISATIONS,
    NO_NAMES,
    OF_HEADS,
    ORGANISATION_WORDS,
    PLACE_WORDS,
    TEAMS,
    TITLE_WORDS,
)
from rag.nlp.tokens import STOP_WORDS

_SHORT = (
    "St|Mt|Ft|Jr|Sr|Inc|Corp|Ltd|Co|Bros|Dr|Mr|Mrs|Ms|Gov|Sen|Sens|Rep|Reps|Rev|Prof|Gen|Lt|Col"
    "|Capt|Sgt|Cpl|Maj|Adm|Cmdr|Supt|Dept|Ala|Ariz|Ark|Calif|Colo|Conn|Del|Fla|Ill|Ind|Kan|Mass"
    "|Mich|Minn|Miss|Mo|Mont|Neb|Nev|Okla|Ore|Pa|Tenn|Tex|Vt|Va|Wash|Wis|Wyo|Ga|Md|La|Ky"
)
_CAP = (
    rf"(?:(?:[A-Z]\.){{2,6}}+|[A-Z]\.(?= [A-ZÀ-Þ])|(?:{_SHORT})\.|(?:\d{{1,4}}+)?[A-ZÀ-ÖØ-Þ]"
    r"[^\W_]{0,40}+(?:[’'&+-][^\W_]{1,40}+){0,6}+[’'+]?)"
)
_LINK = (
    "(?:of the|of|for the|for|and|de la|de los|del|della|de|da|der|den|van der|van|von|bin|al|el"
    "|la|le|du|di|y|&|wit da)"
)
_RUN = re.compile(rf"(?<![\w@#&]){_CAP}(?:(?: {_LINK})? {_CAP}){{0,24}}+")
_TOKEN = re.compile(rf"{_CAP}|[^\s]+")
# A work's title in quotation marks, and addresses: no names are looked for in them.
_SKIPPED = re.compile(
    r"[“\"‘'«](?=[A-Z\d])[^“”\"«»\n]{1,60}?,?[”\"’'»](?![\w])"
    r"|https?://\S+|www\.\S+|[\w.+-]{1,64}@\w[\w.-]{1,64}|[@#]\w{1,40}"
    r"|\b\w[\w.-]{0,60}\.(?:com|org|net|gov|edu|us|uk)\b(?:/\S*)?"
)
_OPENS = re.compile(
    r"(?:^|[.!?:;•►●▪—–|/]|[.!?]?[”\"’)])[\s“\"‘'(\[]{0,6}$|[“\"‘(\[]$"
)  # what may stand before a sentence, in the six characters before a name
_CAPITALISED = 0.65  # share of capitalised words from which a line is a heading
_HEADING_WORDS = 16


@dataclass(frozen=True, slots=True)
class Piece:
    """A candidate for a name.

    Attributes:
        text: The name, without "the", titles and "'s".
        start: Its start in the text.
        end: Its end.
        words: Its words in lower case, without full stops.
        titled: Whether a title such as "Gov." or "coach" stands before it.
        opens: Whether it opens a sentence, so that its first capital letter tells nothing.
        heading: Whether it is in a line that has capital letters throughout.
    """

    text: str
    start: int
    end: int
    words: tuple[str, ...]
    titled: bool = False
    opens: bool = False
    heading: bool = False

    @property
    def key(self) -> str:
        """The name in lower case."""
        return fold(self.text)


@cache
def common_words() -> frozenset[str]:
    """Return frequent English words that are seldom capitalised within a sentence."""
    path = Path(__file__).with_name("common_words.txt")
    return frozenset(path.read_text(encoding="utf-8").split())


def fold(name: str) -> str:
    """Return a name in lower case, with straight apostrophes and no final full stop."""
    low = name.lower().replace("’", "'")
    return low[:-1] if low.endswith(".") else low


def is_common(word: str) -> bool:
    """Return whether a word in lower case is an English word rather than a name."""
    return word in common_words() or word in STOP_WORDS or word in NO_NAMES


def find_pieces(text: str) -> Iterator[Piece]:
    """Yield the candidates for names in a text, in order."""
    at = 0
    for line in text.split("\n"):
        if line:
            yield from _line_pieces(line, at)
        at += len(line) + 1


def _line_pieces(line: str, at: int) -> Iterator[Piece]:
    blank = _SKIPPED.sub(lambda m: _blank(m[0]), line)
    heading = is_heading(line)
    for match in _RUN.finditer(blank):
        opens = _OPENS.search(blank, max(0, match.start() - 6), match.start()) is not None
        opens = opens or match.start() == 0
        yield from _split_run(match[0], at + match.start(), opens=opens, heading=heading)


def _blank(found: str) -> str:
    """Return spaces for a title of a work; a quotation that is a sentence stays."""
    if found[0] not in "“\"‘'«":
        return "·" * len(found)
    words = found.strip("“”\"‘’'«»,").split()
    lower = [w for w in words if w[0].islower() and w not in STOP_WORDS]
    spoken = lower or len(words) > 9 or found.strip("“”\"‘’'«»")[-1:] in ",.!?"
    return found if spoken else "·" * len(found)


def is_heading(line: str) -> bool:
    """Return whether a line is short, unended and capitalised throughout."""
    if line.rstrip()[-1:] in ".,;":
        return False
    words = [w for w in line.split() if w[0].isalpha() and w.lower() not in STOP_WORDS]
    if not 2 < len(words) <= _HEADING_WORDS:
        return False
    return sum(w[0].isupper() for w in words) >= _CAPITALISED * len(words)


Token = tuple[str, int, str]  # the token, its start in the run, and in lower case without marks


def _split_run(run: str, at: int, *, opens: bool, heading: bool) -> Iterator[Piece]:
    tokens = [(m[0], m.start(), _bare(m[0])) for m in _TOKEN.finditer(run)]
    piece: list[Token] = []
    titled, first = False, opens
    i = 0

    def done() -> Iterator[Piece]:
        nonlocal piece, titled, first
        made = _piece(piece, at, titled=titled, opens=first, heading=heading)
        if made is not None:
            yield made
        piece, titled, first = [], False, False

    while i < len(tokens):
        word, _, low = tokens[i]
        rest = _until_title(tokens[i + 1 :])
        if word[0].islower() or word == "&":
            if titled and not piece:  # "Secretary of State Ann Lee"
                i += 1 if i + 1 < len(tokens) and tokens[i + 1][2] in _OFFICES else 0
            elif not _joins(piece, word, rest):
                yield from done()
            elif piece:
                piece.append(tokens[i])
        elif _is_title(piece, low, rest):
            role = bool(piece)
            yield from done() if not role or _stands_alone(piece) else _drop(piece)
            piece, titled, first = [], True, False
        elif _separates(piece, low, word, rest, opens=first and not piece, heading=heading):
            yield from done()
        else:
            if piece and _begins_another(piece, low, rest):
                yield from done()
            piece.append(tokens[i])
            if _ends_here(piece[0][2], word, low, rest):
                yield from done()
        i += 1
    yield from done()


def _until_title(tokens: list[Token]) -> list[Token]:
    """Return the tokens up to a title: what follows it is another name."""
    for i, (_, _, low) in enumerate(tokens):
        if low in TITLE_WORDS and i + 1 < len(tokens) and low not in ORGANISATION_WORDS:
            return tokens[:i] or tokens[:1]
    return tokens


def _begins_another(piece: Sequence[Token], low: str, rest: Sequence[Token]) -> bool:
    """Return whether a second name begins: "Reuters Ann Lee", "Portugal Ann Lee"."""
    before = fold(_join(piece))
    if before == "getty":
        return low != "images"
    if low in AGENCIES or before in AGENCIES:
        return True
    known = before in KNOWN_ORGANISATIONS or before in PLACES
    return known and before not in GIVEN_NAMES and low in GIVEN_NAMES and bool(rest)


def _drop(_piece: list[Token]) -> Iterator[Piece]:
    return iter(())


def _bare(token: str) -> str:
    low = token.lower().replace("’", "'")
    if low.endswith("'s") and low not in KNOWN_ORGANISATIONS:
        low = low[:-2]
    return low.rstrip(".'")


def _join(piece: Sequence[Token]) -> str:
    return " ".join(word for word, _, _ in piece)


def _stands_alone(piece: Sequence[Token]) -> bool:
    """Return whether words before a title are a name: "House" of "House Speaker Ann Lee"."""
    key = fold(_join(piece))
    return (
        key in KNOWN_ORGANISATIONS
        or key in PLACES
        or key.rpartition(" ")[2] in TEAMS
        or key in ("u.s", "us", "uk", "u.k")
        or (len(piece) > 1 and piece[-1][2] in ORGANISATION_WORDS)
    )


def _is_title(piece: Sequence[Token], low: str, rest: Sequence[Token]) -> bool:
    if low not in TITLE_WORDS:
        return False
    linked = next((i for i, (word, *_) in enumerate(rest) if word[0].islower()), len(rest))
    same = rest[:linked]
    last = same[-1][2] if same else low
    if _is_linked(piece) and all(word in TITLE_WORDS for _, _, word in same):
        return False  # "Department of Justice", "Office of the Attorney General"
    if last in ORGANISATION_WORDS or last in PLACE_WORDS:  # "Justice Department", "King County"
        between = [word for _, _, word in same[:-1]]
        return bool(between) and between[0] in GIVEN_NAMES
    if piece and not rest:  # "Stephen King", but not "Ann Lee Director"
        most = 2 if low in _TITLES_AND_SURNAMES else 1
        return not (piece[0][2] in GIVEN_NAMES and len(piece) <= most)
    return not (piece and piece[0][2] in GIVEN_NAMES and rest[0][2] in ("jr", "sr", "iii"))


_TITLES_AND_SURNAMES = frozenset(("king", "judge", "justice", "bishop", "prince", "duke", "pope"))
_COMPOUND = re.compile(
    r"-(?:based|born|style|backed|led|bound|area|era|speaking|type|only|like|trained|owned|run)$"
)


def _separates(
    piece: Sequence[Token],
    low: str,
    word: str,
    rest: Sequence[Token],
    *,
    opens: bool,
    heading: bool,
) -> bool:
    """Return whether a capitalised word ends the name before it and belongs to none."""
    if _COMPOUND.search(low):
        return True
    if low in ADJECTIVES and rest and _is_linked(piece):
        return False  # "Division of Public Health", "Centre for European Reform"
    last = rest[-1][2] if rest else low
    ends_in_head = bool(rest) and (last in ORGANISATION_WORDS or last in PLACE_WORDS)
    if low in ADJECTIVES and not (piece and piece[0][2] in GIVEN_NAMES):
        known = fold(" ".join([word, *(token for token, _, _ in rest[:2])]))
        return not (ends_in_head or known in KNOWN_ORGANISATIONS or last in TEAMS)
    if low in ("dear", "hi", "hello") and rest:
        return True
    if opens and rest and low not in GIVEN_NAMES and is_common(low) and not ends_in_head:
        both = fold(f"{word} {rest[0][0]}")
        return not _is_known(both)
    if opens and (low in STOP_WORDS or low in ("inside", "meet", "why", "how", "what")):
        return True
    if heading and is_common(low) and low not in GIVEN_NAMES:
        joined = fold(_join([*piece, (word, 0, low)]))
        return not (
            ends_in_head
            or _is_known(joined)
            or (piece and (low in ORGANISATION_WORDS or low in PLACE_WORDS))
            or (rest and _is_known(fold(f"{word} {rest[0][0]}")))
        )
    return low in _CALENDAR


def _is_known(key: str) -> bool:
    return key in PLACES or key in KNOWN_ORGANISATIONS


def _is_linked(piece: Sequence[Token]) -> bool:
    """Return whether a name goes on after "of" or "for"."""
    words = [word for word, _, _ in piece]
    return words[-1:] in (["of"], ["for"]) or words[-2:] in (["of", "the"], ["for", "the"])


_OFFICES = frozenset("state defense defence homeland treasury staff operations police".split())
_CALENDAR = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april june
    july august september october november december jan feb sept oct nov dec mon tue wed thu fri
    covid covid-19 i est et pt""".split()
)


def _joins(piece: Sequence[Token], link: str, rest: Sequence[Token]) -> bool:
    if not piece or not rest:
        return False
    before = piece[-1][2]
    if link in ("of", "for", "the") and rest[0][0] == "the" and len(rest) < 2:
        return False
    if link == "of":
        return before in OF_HEADS
    if link == "for":
        return before in FOR_HEADS
    if link == "the":
        return piece[-1][0] in ("of", "for")
    if link == "and":
        through = any(word in ("of", "for") for word, _, _ in piece)
        after = rest[0][2]
        ends_in_head = rest[-1][2] in ORGANISATION_WORDS
        return (through and is_common(before) and is_common(after)) or (
            before in JOINED and ends_in_head
        )
    if link == "&":
        return True
    return before not in PLACE_WORDS and before not in ORGANISATION_WORDS


def _ends_here(first: str, word: str, low: str, rest: Sequence[Token]) -> bool:
    """Return whether a name can't go on: after "'s", or a full stop that ends a sentence."""
    if word.endswith(("’s", "'s")) and fold(word) not in KNOWN_ORGANISATIONS:
        if rest and first == "st" and rest[-1][2] in ORGANISATION_WORDS:  # "St. Ann's Hospital"
            return False
        return not (rest and (low in _OWNERS or (rest[-1][2] in _EATERIES)))
    return word.endswith(("’", "'")) and fold(word) not in KNOWN_ORGANISATIONS


_OWNERS = frozenset(
    """sheriff attorney general prosecutor marshal coroner children women men people veterans
    governor mayor teachers workers martha mary john joseph luke peter prince""".split()
)
_EATERIES = frozenset(
    """diner restaurant bar grill cafe café kitchen deli pizza motors tavern pub brewery bakery
    house bbq barbecue""".split()
)


def _piece(
    tokens: Sequence[Token], at: int, *, titled: bool, opens: bool, heading: bool
) -> Piece | None:
    part = list(tokens)
    while part and (part[0][0][0].islower() or part[0][0] in ("The", "&")):
        part, opens = part[1:], False
    while part and (part[-1][0][0].islower() or part[-1][0] == "&"):
        part.pop()
    if not part:
        return None
    start, end = part[0][1], part[-1][1] + len(part[-1][0])
    text = _join(part)
    last = part[-1][0]
    cut = 0 if fold(last) in KNOWN_ORGANISATIONS else len(_POSSESSIVE.search(last)[0])  # type: ignore[index]
    initials = re.search(r"[A-Z]\.[A-Z]", last)
    if last.endswith(".") and part[-1][2] not in _DOTTED and not initials:
        cut = 1
    if cut:
        text, end = text[:-cut], end - cut
    words = tuple(low for _, _, low in part)
    return Piece(text, at + start, at + end, words, titled, opens, heading)


_POSSESSIVE = re.compile(r"(?:[’']s?)?$")
_DOTTED = STATE_ABBREVIATIONS | {"jr", "sr", "inc", "co", "corp", "ltd", "bros"}
