"""Address of a Chroma server."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from rag.errors import SettingsError


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Address of a Chroma server, and what a request to it needs.

    Attributes:
        url: `http://` or `https://`, a host, and a port or path; no credentials.
        token: Sent as a bearer token; "" for none.
        tenant: The tenant.
        database: Its database.
        seconds: The longest time that a search may take.
    """

    url: str
    token: str = ""
    tenant: str = "default_tenant"
    database: str = "default_database"
    seconds: float = 2.0

    def __repr__(self) -> str:
        """Return the address without the token."""
        return f"ServerAddress({self.url!r}, tenant={self.tenant!r}, database={self.database!r})"


def check_address(url: str) -> None:
    """Check the address of a Chroma server.

    Raises:
        SettingsError: It isn't one of http or https, or has credentials, a query or a fragment.
    """
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
    except ValueError:
        usable = False
    if not usable or split.username or split.password or set(url) & set("?#@ "):
        shown = "it has a name or password; use BACKFILE_CHROMA_TOKEN" if "@" in url else repr(url)
        raise SettingsError(
            f"BACKFILE_CHROMA isn't the address of a server, as http://localhost:8000: {shown}"
        )
