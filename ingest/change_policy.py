"""Decide who may change an existing article: its own site, a trusted source, or the operator.

Other changes are held: `backfile rejects` lists them, and `--accept` applies them exactly as they
were held. `ingest.provenance` decides which articles fetched content may supply at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest.export_format import from_record, to_record
from ingest.identity import is_version_of
from ingest.provenance import (
    ArticleWithOrigin,
    Hold,
    authority_of_id,
    fill_gaps,
    host_of_id,
    may_speak_for,
    trust_hint,
    without_origin,
)
from ingest.readers import KillNotice
from ingest.target import IngestTarget
from ingest.trusted_sources import NO_TRUST, TrustedSources
from rag.chunking import split_article, token_limit
from rag.errors import ReadError
from rag.schema import ALL_RIGHTS, Article
from rag.store.articles import content_hash
from rag.store.held_changes import ArticleOrigins, HeldChange, HeldChanges
from rag.urls import host_of, named_host

_NAME_LETTERS = 3  # letters that identify a publisher: "BBC" is in "BBC News"
TOO_MANY_HELD = (
    "too many changes are held: decide on those that `backfile rejects` lists, with "
    "`--accept` or `--forget`, then ingest again"
)


class ChangePolicy:
    """Admits or holds the articles of one ingest run."""

    def __init__(
        self,
        archive: IngestTarget,
        trust: TrustedSources = NO_TRUST,
        *,
        origins: ArticleOrigins | None = None,
        changes: HeldChanges | None = None,
        split_place: Callable[[str], tuple[str, str]] = lambda place: (place, ""),
    ) -> None:
        """Create a policy.

        Args:
            archive: The existing articles.
            trust: The trusted sources.
            origins: Where the host of each new article is saved; not saved if None.
            changes: Where held changes are saved; rejected without being saved if None.
            split_place: Splits a place into its source and the part within the source.
        """
        self._archive = archive
        self._trust = trust
        self._origins = origins
        self._changes = changes
        self._split_place = split_place
        self._fetched: dict[str, str] = {}  # hosts of the articles admitted in this run, by id
        self._new: dict[str, str] = {}
        self._reclaimed: dict[str, str] = {}  # hosts that reclaimed ids they had issued, by id
        self._through: dict[str, str] = {}  # hosts of articles admitted since the last commit

    def admit(self, batch: Sequence[Article]) -> tuple[list[Article], list[Hold]]:
        """Return the articles of a batch to add, and the changes to hold."""
        # A batch that failed is tried again article by article.
        self._new, self._reclaimed, self._through = {}, {}, {}
        before: dict[str, Article] = {}
        through, held = list[Article](), list[Hold]()
        for article in batch:
            if isinstance(article, ArticleWithOrigin):
                here = before.get(article.id) or self._archive.article(
                    article.id, access=ALL_RIGHTS
                )
                if article.hearsay:
                    article = _fill_gaps(article, here or article.hearsay)
                objection = self._objection(article, here) if here else ""
                if objection and not self._is_known(article):
                    held.append(_hold(article, objection))
                    continue
                host = named_host(article.origin)
                if host:
                    self._through[article.id] = host
                if host and not here:
                    self._new[article.id] = host
            before[article.id] = without_origin(article)
            through.append(before[article.id])
        if self._origins is None:
            self._fetched |= self._new | self._reclaimed
        return through, held

    def commit(self) -> None:
        """Save the hosts of the new articles after a batch was added.

        Changes held for articles that have been added since are dropped.
        """
        if self._origins:
            self._origins.save(self._new)
            self._origins.replace(self._reclaimed)
        if self._changes:
            self._changes.discard_added(self._through)
        self._new, self._reclaimed, self._through = {}, {}, {}

    def objection_to_kill(self, kill: KillNotice, article_id: str, here: Article | None) -> str:
        """Return why a kill notice may not withdraw this article; "" if it may.

        Args:
            kill: The kill notice.
            article_id: The article's id in the archive.
            here: The article; None if it isn't in the archive.
        """
        if kill.fetched_from:
            return self._objection_to_fetched_kill(kill, article_id, here)
        if here is None or not here.publisher or _is_same_name(here.publisher, kill.publisher):
            return ""
        who = kill.publisher or "an unnamed publisher"
        return f"{who} may not withdraw {article_id}, an article of {here.publisher}"

    def hold(self, hold: Hold) -> str:
        """Hold a change until the operator decides.

        Returns:
            The reason to report; "" if the change has been made already.

        Raises:
            ReadError: The article has no text.
        """
        if self._is_done(hold):
            return ""
        if self._changes is None:
            return hold.reason
        source, within = self._split_place(hold.place)
        reason = f"held as {hold.id}: {hold.reason}. Accept: `backfile rejects --accept {hold.id}`"
        kept = self._changes.save(
            HeldChange(
                id=hold.id,
                place=source + within,
                source=source,
                reason=hold.reason,
                at=datetime.now(UTC),
                action="put" if hold.article else "withdraw",
                article_id=hold.article_id,
                origin=named_host(hold.origin),
                content=json.dumps(to_record(without_origin(hold.article)))
                if hold.article
                else hold.words,
            )
        )
        return reason if kept else f"{hold.reason}. {TOO_MANY_HELD}"

    def _is_done(self, hold: Hold) -> bool:
        if hold.article:
            return self._is_known(hold.article.replace(id=hold.article_id))
        return bool(self._changes and self._changes.is_withdrawn(hold.article_id))

    def _is_known(self, article: Article) -> bool:
        """Return whether the article has, or once had, exactly this content."""
        try:
            mark = content_hash(article)
        except ReadError:  # no text: rejected when it is added
            return False
        return mark in self._archive.content_hashes([article.id]).get(article.id, frozenset())

    def _objection(self, article: ArticleWithOrigin, here: Article) -> str:
        if not article.origin:
            return _objection_to_saved(article, here) if article.url else ""
        owner, giver = self._owner(here), authority_of_id(here.id)
        if owner and may_speak_for(article.origin, owner, self._trust):
            return ""
        origin = named_host(article.origin)
        if giver and may_speak_for(article.origin, giver, self._trust):
            self._reclaimed[here.id] = origin  # back from the host that used the id first
            return ""
        if not owner:
            return f"{origin} may not change {here.id}, which came from elsewhere"
        host = named_host(owner)
        way = trust_hint(here.publisher or owner, host, origin)
        return f"{origin} may not change {here.id}, an article of {host}. To allow it: {way}"

    def _owner(self, here: Article) -> str:
        """Return the host, or an address, that an article belongs to; "" if it came from a file."""
        if host := host_of_id(here.id):
            return host
        hosts = self._fetched | self._new | self._reclaimed
        fetched = hosts.get(here.id) or (self._origins.of(here.id) if self._origins else "")
        return here.url or fetched

    def _objection_to_fetched_kill(
        self, kill: KillNotice, article_id: str, here: Article | None
    ) -> str:
        origin = named_host(kill.fetched_from)
        source = self._trust.source_that_may_kill(kill.fetched_from)
        if source is None:
            way = trust_hint(kill.publisher or origin, origin, kill=True)
            return f"{origin} may not withdraw articles. To allow it: {way}"
        owner = self._owner(here) if here else host_of_id(article_id)
        if owner:
            its_own = source.has(owner) or may_speak_for(kill.fetched_from, owner, self._trust)
        else:
            publishers = (kill.publisher, here.publisher if here else "")
            its_own = all(not name or _is_same_name(name, source.publisher) for name in publishers)
        if its_own:
            self._through[article_id] = origin
            return ""
        whose = (here.publisher if here else "") or named_host(owner) or "another publisher"
        return f"{source.publisher} may not withdraw {article_id}, an article of {whose}"


def accept_held_change(
    archive: IngestTarget, changes: HeldChanges, change: HeldChange, origins: ArticleOrigins
) -> str:
    """Apply a held change exactly as it was held.

    Args:
        archive: The archive.
        changes: The held changes, from which this one is removed.
        change: The change.
        origins: Where the host of a new article is saved.

    Returns:
        "new", "changed", "unchanged", "removed", or "kept out" if the article had been withdrawn.

    Raises:
        ReadError: The article can't be split into passages.
    """
    if change.action == "withdraw":
        archive.withdraw([change.article_id], reason=change.content)
        done = "removed"
    else:
        article = from_record(json.loads(change.content))
        counts: Any = archive.add(
            [(article, split_article(article, token_limit(archive.embeddings)))]
        )
        outcomes = {
            "new": counts.new, "changed": counts.changed, "kept out": counts.withdrawn,
        }  # fmt: skip
        done = next((name for name, count in outcomes.items() if count), "unchanged")
        if done == "new" and change.origin:
            origins.save({article.id: change.origin})
    changes.drop([change.id])
    return done


def _fill_gaps(article: ArticleWithOrigin, known: Article) -> ArticleWithOrigin:
    """Return a page's article with its gaps filled from `known`."""
    completed = fill_gaps(article, known)
    assert isinstance(completed, ArticleWithOrigin)  # `replace` keeps the class
    return completed


