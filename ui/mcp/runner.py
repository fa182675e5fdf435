"""Tool runner: finds who calls a tool, and does its work in their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import anyio.to_thread
from mcp.server.mcpserver import Context
from starlette.requests import Request

from rag.answer.background import iterate_in_thread
from rag.errors import BackfileError
from ui.accounts.audit import Activity, Sender
from ui.api.problems import ProblemError
from ui.api.services import missing_scope
from ui.api.work import RequestWork, WorkScheduler, reader_key
from ui.mcp.errors import of_backfile, of_problem, tool_error
from ui.readers import Reader, Scope

if TYPE_CHECKING:
    from ui.api.services import Services

T = TypeVar("T")
Kind = Literal["search", "ask"]


class ToolRunner:
    """Finds a call's reader, and runs its work in that reader's turn.

    Args:
        services: What the tools work with.
        reader: The reader of every call, for stdio; None to take the one whom the guard found.
        work: Turns and rates of the server; None for none.
    """

    def __init__(
        self, services: Services, *, reader: Reader | None = None, work: WorkScheduler | None = None
    ) -> None:
        self.services = services
        self._reader = reader
        self._work = work

    def reader_of(self, request: Any) -> Reader | None:
        """Return who sent a request; None if nobody is known."""
        if self._reader is not None:
            return self._reader
        state = request.scope.get("state", {}) if isinstance(request, Request) else {}
        found: Reader | None = state.get("reader")
        return found

    def sender(self, reader: Reader, request: Any) -> Sender:
        """Return the sender of a request, for the audit log."""
        state = request.scope.get("state", {}) if isinstance(request, Request) else {}
        return Sender(self.services.audit, reader, state.get("client", ""), "mcp")

    async def run(
        self, request: Any, function: Callable[[Sender], T], activity: Activity, *, kind: Kind
    ) -> T:
        """Return what a blocking function reads for a request's reader, and log it; see `all`.

        Args:
            request: The request of the call.
            function: The function; called in a thread.
            activity: What the audit log says of it, if the function doesn't raise.
            kind: The queue in which it waits.

        Raises:
            ToolError: As of `all`.
        """
        (done,) = await self.all(
            request, lambda sender: iter((function(sender),)), activity, kind=kind
        )
        return done

    async def all(
        self,
        request: Any,
        make: Callable[[Sender], Iterator[T]],
        activity: Activity,
        *,
        kind: Kind,
    ) -> list[T]:
        """Return the values of a blocking iterator, made for a request's reader; log the first.

        The iterator is closed when the client goes away, after its current step.

        Args:
            request: The request of the call.
            make: Returns the iterator; called in a thread.
            activity: What the audit log says of it.
            kind: The queue in which it waits.

        Raises:
            ToolError: The reader may not, or must wait, or the iterator failed as foreseen.
        """
        sender = self._sender_with("read", request)
        with _as_tool_errors():
            if self._work is None or not isinstance(request, Request):
                async with aclosing(iterate_in_thread(lambda: make(sender))) as values:
                    found = [one async for one in values]
                await anyio.to_thread.run_sync(sender.record, activity)
                return found
            key = reader_key(request, sender.reader)
            await anyio.to_thread.run_sync(self._work.limits.take, kind, key)
            work = RequestWork(self._work, kind, key, request, sender)
            return await work.all(lambda: make(sender), activity)

    async def write(self, request: Any, function: Callable[[Sender], T]) -> T:
        """Return what a blocking function that changes the archive does for a request's reader.

        It waits in no queue, as over HTTP: searches go on while it waits for another writer. Once
        begun, it ends, whether or not the client waits: it logs what it did itself.

        Args:
            request: The request of the call.
            function: The function; called in a thread.

        Raises:
            ToolError: The reader may not, or must wait, or the function failed as foreseen.
        """
        sender = self._sender_with("ingest", request)
        with _as_tool_errors():
            if self._work is not None and isinstance(request, Request):
                key = reader_key(request, sender.reader)
                await anyio.to_thread.run_sync(self._work.limits.take, "write", key)
            return await anyio.to_thread.run_sync(function, sender)

    def _sender_with(self, scope: Scope, request: Any) -> Sender:
        reader = self.reader_of(request)
        if reader is None:
            raise tool_error("not_authenticated", "Send a token: Authorization: Bearer bf_...")
        if not reader.may(scope):
            raise of_problem(missing_scope(reader, scope))
        return self.sender(reader, request)


def request_of(ctx: Context) -> Any:
    """Return the request of a call; None over stdio."""
    return ctx.request_context.request


@contextmanager
def _as_tool_errors() -> Iterator[None]:
    try:
        yield
    except BackfileError as error:
        raise of_backfile(error) from error
    except ProblemError as problem:
        raise of_problem(problem) from problem
