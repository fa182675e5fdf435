"""JSON round trips of values; dicts of something else are rejected by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InvalidValueError
from rag.schema import (
    Answer,
    Article,
    ArticleMetadata,
    Citation,
    Hit,
    Notice,
    Passage,
    Statement,
    TimeRange,
    Usage,
)
from tests.support.fakes import HARBOUR

TEXTS = st.text(max_size=20)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(minutes=-210))])
MOMENTS = st.datetimes(timezones=ZONES).map(
    lambda moment: moment.replace(fold=0)
) | st.sampled_from([datetime(2024, 10, 24, tzinfo=UTC)])
METADATA = st.builds(
    ArticleMetadata,
    article_id=TEXTS,
    authors=st.lists(TEXTS, max_size=3).map(tuple),
    published=st.none() | MOMENTS,
    urgency=st.none() | st.integers(1, 8),
)
PASSAGES = st.builds(Passage, text=TEXTS)
COPIES = st.lists(METADATA, max_size=2).map(tuple)
SCORES = st.floats(allow_nan=False, allow_infinity=False)
HITS = st.builds(Hit, PASSAGES, METADATA, SCORES, COPIES)
CITATIONS = st.builds(Citation, passage=PASSAGES, metadata=METADATA, copies=COPIES)
NOTICES = st.builds(lambda names: Notice("names_missing", names=names), st.lists(TEXTS)) | (
    st.builds(lambda seconds: Notice("chat_model_silent", seconds=seconds), SCORES)
)
STATEMENTS = st.builds(
    Statement,
    text=TEXTS,
    citations=st.lists(CITATIONS, max_size=2).map(tuple),
    reason=st.none() | NOTICES,
    label=st.none() | NOTICES,
)
ANSWERS = st.builds(
    Answer,
    question=TEXTS,
    statements=st.lists(STATEMENTS, max_size=2).map(tuple),
    hits=st.lists(HITS, max_size=2).map(tuple),
    newest_source=st.none() | MOMENTS,
    refusal=st.none() | NOTICES,
    notices=st.lists(NOTICES, max_size=2).map(tuple),
    usage=st.builds(Usage, cost=SCORES),
    confidence=st.none() | st.floats(0, 1),
)


@given(ANSWERS | HITS | CITATIONS | st.builds(TimeRange, st.none() | MOMENTS))
def test_round_trip_through_json_is_lossless(value: Any) -> None:
    again = type(value).from_dict(json.loads(json.dumps(value.to_dict())))
    assert again == value
    assert repr(again) == repr(value)  # offsets of dates, and tuples as tuples


def test_article_round_trip_keeps_its_offset_and_text() -> None:
    seoul = datetime(2024, 10, 24, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    article = HARBOUR.replace(published=seoul)
    data = json.loads(json.dumps(article.to_dict()))
    assert data["metadata"]["published"] == "2024-10-24T08:30:00+09:00"
    assert str(Article.from_dict(data)) == str(article)
    assert HARBOUR.to_dict()["metadata"]["published"] == "2024-10-21"


def test_to_dict_takes_numpy_scores() -> None:
    hit = Hit(Passage("a", 1, 0, 1, "x"), ArticleMetadata("a", ""), np.float64(0.5))
    assert json.loads(json.dumps(hit.to_dict()))["score"] == 0.5


def test_from_dict_fills_defaults_and_ignores_unknown_keys() -> None:
    assert Answer.from_dict({"question": "Who?", "since_version_9": 1}) == Answer("Who?")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({}, "Answer.question is missing"),
        ([], r"Answer is \[\], not a dict"),
        ({"question": 5}, "Answer.question is 5, not a string"),
        ({"question": "", "refused": 1}, "Answer.refused"),
        ({"question": "", "newest_source": "soon"}, "Answer.newest_source is 'soon', not a date"),
        ({"question": "", "newest_source": 2024}, "Answer.newest_source"),
        ({"question": "", "candidates_considered": True}, "Answer.candidates_considered"),
        ({"question": "", "confidence": "0.5"}, "Answer.confidence"),
        ({"question": "", "confidence": float("nan")}, "Answer.confidence"),
        ({"question": "", "hits": {}}, "Answer.hits"),
        ({"question": "", "notices": [{"code": "x"}]}, "There is no notice 'x'"),
        ({"question": "", "refusal": "No."}, "not a notice"),
        ({"question": "", "hits": [{}]}, r"Answer\.hits\.0\.\w+ is missing"),
        ({"question": "", "statements": [{"text": None}]}, r"Answer\.statements\.0\.text"),
        ({"question": "", "statements": [{"text": "", "support": "so"}]}, "It may be 'supported'"),
    ],
)
def test_from_dict_names_what_is_wrong(data: Any, named: str) -> None:
    with pytest.raises(InvalidValueError, match=named):
        Answer.from_dict(data)


def test_article_from_dict_validates_like_the_constructor() -> None:
    data = HARBOUR.to_dict()
    data["metadata"]["article_id"] = " "
    with pytest.raises(InvalidValueError, match=r"Article\.id"):
        Article.from_dict(data)
