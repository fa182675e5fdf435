"""Limits on logins: by address, by a name from one address, and by a name from any.

Anybody can type somebody's name. So the limit on a name alone is high, and doesn't count where that
user logged in before: else strangers could keep them out.
"""

from __future__ import annotations

import math

from limits import parse

from rag.store.saved_names import name_key
from ui.accounts.accounts import SESSION_DAYS
from ui.accounts.rates import Rates

BY_ADDRESS = parse("30/minute")  # a whole office may be behind one
BY_NAME_AND_ADDRESS = parse("10 per 3 minutes")
BY_NAME = parse("100 per 10 minutes")  # by many addresses together
KNOWN = parse(f"1 per {SESSION_DAYS} days")  # how long a login makes an address known
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
        key = name_key(name)[:LONGEST_KEY]
        wait = self.take_address(address) or self._rates.take(
            BY_NAME_AND_ADDRESS, "login as", key, "from", address
        )
        if not wait and not self._rates.is_full(KNOWN, "logged in as", key, "from", address):
            wait = self._rates.take(BY_NAME, "login as", key)
        return math.ceil(wait)

    def remember(self, address: str, name: str) -> None:
        """Remember from which address somebody logged in, for as long as a session may last."""
        key = name_key(name)[:LONGEST_KEY]
        self._rates.renew(KNOWN, "logged in as", key, "from", address)

    def take_address(self, address: str) -> int:
        """Count an attempt with nobody's name; see `take`."""
        return math.ceil(self._rates.take(BY_ADDRESS, "login from", address))

    def close(self) -> None:
        """Release what counts the attempts."""
        self._rates.close()
