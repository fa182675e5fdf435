"""IPTC news formats: NITF, NewsML-G2 and ninjs."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from html.entities import html5
from typing import Any

from ingest.cleaning import clean_line
from ingest.readers import KillNotice, Link, Read, Reject
from ingest.readers.block_text import read_blocks
from ingest.readers.encoding import decode
from ingest.readers.error_guard import guard
from ingest.readers.fields import article_from
from ingest.readers.publication_dates import parse_moment
from rag.schema import Article
from rag.urls import article_id

XML_BYTES = 64 * 2**20  # a day's news has some MB; its tree takes ten times as much
_XML_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})
_KILLED = re.compile(r"(?i)cancel|kill|withdr|withheld|recall")
_KILL_NOTE = re.compile(
    r"(?i)\A\W*(?:mandatory\s+|bulletin\s+)?kill\b|\b(?:story|article|item) (?:has been|is|was) "
    r"(?:killed|withdrawn|retracted)"
)
_MINOR = re.compile(r"(?i)sub|short|second|extended|alt|seo|sms|mobile|kicker|over|de[ck]+\b")
_WHOLE = 0.4  # share of the longest form of a body, which may be the one with markup
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_WRITES = re.compile(r"(?i)(?:author|byline|by|creator|writer|reporter)s?\Z")
_CORRECTS = re.compile(r"(?i)\bcorrect(?:s|ed|ion|ing)\b")
_CORRECTION = re.compile(r"(?i)\A\W*correct(?:s|ed|ion)\b[\s:.–—-]*")


def read_news_xml(content: bytes, *, place: str) -> Read:
    """Yield the articles of a NITF document, or of a NewsML-G2 item or message.

    A killed or withheld item becomes a KillNotice, an item under embargo a reject; an editor's
    correction becomes a paragraph of the text.

    Args:
        content: The XML.
        place: Its place; items are numbered if there are several.
    """
    from lxml import etree

    if len(content) > XML_BYTES:
        yield Reject(place, f"larger than {XML_BYTES // 2**20} MB: split the message")
        return
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(re.sub(rb"&(\w{2,10});", _numeric_entity, content), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        yield Reject(place, f"broken XML: {' '.join(str(error).split())[:120]}")
        return
    etree.strip_tags(root, etree.Entity)  # entities defined in the document, which may be malicious
    items = [root] if _name(root) in ("newsItem", "nitf") else list(root.iter("{*}newsItem"))
    items = items or list(root.iter("{*}nitf"))
    for number, item in enumerate(items, 1):
        at = place if len(items) == 1 else f"{place}:{number}"
        yield from guard(at, partial(_item, item, at))
    if not items:
        yield Reject(place, f"news XML without an article: {_name(root)}")


def _item(item: Any, at: str) -> list[Article | Link | Reject]:
    return [_article(_from_nitf(item) if _name(item) == "nitf" else _from_newsml(item), at)]


def is_ninjs(value: Mapping[str, Any]) -> bool:
    """Return whether a JSON object is a ninjs item (1.x or 2.x), by fields that only it has."""
    keys = {str(key).casefold() for key in value}
    own = {"pubstatus", "representationtype", "body_xhtml", "body_text", "bodies", "usageterms"}
    return "uri" in keys and bool(keys & own) and bool(keys & {"versioncreated", "pubstatus"})


def read_ninjs(value: Mapping[str, Any], *, place: str) -> Article | Reject:
    """Return the article of a ninjs item, or a Reject with the reason.

    Args:
        value: The JSON object.
        place: Its place.
    """
    item = {str(key).casefold(): field for key, field in value.items()}
    record: dict[str, Any] = {
        "id": item.get("uri"),
        "url": _page_url(item.get("uri")),
        "title": item.get("headline")
        or _value_by_role(item.get("headlines"), ("main", "headline", "")),
        "text": _ninjs_body(item),
        "publisher": item.get("copyrightholder") or _names(item.get("infosources")),
        "authors": item.get("byline") or item.get("by") or _writers(item),
        "published": item.get("firstcreated") or item.get("versioncreated"),
        "updated": item.get("versioncreated"),
        "section": next(iter(_names(item.get("subject") or item.get("subjects"))), None),
        "language": item.get("language"),
        "slugline": item.get("slugline"),
        "urgency": item.get("urgency"),
        "note": item.get("ednote"),
        "status": item.get("pubstatus"),
        "embargo": item.get("embargoed"),
    }
    if item.get("type") in ("picture", "video", "audio", "graphic") and not record["text"]:
        return Reject(place, f"a {item['type']}, not an article")
    return _article(record, place)


def _article(record: dict[str, Any], place: str) -> Article | Reject:
    """Return the article, unless it is killed or under embargo; `note` may be a correction."""
    name = clean_line(str(record.get("id") or record.get("slugline") or "the item"))
    note = clean_line(str(record.pop("note", None) or ""))
    status = str(record.pop("status", None) or "")
    if _KILLED.search(status) or _KILL_NOTE.search(note):
        why = f": {note}" if note else ""
        reason = f"withdrawn by its publisher ({status or 'kill'}): {name}{why[:200]}"
        if not (record.get("url") or record.get("id")):
            return Reject(place, f"{reason}; the notice doesn't name the article")
        killed = article_id(given=str(record.get("id") or record["url"]))
        return KillNotice(place, reason, killed, clean_line(str(record.get("publisher") or "")))
    embargo = record.pop("embargo", None)
    if embargo is not None:
        refused = _embargo_end(embargo)
        if refused:
            return Reject(place, f"under embargo {refused}: {name}")
    record["title"] = record.get("title") or record.get("slugline")
    if note and _CORRECTS.search(note):
        correction = _CORRECTION.sub("", note) or note
        record["correction"] = f"{correction[:1].upper()}{correction[1:]}"
        # In the text as well, so that it is searched and quoted.
        record["text"] = [*_as_list(record.get("text")), f"Correction: {record['correction']}"]
    found = article_from({key: field for key, field in record.items() if field}, place=place)
    if isinstance(found, Article) and record.get("id"):
        # The agency's id is the identity: URLs are shared between items and change.
        return found.replace(id=article_id(given=str(record["id"])))
    return found


def _embargo_end(value: Any) -> str:
    """Return the end of an embargo; "" if it is over. Without a date it has no end (NewsML-G2)."""
    try:
        until = parse_moment(value)
    except ValueError:
        return f"until {str(value)[:40]!r}, which is not a date"
    if until is None:
        return "without an end"
    return f"until {until.isoformat()}" if until > datetime.now(UTC) else ""


# ---------------------------------------------------------------------------------------- NITF


def _from_nitf(nitf: Any) -> dict[str, Any]:
    """Return the fields of a NITF document (NITF 3.6, IPTC)."""
    status = _attribute(nitf, "docdata", "management-status")
    bodies = nitf.findall("{*}body/{*}body.content") or nitf.findall("{*}body")
    return {
        "id": _attribute(nitf, "doc-id", "id-string"),
        "url": _page_url(_attribute(nitf, "pubdata", "ex-ref")),
        "title": _text(nitf, "hl1") or _text(nitf, "hedline") or _text(nitf, "title"),
        "text": _paragraphs(*bodies),
        "publisher": _attribute(nitf, "pubdata", "name")
        or _attribute(nitf, "doc.copyright", "holder")
        or _text(nitf, "distributor"),
        "authors": _byline(nitf),
        "published": _attribute(nitf, "date.issue", "norm")
        or _attribute(nitf, "pubdata", "date.publication")
        or _attribute(nitf, "story.date", "norm"),
        "updated": _attribute(nitf, "revision-history", "norm", last=True),
        "section": _attribute(nitf, "pubdata", "position.section")
        or _attribute(nitf, "tobject.subject", "tobject.subject.type"),
        "language": nitf.get("{http://www.w3.org/XML/1998/namespace}lang"),
        "slugline": _attribute(nitf, "du-key", "key"),
        "urgency": _attribute(nitf, "urgency", "ed-urg"),
        "note": _attribute(nitf, "correction", "info") or _attribute(nitf, "ed-msg", "info"),
        "status": "" if status == "usable" or status == "embargoed" else status,
        "embargo": _attribute(nitf, "date.release", "norm")
        or ("" if status == "embargoed" else None),
    }


def _byline(nitf: Any) -> list[str]:
    for byline in nitf.iter("{*}byline"):
        people = [_line(person) for person in byline.iter("{*}person")]
        return people or [_line(byline)]
    return []


# ----------------------------------------------------------------------------------- NewsML-G2


def _from_newsml(item: Any) -> dict[str, Any]:
    """Return the fields of a NewsML-G2 newsItem (2.x, IPTC)."""
    inner = next((_from_nitf(nitf) for nitf in item.iter("{*}nitf")), {})
    guid = clean_line(item.get("guid") or "")
    created = _text(item, "firstCreated") or _text(item, "contentCreated")
    language = next((found.get("tag") for found in item.iter("{*}language")), None)
    fields = {
        "id": guid,
        "url": _own_link(item) or _page_url(guid),
        "title": _headline(item) or _text(item, "headline") or _text(item, "title"),
        "text": inner.get("text") or _content(item),
        "publisher": _concept_name(item, "provider") or _concept_name(item, "infoSource"),
        "authors": [_line(by) for by in item.iter("{*}by")] or _concept_names(item, "creator"),
        "published": created or _text(item, "versionCreated"),
        "updated": _text(item, "versionCreated") or _text(item, "contentModified"),
        "section": _concept_name(item, "subject"),
        "language": language or item.get("{http://www.w3.org/XML/1998/namespace}lang"),
        "slugline": _text(item, "slugline"),
        "urgency": _text(item, "urgency"),
        "note": _text(item, "edNote"),
        "status": _status(item),
    }
    embargo = next((_line(found) for found in item.iter("{*}embargoed")), None)
    merged = {**inner, **{key: value for key, value in fields.items() if value}}
    return merged | ({"embargo": embargo} if embargo is not None else {})


def _headline(item: Any) -> str:
    """Return the main headline of an item; links and subheadlines have their own."""
    language = next((found.get("tag") for found in item.iter("{*}language")), None)
    language = (language or item.get(_LANG) or "")[:2].casefold()
    own = item.findall("{*}contentMeta/{*}headline")
    main = [one for one in own if not _MINOR.search(str(one.get("role") or one.get("roleuri")))]
    spoken = [one for one in main if (one.get(_LANG) or language)[:2].casefold() == language]
    return next(filter(None, map(_line, (*spoken, *main, *own))), "")


def _own_link(item: Any) -> str:
    """Return the item's own URL, from a link with rel "canonical" or "self"."""
    for link in item.iterfind("{*}itemMeta/{*}link"):
        rel = str(link.get("rel") or link.get("reluri") or "").casefold()
        if re.split(r"[:/#]", rel)[-1] in ("canonical", "self") and _page_url(link.get("href")):
            return _page_url(link.get("href"))
    return ""


