"""Read PDF files with a text layer; the headline is recognized by its font size."""

from __future__ import annotations

import json
import re
import subprocess  # nosec B404 # runs our own module, in a process that a broken PDF may kill
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers import Reject
from ingest.readers.fields import article_from
from ingest.readers.pdf.layout import Piece, in_reading_order, paragraphs, without_running_heads
from ingest.readers.publication_dates import parse_date
from ingest.readers.text import header_fields
from rag.schema import Article
from rag.urls import file_location

PDF_BYTES = 64 * 2**20  # larger ones consist mostly of pictures
_SECONDS = 60  # of wall clock time; the child has half of it in CPU time
_LETTERS_FROM = 40  # letters and digits; with fewer, the page is a scan with a stamp
_LARGER = 1.15  # font size of a headline relative to the story
_TITLE_UP_TO = 250  # characters
_NOT_A_TITLE = re.compile(
    r"(?i)\.(?:docx?|indd|qxp|pdf|odt|rtf)\b|microsoft|untitled|\A(?=[\w-]*\d)[\w-]++\Z"
)
_LOCKED = 3  # exit code of the worker


def read_pdf(content: bytes, *, place: str, url: str = "") -> Article | Reject:
    """Return the article of a PDF, or a Reject with the reason.

    Headers, footers and page numbers are left out, and hyphenated words are joined. The title is
    the text in the largest font of the first page, or the document's own; date and byline are those
    below it, or the document's. The PDF is parsed in a process with limits on memory and time,
    because it may be malicious.

    Args:
        content: The file.
        place: Its place.
        url: The URL it was fetched from, if any.
    """
    if len(content) > PDF_BYTES:
        return Reject(place, f"PDF larger than {PDF_BYTES // 2**20} MB")
    try:
        read = subprocess.run(  # nosec B603 # a fixed command line; the PDF is its input
            [sys.executable, "-m", "ingest.readers.pdf.text_extraction"],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Reject(place, f"PDF took more than {_SECONDS} s to read")
    if read.returncode == _LOCKED:
        return Reject(place, "PDF is protected by a password: save it without one")
    if read.returncode:
        return Reject(place, "PDF is damaged, or needs too much memory or time to read")
    found = json.loads(read.stdout)
    pieces = [Piece(**piece) for piece in found["pieces"]]
    return _article(pieces, found["metadata"], place, url)


def _article(
    pieces: Sequence[Piece], metadata: Mapping[str, str], place: str, url: str
) -> Article | Reject:
    if sum(char.isalnum() for piece in pieces for char in piece.text) < _LETTERS_FROM:
        return Reject(place, "PDF without a text layer: add one, for example with `ocrmypdf`")
    ordered = in_reading_order(without_running_heads(pieces))
    headline = _headline(ordered)
    title = clean_line(" ".join(piece.text for piece in headline))
    below = ordered[ordered.index(headline[-1]) + 1 :] if headline else ordered
    # Above the headline are the paper's name and the section, unless columns begin there.
    above = [p for p in ordered[: -len(below) or None] if p not in headline]
    if sum(len(piece.text) for piece in above) > _TITLE_UP_TO:
        below = [*above, *below]
    story = "\n\n".join(paragraphs(below))
    own = clean_line(metadata.get("Title", ""))
    if not title and own and not _NOT_A_TITLE.search(own):
        title = own
    header, story = header_fields(story, has_title=bool(title))
    record: dict[str, Any] = {
        "url": url,
        "title": title,
        "authors": metadata.get("Author"),
        "published": _parse_pdf_date(metadata.get("CreationDate", "")),
        **{name: value for name, value in header.items() if value},
        "text": story,
    }
    return article_from(record, place=place, given=f"file:{file_location(place)}")


def _headline(ordered: Sequence[Piece]) -> list[Piece]:
    """Return the pieces in the largest font of the first page, if they are a headline."""
    first = [piece for piece in ordered if piece.page == ordered[0].page]
    sizes = Counter[float]()
    for piece in ordered:
        sizes[piece.size] += len(piece.text)
    usual = sizes.most_common(1)[0][0]
    large = [piece for piece in first if piece.size > _LARGER * usual]
    # The largest may be the newspaper's name; a headline has at least three words.
    for size in sorted({piece.size for piece in large}, reverse=True):
        lines = [piece for piece in large if piece.size == size]
        text = " ".join(piece.text for piece in lines)
        if len(text.split()) >= 3 and len(text) <= _TITLE_UP_TO:
            return lines
    return []


def _parse_pdf_date(text: str) -> Any:
    """Return the day of a PDF date such as "D:20241024103000+02'00'"; None if it is invalid."""
    digits = re.match(r"D:(\d{4})(\d\d)(\d\d)", text)
    try:
        return parse_date("-".join(digits.groups())) if digits else None
    except ValueError:
        return None
