"""Publishers by their domains: "usatoday.com" is the publisher of the articles there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.retrieval.backend import SearchBackend
from rag.schema import Access, Filters
from rag.urls import site_of

# "theweek.co.uk", also as an address; not "3.5" and not "p.m."
_DOMAIN = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?:www\.)?(?P<domain>[a-z\d](?:[a-z\d-]{0,60}[a-z\d])?(?:\.[a-z\d-]{1,60}){0,3}\.[a-z]{2,24})(?:/(?=\s|$|[?!,]))?(?![\w@-]|\.\w|/)",
    re.I,
)


def publisher_aliases(archive: SearchBackend, text: str, access: Access) -> str:
    """Return a question with each domain of the archive's articles replaced by its publisher.

    Args:
        archive: The archive.
        text: The question.
        access: The reader's rights, as in `Filters`.
    """
    if not _DOMAIN.search(text):
        return text
    publishers = archive.publishers(access=access)
    known = archive.publisher_domains(access=access)
    spelt = {name.casefold() for name in publishers}

    def name(m: re.Match[str]) -> str:
        domain = m["domain"].casefold()
        if domain in spelt:  # a publisher that is called by its domain
            return m[0]
        found = [p for p in _publishers_on(domain, known) if p in publishers]
        return found[0] if found else m[0]

    return _DOMAIN.sub(name, text)


def resolve_publishers(archive: SearchBackend, filters: Filters) -> Filters:
    """Return the filters with the publishers of domains such as "usatoday.com".

    Args:
        archive: The archive.
        filters: The filters; a publisher that the archive has stays as it is.
    """
    named = (*filters.publishers, *filters.excluded_publishers)
    if not any(_DOMAIN.fullmatch(name) for name in named):
        return filters
    spelt = {name.casefold() for name in archive.publishers(access=filters.access)}
    known = archive.publisher_domains(access=filters.access)

    def resolve(names: Sequence[str]) -> tuple[str, ...]:
        resolved: list[str] = []
        for given in names:
            m = _DOMAIN.fullmatch(given)
            found = _publishers_on(m["domain"].casefold(), known) if m else ()
            resolved += found if found and given.casefold() not in spelt else (given,)
        return tuple(dict.fromkeys(resolved))

    excluded = resolve(filters.excluded_publishers)
    return replace(filters, publishers=resolve(filters.publishers), excluded_publishers=excluded)


def _publishers_on(domain: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the publishers of a domain: of its own articles, or else of its site's."""
    if domain in known:
        return known[domain]
    site = site_of(domain)
    of_site = [
        publisher
        for host, publishers in known.items()
        if host.endswith(f".{domain}") or (site and domain == site and site_of(host) == site)
        for publisher in publishers
    ]
    return tuple(dict.fromkeys(of_site))