def _status(item: Any) -> str:
    """Return a status such as "stat:canceled" if it is a kill; "" for usable items."""
    found = next(item.iter("{*}pubStatus"), None)
    status = "" if found is None else (found.get("qcode") or found.get("uri") or _line(found))
    return status if _KILLED.search(status) else ""


def _content(item: Any) -> list[str]:
    for found in item.iter("{*}inlineXML"):
        paragraphs = _paragraphs(found)
        if paragraphs:
            return paragraphs
    return [text for found in item.iter("{*}inlineData") if (text := _inline_data(found))]


def _inline_data(found: Any) -> str:
    """Return the text of inline data, decoded from base64 if needed; "" for other media."""
    kind = str(found.get("contenttype") or "text/plain").casefold()
    text = "".join(found.itertext())
    if not re.match(r"text/|application/(?:xhtml|xml|html|[\w.+-]+\+xml)", kind):
        return ""
    if "base64" not in f"{found.get('encoding')} {found.get('encodinguri')}".casefold():
        return text
    try:
        return decode(base64.b64decode("".join(text.split()), validate=True))
    except ValueError:
        return ""


def _concept_name(item: Any, name: str) -> str:
    return next(iter(_concept_names(item, name)), "")


def _concept_names(item: Any, name: str) -> list[str]:
    """Return the names of concepts: the readable name, or else the code without prefix."""
    found = []
    for concept in item.iter(f"{{*}}{name}"):
        code = concept.get("literal") or (concept.get("qcode") or "").rpartition(":")[2]
        found.append(_text(concept, "name") or code)
    return [one for one in found if one]


