"""Limits per client, so that no client can block the page for others.

A client is an IP address; for IPv6 it is the /64 network, because each household has one. All
methods run in the server's event loop. Entries are dropped once what they count has ended.
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

QUESTIONS = 3  # per client, waiting or being answered
# Of a client's questions, by the group of an event. A check looks up to 200 sentences.
PLACES = {"asking": 1, "begin": 1, "checking": 2, "begin_checking": 2}
COUNTED = {"begin": "asking", "begin_checking": "checking"}  # what follows takes the places
TAKING = ("asking", "checking")  # groups whose events take places until they end
WAITING = 64  # waiting questions of all clients
CHECKS_WAITING = 8  # waiting checks of all clients; each may take a minute
EVENTS = 24  # per client, without questions
REQUESTS = 8  # per client, processed at the same time; more have to wait
REQUESTS_WAITING = 64
WORKING = 2  # per client, of calls that aren't queued and so have no limit in Gradio
CALL_BURST, CALL_SECONDS = 200, 0.25  # per client, of calls that neither ask nor change anything
STREAMS = 96  # per client; a browser tab has two
SESSIONS = 200  # kept by the server for all clients
SESSIONS_EACH = 60
CLIENTS = 10_000
UNREAD_SECONDS = 120.0  # answers not fetched within this time are dropped
SWEEP_SECONDS = 1.0


class Events(Protocol):
    """The parts of Gradio's queue that a quota uses."""

    def is_under_way(self, event_id: str) -> bool:
        """Return whether an event is waiting or running."""

    def is_unread(self, session: str, event_id: str) -> bool:
        """Return whether an event has ended but its result has not been fetched."""

    def waiting(self, group: str) -> int:
        """Return the number of waiting events of a group."""

    def drop_messages(self, session: str) -> None:
        """Drop the messages of a session."""

    def drop(self, session: str) -> None:
        """Drop all data of a session."""


@dataclass(slots=True)
class _Ticket:
    session: str
    group: str
    ended: float | None = None


@dataclass(slots=True)
class _Client:
    tickets: dict[str, _Ticket] = field(default_factory=dict)
    reserved: int = 0  # requests whose events have no id yet
    streams: int = 0
    requests: int = 0
    slots: Semaphore = field(default_factory=lambda: Semaphore(REQUESTS))
    working: Semaphore = field(default_factory=lambda: Semaphore(WORKING))
    sessions: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Quota:
    """Counts the events, streams, requests and sessions of each client, and limits them.

    Args:
        events: Gradio's queue and sessions.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, events: Events, clock: Callable[[], float] = time.monotonic) -> None:
        self._events = events
        self._clock = clock
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._streams: dict[str, int] = {}  # open streams by session
        self._swept = 0.0
        self._calls = Bucket(CALL_BURST, CALL_SECONDS, clock)

    def rejection_reason(self, client: str, group: str) -> str:
        """Return why a client may not add an event to a group.

        Returns:
            "busy" if the client has too many events, "full" if too many questions or checks of all
            clients are waiting, "" if the event may be added.
        """
        holder = self._client(client)
        self._sweep(holder)
        if self._clock() - self._swept >= SWEEP_SECONDS:
            self._swept = self._clock()
            for other in self._clients.values():
                self._sweep(other)
        asked = [
            PLACES[t.group]
            for t in holder.tickets.values()
            if t.group in TAKING and t.ended is None
        ]
        if len(holder.tickets) - len(asked) >= EVENTS:
            return "busy"
        if group not in PLACES:
            return ""
        if sum(asked) + holder.reserved + PLACES[group] > QUESTIONS:
            return "busy"
        queue = COUNTED.get(group, group)
        most = CHECKS_WAITING if queue == "checking" else WAITING
        return "full" if self._events.waiting(queue) >= most else ""

    @contextmanager
    def reserve_place(self, client: str, group: str) -> Iterator[None]:
        """Count a question while its event has no id yet."""
        holder, places = self._client(client), PLACES[group] if group in TAKING else 0
        holder.reserved += places
        try:
            yield
        finally:
            holder.reserved -= places

    def add_event(self, client: str, session: str, event_id: str, group: str) -> None:
        """Count an event that has been added to the queue."""
        self._client(client).tickets[event_id] = _Ticket(session, group)

    def use_session(self, client: str, session: str) -> None:
        """Count a session of a client; drop the least recently used ones beyond the limit."""
        sessions = self._client(client).sessions
        sessions[session] = None
        sessions.move_to_end(session)
        while len(sessions) > SESSIONS_EACH:
            oldest, _ = sessions.popitem(last=False)
            self._events.drop(oldest)

    @contextmanager
    def stream(self, client: str, session: str) -> Iterator[bool]:
        """Count a stream while it is open; yield False if the client has too many."""
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
        """Count a request; yield the semaphore to acquire, None if too many requests wait."""
        holder = self._client(client)
        if holder.requests >= REQUESTS + REQUESTS_WAITING:
            yield None
            return
        holder.requests += 1
        try:
            yield holder.slots
        finally:
            holder.requests -= 1

    def may_call(self, client: str) -> bool:
        """Count a call that neither asks nor changes anything; return False above the rate."""
        return self._calls.take(client)

    def working(self, client: str) -> Semaphore:
        """Return the semaphore of a client's calls that are not queued.

        They run in the threads that all clients share, and a flood of them would take every one.
        """
        return self._client(client).working

    def _client(self, client: str) -> _Client:
        found = self._clients.get(client)
        if found is None:
            found = self._clients[client] = _Client()
            if len(self._clients) > CLIENTS:
                self._forget_one()
        self._clients.move_to_end(client)
        return found

    def _forget_one(self) -> None:
        """Drop the least recently seen client that has nothing in progress."""
        for name, client in self._clients.items():
            if not (client.tickets or client.reserved or client.streams or client.requests):
                for session in client.sessions:
                    self._events.drop(session)
                del self._clients[name]
                return

    def _sweep(self, client: _Client) -> None:
        """Drop events whose results were fetched, or not fetched in time."""
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
            if ticket.session == event_id:  # a call by a program, which has its own session
                self._events.drop(ticket.session)
            elif is_unread:
                self._events.drop_messages(ticket.session)


@dataclass(slots=True)
class Bucket:
    """Rate limit per client: `burst` actions at once, then one every `seconds`."""

    burst: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _full_at: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def take(self, client: str) -> bool:
        """Count an action; return False if the client has exceeded the rate."""
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
    """Return the key that counts an IP address: itself, or its /64 network for IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
