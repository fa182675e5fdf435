"""Citation markers: numbers in brackets are read, everything else is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import build_citation, number_citations, read_citations, tidy_markers
from rag.schema import Span, Statement
from tests.support.fake_archive import FERRY, TROOPS, FakeArchive

HITS = FakeArchive(TROOPS, FERRY).passages


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It rained. [1]", (1,)),
        ("It rained [1, 2].", (1, 2)),
        ("It rained [1][2].", (1, 2)),
        ("It rained [1-3].", (1, 2, 3)),
        ("It rained [1 and 2].", (1, 2)),
        ("It rained [¹].", (1,)),
        ("It rained¹².", (12,)),
        ("It rained【1】.", (1,)),
        ("It rained【3†source】.", (3,)),
        ("It rained [Passage 4].", (4,)),
        ("It rained [^5].", (5,)),
        ("It rained [2] and [2].", (2,)),
        ("He [Yoon] said so (1).", ()),
        ("A room of 50 m².", ()),
    ],
)
def test_read_citations_accepts_every_marker_style(text: str, numbers: tuple[int, ...]) -> None:
    assert read_citations(text).numbers == numbers


def test_bracketed_name_is_not_a_marker() -> None:
    assert read_citations("Yoon [Suk Yeol] said so. [1]").text == "Yoon [Suk Yeol] said so."


@given(st.lists(st.integers(1, 99), unique=True, max_size=5))
def test_adjacent_markers_are_all_read(numbers: list[int]) -> None:
    cited = read_citations("It rained. " + "".join(f"[{n}]" for n in numbers))
    assert cited.text == "It rained."
    assert cited.numbers == tuple(numbers)


@given(st.text(alphabet="ab. []1,¹【】", max_size=40))
def test_tidy_markers_keeps_the_numbers(text: str) -> None:
    assert set(read_citations(text).numbers) <= set(read_citations(tidy_markers(text)).numbers)


@given(st.integers(0, 400), st.integers(1, 400))
def test_citation_quotes_its_article(start: int, length: int) -> None:
    hit = HITS[0]
    passage = hit.passage
    begin = min(passage.start + start, passage.end - 1)
    citation = build_citation(1, hit, Span(begin, begin + length))
    assert citation.quote == TROOPS.text[citation.start : citation.end]
    assert passage.start <= citation.start < citation.end <= passage.end


def test_citations_are_numbered_in_reading_order() -> None:
    first, second = build_citation(7, HITS[1]), build_citation(3, HITS[0])
    statements = number_citations([Statement("a", (first,)), Statement("b", (second, first))])
    assert [[c.number for c in s.citations] for s in statements] == [[1], [2, 1]]
