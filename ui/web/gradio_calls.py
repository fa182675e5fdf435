"""Calls of the page's functions, checked and counted before Gradio sees them.

A call has to name a function that the page has, in the way that the page calls it, with a value of
the right shape for each component; and its client has to have room in its quota.
"""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ui.i18n import Texts, preferred_language, texts_in
from ui.web import input_validation, routes
from ui.web.quota import QUESTIONS, Quota
from ui.web.request_guard import IncomingRequest, RejectedRequestError, replay_body

if TYPE_CHECKING:
    from gradio import Blocks
    from gradio.routes import App
    from starlette.types import ASGIApp, Receive, Scope, Send

GROUPS = ("asking", "begin", "admin")
LARGEST_TICKET = 4096  # bytes of the answer that names an event
_CALL = re.compile(r"/gradio_api/call/(?P<name>\w+)(?:/(?P<event>[\w-]+))?/?")
_LAST = re.compile(r"(?<![\w-])[\w-]++$")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the page: who may call it, and the components that it takes values of."""

    index: int
    group: str
    components: tuple[str, ...]
    is_queued: bool
    takes_event: bool
    name: str = ""  # where programs may call it


def page_functions(blocks: Blocks) -> dict[int, Function]:
    """Return the functions of the page by their index."""
    return {
        index: Function(
            index,
            fn.concurrency_id if fn.concurrency_id in GROUPS else "other",
            tuple("state" if block.stateful else block.get_block_name() for block in fn.inputs),
            bool(fn.queue),
            bool(fn.collects_event_data),
            str(fn.api_name) if fn.api_visibility == "public" else "",
        )
        for index, fn in blocks.fns.items()
        if fn.fn is not None or fn.cancels
    }


class GradioEvents:
    """Gradio's queue and sessions, as a quota sees them."""

    def __init__(self, blocks: Blocks, app: App) -> None:
        self._blocks = blocks
        self._app = app

    @property
    def _queue(self) -> Any:
        return self._blocks._queue

    def is_under_way(self, event_id: str) -> bool:
        """Return whether an event waits or runs."""
        return event_id in self._queue.event_ids_to_events

    def is_unread(self, session: str, event_id: str) -> bool:
        """Return whether an event has ended, and its end wasn't fetched."""
        return event_id in self._queue.pending_event_ids_session.get(session, ())

    def has_messages(self, session: str) -> bool:
        """Return whether a session has, or had, something to fetch."""
        return session in self._queue.pending_messages_per_session

    def waiting(self, group: str) -> int:
        """Return how many events of a group wait."""
        found = self._queue.event_queue_per_concurrency_id.get(group)
        return len(found.queue) if found else 0

    def drop_messages(self, session: str) -> None:
        """Forget what a session was to fetch, unless it will go on."""
        under_way = self._queue.event_ids_to_events.values()
        if not any(event.session_hash == session for event in under_way):
            self._queue.pending_messages_per_session.pop(session, None)
            self._queue.pending_event_ids_session.pop(session, None)

    def drop(self, session: str) -> None:
        """Forget everything that is kept for a session."""
        self.drop_messages(session)
        self._app.state_holder.session_data.pop(session, None)
        self._app.state_holder.time_last_used.pop(session, None)


