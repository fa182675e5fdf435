"""Right-to-left text, held against the algorithm of another program."""

from __future__ import annotations

import re
import time

import pytest
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ui.pdf.bidi import embedding_levels

LETTERS = "abאבجس1٢ .,-+$()[]:/٪\u0301\u064b"


@given(st.text(LETTERS, min_size=1, max_size=30), st.booleans())
@example("(א) b [ج 1]", True)
def test_levels_equal_those_of_another_program(text: str, right_to_left: bool) -> None:
    # The other program lets only the first mark after a bracket follow it; UAX 9, N0: any number.
    assume(not re.search("[])][\u0301\u064b]{2}", text))
    base = TextDirection.RTL if right_to_left else TextDirection.LTR
    other = BidiParagraph(text, base_direction=base, preserve_bn_chars=True)
    expected = [one.embedding_level for one in other.get_characters_with_embedding_level()]
    shown = len(text.rstrip())  # spaces at the end of a line aren't drawn
    assert embedding_levels(text, right_to_left=right_to_left)[:shown] == expected[:shown]


def test_marks_after_a_bracket_follow_it() -> None:
    assert embedding_levels("א[1]\u0301\u0301", right_to_left=False) == [1, 1, 2, 1, 1, 1]


@pytest.mark.parametrize("text", ["ج(a)", "(", ")", "[א(", "א1,٢$ ", "ج(a)[1](א"])
def test_levels_take_linear_time(text: str) -> None:
    began = time.thread_time()
    embedding_levels(text * 10_000, right_to_left=True)
    assert time.thread_time() - began < 5


@given(st.text())
def test_every_character_has_a_level(text: str) -> None:
    for right_to_left in (False, True):
        levels = embedding_levels(text, right_to_left=right_to_left)
        assert len(levels) == len(text)
        assert set(levels) <= ({1, 2} if right_to_left else {0, 1, 2})
