"""JSON articles: JSON Lines, arrays and single objects, streamed at any size."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from ingest.readers import Links, Read, Reject
from ingest.readers.api_responses import articles_inside
from ingest.readers.date_order import UNKNOWN_ORDER, FileOrder
from ingest.readers.date_order_detection import order_of_json, order_of_lines, read_start
from ingest.readers.encoding import ARTICLE_BYTES, lines_of
from ingest.readers.error_guard import guard
from ingest.readers.field_map import NO_MAP, FieldMap
from ingest.readers.fields import article_from
from ingest.readers.iptc import is_ninjs, read_ninjs
from ingest.readers.sitemaps import link_to

_TOO_LONG = f"line larger than {ARTICLE_BYTES // 2**20} MB: too large for one article"


def read_json_lines(
    file: io.BufferedReader, place: str, field_map: FieldMap = NO_MAP, links: Links = "keep"
) -> Read:
    """Yield the article of each line; a line without an article is a reject.

    Args:
        file: The file.
        place: Its place; lines are at `place:number`.
        field_map: The user's field names.
        links: "follow" turns records of GDELT's lists into Links.
    """
    file, start = read_start(file)
    order = order_of_lines(start, field_map)
    for number, line in lines_of(file):
        at = f"{place}:{number}"
        if line is None:
            yield Reject(at, _TOO_LONG)
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield from _from_line(line, at, field_map, links, order)


def _from_line(line: bytes, at: str, field_map: FieldMap, links: Links, order: FileOrder) -> Read:
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError as error:
        yield Reject(at, f"invalid UTF-8 at byte {error.start + 1} of the line")
    except json.JSONDecodeError as error:
        yield Reject(
            at, f"broken JSON: {_json_error(error)} at character {error.pos + 1} of the line"
        )
    except (ValueError, RecursionError) as error:  # such as a number of 5,000 digits
        yield Reject(at, f"broken JSON: {str(error)[:80]}")
    else:  # guarded: deeply nested values parse, but exceed the recursion limit here
        yield from guard(at, lambda: _from_value(value, at, field_map, links, order))


def read_json(
    file: io.BufferedReader, place: str, field_map: FieldMap = NO_MAP, links: Links = "keep"
) -> Read:
    """Yield the articles of a JSON document: an array, read element by element, or one object.

    Everything after a broken element is lost, because the next one can't be found.

    Args:
        file: The file.
        place: Its place; elements are at `place:line`.
        field_map: The user's field names.
        links: "follow" turns records of GDELT's lists into Links.
    """
    file, start = read_start(file)
    order = order_of_json(_elements_of_start(start), field_map) if start else UNKNOWN_ORDER
    try:
        for line, value in _elements(file):
            at = f"{place}:{line}"
            yield from guard(at, partial(_from_value, value, at, field_map, links, order))
    except UnicodeDecodeError as error:
        yield Reject(place, f"invalid UTF-8 ({error.reason}): the rest of the file was not read")
    except json.JSONDecodeError as error:
        yield Reject(f"{place}:{error.lineno}", f"broken JSON: {_json_error(error)}")
    except (ValueError, RecursionError) as error:
        yield Reject(place, f"broken JSON: {str(error)[:80]}")


def _elements_of_start(start: bytes) -> Iterator[Any]:
    """Yield the complete elements at the beginning of a document."""
    try:
        for _, value in _elements(io.BufferedReader(io.BytesIO(start))):
            yield value
    except (ValueError, RecursionError):  # cut or broken; the reader reports it
        return


def _elements(file: io.BufferedReader) -> Iterator[tuple[int, Any]]:
    """Yield the elements of an array, or the single value, with the line each starts in."""
    text = io.TextIOWrapper(file, "utf-8-sig")
    decoder = json.JSONDecoder()
    buffer, line, size, array, more = "", 1, 2**16, False, True
    while True:
        bare = buffer.lstrip(" \t\r\n," if array else " \t\r\n")
        line += buffer[: len(buffer) - len(bare)].count("\n")
        buffer = bare
        if not array and line and buffer.startswith("["):
            array, buffer = True, buffer[1:]
            continue
        if array and buffer.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(buffer)
        except json.JSONDecodeError as error:
            if not more and not buffer.strip():
                if array:
                    raise json.JSONDecodeError(
                        "the array does not end", "\n" * (line - 1), line - 1
                    ) from error
                return
            if not more or len(buffer) > ARTICLE_BYTES:
                lines = "\n" * (line - 1) + buffer[: error.pos]
                raise json.JSONDecodeError(error.msg, lines, len(lines)) from error
            piece = text.read(max(size, len(buffer)))  # doubled, to limit the number of attempts
            more = bool(piece)
            buffer += piece
            continue
        yield line, value
        line += buffer.count("\n", 0, end)
        buffer = buffer[end:]
        if not array:
            if (buffer + text.read(1)).strip():
                raise json.JSONDecodeError("more than one value", "\n" * (line - 1), line - 1)
            return


def _from_value(
    value: Any, at: str, field_map: FieldMap, links: Links, order: FileOrder = UNKNOWN_ORDER
) -> Read:
    """Yield the article of a value, or of each item of a list."""
    if isinstance(value, list):
        for item in value:
            yield from guard(at, partial(_from_value, item, at, field_map, links, order))
        return
    if not isinstance(value, dict):
        yield Reject(at, f"{re.sub('[^a-z]', '', type(value).__name__)}, not an object with text")
        return
    if field_map == NO_MAP and is_ninjs(value):
        yield read_ninjs(value, place=at)
        return
    inside = None if field_map.values_in(value).get("text") else articles_inside(value)
    if inside is None:
        found = article_from(value, place=at, field_map=field_map, order=order)
        lacks_text = links == "follow" and isinstance(found, Reject)
        yield (link_to(value, at) if lacks_text else None) or found
    elif not inside:
        yield Reject(at, "a list without articles")
    else:
        for item in inside:
            yield from guard(at, partial(_from_value, item, at, field_map, links, order))


def _json_error(error: json.JSONDecodeError) -> str:
    """Return json's error message without its trailing "at", which a place would follow."""
    return error.msg.removesuffix(" at").removesuffix(" starting")
