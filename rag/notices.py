"""Notices: codes with parameters, for all text of an answer that is not from the articles.

The archive's code returns notices; `ui.i18n` puts them into words. A parameter that is a date is
an ISO 8601 day in UTC ("2024-10-24").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from rag.errors import InvalidValueError

Value = str | int | float | bool | tuple[str, ...]

# Every code with the names of its parameters; one that ends with "?" may be left out.
CODES: Final[Mapping[str, tuple[str, ...]]] = {
    # Reasons for a refusal
    "nothing_relevant": (),
    "off_topic": (),
    "no_quotations": (),
    "speakers_missing": ("speakers",),
    "names_missing": ("names",),
    "earlier_article": ("source", "published"),
    "later_article": ("source", "published"),
    "excluded_article": ("source", "published"),
    "excluded_article_undated": ("source",),
    "chat_model_found_nothing": (),
    "nothing_published_on": ("day",),
    "nothing_published_between": ("first", "last"),
    "nothing_published_since": ("first",),
    "nothing_published_until": ("last",),
    "greeting": (),
    "thanks": (),
    "no_topic": (),
    "error": ("message",),
    # Remarks on an answer or on its search
    "search_limited": ("publishers?", "after?", "before?"),
    "headline_dates_ignored": (),
    "headline_names_ignored": (),
    "nothing_in_time_range": (),
    "newest_articles": ("day",),
    "nearest_earlier": ("day",),
    "nearest_later": ("day",),
    "archive_ends": ("day", "month"),
    "archive_begins": ("day",),
    "did_you_mean": ("given", "instead"),
    "vector_server_gone": (),
    "vector_server_incomplete": (),
    "sources_disagree": (),
    "sides_missing": ("sides",),
    "publishers_silent": ("publishers",),
    "low_confidence": (),
    "premise_contradicted": ("premise",),
    "premise_other_number": ("premise", "number"),
    "premise_other_name": ("premise", "name", "instead"),
    "premise_other_actor": ("premise", "actor", "instead"),
    "corrected": ("title", "correction"),
    "corrected_since": ("title", "correction"),
    "archive_as_of": ("day",),
    "archive_empty_as_of": ("day",),
    "generated_unsupported": (),
    "quotations_instead": (),
    "maybe_incomplete": (),
    "period_partly_read": ("missed", "parts"),
    "chat_model_failed": ("error",),
    "chat_model_silent": ("seconds",),
    "chat_model_wrote_nothing": (),
    "chat_model_repeated_itself": (),
    "chat_model_endless_sentence": (),
    "chat_model_cut_off": (),
    "articles_withdrawn": (),
    "instructions_quoted": (),
    "message": ("text",),
    # Reasons why a statement isn't supported
    "empty_statement": (),
    "no_citation": (),
    "partly_supported": (),
    "not_in_passage": (),
    "passage_differs": (),
    "passage_says_opposite": (),
    "passage_swaps_roles": (),
    "passage_attributes": ("speaker",),
    "passage_quotes_other": ("speaker",),
    "quote_altered": ("quote",),
    "number_missing": ("number",),
    "name_missing": ("name",),
    "title_missing": ("title",),
    "passage_has_other_figure": (),
    "passage_names_other": (),
    "passage_says_possible": (),
    "figure_of_other": ("number",),
    "accusation_unproven": (),
    "addresses_reader": (),
    "nothing_in_passages": (),
    "not_decidable": (),
    "other_language": (),
    "words_unsupported": ("words",),
    "evidence_missing": (),
    "being_verified": (),
    "retracted": (),
    # Reasons in a check of a draft
    "check_nothing_found": (),
    "check_other_words": (),
    "check_archive_disagrees": (),
    "check_too_many_sentences": ("most",),
    "check_out_of_time": (),
    "check_stopped": (),
    "check_article_withdrawn": (),
    # Constraints that were read from the question
    "published_on": ("day",),
    "published_between": ("first", "last"),
    "published_since": ("first",),
    "published_until": ("last",),
    "preferably_on": ("day",),
    "preferably_between": ("first", "last"),
    "preferably_since": ("first",),
    "preferably_until": ("last",),
    "from_publishers": ("publishers",),
    "by_authors": ("authors",),
    "with_phrases": ("phrases",),
    "without_words": ("words",),
    # Labels of quoted statements, shown in brackets before them
    "dated": ("day",),
    "reported": ("day",),
    "weekday": ("weekday",),
    "source": ("publisher",),
    "dated_source": ("day", "publisher"),
    "dated_figure": ("figure", "day"),
    "figure_of": ("figure", "day", "publisher"),
    "earlier_figures": ("figures", "days"),
    "compared": ("column", "row", "day?", "publisher?", "differs?"),
    "quotation": ("speaker?", "day?", "publisher?", "articles?", "outlets?"),
}


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Notice:
    """A code with its parameters, to be put into words in the reader's language.

    Parameters are given by name: `Notice("names_missing", names=["Ada Quill"])`. Dates become ISO
    days, and lists tuples.

    Raises:
        InvalidValueError: The code is unknown, or the parameters are not those of the code.
    """

    code: str
    params: tuple[tuple[str, Value], ...]

    def __init__(self, code: str, /, **params: Value | date | Sequence[str]) -> None:
        known = CODES.get(code) if isinstance(code, str) else None
        if known is None:
            raise InvalidValueError(f"There is no notice {code!r}: see rag.notices.CODES.")
        allowed = [name.removesuffix("?") for name in known]
        required = {name for name in known if not name.endswith("?")}
        if not required <= params.keys() <= set(allowed):
            raise InvalidValueError(
                f"The notice {code!r} takes {', '.join(known) or 'no parameters'}, "
                f"not {', '.join(params) or 'none'}."
            )
        pairs = tuple((name, _value(params[name], name)) for name in allowed if name in params)
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "params", pairs)

    def __getitem__(self, name: str) -> Value:
        """Return the parameter `name`; KeyError if the notice has none."""
        return dict(self.params)[name]

    def __str__(self) -> str:
        """Return the code, and the parameters in parentheses."""
        params = ", ".join(
            f"{name}: {', '.join(value) if isinstance(value, tuple) else value}"
            for name, value in self.params
        )
        return f"{self.code} ({params})" if params else self.code

    def __repr__(self) -> str:
        """Return the call that creates the notice."""
        return f"Notice({', '.join([repr(self.code), *(f'{n}={v!r}' for n, v in self.params)])})"

    def to_dict(self) -> dict[str, Any]:
        """Return the notice as JSON-ready values: `{"code": ..., "params": {...}}`.

        Returns:
            A dict that `json.dumps` takes, and from which `from_dict` makes an equal notice.
        """
        params = {n: list(v) if isinstance(v, tuple) else v for n, v in self.params}
        return {"code": self.code, "params": params}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Notice:
        """Return the notice that `to_dict` converted.

        Args:
            value: The dict that `to_dict` returned.

        Returns:
            The notice.

        Raises:
            InvalidValueError: `value` is not a result of `to_dict`.
        """
        if not isinstance(value, Mapping) or not isinstance(value.get("params", {}), Mapping):
            raise InvalidValueError("This is not a notice: it has no code and parameters.")
        return cls(value.get("code", ""), **value.get("params", {}))


def _value(value: Any, name: str) -> Value:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float):  # and bool
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise InvalidValueError(
        f"The parameter {name} is neither a string, a number, a date nor a list of strings."
    )


_remarks: ContextVar[list[Notice] | None] = ContextVar("remarks", default=None)


def remark(notice: Notice) -> None:
    """Make a remark on the search that is under way, if anyone collects them.

    A repeated one counts once.

    Args:
        notice: What the reader should know of the search.
    """
    remarks = _remarks.get()
    if remarks is not None and notice not in remarks:
        remarks.append(notice)


@contextmanager
def collect_remarks() -> Iterator[list[Notice]]:
    """Yield the list of the remarks that are made during the block."""
    remarks = list[Notice]()
    token = _remarks.set(remarks)
    try:
        yield remarks
    finally:
        _remarks.reset(token)
