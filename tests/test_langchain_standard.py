"""LangChain's standard retriever tests, from langchain-tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from rag import Archive, NewsRetriever
from tests.support.fakes import small_archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("standard") / "archive") as opened:
        yield opened


@pytest.mark.anyio  # one of the tests is async
class TestNewsRetriever(RetrieversIntegrationTests):
    archive: Archive

    @pytest.fixture(autouse=True)
    def _opened(self, archive: Archive) -> None:
        self.archive = archive

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return NewsRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"archive": self.archive}

    @property
    def retriever_query_example(self) -> str:
        return "harbour bridge orchard lighthouse"
