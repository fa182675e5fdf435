"""Who may change an article that is there: its own site, its trusted source, or the operator.

Anything else is held: it's listed by `backfile rejects`, and `--accept` lets in exactly what was
held. See `ingest.provenance` for what fetched content may hold at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest.archive_format import from_record, to_record
from ingest.identity import is_version_of
from ingest.provenance import (
    ArrivedArticle,
    Hold,
    authority_in,
    host_in_id,
    may_speak_for,
    trust_hint,
    with_host_as_publisher,
    without_origin,
)
from ingest.readers import KillNotice
from ingest.target import IngestTarget
from ingest.trusted_sources import NO_TRUST, TrustedSources
from rag.chunking import split_article
from rag.errors import ReadError
from rag.schema import ALL_RIGHTS, Article
from rag.store.articles import content_hash
from rag.store.held_changes import ArticleOrigins, HeldChange, HeldChanges
from rag.urls import host_of, named_host

_TELLING = 3  # letters of a name that tell a publisher: "BBC" is in "BBC News"
NO_ROOM = (
    "there is no room to hold it: `backfile rejects` lists what waits; decide on it with "
    "`--accept` or `--forget`, then ingest again"
)


class ChangePolicy:
    """Lets articles through that may be put, and holds the others, in one ingest."""

    def __init__(
        self,
        archive: IngestTarget,
        trust: TrustedSources = NO_TRUST,
        *,
        origins: ArticleOrigins | None = None,
        changes: HeldChanges | None = None,
        parted: Callable[[str], tuple[str, str]] = lambda place: (place, ""),
    ) -> None:
        """Nothing is remembered without `origins`, and nothing kept without `changes`.

        `parted` splits a place into the source it is in, and where it is in that.
        """
        self._archive = archive
        self._trust = trust
        self._origins = origins
        self._changes = changes
        self._parted = parted
        self._fetched: dict[str, str] = {}  # hosts of what this run has let through, by id
        self._new: dict[str, str] = {}
        self._reclaimed: dict[str, str] = {}  # by id, hosts that took their own ids back
        self._through: dict[
            str, str
        ] = {}  # hosts of all that was let through since the last settle

    def admit(self, batch: Sequence[Article]) -> tuple[list[Article], list[Hold]]:
        """Return the articles of a batch that may be put, as they are put, and what is held."""
        # What a batch left that failed, and is tried article by article.
        self._new, self._reclaimed, self._through = {}, {}, {}
        before: dict[str, Article] = {}
        through, held = list[Article](), list[Hold]()
        for article in batch:
            if isinstance(article, ArrivedArticle):
                here = before.get(article.id) or self._archive.article(
                    article.id, access=ALL_RIGHTS
                )
                if article.hearsay:
                    article = _completed(article, here or article.hearsay)
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
        """Remember which hosts the new articles of the batch that was put came from.

        What was held of an article that has gone in after all is forgotten.
        """
        if self._origins:
            self._origins.save(self._new)
            self._origins.replace(self._reclaimed)
        if self._changes:
            self._changes.settle(self._through)
        self._new, self._reclaimed, self._through = {}, {}, {}

    def objection_to_kill(self, kill: KillNotice, article_id: str, here: Article | None) -> str:
        """Return why an article is not to be taken down by this kill notice; "" where it is."""
        if kill.fetched_from:
            return self._objection_to_fetched_kill(kill, article_id, here)
        if here is None or not here.publisher or _is_same(here.publisher, kill.publisher):
            return ""
        who = f"{kill.publisher}'s" if kill.publisher else "an unnamed publisher's"
        return f"an article of {here.publisher} is not {who} to withdraw: {article_id}"

    def hold(self, hold: Hold) -> str:
        """Hold a change until the operator decides; return what to say of it, "" for nothing.

        What is in the archive already, or taken down already, is no change. Raises ReadError for
        an article that holds no text.
        """
        if self._is_done(hold):
            return ""
        if self._changes is None:
            return hold.reason
        source, within = self._parted(hold.place)
        said = f"held as {hold.id}: {hold.reason}; `backfile rejects --accept {hold.id}` lets it in"
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
        return said if kept else f"{hold.reason}; {NO_ROOM}"

    def _is_done(self, hold: Hold) -> bool:
        if hold.article:
            return self._is_known(hold.article.replace(id=hold.article_id))
        return bool(self._changes and self._changes.is_withdrawn(hold.article_id))

    def _is_known(self, article: Article) -> bool:
        """Whether the article stands, or once stood, exactly so."""
        try:
            mark = content_hash(article)
        except ReadError:  # no text: it is refused when it is put
            return False
        return mark in self._archive.content_hashes([article.id]).get(article.id, frozenset())

    # whose it is

    def _objection(self, article: ArrivedArticle, here: Article) -> str:
        if not article.origin:
            return _objection_to_saved(article, here) if article.url else ""
        owner, giver = self._owner(here), authority_in(here.id)
        if owner and may_speak_for(article.origin, owner, self._trust):
            return ""
        origin = named_host(article.origin)
        if giver and may_speak_for(article.origin, giver, self._trust):
            self._reclaimed[here.id] = origin  # from the host that used the id first
            return ""
        if not owner:
            return f"{origin} may not change {here.id}, which did not come from there"
        way = trust_hint(here.publisher or owner, named_host(owner), origin)
        return f"{origin} may not change {here.id}, which is {named_host(owner)}'s: {way} trusts it"

    def _owner(self, here: Article) -> str:
        """Return the host, or an address of the host, whose article it is; "" for a file's."""
        if host := host_in_id(here.id):
            return host
        hosts = self._fetched | self._new | self._reclaimed
        fetched = hosts.get(here.id) or (self._origins.of(here.id) if self._origins else "")
        return here.url or fetched

    def _objection_to_fetched_kill(
        self, kill: KillNotice, article_id: str, here: Article | None
    ) -> str:
        origin = named_host(kill.fetched_from)
        source = self._trust.killer(kill.fetched_from)
        if source is None:
            way = trust_hint(kill.publisher or origin, origin, kill=True)
            return f"{origin} may not take articles down: {way} lets it take down its own"
        owner = self._owner(here) if here else host_in_id(article_id)
        if owner:
            its_own = source.has(owner) or may_speak_for(kill.fetched_from, owner, self._trust)
        else:
            houses = (kill.publisher, here.publisher if here else "")
            its_own = all(not name or _is_same(name, source.publisher) for name in houses)
        if its_own:
            self._through[article_id] = origin
            return ""
        whose = (here.publisher if here else "") or named_host(owner) or "another publisher"
        return f"{article_id} is {whose}'s, and not {source.publisher}'s to withdraw"


