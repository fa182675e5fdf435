"""Limits on logins, by address and by name."""

from __future__ import annotations

import math

from limits import parse

from rag.store.saved_names import name_key
from ui.accounts.rates import Rates

BY_ADDRESS = parse("30/minute")  # a whole office may be behind one
BY_NAME = parse("10 per 3 minutes")
LONGEST_KEY = 200  # characters of a name that count


class LoginThrottle:
    """Counts attempts to log in, before passwords are checked and whether names exist or not."""

    def __init__(self, rates: Rates | None = None) -> None:
        """Count in `rates`; by default in memory."""
        self._rates = rates or Rates.in_memory()

    def take(self, address: str, name: str) -> int:
        """Count an attempt.

        Args:
            address: Who sends it.
            name: The name that was typed.

        Returns:
            0 if it is allowed, else the seconds to wait.
        """
        return self.take_address(address) or math.ceil(
            self._rates.take(BY_NAME, "login as", name_key(name)[:LONGEST_KEY])
        )

    def take_address(self, address: str) -> int:
        """Count an attempt with nobody's name; see `take`."""
        return math.ceil(self._rates.take(BY_ADDRESS, "login from", address))

    def close(self) -> None:
        """Release what counts the attempts."""
        self._rates.close()
