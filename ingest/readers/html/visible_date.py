"""The story's date as shown above the text, as opposed to dates within the story.

"Lowest since 6 March 2002" doesn't date an article. A date counts inside a `<time>`, after a word
like "published", or in a line with nothing but parts of a dateline: a time, a weekday, a place,
names, a count of comments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers.html.visible_lines import VisibleLine
from ingest.readers.publication_dates import read_date
from ingest.readers.time_zones import zone_after_clock
from ingest.readers.times_of_day import find_clock

LINE_UP_TO = 200  # characters of a line with author or date
_MONTH = r"[^\W\d_][^\s\d.,;|]{2,14}\.?"  # `re` doesn't count Indic and Thai vowel signs as letters
DATES = re.compile(
    rf"\b\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d)"
    rf"|\d{{4}} {{0,3}}[年년] {{0,3}}\d{{1,2}} {{0,3}}[月월] {{0,3}}\d{{1,2}} {{0,3}}[日일]?"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th|er|º)?\.? {{1,3}}(?:de )?{_MONTH},? {{1,3}}(?:de )?\d{{4}}\b"
    rf"|\b{_MONTH} {{1,3}}\d{{1,2}}(?:st|nd|rd|th)?,? {{1,3}}\d{{4}}"
    rf"|\b\d{{1,2}}[/.]\d{{1,2}}[/.](?:\d{{4}}|\d{{2}})\b"
)
_CHANGE_WORDS = re.compile(
    r"(?i)\b(?:updated?|modified|edited|changed|aktualisiert|geändert|mis à jour|modifié|"
    r"actualizado|atualizado|aggiornato|bijgewerkt|обновлено|изменено|оновлено|güncellen\w{1,8}|aktualizacja)\b"
    r"|更新|수정"
)
_PUBLISHED_WORDS = (
    r"published|posted|first published|publication date|date|dated|issued|released|created|written|"
    r"veröffentlicht|erschienen|publiziert|erstellt|stand|datum|publiée?|parue?|mis en ligne|"
    r"publicad[oa]|publicación|fecha|postad[oa]|pubblicat[oa]|data|gepubliceerd|geplaatst|publisert|"
    r"udgivet|offentliggjort|publicerad|publicerat|julkaistu|opublikowano|dodano|zveřejněno|"
    r"publikováno|publicat|megjelent|objavljeno|опубликовано|опубліковано|дата|publikuota|yayın\w{0,10}|"
    r"δημοσιε\w{1,8}|diterbitkan|đăng|प्रकाशित|เผยแพร่|نشر|تاريخ النشر|פורסם|"
    r"発行|公開|掲載|投稿|配信|发布|發布|发表|發表|发表时间|입력|등록|게시|승인|発表"
)
# From a label such as "published" to the date: only time, weekday and zone in between.
_AFTER_WORD = re.compile(
    rf"(?i)(?:(?<!\w)(?:{_PUBLISHED_WORDS})(?:時間|时间|日期|日時|日)?)[^\w\n]{{0,4}}"
    r"(?:(?:on|at|am|le|el|il|em|på|den|op|dne|в|à|um|a las|às|der|the|[ap]\.?m\.?|[A-Z]{2,5}|"
    r"[^\W\d_]{2,10}|\d{1,2}[:.h]\d{2})[^\w\n]{1,4}){0,5}\Z"
)
_WEEKDAYS = re.compile(
    r"(?i)(?<!\w)(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tues?|wed|thur?s?|fri|sat|sun|"
    r"montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|mo|di|mi|do|fr|sa|so|"
    r"lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|"
    r"sábado|domingo|segunda|terça|quarta|quinta|sexta|lunedì|martedì|mercoledì|giovedì|venerdì|"
    r"sabato|domenica|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|понедельник|"
    r"вторник|среда|четверг|пятница|суббота|воскресенье|mandag|tirsdag|onsdag|torsdag|fredag|"
    r"lørdag|søndag|måndag|tisdag|lördag|söndag)(?:-feira)?(?!\w)\.?|[月火水木金土日]曜日?|"
    r"星期[一二三四五六日天]|周[一二三四五六日]|[월화수목금토일]요일"
)
# Other lower-case words in such a line.
_DATELINE_WORDS = re.compile(
    r"(?i)\b(?:\d{1,4} ?(?:comments?|shares?|views?|likes?|min(?:ute)?s?\.?(?: read)?|kommentare?|"
    r"commentaires?|comentarios?|comentários?|minuti|minuten|минут\w?)|min(?:ute)? read|comments?|"
    r"reading time|lesezeit|temps de lecture|print|email|share|local time|edition|by|von|par|por|"
    r"di|av|af|and|und|et|y|e|og|och|with|uhr|hrs?|ore|klo?|à|at|on|am|um|às|le|in|de|of|the|la|el|den|os?|du|van|г)\b\.?"
)
_SEGMENT = re.compile(r"[|•·–—,:;/()\[\]\n»«>-]| {2,}")
_LABEL_UP_TO = 60  # characters of "Published:" with a weekday and a time
_WORDS_OF_A_NAME = 5
_NAMES_BESIDE = 6  # segments of a line that may be names


def visible_date(
    blocks: Sequence[VisibleLine], language: str, country: str = ""
) -> datetime | None:
    """Return the first date shown as the story's, ignoring dates of changes.

    Args:
        blocks: The lines to search.
        language: Locale of the page.
        country: Country of the publisher.
    """
    for block in blocks:
        if len(block.text) > LINE_UP_TO:
            continue
        for time in block.element.iter("time"):
            text = clean_line(time.text_content())
            if text not in block.text or _is_in_headline_link(time, text):
                continue
            moment = _moment(time.get("datetime") or text, language, country)
            if moment and not _CHANGE_WORDS.search(block.text):
                return moment
        for match in DATES.finditer(block.text):
            before = block.text[: match.start()]
            if _CHANGE_WORDS.search(before):
                continue
            if _is_labelled(before) or is_dateline(block.text):
                moment = _moment(match.group(), language, country)
                if moment:
                    return moment
    return None


def _is_labelled(before: str) -> bool:
    """Return whether the text before a date ends with "published", but not within a sentence."""
    word = _AFTER_WORD.search(before, max(0, len(before) - _LABEL_UP_TO))
    return word is not None and is_dateline(before[: word.start()])


def is_dateline(line: str) -> bool:
    """Return whether a line only contains dates, times, weekdays, names and places."""
    rest = DATES.sub(" | ", line)
    while clock := find_clock(rest):
        zone = zone_after_clock(rest, clock.end)
        rest = f"{rest[: clock.start]} | {rest[zone[1] if zone else clock.end :]}"
    rest = _WEEKDAYS.sub(" | ", rest)
    rest = _CHANGE_WORDS.sub(" ", re.sub(rf"(?i)(?<!\w)(?:{_PUBLISHED_WORDS})(?!\w)", " ", rest))
    segments = [_DATELINE_WORDS.sub(" ", part).split() for part in _SEGMENT.split(rest)]
    segments = [words for words in segments if words]
    return len(segments) <= _NAMES_BESIDE and all(
        len(words) <= _WORDS_OF_A_NAME and all(map(_may_be_name, words)) for words in segments
    )


def _may_be_name(word: str) -> bool:
    """Return whether a word is capitalized, in a caseless script, or not a word."""
    first = next((char for char in word if char.isalpha()), "")
    return not first.islower()


def _is_in_headline_link(time: Any, text: str) -> bool:
    """Return whether a `<time>` is in a link with a headline, that of another story."""
    for up in time.iterancestors("a"):
        return len(clean_line(up.text_content())) > len(text) + 20
    return False


def _moment(text: str, language: str, country: str) -> datetime | None:
    return read_date(text, language, country=country).moment