def accept_held_change(
    archive: IngestTarget, changes: HeldChanges, change: HeldChange, origins: ArticleOrigins
) -> str:
    """Do what was held, exactly as it was held, and return what became of the article.

    "new", "changed", "unchanged", "removed", or "kept out" where it had been taken down. Raises
    ReadError where the article cannot be split.
    """
    if change.action == "withdraw":
        archive.withdraw([change.article_id], reason=change.content)
        done = "removed"
    else:
        article = from_record(json.loads(change.content))
        counts: Any = archive.add([(article, split_article(article, archive.embeddings))])
        outcomes = {
            "new": counts.new, "changed": counts.changed, "kept out": counts.withdrawn,
        }  # fmt: skip
        done = next((name for name, count in outcomes.items() if count), "unchanged")
        if done == "new" and change.origin:
            origins.save({article.id: change.origin})
    changes.drop([change.id])
    return done


def _completed(article: ArrivedArticle, known: Article) -> ArrivedArticle:
    """Return a page's article with what it lacks: what is there of it, or else what is said."""
    completed = with_host_as_publisher(article, known)
    assert isinstance(completed, ArrivedArticle)  # `replace` keeps the class
    return completed


def _hold(article: ArrivedArticle, reason: str) -> Hold:
    return Hold(article.place, reason, article.id, article.origin, without_origin(article))


def _objection_to_saved(article: ArrivedArticle, here: Article) -> str:
    """Return why a saved page may not change the article whose address it names; "" if it may.

    Who saved what where is not to be found out: the page must name the article's publisher, or
    where it names none, have the article's wording.
    """
    host = host_of(here.url) or host_in_id(here.id)
    unnamed = article.publisher in ("", host_of(article.url))
    if _is_house(article.publisher, here.publisher, host):
        wording = here.replace(title="", published=None, publisher="")
        if not unnamed or is_version_of(article, wording):
            return ""
        return f"a saved page that names no publisher passes for {here.id}, and has another text"
    return (
        f"a saved page of {article.publisher or 'no publisher'} passes for {here.id}, "
        f"an article of {here.publisher or host}"
    )


def _is_house(name: str, other: str, host: str) -> bool:
    """Whether two names are of one publisher: one has the other, or both are the host's."""
    short, long = sorted((_letters(name), _letters(other)), key=len)
    if short == long or (len(short) >= _TELLING and short in long):
        return True
    return all(each in _letters(host) for each in (short, long))


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _is_same(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()
