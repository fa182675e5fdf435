"""Origin of an article, and the sites that an origin may supply articles for.

Files belong to the operator: all their articles are added. Fetched content belongs to its host: it
may add and change articles of its own site, and of the hosts listed with it as a trusted source.
Any other change is held until the operator decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256

from ingest.readers import NotedArticle, Reject
from ingest.trusted_sources import TrustedSources
from rag.schema import Article
from rag.store.articles import content_hash
from rag.store.crawl_state import is_file_location
from rag.urls import file_location, host_of, is_same_site, named_host, url_key, url_of_archived_copy

_HOST_AND_PATH = re.compile(
    # Top-level domains may be non-Latin: .рф
    r"(?i)\A((?:[\w-]++\.)++[^\W\d_][\w-]++(?::\d++)?|(?:\d{1,3}\.){3}\d{1,3}(?::\d++)?|"
    r"localhost(?::\d++)?)[/?]"
)
# URNs and tags contain the domain of the authority that issued them (RFC 3085, RFC 4151).
_AUTHORITY = re.compile(
    r"(?i)\A(?:urn:newsml:|tag:(?:[^@,:/]{1,64}+@)?)((?:[\w-]++\.)++[^\W\d_][\w-]++)[:,]"
)


@dataclass(frozen=True, slots=True, eq=False)
class ArticleWithOrigin(NotedArticle):
    """An article with its origin, until it is added.

    Attributes:
        origin: The final URL it was fetched from; "" for a saved page, which names its own address.
        place: The place shown to the user.
        hearsay: Metadata of the page given by another site.
    """

    origin: str = field(default="", compare=False)
    place: str = field(default="", compare=False)
    hearsay: Article | None = field(default=None, compare=False)


def with_origin(
    article: Article, *, origin: str = "", place: str = "", hearsay: Article | None = None
) -> ArticleWithOrigin:
    """Return an article with its origin; see `ArticleWithOrigin`."""
    notices = article.notices if isinstance(article, NotedArticle) else ()
    return ArticleWithOrigin(article.metadata, article.text, notices, origin, place, hearsay)


def without_origin(article: Article) -> Article:
    """Return an article without its origin, as it is stored."""
    return article.plain() if isinstance(article, NotedArticle) else article


@dataclass(frozen=True, slots=True)
class Hold(Reject):
    """A change that is held for the operator.

    Attributes:
        article_id: The article it would change.
        origin: The URL it was fetched from; "" for a file.
        article: The article to add; None for a withdrawal.
        words: The reason given for a withdrawal.
    """

    article_id: str = ""
    origin: str = ""
    article: Article | None = None
    words: str = ""

    @property
    def id(self) -> str:
        """Hash of the change, the same whenever the same change is read again."""
        what = content_hash(self.article) if self.article else self.words
        key = "\x1f".join((self.article_id, named_host(self.origin), what))
        return sha256(key.encode("utf-8", "replace")).hexdigest()[:12]


def host_of_id(article_id: str) -> str:
    """Return the host of an id that is a URL; "" for a number, a URN or a file location."""
    key = url_key(article_id)
    if key:
        return key.split("/", 1)[0].split("?", 1)[0]
    found = _HOST_AND_PATH.match(article_id)
    return found[1].casefold() if found else ""


def authority_of_id(article_id: str) -> str:
    """Return the domain that issued a URN or a tag; "" for any other id."""
    found = _AUTHORITY.match(article_id)
    return found[1].casefold() if found else ""


def may_speak_for(origin: str, address: str, trust: TrustedSources) -> bool:
    """Return whether content of `origin` may supply articles of an address or host.

    A copy in a web archive or an AMP cache counts as its original site.

    Args:
        origin: URL that was fetched.
        address: URL or host of the article.
        trust: The trusted sources.
    """
    if is_same_site(origin, address) or trust.share_a_source(origin, address):
        return True
    copied = url_of_archived_copy(origin)
    return bool(copied) and (is_same_site(copied, address) or trust.share_a_source(copied, address))


def origin_problem(article: Article, origin: str, trust: TrustedSources, *, place: str) -> str:
    """Return why fetched content may not supply this article; "" if it may.

    Changes to existing articles are checked by `ChangePolicy`.

    Args:
        article: The article that was read.
        origin: The final URL.
        trust: The trusted sources.
        place: The URL that was requested.
    """
    if is_file_location(article.id) and not article.id.partition(":")[2].startswith(
        file_location(place)
    ):
        return f"{article.id} is a file location: fetched content may not use it as an id"
    for address in (host_of_id(article.id), article.url):
        if address and not may_speak_for(origin, address, trust):
            return _foreign_article_reason(origin, address, article.publisher)
    return ""


def _foreign_article_reason(origin: str, address: str, publisher: str) -> str:
    ours, theirs = named_host(origin), named_host(address) or address[:80]
    way = trust_hint(publisher or theirs, theirs, ours)
    return f"{ours} may not add or change articles of {theirs}. To allow it: {way}"


def trust_hint(publisher: str, *hosts: str, kill: bool = False) -> str:
    """Return the command that trusts these hosts as one source.

    Args:
        publisher: The publisher's name.
        *hosts: Its hosts; empty ones are skipped.
        kill: Also allow kill notices.
    """
    named = " ".join(f"--host {host}" for host in dict.fromkeys(filter(None, hosts)))
    return f'`backfile sources add "{_quotable(publisher)}" {named}{" --may-kill" if kill else ""}`'


def _quotable(name: str) -> str:
    return re.sub(r'["\\`$\n]', "", name)[:80]


def fill_gaps(article: Article, known: Article) -> Article:
    """Return a page's article with its gaps filled from `known`."""
    named = article.publisher not in ("", host_of(article.url))
    return article.replace(
        title=article.title or known.title,
        authors=article.authors or known.authors,
        published=article.published or known.published,
        section=article.section or known.section,
        publisher=article.publisher if named or not known.publisher else known.publisher,
    )
