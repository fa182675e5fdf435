"""Tool runner: finds who calls a tool, and does its work in their turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import anyio.to_thread
from mcp.server.mcpserver import Context
from starlette.requests import Request

from rag.errors import BackfileError
from ui.accounts.audit import Activity, Sender
from ui.api.problems import ProblemError
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
        self,
        ctx: Context,
        function: Callable[[Sender], T],
        activity: Activity,
        *,
        kind: Kind,
        scope: Scope = "read",
    ) -> T:
        """Return what a blocking function does for a call's reader, and log it.

        Args:
            ctx: The call.
            function: The function; called in a thread.
            activity: What the audit log says of it, if the function doesn't raise.
            kind: The queue in which it waits.
            scope: What the reader must be allowed to do.

        Raises:
            ToolError: The reader may not, or must wait, or the function failed as foreseen.
        """
        request = ctx.request_context.request
        reader = self.reader_of(request)
        if reader is None:
            raise tool_error("not_authenticated", "Send a token: Authorization: Bearer bf_...")
        if not reader.may(scope):
            raise tool_error("scope_missing", f"Your token lacks the scope {scope!r}.")
        sender = self.sender(reader, request)
        try:
            if self._work is None or not isinstance(request, Request):
                done = await anyio.to_thread.run_sync(function, sender)
                await anyio.to_thread.run_sync(sender.record, activity)
                return done
            key = reader_key(request, reader)
            self._work.limits.take("write" if scope == "ingest" else kind, key)
            work = RequestWork(self._work, kind, key, request, sender)
            return await work.run(lambda: function(sender), activity)
        except BackfileError as error:
            raise of_backfile(error) from error
        except ProblemError as problem:
            raise of_problem(problem) from problem
