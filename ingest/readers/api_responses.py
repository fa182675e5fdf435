"""Objects that wrap many articles: API responses, JSON-LD graphs, column-oriented tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingest.readers.fields import SPELLINGS, normalize_keys

_CONTAINERS = (
    *("articles", "items", "results", "data", "docs", "entries", "records", "rows", "stories"),
    *("response", "hits", "graph", "itemlistelement", "news"),
)
_ARTICLE_TYPE = re.compile(r"(?i)(?:article|posting|report|review)\Z")


def articles_inside(value: Mapping[str, Any]) -> list[Any] | None:
    """Return the records that an object wraps; None if it is a single record.

    Wrappers are API responses such as NewsAPI's, JSON Feed, a JSON-LD graph, and tables written
    column by column, as pandas and Hugging Face datasets do.
    """
    graph = value.get("@graph")
    if isinstance(graph, list):
        return _graph_articles(graph)
    if "jsonfeed.org" in str(value.get("version")) and isinstance(value.get("items"), list):
        feed = {"publisher": value.get("title"), "language": value.get("language")}
        return [feed | item for item in value["items"] if isinstance(item, dict)]
    values = normalize_keys(value)
    columns = _table_rows(value, values)
    if columns is not None:
        return columns
    if any(values.get(key) for key in SPELLINGS["text"][:8]):
        return None
    for key in _CONTAINERS:
        inner = values.get(key)
        if isinstance(inner, Mapping):
            deeper = articles_inside(inner)
            if deeper is not None:
                return deeper
        if isinstance(inner, list) and all(isinstance(item, dict) for item in inner):
            return inner
    return None


def _graph_articles(graph: list[Any]) -> list[Any]:
    """Return the articles of a JSON-LD graph, with `@id` references resolved."""
    things = [thing for thing in graph if isinstance(thing, dict)]
    named = {t["@id"]: t for t in things if isinstance(t.get("@id"), str)}
    found = [thing for thing in things if _is_article(thing)]
    if not any("@type" in thing for thing in things):
        found = things
    return [
        {key: _resolve_reference(item, named) for key, item in thing.items()} for thing in found
    ]


def _is_article(thing: Mapping[str, Any]) -> bool:
    types = thing.get("@type")
    return any(
        isinstance(name, str) and _ARTICLE_TYPE.search(name)
        for name in (types if isinstance(types, list) else [types])
    )


def _resolve_reference(value: Any, named: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_resolve_reference(item, named) for item in value]
    if isinstance(value, dict) and set(value) <= {"@id", "@type"}:
        whole = named.get(str(value.get("@id")))
        return {"name": whole["name"]} if whole and whole.get("name") else value
    return value


def _table_rows(value: Mapping[str, Any], values: Mapping[str, Any]) -> list[Any] | None:
    """Return the rows of a column-oriented table.

    Known forms are `{column: [cells]}`, `{column: {row: cell}}`, and pandas' `{"columns": [names],
    "data": [rows]}`.
    """
    names, rows = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(rows, list) and names and rows:
        if all(isinstance(row, list) and len(row) == len(names) for row in rows):
            return [dict(zip(map(str, names), row, strict=True)) for row in rows]
        return None
    texts = next((values[key] for key in SPELLINGS["text"] if values.get(key)), None)
    titles = next((values[key] for key in SPELLINGS["title"] if values.get(key)), None)
    if isinstance(texts, list) and isinstance(titles, list) and len(texts) == len(titles):
        columns = {
            key: cells
            for key, cells in value.items()
            if isinstance(cells, list) and len(cells) == len(texts)
        }
        return [{key: cells[row] for key, cells in columns.items()} for row in range(len(texts))]
    if isinstance(texts, Mapping) and isinstance(titles, Mapping) and texts.keys() == titles.keys():
        if not all(str(row).isdecimal() for row in texts):
            return None
        tables = {key: cells for key, cells in value.items() if isinstance(cells, Mapping)}
        return [{key: cells.get(row) for key, cells in tables.items()} for row in texts]
    return None
