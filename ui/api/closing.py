"""The end of a server: what runs must stop, and nothing new begins."""

from __future__ import annotations

from threading import Event


class Closing(Event):
    """Set once the server shuts down; streams end and jobs stop after their current batch."""
