"""Pydantic models of everything that a browser sends, with limits of shape and size.

Every value may be forged. Values that do not validate are ignored or rejected.
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

from rag.archive.browse import FacetName
from rag.query.parser import LONGEST_QUESTION
from rag.schema import Support
from rag.store.dossiers import LONGEST_NOTE
from rag.valid_dates import validate_date
from ui.article_address import LONGEST_ADDRESS, LONGEST_ID
from ui.web.ask_request import MOST_NAMES
from ui.web.state import MOST_TURNS, MOST_VERSIONS, Mode, Order
from ui.web.table_request import MOST_PAGES, ROWS

LONGEST_TEXT = 200_000  # characters of a field; users paste thousands of addresses
LONGEST_LINK = 8192
MOST_FILES = 1000
MOST_PAIRS = 100  # of a facet and a value


# `begin_turn` truncates questions to this length.
Question = Annotated[str, StringConstraints(max_length=LONGEST_QUESTION + 1)]
Program = Annotated[str, StringConstraints(max_length=100_000)]
Pasted = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Markdown = Annotated[str, StringConstraints(max_length=10 * LONGEST_QUESTION)]
Words = Annotated[str, StringConstraints(max_length=5000)]
Name = Annotated[str, StringConstraints(max_length=500)]
Kind = Annotated[str, StringConstraints(max_length=20)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ArticleId = Annotated[str, StringConstraints(max_length=LONGEST_ID)]
Moment = Annotated[AwareDatetime, AfterValidator(validate_date)]  # representable in every time zone
Count = Annotated[int, Field(ge=0, le=2**53)]
PassageLocation = tuple[ArticleId, Count, Count, Count]  # article id, revision, start, end
TurnNumber = Annotated[int, Field(ge=1, le=MOST_TURNS)]

# Calls of the page's functions


class Call(BaseModel):
    """Body of a call: function, values and session."""

    model_config = ConfigDict(extra="ignore")

    data: list[Any] = Field(max_length=40)
    fn_index: int | None = None
    trigger_id: int | None = None
    session_hash: Key | None = None
    event_data: Any = None


class Cancelled(BaseModel):
    """Body of a request to cancel a call."""

    model_config = ConfigDict(extra="ignore")

    session_hash: Key
    fn_index: int = 0
    event_id: Key


class File(BaseModel):
    """File uploaded earlier."""

    model_config = ConfigDict(extra="allow")

    path: ArticleId
    orig_name: Name | None = None


class Text(BaseModel):
    """Value of a text field."""

    value: Pasted | None


class Choice(BaseModel):
    """Value of a radio button."""

    value: Name | bool | float | None


class Choices(BaseModel):
    """Value of a dropdown or a group of checkboxes."""

    value: list[Name] | None = Field(max_length=MOST_NAMES)


class Files(BaseModel):
    """Value of a file field."""

    value: list[File] | None = Field(max_length=MOST_FILES)


class BrowserStateValue(BaseModel):
    """Value of the browser's storage, validated further on restore."""

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
    """Return whether `value` is valid for a kind of component; True for unknown kinds."""
    model = _BY_COMPONENT.get(component)
    if model is None:
        return True
    try:
        model.model_validate({"value": value})
    except ValidationError:
        return False
    return True


# Event data


class Opened(BaseModel):
    """Article to open: of a card, at an address, or both."""

    turn: int = Field(default=0, ge=0, le=MOST_TURNS)
    card: int = Field(default=0, ge=0, le=1000)
    address: Annotated[str, StringConstraints(max_length=LONGEST_ADDRESS)] = ""
    since: int = Field(default=0, ge=0, le=2**31)


class Days(BaseModel):
    """Days chosen in the histogram, as "first day/last day"."""

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
    """Thumb up or down for an answer."""

    turn: TurnNumber
    liked: bool


class OfTurn(BaseModel):
    """Turn that an action is for."""

    turn: TurnNumber


class OfCard(BaseModel):
    """Card that an action is for."""

    turn: TurnNumber
    card: int = Field(ge=1, le=1000)


class Version(BaseModel):
    """Version of an answer to show, from 0."""

    turn: TurnNumber
    version: int = Field(ge=0, le=MOST_VERSIONS)


class SaveAs(BaseModel):
    """Export of one answer, or of all up to now if `turn` is 0."""

    turn: int = Field(ge=0, le=MOST_TURNS)
    form: Kind


class Suggested(BaseModel):
    """Suggested question, and how to answer it."""

    question: Question
    mode: Mode = "answer"


class ConversationAction(BaseModel):
    """Action on a conversation of the list."""

    action: Literal["open", "rename", "delete", "undo"]
    id: Name = ""
    name: Annotated[str, StringConstraints(max_length=120)] = ""


