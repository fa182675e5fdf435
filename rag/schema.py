"""The nouns: the values that everything else takes and returns, on one page, all frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, Generic, Literal, Self, TypeVar, overload

from rag import notebook
from rag.errors import InvalidValueError
from rag.sanitize import neutralize_markers
from rag.serialize import Serializable
from rag.validation import validate_moment, validate_names, validate_strings, validate_text

Support = Literal["supported", "partly", "not supported", "contradicted"]

_TEXTS = (
    *("article_id", "title", "publisher", "url", "section", "language", "kind", "slugline"),
    *("correction", "access"),
)
_NAMES = ("publishers", "authors", "sections", "languages", "kinds")
T = TypeVar("T")
_set = object.__setattr__  # frozen dataclasses normalise their own fields with it


class Rights(Enum):
    """Rights that are no list of names: `ALL` reads every article, whatever right it asks for."""

    ALL = "all"


ALL_RIGHTS: Final = Rights.ALL
Access = tuple[str, ...] | Literal[Rights.ALL]


@dataclass(frozen=True, slots=True)
class ArticleMetadata(Serializable):
    """What is said of an article beside its text: enough to name it and to date it.

    `published` and `updated` are aware datetimes; a day without a time is midnight UTC.
    `urgency` is IPTC's, 1 the most urgent; `correction` what the publisher has corrected in the
    article; `access` the right that a reader must have, "" for everybody.
    """

    article_id: str
    title: str
    publisher: str = ""
    url: str = ""
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    section: str = ""
    language: str = ""
    kind: str = "news"
    slugline: str = ""
    urgency: int | None = None
    correction: str = ""
    access: str = ""
    revision: int = 1


class _MetadataField(Generic[T]):
    """Read-only attribute of an article that reads the field of its name from the metadata."""

    def __init__(self, field: str = "") -> None:
        self._field = field

    def __set_name__(self, _owner: type, name: str) -> None:
        self._field = self._field or name

    @overload
    def __get__(self, article: None, _owner: type) -> Self: ...
    @overload
    def __get__(self, article: Article, _owner: type) -> T: ...
    def __get__(self, article: Article | None, _owner: type) -> Any:
        return self if article is None else getattr(article.metadata, self._field)


@dataclass(frozen=True, slots=True, init=False)
class Article(Serializable):
    """An article: its text, and everything else about it as `metadata`.

    Each field of the metadata is an attribute too: `article.title` is `article.metadata.title`,
    and `article.id` is `article.metadata.article_id`. Change one with `replace`.

    Example:
        >>> article = Article(
        ...     id="courier.example/bridge",
        ...     title="Bridge closed",
        ...     text="The bridge was closed on Monday.",
        ...     published=date(2024, 10, 21),
        ... )
        >>> article.metadata.published
        datetime.datetime(2024, 10, 21, 0, 0, tzinfo=datetime.timezone.utc)
    """

    metadata: ArticleMetadata
    text: str

    id = _MetadataField[str]("article_id")
    title = _MetadataField[str]()
    publisher = _MetadataField[str]()
    url = _MetadataField[str]()
    authors = _MetadataField[tuple[str, ...]]()
    published = _MetadataField["datetime | None"]()
    updated = _MetadataField["datetime | None"]()
    section = _MetadataField[str]()
    language = _MetadataField[str]()
    kind = _MetadataField[str]()
    slugline = _MetadataField[str]()
    urgency = _MetadataField["int | None"]()
    correction = _MetadataField[str]()
    access = _MetadataField[str]()
    revision = _MetadataField[int]()

    def __init__(
        self,
        id: str = "",
        title: str = "",
        text: str = "",
        publisher: str = "",
        url: str = "",
        authors: str | Iterable[str] = (),
        published: date | None = None,
        updated: date | None = None,
        section: str = "",
        language: str = "",
        kind: str = "news",
        slugline: str = "",
        urgency: int | None = None,
        correction: str = "",
        access: str = "",
        revision: int = 1,
        *,
        metadata: ArticleMetadata | None = None,
    ) -> None:
        """Create an article; see `ArticleMetadata` for the meaning of each field.

        Args:
            id: A name of the article's own, the same whenever the article changes.
            title: The headline; may be empty.
            text: The article itself, as plain text.
            publisher: The newspaper or agency.
            url: The address to link to.
            authors: One name, or several.
            published: When it was published: a `datetime`, UTC if naive, or a `date`, its
                midnight in UTC.
            updated: When it was last changed, likewise.
            section: The section of the newspaper.
            language: A language tag such as "en" or "en-GB".
            kind: The genre, such as "news" or "opinion".
            slugline: The agency's slugline.
            urgency: IPTC urgency, 1 (most urgent) to 8.
            correction: The publisher's correction notice.
            access: The right that a reader needs; "" for everyone.
            revision: The number of this version; an archive counts its own when it is added.
            metadata: All of these but `text` in one value, in their place.

        Raises:
            InvalidValueError: The id is blank, a value is of the wrong type, or both `metadata`
                and fields of it are given.
        """
        fields = ArticleMetadata(
            *(id, title, publisher, url, authors, published, updated, section, language),  # type: ignore[arg-type]
            *(kind, slugline, urgency, correction, access, revision),
        )
        if metadata is None:
            metadata = fields
        elif fields != _NO_METADATA:
            raise InvalidValueError(
                "Article got metadata and fields of it. Give either, or use article.replace(...)."
            )
        _set(self, "metadata", _validate_metadata(metadata))
        _set(self, "text", validate_text(text, "Article.text"))

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values; the arguments are those of the constructor.

        Raises:
            InvalidValueError: The id is blank, or a value is of the wrong type.
            TypeError: An article has no such field.
        """
        text = validate_text(changes.pop("text", self.text), "Article.text")
        if "id" in changes:
            changes["article_id"] = changes.pop("id")
        metadata = _validate_metadata(replace(self.metadata, **changes))
        return replace(self, metadata=metadata, text=text)


