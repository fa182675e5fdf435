"""Mail: saved newsletters and press releases, mailboxes, and pages saved as MHTML."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr
from functools import partial
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers import Link, Read, Reject
from ingest.readers.bylines import parse_authors
from ingest.readers.encoding import ARTICLE_BYTES, as_utf8
from ingest.readers.error_guard import guard
from ingest.readers.fields import article_from
from ingest.readers.html.fragments import text_of_fragment
from ingest.readers.html.reader import read_html
from ingest.readers.publication_dates import parse_date
from rag.schema import Article
from rag.urls import file_location

_PEEK = 2**10
MAIL_BYTES = 4 * ARTICLE_BYTES  # large messages consist mostly of pictures
_FIELD = re.compile(rb"([!-9;-~]{1,76}):(?=[ \t\r\n])")
_ENVELOPE = re.compile(rb"From \S+ .{0,40}\d\d:\d\d(?::\d\d)?.{0,40}\d{4}.{0,10}\r?\n")
_MAIL_FIELDS = frozenset(
    {b"message-id", b"mime-version", b"received", b"return-path", b"delivered-to", b"content-type"}
)
# Mailbox names of newsrooms and lists; any other name before the @ may be a person's.
_ROLE_MAILBOX = re.compile(
    r"(?i)\A(?:news|newsletters?|no-?_?reply|do-?not-?reply|info|mail|mailer|editor|editors|press|"
    r"presse|prensa|media|redaktion|redaction|redaccion|alerts?|updates?|hello|contact|team|office|"
    r"briefing|daily|weekly|morning|subscriptions?|support|service|communications?|bulletin)\b"
)
_PERSON_FROM_PUBLISHER = re.compile(r"(.{3,60}?),? (?:from|at|\||@) (.{2,60})\Z")
_SIGNATURE = re.compile(r"\n-- ?\n(?:[^\n]{0,200}\n){0,15}[^\n]{0,200}\Z")
_LONG = 45  # characters of a line that continues on the next


def is_mail(start: bytes) -> bool:
    """Return whether a file begins like a message, a mailbox, or an MHTML page.

    It must begin with header fields: a sender with a subject and a date, or with fields that mail
    programs add. A text that begins with `Title:` and `Date:` is not a message.
    """
    envelope = _ENVELOPE.match(start)
    fields = _fields(start[envelope.end() :] if envelope else start)
    if {b"mime-version", b"content-type"} <= fields or {b"from", b"message-id"} <= fields:
        return True
    return b"from" in fields and bool(
        fields & _MAIL_FIELDS or {b"subject", b"date"} <= fields or (envelope and b"date" in fields)
    )


def _fields(start: bytes) -> set[bytes]:
    """Return the names of the header fields at the beginning; empty if it isn't a header."""
    found: set[bytes] = set()
    for line in start.splitlines(keepends=True):
        if not line.strip():
            return found
        if line[:1] in b" \t" and found:
            continue
        field = _FIELD.match(line)
        if not field:
            # The last line may be cut.
            return found if not line.endswith(b"\n") and len(start) >= 2**15 else set()
        found.add(field[1].lower())
    return found


def read_mail(file: io.BufferedReader[Any], place: str, url: str = "") -> Read:
    """Yield the article of a message, or of each message of a mailbox.

    Args:
        file: The file.
        place: Its place; messages of a mailbox are numbered.
        url: The URL it was fetched from, if any.
    """
    if not _ENVELOPE.match(file.peek(_PEEK)):
        yield _message(file.read(MAIL_BYTES + 1), place, url)
        return
    for number, content in enumerate(_messages(file), 1):
        at = f"{place}:{number}"
        yield from guard(at, partial(_read_message, content, at))


def _read_message(content: bytes, at: str) -> list[Article | Link | Reject]:
    return [_message(content, at, "")]


def _messages(file: io.BufferedReader[Any]) -> Iterator[bytes]:
    """Yield the messages of a mailbox (mboxrd), each cut just above the size limit."""
    lines, size, blank = list[bytes](), 0, True
    while line := file.readline(MAIL_BYTES):
        if blank and _ENVELOPE.match(line):
            if lines:
                yield b"".join(lines)
            lines, size = [], 0
        elif size <= MAIL_BYTES:
            line = re.sub(rb"\A>(>*From )", rb"\1", line)
            lines.append(line)
            size += len(line)
        blank = not line.strip()
    if lines:
        yield b"".join(lines)


def _message(content: bytes, place: str, url: str) -> Article | Reject:
    if len(content) > MAIL_BYTES:
        return Reject(place, f"message larger than {MAIL_BYTES // 2**20} MB")
    message = message_from_bytes(content, policy=policy.default)
    if _is_page(message):
        return _page(message, place, url)
    return _mail(message, place, url)


