"""Boolean queries: operators, phrases, brackets, and text that isn't a valid query."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import QuestionTooLongError
from rag.query.boolean import (
    MOST_TERMS,
    And,
    Not,
    Or,
    Query,
    Term,
    parse_boolean,
    positive_terms,
)

A, B, C = Term("a"), Term("b"), Term("c")


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("a", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a NOT b", And((A, Not(B)))),
        ("a -b", And((A, Not(B)))),
        ("NOT NOT a", A),
        ("NOT (a b)", Not(And((A, B)))),
        ('"a  b" c', And((Term("a b"), C))),
        ('-"a b"', Not(Term("a b"))),
        ("“a b”", Term("a b")),
        ("and or not", And((Term("and"), Term("or"), Term("not")))),
        ("well-known", Term("well-known")),
        ("", None),
        ("AND", None),
        ("() NOT -", None),
        ("?! ...", None),
    ],
)
def test_parse_boolean_reads_operators(words: str, query: Query | None) -> None:
    assert parse_boolean(words) == query


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("a AND", A),
        ("OR a", A),
        ("a OR", A),
        ("(a", A),
        ("a)", A),
        (") a", A),
        ('"a b', Term("a b")),
        ("a NOT", A),
        ("((((a))))", A),
    ],
)
def test_parse_boolean_closes_what_is_open(words: str, query: Query) -> None:
    assert parse_boolean(words) == query


def test_parse_boolean_bounds_depth_and_terms() -> None:
    assert parse_boolean("(" * 499 + "a" + ")" * 499) == A
    query = parse_boolean(" ".join("abcdefghij"[i % 10] for i in range(500)))
    assert isinstance(query, And)
    assert len(query.operands) == MOST_TERMS
    with pytest.raises(QuestionTooLongError):
        parse_boolean("word " * 500)


def test_positive_terms_leave_out_what_must_not_occur() -> None:
    assert positive_terms(parse_boolean('a (b OR "c d") NOT e')) == ["a", "b", "c d"]
    assert positive_terms(parse_boolean("NOT a")) == []


@given(st.text(alphabet='ab ()"-ANDORT', max_size=80))
def test_parse_boolean_never_fails(words: str) -> None:
    parse_boolean(words)
