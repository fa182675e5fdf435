"""Exact checks of a claim: quotes, numbers, dates, names, titles, roles, speakers, polarity."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise, takewhile

from rag.nlp.analyzers import stem
from rag.nlp.entities import TITLES, full_name, names_match, normalize_name
from rag.nlp.numbers import (
    DateMention,
    Number,
    find_dates,
    find_numbers,
    is_date_supported,
    is_number_supported,
)
from rag.nlp.quotations import ATTRIBUTED, find_quotations, find_speaker, quotable_spans
from rag.nlp.tokens import content_words, stem_words, tokenize
from rag.verify.terms import names_in, numbers_in

_QUOTES = dict.fromkeys(map(ord, "“”„«»‟″"), '"') | dict.fromkeys(map(ord, "‘’‚‛′`´"), "'")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
NEGATIONS = frozenset(
    """not no never none neither nor without denied denies deny refused refuses refuse failed fails
    cannot can't won't don't doesn't didn't isn't aren't wasn't weren't hasn't haven't hadn't
    wouldn't shouldn't couldn't unlikely rejected rejects""".split()
)


def normalize(text: str) -> str:
    """Return a text with uniform quotes, dashes, spaces and case."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES | _DASHES)
    return " ".join(text.replace("...", "…").split()).casefold()


def altered_quotes(claim: str, passage: str) -> list[str]:
    """Return the quotations in a claim that do not occur verbatim in the passage.

    Omissions must be marked by an ellipsis, and insertions by brackets.
    """
    there = normalize(passage)
    return [q.text for q in find_quotations(claim) if not _contains_quote(normalize(q.text), there)]


def _contains_quote(quote: str, there: str) -> bool:
    at = 0
    for piece in re.split(r"(?:(?<!\s)\s+)?+(?:…|\[[^\]]{0,300}\])\s*+", quote):
        piece = piece.strip(" .,;:!?-'\"")
        if not piece:
            continue
        match = re.compile(rf"(?<!\w){re.escape(piece)}(?!\w)").search(there, at)
        if match is None:
            return False
        at = match.end()
    return True


def wrong_numbers(claim: str, passage: str, published: datetime | None) -> list[str]:
    """Return the numbers and dates in a claim that the passage neither has nor implies.

    Args:
        claim: The claim.
        passage: The passage, with its metadata.
        published: Publication date of its article.
    """
    shown_days, shown = find_dates(passage), numbers_in(passage)
    unmet: list[Number | DateMention] = [
        f for f in find_numbers(claim) if not _is_implied(f, shown, published)
    ]
    unmet += [
        d for d in find_dates(claim) if not is_date_supported(d, shown_days, passage, published)
    ]
    return [each.text for each in unmet]


def _is_implied(figure: Number, shown: Sequence[Number], published: datetime | None) -> bool:
    if is_number_supported(figure, shown):
        return True
    if figure.value == 1 and figure.text.lower() in {"one", "a", "first"}:
        return True  # "one of them" and "for the first time" count nothing
    return published is not None and figure.text == str(published.year)


def wrong_names(claim: str, passage: str) -> list[str]:
    """Return the names in a claim that the passage, with its article's title, does not have."""
    there = {word.stem for word in tokenize(passage)}
    keys = {normalize_name(n.text, seats=False) for n in names_in(passage)}
    missing = []
    for name in names_in(claim):
        parts = [w.stem for w in content_words(name.text)]
        if normalize_name(name.text, seats=False) in keys or all(part in there for part in parts):
            continue
        if _may_be_common(claim, name.text, name.start):
            continue
        missing.append(name.text)
    return missing


def opens_with_common_word(claim: str, passage: str) -> bool:
    """Return whether a claim's first word is no name, because the passage never has it as one.

    Args:
        claim: The claim.
        passage: The passage, with its metadata.
    """
    first = next(iter(names_in(claim)), None)
    if first is None or not _may_be_common(claim, first.text, first.start):
        return False
    word = re.split(r"['’]", first.text)[0]
    if re.search(rf"[a-z,;] {re.escape(word)}\b", passage):
        return False
    if not any(word in name.text.split() for name in names_in(passage)):
        return True
    # "Experts", which opens a sentence of the passage as well.
    return bool(re.search(r"[^s]s$", word)) or f" {word.lower()} " in passage


