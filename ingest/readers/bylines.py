"""Author names from bylines, or from lists of authors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers.non_authors import is_agency, is_no_person, without_credit, without_role

BY = re.compile(
    r"(?i)\A[^\w(]*+(?:(?:(?:written|reported|story|text|posted|published|words|analysis|opinion|review|"
    r"(?:guest )?column|commentary|perspective|essay|compiled|edited|interview|geschrieben|"
    r"publicado|publié|scritto|skrevet|skrivet|skriven|geschreven|napisał|опубликовано) )?"
    r"(?:by|von|par|por|da|oleh|af|av|door|przez)\b:?(?=\s|[A-ZÀ-Þ])|"
    r"(?:text|texte|texto|testo|tekst|teksti|autore?|autora|autoren|autorin|autorzy|auteurs?|authors?|"
    r"forfatter|författare|skribent|kirjoittaja|penulis|yazan|yazar|szerző|автор[иы]?|текст|byline|"
    r"reporter|words|기자|글|作者|文|記者|记者|本报记者|撰文|بقلم|كتب|كاتب|लेखक|מאת|ผู้เขียน)\s?[:：/]|"
    r"(?:بقلم|द्वारा|מאת|του|της|本报记者|记者|記者)\s)\s*"
)
# Words between two names. The short ones also occur within names: Ramón y Cajal.
_BETWEEN_NAMES = re.compile(
    r",? (?:and|und|et|og|och|и|та|with|mit|avec|con|dan|ve|és|și|και|và|oraz|samt|sowie|&|و|और|एवं|"
    r"และ|및) |, ?(?:and|und|et|og|och|y|e) (?=[A-ZÀ-Þ])| ?[;|&•\n、，] ?| [/·] ?|(?<=\w)/(?=\w)|"
    r"(?<=[^\W\d_a-zA-Z])·(?=[a-zA-Z])",
    re.IGNORECASE,
)
_SHORT_AND = re.compile(r" (?:y|e|i|a|o|en|ed|ja|і|й|と) ")
_HAN_AND = re.compile(r"([\u4e00-\u9fff]{2,4})[和与與]([\u4e00-\u9fff]{2,4})")
_EMAIL = re.compile(r"[(<\[]?[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,5}[)>\]]?")
_HANDLE = re.compile(r"(?:\A|(?<= ))[(]?@\w{2,40}[)]?")
_WROTE = re.compile(r"(?i) \((?:text|texte|texto|testo|tekst|words)[^()]{0,30}\)")
_ADDRESS = re.compile(r"(?i)https?:|www\.|[\w-]{2,60}\.[\w.-]{2,60}(?:/|\Z)|/?u/")
_KOREAN_ROLE = re.compile(r"(?<=[가-힣]) ?(?:기자|특파원|논설위원|인턴기자)\Z")
_NO_NAME = re.compile(
    r"(?i)[@<>{}\d]|https?:|\.com\b|\A(?:the )?(?:staff|admin|administrator|editor|none|null|"
    r"unknown|last|anonymous|guest|authors?|published|updated|posted|january|february|march|april|may|june|"
    r"july|august|september|october|november|december|nov|dec|oct|sept?)\Z"
)
_SUFFIX = re.compile(r"(?i)(?:jr|sr|ii|iii|iv)\.?\Z")
# Words of roles and employers, which follow the name. Degrees are in capitals.
_ROLE_OR_EMPLOYER = re.compile(
    r"(?i)\b(?:post|times|news|tribune|journal|courier|monitor|ledger|press|today|herald|gazette|"
    r"daily|network|insider|magazine|media|radio|international|online|bulletin|guardian|"
    r"editors?|correspondent|reporter|writer|staff|columnist|contributor|fellow|producer|analyst|"
    r"agency|wire services?|bureau|team|desk|service|newsroom|associated)\b|\.(?:com|org|net|co)\b"
)
_CAPITALS = re.compile(r"[A-Z]{2,6}\Z|(?:Ph\.?D|M\.?D|M\.?A|R\.?N)\.?\Z")
# Where a byline goes on to something else: a time, a social media account, another line.
_AFTER_NAMES = re.compile(
    r"(?i)(?:(?:(?<!\s)\s+)?+(?:[|•(]|(?<![\u4e00-\u9fff])·|@\w++(?!\S{0,100}?\.))|(?<=[^\W\d_]{3})\.\s(?=[A-ZÀ-Þ])|"
    r"(?<!\s)\s++(?:[-–—]++(?:\s|\Z)|\d|on(?=\s+\d|\s*\Z))|(?:(?:(?<!\s)\s+)?+,|(?<!\s))\s++"
    r"(?:on\s)?(?:published|updated|posted|last\b|for\b|in\b|at\b|special\b|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"(?:january|february|march|april|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?(?=\s+\d|\s*\Z))\b)(?s:.*)\Z"
)
# "Ann LeeStaff Writer": two elements of a page with no space between.
_GLUED = re.compile(
    r"(?<=[a-zà-ÿ])(?=(?:Staff|Senior|Business|Special|Contribut|Associate|Editor|Report|Writer|"
    r"Column|Chief|Correspond|News|[A-Z]{3,}))"
)
_EMPLOYER_AT_END = re.compile(
    r"(?<=[^\W\d_]),?\s+(?:The\s+)?(?:Associated Press|ASSOCIATED PRESS|Reuters|REUTERS|AP|AFP|CNN|"
    r"NBC News|USA TODAY|Bloomberg)\Z"
)
_MAIN = ("name", "main", "@value", "value", "original", "#text", "text", "title")
_LONGEST = 80  # characters of a name
_WORDS = 6  # of a name


def parse_authors(value: Any, publisher: str = "") -> tuple[str, ...]:
    """Return the names of people in a byline or a list, each once.

    "By", roles and places are removed; addresses, handles, photo credits, desks and agencies are
    left out.

    Args:
        value: A string, or a list of strings or records.
        publisher: The publisher's name, which is not an author.
    """
    parts: list[str] = []
    items = value if isinstance(value, list | tuple) else [value]
    lines = [line for item in items for line in _lines(item)]
    for line in lines:
        for part in _split_between(_strip_contacts(_line(line))):
            parts += _split_commas(part)
    found: list[str] = []
    for part in parts:
        name = without_role(bare_name(part))
        known = name.casefold() in {publisher.casefold(), *(n.casefold() for n in found)}
        if not name or known or len(name) > _LONGEST or _NO_NAME.search(name):
            continue
        if (
            not is_no_person(name)
            and not is_no_person(BY.sub("", part).strip())
            and not _CAPITALS.match(name)
        ):
            found.append(name)
    # "Ann Lee Bo Yun", "Ann Lee", "Bo Yun": scrapers put all names together first.
    sums = {n for n in found if sum(f" {o} " in f" {n} " for o in found if o != n) > 1}
    people = [name for name in found if name not in sums]
    # "Ann Lee; CNN": what stands next to a person is the employer.
    if any(is_person(name) for name in people):
        people = [n for n in people if not _CAPITALS.match(n) and not _is_organization(n)]
    return tuple(people)


def _lines(item: Any) -> list[Any]:
    return item.split("\n") if isinstance(item, str) else [item]


def _strip_contacts(line: str) -> str:
    """Return a byline without addresses, handles and photo credits."""
    if _ADDRESS.match(line) and " " not in line:
        return ""
    line = clean_line(_WROTE.sub(" ", _HANDLE.sub(" ", _EMAIL.sub(" ", line))))
    if line.startswith("(") and line.endswith(")"):
        line = line[1:-1]
    return BY.sub("", without_credit(line))


def _split_between(line: str) -> list[str]:
    """Split a byline at "and" in many languages."""
    parts: list[str] = []
    for part in _BETWEEN_NAMES.split(line):
        han = _HAN_AND.fullmatch(part.strip())
        if han:
            parts += han.groups()
            continue
        rest = part
        while found := _SHORT_AND.search(rest):
            left, right = rest[: found.start()], rest[found.end() :]
            right_name = right.partition(",")[0]
            both_full = _is_full_name(left) and _is_full_name(right_name)
            if not (both_full or len(left.split()) == len(right_name.split()) == 1):
                break
            parts.append(left)
            rest = right
        parts.append(rest)
    return parts


def _is_full_name(text: str) -> bool:
    """Return whether a part is a name by itself: two words or more, capitalized at both ends."""
    words = BY.sub("", text).split()
    return len(words) > 1 and not words[0][0].islower() and not words[-1][0].islower()


def parse_byline(line: str, publisher: str = "") -> tuple[str, ...]:
    """Return the names in a visible byline, which may go on with a date or an account to follow.

    Args:
        line: The line.
        publisher: The publisher's name, which is not an author.

    Returns:
        The names; empty if the line doesn't look like names.
    """
    line = _AFTER_NAMES.sub("", _GLUED.sub(" | ", BY.sub("", clean_line(line))))
    return tuple(name for name in parse_authors(line, publisher) if _looks_like_a_name(name))


def _looks_like_a_name(name: str) -> bool:
    words = name.split()
    capital = sum(word[0].isupper() or not word[0].isascii() for word in words)
    return len(words) <= _WORDS and 2 * capital > len(words) and not name.endswith((".", "!", "?"))


def bare_name(part: str) -> str:
    """Return a name without what bylines put before and after it."""
    name = clean_line(BY.sub("", part))
    cut = _AFTER_NAMES.sub("", name)
    cut = _EMPLOYER_AT_END.sub("", cut) if len(cut.split()) > 3 else cut
    name = _KOREAN_ROLE.sub("", (cut or name).strip(" ,|-–—·:/"))
    half = name[: len(name) // 2]
    return half if " " in half and name == f"{half} {half}" else name


def is_person(name: str) -> bool:
    """Return whether a name looks like a person's: two or more words, and no organization."""
    return len(name.split()) > 1 and not _is_organization(name)


