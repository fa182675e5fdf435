"""Identity of agencies' items: their own id, never the address of another item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.schema import Article
from tests.test_readers_iptc import NINJS, article, found_in, g2, nitf

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
def test_newsml_link_to_another_item_is_no_identity(tmp_path: Path, link: str) -> None:
    found = article(tmp_path / "a", g2(link))
    assert (found.id, found.url) == ("urn:newsml:velsund:17", "")


def test_newsml_canonical_link_gives_the_address_and_not_the_id(tmp_path: Path) -> None:
    own = "https://velsund-post.example/2024/10/24/crane"
    links = f'<link rel="irel:seeAlso" href="{OTHER}"/><link rel="canonical" href="{own}"/>'
    found = article(tmp_path / "a", g2(links))
    assert (found.id, found.url) == ("urn:newsml:velsund:17", own)


def test_newsml_link_within_the_content_is_no_address(tmp_path: Path) -> None:
    content = g2().replace("<title>x</title>", f'<link rel="canonical" href="{OTHER}"/>')
    found = article(tmp_path / "a", content)
    assert (found.id, found.url) == ("urn:newsml:velsund:17", "")


def test_newsml_kill_names_the_guid(tmp_path: Path) -> None:
    found = found_in(tmp_path / "a", g2(f'<link href="{OTHER}"/>', status="canceled"))
    assert not isinstance(found, Article)
    assert getattr(found, "article_id", "") == "urn:newsml:velsund:17"


def test_nitf_doc_id_is_the_identity_beside_a_shared_reference(tmp_path: Path) -> None:
    shared = nitf().replace("<pubdata ", f'<pubdata ex-ref="{OTHER}" ')
    ids = {
        article(tmp_path / "a", shared.replace("velsund-17", name)).id for name in ("vw-1", "vw-2")
    }
    assert ids == {"vw-1", "vw-2"}
    alone = shared.replace('<doc-id id-string="velsund-17"/>', "")
    assert article(tmp_path / "a", alone).url == OTHER


def test_ninjs_uri_is_the_identity_beside_associations(tmp_path: Path) -> None:
    more = {
        "altids": {"url": OTHER, "web": OTHER},
        "links": [{"rel": "seeAlso", "href": OTHER}],
        "associations": {"main": {"uri": OTHER, "type": "picture", "headline": "Other"}},
    }
    found = article(tmp_path / "a", json.dumps(NINJS | more | {"uri": "urn:velsund:17"}))
    assert (found.id, found.url, found.title) == ("urn:velsund:17", "", "Crane falls")
