"""Dates of a claim against those of a sentence: full days, whatever each of them leaves out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from rag.nlp.dates import WEEKDAYS
from rag.nlp.numbers import RELATIVE, DateMention, find_dates

AHEAD = 60  # days after publication that a bare date may lie; otherwise it lies before
_NUMBER_OF_DAYS = 366


def differing_dates(claim: str, sentence: str, published: datetime | None) -> list[str]:
    """Return the dates of a claim which a sentence doesn't have, down to the year.

    A day without its year is the one nearest to the publication date, and a weekday the one before
    it: "Monday" in an article of Wednesday, 6 March 2024, is 4 March 2024. Only what both say is
    compared: a claim's "March" agrees with "4 March".

    Args:
        claim: The claim.
        sentence: The sentence, and what else of its article says when it happened.
        published: The publication date of its article.
    """
    shown = [_resolve(day, published) for day in find_dates(sentence)]
    if published is not None:
        low = sentence.lower()
        shown += [
            _of_moment(published + timedelta(shift))
            for word, shift in RELATIVE.items()
            if re.search(rf"\b{word}\b", low)
        ]
    return [
        day.text
        for day in find_dates(claim)
        if not any(_agree(day, each, published) for each in shown)
    ]


def _resolve(day: DateMention, published: datetime | None) -> tuple[int, int, int, str]:
    """Return the year, month and day of a date as far as they are known, and its weekday."""
    if published is None or (day.year and day.month):
        return day.year, day.month, day.day, day.weekday
    if day.weekday and not day.month:
        return _of_moment(
            published - timedelta((published.weekday() - WEEKDAYS.index(day.weekday)) % 7)
        )
    year = published.year
    try:
        there = published.replace(month=day.month, day=day.day or 1)
    except ValueError:  # 29 February
        return 0, day.month, day.day, ""
    if there - published > timedelta(AHEAD):
        year -= 1
    elif published - there > timedelta(_NUMBER_OF_DAYS - AHEAD):
        year += 1
    return year, day.month, day.day, ""


def _of_moment(moment: datetime) -> tuple[int, int, int, str]:
    return moment.year, moment.month, moment.day, WEEKDAYS[moment.weekday()]


def _agree(day: DateMention, shown: tuple[int, int, int, str], published: datetime | None) -> bool:
    year, month, number, weekday = shown
    if day.weekday and not day.month:
        return day.weekday == weekday
    return (
        day.month == month
        and (not day.day or day.day == number)
        and (not day.year or day.year == year or (not year and published is None))
    )
