"""What one client may have under way at once, so that nobody keeps the page from others.

A client is an address; an IPv6 client is its network of 64 bits, as each household has one.
Everything here runs in the server's event loop, and no entry outlives what it counts.
"""

from __future__ import annotations

import ipaddress
import time
from asyncio import Semaphore
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

QUESTIONS = 3  # of one client, that wait or are answered
WAITING = 64  # questions of everybody that wait
EVENTS = 24  # of one client, other than questions
REQUESTS = 8  # of one client, that are worked on; more wait
REQUESTS_WAITING = 64
STREAMS = 96  # of one client; a tab of a browser has two
SESSIONS = 200  # of everybody, that the server keeps
SESSIONS_EACH = 60
CLIENTS = 10_000
UNREAD_SECONDS = 120.0  # for which an answer that nobody fetches is kept
SWEEP_SECONDS = 1.0


class Events(Protocol):
    """The page's queue, as far as a quota needs it."""

    def is_under_way(self, event_id: str) -> bool:
        """Return whether an event waits or runs."""

    def is_unread(self, session: str, event_id: str) -> bool:
        """Return whether an event has ended, and its end wasn't fetched."""

    def waiting(self, group: str) -> int:
        """Return how many events of a group wait."""

    def drop_messages(self, session: str) -> None:
        """Forget what a session was to fetch."""

    def drop(self, session: str) -> None:
        """Forget everything that is kept for a session."""


@dataclass(slots=True)
class _Ticket:
    session: str
    group: str
    ended: float | None = None


@dataclass(slots=True)
class _Client:
    tickets: dict[str, _Ticket] = field(default_factory=dict)
    reserved: int = 0  # places of requests whose event has no id yet
    streams: int = 0
    requests: int = 0
    slots: Semaphore = field(default_factory=lambda: Semaphore(REQUESTS))
    sessions: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Quota:
    """Counts what each client has under way, and says when it is too much."""

    def __init__(self, events: Events, clock: Callable[[], float] = time.monotonic) -> None:
        self._events = events
        self._clock = clock
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._streams: dict[str, int] = {}  # by session: those that fetch its events
        self._swept = 0.0

    def rejection_reason(self, client: str, group: str) -> str:
        """Return why a client may add no event to a group: "busy", "full", or nothing."""
        holder = self._client(client)
        self._sweep(holder)
        if self._clock() - self._swept >= SWEEP_SECONDS:
            self._swept = self._clock()
            for other in self._clients.values():
                self._sweep(other)
        asked = [t.group == "asking" and t.ended is None for t in holder.tickets.values()]
        if len(asked) - sum(asked) >= EVENTS:
            return "busy"
        if group not in ("asking", "begin"):
            return ""
        if sum(asked) + holder.reserved >= QUESTIONS:
            return "busy"
        return "full" if self._events.waiting("asking") >= WAITING else ""

    @contextmanager
    def reserve_place(self, client: str, group: str) -> Iterator[None]:
        """Hold a place for a question until its event has an id."""
        holder, places = self._client(client), int(group == "asking")
        holder.reserved += places
        try:
            yield
        finally:
            holder.reserved -= places

    def add_event(self, client: str, session: str, event_id: str, group: str) -> None:
        """Count an event that was added."""
        self._client(client).tickets[event_id] = _Ticket(session, group)

    def use_session(self, client: str, session: str) -> None:
        """Note that a client uses a session; the oldest of too many is forgotten."""
        sessions = self._client(client).sessions
        sessions[session] = None
        sessions.move_to_end(session)
        while len(sessions) > SESSIONS_EACH:
            oldest, _ = sessions.popitem(last=False)
            self._events.drop(oldest)

    @contextmanager
    def stream(self, client: str, session: str) -> Iterator[bool]:
        """Count a stream while it is open; gives False where the client has too many."""
        holder = self._client(client)
        if holder.streams >= STREAMS:
            yield False
            return
        holder.streams += 1
        self._streams[session] = self._streams.get(session, 0) + 1
        try:
            yield True
        finally:
            holder.streams -= 1
            self._streams[session] -= 1
            if not self._streams[session]:
                del self._streams[session]

    @contextmanager
    def request(self, client: str) -> Iterator[Semaphore | None]:
        """Count a request; gives what it has to wait for, None where too many wait."""
        holder = self._client(client)
        if holder.requests >= REQUESTS + REQUESTS_WAITING:
            yield None
            return
        holder.requests += 1
        try:
            yield holder.slots
        finally:
            holder.requests -= 1

    def _client(self, client: str) -> _Client:
        found = self._clients.get(client)
        if found is None:
            found = self._clients[client] = _Client()
            if len(self._clients) > CLIENTS:
                self._forget_one()
        self._clients.move_to_end(client)
        return found

    def _forget_one(self) -> None:
        """Forget the client that was here the longest ago and has nothing under way."""
        for name, client in self._clients.items():
            if not (client.tickets or client.reserved or client.streams or client.requests):
                for session in client.sessions:
                    self._events.drop(session)
                del self._clients[name]
                return

    def _sweep(self, client: _Client) -> None:
        """Forget events that were fetched, and those that nobody fetches."""
        now = self._clock()
        for event_id, ticket in list(client.tickets.items()):
            if self._events.is_under_way(event_id):
                continue
            if ticket.ended is None:
                ticket.ended = now
            is_unread = self._events.is_unread(ticket.session, event_id)
            if is_unread and (
                ticket.session in self._streams or now - ticket.ended <= UNREAD_SECONDS
            ):
                continue
            del client.tickets[event_id]
            if ticket.session == event_id:  # a program's, with a session of its own
                self._events.drop(ticket.session)
            elif is_unread:
                self._events.drop_messages(ticket.session)


@dataclass(slots=True)
class Bucket:
    """A rate: `burst` at once, then one each `seconds`, for each of many clients."""

    burst: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _full_at: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def take(self, client: str) -> bool:
        """Take one, and return whether there was one left."""
        now = self.clock()
        full_at = max(self._full_at.pop(client, now), now) + self.seconds
        while len(self._full_at) >= CLIENTS:
            self._full_at.popitem(last=False)
        if full_at - now > self.burst * self.seconds:
            self._full_at[client] = full_at - self.seconds
            return False
        self._full_at[client] = full_at
        return True


def client_key(address: str) -> str:
    """Return the client that an address belongs to."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