def _may_be_common(claim: str, name: str, start: int) -> bool:
    """Return True if a word may be capitalised only because it opens the claim."""
    opens = not claim[:start].strip(" “\"'(")
    return opens and " " not in name and not name.isupper()


_COURTESY = frozenset("mr mrs ms".split())  # which a name may have beside any title
# ", the Russian president," after a name
_APPOSITION = re.compile(
    r", (?:the |a |an |its |their )?((?:[A-Za-z'’-]{2,20} ){0,3}[a-z]{3,20})\b"
)


def wrong_titles(claim: str, passage: str) -> list[str]:
    """Return the titled names in a claim whose title differs in the passage: "Minister Yoon"."""
    theirs = _find_titles(passage, beside=True)
    spoken = {re.sub(r"['’]s?$", "", word.text.lower()) for word in tokenize(passage)}
    wrong = []
    for name, titles in _find_titles(claim).items():
        known = {
            title
            for other, others in theirs.items()
            if _is_same_person(name, other)
            for title in others
        }
        if (known and titles - known - {"former"}) or titles - spoken:
            wrong.append(f"{' '.join(sorted(titles))} {name}")
    return wrong


def _find_titles(text: str, *, beside: bool = False) -> dict[str, set[str]]:
    """Return the titles of each name, without Mr and Mrs.

    Args:
        text: The text.
        beside: Whether titles count beside a comma, too: "the minister, Cho", "Cho, the minister".
    """
    found: dict[str, set[str]] = {}
    for name in names_in(text):
        before = text[max(0, name.start - 40) : name.start].rstrip(" ")
        titles: set[str] = set()
        if before[-1:].isalpha() or (beside and before.endswith(",")):
            titles |= _titles_at_end(before)
        after = _APPOSITION.match(text, name.end) if beside else None
        if after is not None:
            titles |= _titles_at_end(after[1])
        titles -= _COURTESY
        if titles:
            found.setdefault(name.text, set()).update(titles)
    return found


def _titles_at_end(text: str) -> set[str]:
    words = reversed(re.findall(r"[A-Za-z]+", text.lower()))
    return set(takewhile(TITLES.__contains__, words))


def _is_same_person(one: str, other: str) -> bool:
    return one.split()[-1] == other.split()[-1] or names_match(one, other)


def swapped_roles(claim: str, passage: str) -> str:
    """Return the names whose order in the claim differs from its source sentences; "" if none.

    Only for a claim in nearly the passage's words, where the order of names shows the roles;
    claims in other words are left to the support score.
    """
    source = align_sentences(claim, passage)
    mine, theirs = stem_words(claim), stem_words(source)
    if not mine or len(mine & theirs) / len(mine) < NEARLY_VERBATIM:
        return ""
    claimed, sourced = _order_names(claim), _order_names(source)
    claimed = [word for word in claimed if word in set(sourced)]
    if _is_within(claimed, sourced) or _is_inverted(claim, source):
        return ""
    return " ".join(claimed)


NEARLY_VERBATIM = 0.8  # share of the claim's words in the aligned sentences


def _order_names(text: str) -> list[str]:
    """Return the words of names and titles in order; lists joined by "and" are sorted."""
    out: list[str] = []
    last = -1
    for name in _find_names_and_titles(text):
        parts = [w.stem for w in content_words(name[0])] or [name[0].lower()]
        joined = last >= 0 and re.fullmatch(r",? (?:and|or) |, ", text[last : name[1]])
        if joined and out:
            out[-1] = "&".join(sorted([*out[-1].split("&"), " ".join(parts)]))
        else:
            out.append(" ".join(parts))
        last = name[2]
    return [part for group in out for part in re.split(r"[& ]", group)]


def _find_names_and_titles(text: str) -> list[tuple[str, int, int]]:
    found = [(n.text, n.start, n.end) for n in names_in(text)]
    found += [
        (w.text, w.start, w.end)
        for w in tokenize(text)
        if w.text.lower() in TITLES and not any(s <= w.start < e for _, s, e in found)
    ]
    return sorted(found, key=lambda each: each[1])


