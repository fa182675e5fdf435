"""Fixtures of the attacks: servers with users."""

from collections.abc import Iterator

import pytest

from tests.accounts.conftest import site as site
from tests.attacks.program_site import ProgramSite, serve_site


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgramSite]:
    """Return a server that no test changes."""
    with serve_site(tmp_path_factory.mktemp("programs")) as served:
        yield served
