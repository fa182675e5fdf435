"""Value types shared by the whole package; all are frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Generic, Literal, Self, TypeVar, overload

from rag import notebook
from rag.errors import InvalidValueError
from rag.notices import Notice as Notice  # re-exported with the other values
from rag.rights import ALL_RIGHTS as ALL_RIGHTS
from rag.rights import Access as Access
from rag.rights import Rights, rights_of
from rag.sanitize import neutralize_markers
from rag.serialize import Serializable
from rag.validation import validate_moment, validate_names, validate_strings, validate_text

AnswerStatus = Literal["answered", "sources disagree", "closest matches only", "not found"]
Support = Literal["supported", "partly", "unverified", "not supported", "contradicted"]

_TEXTS = (
    *("article_id", "title", "publisher", "url", "section", "language", "kind", "slugline"),
    *("correction", "access"),
)
_NAMES = ("publishers", "authors", "sections", "languages", "kinds", "excluded_publishers")
T = TypeVar("T")
_set = object.__setattr__  # lets frozen dataclasses normalise their own fields


@dataclass(frozen=True, slots=True)
class ArticleMetadata(Serializable):
    """Metadata of an article: everything except its text.

    Attributes:
        article_id: The article's id, the same in all of its revisions.
        title: The headline, "" if it has none.
        publisher: The newspaper or agency.
        url: The address to link to.
        authors: The authors' names, in order.
        published: The time of publication, with its own UTC offset; a day without a time is
            midnight UTC. None if unknown.
        updated: The time of the last change, likewise.
        section: The section of the newspaper.
        language: A language tag such as "en" or "en-GB".
        kind: The genre, such as "news" or "opinion".
        slugline: The agency's slugline.
        urgency: IPTC urgency, from 1 (most urgent) to 8.
        correction: The publisher's correction notice.
        access: The right that a reader needs, "" for none.
        revision: The number of this revision of the article, from 1.
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
    """Read-only attribute of an article that returns the metadata field of the same name."""

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
    """An article: its text, and everything else as `metadata`.

    Each metadata field is an attribute, too: `article.title` is `article.metadata.title`, and
    `article.id` is `article.metadata.article_id`. Change one with `replace`.

    Examples:
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
            id: The article's id, the same in all of its revisions.
            title: The headline; may be empty.
            text: The article's text, as plain text.
            publisher: The newspaper or agency.
            url: The address to link to.
            authors: One name, or several.
            published: The time of publication: a `datetime`, UTC if naive, or a `date`, which means
                midnight UTC.
            updated: The time of the last change, likewise.
            section: The section of the newspaper.
            language: A language tag such as "en" or "en-GB".
            kind: The genre, such as "news" or "opinion".
            slugline: The agency's slugline.
            urgency: IPTC urgency, 1 (most urgent) to 8.
            correction: The publisher's correction notice.
            access: The right that a reader needs; "" for everyone.
            revision: The number of this revision; an archive assigns its own.
            metadata: All of these but `text` as one value, instead of single fields.

        Raises:
            InvalidValueError: The id is blank, a value has the wrong type, or both `metadata` and
                single fields are given.
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
        """Return a copy with some fields changed.

        Args:
            **changes: New values, named as in the constructor.

        Returns:
            The changed copy.

        Raises:
            InvalidValueError: The id is blank, or a value has the wrong type.
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
    """A range of an article's text, in characters, half-open: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage(Serializable):
    """Part of one revision of an article, with the invariant `text == article.text[start:end]`.

    Attributes:
        article_id: The article's id.
        revision: The article's revision.
        start: Its start in the article's text, in characters.
        end: Its end, exclusive.
        text: Its text.
    """

    article_id: str
    revision: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit(Serializable):
    """A passage that a search found, with its article's metadata.

    Attributes:
        passage: The passage.
        metadata: The metadata of the passage's revision.
        score: The score of the search; higher is better. Scores of different searches aren't
            comparable.
        copies: Near-duplicates: other articles with the same story, the original first.
    """

    passage: Passage
    metadata: ArticleMetadata
    score: float
    copies: tuple[ArticleMetadata, ...] = ()

    def _repr_html_(self) -> str:
        """Return the passage and its source as HTML, for a notebook."""
        return notebook.wrap(_source_line(self.metadata), notebook.quotation(self.passage.text))


def _source_line(metadata: ArticleMetadata, before: str = "") -> str:
    title = metadata.title or metadata.article_id
    publisher, url, published = metadata.publisher, metadata.url, metadata.published
    return notebook.source_line(title, publisher, url, published, before=before)


@dataclass(frozen=True, slots=True)
class PassageCandidate:
    """A passage that a search found, without its text: the value that is ranked.

    Attributes:
        number: The passage's number in the archive.
        start: Its start in the article's text, in characters.
        metadata: The article's metadata.
        score: Higher is better.
        copies: Near-duplicates, the original first.
    """

    number: int
    start: int
    metadata: ArticleMetadata
    score: float
    copies: tuple[ArticleMetadata, ...] = ()

    def with_score(self, score: float) -> PassageCandidate:
        """Return a copy with a new score; faster than `replace`."""
        return PassageCandidate(self.number, self.start, self.metadata, score, self.copies)


@dataclass(frozen=True, slots=True)
class TimeRange(Serializable):
    """A half-open range of time: `start <= t < end`.

    Attributes:
        start: An aware datetime; None for no start.
        end: An aware datetime, exclusive; None for no end.
        hard: Whether articles outside of it are excluded; if not, they only rank lower.
    """

    start: datetime | None = None
    end: datetime | None = None
    hard: bool = True

    def contains(self, moment: datetime) -> bool:
        """Return whether an aware datetime lies in the range.

        Args:
            moment: An aware datetime.

        Returns:
            True if `start <= moment < end`.
        """
        return not (
            (self.start is not None and moment < self.start)
            or (self.end is not None and moment >= self.end)
        )


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on the articles of a search; an empty field is no condition.

    Names may be given as one string or any iterable of strings; except for ids, case is ignored.
    Filters are true if they have a condition besides `access`.

    Attributes:
        after: `after <= published`: a datetime (UTC if naive) or a date (midnight UTC). An article
            without a date passes no date filter.
        before: `published < before`, likewise. Unless it is later than `after`, nothing is found.
        publishers: Publishers, one of which the article must have.
        authors: Authors, one of whom the article must have.
        sections: Sections, one of which the article must be in.
        languages: Language tags, one of which the article must have.
        kinds: Genres, one of which the article must have.
        access: The reader's rights: names, of which articles that need a right must need one, or
            `Rights`; `ALL_RIGHTS`, for the archive's operator, lets every article pass.
        article_ids: Ids, one of which the article must have.
        excluded_publishers: Publishers, none of which the article may have.

    Raises:
        InvalidValueError: A value has the wrong type.
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
    excluded_publishers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Validate and normalise the fields; raises InvalidValueError."""
        for name in ("after", "before"):
            _set(self, name, validate_moment(getattr(self, name), f"Filters.{name}"))
        for name in _NAMES:
            _set(self, name, validate_names(getattr(self, name), f"Filters.{name}"))
        _set(self, "article_ids", validate_strings(self.article_ids, "Filters.article_ids"))
        if not isinstance(self.access, Rights):
            _set(self, "access", validate_names(self.access, "Filters.access"))

    def __bool__(self) -> bool:
        """Return whether any field but `access` is set."""
        return any(
            value not in (None, ())
            for value in (
                *(self.after, self.before, self.publishers, self.authors, self.sections),
                *(self.languages, self.kinds, self.article_ids, self.excluded_publishers),
            )
        )

    @property
    def rights(self) -> Rights:
        """Rights that `access` stands for."""
        return rights_of(self.access)

    def may_read(self, article: ArticleMetadata) -> bool:
        """Return whether `access` allows reading an article, by its metadata."""
        return self.rights.allow(
            publisher=article.publisher, section=article.section, access=article.access
        )


