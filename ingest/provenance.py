"""Where an article came from, and which addresses such an origin may speak for.

Files are the operator's: what they hold goes in. Fetched content is its host's: it may add and
change articles of its own site, and of the hosts that its trusted source lists. What else it
holds is held until the operator decides.
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
    # A top-level domain may be of other letters too: .рф
    r"(?i)\A((?:[\w-]++\.)++[^\W\d_][\w-]++(?::\d++)?|(?:\d{1,3}\.){3}\d{1,3}(?::\d++)?|"
    r"localhost(?::\d++)?)[/?]"
)
# Who gave a URN or a tag names itself in it by its domain (RFC 3085, RFC 4151).
_AUTHORITY = re.compile(
    r"(?i)\A(?:urn:newsml:|tag:(?:[^@,:/]{1,64}+@)?)((?:[\w-]++\.)++[^\W\d_][\w-]++)[:,]"
)


@dataclass(frozen=True, slots=True, eq=False)
class ArrivedArticle(NotedArticle):
    """An article with where it came from, until it is put.

    `origin` is the address that was fetched in the end, "" for a saved page, which is known by
    the address that it names itself; `hearsay` what another site said of the page.
    """

    origin: str = field(default="", compare=False)
    place: str = field(default="", compare=False)
    hearsay: Article | None = field(default=None, compare=False)


def with_origin(
    article: Article, *, origin: str = "", place: str = "", hearsay: Article | None = None
) -> ArrivedArticle:
    """Return an article with where it came from."""
    notices = article.notices if isinstance(article, NotedArticle) else ()
    return ArrivedArticle(article.metadata, article.text, notices, origin, place, hearsay)


def without_origin(article: Article) -> Article:
    """Return an article without where it came from, as it is put."""
    return article.plain() if isinstance(article, NotedArticle) else article


@dataclass(frozen=True, slots=True)
class Hold(Reject):
    """A change that is held: `article` is what would be put, None where one would be taken down.

    `origin` is the address that it was fetched from, "" for a file; `article_id` the article that
    it would change.
    """

    article_id: str = ""
    origin: str = ""
    article: Article | None = None
    words: str = ""

    @property
    def id(self) -> str:
        """The hash of what would be done: the same change has the same one, however often read."""
        what = content_hash(self.article) if self.article else self.words
        said = "\x1f".join((self.article_id, named_host(self.origin), what))
        return sha256(said.encode("utf-8", "replace")).hexdigest()[:12]


def host_in_id(article_id: str) -> str:
    """Return the host whose address an id is, "" for a number, a URN or a file's place."""
    key = url_key(article_id)
    if key:
        return key.split("/", 1)[0].split("?", 1)[0]
    found = _HOST_AND_PATH.match(article_id)
    return found[1].casefold() if found else ""


def authority_in(article_id: str) -> str:
    """Return the domain that names itself as the giver of a URN or a tag, "" for any other id."""
    found = _AUTHORITY.match(article_id)
    return found[1].casefold() if found else ""


def may_speak_for(origin: str, address: str, trust: TrustedSources) -> bool:
    """Whether content of `origin` may hold articles of an address or a host.

    A copy in a web archive or an AMP cache speaks for the site that it is a copy of.
    """
    if is_same_site(origin, address) or trust.lists_both(origin, address):
        return True
    copied = url_of_archived_copy(origin)
    return bool(copied) and (is_same_site(copied, address) or trust.lists_both(copied, address))


def origin_problem(article: Article, origin: str, trust: TrustedSources, *, place: str) -> str:
    """Return why fetched content may not hold this article at all; "" where it may.

    `place` is the address that was asked for. Whether an article of that id is there already, and
    whose it is, is another question.
    """
    if is_file_location(article.id) and not article.id.partition(":")[2].startswith(
        file_location(place)
    ):
        return f"{article.id} is the place of a file, which nothing that is fetched may name"
    for address in (host_in_id(article.id), article.url):
        if address and not may_speak_for(origin, address, trust):
            return _not_its_own(origin, address, article.publisher)
    return ""


def _not_its_own(origin: str, address: str, publisher: str) -> str:
    ours, theirs = named_host(origin), named_host(address) or address[:80]
    way = trust_hint(publisher or theirs, theirs, ours)
    return f"{ours} may not add or change an article of {theirs}: {way} trusts it to"


def trust_hint(publisher: str, *hosts: str, kill: bool = False) -> str:
    """Return the command by which an operator trusts these hosts as one source."""
    named = " ".join(f"--host {host}" for host in dict.fromkeys(filter(None, hosts)))
    return f'`backfile sources add "{_quotable(publisher)}" {named}{" --may-kill" if kill else ""}`'


def _quotable(name: str) -> str:
    return re.sub(r'["\\`$\n]', "", name)[:80]


def with_host_as_publisher(article: Article, known: Article) -> Article:
    """Return a page's article with what it lacks from what was known of it before."""
    named = article.publisher not in ("", host_of(article.url))
    return article.replace(
        title=article.title or known.title,
        authors=article.authors or known.authors,
        published=article.published or known.published,
        section=article.section or known.section,
        publisher=article.publisher if named or not known.publisher else known.publisher,
    )
