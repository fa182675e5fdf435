"""Pydantic models of the frozen values, for the API's typed responses.

A model has the fields of `to_dict()`, with the descriptions of the value's docstring, so that the
two can't drift apart.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, StrictBool, create_model

from rag.notices import Notice
from rag.schema import Answer, AnswerStatus

LARGEST = 2**53  # whole numbers beyond it lose digits in JavaScript, and SQLite's end at 2**63
Whole = Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]
Figure = Annotated[float, Field(strict=True)]
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


class NoticeModel(BaseModel):
    """A code with its parameters; `ui.i18n` has the words for it."""

    model_config = ConfigDict(title="Notice")

    code: str = Field(description="The kind of notice", examples=["names_missing"])
    params: dict[str, StrictBool | Whole | Figure | str | list[str]] = Field(
        description="Its parameters by name; days are in ISO 8601",
        examples=[{"names": ["Ada Quill"]}],
    )


@cache
def model_of(value_type: Any) -> type[BaseModel]:
    """Return the model of a value type: what its `to_dict` returns.

    Args:
        value_type: A frozen dataclass with `to_dict`, or one whose fields are JSON's types, days
            and paths.
    """
    if value_type is Notice:
        return NoticeModel
    described = dict(_ATTRIBUTE.findall(inspect.getdoc(value_type) or ""))
    hints = get_type_hints(value_type)
    columns: dict[str, Any] = {}
    for field in fields(value_type):
        described_as = " ".join(described.get(field.name, "").split()) or None
        default = ... if field.default is MISSING else _plain(field.default)
        if field.default_factory is not MISSING:
            default = _plain(field.default_factory())
        columns[field.name] = (
            _of_hint(hints[field.name]),
            Field(default=default, description=described_as),
        )
    if value_type is Answer:
        columns["status"] = (AnswerStatus, Field(default="answered", description="In one word"))
    first_line = (inspect.getdoc(value_type) or "").partition("\n\n")[0]
    return create_model(
        value_type.__name__,
        __config__=ConfigDict(validate_default=True),  # nested defaults are dicts
        __doc__=" ".join(first_line.split()),
        **columns,
    )


def _plain(value: Any) -> Any:
    """Return a field's default as JSON has it."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return list(value) if isinstance(value, tuple) else value


def _of_hint(hint: Any) -> Any:
    """Return the type that the JSON form of a field's type has."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = tuple(one if one is NoneType else _of_hint(one) for one in arguments)
        return Union[kinds]  # noqa: UP007  # made at run time
    if origin is tuple:
        return list[_of_hint(arguments[0])]  # type: ignore[misc]
    if origin is Literal or hint is str:
        return hint
    if hint is bool:
        return StrictBool
    if hint in (int, float):
        return Whole if hint is int else Figure
    if hint in (datetime, date, Path):
        return str
    if is_dataclass(hint):
        return model_of(hint)  # type: ignore[arg-type]  # a class is hashable
    raise TypeError(f"{hint} has no JSON form")