# --------------------------------------------------------------------------------------- ninjs


def _ninjs_body(item: Mapping[str, Any]) -> Any:
    """Return the best form of the body, skipping a plain form that is only a teaser."""
    forms = [item.get(key) for key in ("body_text", "body_xhtml", "body_html")]
    texts = [form for form in forms if isinstance(form, str) and form.strip()]
    longest = max(map(len, texts), default=0)
    whole = next((form for form in texts if len(form) >= _WHOLE * longest), None)
    return whole or _value_by_role(item.get("bodies"), ("main", "text/plain", "body", ""))


def _value_by_role(values: Any, roles: tuple[str, ...]) -> str | None:
    """Return the value of a ninjs 2 list with the first matching role or type."""
    given = [one for one in _as_list(values) if isinstance(one, Mapping) and one.get("value")]
    items = [{str(key).casefold(): value for key, value in one.items()} for one in given]
    for role in roles:
        for one in items:
            # A role is a word, or a URL that ends in it.
            name = re.split(r"[/#:]", str(one.get("role") or "").casefold())[-1]
            if role in (name, one.get("contenttype", "")):
                return str(one["value"])
    return str(items[0]["value"]) if items else None


def _names(values: Any) -> list[str]:
    return [
        str(one["name"]) for one in _as_list(values) if isinstance(one, Mapping) and "name" in one
    ]


