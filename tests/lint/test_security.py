"""Findings that are left out say which they are, and why."""

from __future__ import annotations

import pytest

from tests.lint.security import unexplained


@pytest.mark.parametrize(
    "comment",
    [
        "# nosec",
        "#nosec B608",
        "# nosec B608",
        "# nosec B608: constants",
        "# nosec # constants of this code",
        "# nosec B608 # ok",
    ],
)
def test_unexplained_comment_is_found(comment: str) -> None:
    assert list(unexplained(f"one = 1\ntwo = 2  {comment}\n")) == [2]


def test_explained_comment_is_accepted() -> None:
    text = "one = 1  # nosec B608 # constants of this code, values bound\ntwo = 2  # a nose\n"
    assert list(unexplained(text)) == []
