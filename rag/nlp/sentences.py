"""Sentence segmentation, with one set of rules for passages, quotations and answers.

Rules instead of a model: right on edited prose, no weights, the same on every machine, about
10 MB/s. If a stop is ambiguous, two sentences stay together rather than one being split, because
half a sentence must never be quoted as a complete one.
"""

from __future__ import annotations

import re

from rag.nlp.dates import CALENDAR_WORDS, MONTH_ABBREVIATIONS
from rag.schema import Span

# Sentence-final punctuation of all scripts. Thai and Lao have none: see `has_sentence`.
SENTENCE_ENDS = ".!?…‥؟۔։།༎༏׃\u037e。！？｡।॥။។៕።፧፨᠃᠉꧉᱾᱿꯫෴"
_NO_STOPS = re.compile(r"[\u0e00-\u0eff]")
# A stop, its closing quotes, brackets and citation numbers, then white space. Stops of East Asia,
# India, Burma, Khmer, Ethiopia and others need no space. Armenian is often typed with a colon for
# its stop, and a Greek question ends with a semicolon. The last alternative is a space lost in
# scraping: "the end.The next".
_BREAK = re.compile(
    r"""(?P<line>[\n\r\v\f\u2028\u2029]\s*)
    |(?P<stop>(?<![.!?…‥؟۔։།༎༏׃\u037e।॥။។៕።፧፨᠃᠉꧉᱾᱿꯫෴])(?:[.!?…‥؟۔։།༎༏׃\u037e।॥။។៕።፧፨᠃᠉꧉᱾᱿꯫෴]
        |(?<=[\u0561-\u0587]):|(?<=[\u03ac-\u03ce]);)++)
        (?P<close>["'”’“‘»«›‹)\]}*_]*(?:[ \u00a0\u202f]?»(?=\s|\Z))?)
        (?:\ ?\[\d{1,3}\])*(?=\s|\Z)
    |(?P<wide>[。！？｡।॥။។៕።፧፨᠃᠉꧉᱾᱿꯫෴]+["'”’」』）)\]〉》]*)
    |(?P<lost>(?<=[a-z]{2})[.!?]["”’]?(?=["“‘]?[A-Z][a-z]*[ ,’']))
    """,
    re.VERBOSE,
)
_CLOSERS = " \"'”’“‘»«›‹)]}*_」』）〉》"
_NEXT = re.compile(r"[\s\"'“”‘’„‚«»‹›(\[{¿¡—–\-*•_]*([^\W_]+)?(\.)?")
_OPENERS = "\"'“”‘’„«»()[]{}—–/*_"
_DOTTED = re.compile(r"\A(?:[^\W\d_]{1,2}\.)++[^\W\d_]{1,2}\Z")
_WRAPPED_FROM = 40  # a shorter line without a stop is a heading or an item, never wrapped


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_NEVER = _words(  # always followed by their word: titles and the like, in the languages of the news
    """mr mrs ms mx dr prof gen lt col sgt capt cpt sen rep reps sens gov govs rev revd hon pres maj
    cmdr cdr adm cpl pvt supt det insp messrs mme mmes mlle vs st ste mt ft pfc brig amb atty asst
    assoc dir secy treas vice-adm eg ie viz cf approx ca bzw vgl sog geb gest z.b d.h u.a s.o i.d.r
    i.e e.g hrsg abs dipl ing sra srta dª lic dña mgr mons mm ud uds ee abg rer phil mag hw
    им ул см ср др тов акад проф доц гр кн пр-т пл т.е т.к т.н напр св ген полк
    вул ім пр проф доц акад ред буд просп пров бульв"""
)
_NUMBERED = _words(  # only before a number: "No. 10", "Oct. 24", "p. 3"
    """no nos nr num núm fig figs p pp vol vols art sec ch para jan feb mar apr jun jul aug sep sept
    oct nov dec janv févr avr juil déc ene abr ago dic mai jän okt dez стр рис табл гл п ст №"""
)
_SOMETIMES = _words(  # may also end the sentence: the next word decides
    """inc corp co cos ltd llc bros jr sr etc ave blvd rd hwy dept univ est ala ariz ark calif colo
    conn del fla ga ill ind kan ky la md mass mich minn miss mo mont neb nev okla ore pa tenn tex vt
    va wash wis wyo u.s u.n u.k d.c e.u ph.d m.d b.a m.a mio mrd tsd usw ff
    г гг в вв тыс руб коп обл р рр тис грн с м т.д т.п т.ч н.э н.е"""
)
_VERSUS = frozenset({"v", "vs"})
_CLOCK = frozenset({"a.m", "p.m"})
_AFTER_CLOCK = frozenset({*CALENDAR_WORDS, *MONTH_ABBREVIATIONS}) | _words(
    """mon tue tues wed thu thur thurs fri sat sun et est edt ct cst cdt mt mst mdt pt pst pdt
    gmt utc bst cet cest ist jst kst eastern central mountain pacific alaska hawaii moscow kyiv
    seoul beijing greenwich"""
)
_STARTERS = _words(  # words that mostly start a sentence
    """The A An He She It They We This That These Those There But And In On At For From With As If
    When While After Before Since Although Though However Meanwhile Officials Our Their His Its My
    What Who Where Why How Some Many Most More Several Another Both Also According Despite During
    Under Among By Here Then Now Once Even Still Last Earlier Until Nor Yet Because Only Such
    Der Die Das Ein Eine Er Sie Es Wir Im Am Bei Nach Auch Doch Aber Und Dabei Damit Zudem Laut
    Le Les Il Elle Ils Elles Ce Cette Ces Mais Pour Dans Selon Un Une Depuis Après
    El Los Las Una Pero Según Este Esta En Desde Por Sin También
    В На По Он Она Они Это Но И Как Для При Также По-прежнему За Из С У Об О После До Его Её Их
    Він Вона Вони Це Але Як Для Після Також Із З Та Його Її Їх"""
)
# Also possible names after "John F.": Korean "An", Chinese "He", initials "A" and "I".
_NAMES_TOO = _words("A An He My El Le Un Die Als Er В И С У О З I")
_GERMAN = re.compile(r"\b(?:der|die|das|und|nicht|ist|wird|mit|den|im|auf)\b")
_ENGLISH = re.compile(r"\b(?:the|of|and|to|is|was|that|for|said)\b")
_MONTH = re.compile(r"(?:Jan|Feb|Mär|Maer|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jän)[a-zäöü]*\Z")
# “Why now?” Smith asked.: the sentence continues after the quotation.
_ATTRIBUTION = re.compile(
    r"(?:(?<!\s)\s+)?+(?:[A-Z][\w.'’-]{0,40}+\s++){1,4}(?:said|says|asked|asks|told|wrote|writes|added|adds|replied|"
    r"tweeted|posted|shouted|yelled|joked|quipped|recalled|continued|wondered|exclaimed|answered|"
    r"explained|noted|concluded|insisted|warned|argued)\b"
)