_NO_METADATA: Final = ArticleMetadata("", "")


def _validate_metadata(metadata: ArticleMetadata) -> ArticleMetadata:
    """Return an article's metadata with its dates aware and its authors as a tuple.

    Raises:
        InvalidValueError: The id is blank, or a value is of the wrong type.
    """
    for field_name in _TEXTS:
        name = "id" if field_name == "article_id" else field_name
        validate_text(getattr(metadata, field_name), f"Article.{name}")
    if not metadata.article_id.strip():
        raise InvalidValueError("Article.id is empty. Give each article an id of its own.")
    return replace(
        metadata,
        authors=validate_strings(metadata.authors, "Article.authors"),
        published=validate_moment(metadata.published, "Article.published"),
        updated=validate_moment(metadata.updated, "Article.updated"),
    )


@dataclass(frozen=True, slots=True)
class Span(Serializable):
    """A stretch of an article's text, in characters, half-open: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage(Serializable):
    """A stretch of one revision of an article: `text == article.text[start:end]`, always."""

    article_id: str
    revision: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit(Serializable):
    """A passage that was found, with its article's head; a higher `score` is better.

    `copies` are the other articles that print the same story, its first telling first.
    """

    passage: Passage
    metadata: ArticleMetadata
    score: float
    copies: tuple[ArticleMetadata, ...] = ()

    def _repr_html_(self) -> str:
        """Return the passage under its article's name, for a notebook."""
        return notebook.wrap(_source_line(self.metadata), notebook.quotation(self.passage.text))


def _source_line(metadata: ArticleMetadata, before: str = "") -> str:
    title = metadata.title or metadata.article_id
    publisher, url, published = metadata.publisher, metadata.url, metadata.published
    return notebook.source_line(title, publisher, url, published, before=before)


@dataclass(frozen=True, slots=True)
class PassageCandidate:
    """A passage that a search found, before its words are read: what it is ranked by.

    `number` is the passage's in the archive; `start` is where it begins in its article.
    """

    number: int
    start: int
    metadata: ArticleMetadata
    score: float
    copies: tuple[ArticleMetadata, ...] = ()

    def with_score(self, score: float) -> PassageCandidate:
        """Return it with another score: at once, for every search asks it of hundreds."""
        return PassageCandidate(self.number, self.start, self.metadata, score, self.copies)


@dataclass(frozen=True, slots=True)
class TimeRange(Serializable):
    """A stretch of time, half-open: `start <= t < end`; an end that is None is open.

    A hard window excludes what lies outside; a soft one only re-weights.
    """

    start: datetime | None = None
    end: datetime | None = None
    hard: bool = True

    def contains(self, moment: datetime) -> bool:
        """Return whether `moment` lies in the window."""
        return not (
            (self.start is not None and moment < self.start)
            or (self.end is not None and moment >= self.end)
        )


