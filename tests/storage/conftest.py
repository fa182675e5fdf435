"""One S3 server for the tests of a worker, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.s3_server import ENVIRONMENT, S3Server, serve_s3


@pytest.fixture(scope="session")
def running() -> Iterator[S3Server]:
    with serve_s3() as server:
        yield server


@pytest.fixture
def s3(running: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    running.buckets.clear()
    running.requests.clear()
    running.before, running.page_size = (lambda _: None), 1_000
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_NO_SIGN_REQUEST", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.address)
    return running
