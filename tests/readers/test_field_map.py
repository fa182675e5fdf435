"""Field maps for unusual exports; common ones are read without a map."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.readers import ReaderOptions, Reject, read
from ingest.readers.field_map import TARGETS, FieldMap
from rag.schema import Article
from ui.cli import main

TEXT = "A crane fell on the pier of Velsund on Tuesday. Nobody was hurt."
DAY = datetime(2024, 10, 24, tzinfo=UTC)


def read_json(folder: Path, value: Any, field_map: str = "") -> list[Article | Reject]:
    path = folder / "export.json"
    path.write_text(json.dumps(value), "utf-8")
    reading = ReaderOptions(FieldMap.parse(field_map)) if field_map else None
    return list(read(path, reading=reading))


def read_one(folder: Path, value: Any, field_map: str = "") -> Article:
    (article,) = read_json(folder, value, field_map)
    assert isinstance(article, Article), article
    return article


def test_map_names_unusual_keys(tmp_path: Path) -> None:
    record = {
        "k1": "Crane falls",
        "wording": {"plain": TEXT},
        "times": {"first.run": "2024-10-24"},
        "people": [{"name": "Ida Lund"}, {"name": "Ola Str"}],
        "places": [{"paper": "Velsund Post"}],
    }
    article = read_one(
        tmp_path,
        [record],
        "title=k1, text=wording.plain, published=times.first.run, authors=people.name,"
        "publisher=places.0.paper",
    )
    assert (article.title, article.text, article.published) == ("Crane falls", TEXT, DAY)
    assert (article.authors, article.publisher) == (("Ida Lund", "Ola Str"), "Velsund Post")


def test_mapped_field_is_read_from_its_key_only(tmp_path: Path) -> None:
    record = {"title": "Crane falls", "text": TEXT, "date": "2020-01-01", "pub": "2024-10-24"}
    assert read_one(tmp_path, [record], "published=pub").published == DAY
    assert read_one(tmp_path, [record], "published=printed").published is None
    (reject,) = read_json(tmp_path, [record | {"summary": "Short."}], "text=wording")
    assert isinstance(reject, Reject)
    assert "wording" in reject.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("headline=title", "unknown field 'headline': use id, url, title"),
        ("title", "'title' is not FIELD=KEY"),
        ("title=", "'title=' is not FIELD=KEY"),
        ("title=a,title=b", "'title' is named twice"),
    ],
)
def test_invalid_map_is_rejected_by_name(
    text: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ingest", "x.csv", "--map", text, "--archive", str(tmp_path / "none")])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_every_article_field_may_be_mapped() -> None:
    from ingest.readers.fields import SPELLINGS

    assert tuple(SPELLINGS) == TARGETS


def test_json_ld_graph_references_are_resolved(tmp_path: Path) -> None:
    graph = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebPage", "@id": "#page", "name": "Crane falls"},
            {"@type": "Person", "@id": "#ida", "name": "Ida Lund"},
            {"@type": ["NewsArticle"], "headline": "Crane falls", "articleBody": TEXT,
             "author": [{"@id": "#ida"}], "publisher": {"@id": "#post"},
             "datePublished": "2024-10-24"},
            {"@type": "NewsMediaOrganization", "@id": "#post", "name": "Velsund Post"},
        ],
    }  # fmt: skip
    article = read_one(tmp_path, graph)
    assert (article.authors, article.publisher) == (("Ida Lund",), "Velsund Post")
    assert article.published == DAY


def test_schema_org_item_list_gives_its_articles(tmp_path: Path) -> None:
    listed = {"@type": "ItemList", "itemListElement": [
        {"@type": "ListItem", "position": 1,
         "item": {"@type": "NewsArticle", "headline": "Crane falls", "articleBody": TEXT}},
    ]}  # fmt: skip
    assert read_one(tmp_path, listed).title == "Crane falls"


def test_newsapi_response_gives_its_articles(tmp_path: Path) -> None:
    answer = {"status": "ok", "totalResults": 2, "articles": [
        {"source": {"id": None, "name": "Velsund Post"}, "author": "Ida Lund",
         "title": "Crane falls - Velsund Post", "url": "https://velsundpost.example/crane",
         "publishedAt": "2024-10-24T00:00:00Z", "content": f"{TEXT}… [+1234 chars]"},
        {"source": {"id": None, "name": "[Removed]"}, "title": "[Removed]",
         "description": "[Removed]", "content": "[Removed]", "url": "https://removed.com"},
    ]}  # fmt: skip
    article, removed = read_json(tmp_path, answer)
    assert isinstance(article, Article)
    assert (article.title, article.text) == ("Crane falls", TEXT)
    assert article.publisher == "Velsund Post"
    assert isinstance(removed, Reject)


ROW = {"title": "Crane falls", "text": TEXT, "date": "2024-10-24 00:00:00",
       "domain": "velsundpost.example", "url": "https://velsundpost.example/crane"}  # fmt: skip


@pytest.mark.parametrize(
    "export",
    [
        ROW,  # CC-News as Hugging Face has it
        {"maintext": TEXT, "title": "Crane falls", "date_publish": "2024-10-24 00:00:00",
         "source_domain": "velsundpost.example", "url": ROW["url"]},  # news-please
        {"features": [{"name": "text"}], "rows": [{"row_idx": 0, "row": ROW}]},
        {key: [cell] for key, cell in ROW.items()},
        {key: {"0": cell} for key, cell in ROW.items()},
        {"columns": list(ROW), "index": [0], "data": [list(ROW.values())]},
        {"DATE": "20241024000000", "SourceCommonName": "velsundpost.example",
         "DocumentIdentifier": ROW["url"], "title": "Crane falls", "text": TEXT},  # GDELT
    ],
)  # fmt: skip
def test_dataset_exports_are_read_without_a_map(tmp_path: Path, export: Any) -> None:
    article = read_one(tmp_path, export)
    assert (article.title, article.text, article.published) == ("Crane falls", TEXT, DAY)
    assert (article.id, article.publisher) == ("velsundpost.example/crane", "velsundpost.example")


def test_paragraphs_in_a_list_are_one_article(tmp_path: Path) -> None:
    article = read_one(tmp_path, {"title": "Crane falls", "text": TEXT.split(". ")})
    assert article.text.count("\n\n") == 1