EVERYTHING: Final = Filters(access=ALL_RIGHTS)  # for callers that must see every article


@dataclass(frozen=True, slots=True)
class Citation(Serializable):
    """A quotation that supports a statement, with the invariant `quote == article.text[start:end]`.

    Attributes:
        number: The number of the source in the answer, from 1; citations of one article share it.
        quote: The quoted text.
        start: Its start in the article's text, in characters.
        end: Its end, exclusive.
        passage: The passage that contains it.
        metadata: The article's metadata.
        copies: Near-duplicates, the original first; together with the article they are one source.
    """

    number: int
    quote: str
    start: int
    end: int
    passage: Passage
    metadata: ArticleMetadata
    copies: tuple[ArticleMetadata, ...] = ()


@dataclass(frozen=True, slots=True)
class Grounding(Serializable):
    """A grounding model's judgement of a sentence.

    Attributes:
        probability: The probability that the evidence supports all of the sentence, from 0 to 1.
        unsupported: The ranges of the sentence that the evidence doesn't support, in order.
    """

    probability: float
    unsupported: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement(Serializable):
    """One sentence of an answer with its citations.

    Attributes:
        text: The sentence, without citation markers.
        citations: The citations that support it, in the order of their numbers.
        support: "supported", "partly", "unverified" (not decidable), "not supported" or
            "contradicted".
        reason: The reason why it isn't supported; None if it is.
        label: The origin of a quotation, such as its day or publisher, shown in brackets before it.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    support: Support = "supported"
    reason: Notice | None = None
    label: Notice | None = None


NO_ANSWER: Final = "No answer found in the archive."


@dataclass(frozen=True, slots=True)
class Usage(Serializable):
    """Tokens that a chat model read and wrote for an answer, as its provider counts them.

    Attributes:
        input_tokens: Tokens given to the model.
        output_tokens: Tokens written by it.
        cost: Their cost, in the currency of the configured prices; 0 without prices.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum of two usages."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True)