def _is_organization(name: str) -> bool:
    """Return whether a name is a newspaper's, an agency's or a desk's."""
    return bool(_ROLE_OR_EMPLOYER.search(name)) or name.casefold() in (
        "reuters",
        "futurism",
        "bloomberg",
    )


def _split_commas(part: str) -> list[str]:
    """Split a part at commas, except for suffixes, degrees and employers.

    "Ann Lee, Bo Yun" are two people; "Ann Lee, Jr." and "Ann Lee, Velsund Post" are one.
    """
    pieces = [piece.strip() for piece in part.split(",")]
    if len(pieces) > 1 and is_agency(pieces[0]):
        pieces = [piece for piece in pieces[1:] if " " in piece]  # "dpa, Velsund"
    people: list[str] = []
    for piece in pieces:
        if _SUFFIX.match(piece) and people:
            people[-1] += f", {piece}"
        elif people and (_CAPITALS.match(piece) or (len(piece.split()) == 1 and " " in people[0])):
            continue  # "Ann Lee, MS, RD", "Ann Lee, Futurism"
        elif not _is_organization(piece) and not (
            people and (is_no_person(piece) or _is_aside(piece))
        ):
            people.append(piece)
    return people or pieces[:1]


def _is_aside(piece: str) -> bool:
    """Return whether a piece after a name starts in lower case: "politisk redaktør", "in Tarn"."""
    first = piece[:1]
    particle = re.match(r"(?:de|da|do|di|del|der|den|du|van|von|bin|al|la|le|el|ten|ter)\b", piece)
    return first.islower() and not particle


def _line(value: Any) -> str:
    """Return a name as one line: the name of a nested record, the first item of a list."""
    if isinstance(value, Mapping):
        fields = {str(key).casefold(): inner for key, inner in value.items()}
        value = next((fields[k] for k in _MAIN if fields.get(k)), "")
    if isinstance(value, list | tuple):
        return _line(value[0]) if value else ""
    line = clean_line(unescape(str(value))) if isinstance(value, str) else ""
    return "" if line.casefold() in ("none", "null", "nan") else line
