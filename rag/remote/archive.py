"""RemoteArchive: the archive and the chatbot of a server, to search, ask, read and take down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload
from urllib.parse import quote

from rag.answer.check_text import TextCheck
from rag.archive.browse import BrowseOrder, BrowsePage
from rag.archive.follower_state import FollowerState
from rag.archive.names import NameCount, NamePage
from rag.archive.stats import ArchiveStatus, CoverageGap, PublisherStatus
from rag.archive.view import SearchMode
from rag.errors import RemoteError
from rag.nlp.name_kinds import Kind
from rag.remote.connection import Connection, MissingError, error_of_problem
from rag.retrieval.hybrid import Relaxed
from rag.schema import Access, Answer, Article, Filters, Hit
from rag.store.revisions import Revision
from rag.validation import validate_question_time

if TYPE_CHECKING:
    import httpx2

    from rag.remote.retriever import RemoteRetriever

MOST_TURNS = 20  # of a conversation that a server takes
CHECK_SECONDS = 120.0  # a server is silent while it checks a draft: for 60 s, and its wait before


class RemoteArchive:
    """A server's archive, with these methods of `Archive` and `Chatbot`.

    It searches, asks, checks drafts, reads, browses, withdraws and reinstates. To add articles,
    send them to the server's `POST /v1/ingest`. To delete, erase, export or look up passages, open
    the archive's folder with `Archive`.

    What it finds are the articles that its token's rights allow; `access` and `Filters.access`
    don't widen them. Several threads may use it at once. A request that the server was too busy
    for is sent again when the server says.

    Examples:
        >>> with RemoteArchive("http://localhost:7860") as archive:
        ...     hits = archive.search("When was the treaty signed?")
        ...     answer = archive.ask("When was the treaty signed?")
    """

    def __init__(
        self,
        address: str,
        *,
        token: str = "",
        timeout: float = 60.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Connect to a server at the first call.

        Args:
            address: The server's address, such as `https://archive.paper.example`.
            token: A token of `backfile token add`; "" for what the server lets anyone do.
            timeout: The longest pause of an answer, in seconds.
            transport: A transport of httpx2 instead of the network.

        Raises:
            InvalidValueError: The address isn't one of http or https.
        """
        self._connection = Connection(address, token, timeout, transport)

    def __enter__(self) -> RemoteArchive:
        """Return the archive itself; leaving the `with` block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # search

    def search(
        self,
        query: str,
        k: int = 8,
        *,
        mode: SearchMode = "hybrid",
        filters: Filters = Filters(),
        asked_on: date | None = None,
        as_of: date | None = None,
    ) -> list[Hit]:
        """Return the `k` passages that answer a question or match a query; see `Archive.search`.

        Args:
            query: A question or keywords.
            k: The most passages to return, up to 100; none for 0.
            mode: "hybrid", "vector" or "bm25".
            filters: The filters that the articles must pass.
            asked_on: The day from which "last week" is counted, now by default.
            as_of: Search the archive as it was at the end of this day.

        Returns:
            Hits; a higher score is better.

        Raises:
            InvalidValueError: A value is invalid.
            QuestionTooLongError: The question is too long.
            RemoteError: The server can't be reached, or refuses the request.
        """
        return self.find(query, k, mode=mode, filters=filters, asked_on=asked_on, as_of=as_of)[0]

    def find(
        self,
        query: str,
        k: int = 8,
        *,
        mode: SearchMode = "hybrid",
        filters: Filters = Filters(),
        asked_on: date | None = None,
        as_of: date | None = None,
    ) -> tuple[list[Hit], Relaxed]:
        """Return what `search` does, and the constraint of the question that was ignored.

        Args:
            query: As in `search`.
            k: As in `search`.
            mode: As in `search`.
            filters: As in `search`.
            asked_on: As in `search`.
            as_of: As in `search`.

        Returns:
            The hits, and "headline", "named", "empty" or ""; see `NewsRetriever`.
        """
        days = {"asked_on": _day(asked_on, "asked_on"), "as_of": _day(as_of, "as_of")}
        if k < 1:
            return [], ""
        body = {
            "query": query,
            "k": k,
            "mode": mode,
            "filters": _fields(filters),
            **days,
        }
        found = self._connection.post("search", body)
        return [Hit.from_dict(hit) for hit in found["hits"]], found["relaxed"]

    def as_retriever(
        self, *, k: int = 8, filters: Filters = Filters(), asked_on: date | None = None
    ) -> RemoteRetriever:
        """Return a LangChain retriever, whose documents are as of `NewsRetriever`.

        Args:
            k: The most documents to return; a call may override it.
            filters: As in `search`.
            asked_on: As in `search`.

        Returns:
            The retriever.
        """
        from rag.remote.retriever import RemoteRetriever  # importing it takes 0.2 s

        return RemoteRetriever(archive=self, k=k, filters=filters, asked_on=asked_on)  # type: ignore[arg-type]

    # answers

    def ask(
        self,
        question: str,
        *,
        filters: Filters = Filters(),
        asked_on: date | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
        as_of: date | None = None,
    ) -> Answer:
        """Return the complete answer: the last one of `stream`.

        Args:
            question: A question.
            filters: The filters that the articles must pass.
            asked_on: The day from which "last week" is counted.
            history: The earlier turns, oldest first; the last 20 count.
            k: The most passages to answer from.
            as_of: Answer from the archive as it was at the end of this day.

        Returns:
            The answer; `refused` is set if the archive has none.

        Raises:
            InvalidValueError: A value is invalid.
            QuestionTooLongError: The question is too long.
            RemoteError: The server can't be reached, or refuses the request.
        """
        body = _question(question, filters, asked_on, history, k, as_of)
        return Answer.from_dict(self._connection.post("ask", body))

    def stream(
        self,
        question: str,
        *,
        filters: Filters = Filters(),
        asked_on: date | None = None,
        history: Sequence[tuple[str, Answer] | str] = (),
        k: int = 8,
        as_of: date | None = None,
    ) -> Iterator[Answer]:
        """Yield the answer as it grows, complete so far each time; the last one is final.

        Args:
            question: A question.
            filters: As in `ask`.
            asked_on: As in `ask`.
            history: As in `ask`.
            k: As in `ask`.
            as_of: As in `ask`.

        Yields:
            Answers, at least one. Closing the iterator stops the server's work.

        Raises:
            InvalidValueError: A value is invalid.
            QuestionTooLongError: The question is too long.
            RemoteError: The server can't be reached, refuses the request, or stopped in between.
        """
        body = _question(question, filters, asked_on, history, k, as_of)
        for name, value in self._connection.events("ask", body):
            if name == "problem":
                raise error_of_problem(value)
            if name == "final":
                return  # the same as the answer before
            yield Answer.from_dict(value)
        raise RemoteError(
            "The server stopped in the middle of an answer. Ask again.", code="remote_stopped"
        )

    def check(
        self,
        text: str,
        *,
        filters: Filters = Filters(),
        written_on: date | None = None,
        as_of: date | None = None,
    ) -> TextCheck:
        """Check a draft against the archive, sentence by sentence; see `Chatbot.check`.

        Args:
            text: The draft, as plain text or Markdown.
            filters: The filters that the articles must pass.
            written_on: The day of the draft, now by default.
            as_of: Check against the archive as it was at the end of this day.

        Returns:
            The sentences with their outcomes and the passages that decide them. After a minute of
            the server's time, the remaining sentences are "not checked".

        Raises:
            InvalidValueError: The draft is empty or too long, or a date is invalid.
            RemoteError: The server can't be reached, or refuses the request.
        """
        body = {
            "text": text,
            "filters": _fields(filters),
            "written_on": _day(written_on, "written_on"),
            "as_of": _day(as_of, "as_of"),
        }
        return TextCheck.from_dict(self._connection.post("check", body, seconds=CHECK_SECONDS))

    # lookup

    def article(
        self, article_id: str, revision: int | None = None, *, access: Access = ()
    ) -> Article | None:
        """Return the current or another revision of an article.

        Args:
            article_id: The article's id.
            revision: The number of the revision; None for the current one.
            access: Ignored: the token's rights count.

        Returns:
            The article; None if the archive doesn't have it, or not for this token.
        """
        found = self._read(article_id, revision)
        return Article.from_dict(found["article"]) if found else None

    @overload
    def get(  # type: ignore[overload-overlap]  # a string is an iterable of strings, too
        self, ids: str, *, access: Access = ()
    ) -> Article | None: ...
    @overload
    def get(self, ids: Iterable[str], *, access: Access = ()) -> list[Article]: ...
    def get(
        self, ids: str | Iterable[str], *, access: Access = ()
    ) -> Article | list[Article] | None:
        """Return articles by their ids.

        Args:
            ids: One id, or several.
            access: Ignored: the token's rights count.

        Returns:
            For one id the article, or None if it is missing; for several a list of those found,
            in the order of the ids, without repetition.
        """
        if isinstance(ids, str):
            return self.article(ids)
        found = (self.article(article_id) for article_id in dict.fromkeys(ids))
        return [article for article in found if article is not None]

    def revisions(self, article_id: str, *, access: Access = ()) -> tuple[Revision, ...]:
        """Return all revisions of an article, oldest first; none if it isn't in the archive.

        Args:
            article_id: The article's id.
            access: Ignored: the token's rights count.

        Returns:
            The revisions, with the times at which they were added and replaced.
        """
        found = self._read(article_id, None)
        revisions = []
        for one in found["revisions"] if found else ():
            article = self.article(article_id, one["revision"])
            if article is not None:
                revisions.append(Revision(article, *map(_moment, (one["added"], one["ended"]))))  # type: ignore[arg-type]
        return tuple(revisions)

    # takedowns

    def withdraw(self, ids: str | Iterable[str], *, reason: str = "") -> int:
        """Withdraw articles from all answers, and reject them if they are added again.

        The token needs the scope `ingest`.

        Args:
            ids: One id, or several; articles that the archive doesn't have, or not for this token,
                are ignored.
            reason: The reason, stored with the withdrawal.

        Returns:
            The number of these articles that are withdrawn now, with those that were before.

        Raises:
            ArchiveLockedError: Another process is writing to the archive.
            RemoteError: The server can't be reached, or the token may not do this.
        """
        return self._delete("articles", ids, {"reason": reason})

    def reinstate(self, ids: str | Iterable[str]) -> int:
        """Undo withdrawals. Erased articles have to be added again.

        The token needs the scope `ingest`.

        Args:
            ids: One id, or several; those that were not withdrawn, or that the token may not see,
                are ignored.

        Returns:
            The number of articles that are in the archive again, as they were.

        Raises:
            ArchiveLockedError: Another process is writing to the archive.
            RemoteError: The server can't be reached, or the token may not do this.
        """
        return self._delete("withdrawals", ids, {})

    def _delete(self, path: str, ids: str | Iterable[str], query: dict[str, Any]) -> int:
        found = 0
        for article_id in dict.fromkeys([ids] if isinstance(ids, str) else ids):
            if article_id:
                with suppress(MissingError):
                    self._connection.delete(f"{path}/{quote(article_id, safe='')}", query)
                    found += 1
        return found

    def _read(self, article_id: str, revision: int | None) -> dict[str, Any] | None:
        if not article_id:
            return None
        try:
            return self._connection.get(
                f"articles/{quote(article_id, safe='')}", {"revision": revision}
            )
        except MissingError:
            return None

    # browsing

    def browse(
        self,
        words: str = "",
        *,
        filters: Filters = Filters(),
        order: BrowseOrder = "date",
        cursor: str = "",
        limit: int = 50,
    ) -> BrowsePage:
        """Return a page of the articles that match; see `Archive.browse`.

        Args:
            words: Words and "phrases" with AND, OR, NOT and brackets; "" for all articles.
            filters: The filters that the articles must pass.
            order: "date" or "relevance".
            cursor: The `cursor` of the page before, for the same words, filters and limit; "" for
                the first page. It stays valid when the archive changes, or the server restarts.
            limit: The most articles on a page, up to 1,000.

        Returns:
            The page: see `BrowsePage`.

        Raises:
            InvalidValueError: A value is invalid.
            QuestionTooLongError: `words` is too long.
            RemoteError: As in `search`.
        """
        query = {"q": words, "order": order, "cursor": cursor, "limit": limit, **_fields(filters)}
        return BrowsePage.from_dict(self._connection.get("articles", query))

    def names(
        self,
        kind: Kind | None = None,
        prefix: str = "",
        *,
        limit: int = 100,
        filters: Filters = Filters(),
    ) -> tuple[NameCount, ...]:
        """Return the names of people, places and organisations; see `Archive.names`.

        Args:
            kind: "person", "place" or "organisation"; None for all of them.
            prefix: How the name, a word in it or another form of it begins.
            limit: The most names to return, up to 1,000.
            filters: The filters that the articles must pass.

        Returns:
            Names with their numbers of articles.
        """
        query = {"kind": kind, "prefix": prefix, "limit": limit, **_fields(filters)}
        found = self._connection.get("names", query)["names"]
        return tuple(NameCount.from_dict(one) for one in found)

    def name(
        self,
        name: str,
        kind: Kind | None = None,
        *,
        limit: int = 20,
        filters: Filters = Filters(),
    ) -> NamePage:
        """Return what the archive has about a name; see `Archive.name`.

        Args:
            name: Any form of the name.
            kind: "person", "place" or "organisation"; None for the one with most articles.
            limit: The most articles to return, up to 200.
            filters: The filters that the articles must pass.

        Returns:
            The page: see `NamePage`. It has no articles if the name isn't in the archive.
        """
        query = {"kind": kind, "limit": limit, **_fields(filters)}
        return NamePage.from_dict(self._connection.get(f"names/{quote(name, safe='')}", query))

    def status(self, *, access: Access = ()) -> ArchiveStatus:
        """Return the archive's statistics.

        Args:
            access: Ignored: the token's rights count.

        Returns:
            The statistics, without the folder, the last run and a switch of models. A token that
            doesn't see everything gets neither the size nor the time of the last ingest.
        """
        found = self._connection.get("status", {})
        publishers = tuple(
            PublisherStatus(
                one["name"], one["articles"], _moment(one["first"]), _moment(one["last"])
            )
            for one in found["publishers"]
        )
        gaps = tuple(
            CoverageGap(
                gap["publisher"],
                date.fromisoformat(gap["first"]),
                date.fromisoformat(gap["last"]),
                gap["usual"],
                gap["goes_on"],
            )
            for gap in found["gaps"]
        )
        return ArchiveStatus(
            path=Path(),
            articles=found["articles"],
            passages=found["passages"],
            publishers=publishers,
            first=_moment(found["first"]),
            last=_moment(found["last"]),
            last_ingest=_moment(found["last_ingest"]),
            bytes=found["bytes"] or 0,
            embedding_model=found["embedding_model"],
            sequence=found["sequence"],
            stories_told_again=found["stories_told_again"],
            copies=found["copies"],
            gaps=gaps,
            record=_record(found.get("record")),
        )


def _record(state: dict[str, Any] | None) -> FollowerState | None:
    return FollowerState(**{**state, "as_of": _moment(state["as_of"])}) if state else None


def _question(
    question: str,
    filters: Filters,
    asked_on: date | None,
    history: Sequence[tuple[str, Answer] | str],
    k: int,
    as_of: date | None,
) -> dict[str, Any]:
    turns = [
        {"question": one}
        if isinstance(one, str)
        else {"question": one[0], "answer": one[1].to_dict()}
        for one in history[-MOST_TURNS:]
    ]
    return {
        "question": question,
        "filters": _fields(filters),
        "history": turns,
        "k": k,
        "asked_on": _day(asked_on, "asked_on"),
        "as_of": _day(as_of, "as_of"),
    }


def _fields(filters: Filters) -> dict[str, Any]:
    """Return the fields of filters that are set, as the API has them."""
    names = (
        *("publishers", "authors", "sections", "languages", "kinds", "article_ids"),
        "excluded_publishers",
    )
    found: dict[str, Any] = {name: list(getattr(filters, name)) for name in names}
    for name in ("after", "before"):
        moment = getattr(filters, name)
        found[name] = moment.isoformat() if moment else None
    return {name: value for name, value in found.items() if value}


def _day(day: date | None, name: str) -> str | None:
    moment = validate_question_time(day, name)
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
