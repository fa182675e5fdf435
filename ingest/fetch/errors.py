"""Errors of fetching one page; the crawler reports them as rejects."""

from rag.errors import BackfileError


class FetchError(BackfileError):
    """A page could not be fetched.

    Attributes:
        lasting: Whether retrying soon would fail as well.
    """

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        """Create the error with its reason, and whether it is `lasting`."""
        super().__init__(reason)
        self.lasting = lasting


class ForbiddenError(FetchError):
    """The host has a private address and isn't allowed by the user."""


class StoppedError(Exception):
    """The user stopped the run."""
