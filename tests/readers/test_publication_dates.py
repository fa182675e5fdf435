"""Publication dates with time zones and times of day, in many languages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers.publication_dates import parse_date, read_date
from tests.support.example_counts import example_count


def parse_to_iso(value: Any, language: str = "", country: str = "") -> str:
    moment = parse_date(value, language, country=country)
    return moment.isoformat() if moment else ""


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("BST", 1), ("CEST", 2), ("MEST", 2), ("MESZ", 2), ("MEZ", 1), ("JST", 9), ("KST", 9),
        ("AEST", 10), ("AEDT", 11), ("NZDT", 13), ("EDT", -4), ("EST", -5), ("ET", -4),
        ("PT", -7), ("PST", -8), ("MSK", 3), ("МСК", 3), ("мск", 3), ("IST", 5.5), ("CST", -6),
        ("NPT", 5.75), ("SGT", 8), ("WIB", 7), ("BRT", -3), ("NDT", -2.5), ("GMT+0100", 1),
        ("GMT+01:00", 1), ("UTC+2", 2), ("UTC+5:30", 5.5), ("UTC\u22125", -5), ("(GMT+8)", 8),
        ("GMT", 0), ("Z", 0), ("A", 1), ("M", 12), ("N", -1), ("Y", -12), ("+0530", 5.5),
        ("[Asia/Seoul]", 9), ("America/New_York", -4), ("+09:00[Asia/Seoul]", 9),
        ("Eastern Time", -4), ("Eastern Standard Time", -5), ("London time", 1),
        ("Central European Summer Time", 2), ("(EDT)", -4), ("heure de Paris", 2),
        ("GMT+0200 (Central European Summer Time)", 2), ("日本時間", 9),
    ],
)  # fmt: skip
def test_parse_date_converts_a_named_zone(zone: str, offset: float) -> None:
    read = read_date(f"Thu, 24 Oct 2024 00:30:00 {zone}")
    assert read.notice == ""
    assert read.moment is not None
    assert f"{read.moment:%Y-%m-%dT%H:%M}" == "2024-10-24T00:30"
    assert read.moment.utcoffset() == timedelta(hours=offset)


@pytest.mark.parametrize(
    ("value", "language", "country", "offset"),
    [
        ("24 Oct 2024 18:30 IST", "he", "", 2), ("24 Oct 2024 18:30 IST", "en-IE", "", 1),
        ("24 Oct 2024 18:30 IST", "en", "il", 2), ("24 Oct 2024 18:30 CST", "zh", "", 8),
        ("24 Oct 2024 18:30 CST", "en-US", "cn", -6), ("24 Oct 2024 18:30 BST", "bn", "", 6),
        ("24 Oct 2024 18:30 EST", "en", "au", 10), ("24 Oct 2024 18:30 PST", "en", "ph", 8),
        ("5 Jan 2024 18:30 ET", "", "", -5), ("6 Jul 2024 18:30 Eastern", "", "", -4),
        ("6 Jul 2024 6.30pm bst", "", "", 1),
    ],
)  # fmt: skip
def test_ambiguous_zones_follow_locale_country_and_day(
    value: str, language: str, country: str, offset: float
) -> None:
    moment = parse_date(value, language, country=country)
    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=offset)


@pytest.mark.parametrize("zone", ["XQT", "local time", "Mars/Olympus", "J"])
def test_parse_date_reads_unknown_zone_as_utc_with_notice(zone: str) -> None:
    read = read_date(f"24 Oct 2024 18:30 {zone}")
    assert read.moment is not None
    assert read.moment.isoformat() == "2024-10-24T18:30:00+00:00"
    assert f"unknown time zone {zone!r}" in read.notice


@pytest.mark.parametrize(
    ("value", "language"),
    [
        ("24 de outubro de 2024 às 18h30", "pt"), ("24 octobre 2024 à 18 h 30", "fr"),
        ("jeudi 24 octobre 2024 à 18h30", "fr"), ("24. Oktober 2024, 18:30 Uhr", "de"),
        ("Donnerstag, 24. Oktober 2024, 18.30 Uhr", "de"), ("24/10/2024 18h30", "pt"),
        ("24 de octubre de 2024, 18:30 h", "es"), ("giovedì 24 ottobre 2024 alle ore 18.30", "it"),
        ("24 октября 2024 г., 18:30", "ru"), ("18:30, 24 октября 2024", "ru"),
        ("24 жовтня 2024, 18:30", "uk"), ("24 Ekim 2024 Perşembe 18:30", "tr"),
        ("24 października 2024, 18:30", "pl"), ("24 oktober 2024 om 18.30 uur", "nl"),
        ("24. okt. 2024 kl. 18.30", "da"), ("24.10.2024 klo 18.30", "fi"),
        ("24 ตุลาคม 2567 18:30 น.", "th"), ("24 ต.ค. 67 18:30 น.", "th"),
        ("2024年10月24日 18時30分", "ja"), ("令和6年10月24日 18:30", "ja"),
        ("2024年10月24日 下午6:30", "zh"), ("民國113年10月24日 下午6點半", "zh"),
        ("2024년 10월 24일 오후 6시 30분", "ko"), ("2024. 10. 24. 오후 6:30", "ko"),
        ("٢٤ أكتوبر ٢٠٢٤ 18:30", "ar"), ("24 تشرين الأول 2024 18:30", "ar"),
        ("۳ آبان ۱۴۰۳ ۱۸:۳۰", "fa"), ("۱۴۰۳/۰۸/۰۳ ۱۸:۳۰", "fa"),
        ("२४ अक्टूबर २०२४ शाम 6:30 बजे", "hi"), ("24/10/2024 18:30", "en-GB"),
        ("Thu, 24 Oct 24 18:30:00", ""), ("Thursday 24 October 2024 at 6.30pm", "en"),
        ("Oct. 24th, 2024 6:30 p.m.", "en"), ("10/24/2024 6:30:00 PM", "en-US"),
        ("２０２４年１０月２４日 18:30", "ja"), ("1729794600", ""), (1729794600.0, ""),
        (1729794600000, ""), ("/Date(1729794600000)/", ""), ("20241024 18:30", ""),
    ],
)  # fmt: skip
def test_parse_date_reads_notations_of_many_languages(value: Any, language: str) -> None:
    assert parse_to_iso(value, language) == "2024-10-24T18:30:00+00:00"


@pytest.mark.parametrize(
    ("value", "language", "day"),
    [
        ("令和元年5月1日", "ja", "2019-05-01"), ("平成31年4月30日", "ja", "2019-04-30"),
        ("昭和64年1月7日", "ja", "1989-01-07"), ("2567-10-24", "th", "2024-10-24"),
        ("1 Farvardin 1404", "fa", ""), ("۱ فروردین ۱۴۰۴", "fa", "2025-03-21"),
        ("30 اسفند 1403", "fa", "2025-03-20"), ("24.11.03", "ko", "2024-11-03"),
        ("1er novembre 2023", "fr", "2023-11-01"), ("1º de outubro de 2024", "pt", "2024-10-01"),
        ("24/10/2024 - Atualizado 25/10/2024 10h00", "pt", "2024-10-24"),
        ("24-Oct-98", "", "1998-10-24"),
    ],
)  # fmt: skip
def test_parse_date_reads_eras_and_calendars(value: str, language: str, day: str) -> None:
    moment = read_date(value, language).moment
    assert (moment.date().isoformat() if moment else "") == day


@pytest.mark.parametrize(
    "value",
    [None, "", "null", "NaN", "NaT", "0", "-1", "-", 0, -1, 0.0, float("nan"), float("inf"), True],
)
def test_read_date_accepts_placeholders_for_no_date(value: Any) -> None:
    read = read_date(value)
    assert (read.moment, read.notice) == (None, "")


@pytest.mark.parametrize(
    "value", ["24 October", "31/02/2024", "2024-13-45", "last week", 45589, "9999-12-31", "x" * 500]
)
def test_read_date_gives_notice_for_other_text(value: Any) -> None:
    read = read_date(value)
    assert read.moment is None
    assert read.notice.startswith("date ignored: ")


@settings(max_examples=example_count(60))
@given(st.text(max_size=60), st.sampled_from(["", "en-GB", "th", "fa", "ja"]))
def test_read_date_never_raises(value: str, language: str) -> None:
    moment = read_date(value, language).moment
    assert moment is None or moment.tzinfo is not None