def has_sentence(line: str) -> bool:
    """Return True if a line contains a sentence end, or is in a script without any."""
    return any(end in line for end in SENTENCE_ENDS) or _NO_STOPS.search(line) is not None


def ends_sentence(text: str) -> bool:
    """Return True if a text ends as a sentence does, or is in a script without sentence ends."""
    bare = text.rstrip(_CLOSERS)
    return bare[-1:] in SENTENCE_ENDS if bare and not _NO_STOPS.search(bare) else bool(bare)


def split_sentences(text: str) -> list[Span]:
    """Return the sentences of a text in order, trimmed and without overlaps.

    Together they contain every character that is not white space. A line break ends a sentence,
    unless a wrapped line continues with a lower-case letter; so a heading is its own sentence.
    """
    spans: list[Span] = []
    start = line = 0
    for match in _BREAK.finditer(text):
        kind = match.lastgroup
        end = match.end()
        if kind == "line":
            wrapped = _is_wrap(text, line, match)
            line = end
            end = match.start()
            if wrapped:
                continue
        elif kind not in ("wide", "lost") and not _ends(text, start, match):
            continue
        _add(spans, text, start, end)
        start = max(start, match.end())
    _add(spans, text, start, len(text))
    return spans


def _add(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        begin = start + piece.index(bare[0])
        spans.append(Span(begin, begin + len(bare)))


def _is_wrap(text: str, line: int, match: re.Match[str]) -> bool:
    """Return True if a line break only wraps a line: the next one starts in lower case."""
    follows = text[match.end() : match.end() + 1]
    if not follows.islower() or match.start() - line < _WRAPPED_FROM:
        return False
    gap = match.group()
    return gap.count("\n") <= 1 and text[match.start() - 1] not in ".!?…:;"


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Return True if this stop, before white space or the text's end, ends the sentence."""
    follows = _NEXT.match(text, match.end())
    if follows is None or follows.group(1) is None:
        return True
    word = follows.group(1)
    gap = text[match.end() : follows.start(1)]
    if "\n" in gap:
        return True
    first = word[0]
    if first.islower() and not word[1:2].isupper():  # "iPhone sales" may start a sentence
        return False
    stop = match.group("stop")
    if stop != ".":
        return not (match.group("close") and _ATTRIBUTION.match(text, match.end()))
    if match.group("close"):
        return True
    dash = "—" in gap or "–" in gap or "-" in gap  # "JACKSON, Miss. — A judge"
    dotted = dash or follows.group(2) is not None
    return not _is_abbreviation(text, start, match.start(), word, dotted)


def _is_abbreviation(text: str, start: int, stop: int, word: str, dotted: bool) -> bool:
    """Return True if the stop belongs to its word, before a capital or a figure."""
    begin = max(start, stop - 24)
    pieces = text[begin:stop].split()
    token = pieces[-1].lstrip(_OPENERS) if pieces else ""
    opens = len(pieces) == 1 and begin == start
    lower = token.lower()
    if token in _VERSUS and word[0].isupper():  # "Roe v. Wade"
        return True
    if token.isdigit():
        return _is_ordinal(text, opens, token, word)
    if len(token) == 1 and token.isalpha():
        return _is_initial(token, lower, opens, word, dotted)
    if lower in _NEVER:
        return True
    if lower in _NUMBERED:
        return word[0].isdigit()
    if lower in _CLOCK:
        return word.lower() in _AFTER_CLOCK
    if lower in _SOMETIMES or _DOTTED.match(token):
        return dotted or word not in _STARTERS
    return False


def _is_initial(token: str, lower: str, opens: bool, word: str, dotted: bool) -> bool:
    if opens or dotted or token == "v":  # nosec B105 # "A. First", "J. R. R. Tolkien", "Roe v. Wade"
        return True
    if token.islower():  # "p. 3", "5 v. 4", "2024 г. Путин"
        return word[0].isdigit() or (lower in _SOMETIMES and word not in _STARTERS)
    if word[0].isdigit():
        return token in "NSEW"  # nosec B105 # "440 N. 32nd Street"
    return word not in _STARTERS or word in _NAMES_TOO


def _is_ordinal(text: str, opens: bool, token: str, word: str) -> bool:
    """Return True for "24. Oktober", "die 3. Liga", and "1." at the start of an item."""
    if opens and len(token) <= 2:
        return True
    if len(token) > 2:
        return False
    if _MONTH.match(word):
        return True
    head = text[:2000]
    german = len(_GERMAN.findall(head)) > 2 * len(_ENGLISH.findall(head))
    return german and word not in _STARTERS
