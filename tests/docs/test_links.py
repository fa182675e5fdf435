"""Files, headings and pages that the documentation and comments link to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify

from tests.docs.documents import PAGES, ROOT, missing_paths

DIAGRAMS = sorted((ROOT / "docs").rglob("*.svg"))
_LINK = re.compile(r"\]\((?P<target>[^)\s:#]*)(?:#(?P<heading>[\w-]+))?\)")


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
    found = (re.fullmatch(r"#+ (.+)", line) for line in lines)
    return {slugify(heading[1].replace("`", ""), "-") for heading in found if heading}


@pytest.mark.parametrize("page", [*PAGES, *DIAGRAMS], ids=lambda page: page.stem)
def test_mentioned_files_exist(page: Path) -> None:
    text = re.sub(r"\]\([^)]*\)", "", page.read_text(encoding="utf-8"))
    assert missing_paths(text) == set()


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.stem)
def test_links_of_root_pages_lead_somewhere(page: Path) -> None:
    links = list(_LINK.finditer(page.read_text(encoding="utf-8")))
    assert links
    for link in links:
        target = ROOT / link["target"]
        assert target.exists(), link[0]
        assert link["heading"] is None or link["heading"] in headings(target), link[0]


def _references() -> Iterator[tuple[str, str, str]]:
    for package in ("rag", "ingest", "ui", "tests"):
        for module in sorted((ROOT / package).rglob("*.py")):
            text = module.read_text(encoding="utf-8")
            for found in re.finditer(r"docs/(?P<page>[\w-]+\.md)(?:#(?P<heading>[\w-]+))?", text):
                yield str(module.relative_to(ROOT)), found["page"], found["heading"] or ""


def test_comments_point_to_existing_headings() -> None:
    missing = [
        f"{module}: {page}#{heading}"
        for module, page, heading in _references()
        if not (ROOT / "docs" / page).exists()
        or (heading and heading not in headings(ROOT / "docs" / page))
    ]
    assert missing == []


def test_missing_paths_finds_unknown_files() -> None:
    assert missing_paths("see `rag/schema.py`, tests/docs/ and `tests/docs/test_*.py`") == set()
    assert missing_paths("`rag/nothing.py`, tests/no_*.py") == {"rag/nothing.py", "tests/no_*.py"}


def test_headings_become_anchors() -> None:
    found = headings(ROOT / "docs" / "benchmarks.md")
    assert {"import-times", "filters-in-the-vector-index", "near-duplicates"} <= found
