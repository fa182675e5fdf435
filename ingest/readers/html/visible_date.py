"""The date of a story as a page shows it above the text, told from dates within the story.

"Lowest since 6 March 2002" dates no article. A date counts in a `<time>`, behind a word like
"published", or where nothing stands beside it but what belongs to a dateline: a time, a weekday,
a place, names, a count of comments.
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
from ingest.readers.times_of_day import clock_in

LINE_UP_TO = 200  # characters of a line that says who or when
_MONTH = r"[^\W\d_][^\s\d.,;|]{2,14}\.?"  # marks of Indic and Thai vowels are no letters to `re`
DATES = re.compile(
    rf"\b\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d)"
    rf"|\d{{4}} {{0,3}}[年년] {{0,3}}\d{{1,2}} {{0,3}}[月월] {{0,3}}\d{{1,2}} {{0,3}}[日일]?"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th|er|º)?\.? {{1,3}}(?:de )?{_MONTH},? {{1,3}}(?:de )?\d{{4}}\b"
    rf"|\b{_MONTH} {{1,3}}\d{{1,2}}(?:st|nd|rd|th)?,? {{1,3}}\d{{4}}"
    rf"|\b\d{{1,2}}[/.]\d{{1,2}}[/.](?:\d{{4}}|\d{{2}})\b"
)
_CHANGED = re.compile(
    r"(?i)\b(?:updated?|modified|edited|changed|aktualisiert|geändert|mis à jour|modifié|"
    r"actualizado|atualizado|aggiornato|bijgewerkt|обновлено|изменено|оновлено|güncellen\w{1,8}|aktualizacja)\b"
    r"|更新|수정"
)
_PUBLISHED = (
    r"published|posted|first published|publication date|date|dated|issued|released|created|written|"
    r"veröffentlicht|erschienen|publiziert|erstellt|stand|datum|publiée?|parue?|mis en ligne|"
    r"publicad[oa]|publicación|fecha|postad[oa]|pubblicat[oa]|data|gepubliceerd|geplaatst|publisert|"
    r"udgivet|offentliggjort|publicerad|publicerat|julkaistu|opublikowano|dodano|zveřejněno|"
    r"publikováno|publicat|megjelent|objavljeno|опубликовано|опубліковано|дата|publikuota|yayın\w{0,10}|"
    r"δημοσιε\w{1,8}|diterbitkan|đăng|प्रकाशित|เผยแพร่|نشر|تاريخ النشر|פורסם|"
    r"発行|公開|掲載|投稿|配信|发布|發布|发表|發表|发表时间|입력|등록|게시|승인|発表"
)
# Up to a date from the word that says what it is the date of: its time, weekday and zone alone.
_AFTER_WORD = re.compile(
    rf"(?i)(?:(?<!\w)(?:{_PUBLISHED})(?:時間|时间|日期|日時|日)?)[^\w\n]{{0,4}}"
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
# What else stands in such a line and is in small letters.
_BESIDE = re.compile(
    r"(?i)\b(?:\d{1,4} ?(?:comments?|shares?|views?|likes?|min(?:ute)?s?\.?(?: read)?|kommentare?|"
    r"commentaires?|comentarios?|comentários?|minuti|minuten|минут\w?)|min(?:ute)? read|comments?|"
    r"reading time|lesezeit|temps de lecture|print|email|share|local time|edition|by|von|par|por|"
    r"di|av|af|and|und|et|y|e|og|och|with|uhr|hrs?|ore|klo?|à|at|on|am|um|às|le|in|de|of|the|la|el|den|os?|du|van|г)\b\.?"
)
_SEGMENT = re.compile(r"[|•·–—,:;/()\[\]\n»«>-]| {2,}")
_LABEL_UP_TO = 60  # characters of "Published:", with a weekday and a time behind it
_WORDS_OF_A_NAME = 5
_NAMES_BESIDE = 6  # segments of a line that may be names


def visible_date(
    blocks: Sequence[VisibleLine], language: str, country: str = ""
) -> datetime | None:
    """Return the first date that lines show as the story's, and not as that of a change."""
    for block in blocks:
        if len(block.text) > LINE_UP_TO:
            continue
        for time in block.element.iter("time"):
            text = clean_line(time.text_content())
            if text not in block.text or _is_of_another(time, text):
                continue
            moment = _moment(time.get("datetime") or text, language, country)
            if moment and not _CHANGED.search(block.text):
                return moment
        for match in DATES.finditer(block.text):
            before = block.text[: match.start()]
            if _CHANGED.search(before):
                continue
            if _is_labelled(before) or stands_alone(block.text):
                moment = _moment(match.group(), language, country)
                if moment:
                    return moment
    return None


def _is_labelled(before: str) -> bool:
    """Whether what stands before a date ends with "published", but not within a sentence."""
    word = _AFTER_WORD.search(before, max(0, len(before) - _LABEL_UP_TO))
    return word is not None and stands_alone(before[: word.start()])


def stands_alone(line: str) -> bool:
    """Whether nothing is in a line but dates, times, weekdays, names and places."""
    rest = DATES.sub(" | ", line)
    while clock := clock_in(rest):
        zone = zone_after_clock(rest, clock.end)
        rest = f"{rest[: clock.start]} | {rest[zone[1] if zone else clock.end :]}"
    rest = _WEEKDAYS.sub(" | ", rest)
    rest = _CHANGED.sub(" ", re.sub(rf"(?i)(?<!\w)(?:{_PUBLISHED})(?!\w)", " ", rest))
    segments = [_BESIDE.sub(" ", part).split() for part in _SEGMENT.split(rest)]
    segments = [words for words in segments if words]
    return len(segments) <= _NAMES_BESIDE and all(
        len(words) <= _WORDS_OF_A_NAME and all(map(_may_be_name, words)) for words in segments
    )


def _may_be_name(word: str) -> bool:
    """Whether a word begins with a capital, or is in a script that has none, or is no word."""
    first = next((char for char in word if char.isalpha()), "")
    return not first.islower()


def _is_of_another(time: Any, text: str) -> bool:
    """Whether a `<time>` stands in a link with a headline: that of another story."""
    for up in time.iterancestors("a"):
        return len(clean_line(up.text_content())) > len(text) + 20
    return False


def _moment(text: str, language: str, country: str) -> datetime | None:
    return read_date(text, language, country=country).moment
