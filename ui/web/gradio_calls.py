"""Validate and count calls of the page's functions before they reach Gradio.

A call must name a function of the page, use the route that the page uses for it, and have a value
of the right shape for each component; and its client must be within its quota.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from cachetools import LRUCache

from ui.i18n import Texts, preferred_language, texts_in
from ui.web import input_validation, routes
from ui.web.guard.bodies import replay_body
from ui.web.guard.request import IncomingRequest, RejectedRequestError
from ui.web.quota import PLACES, QUESTIONS, Quota
from ui.web.reader_view import is_local

if TYPE_CHECKING:
    from gradio import Blocks
    from gradio.routes import App
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.readers import Reader

GROUPS = (*PLACES, "own", "admin")
CALLS = 10_000  # whose callers are known; results of older ones can't be fetched
LARGEST_TICKET = 4096  # bytes of the response with the id of an event
_CALL = re.compile(r"/gradio_api/call/(?P<name>\w+)(?:/(?P<event>[\w-]+))?/?")
_LAST = re.compile(r"(?<![\w-])[\w-]++$")


@dataclass(frozen=True, slots=True)
class Function:
    """Function that the page calls.

    Attributes:
        index: Gradio's index of the function.
        group: Concurrency group, which decides about quota and authorization.
        components: Kinds of the input components.
        is_queued: Whether calls go through the queue.
        takes_event: Whether it takes event data.
        name: Name of its public endpoint; "" for private functions.
    """

    index: int
    group: str
    components: tuple[str, ...]
    is_queued: bool
    takes_event: bool
    name: str = ""


def page_functions(blocks: Blocks) -> dict[int, Function]:
    """Return the functions of the page by index."""
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
    """Gradio's queue and sessions, for a `Quota`.

    Args:
        blocks: The page.
        app: Gradio's application.
    """

    def __init__(self, blocks: Blocks, app: App) -> None:
        self._blocks = blocks
        self._app = app

    @property
    def _queue(self) -> Any:
        return self._blocks._queue

    def is_under_way(self, event_id: str) -> bool:
        """Return whether an event is waiting or running."""
        return event_id in self._queue.event_ids_to_events

    def is_unread(self, session: str, event_id: str) -> bool:
        """Return whether an event has ended but its result has not been fetched."""
        return event_id in self._queue.pending_event_ids_session.get(session, ())

    def has_messages(self, session: str) -> bool:
        """Return whether a session has or had messages to fetch."""
        return session in self._queue.pending_messages_per_session

    def waiting(self, group: str) -> int:
        """Return the number of waiting events of a group."""
        found = self._queue.event_queue_per_concurrency_id.get(group)
        return len(found.queue) if found else 0

    def drop_messages(self, session: str) -> None:
        """Drop the messages of a session, unless one of its events is in progress."""
        under_way = self._queue.event_ids_to_events.values()
        if not any(event.session_hash == session for event in under_way):
            self._queue.pending_messages_per_session.pop(session, None)
            self._queue.pending_event_ids_session.pop(session, None)

    def drop(self, session: str) -> None:
        """Drop all data of a session."""
        self.drop_messages(session)
        self._app.state_holder.session_data.pop(session, None)
        self._app.state_holder.time_last_used.pop(session, None)


class CallChecker:
    """ASGI layer between the guard and Gradio that validates calls and applies quotas.

    Args:
        app: Gradio's application.
        functions: Functions of the page by index.
        events: Gradio's queue and sessions.
        quota: Limits per client.
    """

    def __init__(
        self, app: ASGIApp, functions: dict[int, Function], events: GradioEvents, quota: Quota
    ) -> None:
        self._app = app
        self._functions = functions
        self._named = {f.name: f for f in functions.values() if f.name in routes.ENDPOINTS}
        self._events = events
        self._quota = quota
        self._callers: LRUCache[str, str] = LRUCache(CALLS)  # readers by the ids of their calls

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, request: IncomingRequest
    ) -> None:
        """Pass a valid request on to Gradio, within the quota of its client.

        With users, the names of sessions are replaced by ones that only their reader can use.

        Raises:
            RejectedRequestError: The call is invalid, not allowed, or exceeds the quota.
        """
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
            given = dict(parse_qsl(request.query)).get("session_hash", "")
            session = own_session(request.reader, given)
            scope = {**scope, "query_string": urlencode({"session_hash": session}).encode()}
            if not self._events.has_messages(session):
                raise RejectedRequestError(
                    404, "Session not found: it has expired. Reload the page."
                )
        else:
            found = _LAST.search(request.path)
            session = found[0] if found else ""
            is_call = _CALL.fullmatch(request.path)
            if not is_call:  # the heartbeat of a session
                session = own_session(request.reader, session)
                path = f"{request.path.rpartition('/')[0]}/{session}"
                scope = {**scope, "path": path, "raw_path": path.encode()}
            if is_call and not (self._events.has_messages(session) and self._may_fetch(request)):
                raise RejectedRequestError(
                    404,
                    "Call not found: its result was already fetched, or never existed. Call again.",
                )
        with self._quota.stream(request.client, session) as is_open:
            if not is_open:
                raise RejectedRequestError(429, _texts(request)("too_many_requests"))
            await self._app(scope, receive, send)

    def _may_fetch(self, request: IncomingRequest) -> bool:
        """Return whether the result of a call is that of the reader who asks for it."""
        found = _LAST.search(request.path)
        reader = request.reader
        if reader is None or is_local(reader) or found is None:
            return True
        return self._callers.get(found[0]) == _identity(reader)

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
                raise RejectedRequestError(
                    400, "Invalid request: it is not a call that the page makes."
                )
            cancelled.session_hash = own_session(request.reader, cancelled.session_hash)
            await self._app(scope, replay_body(cancelled.model_dump_json().encode()), send)
            return
        call, function = self._read(path, request)
        if call.session_hash:
            call.session_hash = own_session(request.reader, call.session_hash)
        body = replay_body(call.model_dump_json(exclude_none=True).encode())
        if call.session_hash:
            self._quota.use_session(request.client, call.session_hash)
        if function.group == "other" and not self._quota.may_call(request.client):
            raise RejectedRequestError(429, _texts(request)("too_many_requests"))
        if not function.is_queued:
            async with self._quota.working(request.client):
                await self._app(scope, body, send)
            return
        why = self._quota.rejection_reason(request.client, function.group)
        if why:
            raise RejectedRequestError(429, _texts(request)(f"quota_{why}", count=QUESTIONS))
        with self._quota.reserve_place(request.client, function.group):
            identity = _identity(request.reader)
            ticket = _Ticket(send, lambda event_id: self._callers.update({event_id: identity}))
            await self._app(scope, body, ticket)
            if event_id := ticket.event_id:
                session = call.session_hash or event_id
                self._quota.add_event(request.client, session, event_id, function.group)

    def _read(self, path: str, request: IncomingRequest) -> tuple[input_validation.Call, Function]:
        """Parse a call and find its function; raise RejectedRequestError if they do not match."""
        call = input_validation.read_json(input_validation.Call, request.body)
        if call is None:
            raise RejectedRequestError(
                400, "Invalid request: it is not a call that the page makes."
            )
        function = self._function(path, call)
        if function is None:
            raise RejectedRequestError(
                404, "Function not found: the page is out of date. Reload it."
            )
        reader = request.reader
        has_own = reader is not None and not is_local(reader) and reader.may("read")
        allowed = {"admin": request.may_write, "own": request.may_write or has_own}
        if not allowed.get(function.group, True):
            raise RejectedRequestError(403, _texts(request)("not_allowed"))
        if not function.takes_event:
            call.event_data = None
        expected = len(function.components)
        if function.name:  # programs may omit arguments with defaults
            call.data += [None] * (expected - len(call.data))
        if len(call.data) != expected:
            raise RejectedRequestError(
                400, f"Invalid request: the function takes {expected} values."
            )
        for at, (component, value) in enumerate(zip(function.components, call.data, strict=True)):
            if component == "state":
                call.data[at] = None  # kept on the server; never taken from a browser
            elif not input_validation.fits(component, value):
                if component != "browserstate":
                    raise RejectedRequestError(400, _texts(request)("wrong_value"))
                call.data[at] = None  # start without stored conversations
        return call, function

    def _function(self, path: str, call: input_validation.Call) -> Function | None:
        """Return the function that a call names; None if it must not be called by this route."""
        if named := _CALL.fullmatch(path):
            call.fn_index = call.trigger_id = None
            return self._named.get(named["name"])
        if call.session_hash is None or call.fn_index is None:
            return None
        function = self._functions.get(call.fn_index)
        is_joining = path.endswith("/queue/join")
        return function if function and function.is_queued == is_joining else None


class _Ticket:
    """ASGI `send` that reads the event id from Gradio's response, before the client does."""

    def __init__(self, send: Send, on_event: Callable[[str], None]) -> None:
        self._send = send
        self._on_event = on_event
        self._body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.body" and len(self._body) < LARGEST_TICKET:
            self._body += message.get("body", b"")
            if event_id := self.event_id:
                self._on_event(event_id)
        await self._send(message)

    @property
    def event_id(self) -> str:
        try:
            found = json.loads(self._body)
        except ValueError:
            return ""
        event_id = found.get("event_id") if isinstance(found, dict) else None
        return event_id if isinstance(event_id, str) else ""


def own_session(reader: Reader | None, session: str) -> str:
    """Return the name by which the server knows a reader's session.

    Somebody else, or the same reader with other rights, would get another one for the same session,
    so that nobody can see a conversation by the name that a browser gave it.
    """
    if reader is None or is_local(reader):
        return session
    return hashlib.sha256(f"{_identity(reader)}\0{session}".encode()).hexdigest()[:40]


def _identity(reader: Reader | None) -> str:
    if reader is None:
        return ""
    return json.dumps([reader.id, sorted(reader.scopes), reader.rights.to_dict()])


def _texts(request: IncomingRequest) -> Texts:
    return texts_in(preferred_language(request.headers.get("accept-language", "")[:200]))
