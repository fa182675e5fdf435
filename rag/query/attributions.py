"""Publishers and authors that a question attributes its articles to."""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_REPORTS = (
    r"(?:report(?:s|ed|ing)?|sa(?:y|ys|id)|writes?|wrote|written|claim(?:s|ed)?|publish(?:es|ed)?"
    r"|tell(?:s)?|told|suggest(?:s|ed)?|describe[sd]?|cover(?:s|ed|age)?|mention(?:s|ed)?"
    r"|detail(?:s|ed)?|impl(?:y|ies|ied)|indicate[sd]?|portray(?:s|ed|al)?|recogni[sz]e[sd]?|accuse[sd]?|allege[sd]?"
    r"|consider(?:s|ed)?|state[sd]?|note[sd]?|argue[sd]?|discuss(?:es|ed)?|highlight(?:s|ed)?)"
)
_PIECES = (
    r"(?:articles?|reports?|stor(?:y|ies)|pieces?|columns?|columnists?|editorials?|coverage"
    r"|analys[ie]s|op-eds?|interviews?|news|reviews?|views?|reporting|publications?)"
)
_STRONG = re.compile(
    rf"(?:according to(?: both)?|as per|excerpts from|{_REPORTS} (?:by|in|on|from)(?: both)?"
    rf"|{_PIECES}(?: \w+)? (?:in|by|from|on)(?: both)?)\s+[\"“'‘]?(?:the )?[\"“'‘]?$",
    re.I,
)
# Counts only beside another cited publisher: "reported by TechCrunch and accused by Fortune of".
_ALSO = re.compile(r"\b(?:by|in|from|per|and)(?: both)?\s+[\"“'‘]?(?:the )?[\"“'‘]?$", re.I)
_AFTER = re.compile(
    rf"\A[\"”'’]?(?:['’]s?)?\s++(?:(?:also|has|have|had|did|not)\s++){{0,2}}(?:[\w-]++ )?(?:{_REPORTS}|{_PIECES})\b",
    re.I,
)
_JOINED = re.compile(
    r"\A[\"”'’]?\s*+(?:,(?:\s*+and)?|and(?: the)?|or|&|as well as)\s*+(?:the )?[\"“'‘]?$", re.I
)
_WORKS_BY = re.compile(
    rf"\b(?:{_PIECES}|written|reported|authored|wrote)(?:\s++[\w’'-]++){{0,6}}?\s++by\s++(?P<name>[^,?.;]++)"
    # anchored to the start of a hyphenated word, or matching would be quadratic in its parts
    rf"|(?<![\w.-])[.-]*+(?P<owner>[\w.-]++(?: [\w.’'-]+){{1,3}}?)['’]s?\s++(?:\w++ )?{_PIECES}\b"
    r"|\bdid\s++(?P<writer>[\w.-]++(?: [\w.’'-]++){1,3}?)\s++write\b",
    re.I,
)


_DOMAIN = re.compile(
    r"(?:www\.)?(?P<label>[a-z\d][a-z\d-]{2,40})(?:\.(?:co|com|org|net|ac|gov))?\.[a-z]{2,10}"
)
_LEADS = 200  # characters before and after a name that are searched for citing words


@dataclass(frozen=True, slots=True)
class Attribution:
    """Publishers that a question cites, and the spans of the words that cite them."""

    names: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()


def find_publishers(question: str, publishers: Sequence[str]) -> Attribution:
    """Return the publishers that a question cites as sources.

    "What does The Week say" cites The Week; "Who bought The Week" is about it and doesn't.

    Args:
        question: The question, as asked.
        publishers: The archive's publishers; only these are recognised.
    """
    known, pattern = _spellings(tuple(publishers))
    if not known:
        return Attribution()
    found = [
        (m.start(), m.end(), known.get(_fold(m[0])) or known[_squeeze(m[0])])
        for m in pattern.finditer(question)
        if _is_capitalised(m[0])
    ]
    cited = [_is_cited(question, start, end) for start, end, _ in found]
    if any(cited):
        cited = [
            c or _ALSO.search(question[max(0, start - _LEADS) : start]) is not None
            for c, (start, _, _) in zip(cited, found, strict=True)
        ]
    # In "The Verge, Polygon and TechCrunch", one cited name makes its neighbours cited.
    joined = [
        _JOINED.fullmatch(question[found[i][1] : found[i + 1][0]]) is not None
        for i in range(len(found) - 1)
    ]
    for i in (*range(len(joined)), *reversed(range(len(joined)))):
        if joined[i]:
            cited[i] = cited[i + 1] = cited[i] or cited[i + 1]
    kept = [f for f, is_cited in zip(found, cited, strict=True) if is_cited]
    names = tuple(dict.fromkeys(name for _, _, several in kept for name in several))
    return Attribution(
        names, tuple(_extend_over_attribution(question, start, end) for start, end, _ in kept)
    )