def _writers(item: Mapping[str, Any]) -> list[str]:
    """Return the people of an item that are its writers; it is about the others."""
    people = [*_as_list(item.get("person")), *_as_list(item.get("people"))]
    named = [p for p in people if isinstance(p, Mapping) and _WRITES.match(str(p.get("rel")))]
    # Superdesk's list, whose roles distinguish photographers from writers.
    listed = [p for p in _as_list(item.get("authors")) if isinstance(p, Mapping)]
    return _names([*(p for p in listed if _WRITES.match(str(p.get("role") or "writer"))), *named])


# ----------------------------------------------------------------------------------------- XML


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def _numeric_entity(entity: re.Match[bytes]) -> bytes:
    """Replace an HTML entity by its code point, because NITF's DTD isn't loaded."""
    name = entity.group(1).decode("ascii", "replace")
    characters = "" if name in _XML_OWN else html5.get(f"{name};", "")
    return "".join(f"&#{ord(char)};" for char in characters).encode() or entity.group()


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _line(element: Any) -> str:
    return clean_line("".join(element.itertext()))


def _text(element: Any, name: str) -> str:
    """Return the first non-empty text of elements with this name."""
    return next(filter(None, map(_line, element.iter(f"{{*}}{name}"))), "")


def _page_url(value: Any) -> str:
    """Return a value that is the URL of a page; "" for a URN, a number or a site's root."""
    address = value.strip() if isinstance(value, str) else ""
    return address if re.match(r"(?i)https?://[^/\s]+/[^/\s]", address) else ""


def _attribute(element: Any, name: str, attribute: str, *, last: bool = False) -> str:
    values = [found.get(attribute) or "" for found in element.iter(f"{{*}}{name}")]
    return next(filter(None, reversed(values) if last else values), "").strip()


def _paragraphs(*elements: Any) -> list[str]:
    return [text for element in elements if element is not None for text in read_blocks(element)]
