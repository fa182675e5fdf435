"""Services: the archive and the chatbot of a server, as each reader may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request

from rag.archive.restricted import RestrictedArchive
from ui.accounts.audit import OFF, AuditLog, Sender
from ui.api.openai.errors import is_openai_path
from ui.api.problems import ProblemError
from ui.readers import Obstacle, Reader, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive
    from rag.settings import Settings
    from ui.accounts.audit import Via

ADDING_NEEDS = (
    "Adding articles needs the right to see all of them, since it may change any: ask for a user "
    "with --every-access, without --publisher and --section."
)

_START_TOKEN = "the one that `backfile serve` printed at its start, or BACKFILE_TOKEN"  # nosec B105 # words for readers
_WHY: Final[dict[Obstacle, str]] = {
    "unknown token": f"The token is not valid here. Without users, the only one is {_START_TOKEN}.",
    "no token": f"This needs a token, as Authorization: Bearer ...: {_START_TOKEN}.",
    "not local": "Without users, this is for programs on the server's machine, without a proxy. "
    "Add a user: backfile user add NAME.",
    "other site": "Pages of other sites may not do this.",
    "nobody writes": "This server lets nobody do this: BACKFILE_WRITE_ACCESS=none.",
}


@dataclass(frozen=True, slots=True)
class Services:
    """Archive, chatbot and settings of a server, for the endpoints.

    Attributes:
        archive: The archive, open for reading. Endpoints use `archive_for` instead.
        chatbot: Answers from the archive. Endpoints use `chatbot_for` instead.
        settings: The server's settings.
        audit: The audit log; by default, one that is off.
    """

    archive: Archive
    chatbot: Chatbot
    settings: Settings
    audit: AuditLog = OFF

    def archive_for(self, reader: Reader) -> RestrictedArchive:
        """Return the archive as a reader may see it."""
        return RestrictedArchive(self.archive, reader.rights)

    def chatbot_for(self, reader: Reader) -> Chatbot:
        """Return the chatbot over the archive as a reader may see it."""
        return self.chatbot.restricted_to(reader.rights)


def services_of(request: Request) -> Services:
    """Return the services of the application that answers a request."""
    found: Services = request.app.state.services
    return found


def missing_scope(reader: Reader, scope: Scope) -> ProblemError:
    """Return the problem of a reader who lacks a scope."""
    if reader.obstacle == "unknown token":
        headers = {"WWW-Authenticate": "Bearer"}
        return ProblemError(401, "not-authenticated", _WHY["unknown token"], headers=headers)
    lacking = f"Your token lacks the scope {scope!r}."
    detail = _WHY[reader.obstacle] if reader.obstacle else lacking
    return ProblemError(403, "scope-missing", detail)


def reader_with(scope: Scope) -> Callable[[Request], Reader]:
    """Return a dependency: the sender of a request, who must have a scope."""

    def find(request: Request) -> Reader:
        reader: Reader | None = request.scope.get("state", {}).get("reader")
        if reader is None:
            raise ProblemError(
                401, "not-authenticated", "Send a token: Authorization: Bearer bf_..."
            )
        if not reader.may(scope):
            raise missing_scope(reader, scope)
        return reader

    return find


def sender_with(scope: Scope) -> Callable[[Request], Sender]:
    """Return a dependency: the sender of a request, who must have a scope, for the audit log."""
    find_reader = reader_with(scope)

    def find(request: Request) -> Sender:
        client = request.scope.get("state", {}).get("client", "")
        via: Via = "openai" if is_openai_path(request.url.path) else "api"
        return Sender(services_of(request).audit, find_reader(request), client, via)

    return find


def adding_sender(request: Request) -> Sender:
    """Dependency: the sender of a request, who may add articles."""
    sender = sender_with("ingest")(request)
    if not sender.reader.may_add:
        raise ProblemError(403, "rights-missing", ADDING_NEEDS)
    return sender


# Parameters of endpoints. FastAPI reads annotations at run time: import these for real.
CurrentServices = Annotated[Services, Depends(services_of)]
CurrentReader = Annotated[Reader, Depends(reader_with("read"))]
CurrentEditor = Annotated[Reader, Depends(reader_with("ingest"))]
CurrentAdministrator = Annotated[Reader, Depends(reader_with("admin"))]
EditingSender = Annotated[Sender, Depends(sender_with("ingest"))]
AddingSender = Annotated[Sender, Depends(adding_sender)]