class ArchiveAction(BaseModel):
    """Decision about a held change."""

    action: Literal["accept", "discard"]
    id: ArticleId


class TableAction(BaseModel):
    """Change of the list of articles: filter, order or page."""

    action: Literal["filter", "sort", "page", "clear", "current", "withdrawn"]
    facet: FacetName = "publisher"
    value: Name = ""
    page: int = Field(default=0, ge=0, le=MOST_PAGES)


class ArticleIds(BaseModel):
    """Selected articles of a page of the table."""

    ids: list[ArticleId] = Field(default=[], max_length=ROWS)


class FeedAction(BaseModel):
    """Change of a feed, or a feed to read; `every` is the new interval in seconds."""

    action: Literal["schedule", "pause", "resume", "remove", "restore", "read"]
    id: Key
    every: int = Field(default=0, ge=0, le=2**31)


class Link(BaseModel):
    """Query string of the page's address."""

    query: Annotated[str, StringConstraints(max_length=LONGEST_LINK)] = ""


class BrowseAction(BaseModel):
    """Facet values to choose, all of them; name to show, or more articles to show."""

    action: Literal["choose", "name", "more", "back"]
    chosen: list[tuple[FacetName, Name]] = Field(default=[], max_length=MOST_PAIRS)
    value: Name = ""
    kind: Kind = ""


class NamePrefix(BaseModel):
    """Beginning of the names to list."""

    prefix: Annotated[str, StringConstraints(max_length=100)] = ""


class BrowseExport(BaseModel):
    """Format of the file with all matching articles."""

    form: Literal["csv", "jsonl"]


class CheckExport(BaseModel):
    """Format of the file with a checked draft."""

    form: Literal["word", "pdf", "markdown"]


class SavedId(BaseModel):
    """Saved search."""

    id: Key


class SavedFile(BaseModel):
    """Dossier to export, and the format."""

    id: Key
    form: Literal["word", "pdf", "markdown"]


class SavedAction(BaseModel):
    """Change of a saved search, a dossier, or a passage of one."""

    action: Literal[
        "rename-search",
        "delete-search",
        "restore-search",
        "open-dossier",
        "create-dossier",
        "rename-dossier",
        "delete-dossier",
        "restore-dossier",
        "note",
        "up",
        "down",
        "remove-passage",
        "restore-passage",
    ]
    id: Name = ""
    value: Annotated[str, StringConstraints(max_length=LONGEST_NOTE)] = ""
    dossier: Name = ""


class AskFields(BaseModel):
    """Arguments of the endpoints for programs."""

    question: Program
    k: int | None = None


# Conversations stored in the browser; field names are stored too, so they must not change


class StoredCitation(BaseModel):
    """Citation, with the location of its passage."""

    number: Annotated[int, Field(ge=0, le=1000)]
    start: Count
    end: Count
    passage: PassageLocation


class StoredNotice(BaseModel):
    """Code and parameters of a notice."""

    code: Name
    params: dict[Kind, Words | float | Annotated[list[Words], Field(max_length=50)]] = Field(
        default={}, max_length=10
    )


class StoredStatement(BaseModel):
    """Statement of an answer."""

    text: Words
    support: Support
    reason: StoredNotice | Words | None = None  # earlier versions stored text
    label: StoredNotice | None = None
    citations: list[StoredCitation] = Field(default=[], max_length=50)


class StoredVersion(BaseModel):
    """Question and one version of its answer, with passages as locations."""

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
    followups: list[Words] = Field(default=[], max_length=10)
    as_of: Moment | None = None
    refused: bool = False
    refusal: StoredNotice | None = None
    notices: list[StoredNotice] = Field(default=[], max_length=100)
    notice: Words = ""  # from earlier versions, as is `reason`
    reason: Words = ""


class StoredTurn(StoredVersion):
    """Question and answer, with the other versions of the answer, oldest first."""

    others: list[StoredVersion] = Field(default=[], max_length=MOST_VERSIONS)
    version: Annotated[int, Field(ge=0, le=MOST_VERSIONS)] = 0


class StoredConversation(BaseModel):
    """Conversation with its turns, oldest first."""

    id: Name
    name: Name = ""
    started: Moment | None = None
    turns: list[StoredTurn] = Field(max_length=MOST_TURNS)


class StoredSession(BaseModel):
    """Conversations of a browser, current one first."""

    conversations: list[StoredConversation]
    owner: str = ""


_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], value: object) -> _Model | None:
    """Validate `value` against a model; return None if it does not validate."""
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError, OverflowError):
        return None


def read_json(model: type[_Model], body: bytes) -> _Model | None:
    """Validate JSON against a model; return None if it is invalid or nested too deeply."""
    try:
        return model.model_validate_json(body)
    except (ValidationError, RecursionError, OverflowError):
        return None
