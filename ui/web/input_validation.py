"""The shapes and sizes of everything that a browser sends; nothing else is looked at.

The browser enforces none of them: each value may be forged. What doesn't fit is left out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from rag.query.parser import LONGEST_QUESTION
from rag.retrieval.histogram import Step
from rag.schema import Support
from rag.valid_dates import validate_date
from ui.web.ask_request import MOST_NAMES
from ui.web.state import MOST_TURNS, Mode, Order

LONGEST_TEXT = 200_000  # characters of a field: addresses are pasted by the thousand
LONGEST_LINK = 8192
MOST_FILES = 1000


Question = Annotated[str, StringConstraints(max_length=LONGEST_QUESTION + 1)]  # as begun cuts it
Program = Annotated[str, StringConstraints(max_length=100_000)]
Pasted = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Markdown = Annotated[str, StringConstraints(max_length=10 * LONGEST_QUESTION)]
Words = Annotated[str, StringConstraints(max_length=5000)]
Name = Annotated[str, StringConstraints(max_length=500)]
Kind = Annotated[str, StringConstraints(max_length=20)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ArticleId = Annotated[str, StringConstraints(max_length=2048)]
Moment = Annotated[AwareDatetime, AfterValidator(validate_date)]  # in every time zone
Count = Annotated[int, Field(ge=0, le=2**53)]
PassageLocation = tuple[
    ArticleId, Count, Count, Count
]  # a passage: its article, revision, start and end
Index = (
    Annotated[int, Field(ge=0, le=2 * MOST_TURNS)]
    | tuple[Annotated[int, Field(ge=0, le=2 * MOST_TURNS)], Count]
)

# A call of one of the page's functions


class Call(BaseModel):
    """The body of a call: which function, with which values, for which session."""

    model_config = ConfigDict(extra="ignore")

    data: list[Any] = Field(max_length=40)
    fn_index: int | None = None
    trigger_id: int | None = None
    session_hash: Key | None = None
    event_data: Any = None


class Cancelled(BaseModel):
    """The body of a request to cancel a call."""

    model_config = ConfigDict(extra="ignore")

    session_hash: Key
    fn_index: int = 0
    event_id: Key


class File(BaseModel):
    """A file that was uploaded before."""

    model_config = ConfigDict(extra="allow")

    path: ArticleId
    orig_name: Name | None = None


class Text(BaseModel):
    value: Pasted | None


class Choice(BaseModel):
    value: Name | bool | float | None


class Choices(BaseModel):
    value: list[Name] | None = Field(max_length=MOST_NAMES)


class Files(BaseModel):
    value: list[File] | None = Field(max_length=MOST_FILES)


class BrowserStateValue(BaseModel):
    value: dict[str, Any] | None


_BY_COMPONENT: dict[str, type[BaseModel]] = {
    "textbox": Text,
    "radio": Choice,
    "choice": Choice,
    "dropdown": Choices,
    "checkboxgroup": Choices,
    "file": Files,
    "browserstate": BrowserStateValue,
}


def fits(component: str, value: object) -> bool:
    """Return whether `value` is what a component of that name holds; True for any other."""
    model = _BY_COMPONENT.get(component)
    if model is None:
        return True
    try:
        model.model_validate({"value": value})
    except ValidationError:
        return False
    return True


# What is told of a click


class Card(BaseModel):
    """The card whose article is to be opened."""

    turn: int = Field(ge=1, le=MOST_TURNS)
    card: int = Field(ge=1, le=1000)
    revision: int = Field(default=0, ge=0, le=2**31)


class Bar(BaseModel):
    """The bar of the plot that was clicked; `day` is in milliseconds since 1970."""

    day: float = Field(ge=-1.7e13, le=3.2e13, allow_inf_nan=False)
    step: Step


class PlotRange(BaseModel):
    """The part of the plot that was marked, in seconds since 1970."""

    index: tuple[
        Annotated[float, Field(ge=-1.7e10, le=3.2e10, allow_inf_nan=False)],
        Annotated[float, Field(ge=-1.7e10, le=3.2e10, allow_inf_nan=False)],
    ]


class Days(BaseModel):
    """One of the busiest days, weeks or months, that was chosen."""

    days: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d$")]

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: str) -> str:
        for end in days.split("/"):
            validate_date(datetime.fromisoformat(end).replace(tzinfo=UTC))
        return days

    @property
    def ends(self) -> tuple[datetime, datetime]:
        """The first day and the last."""
        first, last = (datetime.fromisoformat(d).replace(tzinfo=UTC) for d in self.days.split("/"))
        return first, last


class Thumb(BaseModel):
    """What somebody thinks of an answer."""

    index: Index
    liked: bool | Kind = True


class Message(BaseModel):
    """A message of the chat that is to be asked again."""

    index: Index


class Edited(BaseModel):
    """A question that was edited; its value is Markdown, which takes more room."""

    index: Index
    value: Markdown


class ExampleText(BaseModel):
    text: Words


class Example(BaseModel):
    """One of the questions to start from."""

    value: ExampleText


class AskFields(BaseModel):
    """A question from a program; what is longer than the page's limit is cut."""

    question: Program
    k: int | None = None


# Conversations as a browser keeps them


class StoredCitation(BaseModel):
    number: Annotated[int, Field(ge=0, le=1000)]
    start: Count
    end: Count
    passage: PassageLocation


class StoredNotice(BaseModel):
    code: Name
    params: dict[Kind, Words | float | Annotated[list[Words], Field(max_length=50)]] = Field(
        default={}, max_length=10
    )


class StoredStatement(BaseModel):
    text: Words
    support: Support
    reason: StoredNotice | Words | None = None  # words are of an earlier version, in a language
    label: StoredNotice | None = None
    citations: list[StoredCitation] = Field(default=[], max_length=50)


class StoredTurn(BaseModel):
    id: Kind = ""
    question: Question
    alone: Words = ""
    asked_on: Moment | None = None
    sequence: Count = 0
    progress: Literal["stopped", "done"] = "done"
    considered: Count = 0
    mode: Mode = "answer"
    order: Order = "relevance"
    fields: dict[Kind, Name | Annotated[list[Name], Field(max_length=MOST_NAMES)]] = Field(
        default={}, max_length=10
    )
    struck: list[Kind] = Field(default=[], max_length=20)
    understood: list[tuple[Kind, Words]] = Field(default=[], max_length=10)
    outside: bool = False
    statements: list[StoredStatement] = Field(default=[], max_length=100)
    removed: list[StoredStatement] = Field(default=[], max_length=100)
    hits: list[PassageLocation] = Field(default=[], max_length=100)
    closest: list[PassageLocation] = Field(default=[], max_length=100)
    as_of: Moment | None = None
    refused: bool = False
    refusal: StoredNotice | None = None
    notices: list[StoredNotice] = Field(default=[], max_length=100)
    notice: Words = ""  # of an earlier version, as is `reason`
    reason: Words = ""


class StoredConversation(BaseModel):
    id: Name
    turns: list[StoredTurn] = Field(max_length=MOST_TURNS)


class StoredSession(BaseModel):
    conversations: list[StoredConversation]


_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], value: object) -> _Model | None:
    """Return `value` as a `model`; None if it doesn't fit."""
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError, OverflowError):
        return None


def read_json(model: type[_Model], body: bytes) -> _Model | None:
    """Return a JSON text as a `model`; None if it doesn't fit, or nests too deeply."""
    try:
        return model.model_validate_json(body)
    except (ValidationError, RecursionError, OverflowError):
        return None
