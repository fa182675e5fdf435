"""Fixtures of the attacks: a server with users."""

from tests.accounts.conftest import site as site
