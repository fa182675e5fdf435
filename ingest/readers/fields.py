"""Field names of exports, in any spelling, and the Article made from a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

from ingest.boilerplate_rules import normalize_line
from ingest.cleaning import clean, clean_line, clean_title
from ingest.correction_paragraphs import find_correction
from ingest.export_format import from_record, is_archive_record
from ingest.language import language_of
from ingest.readers import ReadNotice, Reject, with_notices
from ingest.readers.bylines import parse_authors
from ingest.readers.date_order import UNKNOWN_ORDER, FileOrder, country_of
from ingest.readers.field_map import NO_MAP, FieldMap
from ingest.readers.html.fragments import text_of_fragment
from ingest.readers.publication_dates import DateRead, read_date
from ingest.wall_texts import is_wall_text
from rag.schema import Article
from rag.urls import article_id, host_of

# Spellings, best first, in lower case without separators: schema.org, NewsAPI, news-please
# and CC-News, GDELT, the Guardian's and The New York Times' APIs, ninjs, JSON Feed, Hugging Face.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "id": ("id", "articleid", "guid", "uri", "identifier", "uuid", "docid", "documentid"),
    "url": (
        *("url", "canonicalurl", "canonical", "link", "weburl", "sourceurl", "articleurl", "href"),
        *(
            "permalink",
            "externalurl",
            "mainentityofpage",
            "pageurl",
            "address",
            "documentidentifier",
        ),
    ),
    "title": ("title", "headline", "webtitle", "head", "heading", "hed", "articletitle", "name"),
    "text": (
        *("text", "body", "articlebody", "articletext", "content", "contenttext", "bodytext"),
        *("maintext", "fulltext", "articlecontent", "story", "article", "document", "contenthtml"),
        *("bodyhtml", "bodyxhtml", "textbody", "html", "paragraphs"),
    ),
    "summary": (
        *("description", "summary", "abstract", "leadparagraph", "lead", "trailtext", "snippet"),
        *("descriptiontext", "standfirst", "excerpt", "highlights"),
    ),
    "publisher": (
        *("publisher", "publication", "newspaper", "outlet", "sourcename", "sitename", "source"),
        *("site", "provider", "publishername", "mediasource", "medium", "sourcedomain", "domain"),
        *("infosource", "copyrightholder", "sourcecommonname"),
    ),
    "authors": ("authors", "author", "byline", "creator", "creators", "writer", "by", "reporter"),
    "published": (
        *("published", "datepublished", "publishedat", "publicationdate", "pubdate", "datepublish"),
        *("publishdate", "publisheddate", "publishedtime", "webpublicationdate", "publishedon"),
        *("firstpublished", "datetime", "date", "timestamp", "seendate", "versioncreated", "time"),
        *("issued", "firstcreated", "created", "createdat", "datecreated", "day"),
    ),
    "updated": (
        *("updated", "datemodified", "updatedat", "lastmodified", "modified", "datemodify"),
        *("modifiedat", "updateddate", "modifieddate", "datemod"),
    ),
    "section": ("section", "articlesection", "sectionname", "category", "desk", "newsdesk"),
    "language": ("language", "lang", "inlanguage", "languagecode", "locale"),
    "kind": ("kind", "genre", "typeofmaterial"),
    "access": ("access", "accessrights"),
    "slugline": ("slugline", "slug"),
    "urgency": ("urgency", "edurg"),
    "correction": ("correction", "corrections", "correctiontext"),
}
_VALUE_KEYS = (
    "main",
    "name",
    "@value",
    "#text",
    "text",
    "value",
    "title",
    "original",
    "url",
    "@id",
)
_FLATTEN = (
    "fields",
    "article",
    "attributes",
    "metadata",
    "meta",
    "_source",
    "properties",
    "item",
    "row",
)
_LONE_TAG = re.compile(r"\A\s*<[!/?a-zA-Z][^<>]*+>?\s*")  # "<!DOCTYPE": markup without text
_TAGS = re.compile(
    r"(?i)</(?:p|div|a|span|b|i|em|strong|h[1-6]|li|[uod]l|t[dhr]|table|section|blockquote|pre)>"
    r"|<br ?/?>|<p[ >]"
)
_TRUNCATION = re.compile(r"(?:(?<!\s)\s+)?+(?:(?:…|\.\.\.)\s*+)?\[\+\d++ chars\]\Z")  # NewsAPI
_TRUNCATION_UP_TO = 60  # characters of the mark
_KEYS_NAMED = 12  # keys listed in the reject of a record without text
_HEADLINE = 3  # words of a title that is meaningful by itself
_TITLE_UP_TO = 200  # characters of a first line that may be a headline


def normalize_keys(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return `record` with lower-case keys without separators, and nested records lifted."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        bare = re.sub(r"[\W_]", "", str(key).casefold().rpartition(":")[2])
        if bare in _FLATTEN and isinstance(value, Mapping):
            for inner, inner_value in normalize_keys(value).items():
                flat.setdefault(inner, inner_value)
        else:
            flat[bare] = value
    return flat


def article_from(
    record: Mapping[str, Any],
    *,
    place: str,
    given: str = "",
    field_map: FieldMap = NO_MAP,
    order: FileOrder = UNKNOWN_ORDER,
    notices: tuple[ReadNotice, ...] = (),
) -> Article | Reject:
    """Make an article of a record; return a Reject with the reason if it isn't one.

    The names of the record's fields may be in any known spelling. An unreadable date is left out
    and reported as a notice: see `NotedArticle`.

    Args:
        record: The record.
        place: Where it was read.
        given: The id of an article that has neither a URL nor an id of its own.
        field_map: The user's field names.
        order: The order of day and month in the file.
        notices: Further notices to attach.
    """
    if field_map.accepts_export_marker and is_archive_record(record):
        try:
            return from_record(record)
        except (ValueError, TypeError) as error:
            return Reject(place, str(error))
    values = normalize_keys(record)
    found = {name: _first(values, keys) for name, keys in SPELLINGS.items()}
    found |= field_map.values_in(record)
    raw = _to_text(found["text"])
    if not raw and not field_map.key_of("text"):
        raw = _to_text(found["summary"])
    url = _to_line(found["url"])
    publisher = _to_line(found["publisher"]) or host_of(url)
    title = clean_title(_to_line(found["title"]), publisher)
    named = bool(title)
    if not title:
        title, raw = first_line(raw)
    text = clean(raw, title=title) or clean(raw)
    if is_wall_text(text) or (named and normalize_line(text) == normalize_line(title)):
        text = ""
    # Pages of videos, galleries and paywalls keep their title: listed, but never quoted.
    # measured: docs/benchmarks.md
    is_title_only = bool(raw.strip()) and len(title.split()) >= _HEADLINE
    text = text if any(char.isalnum() for char in text) else ""
    if not text and not is_title_only:
        wanted = field_map.key_of("text") or ", ".join(SPELLINGS["text"][:5])
        has = ", ".join(str(key) for key in list(record)[:_KEYS_NAMED])[:200]
        why = f"{wanted} are empty or missing, keys are {has or 'none'}; use `--map text=KEY`"
        return Reject(place, f"no text: {'only boilerplate' if raw.strip() else why}")
    declared = _to_line(found["language"])
    language = language_of(text or title, declared)
    locale = declared if declared.casefold()[:2] == language else language
    dates = [_date(found[name], locale, host_of(url), order) for name in ("published", "updated")]
    published, updated = dates[0].moment, dates[1].moment
    unread = [
        ReadNotice(place, reason) for reason in dict.fromkeys(d.notice for d in dates) if reason
    ]
    article = Article(
        id=article_id(url, _to_line(found["id"]) or given, text or title),
        title=title,
        text=text,
        publisher=publisher,
        url=url,
        authors=parse_authors(found["authors"], publisher),
        published=published,
        updated=updated if updated != published else None,
        section=_to_line(found["section"]),
        language=language,
        kind=_to_line(found["kind"]) or "news",
        access=_to_line(found["access"]),
        slugline=_to_line(found["slugline"]),
        urgency=_urgency(found["urgency"]),
        correction=_to_line(found["correction"]) or find_correction(text),
    )
    return with_notices(article, (*notices, *unread))


def stated_dates(record: Mapping[str, Any], field_map: FieldMap = NO_MAP) -> list[tuple[str, str]]:
    """Return the dates of a record as written, each with the locale the record states."""
    values = normalize_keys(record)
    mapped = field_map.values_in(record)

    def field_value(name: str) -> Any:
        return mapped[name] if name in mapped else _first(values, SPELLINGS[name])

    found = [field_value(name) for name in ("published", "updated")]
    return [(_to_line(field_value("language")), text) for text in found if isinstance(text, str)]


def first_line(text: str) -> tuple[str, str]:
    """Split a text into a headline and the rest.

    Returns:
        The first line and the text below it, if that line may be a headline; otherwise the
        shortened beginning, and the whole text.
    """
    head, _, rest = text.strip().partition("\n")
    if len(head) <= _TITLE_UP_TO and rest.strip():
        return clean_title(head), rest
    return clean_line(head if len(head) <= 80 else f"{head[:80].rsplit(' ', 1)[0]}…"), text


def _first(values: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((values[key] for key in keys if values.get(key) not in (None, "", [], {})), None)


def _to_line(value: Any) -> str:
    """Return a value as one line: the name of a nested record, the first item of a list."""
    if isinstance(value, Mapping):
        value = _first({str(k).casefold(): v for k, v in value.items()}, _VALUE_KEYS)
        return "" if isinstance(value, Mapping | list) else _to_line(value)
    if isinstance(value, list | tuple):
        return _to_line(value[0]) if value else ""
    if value is None or isinstance(value, bool):
        return ""
    line = clean_line(unescape(str(value)))
    return "" if line.casefold() in ("none", "null", "nan") else line


def _to_text(value: Any) -> str:
    """Return a text from a string, a list of paragraphs, or HTML."""
    if isinstance(value, list | tuple):
        return "\n\n".join(filter(None, (_to_text(part) for part in value)))
    if isinstance(value, Mapping):
        return _to_text(_first({str(k).casefold(): v for k, v in value.items()}, _VALUE_KEYS))
    if not isinstance(value, str) or value.strip() == "[Removed]":  # NewsAPI's placeholder
        return ""
    if _TAGS.search(value) or _LONE_TAG.fullmatch(value):
        value = text_of_fragment(value)
    # Searched only at the end, because the pattern is quadratic on long runs of spaces.
    tail: str = value[-_TRUNCATION_UP_TO:]
    return str(value[:-_TRUNCATION_UP_TO]) + _TRUNCATION.sub("", tail)


def _urgency(value: Any) -> int | None:
    """Return IPTC's urgency, 1 (most urgent) to 8; None for any other value."""
    digit = _to_line(value)
    return int(digit) if re.fullmatch(r"[1-8]", digit) else None


def _date(value: Any, locale: str, host: str, order: FileOrder) -> DateRead:
    if isinstance(value, Mapping) and "$date" in value:  # MongoDB's exports
        value = value["$date"]
        value = value.get("$numberLong") if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list | tuple):
        value = _to_line(value)
    country = country_of(host)
    return read_date(value, locale, country=country, order=order.for_locale(locale))