def _is_within(claimed: Sequence[str], sourced: Sequence[str]) -> bool:
    rest = iter(sourced)
    return all(word in rest for word in claimed)


def _is_inverted(claim: str, source: str) -> bool:
    """Return True if one is the passive of the other, or has the speaker at the other end."""
    by = [len(re.findall(r"\bby\b", text)) for text in (claim, source)]
    if by[0] != by[1]:
        return True
    claimed, actual = find_speaker(claim), find_speaker(source)
    return (
        bool(claimed)
        and bool(actual)
        and names_match(claimed, actual)
        and claim.find(claimed) != source.find(actual)
    )


def align_sentences(claim: str, passage: str) -> str:
    """Return the one or two adjacent spans of the passage that share most words with the claim."""
    texts = [passage[u.start : u.end] for u in quotable_spans(passage)]
    pieces = texts + [f"{a} {b}" for a, b in pairwise(texts)]
    mine = stem_words(claim)
    return max(pieces, key=lambda t: (len(mine & stem_words(t)), -len(t)), default="")


def wrong_speaker(claim: str, passage: str, article: str = "") -> str:
    """Return the passage's speaker if the claim attributes the statement to someone else.

    Args:
        claim: The claim.
        passage: The passage.
        article: The article's full text, to complete bare surnames.

    Returns:
        The speaker in the passage's words; "" if the attribution is right or missing.
    """
    claimed = find_speaker(claim)
    if not claimed or not names_in(claimed):
        return ""
    source = _find_source(claim, passage)
    actual = find_speaker(source)
    if not actual:
        return ""
    whose = names_in(actual)
    if not whose:
        return ""
    mine = names_in(claimed)[-1].text
    theirs = [n.text for n in whose]
    theirs += [full for name in theirs if (full := full_name(name, article or passage))]
    if any(names_match(mine, other) for other in theirs) or any(n.text in claimed for n in whose):
        return ""
    # The claim may name the speaker's country or office.
    return (
        ""
        if {w.stem for w in content_words(claimed)} & {w.stem for w in content_words(actual)}
        else actual
    )


def _find_source(claim: str, passage: str) -> str:
    texts = [passage[u.start : u.end] for u in quotable_spans(passage)]
    for quotation in find_quotations(claim):
        for text in texts:
            if _contains_quote(normalize(quotation.text), normalize(text)):
                return text
    mine = stem_words(claim)
    return max(texts, key=lambda t: len(mine & stem_words(t)), default="")


def lost_attribution(claim: str, passage: str) -> str:
    """Return the passage's speaker if the claim states their words as a fact; "" otherwise."""
    if ATTRIBUTED.search(claim) or find_speaker(claim):
        return ""
    source = _find_source(claim, passage)
    who = find_speaker(source) if ATTRIBUTED.search(source) else ""
    if not who:
        return ""
    mine = stem_words(claim)
    quoted = stem_words(" ".join(q.text for q in find_quotations(source)))
    clause = stem_words(source) - stem_words(who)
    if quoted:
        return who if len(mine & quoted) / max(1, len(mine)) >= 0.6 else ""
    return who if len(mine & clause) / max(1, len(mine)) >= 0.7 else ""


def polarity_mismatch(claim: str, passage: str) -> bool:
    """Return True if a claim in nearly the passage's words negates it, or the reverse."""
    source = align_sentences(claim, passage)
    mine, theirs = stem_words(claim), stem_words(source)
    if not mine or len(mine & theirs) / len(mine) < NEARLY_VERBATIM:
        return False
    return _negations(claim) == 0 < _negations_near(claim, source) or (
        _negations(claim) > 0 == _negations(source)
    )


def _negations(text: str) -> int:
    return sum(w.text.lower().replace("’", "'") in NEGATIONS for w in tokenize(text))


def _negations_near(claim: str, source: str) -> int:
    """Count negations in the source next to words that the claim has too."""
    mine = stem_words(claim)
    listed = tokenize(source)
    return sum(
        w.text.lower().replace("’", "'") in NEGATIONS
        and any(stem(n.text) in mine and not n.is_stop_word for n in listed[i + 1 : i + 4])
        for i, w in enumerate(listed)
    )