def asks_for_an_author(question: str) -> bool:
    """Return whether a question may cite an author: a cheap check before `find_authors`."""
    return _WORKS_BY.search(question) is not None


def find_authors(question: str, authors: Sequence[str]) -> tuple[str, ...]:
    """Return the full names of the authors whose articles the question asks for.

    Args:
        question: The question, as asked.
        authors: The archive's authors; only these are recognised.
    """
    claims = [m["name"] or m["owner"] or m["writer"] for m in _WORKS_BY.finditer(question)]
    if not claims:
        return ()
    known = {author.casefold(): author for author in authors if " " in author}
    found = []
    for claim in claims:
        words = claim.split()
        runs = [words[a:b] for b in range(len(words), 1, -1) for a in range(max(0, b - 5), b - 1)]
        names = (known.get(re.sub(r"['’]s$", "", " ".join(run).casefold())) for run in runs)
        found += [name for name in names if name][:1]
    return tuple(dict.fromkeys(found))


def spans_of(text: str, names: Iterable[str]) -> list[tuple[int, int]]:
    """Return the span of the first occurrence of each name in a text, ignoring case."""
    # Case folding makes two letters of "ß" and "İ", so offsets are mapped back letter by letter.
    folded = [letter.casefold() for letter in text]
    at = [i for i, letters in enumerate(folded) for _ in letters]
    low = "".join(folded)
    found = []
    for name in map(str.casefold, names):
        place = low.find(name)
        if name and place >= 0:
            found.append((at[place], at[place + len(name) - 1] + 1))
    return found


@lru_cache(maxsize=8)
def _spellings(publishers: tuple[str, ...]) -> tuple[dict[str, tuple[str, ...]], re.Pattern[str]]:
    """Return the spellings of all publishers, and a pattern that matches any of them.

    Spellings are with and without "The", spaces, "News" and ".com", and as initials.
    """
    known: dict[str, tuple[str, ...]] = {}
    for publisher in publishers:
        short = re.split(r"(?<!\s)\s++[|–—:-]\s++", publisher)[0].strip()
        plain = re.sub(r"(?i)^the\s+|\.(?:com|org|net|co\.uk|co)$", "", short)
        bare = re.sub(r"(?i)(?<!\s)\s++(?:news|online|international|magazine)$", "", plain)
        initials = "".join(word[0] for word in short.split() if word[0].isupper())
        forms = {
            publisher,
            short,
            plain,
            bare,
            plain.replace(" ", ""),
            f"{bare.replace(' ', '')}.com",
        }
        forms |= {f"{bare} News"} | ({initials} if len(initials) > 2 else set())
        for form in forms:
            for spelling in {_fold(form), _fold(f"the {form}")} if len(form) > 2 else ():
                known[spelling] = (*known.get(spelling, ()), publisher)
    for publisher in publishers:  # a full name wins over another publisher's short form
        known[_fold(publisher)] = (publisher,)
    longest = sorted(known, key=len, reverse=True)
    patterns = [re.escape(form).replace(r"\ ", r"\s+") for form in longest]
    for publisher in publishers:
        label = _label_of_domain(publisher)
        if label:  # "The Week" may be spelt so for "theweek.co.uk"
            known.setdefault(label, (publisher,))
            patterns.append(r"\s?".join(map(re.escape, label)))
    alternatives = "|".join(patterns)
    return known, re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])", re.I)


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())


def _squeeze(name: str) -> str:
    return "".join(name.casefold().split())


def _label_of_domain(publisher: str) -> str:
    """Return "theweek" of "theweek.co.uk"; "" unless the publisher is called by a domain."""
    m = _DOMAIN.fullmatch(publisher.casefold())
    return m["label"] if m else ""


def _is_capitalised(words: str) -> bool:
    """Return whether an ambiguous name is capitalised: "The Week", not "the week"."""
    return any(c.isupper() for c in re.sub(r"^[Tt]he\s+", "", words)[:1]) or "." in words


def _is_cited(question: str, start: int, end: int) -> bool:
    before, after = question[max(0, start - _LEADS) : start], question[end : end + _LEADS]
    if _STRONG.search(before):
        return True
    return _AFTER.match(after) is not None


def _extend_over_attribution(question: str, start: int, end: int) -> tuple[int, int]:
    """Return the span extended over words that only attribute: "according to", "as reported by"."""
    begin = max(0, start - _LEADS)
    lead = re.search(
        rf"(?:,\s*)?\b(?:according to|as {_REPORTS} (?:by|in|on)|in an? {_PIECES} (?:in|by|from))(?: both)?\s+[\"“'‘]?(?:the )?[\"“'‘]?$",
        question[begin:start],
        re.I,
    )
    return (begin + lead.start() if lead else start), end