class Answer(Serializable):
    """An answer, or a refusal if the archive has none (`refused`).

    Attributes:
        question: The question, as asked.
        statements: The sentences of the answer, in order.
        hits: The passages from which it was made, best first.
        newest_source: The latest publication date among the cited articles; None if unknown.
        refused: Whether the archive has no answer.
        refusal: The reason for a refusal; None for an answer.
        nearest_hits: For a refusal, passages of the closest articles.
        rejected_statements: Statements that were removed because nothing supports them.
        understood: Constraints that were read from the question, such as a time range.
        notices: Notices for the reader; `ui.i18n.render` puts them into words.
        usage: The chat model's tokens.
        candidates_considered: The number of passages that were ranked.
        confidence: The calibrated probability that the answer is right, from 0 to 1; None if not
            measured.
    """

    question: str
    statements: tuple[Statement, ...] = ()
    hits: tuple[Hit, ...] = ()
    newest_source: datetime | None = None
    refused: bool = False
    refusal: Notice | None = None
    nearest_hits: tuple[Hit, ...] = ()
    rejected_statements: tuple[Statement, ...] = ()
    understood: tuple[Notice, ...] = ()
    notices: tuple[Notice, ...] = ()
    usage: Usage = Usage()
    candidates_considered: int = 0
    confidence: float | None = None

    @property
    def text(self) -> str:
        """Statements in order, one paragraph each, with their citation numbers.

        Bracketed numbers in an article's own text are put in parentheses, so that only citations
        look like citations. A refusal is `NO_ANSWER`.
        """
        if self.refused:
            return NO_ANSWER
        return "\n\n".join(map(_with_numbers, self.statements))

    @property
    def status(self) -> AnswerStatus:
        """The answer's status, from its statements and notices.

        "not found" for a refusal or without statements, "sources disagree" and "closest matches
        only" as the notices say, else "answered".
        """
        codes = {notice.code for notice in self.notices}
        if self.refused or not self.statements:
            return "not found"
        if codes & {"sources_disagree", "sources_disagree_newest_last"}:
            return "sources disagree"
        return "closest matches only" if "low_confidence" in codes else "answered"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as a dict of JSON's types, with its status.

        Returns:
            A dict that `json.dumps` takes, and from which `from_dict` makes an equal answer.
        """
        return {**Serializable.to_dict(self), "status": self.status}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Distinct citations, in the order of their numbers."""
        unique = {(c.number, c.start, c.end): c for s in self.statements for c in s.citations}
        return tuple(sorted(unique.values(), key=lambda c: (c.number, c.start)))

    def _repr_html_(self) -> str:
        """Return the answer with its sources, or the closest articles, as HTML for a notebook."""
        sources = {c.number: _source_line(c.metadata, f"[{c.number}]") for c in self.citations}
        closest = {h.metadata.article_id: _source_line(h.metadata) for h in self.nearest_hits}
        return notebook.wrap(
            notebook.paragraphs(self.text),
            notebook.paragraphs(neutralize_markers(str(self.refusal or ""))),
            notebook.items(sources.values()),
            notebook.items(closest.values()) if self.refused else "",
            notebook.paragraphs(neutralize_markers("\n\n".join(map(str, self.notices)))),
        )


def _with_numbers(statement: Statement) -> str:
    params = statement.label.params if statement.label else ()
    label = ", ".join(
        "; ".join(value) if isinstance(value, tuple) else value
        for _, value in params
        if isinstance(value, str | tuple)  # numbers alone say nothing
    )
    words = neutralize_markers(f"[{label}:] {statement.text}" if label else statement.text)
    return " ".join([words, *(f"[{citation.number}]" for citation in statement.citations)])
