"""The archive as the reader sees it whose request is being handled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from rag.archive.restricted import RestrictedArchive
from rag.archive.saved import Saved
from rag.rights import ALL_RIGHTS, Rights
from ui.accounts.audit import Action, Activity, AuditLog, Sender, Via
from ui.readers import LOCAL_VISITOR, Reader

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot
    from rag.archive.archive import Archive

NO_RIGHTS = Rights(publishers=(), sections=())
NOBODY = Reader("nobody", frozenset(), NO_RIGHTS)


@dataclass(frozen=True, slots=True)
class ReaderView:
    """An archive and its chatbot, as each reader may use them.

    The reader is that of the request whose handler runs: Gradio keeps it in a context variable.
    With users, a handler without a reader sees nothing.

    Attributes:
        whole_archive: The archive, for handlers that have checked write access.
        whole_chatbot: The chatbot over it.
        needs_login: Whether there are users.
        audit: The audit log; None for none.
    """

    whole_archive: Archive
    whole_chatbot: Chatbot
    needs_login: Callable[[], bool] = lambda: False
    audit: AuditLog | None = None

    @property
    def reader(self) -> Reader:
        """Sender of the request that is being handled."""
        found = current_reader()
        if not self.needs_login():
            return found or LOCAL_VISITOR
        return found if found is not None and not is_local(found) else NOBODY

    @property
    def rights(self) -> Rights | None:
        """Rights of the reader; None without users, when the archive isn't restricted."""
        return self.reader.rights if self.needs_login() else None

    @property
    def archive(self) -> Archive:
        """The archive as the reader may see it."""
        rights = self.rights
        if rights is None:
            return self.whole_archive
        return cast("Archive", RestrictedArchive(self.whole_archive, rights))

    @property
    def chatbot(self) -> Chatbot:
        """The chatbot over the archive as the reader may see it."""
        rights = self.rights
        return self.whole_chatbot if rights is None else self.whole_chatbot.restricted_to(rights)

    @property
    def saved(self) -> Saved:
        """The saved searches and dossiers of the reader."""
        saved = self.whole_archive.saved
        return saved.of(self.reader.id) if self.needs_login() else saved

    @property
    def saved_rights(self) -> Rights:
        """Rights for saved items; everything without users, as only editors do."""
        return self.rights or ALL_RIGHTS

    def record(
        self, action: Action, *, question: str = "", via: Via = "page", **details: str | int
    ) -> None:
        """Append what the reader did to the audit log."""
        if sender := self.sender(via):
            sender.record(Activity(action, question, details))

    def sender(self, via: Via = "page") -> Sender | None:
        """Return the reader with the audit log, for a thread; None if there is no log."""
        if self.audit is None:
            return None
        request = _current_request()
        client = getattr(getattr(request, "client", None), "host", "")
        return Sender(self.audit, self.reader, client, via)


def current_reader() -> Reader | None:
    """Return who sent the request whose handler runs; None outside of handlers."""
    return reader_of(_current_request())


def reader_of(request: Any) -> Reader | None:
    """Return whom the guard found to be the sender of a request that Gradio passes on."""
    found = getattr(getattr(getattr(request, "request", None), "state", None), "reader", None)
    return found if isinstance(found, Reader) else None


def is_local(reader: Reader) -> bool:
    """Return whether a reader is nobody in particular: there are no users."""
    return reader.id == LOCAL_VISITOR.id


def _current_request() -> Any:
    """Return the request that Gradio's handler answers; None outside of handlers."""
    from gradio.context import LocalContext  # takes 2 s, unless the page is open

    return LocalContext.request.get(None)
