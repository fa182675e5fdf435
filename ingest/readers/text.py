"""Plain text and Markdown: headline, optional header lines, story."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ingest.boilerplate_rules import normalize_line
from ingest.cleaning import clean_line
from ingest.readers import Reject
from ingest.readers.bylines import parse_authors
from ingest.readers.encoding import decode
from ingest.readers.fields import SPELLINGS, article_from
from ingest.readers.html.visible_date import is_dateline
from ingest.readers.publication_dates import parse_date
from rag.schema import Article
from rag.urls import file_location

_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_PAIR = re.compile(r"\A([A-Za-zÀ-ÿА-Яа-яЁёІіЇїЄє가-힣 _-]{2,24})\s*[:：]\s*+(.*)\Z")
_HEAD_LINES = 12  # header lines with metadata of the article
_LINE_UP_TO = 160  # characters of a header line; a longer one is story
_OWN_LABELS = {
    "datum": "date", "erschienen": "date", "stand": "updated", "autor": "author", "von": "author",
    "quelle": "source", "titel": "title", "fecha": "date", "fuente": "source", "auteur": "author",
    "дата": "date", "автор": "author", "источник": "source", "джерело": "source", "날짜": "date",
    "last updated": "updated", "updated on": "updated", "posted": "date", "posted on": "date",
    "published on": "date", "publish date": "date",
}  # fmt: skip
_KEYS = {re.sub(r"\W", "", key): name for name, keys in SPELLINGS.items() for key in keys}
_BYLINE = re.compile(
    r"(?:By|BY|Von|Par|Por)\s+((?:[A-ZÀ-Þ][\w.'’-]*|and|von|van|de|del|al|bin|&)"
    r"(?:\s+(?:[A-ZÀ-Þ][\w.'’-]*|and|von|van|de|del|al|bin|&)){0,8})(?:,\s*(.{2,60}))?\Z"
)
_WORDS, _SENTENCE = 5, 3  # minimum words of a story under a headline; of one that ends a sentence
_ENDS = re.compile(r"[.!?…。！？।۔։؟]")
_ENDS_WITHIN = 20  # characters of the end
# Scripts without spaces between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_DATELINE = re.compile(
    r"\A[A-ZÀ-Þ][\w .,'’/-]{2,60}?,?\s+"
    r"((?:[A-Z][a-z]{2,8}\.?\s+\d{1,2},?\s+\d{4})|(?:\d{1,2}\.?\s+\w{3,9}\.?,?\s+\d{4}))"
    r"\s*+(?:\([^)]{2,30}\)\s*+)?[—–:-]"
)
_HEADING = re.compile(r"(?m)^ {0,3}#{1,6}[ \t]+(\S.{0,300}?)[ \t]{0,20}#{0,20}[ \t]{0,20}$")
# Each pattern stops at the next mark of its kind, because a line may have a million.
_MARKDOWN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!\[[^\[\]\n]*\]\([^)\n]{0,1000}+\)"), ""),  # pictures, with their descriptions
    (re.compile(r"\[([^\[\]\n]+)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"\n]*\")?\)"), r"\1"),
    (re.compile(r"\[([^\[\]\n]+)\]\[[^\]\n]*\]"), r"\1"),
    (re.compile(r"(?m)^\[[^\]\n]++\]:\s++\S.*$"), ""),
    (_HEADING, r"\1"),
    (re.compile(r"(?m)^ {0,3}>[ ]?"), ""),
    (re.compile(r"(?m)^[ \t]*(?:[-*_][ \t]*){3,}$"), ""),
    (re.compile(r"(\*\*|__)(?=\S)([^\n]{1,500}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)"), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
)


def read_text(content: bytes, *, place: str, url: str = "") -> Article | Reject:
    """Return the article of a text or Markdown file, or a Reject with the reason.

    The title comes from front matter, a `Title:` line, the first heading or the first line; the
    date from front matter, a `Date:` line, a line that is a date, or a dateline with a year. An
    article without URL or id is identified by its file's path.

    Args:
        content: The file.
        place: Its place.
        url: The URL it was fetched from, if any.
    """
    try:
        text = decode(content)
    except ValueError as error:
        return Reject(place, str(error))
    text = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))
    record, story = _front_matter(text)
    if record or _HEADING.search(story):
        story = _strip_markdown(story, record)
    header, story = header_fields(story, has_title="title" in record)
    has_title = "title" in header or "title" in record
    record = {"url": url, **header, **record, "text": story}
    found = article_from(record, place=place, given=f"file:{file_location(place)}")
    if isinstance(found, Article) and (size := _too_short(story, has_title=has_title)):
        why = "expected at least a headline and a sentence"
        return Reject(place, f"too short to be a story: {size}: {why}")
    return found


def _too_short(story: str, *, has_title: bool) -> str:
    """Return the length of a text that is too short to be a story; "" if it is long enough.

    A brief is a headline with five words, or with a sentence of three ("Nobody was hurt."); without
    a headline, twice as many. In a script without spaces, two characters count as a word.
    """
    words = sum(1 + len(found[0]) // 2 for found in _UNSPACED.finditer(story))
    words += len(_UNSPACED.sub(" ", story).split())
    ends = _ENDS.search(story[-_ENDS_WITHIN:]) is not None
    least = _SENTENCE if ends else _WORDS
    if words >= (least if has_title else 2 * least):
        return ""
    return f"{words} word{'' if words == 1 else 's'}"


def header_fields(story: str, *, has_title: bool) -> tuple[dict[str, Any], str]:
    """Return the fields in the first lines of a text, and the story without those lines.

    Args:
        story: The text.
        has_title: Whether the title is known already.
    """
    header, story = _split_header(story, has_title=has_title)
    if "published" not in header:
        header["published"] = _dateline(story)
    return header, story


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Parse YAML front matter as archives use it: keys, words, quotes and flat lists."""
    match = _FRONT_MATTER.match(text)
    if not match:
        return {}, text
    record: dict[str, Any] = {}
    key = ""
    for line in match.group(1).split("\n"):
        item = re.match(r"\A\s*-\s++(.*)\Z", line)
        pair = re.match(r"\A([\w .-]++)\s*+:(?:\s++(.*))?\Z", line)
        if item and key:
            items = record[key] if isinstance(record.get(key), list) else []
            record[key] = [*items, _scalar(item.group(1))]
        elif pair:
            key = _field_of_label(pair.group(1)) or pair.group(1).strip()
            record[key] = _scalar(pair.group(2) or "")
    return record, text[match.end() :]


