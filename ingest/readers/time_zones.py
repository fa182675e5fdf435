"""Time zones in dates: offsets, abbreviations, names in words, IANA names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone named in a date: its rules, or the name that is `unknown`."""

    rules: tzinfo | None = None
    unknown: str = ""

    def apply(self, moment: datetime) -> datetime:
        """Return a wall-clock time in this zone, with the offset of that day."""
        aware = moment.replace(tzinfo=self.rules or UTC)
        return aware.replace(tzinfo=timezone(aware.utcoffset() or timedelta()))


def _table(rows: str) -> dict[str, str]:
    return {
        name: zone for zone, *names in map(str.split, rows.strip().splitlines()) for name in names
    }


# Abbreviations with their fixed offset. For those shared by several zones, the commonest in the
# news; `_BY_COUNTRY` has the others.
_OFFSETS = _table(
    """
    +00:00 UTC UT GMT Z WET AZOST ZULU
    +01:00 BST CET MEZ MET WEST WAT HNEC SEČ
    +02:00 CEST MESZ MEST EET CAT SAST OEZ HAEC SELČ
    +03:00 EEST MSK МСК OESZ EAT TRT IDT FET
    +03:30 IRST
    +04:00 GST AZT GET SAMT MUT RET MSD
    +04:30 AFT IRDT
    +05:00 PKT UZT YEKT MVT TMT TJT ALMT
    +05:30 IST SLST
    +05:45 NPT
    +06:00 BTT OMST KGT
    +06:30 MMT
    +07:00 WIB ICT KRAT NOVT HOVT
    +08:00 HKT SGT MYT PHT PHST WITA AWST IRKT ULAT BNT
    +09:00 JST KST WIT YAKT TLT PWT
    +09:30 ACST
    +10:00 AEST VLAT CHST PGT
    +10:30 ACDT
    +11:00 AEDT MAGT SBT NCT
    +12:00 NZST FJT PETT
    +13:00 NZDT TOT
    -01:00 AZOT CVT
    -02:00 BRST UYST FNT
    -03:00 BRT ART CLST ADT UYT PYST SRT GFT
    -02:30 NDT
    -03:30 NST
    -04:00 AST EDT CLT VET BOT GYT PYT AMT
    -05:00 EST CDT COT PET ECT
    -06:00 CST MDT GALT EAST
    -07:00 MST PDT
    -08:00 PST AKDT
    -09:00 AKST HDT
    -10:00 HST TAHT CKT
    -11:00 SST NUT
    """
)
# Names with daylight saving time.
_RULES = _table(
    """
    America/New_York ET EASTERN EST5EDT
    America/Chicago CT CENTRAL CST6CDT
    America/Denver MT MOUNTAIN MST7MDT
    America/Los_Angeles PT PACIFIC PST8PDT
    America/Anchorage AKT ALASKA
    Pacific/Honolulu HAWAII HAWAII-ALEUTIAN
    America/Halifax ATLANTIC
    America/St_Johns NEWFOUNDLAND
    Europe/London UK BRITISH LONDON BELFAST EDINBURGH
    Europe/Dublin IRISH DUBLIN
    Europe/Paris PARIS
    Europe/Berlin BERLIN CENTRAL-EUROPEAN
    Europe/Kyiv KYIV KIEV EASTERN-EUROPEAN
    Europe/Moscow MOSCOW
    Europe/Istanbul ISTANBUL TURKEY
    Asia/Jerusalem ISRAEL JERUSALEM
    Asia/Kolkata INDIA INDIAN
    Asia/Tokyo JAPAN TOKYO
    Asia/Seoul KOREA KOREAN SEOUL
    Asia/Shanghai CHINA BEIJING
    Asia/Hong_Kong HONG-KONG
    Asia/Singapore SINGAPORE
    Asia/Dubai GULF DUBAI
    Africa/Nairobi EAST-AFRICA
    Africa/Lagos WEST-AFRICA
    Africa/Johannesburg SOUTH-AFRICA
    Australia/Sydney AET SYDNEY AUSTRALIAN-EASTERN
    Australia/Adelaide AUSTRALIAN-CENTRAL
    Australia/Perth AWT PERTH AUSTRALIAN-WESTERN
    Pacific/Auckland NZT NEW-ZEALAND
    America/Sao_Paulo BRASÍLIA BRASILIA BRASIL
    America/Mexico_City MÉXICO
    Europe/Madrid PENINSULAR MADRID
    """
)
_BY_COUNTRY: dict[str, dict[str, str]] = {
    "BST": {"bd": "+06:00"},
    "IST": {"il": "+02:00", "ie": "+01:00"},
    "CST": {"cn": "+08:00", "tw": "+08:00", "hk": "+08:00", "cu": "-05:00"},
    "CDT": {"cu": "-04:00"},
    "PST": {"ph": "+08:00"},
    "EST": {"au": "+10:00"},
    "EDT": {"au": "+11:00"},
    "AST": dict.fromkeys(("sa", "kw", "bh", "qa", "iq", "ye"), "+03:00"),
    "AMT": {"am": "+04:00"},
    "SST": {"sg": "+08:00"},
    "MST": {"my": "+08:00", "mm": "+06:30"},
    "WST": {"au": "+08:00", "ws": "+13:00"},
    "ADT": {"ae": "+04:00", "iq": "+04:00"},
    "ACT": {"au": "Australia/Adelaide"},
}
# Phrases that name one zone, in their languages.
_IN_WORDS = {
    "мск": "Europe/Moscow", "по москве": "Europe/Moscow", "московское время": "Europe/Moscow",
    "по московскому времени": "Europe/Moscow", "по киеву": "Europe/Kyiv",
    "за києвом": "Europe/Kyiv", "за київським часом": "Europe/Kyiv",
    "heure de paris": "Europe/Paris", "hora peninsular": "Europe/Madrid",
    "hora peninsular española": "Europe/Madrid", "hora de brasília": "America/Sao_Paulo",
    "horário de brasília": "America/Sao_Paulo", "de brasília": "America/Sao_Paulo",
    "hora argentina": "America/Argentina/Buenos_Aires", "hora de lisboa": "Europe/Lisbon",
    "ora italiana": "Europe/Rome", "deutscher zeit": "Europe/Berlin",
    "mitteleuropäischer zeit": "Europe/Berlin", "日本時間": "Asia/Tokyo",
    "北京时间": "Asia/Shanghai", "北京時間": "Asia/Shanghai", "台灣時間": "Asia/Taipei",
    "香港時間": "Asia/Hong_Kong", "한국시간": "Asia/Seoul", "한국 시간": "Asia/Seoul",
    "بتوقيت غرينتش": "UTC", "بتوقيت مكة المكرمة": "Asia/Riyadh", "بتوقيت القاهرة": "Africa/Cairo",
    "türkiye saati": "Europe/Istanbul", "tsi̇": "Europe/Istanbul", "tsi": "Europe/Istanbul",
    "भारतीय समयानुसार": "Asia/Kolkata",
}  # fmt: skip
_OPEN, _CLOSE = r"[ ,]{0,3}[(\[]?", r"[)\]]?"
_IN_WORDS_RE = re.compile(
    rf"(?i){_OPEN}({'|'.join(sorted(map(re.escape, _IN_WORDS), key=len, reverse=True))}){_CLOSE}"
)
_OFFSET_RE = re.compile(
    rf"{_OPEN}(?:(?:GMT|UTC|UT|Z) ?)?([+\u2212\u2013-])(\d{{1,2}})"
    rf"(?::?([0-5]\d))?(?![\d:./-]){_CLOSE}(?: ?\([A-Za-z][\w .]{{0,40}}\))?"
    r"(?: ?\[[\w/+-]{1,40}\])?"
)
_IANA_RE = re.compile(rf"{_OPEN}!?([A-Z][A-Za-z]{{2,15}}(?:/[A-Z][\w+-]{{1,30}}){{1,2}}){_CLOSE}")
_LONG_RE = re.compile(
    rf"(?i){_OPEN}((?:[a-zé.í]{{2,20}}[ -]){{1,3}}?)(standard |daylight |summer |winter )?"
    rf"time\b{_CLOSE}"
)
_SHORT_RE = re.compile(
    rf"{_OPEN}(Z|[A-Z]{{1,6}}\d?[A-Z]{{0,3}}|МСК|SEČ|SELČ|ChST)(?![\w.]){_CLOSE}(?:\[[\w/]{{1,40}}\])?"
)
# "6.30pm bst", "18:30 Eastern": known names only, because any other word may follow a time.
_KNOWN_RE = re.compile(rf"{_OPEN}([A-Za-z][a-z-]{{1,14}}){_CLOSE}(?=[ ,.]{{0,3}}(?:\d|\Z))")
_AT_END = re.compile(r"[ (\[](?:[A-Z]{2,5}|(?:GMT|UTC) ?[+-]\d{1,2}(?::?\d\d)?)[)\]]?\Z")
_NO_ZONES = frozenset(
    "AM PM UHR HRS HR HS H T BE AD CE BC AT ON BY IN JAN FEB MAR APR MAY JUN JUNE JULY JUL AUG "
    "SEP SEPT OCT NOV DEC MON TUE TUES WED THU THUR THURS FRI SAT SUN".split()
)
_STANDARD = {  # with "Standard" or "Daylight", the offset is fixed
    "EASTERN": ("-05:00", "-04:00"),
    "CENTRAL": ("-06:00", "-05:00"),
    "MOUNTAIN": ("-07:00", "-06:00"),
    "PACIFIC": ("-08:00", "-07:00"),
    "BRITISH": ("+00:00", "+01:00"),
    "CENTRAL-EUROPEAN": ("+01:00", "+02:00"),
    "EASTERN-EUROPEAN": ("+02:00", "+03:00"),
    "AUSTRALIAN-EASTERN": ("+10:00", "+11:00"),
}


