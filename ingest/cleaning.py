"""Clean scraped text: normalize typography, remove boilerplate.

Cleaning happens before a text is stored, so all offsets refer to the clean text.
"""

from __future__ import annotations

import re
import unicodedata

from ingest.boilerplate_rules import (
    COMMENT_HEADS,
    LIST_HEADS,
    STORY_BEFORE_COMMENTS,
    is_boilerplate,
    is_link_line,
    normalize_line,
)
from rag.nlp.sentences import SENTENCE_ENDS

_LIGATURES = str.maketrans(
    {
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
        "Ĳ": "IJ",
        "ĳ": "ij",
    }
)
_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Soft hyphens, zero-width spaces, byte-order marks, marks of direction, control characters and
# stray halves of surrogate pairs. Joiners (U+200C, U+200D) stay: Persian and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]"
)
# The ones that can't be part of mojibake: removed first, because they may interrupt it.
_NEVER_MOJIBAKE = re.compile(
    "[\u200b\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\x00-\x08\x0e-\x1b\x1f\x7f\ud800-\udfff]"
)
_SPACES = re.compile(r"[^\S\n]+")
MOST_ROUNDS = 4  # of cleaning, while what was removed leaves mojibake behind
# UTF-8 decoded as Latin-1 or Windows-1252. Only then is ftfy called: it takes 30 times as long
# as all other cleaning, and one text in a hundred needs it.
_MOJIBAKE = re.compile("[ÂÃâÅÄÐÑÎÏØÙãåçè][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")


def plain_typography(text: str) -> str:
    """Return `text` in NFC without mojibake, invisible characters, ligatures and odd spaces.

    Quotation marks, dashes and ellipses are kept as printed; comparisons ignore them.
    """
    for _ in range(MOST_ROUNDS):
        before, text = text, _NEVER_MOJIBAKE.sub("", text)
        if _MOJIBAKE.search(text):
            import ftfy  # 60 ms

            text = ftfy.fix_encoding(text)
        text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)).translate(_LIGATURES)
        text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
        if text == before or not _MOJIBAKE.search(text):
            break
    return text


# "CNN —" or "Seoul, South Korea CNN —" on a line of its own, "(CNN)" before the first word.
_AGENCY = re.compile(
    r"\A(?P<place>(?:[A-Z][\w.'’-]*,? ){0,5})\(?(?:CNN(?: Business| Politics| Underscored)?"
    r"|USA TODAY)\)?\s*+[—–-]++\s*+(?:(?<=\n)|(?=\S))"
    r"|\A\((?:CNN(?: Business)?|Reuters|AP|AFP)\)\s*+(?:[—–-]++\s*+)?"
)
_DASH = re.compile(r"(?<=\S)\s++[-–—|·](?=\s)")
_TOP_DOMAIN = re.compile(r"\.(?:co|com|org|net|gov|ac)(?:\.[a-z]{2})?\Z|\.[a-z]{2,4}\Z")
_ENDS = SENTENCE_ENDS + ':”"'
_REPEAT_FROM = 60  # characters; a shorter line may be repeated on purpose ("No comment.")
_REPEAT_WITHIN = 4  # lines, including blank ones; a later repetition is on purpose


def clean(text: str, *, title: str = "") -> str:
    """Return the story in `text` without boilerplate, paragraphs separated by a blank line.

    A first line that repeats `title` is removed. The function is idempotent.
    """
    before = None
    text = plain_typography(text)
    while text != before:  # removing boilerplate may expose more; usually two rounds
        before = text
        text = _AGENCY.sub(_dateline, "\n".join(_story_lines(text, title)).strip("\n"), count=1)
    return text


def clean_line(text: str) -> str:
    """Return a name or a headline on one line, in plain typography."""
    return " ".join(plain_typography(text).split())


def clean_title(title: str, publisher: str = "") -> str:
    """Return the headline without the publisher's name at its end."""
    title = clean_line(title)
    head, bar, tail = title.rpartition(" | ")
    if bar and len(tail.split()) <= 4 and len(head.split()) >= 3:
        title = head
    known = _letters_of_name(_TOP_DOMAIN.sub("", publisher.casefold()))
    *_, ends = None, *_DASH.finditer(title)
    tail = _letters_of_name(title[ends.end() :].casefold()) if ends else ""
    if ends and known and (known in tail or (len(tail) >= 4 and known.startswith(tail))):
        title = title[: ends.start()]
    return title[:-3].rstrip() if title.endswith(" ...") else title.strip()


def _letters_of_name(name: str) -> str:
    return re.sub(r"\bthe\b|\W", "", name)


def _dateline(match: re.Match[str]) -> str:
    place = (match.groupdict().get("place") or "").strip(" ,")
    return f"{place} — " if place else ""


def _story_lines(text: str, title: str) -> list[str]:
    """Return the lines to keep, with a blank line between paragraphs."""
    lines = _unwrap([line.strip() for line in text.split("\n")])
    kept: list[str] = []
    size = 0
    in_list = False
    title_key = normalize_line(title)
    for line in lines:
        key = normalize_line(line)
        if not line:
            if kept and kept[-1]:
                kept.append("")
            continue
        if COMMENT_HEADS.match(key) and size >= STORY_BEFORE_COMMENTS:
            break
        if key in LIST_HEADS:
            in_list = True
        in_list = in_list and is_link_line(line)
        if in_list or not key or (key == title_key and not size) or is_boilerplate(line, key):
            continue
        if len(line) >= _REPEAT_FROM and line in kept[-_REPEAT_WITHIN:]:
            continue
        kept.append(line)
        size += len(line)
    return kept


def _unwrap(lines: list[str]) -> list[str]:
    """Join the lines of paragraphs that were wrapped at a fixed width."""
    joined: list[str] = []
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line:
            paragraph.append(line)
            continue
        joined += [" ".join(paragraph)] if _is_wrapped(paragraph) else paragraph
        joined.append("")
        paragraph = []
    return joined


def _is_wrapped(paragraph: list[str]) -> bool:
    body = paragraph[:-1]
    if len(body) < 2 or any(re.match(r"\A(?:[-*•–—►]|\d++[.)])", line) for line in paragraph):
        return False
    widths = [len(line) for line in body]
    longest = max(widths)
    ended = sum(line[-1] in _ENDS for line in body)
    return (
        45 <= longest <= 100
        and min(widths) >= longest - 25
        and len(paragraph[-1]) <= longest
        and 2 * ended <= len(body)
    )