def _scalar(value: str) -> Any:
    value = value.strip()
    if value.startswith("[") and value.endswith("]"):
        return [_scalar(part) for part in value[1:-1].split(",") if part.strip()]
    for quote in ('"', "'"):
        if len(value) > 1 and value.startswith(quote) and value.endswith(quote):
            inner = value[1:-1]
            return inner.replace('\\"', '"') if quote == '"' else inner.replace("''", "'")
    return re.sub(r"(?s)(?<!\s)\s++#\s.*\Z", "", value)


def _field_of_label(label: str) -> str:
    label = label.strip().casefold()
    return _KEYS.get(re.sub(r"[\W_]", "", _OWN_LABELS.get(label, label)), "")


def _strip_markdown(story: str, record: dict[str, Any]) -> str:
    """Return Markdown as plain text; a heading at the top becomes the title."""
    first = _HEADING.match(story.lstrip())
    if first and "title" not in record:
        record["title"] = first.group(1)
        story = story.lstrip()[first.end() :]
    story = _without_comments(story)
    for mark, instead in _MARKDOWN:
        story = mark.sub(instead, story)
    return story


def _without_comments(story: str) -> str:
    parts = story.split("<!--")
    kept = [parts[0]]
    for part in parts[1:]:
        _, end, after = part.partition("-->")
        kept.append(after if end else f"<!--{part}")
    return "".join(kept)


def _split_header(story: str, *, has_title: bool) -> tuple[dict[str, Any], str]:
    """Split off the metadata in the first lines: title, date, byline, publisher."""
    header: dict[str, Any] = {}
    lines = story.strip().split("\n")
    taken = 0
    for index, line in enumerate(lines[:_HEAD_LINES]):
        line = clean_line(line)
        if not line:
            continue
        found = _line_metadata(line) if len(line) <= _LINE_UP_TO else None
        if (
            found is None
            and not has_title
            and "title" not in header
            and _may_be_title(lines, index)
        ):
            found = {"title": line}
        if found is None:
            break
        header = {**found, **header}
        taken = index + 1
    return header, "\n".join(lines[taken:])


def _may_be_title(lines: list[str], index: int) -> bool:
    rest = any(line.strip() for line in lines[index + 1 :])
    return rest and len(lines[index].strip()) <= _LINE_UP_TO


def _line_metadata(line: str) -> dict[str, Any] | None:
    """Return the metadata in a line; None if the line belongs to the article itself."""
    pair = _PAIR.match(line)
    if pair:
        name = _field_of_label(pair.group(1))
        if name in (
            "title",
            "publisher",
            "authors",
            "published",
            "updated",
            "section",
            "url",
            "id",
            "language",
        ):
            value = pair.group(2).strip()
            return {name: value} if value else {}
    byline = _BYLINE.match(line)
    if byline:
        found: dict[str, Any] = {"authors": list(parse_authors(byline.group(1)))}
        return found | ({"publisher": byline.group(2)} if byline.group(2) else {})
    if normalize_line(line) in ("date", "by", "author", "updated", "published", "source"):
        return {}
    if _YEAR.search(line) and len(line) <= 60 and not re.search(r"[.!?][\"”’]?\Z", line):
        moment = _parse_date_or_none(line) if is_dateline(line) else None
        if moment:
            return {"published": moment}
    return None


def _dateline(story: str) -> datetime | None:
    """Return the date of a dateline such as "SEOUL, Oct. 24, 2024 (AP) —"."""
    match = _DATELINE.match(story.strip())
    return _parse_date_or_none(match.group(1)) if match else None


def _parse_date_or_none(text: str) -> datetime | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