def zone_after_clock(text: str, start: int, country: str = "") -> tuple[Zone, int] | None:
    """Return the zone in `text` at `start`, after a time of day, and where it ends.

    Args:
        text: The date.
        start: The end of the time of day.
        country: Two-letter code, which decides abbreviations shared by several zones.

    Returns:
        The zone, with `unknown` set for an unknown name, and its end; None if no zone is named.
    """
    for pattern, read in (
        (_OFFSET_RE, _from_offset),
        (_IN_WORDS_RE, lambda found, _: Zone(_iana(_IN_WORDS[found.group(1).casefold()]))),
        (_IANA_RE, lambda found, _: _from_iana_name(found.group(1))),
        (_LONG_RE, _from_long_name),
        (_SHORT_RE, _from_short_name),
        (_KNOWN_RE, _from_known_name),
    ):
        found = pattern.match(text, start)
        zone = read(found, country) if found else None
        if found and zone:
            return zone, found.end()
    return None


def zone_at_end(text: str, country: str = "") -> tuple[Zone, int] | None:
    """Return the zone at the end of a date, and where it begins, or None.

    Args:
        text: The date, without its time of day.
        country: Two-letter code, which decides abbreviations shared by several zones.
    """
    found = _AT_END.search(text[-20:])
    start = len(text[:-20]) + found.start() if found else 0
    named = zone_after_clock(text, start, country) if found else None
    return (named[0], start) if named else None