class CallChecker:
    """What stands between the guard and Gradio: the shapes of calls, and each client's quota."""

    def __init__(
        self, app: ASGIApp, functions: dict[int, Function], events: GradioEvents, quota: Quota
    ) -> None:
        self._app = app
        self._functions = functions
        self._named = {f.name: f for f in functions.values() if f.name in routes.ENDPOINTS}
        self._events = events
        self._quota = quota

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, request: IncomingRequest
    ) -> None:
        """Pass a request on that fits, within the quota of its client."""
        if request.kind == "stream":
            await self._stream(scope, receive, send, request)
            return
        if request.kind not in ("call", "upload"):
            await self._app(scope, receive, send)
            return
        with self._quota.request(request.client) as slots:
            if slots is None:
                raise RejectedRequestError(429, _texts(request)("too_many_requests"))
            async with slots if request.kind == "call" else nullcontext():
                await self._call(scope, receive, send, request)

    async def _stream(
        self, scope: Scope, receive: Receive, send: Send, request: IncomingRequest
    ) -> None:
        if request.path.endswith("/queue/data"):
            session = dict(parse_qsl(request.query)).get("session_hash", "")
            if not self._events.has_messages(session):
                raise RejectedRequestError(404, "There is no such session.")
        else:
            found = _LAST.search(request.path)
            session = found[0] if found else ""
            if _CALL.fullmatch(request.path) and not self._events.has_messages(session):
                raise RejectedRequestError(404, "There is no such call, or its answer was fetched.")
        with self._quota.stream(request.client, session) as is_open:
            if not is_open:
                raise RejectedRequestError(429, _texts(request)("too_many_requests"))
            await self._app(scope, receive, send)

    async def _call(
        self, scope: Scope, receive: Receive, send: Send, request: IncomingRequest
    ) -> None:
        path = request.path.rstrip("/")
        if request.kind == "upload" or path.endswith("/reset"):
            await self._app(scope, receive, send)
            return
        if path.endswith("/cancel"):
            cancelled = input_validation.read_json(input_validation.Cancelled, request.body)
            if cancelled is None:
                raise RejectedRequestError(400, "This is no call of the page's.")
            await self._app(scope, replay_body(cancelled.model_dump_json().encode()), send)
            return
        call, function = self._read(path, request)
        body = replay_body(call.model_dump_json(exclude_none=True).encode())
        if call.session_hash:
            self._quota.use_session(request.client, call.session_hash)
        if not function.is_queued:
            await self._app(scope, body, send)
            return
        why = self._quota.rejection_reason(request.client, function.group)
        if why:
            raise RejectedRequestError(429, _texts(request)(f"quota_{why}", count=QUESTIONS))
        with self._quota.reserve_place(request.client, function.group):
            ticket = _Ticket(send)
            await self._app(scope, body, ticket)
            if event_id := ticket.event_id:
                session = call.session_hash or event_id
                self._quota.add_event(request.client, session, event_id, function.group)

    def _read(self, path: str, request: IncomingRequest) -> tuple[input_validation.Call, Function]:
        """Return the call and the function that is called, if they go together."""
        call = input_validation.read_json(input_validation.Call, request.body)
        if call is None:
            raise RejectedRequestError(400, "This is no call of the page's.")
        function = self._function(path, call)
        if function is None:
            raise RejectedRequestError(404, "The page has no such function: reload it.")
        if function.group == "admin" and not request.may_write:
            raise RejectedRequestError(403, _texts(request)("not_allowed"))
        if not function.takes_event:
            call.event_data = None
        expected = len(function.components)
        if function.name:  # a program may leave out what has a value of its own
            call.data += [None] * (expected - len(call.data))
        if len(call.data) != expected:
            raise RejectedRequestError(400, f"The function takes {expected} values.")
        for at, (component, value) in enumerate(zip(function.components, call.data, strict=True)):
            if component == "state":
                call.data[at] = None  # it is the server's own
            elif not input_validation.fits(component, value):
                if component != "browserstate":
                    raise RejectedRequestError(400, _texts(request)("wrong_value"))
                call.data[at] = None  # the page begins with nothing kept
        return call, function

    def _function(self, path: str, call: input_validation.Call) -> Function | None:
        """Return the function that a call names in the way that it may be called."""
        if named := _CALL.fullmatch(path):
            call.fn_index = call.trigger_id = None
            return self._named.get(named["name"])
        if call.session_hash is None or call.fn_index is None:
            return None
        function = self._functions.get(call.fn_index)
        is_joining = path.endswith("/queue/join")
        return function if function and function.is_queued == is_joining else None


class _Ticket:
    """A `send` that reads the id of the event that Gradio made."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.body" and len(self._body) < LARGEST_TICKET:
            self._body += message.get("body", b"")
        await self._send(message)

    @property
    def event_id(self) -> str:
        try:
            found = json.loads(self._body)
        except ValueError:
            return ""
        event_id = found.get("event_id") if isinstance(found, dict) else None
        return event_id if isinstance(event_id, str) else ""


def _texts(request: IncomingRequest) -> Texts:
    return texts_in(preferred_language(request.headers.get("accept-language", "")[:200]))