def _hold(article: ArticleWithOrigin, reason: str) -> Hold:
    return Hold(article.place, reason, article.id, article.origin, without_origin(article))


def _objection_to_saved(article: ArticleWithOrigin, here: Article) -> str:
    """Return why a saved page may not change the article at its address; "" if it may.

    Anyone can edit a saved page, so it must name the article's publisher or, if it names none,
    share the article's wording.
    """
    host = host_of(here.url) or host_of_id(here.id)
    unnamed = article.publisher in ("", host_of(article.url))
    if _is_same_publisher(article.publisher, here.publisher, host):
        wording = here.replace(title="", published=None, publisher="")
        if not unnamed or is_version_of(article, wording):
            return ""
        return f"a saved page without a publisher claims to be {here.id}, but has a different text"
    return (
        f"a saved page of {article.publisher or 'no publisher'} claims to be {here.id}, "
        f"an article of {here.publisher or host}"
    )


def _is_same_publisher(name: str, other: str, host: str) -> bool:
    """Return whether two names mean one publisher: one contains the other, or both fit the host."""
    short, long = sorted((_letters(name), _letters(other)), key=len)
    if short == long or (len(short) >= _NAME_LETTERS and short in long):
        return True
    return all(each in _letters(host) for each in (short, long))


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _is_same_name(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()