def _from_offset(found: re.Match[str], country: str) -> Zone | None:
    sign, hours, minutes = found.groups()
    if int(hours) > 14:
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return Zone(timezone(offset if sign == "+" else -offset))


def _from_long_name(found: re.Match[str], country: str) -> Zone | None:
    words, season = found.group(1).strip().upper(), (found.group(2) or "").strip().casefold()
    name = re.sub(r"[ -]+", "-", words.removesuffix("STANDARD").strip())
    if name in _STANDARD and season:
        return Zone(_fixed(_STANDARD[name][season in ("daylight", "summer")]))
    known = _RULES.get(name) or _RULES.get(name.rpartition("-")[2])
    whole = found.group().strip(" ,()[]")
    return Zone(_iana(known), "" if known else whole) if known else Zone(unknown=whole)


def _from_short_name(found: re.Match[str], country: str) -> Zone | None:
    name = found.group(1).upper()
    alone = not found.string[found.end() :].strip(" .)\\]")
    if name in _NO_ZONES or (len(name) == 1 and not alone):
        return None
    if name == "Z":
        return Zone(UTC)
    if len(name) == 1:  # military zones: A is UTC+1, N is UTC-1, J is local time
        if name == "J" or not name.isascii():
            return Zone(unknown=name)
        east, west = "ABCDEFGHIKLM", "NOPQRSTUVWXY"
        hours = east.index(name) + 1 if name in east else -west.index(name) - 1
        return Zone(timezone(timedelta(hours=hours)))
    return _of_abbreviation(name, country) or Zone(unknown=found.group(1))


def _from_known_name(found: re.Match[str], country: str) -> Zone | None:
    name = found.group(1).upper()
    return _of_abbreviation(name, country) if name not in _NO_ZONES else None


def _of_abbreviation(name: str, country: str) -> Zone | None:
    local = _BY_COUNTRY.get(name, {}).get(country) or _OFFSETS.get(name) or _RULES.get(name)
    if local is None:
        return None
    return Zone(_iana(local)) if "/" in local else Zone(_fixed(local))


def _from_iana_name(name: str) -> Zone:
    rules = _iana(name)
    return Zone(rules, "" if rules else name)


def _fixed(offset: str) -> timezone:
    sign = -1 if offset[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:])))


@cache
def _iana(name: str) -> tzinfo | None:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
