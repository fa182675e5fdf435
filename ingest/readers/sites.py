"""Which addresses a page may name as its article's: those of its own site."""

from __future__ import annotations

from ingest.readers.ids import host_of

# Hosts whose pages are other hosts' pages, with the addresses that those have.
KEEPERS = ("archive.org", "ampproject.org")


def may_name(page: str, address: str) -> bool:
    """Whether the page at the address `page` may say that its article's address is `address`.

    Another site's it could only claim, and its text would become a revision of somebody else's
    article.  A page without an address, a saved one, may name any.
    """
    ours, theirs = host_of(page), host_of(address)
    if not ours or ours == theirs:
        return True
    if any(ours == keeper or ours.endswith(f".{keeper}") for keeper in KEEPERS):
        return True
    return _site(page) == _site(address)


def _site(address: str) -> str:
    from courlan import extract_domain  # 0.4 s: where the hosts differ

    return extract_domain(address) or host_of(address)
