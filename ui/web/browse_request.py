"""Request of a reader who browses: words, filters and order, as fields, links and filters."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from rag.archive.browse import FACETS, BrowseOrder, FacetName
from rag.schema import Filters

LONGEST_WORDS = 2000  # characters
LONGEST_VALUE = 500
_NAMED_FACETS: tuple[FacetName, ...] = ("publisher", "author", "section", "language", "kind")
MOST_CHOSEN = 20  # values of all facets together


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """Words, chosen facet values and order; or the name whose page is shown.

    Attributes:
        words: Words and phrases with AND, OR and NOT; "" for all articles.
        chosen: Pairs of a facet and a value, in the order of their choice.
        order: "date" or "relevance".
        name: A person, place or organisation; "" for the articles.
        kind: Its kind; "" for the one with most articles.
    """

    words: str = ""
    chosen: tuple[tuple[FacetName, str], ...] = ()
    order: BrowseOrder = "date"
    name: str = ""
    kind: str = ""

    @property
    def filters(self) -> Filters:
        """The chosen values as filters; days and months outside the calendar are ignored."""
        values: dict[str, list[str]] = {}
        days: list[tuple[date, date]] = []
        for facet, value in self.chosen:
            if facet in ("day", "month"):
                days += [span] if (span := _span(value)) else []
            else:
                values.setdefault(f"{facet}s", []).append(value)
        after = _midnight(max(first for first, _ in days)) if days else None
        before = _midnight(min(last for _, last in days) + timedelta(days=1)) if days else None
        return Filters(
            after=after,
            before=before,
            **{name: tuple(found) for name, found in values.items()},
        )

    def choose(self, chosen: Sequence[tuple[FacetName, str]]) -> BrowseRequest:
        """Return a copy with these values chosen and no other; of dates, only the last.

        Values that are not valid, and those beyond the limit, are ignored.
        """
        valid = [pair for pair in dict.fromkeys(chosen) if _is_valid(*pair)]
        dates = [pair for pair in valid if pair[0] in ("day", "month")]
        kept = tuple(pair for pair in valid if pair not in dates[:-1])
        return replace(self, chosen=kept[:MOST_CHOSEN], name="", kind="")

    @property
    def link(self) -> str:
        """The query string of an address that shows the same."""
        pairs = [("view", "browse")]
        if self.name:
            pairs += [("name", self.name), *([("kind", self.kind)] if self.kind else [])]
        else:
            pairs += [("words", self.words)] if self.words else []
            pairs += [("order", self.order)] if self.order != "date" else []
            pairs += list(self.chosen)
        return f"?{urlencode(pairs)}"


def browse_from_filters(filters: Filters) -> BrowseRequest | None:
    """Return the request that has just these filters; None if facets can't say them."""
    chosen: list[tuple[FacetName, str]] = [
        (facet, value) for facet in _NAMED_FACETS for value in getattr(filters, f"{facet}s")
    ]
    if filters.after and filters.before:
        day = filters.after.astimezone(UTC).date()
        one_day = _midnight(day + timedelta(days=1)) == filters.before
        chosen.append(("day", day.isoformat()) if one_day else ("month", f"{day:%Y-%m}"))
    asked = BrowseRequest().choose(chosen)
    is_same = replace(asked.filters, access=filters.access) == filters
    return asked if is_same and asked.chosen else None


def browse_from_link(query: Sequence[tuple[str, str]]) -> BrowseRequest:
    """Return the request in the query parameters of a link."""
    single: Mapping[str, str] = dict(query)
    facets: dict[str, FacetName] = {name: name for name in FACETS}
    chosen = tuple(
        (facets[name], value) for name, value in query if name in facets and _is_valid(name, value)
    )
    return BrowseRequest(
        single.get("words", "")[:LONGEST_WORDS],
        chosen[:MOST_CHOSEN],
        "relevance" if single.get("order") == "relevance" else "date",
        single.get("name", "")[:LONGEST_VALUE],
        single.get("kind", "")[:20],
    )


def _is_valid(facet: str, value: str) -> bool:
    if facet in ("day", "month"):
        return len(value) == len("2024-10" if facet == "month" else "2024-10-24") and (
            _span(value) is not None
        )
    return 0 < len(value) <= LONGEST_VALUE


def _span(value: str) -> tuple[date, date] | None:
    """Return the first and last day of "2024-10" or "2024-10-24"; None for anything else."""
    try:
        if len(value) == len("2024-10"):
            first = date.fromisoformat(f"{value}-01")
            last = first.replace(day=monthrange(first.year, first.month)[1])
        else:
            first = last = date.fromisoformat(value)
    except ValueError:
        return None
    return (first, last) if last < date.max else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
