"""Mail, mailboxes and MHTML pages become articles without their headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.readers import Reject, read
from ingest.readers.detect import detect_format
from rag.schema import Article

FIRST = "The harbour board said that the new quay would open for the ferries of the north in June."
SECOND = "Its chair, Ada Quill, promised the fishermen of Pellworth the same berths as before."
THIRD = "The ferry line will sail from it every hour between six in the morning and midnight."
NOON = datetime(2024, 5, 3, 12, tzinfo=timezone(timedelta(hours=2)))
PAGE = (
    "<html><head><title>Quay opens in June</title></head><body><article>"
    f"<h1>Quay opens in June</h1><p>{FIRST}</p><p>{SECOND} Caf\u00e9s follow.</p>"
    f"<p>{THIRD}</p></article></body></html>"
)


def message(sender: str = "Harbour Courier <news@courier.example>", **fields: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = sender
    made["Subject"] = fields.pop("subject", "Quay opens in June – the café stays")
    made["Date"] = "Fri, 3 May 2024 12:00:00 +0200 (CEST)"
    made["Message-ID"] = "<1@courier.example>"
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    return made


def read_one(path: Path, content: bytes) -> Article:
    path.write_bytes(content)
    (found,) = read(path)
    assert isinstance(found, Article), found
    return found


def test_plain_message_is_an_article(tmp_path: Path) -> None:
    mail = message()
    mail.set_content(
        f"{FIRST}\n\n{SECOND}\n\n-- \nThe Harbour Courier, Quay 1\n", cte="quoted-printable"
    )
    article = read_one(tmp_path / "a.eml", mail.as_bytes())
    assert article.title == "Quay opens in June – the café stays"
    assert article.text == f"{FIRST}\n\n{SECOND}"
    assert article.published == NOON
    assert (article.publisher, article.authors) == ("Harbour Courier", ())
    assert article.id == "mid:1@courier.example"


@pytest.mark.parametrize(
    ("sender", "publisher", "authors"),
    [
        ("Ida Lund <ida.lund@courier.example>", "", ("Ida Lund",)),
        ("Ida Lund from Harbour Courier <ida@courier.example>", "Harbour Courier", ("Ida Lund",)),
        ("newsletter@courier.example", "courier.example", ()),
        ("=?utf-8?Q?Caf=C3=A9_Post?= <info@cafe.example>", "Café Post", ()),
    ],
)
def test_sender_is_author_or_publisher(
    tmp_path: Path, sender: str, publisher: str, authors: tuple[str, ...]
) -> None:
    raw = (
        f"Return-Path: <x@y.example>\r\nFrom: {sender}\r\nSubject: Quay\r\n"
        f"Date: Fri, 3 May 2024 12:00:00 +0200\r\n\r\n{FIRST}\r\n"
    )
    article = read_one(tmp_path / "a.eml", raw.encode())
    assert (article.publisher, article.authors) == (publisher, authors)


def test_html_message_is_read_as_a_page(tmp_path: Path) -> None:
    mail = message()
    mail.set_content("See this in your browser.")
    mail.add_alternative(PAGE, subtype="html", charset="iso-8859-1")
    article = read_one(tmp_path / "a.eml", mail.as_bytes())
    assert article.text == f"{FIRST}\n\n{SECOND} Cafés follow.\n\n{THIRD}"
    assert article.title == "Quay opens in June – the café stays"


def test_short_html_message_without_a_story_keeps_its_text(tmp_path: Path) -> None:
    mail = message()
    mail.set_content("<p>The quay opens on 1 June, the board said.</p>", subtype="html")
    article = read_one(tmp_path / "a.eml", mail.as_bytes())
    assert article.text == "The quay opens on 1 June, the board said."


def test_wrapped_lines_are_joined(tmp_path: Path) -> None:
    lines = FIRST.replace("open for", "open\nfor") + "\n"
    raw = f"Message-ID: <2@x.example>\nFrom: news@x.example\nSubject: Quay\n\n{lines}\n{SECOND}\n"
    assert read_one(tmp_path / "a.eml", raw.encode()).text == f"{FIRST}\n\n{SECOND}"


def test_mailbox_gives_an_article_for_each_message(tmp_path: Path) -> None:
    first, second = message(), message(subject="Ferries sail again")
    first.set_content(f"{FIRST}\n\n>From Pellworth the boats sail hourly.\n")
    second.replace_header("Message-ID", "<3@courier.example>")
    second.set_content(SECOND)
    path = tmp_path / "news.mbox"
    envelope = b"From news@courier.example Fri May  3 12:00:00 2024\n"
    path.write_bytes(b"\n".join(envelope + one.as_bytes() for one in (first, second)))
    found = list(read(path))
    assert [one.title for one in found if isinstance(one, Article)] == [
        "Quay opens in June – the café stays",
        "Ferries sail again",
    ]


def test_message_without_a_text_is_a_reject(tmp_path: Path) -> None:
    mail = message()
    mail.set_content(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    path = tmp_path / "a.eml"
    path.write_bytes(mail.as_bytes())
    (found,) = read(path)
    assert isinstance(found, Reject)
    assert "without text" in found.reason


@pytest.mark.parametrize(
    "odd",
    [
        b"From: =?x?Q?=FF?= <@\nSubject: =?utf-8?B?!!!?=\nMessage-ID: <[[\nDate: x\n\n",
        b"From: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\n\n",
        b"From: a\nMIME-Version: 1.0\nContent-Type: text/plain; charset=no-such\n\n",
        b"From: a\nMIME-Version: 1.0\nContent-Type: text/html; charset*=utf-8''%00\n\n<p>",
        b"From: a\nMessage-ID: <x>\nContent-Transfer-Encoding: base64\n\n!!!\n",
    ],
)
def test_odd_messages_raise_nothing(tmp_path: Path, odd: bytes) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(odd + FIRST.encode())
    assert detect_format(odd + FIRST.encode()) == "mail"
    assert len(list(read(path))) == 1


def test_text_with_a_few_header_fields_is_not_mail() -> None:
    for text in (
        "Title: Quay opens\nDate: 3 May 2024\nAuthor: Ida Lund\n\nText.",
        "From: the archive of the harbour board, with thanks\n\nThe quay opens.",
        "Note: this is\nnot a header.",
        "Subject: quays\nDate: 3 May\n\nText",
    ):
        assert detect_format(text.encode()) == "text"


# MHTML


def saved_page(*, charset: str = "utf-8", location: str = "https://courier.example/quay") -> bytes:
    made = EmailMessage()
    made["From"] = "<Saved by Blink>"
    made["Snapshot-Content-Location"] = location
    made["Subject"] = "Quay opens in June"
    made["Date"] = "Mon, 1 Jan 2029 12:00:00 -0000"
    made.set_content(PAGE, subtype="html", charset=charset, cte="quoted-printable")
    made["Content-Location"] = location
    made.add_related(b"GIF89a", "image", "gif", cid="<a@mhtml.blink>")
    frame = (
        "<html><body><p>An advertisement in a frame of its own, of some length.</p></body></html>"
    )
    made.add_related(frame, subtype="html")
    return made.as_bytes()


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_saved_page_is_read_as_the_page_it_was(tmp_path: Path, charset: str) -> None:
    article = read_one(tmp_path / "a.mhtml", saved_page(charset=charset))
    assert article.title == "Quay opens in June"
    assert article.text == f"{FIRST}\n\n{SECOND} Cafés follow.\n\n{THIRD}"
    assert article.url == "https://courier.example/quay"
    assert article.id == "courier.example/quay"
    assert article.published is None or article.published < datetime(2029, 1, 1, tzinfo=UTC)


def test_saved_page_of_a_local_file_has_no_address(tmp_path: Path) -> None:
    article = read_one(tmp_path / "a.mhtml", saved_page(location="file:///home/ada/quay.html"))
    assert article.url == ""
    assert article.id.startswith("page:")


def test_saved_page_of_an_older_browser_is_read(tmp_path: Path) -> None:
    raw = saved_page().replace(b"From: <Saved by Blink>\n", b"")
    raw = raw.replace(b"Snapshot-Content-Location: https://courier.example/quay\n", b"")
    assert detect_format(raw) == "mail"
    assert read_one(tmp_path / "a.mht", raw).title == "Quay opens in June"
