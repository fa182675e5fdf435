"""What keeps a page from being fetched; the following tells it as a reject."""

from rag.errors import BackfileError


class FetchError(BackfileError):
    """A page cannot be had, and why; `lasting` where asking again soon would not help."""

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.lasting = lasting


class ForbiddenError(FetchError):
    """The address is not a public one, and nobody said that it may be asked."""


class StoppedError(Exception):
    """The user wants it to stop: nothing is wrong with the page."""