def _header(message: EmailMessage, name: str) -> str:
    """Return a decoded header field; "" if it can't be decoded."""
    try:
        return clean_line(str(message.get(name) or ""))
    except Exception:  # the structured header parser raises various errors
        return ""


# Pages


def _is_page(message: EmailMessage) -> bool:
    """Return whether a message is a web page saved with all its parts (RFC 2557)."""
    if _header(message, "Snapshot-Content-Location"):
        return True
    sent = any(_header(message, name) for name in ("To", "Received", "Message-ID", "List-Id"))
    return message.get_content_type() == "multipart/related" and not sent


def _page(message: EmailMessage, place: str, url: str) -> Article | Reject:
    root = _root_of(message)
    if root is None:
        return Reject(place, "saved page (MHTML) without HTML")
    addresses = (_header(root, "Content-Location"), _header(message, "Snapshot-Content-Location"))
    address = url or next((one for one in addresses if re.match(r"(?i)https?://", one)), "")
    return read_html(_html_of(root), place=place, url=address)


def _root_of(message: EmailMessage) -> EmailMessage | None:
    """Return the part that is the page: the one `start` names, or the first HTML part."""
    parts = [part for part in message.walk() if part.get_content_type() in _HTML_TYPES]
    start = message.get_param("start")
    for part in parts:
        if start and _header(part, "Content-ID") == str(start):
            return part
    return parts[0] if parts else None


_HTML_TYPES = ("text/html", "application/xhtml+xml")


def _html_of(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return as_utf8(content, f"charset={part.get_content_charset() or ''}")


# Messages


def _mail(message: EmailMessage, place: str, url: str) -> Article | Reject:
    text = _text_of(message, place)
    if not any(char.isalnum() for char in text):
        return Reject(place, "message without text: attachments are not read")
    publisher, authors = _sender(message)
    archived = _header(message, "Archived-At").strip("<> ")
    number = _header(message, "Message-ID").strip("<> ")
    record = {
        "title": _header(message, "Subject"),
        "text": text,
        "published": _date(_header(message, "Date")),
        "publisher": publisher,
        "authors": authors,
        "language": _header(message, "Content-Language").partition(",")[0],
        "url": url or (archived if re.match(r"(?i)https?://", archived) else ""),
        "id": f"mid:{number}" if number else "",
    }
    return article_from(record, place=place, given=f"file:{file_location(place)}")


def _date(text: str) -> Any:
    try:
        return parse_date(re.sub(r" ?\([^()]{0,60}\)\Z", "", text))  # a comment such as "(CEST)"
    except ValueError:
        return None


def _text_of(message: EmailMessage, place: str) -> str:
    """Return a message's text: its HTML if that contains a story, otherwise the plain part."""
    html = message.get_body(preferencelist=("html",))
    plain = message.get_body(preferencelist=("plain",))
    if html is not None:
        page = read_html(_html_of(html), place=place)
        if isinstance(page, Article):
            return page.text
    if plain is not None:
        text = _decode_part(plain)
        if any(char.isalnum() for char in text):
            return _unwrap(text, flowed=plain.get_param("format") == "flowed")
    return text_of_fragment(_html_of(html).decode("utf-8", "replace")) if html is not None else ""


def _decode_part(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return as_utf8(content, f"charset={part.get_content_charset() or ''}").decode(
        "utf-8", "replace"
    )


def _unwrap(text: str, *, flowed: bool) -> str:
    """Return a text with one line per paragraph, without the sender's signature."""
    text = _SIGNATURE.sub("", re.sub(r"\r\n?", "\n", text))
    paragraphs = []
    for block in re.split(r"\n[ \t]*\n", text):
        joined = ""
        for line in block.split("\n"):
            goes_on = joined.endswith(" ") if flowed else len(joined) - joined.rfind("\n") > _LONG
            joined += ("" if not joined else " " if goes_on else "\n") + line
        paragraphs.append(joined)
    return "\n\n".join(paragraphs)


def _sender(message: EmailMessage) -> tuple[str, tuple[str, ...]]:
    """Return the publisher and the authors named by the sender fields."""
    name, address = parseaddr(_header(message, "From"))
    name = clean_line(name.strip("\"' "))
    local, _, domain = address.partition("@")
    organization = clean_line(_header(message, "Organization"))
    listed = any(_header(message, field) for field in ("List-Id", "List-Unsubscribe", "List-Post"))
    if person_and_publisher := _PERSON_FROM_PUBLISHER.match(name):
        person = parse_authors(person_and_publisher[1])
        if person:
            return organization or clean_line(person_and_publisher[2]), person
    if not name:
        return organization or domain.removeprefix("www."), ()
    person = parse_authors(name)
    if listed or _ROLE_MAILBOX.match(local) or not person or len(name.split()) < 2:
        return organization or name, ()
    return organization, person
