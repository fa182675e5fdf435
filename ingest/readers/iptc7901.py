"""IPTC 7901 messages: the agencies' telegraph format with control characters.

The format is SOH header, STX text, ETX signature and date, EOT (IPTC Recommendation 7901, 1995):

    <SOH>eca0062 4 i 211 vpa 061<CR><LF>
    <STX>Ostmark/transport/<CR><LF>Ferry line: strike is over =<CR><LF>Tarn (vpa) - ...
    <ETX>vpa mh<CR><LF>031015 May 24<CR><LF><EOT>
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers import Link, Read, Reject
from ingest.readers.encoding import ARTICLE_BYTES
from ingest.readers.error_guard import guard
from ingest.readers.fields import article_from
from ingest.readers.publication_dates import parse_date
from rag.schema import Article
from rag.urls import file_location

_START = re.compile(rb"[\x00\x16\x7f\s]{0,400}\x01[^\x01-\x04]{1,400}\x02")
_HEADER = re.compile(
    r"\A\s*+(?P<service>[A-Za-z]{1,8})\s?(?P<number>\d{1,5})"
    r"(?:\s++(?P<urgency>\d))?(?:\s++(?P<category>[A-Za-z]{1,3}))?(?:\s++(?P<words>\d{1,5}))?"
    r"(?:\s++(?P<agency>[A-Za-z][\w-]{1,20}))?"
)
_KEYWORDS = re.compile(r"[^\s/][^/\n]{0,60}(?:/[^/\n]{0,60}){0,12}/\Z")
_HEADLINE_LINES = 6  # lines of a headline, which ends with "="
_DATE = re.compile(
    r"(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)\s+(?:(?P<zone>[A-Z]{3,4})\s+)?"
    r"(?P<month>[^\W\d_]{3,10})\.?\s+(?P<year>\d{4}|\d\d)\b"
)
_AGENCY = re.compile(r"\A[^\n]{1,80}?\((?P<name>[^()\n/]{2,30})(?:/[^()\n]{1,60})?\)\s*[-–—]")
# By their first three letters, in the agencies' languages; French juin and juillet share them.
_MONTHS = {
    name: month
    for month, named in enumerate(
        (
            "jan ene gen", "feb fév fev", "mar mär mrz maa", "apr avr abr", "may mai mei mag maj",
            "jun jui giu", "jul lug", "aug aoû aou ago", "sep set", "oct okt ott out", "nov",
            "dec dez déc dic",
        ),
        1,
    )
    for name in named.split()
}  # fmt: skip


def is_iptc7901(start: bytes) -> bool:
    """Return whether a file begins with a message header and the start of its text."""
    return _START.match(start) is not None


def read_iptc7901(file: io.BufferedReader[Any], place: str) -> Read:
    """Yield the article of each message of a file."""
    messages = list(_messages(file))
    if not messages:
        yield Reject(place, "not an IPTC 7901 message: it doesn't begin with SOH")
    for number, content in enumerate(messages, 1):
        at = place if len(messages) == 1 else f"{place}:{number}"
        yield from guard(at, partial(_read_message, content, at))


def _messages(file: io.BufferedReader[Any]) -> Iterator[bytes]:
    """Yield the content between each SOH and the next."""
    content = file.read(ARTICLE_BYTES + 1)
    yield from content.split(b"\x01")[1:]


def _read_message(content: bytes, at: str) -> list[Article | Link | Reject]:
    return [_article(content, at)]


def _article(content: bytes, at: str) -> Article | Reject:
    if len(content) >= ARTICLE_BYTES:
        return Reject(at, f"message larger than {ARTICLE_BYTES // 2**20} MB")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    head, _, rest = text.partition("\x02")
    body, _, tail = rest.partition("\x03")
    header = _HEADER.match(head)
    fields: dict[str, Any] = header.groupdict() if header else {}
    keywords, title, story = _parts(re.sub(r"\r\n?", "\n", body))
    published = _moment(tail)
    agency = _AGENCY.match(story)
    signed = re.match(r"\A\s*+([^\W\d_][\w-]{1,20})", tail)
    record = {
        "title": title,
        "text": story,
        "slugline": keywords,
        "urgency": fields.get("urgency"),
        "published": published,
        "publisher": (agency and agency["name"]) or fields.get("agency") or (signed and signed[1]),
        "id": _id(fields, published),
    }
    return article_from(record, place=at, given=f"file:{file_location(at)}")


def _parts(body: str) -> tuple[str, str, str]:
    """Return the keywords, the headline and the story, with paragraphs on one line each."""
    lines = body.strip("\n").split("\n")
    keywords = ""
    if lines and _KEYWORDS.match(lines[0].strip()):
        keywords = clean_line(lines.pop(0)).strip("/ ")
    title, taken = "", 0
    for index, line in enumerate(lines[:_HEADLINE_LINES]):
        if line.rstrip().endswith((" =", "\t=")) or line.strip() == "=":
            headline = " ".join(lines[: index + 1]).rstrip().removesuffix("=")
            title, taken = clean_line(headline), index + 1
            break
    if not title:
        title = next((clean_line(line) for line in lines if line.strip()), "")
        taken = next((i + 1 for i, line in enumerate(lines) if line.strip()), 0)
    paragraphs: list[str] = []
    begins = True
    for line in lines[taken:]:
        if not line.strip():
            begins = True
        elif begins or line.startswith("  "):  # agencies indent a paragraph's first line
            paragraphs.append(line.strip())
            begins = False
        else:
            paragraphs[-1] += f" {line.strip()}"
    return keywords, title, "\n\n".join(paragraphs)


def _moment(tail: str) -> datetime | None:
    """Return the time of "031015 May 24": the 3rd at 10:15, in UTC unless a zone is named."""
    found = _DATE.search(tail)
    if not found:
        return None
    name = found["month"].casefold()
    month = 7 if name.startswith("juil") else _MONTHS.get(name[:3])
    if month is None:
        return None
    year = int(found["year"]) if len(found["year"]) == 4 else _year(int(found["year"]))
    try:
        moment = datetime(
            year, month, int(found["day"]), int(found["hour"]), int(found["minute"]), tzinfo=UTC
        )
        if found["zone"] in (None, "GMT", "UTC"):
            return parse_date(moment)
        return parse_date(f"{moment:%Y-%m-%d %H:%M} {found['zone']}")
    except ValueError:
        return None


def _year(of_century: int) -> int:
    """Return the full year of two digits, at most one year ahead."""
    this = datetime.now(UTC).year
    year = this - this % 100 + of_century
    return year if year <= this + 1 else year - 100


def _id(fields: dict[str, Any], published: datetime | None) -> str:
    """Return the id of a message: its service, its number, which restarts daily, and the day."""
    if not fields.get("number") or published is None:
        return ""
    return f"iptc7901:{fields['service'].lower()}{fields['number']}:{published:%Y-%m-%d}"
