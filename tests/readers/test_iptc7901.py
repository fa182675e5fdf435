"""IPTC 7901 messages: header, keywords, headline, story and date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.readers import Reject, read
from rag.schema import Article

HEADER = "\x01qcb0047 3 pl 180 qpa 112\r\n\x02"
FOOTER = "\x03qpa ab cd\r\n{date}\r\n\x04"
STORY = (
    "Pellworth (qpa) - The harbour board opened the new quay \r\n"
    "for the ferries on Monday.\r\n"
    "   Its chair said that the caf\xe9 of the fishermen \r\nwould stay.\r\n"
)
BODY = "Pellworth/harbour/ferries/\r\nNew quay opens, \r\nferries sail again =\r\n\r\n"


def wire(date: str = "031015 May 24", body: str = BODY + STORY, header: str = HEADER) -> bytes:
    return (header + body + FOOTER.format(date=date)).encode("cp1252")


def read_one(path: Path, content: bytes) -> Article:
    path.write_bytes(content)
    (found,) = read(path)
    assert isinstance(found, Article), found
    return found


def test_message_is_an_article(tmp_path: Path) -> None:
    article = read_one(tmp_path / "a", wire())
    assert article.title == "New quay opens, ferries sail again"
    assert article.text == (
        "Pellworth (qpa) - The harbour board opened the new quay for the ferries on Monday.\n\n"
        "Its chair said that the café of the fishermen would stay."
    )
    assert article.published == datetime(2024, 5, 3, 10, 15, tzinfo=UTC)
    assert (article.slugline, article.urgency) == ("Pellworth/harbour/ferries", 3)
    assert article.publisher == "qpa"
    assert article.id == "iptc7901:qcb0047:2024-05-03"


@pytest.mark.parametrize(
    ("date", "day"),
    [
        ("311201 Mai 24", datetime(2024, 5, 31, 12, 1, tzinfo=UTC)),
        ("011201 Dez 99", datetime(1999, 12, 1, 12, 1, tzinfo=UTC)),
        ("141201 juil 24", datetime(2024, 7, 14, 12, 1, tzinfo=UTC)),
        ("141201 juin 24", datetime(2024, 6, 14, 12, 1, tzinfo=UTC)),
        ("031015 GMT Aug 2024", datetime(2024, 8, 3, 10, 15, tzinfo=UTC)),
        ("312560 May 24", None),
        ("no date", None),
    ],
)
def test_date_is_read_from_the_footer(tmp_path: Path, date: str, day: datetime | None) -> None:
    assert read_one(tmp_path / "a", wire(date)).published == day


def test_message_without_keywords_takes_its_first_line(tmp_path: Path) -> None:
    article = read_one(tmp_path / "a", wire(body="New quay opens\r\n" + STORY))
    assert (article.title, article.slugline) == ("New quay opens", "")


def test_several_messages_in_a_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    second = wire(body="Ferries/\r\nFerries sail again =\r\n" + STORY, header="\x01qcb0048\r\n\x02")
    path.write_bytes(b"\x00\x00\x16\x16" + wire() + second)
    found = [one for one in read(path) if isinstance(one, Article)]
    assert [one.title for one in found] == [
        "New quay opens, ferries sail again",
        "Ferries sail again",
    ]
    assert found[1].id == "iptc7901:qcb0048:2024-05-03"


def test_truncated_or_empty_message_raises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    whole = wire()
    for end in range(30, len(whole), 7):
        path.write_bytes(whole[:end])
        assert len(list(read(path))) == 1
    path.write_bytes(b"\x01a0001 4 i 1\r\n\x02\x03\x04")
    (found,) = read(path)
    assert isinstance(found, Reject)
