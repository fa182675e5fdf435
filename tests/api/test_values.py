"""Models of values: the fields of `to_dict`, for every type that the API returns."""

from __future__ import annotations

from typing import Any

import pytest

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.browse import BrowsePage
from rag.archive.names import NamePage
from rag.schema import Answer, Article, Hit
from ui.api.values import model_of

pytestmark = pytest.mark.slow


@pytest.fixture
def values(archive: Archive) -> list[Any]:
    return [
        archive.article("courier.example/bridge"),
        archive.search("bridge")[0],
        Chatbot(archive).ask("When did the bridge reopen?"),
        Chatbot(archive).ask("Who is the king of Atlantis?"),
        archive.browse(),
        archive.name("Odile Brandt"),
    ]


def test_models_have_the_fields_of_the_values(values: list[Any]) -> None:
    types = (Article, Hit, Answer, Answer, BrowsePage, NamePage)
    for value, value_type in zip(values, types, strict=True):
        assert isinstance(value, value_type)
        assert model_of(value_type).model_validate(value.to_dict()).model_dump() == value.to_dict()


def test_schemas_describe_each_field() -> None:
    for value_type in (Hit, Answer, BrowsePage, NamePage):
        for name, field in model_of(value_type).model_json_schema()["properties"].items():
            assert field.get("description"), f"{value_type.__name__}.{name}"


def test_type_without_a_json_form_is_an_error() -> None:
    from dataclasses import make_dataclass

    with pytest.raises(TypeError, match="bytes"):
        model_of(make_dataclass("Odd", [("data", bytes)]))
