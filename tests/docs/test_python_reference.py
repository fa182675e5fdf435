"""The reference of the Python API against the classes that it describes."""

from __future__ import annotations

import re

import pytest

import rag
from tests.docs.documents import ROOT

REFERENCE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^::: rag\.(\w+)\n((?: .*\n)*)", re.MULTILINE)
_MEMBER = re.compile(r"^ +- (\w+)$", re.MULTILINE)
LISTED = {
    name: set(_MEMBER.findall(options))
    for name, options in _BLOCK.findall(REFERENCE)
    if _MEMBER.search(options)
}
# What retrievers and the page are built from: candidates, vectors, and the store itself.
PARTS = {
    *("article_candidates", "bm25_candidates", "spelling_candidates", "vector_candidates"),
    *("dated_articles", "load_hits", "passage_vectors", "readable_ids", "similarities"),
    *("with_query_vector", "indexes", "reranker", "store"),
}


def public_members(name: str) -> set[str]:
    return {one for one in dir(getattr(rag, name)) if not one.startswith("_")}


def test_reference_lists_the_members_of_archives() -> None:
    assert {"Archive", "ArchiveSnapshot"} <= LISTED.keys()


@pytest.mark.parametrize("name", LISTED)
def test_class_has_the_members_that_the_reference_lists(name: str) -> None:
    assert LISTED[name] <= public_members(name)


@pytest.mark.parametrize("name", ["Archive", "ArchiveSnapshot"])
def test_reference_lists_every_public_member(name: str) -> None:
    assert public_members(name) - PARTS == LISTED[name]
