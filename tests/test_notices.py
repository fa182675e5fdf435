"""Notices: validated, hashable, and serialisable as JSON."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Notice
from rag.errors import InvalidValueError
from rag.notices import CODES

VALUES = (
    st.text() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.lists(st.text())
)


@st.composite
def notices(draw: st.DrawFn) -> Notice:
    code = draw(st.sampled_from(sorted(CODES)))
    names = [n for n in CODES[code] if not n.endswith("?") or draw(st.booleans())]
    return Notice(code, **{name.removesuffix("?"): draw(VALUES) for name in names})


@given(notices())
def test_notice_round_trips_through_json(notice: Notice) -> None:
    back = Notice.from_dict(json.loads(json.dumps(notice.to_dict())))
    assert back == notice
    assert hash(back) == hash(notice)
    assert pickle.loads(pickle.dumps(notice)) == notice


def test_notice_sorts_parameters_and_converts_dates() -> None:
    moment = datetime(2024, 5, 3, 18, 30, tzinfo=UTC)
    one = Notice("later_article", published=moment, source="The Post")
    assert one == Notice("later_article", source="The Post", published=date(2024, 5, 3))
    assert one.params == (("source", "The Post"), ("published", "2024-05-03"))
    assert one["source"] == "The Post"
    assert repr(one) == "Notice('later_article', source='The Post', published='2024-05-03')"
    assert str(one) == "later_article (source: The Post, published: 2024-05-03)"
    assert str(Notice("names_missing", names=["A", "B"])) == "names_missing (names: A, B)"
    assert str(Notice("off_topic")) == "off_topic"
    assert Notice("names_missing", names=["A", "B"]).to_dict() == {
        "code": "names_missing",
        "params": {"names": ["A", "B"]},
    }


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("no_such_code", {}),
        (["off_topic"], {}),
        ("off_topic", {"day": "2024-05-03"}),
        ("dated", {}),
        ("dated", {"day": None}),
        ("names_missing", {"names": [1, 2]}),
        ("dated", {"day": {"year": 2024}}),
    ],
)
def test_notice_with_wrong_parameters_is_rejected(code: Any, params: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        Notice(code, **params)
    with pytest.raises(InvalidValueError):
        Notice.from_dict({"code": code, "params": params})


@pytest.mark.parametrize("value", [None, [], "dated", {}, {"code": "dated", "params": ["day"]}])
def test_from_dict_rejects_other_values(value: Any) -> None:
    with pytest.raises(InvalidValueError):
        Notice.from_dict(value)