@dataclass(frozen=True, slots=True)
class Filters:
    """What an article must be to be found; an empty field asks for nothing.

    `after <= published < before`; an article without a date passes no date filter. A `date` is
    its midnight in UTC, and a naive datetime is UTC. Where `after` is not before `before`, nothing
    is found. Names may be given as one string or any iterable of strings.
    Publishers, authors, sections, languages and kinds are compared without regard to case.

    `access` names the rights that a reader has: articles pass that ask for one of them or for
    none. Without any, only unrestricted articles pass; `ALL_RIGHTS`, for who operates the archive,
    lets every article pass. Filters are true where they narrow by anything but rights.
    """

    after: datetime | None = None
    before: datetime | None = None
    publishers: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    access: Access = ()
    article_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("after", "before"):
            _set(self, name, validate_moment(getattr(self, name), f"Filters.{name}"))
        for name in _NAMES:
            _set(self, name, validate_names(getattr(self, name), f"Filters.{name}"))
        _set(self, "article_ids", validate_strings(self.article_ids, "Filters.article_ids"))
        if self.access is not ALL_RIGHTS:
            _set(self, "access", validate_names(self.access, "Filters.access"))

    def __bool__(self) -> bool:
        return any(
            value not in (None, ())
            for value in (
                *(self.after, self.before, self.publishers, self.authors, self.sections),
                *(self.languages, self.kinds, self.article_ids),
            )
        )

    def may_read(self, right: str) -> bool:
        """Return whether an article that asks for `right` ("" for none) may be read."""
        if not right or self.access is ALL_RIGHTS:
            return True
        return right.casefold() in {name.casefold() for name in self.access}


EVERYTHING: Final = Filters(access=ALL_RIGHTS)  # for what must see every article


@dataclass(frozen=True, slots=True)
class Citation(Serializable):
    """The exact words a statement rests on: `quote == article.text[start:end]`, always.

    `copies` are other articles that print the same story: one source, however many they are.
    """

    number: int
    quote: str
    start: int
    end: int
    passage: Passage
    metadata: ArticleMetadata
    copies: tuple[ArticleMetadata, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement(Serializable):
    """One sentence of an answer with what it rests on, and whether that bears it out."""

    text: str
    citations: tuple[Citation, ...] = ()
    support: Support = "supported"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Usage(Serializable):
    """What a chat model took and gave for an answer, in tokens, as its provider counts them.

    `cost` is in the currency of the prices that are set; 0 where none are.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer(Serializable):
    """An answer, or the plain statement that the archive does not say (`refused`).

    `hits` are the passages it was made from; `as_of` is the newest publication date among
    the cited ones; `removed` holds what was taken out for want of support; `closest` are the
    nearest articles' passages, given with a refusal; `reason` says why it was refused;
    `considered` is how many passages were weighed for it; `confidence` how probable it is that
    it holds what was asked, from 0 to 1, where that has been measured.
    """

    question: str
    statements: tuple[Statement, ...] = ()
    hits: tuple[Hit, ...] = ()
    newest_source: datetime | None = None
    refused: bool = False
    reason: str = ""
    nearest_hits: tuple[Hit, ...] = ()
    rejected_statements: tuple[Statement, ...] = ()
    understood: str = ""
    notice: str = field(default="")
    usage: Usage = Usage()
    candidates_considered: int = 0
    confidence: float | None = None

    @property
    def text(self) -> str:
        """The statements in order, one paragraph each, with their citation numbers.

        A number in brackets that an article itself has stands in parentheses: it cites nothing.
        """
        if self.refused:
            return self.reason
        return "\n\n".join(
            " ".join([neutralize_markers(s.text), *(f"[{c.number}]" for c in s.citations)])
            for s in self.statements
        )

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation once, in the order of its number."""
        unique = {(c.number, c.start, c.end): c for s in self.statements for c in s.citations}
        return tuple(sorted(unique.values(), key=lambda c: (c.number, c.start)))

    def _repr_html_(self) -> str:
        """Return the answer with its sources, or a refusal's closest articles, for a notebook."""
        sources = {c.number: _source_line(c.metadata, f"[{c.number}]") for c in self.citations}
        closest = {h.metadata.article_id: _source_line(h.metadata) for h in self.nearest_hits}
        return notebook.wrap(
            notebook.paragraphs(self.text),
            notebook.items(sources.values()),
            notebook.items(closest.values()) if self.refused else "",
            notebook.paragraphs(self.notice),
        )
