"""Identity of wire items: their own id, never the address of another item."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from rag.schema import Article
from tests.readers.test_iptc import NINJS, TEXT, g2, nitf, read_article, read_item

BODY_HTML = str(NINJS["body_xhtml"])

OTHER = "https://velsund-post.example/2024/10/23/older-story"


@pytest.mark.parametrize(
    "link",
    [
        f'<link rel="irel:seeAlso" href="{OTHER}"/>',
        f'<link rel="irel:relatedTo" href="{OTHER}"/><link href="{OTHER}"/>',
        f'<link rel="enclosure" href="{OTHER}.mp4"/>',
        f'<link rel="irel:previousVersion" residref="x" href="{OTHER}"/>',
    ],
)
def test_newsml_link_to_another_item_is_not_the_identity(tmp_path: Path, link: str) -> None:
    found = read_article(tmp_path / "a", g2(link))
    assert (found.id, found.url) == ("urn:newsml:velsund:17", "")


def test_newsml_canonical_link_gives_the_address_not_the_id(tmp_path: Path) -> None:
    own = "https://velsund-post.example/2024/10/24/crane"
    links = f'<link rel="irel:seeAlso" href="{OTHER}"/><link rel="canonical" href="{own}"/>'
    found = read_article(tmp_path / "a", g2(links))
    assert (found.id, found.url) == ("urn:newsml:velsund:17", own)


def test_newsml_link_in_the_content_is_not_the_address(tmp_path: Path) -> None:
    content = g2().replace("<title>x</title>", f'<link rel="canonical" href="{OTHER}"/>')
    found = read_article(tmp_path / "a", content)
    assert (found.id, found.url) == ("urn:newsml:velsund:17", "")


def test_newsml_kill_names_the_guid(tmp_path: Path) -> None:
    found = read_item(tmp_path / "a", g2(f'<link href="{OTHER}"/>', status="canceled"))
    assert not isinstance(found, Article)
    assert getattr(found, "article_id", "") == "urn:newsml:velsund:17"


def test_nitf_doc_id_is_the_identity(tmp_path: Path) -> None:
    shared = nitf().replace("<pubdata ", f'<pubdata ex-ref="{OTHER}" ')
    ids = {
        read_article(tmp_path / "a", shared.replace("velsund-17", name)).id
        for name in ("vw-1", "vw-2")
    }
    assert ids == {"vw-1", "vw-2"}
    alone = shared.replace('<doc-id id-string="velsund-17"/>', "")
    assert read_article(tmp_path / "a", alone).url == OTHER


def test_ninjs_uri_is_the_identity(tmp_path: Path) -> None:
    more = {
        "altids": {"url": OTHER, "web": OTHER},
        "links": [{"rel": "seeAlso", "href": OTHER}],
        "associations": {"main": {"uri": OTHER, "type": "picture", "headline": "Other"}},
    }
    found = read_article(tmp_path / "a", json.dumps(NINJS | more | {"uri": "urn:velsund:17"}))
    assert (found.id, found.url, found.title) == ("urn:velsund:17", "", "Crane falls")


@pytest.mark.parametrize("encoding", ['encoding="base64"', 'encodinguri="http://x.example/base64"'])
@pytest.mark.parametrize(("kind", "data"), [("text/plain", TEXT), ("text/html", BODY_HTML)])
def test_newsml_base64_inline_data_is_decoded(
    tmp_path: Path, encoding: str, kind: str, data: str
) -> None:
    packed = base64.encodebytes(data.encode()).decode()
    found = read_article(tmp_path / "a", _with_data(f'contenttype="{kind}" {encoding}', packed))
    assert found.text == TEXT


def test_newsml_inline_picture_is_not_text(tmp_path: Path) -> None:
    packed = base64.b64encode(b"\xff\xd8 a picture").decode()
    content = _with_data('contenttype="image/jpeg" encoding="base64"', packed)
    assert not isinstance(read_item(tmp_path / "a", content), Article)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<pubStatus", '<link rel="irel:seeAlso"><headline>Other</headline></link><pubStatus'),
        ("<headline>", '<headline role="hld:subHeadline">Second line</headline><headline>'),
        ("<headline>", '<headline xml:lang="de">Kran stürzt</headline><headline xml:lang="en">'),
    ],
)
def test_newsml_title_is_the_main_headline(tmp_path: Path, old: str, new: str) -> None:
    assert read_article(tmp_path / "a", g2().replace(old, new, 1)).title == "Crane falls"


@pytest.mark.parametrize(
    "bodies",
    [
        {"body_text": " ", "body_html": BODY_HTML},
        {"body_text": "A crane fell on ...", "body_html": BODY_HTML},
        {
            "bodies": [
                {"role": "http://x.example/role/teaser", "value": "A crane."},
                {"role": "http://x.example/role/main", "value": TEXT},
            ]
        },
        {
            "bodies": [
                {"contentType": "text/html", "value": "<p>Crane</p>"},
                {"contentType": "text/plain", "value": TEXT},
            ]
        },
    ],
)
def test_ninjs_body_is_the_whole_story(tmp_path: Path, bodies: dict[str, Any]) -> None:
    item = {key: value for key, value in NINJS.items() if key != "body_xhtml"} | bodies
    assert read_article(tmp_path / "a", json.dumps(item)).text == TEXT


def test_ninjs_authors_with_role_writer_are_the_authors(tmp_path: Path) -> None:
    people = [{"name": "Ola Str", "role": "writer"}, {"name": "Per Holm", "role": "photographer"}]
    item = {key: value for key, value in NINJS.items() if key != "byline"} | {"authors": people}
    assert read_article(tmp_path / "a", json.dumps(item)).authors == ("Ola Str",)


def _with_data(attributes: str, data: str) -> str:
    content = g2()
    start, end = content.index("<inlineXML"), content.index("</inlineXML>") + len("</inlineXML>")
    return f"{content[:start]}<inlineData {attributes}>{data}</inlineData>{content[end:]}"
